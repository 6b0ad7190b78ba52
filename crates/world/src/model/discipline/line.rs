//! A line of those who wait, in the order of a key; equal keys in the order of coming.

use std::collections::BTreeMap;

use super::Waiting;

/// Those who wait, by key and number; whoever leaves is found by its attempt.
#[derive(Debug)]
pub(super) struct Line<K> {
    by_key: BTreeMap<(K, u64), Waiting>,
    by_id: BTreeMap<u32, (K, u64)>,
    joined: u64,
}

impl<K> Default for Line<K> {
    fn default() -> Line<K> {
        Line {
            by_key: BTreeMap::new(),
            by_id: BTreeMap::new(),
            joined: 0,
        }
    }
}

impl<K: Ord + Copy> Line<K> {
    /// Someone joins with this key.
    pub(super) fn join(&mut self, key: K, one: Waiting) {
        self.joined += 1;
        self.by_key.insert((key, self.joined), one);
        self.by_id.insert(one.id, (key, self.joined));
    }

    /// Takes out the first.
    pub(super) fn pop_first(&mut self) -> Option<Waiting> {
        let (_, one) = self.by_key.pop_first()?;
        self.by_id.remove(&one.id);
        Some(one)
    }

    /// Takes out the last.
    pub(super) fn pop_last(&mut self) -> Option<Waiting> {
        let (_, one) = self.by_key.pop_last()?;
        self.by_id.remove(&one.id);
        Some(one)
    }

    /// The last.
    pub(super) fn last(&self) -> Option<&Waiting> {
        self.by_key.last_key_value().map(|(_, one)| one)
    }

    /// Takes out whoever this is, if it is here.
    pub(super) fn leave(&mut self, id: u32) {
        if let Some(at) = self.by_id.remove(&id) {
            self.by_key.remove(&at);
        }
    }

    /// Whether nobody is here.
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}
