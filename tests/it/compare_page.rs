//! The page on comparing, `docs/compare.md`: what it shows is what is printed.

use std::fs;
use std::path::Path;

use crate::support::{lbsim, scratch, stdout};

/// The worked example of the page: its scenario, its commands, and what they print.
#[test]
fn the_example_of_the_page_is_real() {
    let place = scratch("compare-page");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compare.md");
    let page = fs::read_to_string(&path).unwrap();
    let block = |from: &str| -> String {
        let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("{from}"));
        rest.split_once("\n```").unwrap().0.to_owned() + "\n"
    };
    fs::write(place.join("web.toml"), block("```toml\n")).unwrap();
    assert!(lbsim(&place, &["run", "web.toml"]).status.success());
    let (mut kept, mut left, mut seen) = (String::new(), page.as_str(), 0);
    while let Some((before, rest)) = left.split_once("```text\n$ lbsim ") {
        let (command, rest) = rest.split_once('\n').unwrap();
        let (_, after) = rest.split_once("\n```").unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        let printed = stdout(&lbsim(&place, &words));
        kept += &format!("{before}```text\n$ lbsim {command}\n{printed}```");
        left = after;
        seen += 1;
    }
    kept += left;
    assert!(seen >= 2);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, kept).unwrap();
    } else {
        assert!(
            kept == page,
            "docs/compare.md is not up to date; UPDATE=1 writes it anew\n{kept}"
        );
    }
}
