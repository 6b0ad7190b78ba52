//! Many things that wait for their time: a wheel of buckets, each a short stretch of time, in which
//! those of one bucket stand in no order until its turn comes (R. Brown, "Calendar queues", CACM
//! 31(10), 1988; sorted when due, as in the lazy queue of Rönngren, Riboe and Ayani, 1991). Filing
//! and taking cost the same however many wait, and what a bucket holds is known before its turn, so
//! that it can be fetched from memory ahead of time.
//!
//! Those of the bucket at hand stand in order, [`Pending`], as do those beyond one turn of the
//! wheel. While few wait there is no wheel, and all are at hand.

use super::pending::{Entry, Pending};
use crate::prefetch::prefetch;
use crate::time::Time;

/// As many may wait without a wheel.
const FEW: usize = 24;

/// As many fit into the fast caches: less is not announced.
const MANY: usize = 4096;

/// Where they are not, a bucket is so many times doubled as wide as what waits lies apart.
const WIDER: u32 = 3;

/// Nothing further in this bucket.
const END: u32 = u32::MAX;

/// How many buckets before their turn the first thing of each is fetched from memory, and the
/// second.
const FIRST_FETCHED: u64 = 32;
const SECOND_FETCHED: u64 = 28;

/// How many buckets before their turn the things in them are announced, and announced again.
const SOON: u64 = 16;
const NEXT: u64 = 5;

/// Things by time; those of equal time by their order.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    /// Those of bucket `cursor` and before.
    near: Pending<T>,
    /// Those of more than a turn after bucket `cursor`.
    far: Pending<T>,
    /// The first node of each bucket, or [`END`]; a power of two of them, or none.
    heads: Vec<u32>,
    nodes: Vec<Node<T>>,
    /// The first free node, or [`END`].
    free: u32,
    /// A bucket is `1 << shift` nanoseconds.
    shift: u32,
    /// The bucket at hand, counted from time zero; the last of all where there is no wheel.
    cursor: u64,
    /// The bucket at hand when things were last announced; the last of all where nothing is.
    announced: u64,
    /// Things in buckets.
    filed: usize,
    /// More near ones than this, and the wheel is built anew.
    crowd: usize,
    /// Things waiting when the wheel was built; since then, buckets passed, and things found in
    /// them.
    built: usize,
    passed: usize,
    found: usize,
}

#[derive(Debug)]
struct Node<T> {
    entry: Entry<T>,
    next: u32,
}

impl<T: Copy> Wheel<T> {
    /// Nothing.
    pub(super) fn new() -> Wheel<T> {
        Wheel {
            near: Pending::new(),
            far: Pending::new(),
            heads: Vec::new(),
            nodes: Vec::new(),
            free: END,
            shift: 0,
            cursor: u64::MAX,
            announced: u64::MAX,
            filed: 0,
            crowd: FEW,
            built: 0,
            passed: 0,
            found: 0,
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.near.len() + self.filed + self.far.len()
    }

    /// When the earliest is due; [`Time::NEVER`] where there is none.
    #[inline]
    pub(super) fn first_time(&mut self) -> Time {
        if self.near.is_empty() {
            self.turn();
        }
        self.near.first_time()
    }

    /// Takes the earliest.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Entry<T>> {
        if self.near.is_empty() {
            self.turn();
        }
        self.near.take()
    }

    /// Places `entry` among the others.
    #[inline]
    pub(super) fn place(&mut self, entry: Entry<T>) {
        self.sort_in(entry);
        if self.near.len() > self.crowd {
            self.build();
        }
    }

    /// Calls `show` for what has its turn in some buckets, and with `true` for what has it in a
    /// few.
    #[inline]
    pub(super) fn announce(&mut self, mut show: impl FnMut(&T, bool)) {
        while self.announced < self.cursor {
            self.announced += 1;
            let first = self.head(self.announced + FIRST_FETCHED);
            prefetch(&self.nodes, first as usize);
            if let Some(node) = self
                .nodes
                .get(self.head(self.announced + SECOND_FETCHED) as usize)
            {
                prefetch(&self.nodes, node.next as usize);
            }
            for (ahead, next) in [(SOON, false), (NEXT, true)] {
                let mut at = self.head(self.announced + ahead);
                while at != END {
                    let node = &self.nodes[at as usize];
                    show(&node.entry.thing, next);
                    at = node.next;
                }
            }
        }
    }

    #[inline]
    fn sort_in(&mut self, entry: Entry<T>) {
        let bucket = entry.time.nanos() >> self.shift;
        if bucket <= self.cursor {
            self.near.place(entry);
        } else if bucket - self.cursor < self.heads.len() as u64 {
            self.file(bucket, entry);
        } else {
            self.far.place(entry);
        }
    }

    #[inline(always)]
    fn head(&self, bucket: u64) -> u32 {
        self.heads[self.place_of(bucket)]
    }

    #[inline(always)]
    fn place_of(&self, bucket: u64) -> usize {
        bucket as usize & (self.heads.len() - 1)
    }

    #[inline]
    fn file(&mut self, bucket: u64, entry: Entry<T>) {
        let place = self.place_of(bucket);
        let node = Node {
            entry,
            next: self.heads[place],
        };
        self.heads[place] = if self.free == END {
            self.nodes.push(node);
            self.nodes.len() as u32 - 1
        } else {
            let at = self.free;
            self.free = std::mem::replace(&mut self.nodes[at as usize], node).next;
            at
        };
        self.filed += 1;
    }

