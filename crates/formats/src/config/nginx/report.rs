//! What is said about a configuration while it is read.

use crate::config::{Absent, Concerns, Fault, Note, Place};

/// Notes and faults so far, in any order.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) notes: Vec<Note>,
    pub(super) faults: Vec<Fault>,
    pub(super) absent: Vec<Absent>,
    /// Which pools the notes that come next are about.
    pub(super) concerns: Concerns,
}

impl Report {
    /// Says what was not carried over.
    pub(super) fn note(&mut self, at: Place, text: impl Into<String>) {
        let text = printable(&text.into());
        let concerns = self.concerns.clone();
        self.notes.push(Note { at, text, concerns });
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
