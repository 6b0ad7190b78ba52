//! Balancers that send to some of many members only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Reason};
use crate::strategy::MemberId;
use lbsim_engine::rng::{Luck, below, mix};
use lbsim_engine::time::Time;

/// Which members each of several balancers sends to, where there are too many for all to know all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subset {
    /// How many; all where there are no more.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub size: u32,
    /// How they are dealt out.
    #[serde(default)]
    pub kind: DealtOut,
}

/// How members are dealt out to balancers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DealtOut {
    /// In rounds: the members are shuffled, and as many balancers as there are whole subsets get
    /// one each; the next round is shuffled anew. So all members have as many balancers, but for
    /// one round (Beyer and others, "Site Reliability Engineering", 2016, chapter 20: deterministic
    /// subsetting).
    #[default]
    Deterministic,
    /// Each balancer draws its own: some members have many more than others.
    Random,
}

impl Subset {
    /// The members in the order in which balancer number `balancer` takes them: the first `size`
    /// that are in the pool are its own. `word` is a random word of the run that belongs to the
    /// service.
    pub fn order(&self, balancer: u16, members: usize, word: u64) -> Vec<MemberId> {
        let size = (self.size as usize).min(members);
        let subsets = (members / size) as u64;
        let (round, place) = match self.kind {
            DealtOut::Deterministic => {
                (u64::from(balancer) / subsets, u64::from(balancer) % subsets)
            }
            DealtOut::Random => (u64::from(balancer), 0),
        };
        let mut order: Vec<MemberId> = (0..members as MemberId).collect();
        let luck = &mut Luck::new(mix(word ^ mix(round)), 0);
        // From the front: each place draws one of those that are left (Fisher and Yates).
        for at in 0..members.saturating_sub(1) {
            let other = at + below(luck, members - at);
            order.swap(at, other);
        }
        order.rotate_left(place as usize * size);
        order
    }
}

/// The subset of a balancer.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    order: Vec<MemberId>,
    size: u32,
}

impl Scope {
    pub(super) fn new(order: Vec<MemberId>, size: u32) -> Scope {
        Scope { order, size }
    }
}

impl Balancer {
    /// Sends to the first of its members that are in the pool, as many as its subset has.
    pub(super) fn deal_out(&mut self, now: Time) {
        let Some(scope) = self.scope.take() else {
            return;
        };
        let mut left = scope.size;
        for &member in &scope.order {
            let is_there = self.reasons[member as usize] & Reason::Absent as u8 == 0;
            let is_own = is_there && left > 0;
            left -= u32::from(is_own);
            if self.holds(member, Reason::Outside) == is_own {
                self.set(member, Reason::Outside, !is_own, now);
            }
        }
        self.scope = Some(scope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_deal_out_evenly() {
        let subset = Subset {
            size: 5,
            kind: DealtOut::Deterministic,
        };
        // 20 members are four subsets a round; 40 balancers are ten rounds.
        let mut balancers_of = [0; 20];
        for balancer in 0..40 {
            for &member in &subset.order(balancer, 20, 7)[..5] {
                balancers_of[member as usize] += 1;
            }
        }
        assert_eq!(balancers_of, [10; 20]);
        let drawn = Subset {
            kind: DealtOut::Random,
            ..subset
        };
        let of_first = (0..40)
            .filter(|&balancer| drawn.order(balancer, 20, 7)[..5].contains(&0))
            .count();
        assert!(of_first != 10 && (2..20).contains(&of_first), "{of_first}");
        let mut all = drawn.order(3, 4, 7);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
    }
}
