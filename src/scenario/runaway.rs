//! A bracket that is never closed swallows all that comes after it, and the parser finds fault with
//! each line of that before it comes to the bracket. Here it is found first, and what it holds is
//! set aside, so that the rest can be judged.

use std::ops::Range;

/// A bracket that is not closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Runaway {
    /// The bracket.
    pub(super) at: usize,
    /// The value that it is part of, up to the line that shows that it should have been closed.
    pub(super) value: Range<usize>,
}

/// The first bracket of a value that is still open where a table begins, or the text ends.
pub(super) fn runaway(text: &str) -> Option<Runaway> {
    let mut open: Vec<usize> = Vec::new();
    // The bracket that another kind of bracket closed, if any.
    let mut crossed = None;
    let mut is_value = false;
    let mut start = 0;
    // Where a string of several lines ends.
    let mut string_ends = 0;
    for line in text.split_inclusive('\n') {
        if let (Some(&outer), true) = (open.first(), is_header(line) && string_ends <= start) {
            let at = crossed.or(open.last().copied()).unwrap_or(outer);
            return Some(Runaway {
                at,
                value: outer..start,
            });
        }
        if open.is_empty() {
            (is_value, crossed) = (false, None);
        }
        let bytes = line.as_bytes();
        let mut at = string_ends.saturating_sub(start);
        while at < bytes.len() {
            match bytes[at] {
                b'#' => break,
                b'"' | b'\'' => {
                    let end = start + at + quoted(&text[start + at..]);
                    string_ends = end;
                    at = end - start - 1;
                }
                b'=' if open.is_empty() => is_value = true,
                b'[' | b'{' if is_value => open.push(start + at),
                b']' | b'}' if is_value => {
                    let opened = open.pop();
                    // In ASCII a closing bracket comes two after its opening one.
                    if let Some(own) = opened
                        && text.as_bytes()[own] + 2 != bytes[at]
                    {
                        crossed.get_or_insert(own);
                        open.pop();
                    }
                }
                _ => {}
            }
            at += 1;
        }
        start += line.len();
    }
    let &outer = open.first()?;
    let at = crossed.or(open.last().copied()).unwrap_or(outer);
    Some(Runaway {
        at,
        value: outer..text.len(),
    })
}

/// Whether a line is the header of a table, `[a.b]` or `[[a]]`, which no array can hold: its words
/// are no values.
fn is_header(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let Some(inner) = line.strip_prefix('[') else {
        return false;
    };
    let inner = match inner.strip_prefix('[') {
        Some(inner) => inner.strip_suffix("]]"),
        None => inner.strip_suffix(']'),
    };
    inner.is_some_and(|path| {
        path.split('.').all(|word| {
            let word = word.trim();
            word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word.chars().all(super::text::is_bare)
                && !matches!(word, "true" | "false" | "inf" | "nan")
        })
    })
}

/// The length of the string that `text` begins with, its quotes included; one that is not closed
/// ends with its line, or with the text where it may have several.
fn quoted(text: &str) -> usize {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let (mark, most) = if text.starts_with(&triple) {
        (triple.as_str(), text.len())
    } else {
        (quote, text.find('\n').unwrap_or(text.len()))
    };
    let mut at = mark.len();
    while at < most {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(mark.as_bytes()) {
            return at + mark.len();
        }
        at += if rest[0] == b'\\' && quote == "\"" {
            2
        } else {
            1
        };
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, &str)> {
        let Runaway { at, value } = runaway(text)?;
        Some((text[at..].split('\n').next().unwrap(), &text[value]))
    }

    #[test]
    fn the_bracket_that_is_open_at_the_next_table() {
        let text = "a = [\"x\", 'y]' # [\n\n[[b]]\nc = 1\n";
        assert_eq!(
            found(text),
            Some(("[\"x\", 'y]' # [", "[\"x\", 'y]' # [\n\n"))
        );
        let text = "[r]\na = { b = 1, c = [2 }\n[s]\n";
        assert_eq!(found(text), None, "the parser tells of that line alone");
        let text = "a = [\n  { b = 1 },\n  { c = 2,\n]\n[s]\nd = [1]\n";
        assert_eq!(found(text), None);
        assert_eq!(
            found("a = [[1], [true]\nb = 1"),
            Some(("[[1], [true]", "[[1], [true]\nb = 1"))
        );
    }

    #[test]
    fn sound_texts_have_none() {
        for text in [
            "a = [\n[1],\n[true],\n['x']\n]\n[b]\n",
            "[[a]]\nb = { c = \"[\" }\n[a.d]\ne = '{'\n",
            "q = \"\"\"\na = [ \\\" é\n[x]\n\"\"\"\n[y]\n",
            "# [\na = 1 # {\n",
        ] {
            assert_eq!(runaway(text), None, "{text}");
        }
    }
}
