//! What is said of a configuration besides its pools.

use std::collections::BTreeSet;

use super::Place;

/// Something that was not carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it stands.
    pub at: Place,
    /// What it is, and what becomes of it: a whole sentence.
    pub text: String,
    /// Which pools it is about.
    pub concerns: Concerns,
}

/// Which pools something is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Concerns {
    /// Any pool, for all that is known.
    #[default]
    Any,
    /// Pools by their names; no names where no pool of the configuration has anything to do with
    /// it.
    Pools(BTreeSet<String>),
}

impl Concerns {
    /// Pools of these names.
    pub fn pools<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Concerns {
        Concerns::Pools(names.into_iter().map(Into::into).collect())
    }

    /// Whether a pool is among them.
    pub fn includes(&self, pool: &str) -> bool {
        match self {
            Concerns::Any => true,
            Concerns::Pools(names) => names.contains(pool),
        }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Concerns) -> Concerns {
        match (self, other) {
            (Concerns::Pools(mut names), Concerns::Pools(others)) => {
                names.extend(others);
                Concerns::Pools(names)
            }
            _ => Concerns::Any,
        }
    }
}

/// What becomes of a directive that a product knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is carried over, or a note of its own says what of it is not.
    Carried,
    /// It bears on balance, time or failure, and is not carried over: why, as the end of a
    /// sentence.
    Left(&'static str),
    /// It bears on none of them.
    Aside,
}

/// Notes in the order of the text, each once: what is said alike of one place for several pools is
/// said for all of them.
pub fn sorted(mut notes: Vec<Note>) -> Vec<Note> {
    let order = |note: &Note| {
        let Place { file, range } = &note.at;
        (*file, range.start, range.end, note.text.clone())
    };
    notes.sort_by_cached_key(order);
    let mut kept: Vec<Note> = Vec::with_capacity(notes.len());
    for note in notes {
        match kept.last_mut() {
            Some(last) if last.at == note.at && last.text == note.text => {
                last.concerns = std::mem::take(&mut last.concerns).and(note.concerns);
            }
            _ => kept.push(note),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_said_once_for_both() {
        let note = |start, text: &str, concerns| Note {
            at: Place {
                file: 0,
                range: start..9,
            },
            text: text.to_owned(),
            concerns,
        };
        let notes = vec![
            note(3, "b", Concerns::pools(["web"])),
            note(1, "a", Concerns::pools(["mail"])),
            note(3, "b", Concerns::pools(["mail"])),
            note(4, "c", Concerns::pools(["mail"])),
            note(4, "c", Concerns::Any),
        ];
        let expected = vec![
            note(1, "a", Concerns::pools(["mail"])),
            note(3, "b", Concerns::pools(["mail", "web"])),
            note(4, "c", Concerns::Any),
        ];
        assert_eq!(sorted(notes), expected);
        assert!(!Concerns::pools::<String>([]).includes("web"));
    }
}
