//! Text to lines of words, each with its place.
//!
//! The crate `haproxy-config` (0.4.1, of 2023) reads such files too, but its tree has no places, so
//! that nothing could be written back; it cuts lines at spaces without quotes and escapes, and
//! refuses server names and addresses that HAProxy takes. The rules are short: section 2.2 of the
//! configuration manual (2.6), and `parse_line` of src/tools.c where the manual is silent.

use super::Found;
use crate::config::{Fault, Place};

/// A word, without its quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConfigWord {
    /// What it says.
    pub(super) text: String,
    /// Where it stands, quotes and escapes included.
    pub(super) at: Place,
    /// Where what it says stands: within the quotes, if one pair is around all of it.
    pub(super) value_at: Place,
    /// Whether an environment variable is named in it.
    pub(super) variable: bool,
}

/// A statement: at least one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConfigLine {
    /// Its words.
    pub(super) words: Vec<ConfigWord>,
    /// From the first word to the last.
    pub(super) at: Place,
}

impl ConfigLine {
    /// The text of a word; empty where there is none.
    pub(super) fn text(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |word| &word.text)
    }

    /// The words from `first` on.
    pub(super) fn from(&self, first: usize) -> &[ConfigWord] {
        self.words.get(first..).unwrap_or_default()
    }

    /// The words as they would be written without quotes.
    pub(super) fn show(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }
}

/// The statements of a file. A line that cannot be cut is left out and a fault says why.
pub(super) fn lines(file: usize, text: &str, found: &mut Found) -> Vec<ConfigLine> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut cut = Cut::new(file, start);
        match cut.line(line) {
            Ok(()) => lines.extend(cut.finish()),
            Err(fault) => found.faults.push(fault),
        }
        start += line.len();
    }
    lines
}

/// A line that is being cut.
struct Cut {
    file: usize,
    /// Where the line begins in its file.
    start: usize,
    words: Vec<ConfigWord>,
    /// The word that is being read, and where it begins in the line.
    word: Option<(String, usize)>,
    variable: bool,
}

impl Cut {
    fn new(file: usize, start: usize) -> Cut {
        Cut {
            file,
            start,
            words: Vec::new(),
            word: None,
            variable: false,
        }
    }

    fn place(&self, from: usize, to: usize) -> Place {
        Place {
            file: self.file,
            range: self.start + from..self.start + to,
        }
    }

    fn push(&mut self, at: usize, c: char) {
        self.word
            .get_or_insert_with(|| (String::new(), at))
            .0
            .push(c);
    }

    /// Ends a word before `at`.
    fn end(&mut self, line: &str, at: usize) {
        if let Some((text, from)) = self.word.take() {
            let written = &line[from..at];
            let quoted = |mark: char| {
                written
                    .strip_prefix(mark)
                    .and_then(|rest| rest.strip_suffix(mark))
            };
            let inner = quoted('"')
                .or_else(|| quoted('\''))
                .is_some_and(|inner| inner == text);
            let margin = usize::from(inner);
            self.words.push(ConfigWord {
                text,
                at: self.place(from, at),
                value_at: self.place(from + margin, at - margin),
                variable: std::mem::take(&mut self.variable),
            });
        }
    }

    fn line(&mut self, line: &str) -> Result<(), Fault> {
        let mut quote: Option<(char, usize)> = None;
        let mut skip_to = 0;
        let mut end = line.len();
        for (at, c) in line.char_indices() {
            if at < skip_to {
                continue;
            }
            let rest = &line[at + c.len_utf8()..];
            match (c, quote.map(|(mark, _)| mark)) {
                // The end of a line is its end in quotes as well.
                ('\n' | '\r', _) | ('#', None) => {
                    end = at;
                    break;
                }
                (' ' | '\t' | '\x0b' | '\x0c', None) => self.end(line, at),
                ('"' | '\'', None) => {
                    quote = Some((c, at));
                    // Two quotes with nothing between them are a word.
                    self.word.get_or_insert_with(|| (String::new(), at));
                }
                (_, Some(mark)) if c == mark => quote = None,
                ('\\', None | Some('"')) => {
                    let (meant, length) = self.escaped(at, rest)?;
                    self.push(at, meant);
                    skip_to = at + 1 + length;
                }
                _ => {
                    // HAProxy puts variables in within double quotes only. What is written
                    // `${NAME}` elsewhere waits for some other program, so that it is no value
                    // either.
                    self.variable |= c == '$'
                        && (rest.starts_with('{') || quote.is_some_and(|(mark, _)| mark == '"'));
                    self.push(at, c);
                }
            }
        }
        self.end(line, end);
        match quote {
            None => Ok(()),
            Some((mark, at)) => Err(Fault::new(
                self.place(at, end),
                format!(
                    "this quote is not closed: expected a second {mark} before the end of the line"
                ),
            )
            .help("close the quote, or write a backslash before it if it belongs to the word")),
        }
    }

