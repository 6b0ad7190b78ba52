//! What is said about a configuration while it is read.

use crate::config::{Fault, Note, Place};

/// Notes and faults so far, in any order.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) notes: Vec<Note>,
    pub(super) faults: Vec<Fault>,
}

impl Report {
    /// Says what was not carried over. A file that is included several times says it once.
    pub(super) fn note(&mut self, at: Place, text: impl Into<String>) {
        let text = printable(&text.into());
        let note = Note { at, text };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Says what is wrong.
    pub(super) fn fault(&mut self, mut fault: Fault) {
        fault.message = printable(&fault.message);
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// Words of a configuration may hold line ends and worse, which a sentence cannot.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}
