//! Things that wait for their time, the earliest first.
//!
//! A few stand in a [`Row`]. Many stand in a 4-ary heap. Taking its top leaves a hole that the next
//! thing placed fills at once: a server that ends one service and begins the next costs one sift
//! instead of two. Four children share cache lines that two levels of a binary heap spread out
//! (LaMarca and Ladner, "The influence of caches on the performance of heaps", ACM JEA 1, 1996).

use super::row::{ROOM, Row};
use crate::time::Time;

const ARITY: usize = 4;

/// Things by time; those of equal time by their order.
#[derive(Debug)]
pub(super) struct Pending<T> {
    /// Where all of them stand, unless they are too many.
    row: Row<T>,
    /// Where all of them stand otherwise, until they are half as few.
    heap: Vec<Entry<T>>,
    /// The top of the heap has been taken and not yet replaced.
    hole: bool,
}

/// A thing, and when it is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<T> {
    pub(super) time: Time,
    /// Unlike that of all others.
    pub(super) order: u64,
    pub(super) thing: T,
}

impl<T> Entry<T> {
    /// One number to compare by: two words compared at once take no branch that could be
    /// mispredicted.
    #[inline(always)]
    pub(super) fn key(&self) -> u128 {
        u128::from(self.time.nanos()) << 64 | u128::from(self.order)
    }
}

impl<T: Copy> Pending<T> {
    /// Nothing.
    pub(super) fn new() -> Pending<T> {
        Pending {
            row: Row::new(),
            heap: Vec::new(),
            hole: false,
        }
    }

    /// When the earliest is due; [`Time::NEVER`] where there is none.
    #[inline]
    pub(super) fn first_time(&mut self) -> Time {
        if self.hole {
            self.fill_hole();
        }
        match self.heap.first() {
            None => self.row.first_time(),
            Some(first) => first.time,
        }
    }

    /// How many there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.row.len() + self.heap.len() - usize::from(self.hole)
    }

    /// Whether there is none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        // A heap holds more than its hole: where it shrinks, a row takes its place.
        self.row.is_empty() && self.heap.is_empty()
    }

    /// Takes the earliest.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Entry<T>> {
        if self.hole {
            self.fill_hole();
        }
        match self.heap.first() {
            None => self.row.take(),
            Some(&first) => {
                self.hole = true;
                Some(first)
            }
        }
    }

    /// Places `entry` among the others.
    #[inline]
    pub(super) fn place(&mut self, entry: Entry<T>) {
        if self.heap.is_empty() && !self.row.is_full() {
            self.row.place(entry);
        } else {
            self.place_in_heap(entry);
        }
    }

    #[inline(never)]
    fn place_in_heap(&mut self, entry: Entry<T>) {
        // What is sorted is a heap.
        self.heap.extend(std::iter::from_fn(|| self.row.take()));
        if self.hole {
            self.hole = false;
            self.sift_down(entry);
        } else {
            self.heap.push(entry);
            self.sift_up(entry);
        }
    }

    /// Closes the hole at the top with the last entry.
    #[inline(never)]
    fn fill_hole(&mut self) {
        self.hole = false;
        if let Some(last) = self.heap.pop()
            && !self.heap.is_empty()
        {
            self.sift_down(last);
        }
        if self.heap.len() <= ROOM / 2 {
            for entry in self.heap.drain(..) {
                self.row.place(entry);
            }
        }
    }

    /// Puts `entry` in the place of the top, and sinks it.
    #[inline]
    fn sift_down(&mut self, entry: Entry<T>) {
        let heap = self.heap.as_mut_slice();
        let key = entry.key();
        let mut at = 0;
        loop {
            let first = at * ARITY + 1;
            let Some(children) = heap
                .get(first..(first + ARITY).min(heap.len()))
                .filter(|c| !c.is_empty())
            else {
                break;
            };
            let (mut least, mut least_key) = (first, children[0].key());
            for (child, other) in children.iter().enumerate().skip(1) {
                let other = other.key();
                least = if other < least_key {
                    first + child
                } else {
                    least
                };
                least_key = other.min(least_key);
            }
            if key <= least_key {
                break;
            }
            heap[at] = heap[least];
            at = least;
        }
        heap[at] = entry;
    }

    /// Raises `entry`, which stands last.
    #[inline]
    fn sift_up(&mut self, entry: Entry<T>) {
        let heap = self.heap.as_mut_slice();
        let key = entry.key();
        let mut at = heap.len() - 1;
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if key >= heap[parent].key() {
                break;
            }
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = entry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_are_small() {
        assert_eq!(size_of::<Entry<u64>>(), 24);
    }

    proptest! {
        /// Against a sort, with as many as make it a heap and few enough to make it a row again.
        #[test]
        fn the_earliest_comes_first(steps in prop::collection::vec((0u64..100, 0u8..10), 0..400), ebb in 0usize..400) {
            let mut pending = Pending::new();
            let mut model: Vec<(u64, u64)> = Vec::new();
            for (i, &(time, roll)) in steps.iter().enumerate() {
                let places = if i < ebb { roll < 7 } else { roll < 3 };
                if places {
                    pending.place(Entry { time: Time::from_nanos(time), order: i as u64, thing: i });
                    model.push((time, i as u64));
                    model.sort_unstable_by(|a, b| b.cmp(a));
                } else {
                    let taken = pending.take().map(|entry| (entry.time.nanos(), entry.order));
                    prop_assert_eq!(taken, model.pop());
                }
                if roll % 2 == 0 {
                    let first = model.last().map_or(Time::NEVER, |&(time, _)| Time::from_nanos(time));
                    prop_assert_eq!(pending.first_time(), first);
                    prop_assert_eq!((pending.len(), pending.is_empty()), (model.len(), model.is_empty()));
                }
            }
        }
    }
}
