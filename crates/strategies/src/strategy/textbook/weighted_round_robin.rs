//! Round robin in which a member of weight 3 comes three times as often as one of weight 1, its
//! turns spread evenly. Each member has a deadline; the earliest goes next, and its deadline moves
//! on by one over its weight.
//!
//! **Sees:** who is eligible, weights.
//! **Cost of a pick:** log n.
//! **Fails when:** the weights are wrong, or servers change their speed: it never looks at how busy
//! anybody is. Products space the turns differently, and with several balancers the spacing is
//! lost.
//! **Source:** earliest deadline first over virtual time: Demers, Keshav and Shenker, "Analysis and
//! simulation of a fair queueing algorithm", SIGCOMM 1989.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};
use lbsim_engine::rng::uniform;

/// Settings of `weighted-round-robin`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// Members by deadline.
#[derive(Clone, Debug)]
pub struct WeightedRoundRobin {
    turns: BinaryHeap<Turn>,
    /// Whether a member stands in `turns`; one that is found ineligible is dropped until it
    /// returns.
    waiting: Vec<bool>,
    /// The deadline of the last pick: virtual time.
    now: f64,
    turns_given: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Turn {
    deadline: f64,
    /// Equal deadlines go in the order in which they were set.
    order: u64,
    member: MemberId,
}

impl Eq for Turn {}

impl Ord for Turn {
    /// The earlier deadline is the greater, since the heap hands out the greatest.
    fn cmp(&self, other: &Turn) -> Ordering {
        other
            .deadline
            .total_cmp(&self.deadline)
            .then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Turn) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl WeightedRoundRobin {
    /// Sets the next turn of `member`, the fraction `part` of a full gap from now.
    fn set_turn(&mut self, member: MemberId, part: f64, cx: &Context<'_>) {
        self.waiting[member as usize] = true;
        self.turns_given += 1;
        let deadline = self.now + part / f64::from(cx.pool.weight(member));
        self.turns.push(Turn {
            deadline,
            order: self.turns_given,
            member,
        });
    }
}

impl News for WeightedRoundRobin {
    const HEEDS_WEIGHTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    /// The first turns fall at random within each member's gap, so that balancers do not march in
    /// step.
    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = WeightedRoundRobin {
            turns: BinaryHeap::with_capacity(cx.pool.len()),
            waiting: vec![false; cx.pool.len()],
            now: 0.0,
            turns_given: 0,
        };
        for member in 0..cx.pool.len() as MemberId {
            let part = uniform(cx.rng);
            if cx.pool.weight(member) > 0 {
                rule.set_turn(member, part, cx);
            }
        }
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        if cx.pool.is_eligible(member) && !self.waiting[member as usize] {
            let part = uniform(cx.rng);
            self.set_turn(member, part, cx);
        }
    }
}

impl Rule for WeightedRoundRobin {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        // Turns of those whom this request must not go to: they come with the next one.
        let mut put_off = Vec::new();
        let picked = loop {
            let turn = self.turns.pop().expect("every eligible member has a turn");
            if candidates.contains(turn.member) {
                self.now = turn.deadline;
                self.set_turn(turn.member, 1.0, cx);
                break turn.member;
            }
            if cx.pool.is_eligible(turn.member) {
                put_off.push(turn);
            } else {
                self.waiting[turn.member as usize] = false;
            }
        };
        if !put_off.is_empty() {
            self.turns.extend(put_off);
        }
        picked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    #[test]
    fn a_turn_that_is_put_off_comes_next() {
        let mut bench = Bench::new("weighted-round-robin", &[1, 1, 1]);
        for _ in 0..30 {
            let due = bench.clone().pick(0);
            let other = bench.pick_after(0, &[due]);
            assert_ne!(other, due);
            assert_eq!(bench.pick(0), due);
        }
    }

    #[test]
    fn turns_follow_weights_and_are_spread() {
        let mut bench = Bench::new("weighted-round-robin", &[5, 1, 1]);
        let picks: Vec<MemberId> = (0..700).map(|_| bench.pick(0)).collect();
        let share = |m| picks.iter().filter(|&&p| p == m).count();
        assert_eq!(
            [share(0), share(1), share(2)].map(|s| (s + 1) / 10 * 10),
            [500, 100, 100]
        );
        // In any seven picks in a row the heavy member has four to six turns.
        assert!(
            picks
                .windows(7)
                .all(|w| (4..=6).contains(&w.iter().filter(|&&p| p == 0).count()))
        );
    }
}
