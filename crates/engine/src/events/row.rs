//! A few things that wait for their time, in order, none of which is ever moved.
//!
//! Each keeps its slot; their order is a row of slot numbers, four bits each, in one word. Placing
//! a thing counts those before it in all slots, empty or not, and shifts a part of the word: no
//! loop whose length varies and no branch that could be mispredicted, which is what cost the most
//! when a sorted array was kept.

use super::pending::Entry;
use crate::time::Time;

/// As many as fit.
pub(super) const ROOM: usize = 16;

/// The key of an empty slot: after all others.
const EMPTY: u128 = u128::MAX;

/// At most [`ROOM`] things, by time; those of equal time by their order.
#[derive(Debug)]
pub(super) struct Row<T> {
    keys: [u128; ROOM],
    things: [Option<T>; ROOM],
    /// The slots of all things, the earliest in the lowest four bits.
    order: u64,
    /// The empty slots, as bits.
    empty: u16,
    len: usize,
}

impl<T: Copy> Row<T> {
    /// Nothing.
    pub(super) fn new() -> Row<T> {
        Row {
            keys: [EMPTY; ROOM],
            things: [None; ROOM],
            order: 0,
            empty: u16::MAX,
            len: 0,
        }
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.len == ROOM
    }

    #[inline(always)]
    fn first_slot(&self) -> usize {
        self.order as usize % ROOM
    }

    /// When the earliest is due; [`Time::NEVER`] where there is none.
    #[inline(always)]
    pub(super) fn first_time(&self) -> Time {
        Time::from_nanos((self.keys[self.first_slot()] >> 64) as u64)
    }

    /// Takes the earliest.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<Entry<T>> {
        let slot = self.first_slot();
        let thing = self.things[slot].take()?;
        let key = std::mem::replace(&mut self.keys[slot], EMPTY);
        self.order >>= 4;
        self.empty |= 1 << slot;
        self.len -= 1;
        Some(Entry {
            time: Time::from_nanos((key >> 64) as u64),
            order: key as u64,
            thing,
        })
    }

    /// Places `entry` among the others; there must be room.
    #[inline]
    pub(super) fn place(&mut self, entry: Entry<T>) {
        debug_assert!(!self.is_full());
        let key = entry.key();
        self.len += 1;
        if self.len == 1 {
            self.keys[0] = key;
            self.things[0] = Some(entry.thing);
            self.order = 0;
            self.empty = u16::MAX - 1;
            return;
        }
        let earlier: u32 = self.keys.iter().map(|&other| u32::from(other < key)).sum();
        let slot = self.empty.trailing_zeros() as usize % ROOM;
        self.empty &= self.empty.wrapping_sub(1);
        self.keys[slot] = key;
        self.things[slot] = Some(entry.thing);
        let before = (1u64 << (4 * earlier % 64)) - 1;
        self.order =
            self.order & before | (slot as u64) << (4 * earlier % 64) | (self.order & !before) << 4;
    }
}
