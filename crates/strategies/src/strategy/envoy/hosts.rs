//! Which hosts may be picked: the healthy ones of the first priority that has enough of them, those
//! of one zone where load is dealt out to zones, or all in a panic. (Envoy 1.40,
//! source/extensions/load_balancing_policies/common/load_balancer_impl.cc)

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::locality::{Locality, Zones};
use super::outlier::{OutlierDetection, Outliers};
use super::subset::Subsets;
use crate::strategy::{Answer, Context, MemberId};
use lbsim_engine::rng::{Rng, below};
use lbsim_engine::time::{Span, Time};

/// Settings of a cluster that all policies share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Below this percentage of healthy hosts all are used, healthy or not.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub healthy_panic_threshold: f64,
    /// How much health counts for, in percent: with 140 a priority takes all traffic while 72% of
    /// it are healthy.
    #[schemars(range(min = 100, max = 10_000))]
    pub overprovisioning_factor: u32,
    /// A change of health that comes within this time of another is taken up so long after, with
    /// those that come meanwhile.
    pub update_merge_window: Span,
    /// Ejection of hosts that answer with errors; without it none is ejected.
    pub outlier_detection: Option<OutlierDetection>,
    /// How load is dealt out to the zones of hosts; without it zones do not matter.
    pub locality: Option<Locality>,
    /// Groups of hosts by their labels, of which the labels of a request choose one; without it
    /// labels do not matter.
    pub subsets: Option<Subsets>,
}

impl Default for Cluster {
    fn default() -> Cluster {
        Cluster {
            healthy_panic_threshold: 50.0,
            overprovisioning_factor: 140,
            update_merge_window: Span::from_secs(1),
            outlier_detection: None,
            locality: None,
            subsets: None,
        }
    }
}

/// The hosts of a cluster, or of a subset of it.
#[derive(Clone, Debug)]
pub struct Hosts {
    config: Cluster,
    outliers: Option<Outliers>,
    /// How often something has changed that decides who may be picked.
    changes: u64,
    /// By member: whether it belongs to the subset; none where there are no subsets.
    scope: Option<Arc<[bool]>>,
    /// All hosts of the cluster, in order.
    all: Vec<MemberId>,
    /// The priorities that hosts are configured with, from the first to the last.
    levels: Vec<u32>,
    zones: Zones,
    /// By priority: its share of the load, in percent.
    loads: Vec<u32>,
    /// By priority: whether all its hosts are used.
    panics: Vec<bool>,
    /// By priority the sets that a host is picked from: all hosts, the healthy ones, the healthy
    /// ones of each zone.
    sets: Vec<Vec<MemberId>>,
    /// Hosts have changed that the sets do not show yet.
    outdated: bool,
    /// A change waits for the end of the window.
    due: Option<Time>,
    taken_up: Option<Time>,
    /// Counts how often the hosts in use have changed.
    version: u64,
}

/// The sets of a priority before those of its zones: all hosts, and the healthy ones.
const WHOLE: usize = 2;

impl Hosts {
    pub(super) fn new(config: &Cluster, cx: &mut Context<'_>) -> Hosts {
        let members = cx.pool.members();
        let mut levels: Vec<u32> = members.iter().map(|member| member.priority).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut hosts = Hosts {
            config: config.clone(),
            outliers: config
                .outlier_detection
                .as_ref()
                .map(|config| Outliers::new(config, cx.pool.len())),
            changes: 0,
            scope: None,
            all: Vec::new(),
            zones: Zones::new(config.locality.as_ref(), cx),
            loads: vec![0; levels.len()],
            panics: vec![false; levels.len()],
            sets: Vec::new(),
            levels,
            outdated: false,
            due: None,
            taken_up: None,
            version: 0,
        };
        hosts.take_up(cx);
        hosts
    }

