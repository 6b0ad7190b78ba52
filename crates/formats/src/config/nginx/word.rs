//! Words: the lower half of the grammar, as `ngx_conf_read_token` has it
//! (`src/core/ngx_conf_file.c`, nginx 1.22).
//!
//! A statement is a row of words that ends with `;`, or with a `{` that opens a block. Quotes stand
//! around whole words only, `#` begins a comment only where a word could begin, and a `}` inside a
//! word is a letter like any other.

use std::ops::Range;

use crate::config::{Fault, Place};

/// A word of a statement.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// What nginx makes of it: without its quotes, escapes resolved.
    pub(super) text: String,
    /// Where it stands, its quotes left out.
    pub(super) inner: Range<usize>,
    /// Where it stands, its quotes included.
    pub(super) outer: Range<usize>,
    /// Whether it is the first of its line.
    pub(super) begins_line: bool,
}

impl Word {
    /// Whether the text stands in the file letter by letter, so that a part of the one is that part
    /// of the other.
    pub(super) fn is_plain(&self) -> bool {
        self.text.len() == self.inner.len()
    }
}

/// What ends a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`, before which there is no word.
    Close,
    /// The end of the file, before which there is no word.
    File,
}

/// Reads one statement after the other.
#[derive(Debug)]
pub(super) struct Words<'a> {
    text: &'a str,
    file: usize,
    /// Where the next statement begins.
    pub(super) next: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(file: usize, text: &'a str) -> Words<'a> {
        Words {
            text,
            file,
            next: 0,
        }
    }

    /// The next statement: its words and what ends it.
    pub(super) fn statement(&mut self) -> Result<(Vec<Word>, End), Fault> {
        let mut words: Vec<Word> = Vec::new();
        let mut line_begins = true;
        while let Some(byte) = self.byte(self.next) {
            let at = self.next;
            match byte {
                b'\n' => {
                    self.next += 1;
                    line_begins = true;
                }
                b' ' | b'\t' | b'\r' => self.next += 1,
                b'#' => {
                    self.next = self.text[at..]
                        .find('\n')
                        .map_or(self.text.len(), |n| at + n)
                }
                b';' | b'{' if words.is_empty() => return Err(self.unexpected(at)),
                b'}' if !words.is_empty() => {
                    let last = words.last().map_or(at..at + 1, |word| word.outer.clone());
                    return Err(self.missing(last, "before the `}` that follows"));
                }
                b';' | b'{' | b'}' => {
                    self.next += 1;
                    let end = match byte {
                        b';' => End::Semicolon,
                        b'{' => End::Open,
                        _ => End::Close,
                    };
                    return Ok((words, end));
                }
                _ => {
                    let word = self.word(at, line_begins)?;
                    line_begins = false;
                    words.push(word);
                }
            }
        }
        match words.last() {
            None => Ok((words, End::File)),
            Some(last) => Err(self.missing(last.outer.clone(), "before the file ended")),
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The word that begins at `from`.
    fn word(&mut self, from: usize, begins_line: bool) -> Result<Word, Fault> {
        let quote = self.byte(from).filter(|byte| matches!(byte, b'"' | b'\''));
        let start = from + usize::from(quote.is_some());
        let mut at = start;
        // After `$` a brace belongs to the word: `${name}`.
        let mut variable = false;
        let end = loop {
            let Some(byte) = self.byte(at) else {
                if quote.is_some() {
                    let fault = Fault::new(self.place(from..start), "this quote is not closed");
                    return Err(fault.help("a quoted word ends with the quote it began with"));
                }
                break at;
            };
            match (byte, quote) {
                // Whatever follows a backslash belongs to the word.
                (b'\\', _) => {
                    variable = false;
                    at += 2;
                    continue;
                }
                (byte, Some(quote)) if byte == quote => break at,
                (b' ' | b'\t' | b'\r' | b'\n' | b';', None) => break at,
                (b'{', None) if !variable => break at,
                (b'{', _) => {}
                _ => variable = byte == b'$',
            }
            at += 1;
        };
        let end = end.min(self.text.len());
        let outer = from..end + usize::from(quote.is_some());
        self.next = outer.end;
        if quote.is_some()
            && let Some(byte) = self.byte(self.next)
            && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')')
        {
            let after = self.text[self.next..]
                .chars()
                .next()
                .map_or(1, char::len_utf8);
            let place = self.place(self.next..self.next + after);
            return Err(
                Fault::new(place, "nothing may follow the closing quote of a word")
                    .help("put a space or a `;` there"),
            );
        }
        Ok(Word {
            text: unescape(&self.text[start..end]),
            inner: start..end,
            outer,
            begins_line,
        })
    }

    fn place(&self, range: Range<usize>) -> Place {
        Place {
            file: self.file,
            range,
        }
    }

    fn unexpected(&self, at: usize) -> Fault {
        let rest = &self.text[at..];
        let found = &rest[..1];
        let fault = Fault::new(
            self.place(at..at + 1),
            format!("found `{found}` where a directive should begin"),
        );
        let doubled = self.text[..at].ends_with('{') || rest.starts_with("{%");
        match doubled {
            true => fault.help("this looks like a template: fill it in first"),
            false => fault,
        }
    }

    fn missing(&self, last: Range<usize>, before: &str) -> Fault {
        let message = format!("a directive ends here without its `;`, {before}");
        Fault::new(self.place(last), message).help("put a `;` after it")
    }
}

/// Resolves the escapes that nginx knows; a backslash before anything else stays (patterns rely on
/// it).
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        let known = match (c, chars.clone().next()) {
            ('\\', Some(next @ ('"' | '\'' | '\\'))) => Some(next),
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('n')) => Some('\n'),
            _ => None,
        };
        text.push(known.unwrap_or(c));
        if known.is_some() {
            chars.next();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let (words, _) = Words::new(0, text).statement().unwrap();
        words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_those_of_nginx() {
        assert_eq!(
            words("server  a:80\r\n\tweight=3;"),
            ["server", "a:80", "weight=3"]
        );
        assert_eq!(
            words("server a # one; two {\n weight=3;"),
            ["server", "a", "weight=3"]
        );
        assert_eq!(words("server a#b;"), ["server", "a#b"]);
        assert_eq!(words("return 200 a\"b'c;"), ["return", "200", "a\"b'c"]);
        assert_eq!(
            words("set $a \"x; {y} \\\"z\\\"\";"),
            ["set", "$a", "x; {y} \"z\""]
        );
        assert_eq!(
            words("proxy_pass http://${up}:80/x;"),
            ["proxy_pass", "http://${up}:80/x"]
        );
        assert_eq!(words("add_header X a}b;"), ["add_header", "X", "a}b"]);
        assert_eq!(words("if ($a ~ \"b\") {"), ["if", "($a", "~", "b", ")"]);
        assert_eq!(
            words("rewrite ^/(\\d+)$ /\\;x;"),
            ["rewrite", "^/(\\d+)$", "/\\;x"]
        );
        assert_eq!(words("name ü\u{a0}ü '';"), ["name", "ü\u{a0}ü", ""]);
    }

    #[test]
    fn places_are_bytes() {
        let text = "server 'ü:80' \"weight=3\";";
        let (words, end) = Words::new(0, text).statement().unwrap();
        assert_eq!(end, End::Semicolon);
        assert_eq!(&text[words[1].outer.clone()], "'ü:80'");
        assert_eq!(&text[words[2].inner.clone()], "weight=3");
        assert!(words[2].is_plain());
    }
}
