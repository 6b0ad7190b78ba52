//! Texts that nobody writes on purpose: they are refused soon, and nothing panics.

use proptest::prelude::*;

use super::super::conform::conform;
use super::super::diagnostic::{entries, render};
use super::super::shape::schema_for;
use super::super::text::Document;
use super::{File, GOOD, check};

#[test]
fn hostile_texts_end_soon() {
    let deep = "[".repeat(100_000);
    for text in [
        format!("a = {deep}"),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
        "x\n".repeat(300_000),
        "[[clients]]\n".repeat(50_000),
        "a = [\n[b]\n".repeat(20_000),
        (0..40_000).map(|i| format!("k{i} = 1\n")).collect(),
        format!("{} = 1", "k".repeat(1_000_000)),
        "a".repeat(5_000_000),
    ] {
        let start = std::time::Instant::now();
        let (document, faults) = check(&text);
        assert!(!faults.is_empty());
        assert!(faults.len() <= 400);
        let _ = render(&document, &faults, false);
        assert!(start.elapsed().as_secs() < 5);
    }
}

/// Everything that the program does with a text; panics on a span outside of its source.
fn all_of(text: &str, assignment: &str) {
    let (mut document, mut faults) = Document::parse("any.toml", text);
    faults.extend(document.set(assignment).err().map(|fault| *fault));
    let (value, more) = conform(&document, &schema_for::<File>());
    if faults.is_empty() && more.is_empty() {
        serde_json::from_value::<File>(value).unwrap();
    }
    faults.extend(more);
    for fault in &faults {
        let _ = document.text(&fault.at.stretch(&document));
    }
    let _ = (
        render(&document, &faults, true),
        entries(&document, &faults),
    );
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "(?s).{0,200}", assignment in "(?s).{0,40}") {
        all_of(&text, &assignment);
    }

    #[test]
    fn toml_like_text_is_survived(
        parts in prop::collection::vec("\\[|\\]|\\[\\[|\n|=|,|\\{|\\}|\"|'|\"\"\"|\\.|run|clients|kind|name|é|1|inf|1979-05-27| |#", 0..60),
    ) {
        let text = parts.concat();
        all_of(&text, &text);
    }

    #[test]
    fn changed_scenarios_are_survived(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..6usize, "[\\[\\]=\"'{},.a-e0-9\né-]{0,3}"), 1..4),
    ) {
        let mut chars: Vec<char> = GOOD.chars().collect();
        for (at, len, with) in cuts {
            let at = at.index(chars.len());
            let end = (at + len).min(chars.len());
            chars.splice(at..end, with.chars());
        }
        all_of(&chars.into_iter().collect::<String>(), "clients[0].arrivals.rate=5");
    }
}
