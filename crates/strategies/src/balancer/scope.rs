//! To which members a balancer sends at all: to some of many, or to those of its own zone first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Reason};
use crate::strategy::MemberId;
use lbsim_engine::rng::{Luck, below, mix};
use lbsim_engine::time::Time;
use lbsim_engine::units::Share;

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

/// Members of a balancer's own zone come first, whatever its strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnZone {
    /// The share of the members of its own zone that must be well: while fewer are, requests go to
    /// those of all zones alike.
    pub while_well: Share,
}

impl Default for OwnZone {
    fn default() -> OwnZone {
        OwnZone {
            while_well: Share::fraction(0.7),
        }
    }
}

/// A balancer that sends to its own zone first.
#[derive(Clone, Debug)]
pub(super) struct Preferring {
    /// Whether each member is in its zone.
    own: Vec<bool>,
    while_well: f64,
    /// How many of these are in the pool, and how many of them are well.
    present: u32,
    well: u32,
    /// Whether they get all requests at present.
    pub(super) holds: bool,
}

impl Preferring {
    pub(super) fn new(own: Vec<bool>, plan: &OwnZone) -> Preferring {
        let count = own.iter().filter(|&&own| own).count() as u32;
        Preferring {
            own,
            while_well: plan.while_well.value(),
            present: count,
            well: count,
            holds: false,
        }
    }

    /// Whether its own zone can do with its members.
    fn is_due(&self) -> bool {
        self.well > 0 && f64::from(self.well) + 1e-9 >= self.while_well * f64::from(self.present)
    }
}

/// Reasons for which a member is no part of what its zone has.
const NO_PART: u8 = Reason::Absent as u8 | Reason::Weightless as u8 | Reason::Disabled as u8;

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

    /// Counts who is well in its own zone, where a member's reasons have changed, and sends there
    /// alone or to all.
    pub(super) fn prefer_own_zone(&mut self, member: MemberId, before: u8, now: Time) {
        let Some(preferring) = &mut self.preferring else {
            return;
        };
        if preferring.own[member as usize] {
            let after = self.reasons[member as usize];
            let is_there = |reasons: u8| u32::from(reasons & NO_PART == 0);
            let is_well = |reasons: u8| u32::from(reasons == 0);
            preferring.present = preferring.present + is_there(after) - is_there(before);
            preferring.well = preferring.well + is_well(after) - is_well(before);
        }
        self.send_where_due(now);
    }

    /// Sends to its own zone alone, where that is due, or to all zones.
    pub(super) fn send_where_due(&mut self, now: Time) {
        let Some(preferring) = &mut self.preferring else {
            return;
        };
        let is_due = preferring.is_due();
        if std::mem::replace(&mut preferring.holds, is_due) == is_due {
            return;
        }
        let others = (0..preferring.own.len()).filter(|&member| !preferring.own[member]);
        let others: Vec<MemberId> = others.map(|member| member as MemberId).collect();
        let mut panics_otherwise = false;
        for &member in &others {
            let reasons = &mut self.reasons[member as usize];
            let before = *reasons;
            if is_due {
                *reasons |= Reason::Outside as u8;
            } else {
                *reasons &= !(Reason::Outside as u8);
            }
            let after = *reasons;
            panics_otherwise ^= self.changes_panic(before, after);
        }
        let changed = if panics_otherwise {
            (0..self.pool.len() as MemberId).collect()
        } else {
            others
        };
        for member in changed {
            self.update_eligibility(member, now);
        }
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
