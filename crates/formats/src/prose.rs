//! Counts and lists in sentences.

use std::fmt::Display;

/// Names in one line at most.
const SHOWN: usize = 10;

/// `1 request`, `2 requests`: `thing` is one of them, and has a regular plural.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, thing: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {thing}{ending}")
}

/// The first of some names, and how many more there are: nobody reads five hundred.
pub fn listed(names: impl IntoIterator<Item = impl Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    // In place of a single one more, its name.
    let shown = match names.len() {
        all if all <= SHOWN + 1 => all,
        _ => SHOWN,
    };
    let text = names[..shown].join(", ");
    match names.len() - shown {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// [`listed`], each between backticks.
pub fn quoted(names: impl IntoIterator<Item = impl Display>) -> String {
    listed(names.into_iter().map(|name| format!("`{name}`")))
}

/// A text on lines of at most so many characters, broken between words; what is indented stays so.
pub fn folded(text: &str, width: usize) -> String {
    let fold = |line: &str| -> String {
        let indent: String = line.chars().take_while(|one| *one == ' ').collect();
        let mut lines = vec![indent.clone()];
        for word in line.trim_start_matches(' ').split(' ') {
            let last = lines.last_mut().expect("there is one");
            if *last == indent {
                last.push_str(word);
            } else if last.chars().count() + 1 + word.chars().count() <= width {
                last.push(' ');
                last.push_str(word);
            } else {
                lines.push(format!("{indent}{word}"));
            }
        }
        lines.join("\n")
    };
    text.split('\n').map(fold).collect::<Vec<_>>().join("\n")
}

/// A name on a line of its own, what it is beside it, from column `column` on; broken between words
/// where it is longer than `width`, if there is one.
///
/// ```
/// use lbsim_formats::prose::beside;
/// assert_eq!(beside("fall", 6, "Failed checks in a row.", None), "fall  Failed checks in a row.");
/// let narrow = beside("fall", 6, "Failed checks in a row.", Some(20));
/// assert_eq!(narrow, "fall  Failed checks\n      in a row.");
/// ```
pub fn beside(name: &str, column: usize, text: &str, width: Option<usize>) -> String {
    let indent = " ".repeat(column);
    let text = match width {
        // A sliver is no room for sentences.
        Some(width) if width >= column + 12 => folded(text, width - column),
        _ => text.to_owned(),
    };
    format!(
        "{name:column$}{}",
        text.replace('\n', &format!("\n{indent}"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        let said = [0_u64, 1, 2].map(|count| counted(count, "request"));
        assert_eq!(said, ["0 requests", "1 request", "2 requests"]);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(folded("one two three", 8), "one two\nthree");
        assert_eq!(folded("  one two\n\nthree", 6), "  one\n  two\n\nthree");
        assert_eq!(folded("unbreakable", 3), "unbreakable");
    }

    #[test]
    fn long_lists_are_cut() {
        let of = |count: usize| quoted(0..count);
        assert_eq!(of(0), "");
        assert_eq!(of(2), "`0`, `1`");
        assert!(of(11).ends_with("`9`, `10`"), "{}", of(11));
        assert!(of(501).ends_with("`9` and 491 more"), "{}", of(501));
    }
}
