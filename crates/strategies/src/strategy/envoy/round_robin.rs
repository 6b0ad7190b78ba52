//! Takes hosts in turn, in proportion to weight: by deadline where weights differ, in order where
//! they do not. This is Envoy's `ROUND_ROBIN`.
//!
//! Each host is due again one over its weight later. Turns begin at a random place. Where too few
//! hosts are healthy, all are used (panic); a host that fails too often is ejected where
//! `outlier-detection` says so.
//!
//! State is per balancer: each worker thread of Envoy takes turns by itself, so model W workers as
//! W balancers.
//!
//! **Sees:** weights, health, priorities, the outcome of its own attempts.
//! **Cost of a pick:** log n, constant with equal weights; n log n after a change of health.
//! **Fails when:** requests are unlike, as any round robin; with many workers, whose turns together
//! are nearly random.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/round_robin.
//! **Differs:** from weighted round robin by the order of turns (weights 3, 2, 1 give s1 s2 s1 s3
//! s2 s1), panic, ejection and slow start. Left out: retry plugins, degraded hosts, and what
//! subsets can do beyond selectors with one fallback.
//! **Verified:** picks equal to recordings from some start, also in a panic and with ejections.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hosts::{Cluster, Hosts};
use super::load_balancer::{LoadBalancer, Policy};
use super::schedule::Schedules;
use super::slow_start::{SlowStart, Starts};
use crate::strategy::{Context, MemberId, Request};

/// Settings of `envoy-round-robin`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How a host that has become healthy begins.
    pub slow_start: SlowStart,
    /// Where turns begin; a random place where it is left out.
    pub seed: Option<u32>,
    /// Health of the cluster.
    pub cluster: Cluster,
}

/// `ROUND_ROBIN`.
pub type EnvoyRoundRobin = LoadBalancer<RoundRobinPolicy>;

/// Takes hosts in turn.
#[derive(Clone, Debug)]
pub struct RoundRobinPolicy {
    hosts: Hosts,
    starts: Starts,
    schedules: Schedules,
    /// Turns taken, by set of hosts.
    turns: Vec<u64>,
}

impl Policy for RoundRobinPolicy {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, hosts: Hosts, cx: &mut Context<'_>) -> Self {
        let schedules = Schedules::new(config.seed, cx);
        RoundRobinPolicy {
            turns: vec![u64::from(schedules.seed()); hosts.sets()],
            hosts,
            starts: Starts::new(&config.slow_start),
            schedules,
        }
    }

    fn cluster(config: &Config) -> &Cluster {
        &config.cluster
    }

    fn hosts(&mut self) -> &mut Hosts {
        &mut self.hosts
    }

    fn known(&self) -> &Hosts {
        &self.hosts
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.starts.eligibility_changed(member, cx);
    }

    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Option<MemberId> {
        let set = self.hosts.choose(cx.rng)?;
        let slow = self.starts.are_under_way(cx.now);
        let weight =
            |member| f64::from(cx.pool.weight(member)) * self.starts.factor(member, cx.now);
        if let Some(member) = self.schedules.pick(&self.hosts, set, slow, weight, cx) {
            return Some(member);
        }
        let hosts = self.hosts.set(set);
        let turn = &mut self.turns[set];
        let member = *hosts.get((*turn % hosts.len().max(1) as u64) as usize)?;
        *turn += 1;
        Some(member)
    }
}
