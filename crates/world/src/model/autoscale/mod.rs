//! Autoscalers: how many servers a group is to have, as the load goes or by the clock. One list of
//! rules; each has a file with its settings and what it remembers.

mod hpa;
mod metric;
mod schedule;
mod steps;
mod target_tracking;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::Refuse;
use lbsim_engine::distribution::{Dist, Sampler};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

pub use hpa::{Hpa, ScalingPolicy};
pub use metric::LoadMetric;
pub use schedule::{Planned, ScalingSchedule};
pub use steps::{StepIn, StepOut, StepScaling};
pub use target_tracking::TargetTracking;

/// A rule by which servers are ordered and removed, as a scenario says it.
trait Scaling {
    /// What it remembers from one look to the next.
    type Memory;

    /// What it remembers at the start, when there are so many servers.
    fn memory(&self, start: u32) -> Self::Memory;

    /// What it looks at; nothing where it goes by the clock.
    fn metric(&self) -> Option<&LoadMetric> {
        None
    }

    /// How many servers there are to be from which times on, where that is planned.
    fn planned(&self) -> &[Planned] {
        &[]
    }

    /// How many servers it wants. They are held within their bounds afterwards.
    fn wants(&self, _memory: &mut Self::Memory, look: &Look) -> u32 {
        look.count
    }

    /// Says which settings may not be so, where there may be so many servers.
    fn check(&self, bounds: (u32, u32), refuse: &mut Refuse<'_>);
}

/// What a rule remembers from one look to the next.
#[derive(Clone, Debug)]
pub(super) struct ScalingMemory(Memories);

/// What an autoscaler sees when it looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// When.
    pub(super) now: Time,
    /// The figure over its target; `None` where there is none, for nobody has measured anything.
    pub(super) ratio: Option<f64>,
    /// Servers that take requests.
    pub(super) ready: u32,
    /// Servers that there are to be: those that take requests, and those that are ordered.
    pub(super) count: u32,
    /// How many there may be: least and most.
    pub(super) bounds: (u32, u32),
}

impl Look {
    /// So many times as many servers as take requests, rounded up; a hair less does not count, for
    /// figures are quotients.
    fn ready_times(&self, ratio: f64) -> u32 {
        (f64::from(self.ready) * ratio - 1e-9).ceil().max(0.0) as u32
    }
}

