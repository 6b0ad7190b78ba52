//! Text in Markdown: what a name holds must not end a cell, a line or the text.

/// A text as part of a line, or of the cell of a table.
///
/// ```
/// use lbsim::report::markdown::plain;
/// assert_eq!(plain("a|b\n<c>"), "a\\|b &lt;c>");
/// ```
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' => plain.push_str("\\|"),
            '<' => plain.push_str("&lt;"),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}
