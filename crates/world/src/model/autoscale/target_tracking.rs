//! Target tracking: as many servers as bring a metric to its target. Amazon Web Services,
//! "Application Auto Scaling User Guide", target tracking scaling policies: more capacity as fast
//! as the metric asks for it, in proportion; less of it gradually.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fault::Refuse;
use super::{LoadMetric, Look, Scaling, check_positive};
use lbsim_engine::units::Share;

/// Settings of target tracking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetTracking {
    /// What it looks at, and what that should be.
    pub metric: LoadMetric,
    /// Servers are added where the figure has been above its target at so many looks in a row (the
    /// alarms that AWS sets up: 3, a minute each).
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10_000))]
    pub out_after: u32,
    /// Servers are removed where the figure has been below at so many looks in a row (AWS: 15).
    #[serde(default = "fifteen")]
    #[schemars(range(min = 1, max = 10_000))]
    pub in_after: u32,
    /// Below what: this share of the target (AWS: 90%).
    #[serde(default = "nine_tenths")]
    pub in_below: Share,
    /// How many servers are removed at once at most; any number where it is left out. There are
    /// never fewer than the target asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub in_step: Option<u32>,
    /// Whether servers are ever removed (AWS: not with `DisableScaleIn`).
    #[serde(default = "yes")]
    pub removes: bool,
}

fn three() -> u32 {
    3
}

fn fifteen() -> u32 {
    15
}

fn nine_tenths() -> Share {
    Share::fraction(0.9)
}

fn yes() -> bool {
    true
}

/// Looks in a row at which the figure was above its target, or well below.
#[derive(Clone, Debug, Default)]
pub(super) struct Streak {
    above: u32,
    below: u32,
}

impl Scaling for TargetTracking {
    type Memory = Streak;

    fn memory(&self, _start: u32) -> Streak {
        Streak::default()
    }

    fn metric(&self) -> Option<&LoadMetric> {
        Some(&self.metric)
    }

    fn wants(&self, streak: &mut Streak, look: &Look) -> u32 {
        let Some(ratio) = look.ratio else {
            *streak = Streak::default();
            return look.count;
        };
        let next = |long: u32, holds: bool| if holds { long.saturating_add(1) } else { 0 };
        streak.above = next(streak.above, ratio > 1.0);
        streak.below = next(streak.below, ratio < self.in_below.value());
        // Servers that are not there yet are no part of the figure; they are of what was ordered.
        let wanted = look.ready_times(ratio);
        if streak.above >= self.out_after {
            return wanted.max(look.count);
        }
        if streak.below >= self.in_after && self.removes && wanted < look.count {
            streak.below = 0;
            let least = look.count.saturating_sub(self.in_step.unwrap_or(u32::MAX));
            return wanted.max(least);
        }
        look.count
    }

    fn check(&self, _bounds: (u32, u32), refuse: &mut Refuse<'_>) {
        self.metric.check(refuse);
        check_positive("in-below", self.in_below, refuse);
        if self.in_below.value() > 1.0 {
            let message = format!("`in-below` is {}; it must be at most 100%", self.in_below);
            refuse("in-below", &message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trial, refused};

    fn rule(more: &str) -> String {
        format!(
            r#"{{ "kind": "target-tracking", "metric": {{ "kind": "utilization", "target": "60%" }}{more} }}"#
        )
    }

    /// 3 servers at 90% where 60% is meant: 4.5 of them, after three looks.
    #[test]
    fn it_adds_in_proportion_after_a_few_looks() {
        let mut trial = Trial::new(&rule(""), 3, (1, 20));
        let wanted = [15, 30, 45].map(|at| trial.wants(at, (3, 3), 1.5));
        assert_eq!(wanted, [3, 3, 5]);
        // Two are ordered, and the three are as busy as before: that is no reason for more.
        assert_eq!(trial.wants(60, (3, 5), 1.5), 5);
        assert_eq!(trial.wants(75, (3, 5), 2.5), 8);
        // One look at which the figure is right, or unknown, and the row is broken.
        assert_eq!(trial.wants(90, (5, 8), 1.0), 8);
        let wanted = [105, 120, 135].map(|at| trial.wants(at, (8, 8), 1.1));
        assert_eq!(wanted, [8, 8, 9]);
        assert_eq!(trial.wants(150, (8, 9), None), 9);
        assert_eq!(trial.wants(165, (9, 9), 1.2), 9);
    }

    /// 10 servers at a third of the target need 4; 95% of the target is not well below it.
    #[test]
    fn it_removes_late() {
        let mut trial = Trial::new(&rule(r#", "in-after": 3"#), 10, (2, 20));
        let wanted = [15, 30, 45, 60].map(|at| trial.wants(at, (10, 10), 0.34));
        assert_eq!(wanted, [10, 10, 4, 10], "then it begins to count anew");
        let wanted = [75, 90, 105].map(|at| trial.wants(at, (10, 10), 0.95));
        assert_eq!(wanted, [10; 3]);
        let mut one = Trial::new(&rule(r#", "in-after": 1, "in-step": 1"#), 10, (2, 20));
        assert_eq!(one.wants(15, (10, 10), 0.2), 9);
        let mut never = Trial::new(&rule(r#", "in-after": 1, "removes": false"#), 10, (2, 20));
        assert_eq!(never.wants(15, (10, 10), 0.2), 10);
    }

    #[test]
    fn it_stays_within_bounds() {
        let mut trial = Trial::new(&rule(r#", "out-after": 1, "in-after": 1"#), 3, (2, 4));
        assert_eq!(trial.wants(15, (3, 3), 9.0), 4);
        assert_eq!(trial.wants(30, (4, 4), 0.0), 2);
    }

    #[test]
    fn settings_that_may_not_be_are_refused() {
        assert_eq!(refused(&rule(""), (1, 2)), [""; 0]);
        let bad = r#"{ "kind": "target-tracking", "in-below": "120%", "metric": { "kind": "utilization", "target": "130%" } }"#;
        let said = refused(bad, (1, 2));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("metric.target") && said[1].starts_with("in-below"));
        let rate =
            r#"{ "kind": "target-tracking", "metric": { "kind": "rate", "target": "0/s" } }"#;
        assert_eq!(refused(rate, (1, 2)).len(), 1);
    }
}