/// Makes the enums of rules from the list.
macro_rules! rules {
    ($($(#[$doc:meta])* $kind:ident($settings:ty),)*) => {
        /// By what an autoscaler goes.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum ScalingRule {
            $($(#[$doc])* $kind($settings),)*
        }

        impl ScalingRule {
            /// What it looks at; nothing where it goes by the clock.
            pub fn metric(&self) -> Option<&LoadMetric> {
                match self {
                    $(ScalingRule::$kind(rule) => rule.metric(),)*
                }
            }

            /// How many servers there are to be from which times on, where that is planned.
            pub fn planned(&self) -> &[Planned] {
                match self {
                    $(ScalingRule::$kind(rule) => rule.planned(),)*
                }
            }

            fn check(&self, bounds: (u32, u32), refuse: &mut Refuse<'_>) {
                match self {
                    $(ScalingRule::$kind(rule) => rule.check(bounds, refuse),)*
                }
            }

            /// What it remembers at the start, when there are so many servers.
            pub(super) fn memory(&self, start: u32) -> ScalingMemory {
                match self {
                    $(ScalingRule::$kind(rule) => ScalingMemory(Memories::$kind(rule.memory(start))),)*
                }
            }

            /// How many servers it wants, within their bounds. Its memory is its own.
            pub(super) fn wants(&self, memory: &mut ScalingMemory, look: &Look) -> u32 {
                let wanted = match (self, &mut memory.0) {
                    $((ScalingRule::$kind(rule), Memories::$kind(memory)) => rule.wants(memory, look),)*
                    _ => look.count,
                };
                wanted.clamp(look.bounds.0, look.bounds.1)
            }
        }

        #[derive(Clone, Debug)]
        enum Memories {
            $($kind(<$settings as Scaling>::Memory),)*
        }
    };
}

rules! {
    /// By the clock: so many servers from these times on.
    Schedule(ScalingSchedule),
    /// As many as bring a metric to its target: more at once, fewer when the metric has been well
    /// below for some time (AWS: target tracking).
    TargetTracking(TargetTracking),
    /// As many as bring a metric to its target, fewer only when none of the last minutes asked for
    /// more (Kubernetes: `HorizontalPodAutoscaler`).
    Hpa(Hpa),
    /// So many more or fewer by how far a metric is from its target (AWS: step scaling).
    Steps(StepScaling),
}

/// How the number of servers of a group changes while the run goes on. Servers are numbered: the
/// one that is added is the first that is not there, and the one that is removed is the last, of
/// those that still boot where there are any. A server costs from its order on, until it has left
/// and finished what it has. What `lbsim check` says of capacity, and a `load` that sets the rate,
/// are of the most servers that there may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Autoscale {
    /// How many servers there are at least.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub least: u32,
    /// How many servers there are at most. Those that are being drained are not among them.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub most: u32,
    /// By what it goes.
    pub by: ScalingRule,
    /// How often it looks, the first time after so long (Kubernetes:
    /// `horizontal-pod-autoscaler-sync-period`). A schedule does not look, and neither this nor
    /// what is measured or waited for between looks concerns it.
    #[serde(default = "fifteen_seconds")]
    #[schemars(extend("x-least" = "1ms"))]
    pub interval: Span,
    /// Over how much time the metric is averaged at which it looks.
    #[serde(default = "minute")]
    #[schemars(extend("x-least" = "1ms"))]
    pub window: Span,
    /// How old the newest figure is that it knows: as long as it takes to measure, gather and
    /// average.
    #[serde(default)]
    pub delay: Span,
    /// After servers have been added, none are for so long.
    #[serde(default)]
    pub cooldown_out: Span,
    /// After servers have been added or removed, none are removed for so long.
    #[serde(default)]
    pub cooldown_in: Span,
    /// How long it takes from the order of a server until it takes requests; no time where it is
    /// left out, which flatters. How slow it is then, `cold` of the group says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Dist<Span>>,
    /// How long a server that is removed is drained before it leaves: it gets no new clients
    /// meanwhile. With nothing it leaves at once; what it has is finished either way (AWS:
    /// `deregistration_delay`).
    #[serde(default)]
    pub drain: Span,
}

fn fifteen_seconds() -> Span {
    Span::from_secs(15)
}

fn minute() -> Span {
    Span::from_secs(60)
}

/// Averages under way at once at most: each look has one of its own.
const MOST_WINDOWS: u64 = 10_000;

impl Autoscale {
    /// Says which settings may not be so, each with its key, for a group that has so many servers
    /// at the start.
    pub fn check(&self, count: u32, refuse: &mut Refuse<'_>) {
        let (least, most) = (self.least, self.most);
        if least > most {
            let message = format!("`most` is {most}, which is less than `least`, {least}");
            refuse("most", &message);
        } else if !(least..=most).contains(&count) {
            let message = format!(
                "there are {count} servers at the start (`count`); it must be between `least`, \
                 {least}, and `most`, {most}"
            );
            refuse("least", &message);
        } else {
            self.by.check((least, most), &mut |key, message| {
                refuse(&format!("by.{key}"), message);
            });
        }
        let reaches = self.window.nanos().saturating_add(self.delay.nanos());
        if reaches / self.interval.nanos().max(1) > MOST_WINDOWS {
            let message = format!(
                "`window` and `delay` reach back over more than {MOST_WINDOWS} looks, one each {}; \
                 look less often, or back less far",
                self.interval
            );
            refuse("window", &message);
        }
    }
}

/// An autoscaler, resolved.
#[derive(Clone, Debug)]
pub struct ScalePlan {
    /// As the scenario says it.
    pub settings: Autoscale,
    /// Servers at the start.
    pub start: u32,
    /// How long they take from the order until they take requests, in seconds.
    pub boot: Option<Sampler>,
}

impl ScalePlan {
    /// When their number changes by plan.
    pub fn planned(&self) -> impl Iterator<Item = Time> {
        let planned = self.settings.by.planned().iter();
        planned.map(|planned| Time::ZERO + planned.at)
    }
}

/// A share that must be more than nothing.
fn check_positive(key: &str, share: Share, refuse: &mut Refuse<'_>) {
    if share.value() <= 0.0 {
        refuse(key, &format!("`{key}` is {share}; it must be more than 0%"));
    }
}

#[cfg(test)]
mod testing {
    use super::*;

    pub(super) fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    /// A rule at work: what it wants at each look.
    pub(super) struct Trial {
        rule: ScalingRule,
        memory: ScalingMemory,
        bounds: (u32, u32),
    }

    impl Trial {
        pub(super) fn new(by: &str, start: u32, bounds: (u32, u32)) -> Trial {
            let rule: ScalingRule = serde_json::from_str(by).expect("a rule");
            Trial {
                memory: rule.memory(start),
                rule,
                bounds,
            }
        }

        /// What it wants after so many seconds, when `ready` of `count` servers take requests, and
        /// the figure is so many times its target.
        pub(super) fn wants(
            &mut self,
            seconds: u64,
            (ready, count): (u32, u32),
            ratio: impl Into<Option<f64>>,
        ) -> u32 {
            let look = Look {
                now: at(seconds),
                ratio: ratio.into(),
                ready,
                count,
                bounds: self.bounds,
            };
            self.rule.wants(&mut self.memory, &look)
        }
    }

    /// What a rule refuses of its settings, between these bounds.
    pub(super) fn refused(by: &str, bounds: (u32, u32)) -> Vec<String> {
        let rule: ScalingRule = serde_json::from_str(by).expect("a rule");
        let mut said = Vec::new();
        rule.check(bounds, &mut |key, message| {
            said.push(format!("{key}: {message}"));
        });
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(more: &str, count: u32) -> Vec<String> {
        let text = format!(
            r#"{{ "by": {{ "kind": "target-tracking", "metric": {{ "kind": "utilization", "target": "60%" }} }}, {more} }}"#
        );
        let own: Autoscale = serde_json::from_str(&text).expect("settings");
        let mut keys = Vec::new();
        own.check(count, &mut |key, _| keys.push(key.to_owned()));
        keys
    }

    #[test]
    fn bounds_hold_the_start_and_each_other() {
        assert_eq!(refused(r#""least": 2, "most": 5"#, 2), [""; 0]);
        assert_eq!(refused(r#""least": 6, "most": 5"#, 5), ["most"]);
        assert_eq!(refused(r#""least": 2, "most": 5"#, 6), ["least"]);
        assert_eq!(refused(r#""least": 2, "most": 5"#, 1), ["least"]);
        let far = r#""least": 1, "most": 2, "interval": "1ms", "window": "1h""#;
        assert_eq!(refused(far, 1), ["window"]);
    }
}
