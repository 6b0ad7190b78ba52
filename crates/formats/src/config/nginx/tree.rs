//! Directives: the upper half of the grammar.

use std::ops::Range;

use super::lua;
use super::word::{End, Word, Words};
use crate::config::{Fault, Place};

/// How deep blocks and includes may lie in each other. Real files need about eight; whatever walks
/// the tree may then call itself.
pub(super) const DEEPEST: usize = 64;

/// A directive, and what stands between its braces.
#[derive(Clone, Debug)]
pub(super) struct Directive {
    pub(super) name: Word,
    pub(super) arguments: Vec<Word>,
    /// What stands in its block; `None` where it has none.
    pub(super) block: Option<Vec<Directive>>,
    file: usize,
}

impl Directive {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.text == name
    }

    /// What stands between its braces; nothing where it has none.
    pub(super) fn inside(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The text of an argument.
    pub(super) fn argument(&self, number: usize) -> Option<&str> {
        self.arguments.get(number).map(|word| word.text.as_str())
    }

    /// Its words, for messages: `proxy_read_timeout 30s`.
    pub(super) fn show(&self) -> String {
        let mut text = self.name.text.clone();
        for word in &self.arguments {
            text.push(' ');
            text.push_str(&word.text);
        }
        text
    }

    /// Where it stands, its block left out.
    pub(super) fn at(&self) -> Place {
        let last = self.arguments.last().unwrap_or(&self.name);
        self.place(self.name.outer.start..last.outer.end)
    }

    /// Where one of its words stands.
    pub(super) fn word(&self, word: &Word) -> Place {
        self.place(word.outer.clone())
    }

    /// A place in its file.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        Place {
            file: self.file,
            range,
        }
    }
}

/// The directives of a file, or the first fault in it: after one, nothing that follows can be
/// trusted.
pub(super) fn parse(file: usize, text: &str) -> Result<Vec<Directive>, Fault> {
    let place = |range| Place { file, range };
    if text.starts_with('\u{feff}') {
        return Err(Fault::new(
            place(0..3),
            "the file begins with a byte order mark, which nginx takes for a directive",
        )
        .help("save it as UTF-8 without one"));
    }
    let mut words = Words::new(file, text);
    // The blocks that are open, each with what stands before it in the block around it.
    let mut open: Vec<(Directive, Vec<Directive>)> = Vec::new();
    let mut here: Vec<Directive> = Vec::new();
    loop {
        let (row, end) = words.statement()?;
        let mut row = row.into_iter();
        match (row.next(), end) {
            (Some(name), _) => {
                let arguments: Vec<Word> = row.collect();
                let mut directive = Directive {
                    name,
                    arguments,
                    block: None,
                    file,
                };
                unfinished(&directive, end)?;
                if end == End::Semicolon {
                    here.push(directive);
                } else if directive.name.text.ends_with("_by_lua_block") {
                    let Some(end) = lua::end(text, words.next) else {
                        return Err(unclosed(&directive));
                    };
                    words.next = end;
                    directive.block = Some(Vec::new());
                    here.push(directive);
                } else if open.len() == DEEPEST {
                    return Err(too_deep(directive.at()));
                } else {
                    open.push((directive, std::mem::take(&mut here)));
                }
            }
            (None, End::Close) => match open.pop() {
                Some((mut directive, before)) => {
                    directive.block = Some(std::mem::replace(&mut here, before));
                    here.push(directive);
                }
                None => {
                    let at = words.next.saturating_sub(1);
                    return Err(Fault::new(place(at..words.next), "this `}` closes nothing"));
                }
            },
            (None, _) => match open.pop() {
                Some((directive, _)) => return Err(unclosed(&directive)),
                None => return Ok(here),
            },
        }
    }
}

/// What is said of blocks and includes too deep in each other.
pub(super) fn too_deep(at: Place) -> Fault {
    Fault::new(
        at,
        format!("this lies more than {DEEPEST} blocks and includes deep"),
    )
}

fn unclosed(directive: &Directive) -> Fault {
    let message = format!("the block of `{}` is not closed", directive.name.text);
    Fault::new(directive.at(), message).help("a `}` is missing")
}

/// Directives that are found swallowed by the one before where its `;` was forgotten.
const BEGINNINGS: [&str; 14] = [
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
    "proxy_read_timeout",
    "proxy_next_upstream",
    "proxy_set_header",
    "proxy_http_version",
    "include",
    "listen",
    "server_name",
    "zone",
];

/// Refuses a directive that goes on with another in a later line. nginx refuses most of these by
/// their number of words, which is not known here for each directive; without this a `proxy_pass`
/// would be overlooked.
fn unfinished(directive: &Directive, end: End) -> Result<(), Fault> {
    let swallowed = |word: &&Word| {
        let name = word.text.as_str();
        let block = end == End::Open && matches!(name, "location" | "server" | "upstream");
        word.begins_line && (BEGINNINGS.contains(&name) || block)
    };
    let Some(word) = directive.arguments.iter().find(swallowed) else {
        return Ok(());
    };
    let message = format!(
        "found `{}` where `{}` should have ended",
        word.text, directive.name.text
    );
    Err(Fault::new(directive.word(word), message)
        .help(format!("a `;` is missing after `{}`", directive.name.text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_nest() {
        let text = "a 1;\nb { c; d x { } } # e;\nset_by_lua_block $x { return '}' }\nf;";
        let parsed = parse(0, text).unwrap();
        assert_eq!(
            parsed.iter().map(|d| d.show()).collect::<Vec<_>>(),
            ["a 1", "b", "set_by_lua_block $x", "f"]
        );
        assert_eq!(parsed[1].inside()[1].show(), "d x");
        assert!(parsed[1].inside()[0].block.is_none());
        assert_eq!(&text[parsed[1].inside()[1].at().range], "d x");
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for (text, found) in [
            ("a", "without its `;`"),
            ("a {", "block of `a` is not closed"),
            ("a { b }", "without its `;`"),
            ("}", "closes nothing"),
            (";", "found `;`"),
            ("{ }", "found `{`"),
            ("a 'b", "quote is not closed"),
            ("a 'b'c;", "closing quote"),
            ("x_by_lua_block { '} ", "is not closed"),
            ("root /x\nlisten 80;", "found `listen`"),
            ("server {{ a }}", "found `{`"),
            ("\u{feff}a;", "byte order mark"),
        ] {
            let fault = parse(0, text).unwrap_err();
            assert!(fault.message.contains(found), "{text}: {fault:?}");
        }
        assert!(
            parse(0, &"a{".repeat(100_000))
                .unwrap_err()
                .message
                .contains("deep")
        );
    }
}
