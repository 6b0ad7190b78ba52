//! Slow start: a member that comes back gets its share little by little.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::MemberId;
use lbsim_engine::rng::{Rng, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

/// How a member that comes back gets its share little by little: one that was down, ejected, or not
/// in the pool. Where the strategy goes by weights, its weight grows; where not, a request that is
/// meant for it goes elsewhere so much the more often. Rules of products have settings of their
/// own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GradualReturn {
    /// How long it takes to its full share (HAProxy: `slowstart`, Envoy: `slow_start_window`, ALB:
    /// slow start duration).
    #[schemars(extend("x-least" = "1ms"))]
    pub lasts: Span,
    /// The share of its full share that it has at least (Envoy: `min_weight_percent`).
    #[serde(default = "tenth")]
    pub least: Share,
    /// After a part t of the time it has t to the power of 1/aggression: with 1 it grows evenly, as
    /// HAProxy's and ALB's, with more it comes sooner (Envoy: `aggression`).
    #[serde(default = "evenly")]
    #[schemars(range(min = 0.1, max = 10.0))]
    pub aggression: f64,
}

fn tenth() -> Share {
    Share::fraction(0.1)
}

fn evenly() -> f64 {
    1.0
}

/// Weights grow in so many steps.
pub(super) const STEPS: u32 = 100;

impl GradualReturn {
    /// The steps of its full share that one has who has been back for so long.
    fn steps(&self, back: Span) -> u32 {
        let part = (back.seconds() / self.lasts.seconds()).min(1.0);
        let share = libm::pow(part, 1.0 / self.aggression).max(self.least.value());
        ((share * f64::from(STEPS)).floor() as u32).clamp(1, STEPS)
    }

    /// How long one has been back that has so many steps.
    fn reached(&self, steps: u32) -> Span {
        let share = f64::from(steps) / f64::from(STEPS);
        let part = libm::pow(share, self.aggression);
        Span::from_seconds(part * self.lasts.seconds()) + Span::from_nanos(1)
    }
}

/// The members of one balancer that are on their way to their full share.
#[derive(Clone, Debug)]
pub(super) struct Returning {
    plan: GradualReturn,
    /// Whether the strategy goes by weights.
    by_weight: bool,
    rng: Rng,
    members: Vec<Back>,
}

/// A member that is back.
#[derive(Clone, Copy, Debug)]
struct Back {
    member: MemberId,
    since: Time,
    steps: u32,
}

impl Returning {
    pub(super) fn new(plan: &GradualReturn, by_weight: bool, rng: Rng) -> Returning {
        Returning {
            plan: plan.clone(),
            by_weight,
            rng,
            members: Vec::new(),
        }
    }

    /// A member is back.
    pub(super) fn begin(&mut self, member: MemberId, now: Time) {
        self.members.retain(|back| back.member != member);
        let steps = self.plan.steps(Span::ZERO);
        self.members.push(Back {
            member,
            since: now,
            steps,
        });
    }

    /// The steps of its full share that a member has, where it has not all.
    pub(super) fn steps_of(&self, member: MemberId) -> Option<u32> {
        let back = self.members.iter().find(|back| back.member == member)?;
        Some(back.steps)
    }

    /// Whether a request that is meant for a member goes elsewhere.
    #[inline]
    pub(super) fn passes_over(&mut self, member: MemberId) -> bool {
        if self.by_weight || self.members.is_empty() {
            return false;
        }
        let Some(steps) = self.steps_of(member) else {
            return false;
        };
        uniform(&mut self.rng) * f64::from(STEPS) >= f64::from(steps)
    }

    /// When somebody has a step more.
    pub(super) fn next_step(&self) -> Time {
        let next = |back: &Back| back.since + self.plan.reached(back.steps + 1);
        self.members.iter().map(next).min().unwrap_or(Time::NEVER)
    }

    /// Takes the steps that are due; says who has taken one.
    pub(super) fn step(&mut self, now: Time) -> Vec<MemberId> {
        let mut stepped = Vec::new();
        for back in &mut self.members {
            let steps = self.plan.steps(now - back.since);
            if steps != back.steps {
                back.steps = steps;
                stepped.push(back.member);
            }
        }
        self.members.retain(|back| back.steps < STEPS);
        stepped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_grow_by_the_power_of_the_aggression() {
        let mut plan = GradualReturn {
            lasts: Span::from_secs(60),
            least: tenth(),
            aggression: 1.0,
        };
        let steps =
            |plan: &GradualReturn| [0, 3, 15, 30, 60, 90].map(|s| plan.steps(Span::from_secs(s)));
        assert_eq!(steps(&plan), [10, 10, 25, 50, 100, 100]);
        plan.aggression = 2.0;
        assert_eq!(steps(&plan), [10, 22, 50, 70, 100, 100]);
        // A step is taken as soon as it is reached.
        for step in 11..=STEPS {
            assert_eq!(plan.steps(plan.reached(step)), step);
        }
    }
}