    /// Leaves only the hosts of a subset, given by member; ejections still go by the whole cluster.
    pub(super) fn restrict(&mut self, scope: Arc<[bool]>, cx: &Context<'_>) {
        self.scope = Some(scope);
        self.take_up(cx);
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

    /// Whether outlier detection has ejected a host.
    pub(super) fn is_ejected(&self, member: MemberId) -> bool {
        (self.outliers.as_ref()).is_some_and(|outliers| outliers.is_ejected(member))
    }

    /// How often that may have changed.
    pub(super) fn changes_of_mind(&self) -> u64 {
        self.changes
    }

    fn note_change(&mut self, now: Time) {
        self.changes += 1;
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
            outliers.answered(
                answer.member,
                (answer.outcome, answer.status),
                cx.now,
                hosts,
            )
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

    /// Sees which hosts are healthy, and deals the load out to the priorities and zones.
    fn take_up(&mut self, cx: &Context<'_>) {
        (self.outdated, self.due) = (false, None);
        self.version += 1;
        let members = cx.pool.members();
        // Envoy knows no weight of 0.
        let takes_part = |member| cx.pool.is_present(member) && cx.pool.weight(member) > 0;
        let present = (0..members.len() as MemberId).filter(|&member| takes_part(member));
        self.all = present.collect();
        let stride = WHOLE + self.zones.len();
        let mut sets = vec![Vec::new(); self.levels.len() * stride];
        let mut own_by_zone = vec![0; self.levels.len() * self.zones.len()];
        for &member in &self.all {
            let belongs = |scope: &Arc<[bool]>| scope[member as usize];
            if !self.scope.as_ref().is_none_or(belongs) {
                continue;
            }
            let is_level = |&level: &u32| level == members[member as usize].priority;
            let level = self.levels.iter().position(is_level).unwrap_or(0);
            let zone = self.zones.of(member);
            sets[level * stride].push(member);
            if let Some(zone) = zone {
                own_by_zone[level * self.zones.len() + zone] += 1;
            }
            let ejected = |outliers: &Outliers| outliers.is_ejected(member);
            if cx.pool.is_eligible(member) && !self.outliers.as_ref().is_some_and(ejected) {
                sets[level * stride + 1].push(member);
                if let Some(zone) = zone {
                    sets[level * stride + WHOLE + zone].push(member);
                }
            }
        }
        self.sets = sets;
        self.deal_out_to_priorities();
        for level in 0..self.levels.len() {
            let healthy = |zone: usize| self.sets[level * stride + WHOLE + zone].len();
            let own = &own_by_zone[level * self.zones.len()..][..self.zones.len()];
            let counts: Vec<(usize, usize)> = (0..own.len())
                .map(|zone| (own[zone], healthy(zone)))
                .collect();
            let factor = self.config.overprovisioning_factor;
            self.zones.deal_out(level, &counts, factor);
        }
    }

    /// Gives each priority its load, and sees which of them panic.
    fn deal_out_to_priorities(&mut self) {
        let stride = WHOLE + self.zones.len();
        let counts: Vec<(usize, usize)> = (0..self.levels.len())
            .map(|level| {
                (
                    self.sets[level * stride].len(),
                    self.sets[level * stride + 1].len(),
                )
            })
            .collect();
        let factor = self.config.overprovisioning_factor as usize;
        let availability = |&(own, healthy): &(usize, usize)| {
            (factor * healthy).checked_div(own).unwrap_or(0).min(100) as u32
        };
        let total: u32 = counts.iter().map(availability).sum::<u32>().min(100);
        let threshold = self.config.healthy_panic_threshold;
        let is_in_panic = |&(own, healthy): &(usize, usize)| {
            let percent = if own == 0 {
                0.0
            } else {
                100.0 * healthy as f64 / own as f64
            };
            total < 100 && percent < threshold
        };
        self.panics = counts.iter().map(is_in_panic).collect();
        let hosts: usize = counts.iter().map(|&(own, _)| own).sum();
        let all_in_panic = self.panics.iter().all(|&panics| panics);
        let mut left = 100;
        self.loads = counts
            .iter()
            .map(|count| {
                let share = if all_in_panic {
                    // Nobody knows better: each priority gets its share of hosts.
                    (100 * count.0).checked_div(hosts).unwrap_or(0) as u32
                } else {
                    (100 * availability(count)).checked_div(total).unwrap_or(0)
                };
                let load = share.min(left);
                left -= load;
                load
            })
            .collect();
        // What rounding leaves over goes to the first that takes any.
        let first = self.loads.iter().position(|&load| load > 0).unwrap_or(0);
        if let Some(load) = self.loads.get_mut(first) {
            *load += left;
        }
    }

    /// The set that a request goes to, as an index into [`set`](Self::set): of a priority and,
    /// where load is dealt out to zones, of a zone. None where requests fail in a panic.
    pub(super) fn choose(&mut self, rng: &mut Rng) -> Option<usize> {
        let level = match self.loads.iter().position(|&load| load == 100) {
            Some(only) => only,
            None => self.level(below(rng, 100) as u32),
        };
        if self.panics[level] {
            return (!self.zones.fails_on_panic()).then(|| self.whole(level));
        }
        Some(match self.zones.choose(level, rng) {
            Some(zone) => level * (WHOLE + self.zones.len()) + WHOLE + zone,
            None => self.whole(level),
        })
    }

    /// The priority with this percentile of the load, 0 to 99, as an index.
    fn level(&self, percentile: u32) -> usize {
        let mut left = percentile;
        let found = self.loads.iter().position(|&load| {
            let hit = left < load;
            left = left.wrapping_sub(load);
            hit
        });
        found.unwrap_or(0)
    }

    /// The priority of a request whose key has this hash, as an index.
    pub(super) fn level_of(&self, hash: u64) -> usize {
        self.level((hash % 100) as u32)
    }

    /// Whether there is no host at all, healthy or not.
    pub(super) fn is_empty(&self) -> bool {
        let mut all = self.sets.iter().step_by(WHOLE + self.zones.len());
        all.all(Vec::is_empty)
    }

    /// How many priorities there are.
    pub(super) fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The set of the hosts in use of a priority, whatever their zone.
    pub(super) fn whole(&self, level: usize) -> usize {
        level * (WHOLE + self.zones.len()) + usize::from(!self.panics[level])
    }

    /// How many sets there are.
    pub(super) fn sets(&self) -> usize {
        self.sets.len()
    }

    /// The hosts of a set, in order.
    pub(super) fn set(&self, set: usize) -> &[MemberId] {
        self.sets.get(set).map_or(&[], Vec::as_slice)
    }

    /// The hosts in use of a priority and their shares of its load: by weight, and by the weights
    /// of zones where load goes by them. Shares add up to 1.
    pub(super) fn shares(&self, level: usize, cx: &Context<'_>) -> Vec<(MemberId, f64)> {
        let whole = self.set(self.whole(level));
        let weight = |&member: &MemberId| f64::from(cx.pool.weight(member));
        let Some(zone_shares) = self.zones.weight_shares() else {
            let total: f64 = whole.iter().map(weight).sum();
            return whole
                .iter()
                .map(|member| (*member, weight(member) / total))
                .collect();
        };
        let mut shares = Vec::with_capacity(whole.len());
        for (zone, share) in zone_shares.into_iter().enumerate() {
            let in_zone = |member: &&MemberId| self.zones.of(**member) == Some(zone);
            let total: f64 = whole.iter().filter(in_zone).map(weight).sum();
            if share > 0.0 {
                let own = whole.iter().filter(in_zone);
                shares.extend(own.map(|member| (*member, weight(member) * share / total)));
            }
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::strategy::envoy::subset::Fallback;
    use crate::strategy::{
        Key, Labels, Member, News, Pick, Pool, Product, Request, UNLABELLED, envoy,
    };
    use lbsim_engine::rng::{Domain, Seeds};

    /// Six hosts in zones a, a, b, b, c, c, of versions 1, 2, 1, 2, 1, 2.
    fn members() -> Vec<Member> {
        let place = |(position, zone): (u32, &str)| {
            let mut member = Member::new(position, 1);
            member.zone = Some(zone.to_owned());
            let version = (1 + position % 2).to_string();
            member.labels = Labels::from([("version".to_owned(), version)]);
            member
        };
        (0..)
            .zip(["a", "a", "b", "b", "c", "c"])
            .map(place)
            .collect()
    }

    /// How many of 6,000 requests each member gets under Envoy's round robin; the last entry: how
    /// many fail.
    fn shares(
        cluster: Cluster,
        members: Vec<Member>,
        down: &[MemberId],
        labels: &Labels,
    ) -> Vec<u32> {
        let mut pool = Pool::new(members.into());
        for &member in down {
            pool.set_eligible(member, false);
        }
        let mut rng = Seeds::new(3, 0).stream(Domain::Strategy, 0);
        let mut cx = Context {
            now: Time::ZERO,
            pool: &pool,
            balancer: 0,
            rng: &mut rng,
            probes: &mut Vec::new(),
        };
        let config = envoy::round_robin::Config {
            cluster,
            ..Default::default()
        };
        let mut rule = envoy::round_robin::EnvoyRoundRobin::new(&config, &mut cx);
        let mut hits = vec![0; pool.len() + 1];
        for _ in 0..6000 {
            let request = Request {
                client: Key::Number(0),
                address: &[127, 0, 0, 1].into(),
                port: 0,
                key: Key::Number(0),
                labels,
                size: 1.0,
                tried: &[],
            };
            match rule.pick(&request, &mut cx) {
                Pick::Member(member) => hits[member as usize] += 1,
                _ => hits[pool.len()] += 1,
            }
        }
        hits
    }

    fn zone_aware(local_cluster: &[&str]) -> Cluster {
        Cluster {
            locality: Some(Locality::ZoneAware(super::super::locality::ZoneAware {
                local_cluster: local_cluster.iter().map(|&zone| zone.to_owned()).collect(),
                ..Default::default()
            })),
            ..Cluster::default()
        }
    }

    #[test]
    fn load_stays_in_its_zone_as_far_as_the_hosts_there_go() {
        let even = zone_aware(&["a", "b", "c"]);
        let own = shares(even, members(), &[], UNLABELLED);
        assert_eq!(own, [3000, 3000, 0, 0, 0, 0, 0]);
        // Two thirds of the proxies have a third of the hosts: half of their requests may stay.
        let crowded = zone_aware(&["a", "a", "b"]);
        let hits = shares(crowded, members(), &[], UNLABELLED);
        // Five standard deviations of a binomial of 6,000 and one half: a false alarm once in a
        // million seeds.
        assert!((hits[0] + hits[1]).abs_diff(3000) < 194, "{hits:?}");
        assert!(
            hits[2] + hits[3] == 0 && hits[4] + hits[5] > 2800,
            "{hits:?}"
        );
        // With a host down there are fewer than six, and zones do not matter.
        let few = shares(zone_aware(&["a", "b", "c"]), members(), &[5], UNLABELLED);
        assert_eq!(few, [1200, 1200, 1200, 1200, 1200, 0, 0]);
    }

    #[test]
    fn zones_take_turns_by_weight_and_health() {
        let weights = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 3)]);
        let cluster = || Cluster {
            locality: Some(Locality::LocalityWeighted(
                super::super::locality::LocalityWeighted {
                    weights: weights.clone(),
                },
            )),
            ..Cluster::default()
        };
        let hits = shares(cluster(), members(), &[], UNLABELLED);
        assert!(
            hits[0].abs_diff(750) <= 1 && hits[2].abs_diff(2250) <= 1,
            "{hits:?}"
        );
        assert_eq!(hits[4..], [0, 0, 0]);
        // Half of b: its weight is 3 times 0.7, against 1.
        let hits = shares(cluster(), members(), &[3], UNLABELLED);
        assert!(hits[2].abs_diff(4065) <= 2 && hits[3] == 0, "{hits:?}");
    }

    #[test]
    fn labels_choose_a_subset() {
        let cluster = |fallback| Cluster {
            subsets: Some(Subsets {
                selectors: vec![vec!["version".to_owned()]],
                fallback,
                default: Labels::from([("version".to_owned(), "2".to_owned())]),
            }),
            ..Cluster::default()
        };
        let asks = |value: &str| Labels::from([("version".to_owned(), value.to_owned())]);
        let one = [2000, 0, 2000, 0, 2000, 0, 0];
        let two = [0, 2000, 0, 2000, 0, 2000, 0];
        let hits = |fallback, labels: &Labels| shares(cluster(fallback), members(), &[], labels);
        assert_eq!(hits(Fallback::Nowhere, &asks("1")), one);
        assert_eq!(hits(Fallback::Nowhere, &asks("2")), two);
        assert_eq!(
            hits(Fallback::Nowhere, &asks("3")),
            [0, 0, 0, 0, 0, 0, 6000]
        );
        assert_eq!(
            hits(Fallback::Nowhere, UNLABELLED),
            [0, 0, 0, 0, 0, 0, 6000]
        );
        assert_eq!(
            hits(Fallback::AnyEndpoint, &asks("3")),
            [1000, 1000, 1000, 1000, 1000, 1000, 0]
        );
        assert_eq!(hits(Fallback::DefaultSubset, UNLABELLED), two);
    }

    #[test]
    fn what_rounding_leaves_over_goes_to_the_first_priority_that_takes_any() {
        let members: Vec<Member> = (0..9)
            .map(|position| {
                let mut member = Member::new(position, 1);
                member.priority = position / 3;
                member
            })
            .collect();
        // One host of three in each priority: each is worth 46 of 100, and 33 of 100 once scaled,
        // were it not for panic.
        let cluster = Cluster {
            healthy_panic_threshold: 0.0,
            overprovisioning_factor: 100,
            ..Cluster::default()
        };
        let mut pool = Pool::new(members.into());
        for member in [1, 2, 4, 5, 7, 8] {
            pool.set_eligible(member, false);
        }
        let mut cx = Context {
            now: Time::ZERO,
            pool: &pool,
            balancer: 0,
            rng: &mut Seeds::new(3, 0).stream(Domain::Strategy, 0),
            probes: &mut Vec::new(),
        };
        let hosts = Hosts::new(&cluster, &mut cx);
        assert_eq!(hosts.loads, [34, 33, 33]);
        assert_eq!(
            (hosts.level_of(33), hosts.level_of(34), hosts.level_of(199)),
            (0, 1, 2)
        );
    }
}
