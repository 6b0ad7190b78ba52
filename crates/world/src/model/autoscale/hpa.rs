//! Kubernetes' `HorizontalPodAutoscaler`. The algorithm, the tolerance, the stabilization window
//! and the policies are those of its documentation ("Horizontal Pod Autoscaling", algorithm details
//! and configurable scaling behaviour), whose names are used; so are its defaults.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fault::Refuse;
use super::{LoadMetric, Look, Scaling, check_positive};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

/// Settings of Kubernetes' autoscaler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hpa {
    /// What it looks at, and what that should be.
    pub metric: LoadMetric,
    /// Nothing changes where the figure is as near as this to its target.
    #[serde(default = "tenth")]
    pub tolerance: Share,
    /// Servers are added only where all of this time asked for more: the lowest of its
    /// recommendations holds (`scaleUp.stabilizationWindowSeconds`).
    #[serde(default)]
    pub out_stabilization: Span,
    /// Servers are removed only where all of this time asked for fewer: the highest of its
    /// recommendations holds, and at the start that there should be as many as there are
    /// (`scaleDown.stabilizationWindowSeconds`).
    #[serde(default = "five_minutes")]
    pub in_stabilization: Span,
    /// How many servers may be added in how much time; the policy that lets most through holds, and
    /// without any there is no limit (`scaleUp.policies`).
    #[serde(default = "out_policies")]
    #[schemars(length(max = 20))]
    pub out_policies: Vec<ScalingPolicy>,
    /// How many servers may be removed in how much time, likewise (`scaleDown.policies`).
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub in_policies: Vec<ScalingPolicy>,
}

/// How many servers may be added or removed in some time: so many, or a share of those that there
/// were at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingPolicy {
    /// So many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub servers: Option<u32>,
    /// As many as this share comes to, rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// In how much time.
    #[schemars(extend("x-least" = "1ms"))]
    pub period: Span,
}

fn tenth() -> Share {
    Share::fraction(0.1)
}

fn five_minutes() -> Span {
    Span::from_secs(300)
}

fn out_policies() -> Vec<ScalingPolicy> {
    let period = Span::from_secs(15);
    let (servers, share) = (Some(4), Some(Share::ONE));
    vec![
        ScalingPolicy {
            servers,
            share: None,
            period,
        },
        ScalingPolicy {
            servers: None,
            share,
            period,
        },
    ]
}

/// What it has recommended, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// What it recommended, within the longer of the two stabilization windows.
    recommended: VecDeque<(Time, u32)>,
    /// By how much the number of servers has changed, within the longest period of a policy.
    changes: VecDeque<(Time, i64)>,
}

/// Whether what was at `then` lies within so long before `now`.
fn is_within(then: Time, now: Time, span: Span) -> bool {
    now - then < span
}

impl ScalingPolicy {
    /// How many servers that may be, of so many.
    fn allows(&self, of: u32) -> u32 {
        match (self.servers, self.share) {
            (Some(servers), _) => servers,
            (None, Some(share)) => (f64::from(of) * share.value() - 1e-9).ceil() as u32,
            (None, None) => 0,
        }
    }
}

impl Hpa {
    /// How many servers bring the figure to its target.
    fn recommends(&self, look: &Look) -> u32 {
        let tolerance = self.tolerance.value() + 1e-9;
        let Some(ratio) = look.ratio else {
            return look.count;
        };
        if (ratio - 1.0).abs() <= tolerance {
            return look.count;
        }
        if ratio < 1.0 {
            return look.ready_times(ratio).min(look.count);
        }
        // Those that are not ready yet are taken to have nothing to do: that damps what is added.
        let damped = ratio * f64::from(look.ready) / f64::from(look.count.max(1));
        if damped <= 1.0 + tolerance {
            return look.count;
        }
        look.ready_times(ratio).max(look.count)
    }

