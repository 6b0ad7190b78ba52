//! `.if`, `.elif`, `.else` and `.endif` (section 2.4 of the configuration manual).
//!
//! Conditions ask for environment variables, versions and features of a process that is not there,
//! so that none is evaluated. Of each block the first branch is read, since reading none loses
//! servers and reading all gives some of them twice; a note says so.

use super::Found;
use super::words::ConfigLine;
use crate::config::{Concerns, Fault, Note, Place};

/// A block that is open.
struct Block {
    /// Where its `.if` stands.
    at: Place,
    /// The `.if` as it is written.
    condition: String,
    /// Whether what is around it is read.
    outer: bool,
    /// Whether its first branch is over.
    later: bool,
    /// Lines of later branches.
    skipped: usize,
}

/// The lines that are read.
pub(super) fn read(lines: Vec<ConfigLine>, found: &mut Found) -> Vec<ConfigLine> {
    let mut open: Vec<Block> = Vec::new();
    let mut kept = Vec::new();
    for line in lines {
        let reading = open.last().is_none_or(|block| block.outer && !block.later);
        match line.text(0) {
            ".if" => open.push(Block {
                at: line.at.clone(),
                condition: line.show(),
                outer: reading,
                later: false,
                skipped: 0,
            }),
            word @ (".elif" | ".else") => match open.last_mut() {
                Some(block) => block.later = true,
                None => found.faults.push(Fault::new(
                    line.at.clone(),
                    format!("`{word}` without an `.if` before it in this file"),
                )),
            },
            ".endif" => match open.pop() {
                Some(block) => found.notes.extend(note(&block)),
                None => found.faults.push(Fault::new(
                    line.at.clone(),
                    "`.endif` without an `.if` before it in this file",
                )),
            },
            // Messages for whoever starts HAProxy.
            ".diag" | ".notice" | ".warning" | ".alert" => {}
            _ if reading => kept.push(line),
            _ => {
                for block in open.iter_mut().filter(|block| block.later) {
                    block.skipped += 1;
                }
            }
        }
    }
    for block in open {
        found.faults.push(
            Fault::new(block.at, "this `.if` has no `.endif` in its file")
                .help("write `.endif` after the last line that depends on it"),
        );
    }
    kept
}

fn note(block: &Block) -> Option<Note> {
    let others = match block.skipped {
        0 => "".to_owned(),
        1 => ", and the line of its other branches is not read".to_owned(),
        number => format!(", and the {number} lines of its other branches are not read"),
    };
    block.outer.then(|| Note {
        at: block.at.clone(),
        text: format!(
            "`{}` is not evaluated: what follows it is read as if it held{others}.",
            block.condition
        ),
        concerns: Concerns::Any,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::haproxy::words;

    fn kept(text: &str) -> (Vec<String>, Found) {
        let mut found = Found::default();
        let lines = words::lines(0, text, &mut found);
        let kept = read(lines, &mut found)
            .iter()
            .map(ConfigLine::show)
            .collect();
        (kept, found)
    }

    #[test]
    fn the_first_branch_is_read_at_every_depth() {
        let (lines, found) = kept(
            "a\n.if x\nb\n.if y\nc\n.else\nd\n.endif\n.elif z\ne\n.if w\nf\n.endif\n.else\ng\n.endif\nh",
        );
        assert_eq!(lines, ["a", "b", "c", "h"]);
        assert_eq!(found.faults, []);
        let notes: Vec<&str> = found.notes.iter().map(|note| note.text.as_str()).collect();
        assert_eq!(
            notes,
            [
                "`.if y` is not evaluated: what follows it is read as if it held, and the line of its other branches is not read.",
                "`.if x` is not evaluated: what follows it is read as if it held, and the 3 lines of its other branches are not read.",
            ]
        );
    }

    #[test]
    fn what_does_not_pair_is_a_fault() {
        assert_eq!(kept(".endif").1.faults.len(), 1);
        assert_eq!(kept(".else").1.faults.len(), 1);
        assert_eq!(kept("a\n.if x\nb").1.faults[0].at.range, 2..7);
    }
}
