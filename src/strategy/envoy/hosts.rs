//! Which hosts may be picked: the healthy ones of the first priority that has enough of them, or all in a panic.
//! (Envoy 1.40, source/extensions/load_balancing_policies/common/load_balancer_impl.cc)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outlier::{OutlierDetection, Outliers};
use crate::rng::{Rng, below};
use crate::strategy::{Answer, Context, MemberId};
use crate::time::{Span, Time};

/// Settings of a cluster that all policies share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Below this percentage of healthy hosts all are used, healthy or not.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub healthy_panic_threshold: f64,
    /// How much health counts for, in percent: with 140 a priority takes all traffic while 72% of it are healthy.
    #[schemars(range(min = 100, max = 10_000))]
    pub overprovisioning_factor: u32,
    /// A change of health that comes within this time of another is taken up so long after, with those that come meanwhile.
    pub update_merge_window: Span,
    /// Ejection of hosts that answer with errors; without it none is ejected.
    pub outlier_detection: Option<OutlierDetection>,
}

impl Default for Cluster {
    fn default() -> Cluster {
        Cluster {
            healthy_panic_threshold: 50.0,
            overprovisioning_factor: 140,
            update_merge_window: Span::from_secs(1),
            outlier_detection: None,
        }
    }
}

/// The hosts of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    config: Cluster,
    outliers: Option<Outliers>,
    /// All hosts, in order.
    all: Vec<MemberId>,
    priorities: Vec<Priority>,
    /// Hosts have changed that the priorities do not show yet.
    outdated: bool,
    /// A change waits for the end of the window.
    due: Option<Time>,
    taken_up: Option<Time>,
    /// Counts how often the hosts in use have changed.
    version: u64,
}

/// The hosts of one priority.
#[derive(Clone, Debug)]
struct Priority {
    in_use: Vec<MemberId>,
    /// Its share of the load, in percent.
    load: u32,
}

impl Hosts {
    pub(super) fn new(config: &Cluster, cx: &Context<'_>) -> Hosts {
        let mut hosts = Hosts {
            config: config.clone(),
            outliers: config
                .outlier_detection
                .as_ref()
                .map(|config| Outliers::new(config, cx.pool.len())),
            all: Vec::new(),
            priorities: Vec::new(),
            outdated: false,
            due: None,
            taken_up: None,
            version: 0,
        };
        hosts.take_up(cx);
        hosts
    }

    /// How often the hosts in use have changed.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// A host has come, gone, or changed its health or weight.
    pub(super) fn changed(&mut self, cx: &Context<'_>) {
        if cx.now == Time::ZERO {
            self.take_up(cx);
        } else {
            self.note_change(cx.now);
        }
    }

    fn note_change(&mut self, now: Time) {
        let window = self.config.update_merge_window;
        match self.taken_up {
            Some(last) if now - last <= window && !window.is_zero() => {
                self.due.get_or_insert(now + window);
            }
            _ => self.outdated = true,
        }
    }

    pub(super) fn answered(&mut self, answer: &Answer, cx: &Context<'_>) {
        let hosts = self.all.len();
        let ejected = self.outliers.as_mut().is_some_and(|outliers| {
            outliers.answered(answer.member, answer.outcome, cx.now, hosts)
        });
        self.advance(cx);
        if ejected {
            self.note_change(cx.now);
            self.advance(cx);
        }
    }

    /// Lets happen what is due: looks of the outlier detection, and changes that have waited.
    pub(super) fn advance(&mut self, cx: &Context<'_>) {
        if let Some(outliers) = &mut self.outliers
            && let Some(at) = outliers.look(cx.now, &self.all)
        {
            self.note_change(at);
        }
        if self.outdated {
            self.take_up(cx);
            self.taken_up = Some(cx.now);
        } else if let Some(due) = self.due
            && due <= cx.now
        {
            self.take_up(cx);
            self.taken_up = Some(due);
        }
    }

    /// Sees which hosts are healthy, and deals the load out to the priorities.
    fn take_up(&mut self, cx: &Context<'_>) {
        (self.outdated, self.due) = (false, None);
        self.version += 1;
        let members = cx.pool.members();
        // Envoy knows no weight of 0.
        let takes_part = |member| cx.pool.is_present(member) && cx.pool.weight(member) > 0;
        let present = (0..members.len() as MemberId).filter(|&member| takes_part(member));
        self.all = present.collect();
        let healthy = |member: MemberId| {
            let ejected = |outliers: &Outliers| outliers.is_ejected(member);
            cx.pool.is_eligible(member) && !self.outliers.as_ref().is_some_and(ejected)
        };
        let mut levels: Vec<u32> = members.iter().map(|member| member.priority).collect();
        levels.sort_unstable();
        levels.dedup();
        let groups: Vec<(Vec<MemberId>, Vec<MemberId>)> = levels
            .into_iter()
            .map(|level| {
                let own = self.all.iter().copied();
                let own: Vec<MemberId> = own
                    .filter(|&member| members[member as usize].priority == level)
                    .collect();
                let fit = own
                    .iter()
                    .copied()
                    .filter(|&member| healthy(member))
                    .collect();
                (own, fit)
            })
            .filter(|(own, _): &(Vec<MemberId>, Vec<MemberId>)| !own.is_empty())
            .collect();
        let availability = |(own, fit): &(Vec<MemberId>, Vec<MemberId>)| {
            let factor = self.config.overprovisioning_factor as usize;
            (factor * fit.len() / own.len()).min(100) as u32
        };
        let total: u32 = groups.iter().map(availability).sum::<u32>().min(100);
        let threshold = self.config.healthy_panic_threshold;
        let is_in_panic = |(own, fit): &(Vec<MemberId>, Vec<MemberId>)| {
            total < 100 && 100.0 * (fit.len() as f64) < threshold * own.len() as f64
        };
        let all_in_panic = groups.iter().all(is_in_panic);
        let mut left = 100;
        let last = groups.len().saturating_sub(1);
        self.priorities = groups
            .iter()
            .enumerate()
            .map(|(at, group)| {
                let share = if all_in_panic {
                    // Nobody knows better: each priority gets its share of hosts.
                    (100 * group.0.len() / self.all.len().max(1)) as u32
                } else {
                    100 * availability(group) / total.max(1)
                };
                let load = if at == last { left } else { share.min(left) };
                left -= load;
                let in_use = if is_in_panic(group) {
                    &group.0
                } else {
                    &group.1
                };
                Priority {
                    in_use: in_use.clone(),
                    load,
                }
            })
            .collect();
    }

    /// The priority that a request goes to, as an index.
    pub(super) fn priority(&self, rng: &mut Rng) -> usize {
        let single = self
            .priorities
            .iter()
            .position(|priority| priority.load == 100);
        single.unwrap_or_else(|| {
            let mut drawn = below(rng, 100) as u32;
            let found = self.priorities.iter().position(|priority| {
                let hit = drawn < priority.load;
                drawn = drawn.wrapping_sub(priority.load);
                hit
            });
            found.unwrap_or(0)
        })
    }

    /// How many priorities there are.
    pub(super) fn priorities(&self) -> usize {
        self.priorities.len()
    }

    /// The hosts in use of a priority, in order.
    pub(super) fn in_use(&self, priority: usize) -> &[MemberId] {
        self.priorities
            .get(priority)
            .map_or(&[], |priority| &priority.in_use)
    }
}