    /// What the recommendations of the stabilization windows come to.
    fn stabilized(&self, history: &mut History, look: &Look) -> u32 {
        let wanted = self.recommends(look).clamp(look.bounds.0, look.bounds.1);
        history.recommended.push_back((look.now, wanted));
        let longest = self.in_stabilization.max(self.out_stabilization);
        while let Some(&(then, _)) = history.recommended.front()
            && history.recommended.len() > 1
            && !is_within(then, look.now, longest)
        {
            history.recommended.pop_front();
        }
        let within = |window: Span| {
            let all = history.recommended.iter();
            all.filter(move |(then, _)| is_within(*then, look.now, window))
                .map(|(_, wanted)| *wanted)
        };
        let lowest = within(self.out_stabilization).min().unwrap_or(wanted);
        let highest = within(self.in_stabilization).max().unwrap_or(wanted);
        let up = lowest.min(wanted);
        let down = highest.max(wanted);
        if look.count < up {
            up
        } else if look.count > down {
            down
        } else {
            look.count
        }
    }

    /// By how much the number has grown, or shrunk, in the last `period`.
    fn changed(history: &History, now: Time, period: Span, grown: bool) -> i64 {
        let all = history.changes.iter();
        let within = all.filter(|(then, by)| is_within(*then, now, period) && (*by > 0) == grown);
        within.map(|(_, by)| by.abs()).sum()
    }
}

impl Scaling for Hpa {
    type Memory = History;

    fn memory(&self, start: u32) -> History {
        History {
            recommended: VecDeque::from([(Time::ZERO, start)]),
            changes: VecDeque::new(),
        }
    }

    fn metric(&self) -> Option<&LoadMetric> {
        Some(&self.metric)
    }

    fn wants(&self, history: &mut History, look: &Look) -> u32 {
        let wanted = self.stabilized(history, look);
        let count = i64::from(look.count);
        let limit = |policies: &[ScalingPolicy], grown: bool| {
            let each = policies.iter().map(|policy| {
                let changed = Hpa::changed(history, look.now, policy.period, grown);
                let before = if grown {
                    count - changed
                } else {
                    count + changed
                };
                let before = u32::try_from(before).unwrap_or(0);
                (i64::from(policy.allows(before)) - changed).max(0)
            });
            each.max().unwrap_or(i64::MAX)
        };
        let by = i64::from(wanted) - count;
        let by = match by {
            0 => 0,
            1.. => by.min(limit(&self.out_policies, true)),
            _ => by.max(-limit(&self.in_policies, false)),
        };
        if by != 0 {
            history.changes.push_back((look.now, by));
            let policies = self.out_policies.iter().chain(&self.in_policies);
            let longest = policies.map(|policy| policy.period).max();
            let longest = longest.unwrap_or(Span::ZERO);
            let is_over = |then: Time| !is_within(then, look.now, longest);
            while (history.changes.front()).is_some_and(|(then, _)| is_over(*then)) {
                history.changes.pop_front();
            }
        }
        u32::try_from(count + by).unwrap_or(look.count)
    }

