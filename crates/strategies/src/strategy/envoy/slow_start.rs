//! Slow start: a host that has become healthy gets its weight little by little. (Envoy 1.40,
//! source/extensions/load_balancing_policies/common/load_balancer_impl.cc, `applySlowStartFactor`)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Context, MemberId};
use lbsim_engine::time::{Span, Time};

/// Settings of `slow-start`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SlowStart {
    /// How long it lasts; 0: there is none.
    pub window: Span,
    /// How the weight grows: by 1 evenly, by more faster at first.
    #[schemars(range(min = 0.01, max = 100.0))]
    pub aggression: f64,
    /// What a host gets of its weight at least, in percent.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub min_weight_percent: f64,
}

impl Default for SlowStart {
    fn default() -> SlowStart {
        SlowStart {
            window: Span::ZERO,
            aggression: 1.0,
            min_weight_percent: 10.0,
        }
    }
}

/// Who became healthy when.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    config: SlowStart,
    /// The hosts in their window, and since when.
    since: Vec<(MemberId, Time)>,
}

impl Starts {
    pub(super) fn new(config: &SlowStart) -> Starts {
        Starts {
            config: config.clone(),
            since: Vec::new(),
        }
    }

    pub(super) fn eligibility_changed(&mut self, member: MemberId, cx: &Context<'_>) {
        self.since.retain(|&(other, _)| other != member);
        if cx.pool.is_eligible(member) && !self.config.window.is_zero() && cx.now > Time::ZERO {
            self.since.push((member, cx.now));
        }
    }

    /// Forgets whose window is over; says whether anybody is left.
    pub(super) fn are_under_way(&mut self, now: Time) -> bool {
        let window = self.config.window;
        self.since.retain(|&(_, since)| now - since < window);
        !self.since.is_empty()
    }

    /// The share of its weight that a host gets now.
    pub(super) fn factor(&self, member: MemberId, now: Time) -> f64 {
        let Some(&(_, since)) = self.since.iter().find(|start| start.0 == member) else {
            return 1.0;
        };
        let elapsed = (now - since).max(Span::from_millis(1));
        let part = (elapsed.seconds() / self.config.window.seconds()).min(1.0);
        let grown = libm::pow(part, 1.0 / self.config.aggression);
        grown.max(self.config.min_weight_percent / 100.0)
    }
}