    /// What an escape means, and how many bytes of what follows the backslash belong to it.
    fn escaped(&self, at: usize, rest: &str) -> Result<(char, usize), Fault> {
        let Some(next) = rest.chars().next() else {
            return Ok(('\\', 0));
        };
        Ok(match next {
            ' ' | '\t' | '\\' | '#' | '\'' | '"' | '$' => (next, 1),
            'n' => ('\n', 1),
            'r' => ('\r', 1),
            't' => ('\t', 1),
            'x' => {
                let digits = rest.get(1..3).unwrap_or_default();
                match u8::from_str_radix(digits, 16) {
                    Ok(byte) if digits.len() == 2 && !digits.starts_with('+') => {
                        (char::from(byte), 3)
                    }
                    _ => {
                        return Err(Fault::new(
                            self.place(at, at + 2),
                            "`\\x` is followed by something else than two hexadecimal digits",
                        )
                        .help("write `\\\\x` for a backslash and an x"));
                    }
                }
            }
            // Anything else is no escape: the backslash stands for itself, as in `\1` of a
            // replacement.
            _ => ('\\', 0),
        })
    }

    fn finish(self) -> Option<ConfigLine> {
        let (first, last) = (self.words.first()?, self.words.last()?);
        let at = Place {
            file: self.file,
            range: first.at.range.start..last.at.range.end,
        };
        Some(ConfigLine {
            words: self.words,
            at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Found::default();
        let lines = lines(0, text, &mut found);
        assert_eq!(found.faults, []);
        let words = lines.into_iter().flat_map(|line| line.words);
        words.map(|word| word.text).collect()
    }

    #[test]
    fn the_manual_s_equal_lines_are_equal() {
        // Section 2.2 of the manual.
        for text in [
            r"log-format %{+Q}o\ %t\ %s\ %{-Q}r",
            r#"log-format "%{+Q}o %t %s %{-Q}r""#,
            r"log-format '%{+Q}o %t %s %{-Q}r'",
            r#"log-format "%{+Q}o %t"' %s %{-Q}r'"#,
            r#"log-format "%{+Q}o %t"' %s'\ %{-Q}r"#,
        ] {
            assert_eq!(words(text), ["log-format", "%{+Q}o %t %s %{-Q}r"]);
        }
    }

    #[test]
    fn comments_end_a_line_unless_protected() {
        assert_eq!(
            words("global#first\n  daemon # second"),
            ["global", "daemon"]
        );
        assert_eq!(words(r##"a "#" '#' \# b#c"##), ["a", "#", "#", "#", "b"]);
        assert_eq!(words("a\tb\r\nc\r\n"), ["a", "b", "c"]);
        assert_eq!(words(r#"a "" ''"#), ["a", "", ""]);
    }

    #[test]
    fn escapes_mean_what_the_manual_says() {
        assert_eq!(
            words(r#"\x41\n\\ "\"\$" '\x41' \1\q"#),
            ["A\n\\", "\"$", "\\x41", "\\1\\q"]
        );
        assert_eq!(words("end\\"), ["end\\"]);
    }

    #[test]
    fn words_know_their_bytes_and_their_variables() {
        let text = "  server \"é ${HOST}:80\" '$x' $x ${y}#";
        let lines = lines(0, text, &mut Found::default());
        let seen: Vec<(&str, bool)> = lines[0]
            .words
            .iter()
            .map(|word| (&text[word.at.range.clone()], word.variable))
            .collect();
        let expected = [
            ("server", false),
            ("\"é ${HOST}:80\"", true),
            ("'$x'", false),
            ("$x", false),
            ("${y}", true),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_cannot_be_cut_is_a_fault_at_its_place() {
        let mut found = Found::default();
        lines(0, "a 'b c\nd \\xfg\n", &mut found);
        let places: Vec<_> = found
            .faults
            .iter()
            .map(|fault| fault.at.range.clone())
            .collect();
        assert_eq!(places, [2..6, 9..11]);
        assert!(found.faults[0].message.contains("not closed"));
    }
}