    fn check(&self, _bounds: (u32, u32), refuse: &mut Refuse<'_>) {
        self.metric.check(refuse);
        if self.tolerance.value() >= 1.0 {
            let message = format!(
                "`tolerance` is {}; it must be less than 100%",
                self.tolerance
            );
            refuse("tolerance", &message);
        }
        for (key, policies) in [
            ("out-policies", &self.out_policies),
            ("in-policies", &self.in_policies),
        ] {
            for (at, policy) in policies.iter().enumerate() {
                let key = format!("{key}[{at}]");
                match (policy.servers, policy.share) {
                    (None, None) => {
                        refuse(&key, "nothing says how many; give `servers` or `share`")
                    }
                    (Some(_), Some(_)) => refuse(
                        &key,
                        "how many is said twice; leave out `servers` or `share`",
                    ),
                    (None, Some(share)) => {
                        check_positive("share", share, &mut |own, message| {
                            refuse(&format!("{key}.{own}"), message);
                        });
                    }
                    (Some(_), None) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trial, refused};

    fn rule(more: &str) -> String {
        format!(
            r#"{{ "kind": "hpa", "metric": {{ "kind": "utilization", "target": "60%" }}{more} }}"#
        )
    }

    /// 3 servers at 90% where 60% is meant: 4.5 of them.
    #[test]
    fn it_rounds_up_and_tolerates_a_tenth() {
        let mut trial = Trial::new(&rule(""), 3, (1, 20));
        assert_eq!(trial.wants(15, (3, 3), 0.9 / 0.6), 5);
        assert_eq!(trial.wants(30, (5, 5), 1.1), 5);
        assert_eq!(trial.wants(45, (5, 5), 1.11), 6);
        assert_eq!(trial.wants(60, (6, 6), 0.9), 6);
        assert_eq!(trial.wants(75, (6, 6), None), 6);
    }

    /// Two of five are not ready: 1.5 times the target at three is 0.9 times at five.
    #[test]
    fn who_is_not_ready_is_idle() {
        let mut trial = Trial::new(&rule(""), 3, (1, 20));
        assert_eq!(trial.wants(15, (3, 5), 1.5), 5);
        assert_eq!(trial.wants(30, (3, 5), 1.8), 5, "1.08 times at five");
        assert_eq!(trial.wants(45, (3, 5), 2.0), 6);
    }

    /// The highest recommendation of the last 300 s holds.
    #[test]
    fn it_removes_when_nothing_asked_for_more_for_long() {
        let mut trial = Trial::new(&rule(""), 4, (1, 20));
        assert_eq!(
            trial.wants(15, (4, 4), 0.5),
            4,
            "there were four at the start"
        );
        assert_eq!(trial.wants(30, (4, 4), 0.7), 4);
        assert_eq!(trial.wants(299, (4, 4), 0.5), 4);
        assert_eq!(trial.wants(301, (4, 4), 0.5), 3, "0.7 of four at 30 s");
        assert_eq!(trial.wants(329, (3, 3), 0.5), 3);
        assert_eq!(trial.wants(331, (3, 3), 0.3), 2, "half of four at 299 s");
        assert_eq!(trial.wants(650, (2, 2), 0.1), 1);
    }

    /// Four or as many as there are, whichever is more, in 15 s: one to 5, 5 to 10, 10 to 20.
    #[test]
    fn policies_limit_the_pace() {
        let mut trial = Trial::new(&rule(""), 1, (1, 100));
        assert_eq!(trial.wants(15, (1, 1), 50.0), 5);
        assert_eq!(trial.wants(20, (5, 5), 10.0), 5, "within the same 15 s");
        assert_eq!(trial.wants(30, (5, 5), 10.0), 10);
        assert_eq!(trial.wants(45, (10, 10), 5.0), 20);
        let slow =
            r#", "in-stabilization": "0s", "in-policies": [{ "share": "10%", "period": "60s" }]"#;
        let mut trial = Trial::new(&rule(slow), 20, (1, 100));
        assert_eq!(trial.wants(60, (20, 20), 0.1), 18);
        assert_eq!(trial.wants(90, (18, 18), 0.1), 18);
        assert_eq!(
            trial.wants(120, (18, 18), 0.1),
            16,
            "a tenth of 18, rounded up"
        );
    }

    #[test]
    fn a_window_for_growth_takes_the_lowest() {
        let mut trial = Trial::new(&rule(r#", "out-stabilization": "30s""#), 2, (1, 20));
        assert_eq!(
            trial.wants(15, (2, 2), 2.0),
            2,
            "at the start two were enough"
        );
        assert_eq!(trial.wants(31, (2, 2), 1.5), 3);
    }

    #[test]
    fn settings_that_may_not_be_are_refused() {
        assert_eq!(refused(&rule(""), (1, 2)), [""; 0]);
        let policies = r#", "tolerance": "100%", "out-policies": [{ "period": "1s" }, { "share": "0%", "period": "1s" }], "in-policies": [{ "servers": 1, "share": "1%", "period": "1s" }]"#;
        let said = refused(&rule(policies), (1, 2));
        let keys: Vec<&str> = said
            .iter()
            .filter_map(|one| one.split(':').next())
            .collect();
        let due = [
            "tolerance",
            "out-policies[0]",
            "out-policies[1].share",
            "in-policies[0]",
        ];
        assert_eq!(keys, due);
    }
}
