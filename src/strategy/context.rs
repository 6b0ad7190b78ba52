//! What a rule may see: its own balancer's counts, weights, eligible members, answers and reports.
//! Nothing here tells a server's queue, speed or state; only [`Truth`] does, and only oracles get it.

use std::net::IpAddr;

use crate::prefetch::prefetch;
use crate::rng::Rng;
use crate::time::{Span, Time};

/// A server as a pool sees it: its index in the order of the scenario.
pub type MemberId = u32;

/// What is known of a request when a member is picked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The client, as an index into the population.
    pub client: u32,
    /// The client's address.
    pub address: &'a IpAddr,
    /// What is asked for: equal keys are equal content.
    pub key: u64,
}

/// The end of one attempt, as the balancer saw it.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Who answered, or failed to.
    pub member: MemberId,
    /// How it ended.
    pub outcome: Outcome,
    /// From sending to the end.
    pub response_time: Span,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A full answer came.
    Success,
    /// The connection was refused or broke, or the server said that it is full.
    Failure,
    /// No answer came in time.
    Timeout,
}

/// What a server's monitoring agent said last: true when it was measured, stale since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Share of slot time in use since the report before, 0 to 1.
    pub cpu: f64,
    /// Share of memory in use at the time of the report, 0 to 1.
    pub memory: f64,
}

/// What a rule is handed with each question and each piece of news.
#[derive(Debug)]
pub struct Context<'a> {
    /// The present.
    pub now: Time,
    /// The members, by this balancer's own counting.
    pub pool: &'a Pool,
    /// This balancer's own stream.
    pub rng: &'a mut Rng,
}

/// The state that no balancer can see; slices are indexed by [`MemberId`].
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// Requests sent to each server by anyone and not yet ended there, abandoned ones included.
    pub in_system: &'a [u32],
    /// When each server would have worked off all that it has, were nothing added. A server of
    /// several slots is taken to use them all.
    pub free_at: &'a [Time],
}

/// The members of one balancer's pool by its own counting. Ineligible members are down by its health
/// checks, draining, absent, or already tried for the request at hand: no rule asks why.
#[derive(Clone, Debug)]
pub struct Pool {
    weights: Vec<u32>,
    in_flight: Vec<u32>,
    /// The eligible, in no order.
    eligible: Vec<MemberId>,
    /// Where each member stands in `eligible`; `ABSENT` for those that do not.
    place: Vec<u32>,
    /// The eligible as bits, in order.
    bits: Vec<u64>,
}

const ABSENT: u32 = u32::MAX;

impl Pool {
    /// A pool of members with these weights, all eligible and idle.
    pub fn new(weights: Vec<u32>) -> Pool {
        let n = weights.len();
        let mut pool = Pool {
            weights,
            in_flight: vec![0; n],
            eligible: Vec::with_capacity(n),
            place: vec![ABSENT; n],
            bits: vec![0; n.div_ceil(64)],
        };
        for member in 0..n as MemberId {
            pool.set_eligible(member, true);
        }
        pool
    }

    /// How many members there are, eligible or not.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there is no member at all.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The configured weight of a member.
    #[inline]
    pub fn weight(&self, member: MemberId) -> u32 {
        self.weights[member as usize]
    }

    /// All weights, by member.
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// Whether all weights are the same.
    pub fn is_even(&self) -> bool {
        self.weights.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Requests that this balancer has sent to a member and that have not ended.
    #[inline]
    pub fn in_flight(&self, member: MemberId) -> u32 {
        self.in_flight[member as usize]
    }

    /// The eligible members, in no particular order.
    #[inline]
    pub fn eligible(&self) -> &[MemberId] {
        &self.eligible
    }

    /// Whether a member may be picked.
    #[inline]
    pub fn is_eligible(&self, member: MemberId) -> bool {
        self.place[member as usize] != ABSENT
    }

    /// The first eligible member at or after `from` in the order of the scenario, round the end.
    ///
    /// # Panics
    /// Where no member is eligible: a rule is never asked then.
    pub fn next_eligible(&self, from: MemberId) -> MemberId {
        let from = from as usize % self.len();
        let head = self.bits[from / 64] & (u64::MAX << (from % 64));
        if head != 0 {
            return (from / 64 * 64) as u32 + head.trailing_zeros();
        }
        let words = self.bits.len();
        (1..=words)
            .map(|step| (from / 64 + step) % words)
            .find(|&word| self.bits[word] != 0)
            .map(|word| (word * 64) as u32 + self.bits[word].trailing_zeros())
            .expect("a rule is asked only where somebody is eligible")
    }

    /// Takes a member among the eligible or out of them; says whether that was news.
    pub fn set_eligible(&mut self, member: MemberId, eligible: bool) -> bool {
        if self.is_eligible(member) == eligible {
            return false;
        }
        let bit = 1 << (member % 64);
        if eligible {
            self.place[member as usize] = self.eligible.len() as u32;
            self.eligible.push(member);
            self.bits[member as usize / 64] |= bit;
        } else {
            let place = std::mem::replace(&mut self.place[member as usize], ABSENT);
            self.eligible.swap_remove(place as usize);
            if let Some(&moved) = self.eligible.get(place as usize) {
                self.place[moved as usize] = place;
            }
            self.bits[member as usize / 64] &= !bit;
        }
        true
    }

    /// Begins to fetch what is known of a member.
    #[inline]
    pub(crate) fn foresee(&self, member: MemberId) {
        prefetch(&self.in_flight, member as usize);
    }

    /// Counts a request sent.
    #[inline]
    pub fn sent(&mut self, member: MemberId) {
        self.in_flight[member as usize] += 1;
    }

    /// Counts a request ended.
    #[inline]
    pub fn ended(&mut self, member: MemberId) {
        debug_assert!(self.in_flight[member as usize] > 0);
        self.in_flight[member as usize] -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_three_views_of_eligibility_agree(n in 1usize..200, flips in prop::collection::vec((any::<u32>(), any::<bool>()), 0..300), from in any::<u32>()) {
            let mut pool = Pool::new(vec![1; n]);
            let mut model = vec![true; n];
            for (member, on) in flips {
                let member = member % n as u32;
                prop_assert_eq!(pool.set_eligible(member, on), model[member as usize] != on);
                model[member as usize] = on;
            }
            let mut listed = pool.eligible().to_vec();
            listed.sort_unstable();
            let expected: Vec<u32> = (0..n as u32).filter(|&m| model[m as usize]).collect();
            prop_assert_eq!(&listed, &expected);
            if !expected.is_empty() {
                let from = from % n as u32;
                let next = expected.iter().find(|&&m| m >= from).unwrap_or(&expected[0]);
                prop_assert_eq!(pool.next_eligible(from), *next);
            }
        }
    }
}
