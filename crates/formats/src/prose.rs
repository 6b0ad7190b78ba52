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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        let said = [0_u64, 1, 2].map(|count| counted(count, "request"));
        assert_eq!(said, ["0 requests", "1 request", "2 requests"]);
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