    /// Turns the wheel until something is at hand, where anything waits.
    #[inline(never)]
    fn turn(&mut self) {
        while self.near.is_empty() && self.filed + self.far.len() > 0 {
            if self.is_ill_made() {
                self.build();
                continue;
            }
            if self.filed == 0 {
                self.cursor = (self.far.first_time().nanos() >> self.shift) - 1;
                self.announced = self.announced.max(self.cursor);
            }
            self.cursor += 1;
            self.passed += 1;
            let end = self.cursor + self.heads.len() as u64;
            while self.far.first_time().nanos() >> self.shift < end
                && let Some(entry) = self.far.take()
            {
                self.sort_in(entry);
            }
            let place = self.place_of(self.cursor);
            let mut at = std::mem::replace(&mut self.heads[place], END);
            while at != END {
                let node = &mut self.nodes[at as usize];
                let next = std::mem::replace(&mut node.next, self.free);
                self.near.place(node.entry);
                self.free = at;
                self.filed -= 1;
                self.found += 1;
                at = next;
            }
        }
    }

    /// Whether far more or fewer things wait than when the wheel was built, or most buckets turn
    /// out to be empty.
    fn is_ill_made(&self) -> bool {
        let waiting = self.filed + self.far.len();
        waiting > 4 * self.built
            || waiting < self.built / 4
            || self.passed > 8 * (self.found + self.heads.len())
    }

    /// Builds the wheel that suits what waits, or none where that is little.
    #[cold]
    #[inline(never)]
    fn build(&mut self) {
        let mut all: Vec<Entry<T>> =
            Vec::with_capacity(self.near.len() + self.filed + self.far.len());
        all.extend(std::iter::from_fn(|| self.near.take()));
        for head in std::mem::take(&mut self.heads) {
            let mut at = head;
            while at != END {
                all.push(self.nodes[at as usize].entry);
                at = self.nodes[at as usize].next;
            }
        }
        all.extend(std::iter::from_fn(|| self.far.take()));
        all.sort_unstable_by_key(Entry::key);
        *self = Wheel::new();
        self.built = all.len();
        if let Some(gap) = typical_gap(&all)
            && all.len() > FEW / 2
        {
            // A row at hand is cheaper than a look into an empty bucket. Of many, that a bucket
            // holds little keeps what is announced in the caches until its turn.
            self.shift = gap.ilog2() + if all.len() < MANY { WIDER } else { 0 };
            self.cursor = all[0].time.nanos() >> self.shift;
            self.announced = if all.len() < MANY {
                u64::MAX
            } else {
                self.cursor
            };
            self.heads = vec![END; (4 * all.len()).next_power_of_two()];
        }
        for entry in all {
            self.sort_in(entry);
        }
        self.crowd = FEW.max(2 * self.near.len());
    }
}

/// The time between one of these sorted things and the next, in nanoseconds, where they lie
/// closest: among the first sixteenth of them, eighth, and so on. A few that lie far apart must not
/// decide. `None` where all share one time.
fn typical_gap<T>(all: &[Entry<T>]) -> Option<u64> {
    let first = all.first()?.time.nanos();
    (0..5)
        .map(|halvings| (all.len() - 1) >> halvings)
        .filter(|&count| count > 0)
        .map(|count| (all[count].time.nanos() - first) / count as u64)
        .filter(|&gap| gap > 0)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// Delays of many scales: of services, of faults far away, and none at all.
    fn delay(roll: u64, scale: u8) -> u64 {
        match scale % 8 {
            0 => 0,
            1..=5 => roll % 10_000,
            6 => roll % 10_000_000,
            _ => roll,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Against a plain heap: thousands come, stay about as many for a while, and go.
        #[test]
        fn the_earliest_comes_first(
            rolls in prop::collection::vec((0u64..1 << 50, any::<u8>()), 1..6000),
            stays in 0usize..3000,
            scales in 1u8..=8,
        ) {
            let mut wheel = Wheel::new();
            let mut model = BinaryHeap::new();
            let mut now = 0;
            let mut steps = rolls.iter().enumerate();
            loop {
                let step = steps.next();
                if let Some((order, &(roll, scale))) = step {
                    let time = now + delay(roll, scale % scales);
                    wheel.place(Entry { time: Time::from_nanos(time), order: order as u64, thing: order });
                    model.push(Reverse((time, order)));
                }
                if model.len() > stays || step.is_none() {
                    let expected = model.pop().map(|Reverse(next)| next);
                    let first = expected.map_or(Time::NEVER, |(time, _)| Time::from_nanos(time));
                    prop_assert_eq!(wheel.first_time(), first);
                    wheel.announce(|_, _| {});
                    prop_assert_eq!(wheel.take().map(|entry| (entry.time.nanos(), entry.thing)), expected);
                    let Some((time, _)) = expected else { break };
                    now = time;
                }
            }
        }
    }

    #[test]
    fn of_many_that_come_all_are_announced_first() {
        let mut wheel = Wheel::new();
        let mut announced = vec![0; 20_000];
        let mut order = 0;
        let mut place = |wheel: &mut Wheel<usize>, time: u64| {
            let thing = order;
            wheel.place(Entry {
                time: Time::from_nanos(time),
                order: order as u64,
                thing,
            });
            order += 1;
        };
        for i in 0..10_000u64 {
            place(&mut wheel, i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
        }
        let mut unforeseen = 0;
        for _ in 0..10_000 {
            let now = wheel.first_time().nanos();
            wheel.announce(|&thing, next| announced[thing] |= 1 + u32::from(next));
            let entry = wheel.take().unwrap();
            unforeseen += u32::from(announced[entry.thing] != 3);
            place(&mut wheel, now + (1 << 24));
        }
        assert!(unforeseen < 500, "{unforeseen} of 10,000");
    }
}
