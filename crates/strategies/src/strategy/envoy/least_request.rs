//! Draws two hosts and takes the one with fewer active requests; where weights differ, takes hosts
//! by deadline instead. This is Envoy's `LEAST_REQUEST`.
//!
//! With equal weights `choice-count` hosts are drawn, the same one possibly twice, and a later one
//! wins only with strictly fewer requests; `full-scan` looks at all, and draws among the least
//! loaded. With unlike weights each host is due again after (active + 1)^`active-request-bias` over
//! its weight, as it was when the host was last picked: a count that is not refreshed when requests
//! end.
//!
//! **Sees:** its own requests in flight, weights, health, priorities, the outcome of its own
//! attempts.
//! **Cost of a pick:** constant; log n with unlike weights; linear with `full-scan`, as in Envoy.
//! **Fails when:** weights differ: it may send to a busy host while others are idle; and when many
//! balancers see a small part of the load each.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/least_request.
//! **Differs:** from least connections in nearly everything: two choices with replacement, or stale
//! weights.
//! **Verified:** picks equal to recordings with unlike weights, from some start; always among the
//! least loaded with `full-scan`; shares equal with two choices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hosts::{Cluster, Hosts};
use super::load_balancer::{LoadBalancer, Policy};
use super::schedule::Schedules;
use super::slow_start::{SlowStart, Starts};
use crate::strategy::{Context, MemberId, Request};
use lbsim_engine::rng::below;

/// Settings of `envoy-least-request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Hosts drawn, with equal weights.
    #[schemars(range(min = 2, max = 1000))]
    pub choice_count: u32,
    /// How hosts of equal weights are compared.
    pub selection_method: SelectionMethod,
    /// How much active requests count for where weights differ; with 0 not at all.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub active_request_bias: f64,
    /// How a host that has become healthy begins.
    pub slow_start: SlowStart,
    /// Where turns begin; a random place where it is left out.
    pub seed: Option<u32>,
    /// Health of the cluster.
    pub cluster: Cluster,
}

/// How hosts of equal weights are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionMethod {
    /// Some that are drawn.
    #[default]
    NChoices,
    /// All.
    FullScan,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            choice_count: 2,
            selection_method: SelectionMethod::NChoices,
            active_request_bias: 1.0,
            slow_start: SlowStart::default(),
            seed: None,
            cluster: Cluster::default(),
        }
    }
}

/// `LEAST_REQUEST`.
pub type EnvoyLeastRequest = LoadBalancer<LeastRequest>;

/// Takes the host with fewer active requests of some that are drawn.
#[derive(Clone, Debug)]
pub struct LeastRequest {
    config: Config,
    hosts: Hosts,
    starts: Starts,
    schedules: Schedules,
}

/// Draws `count` hosts, with replacement, and takes the least loaded, the first of equals.
pub(in crate::strategy) fn draw(
    hosts: &[MemberId],
    count: u32,
    cx: &mut Context<'_>,
) -> Option<MemberId> {
    let mut best: Option<MemberId> = None;
    for _ in 0..count {
        let drawn = *hosts.get(below(cx.rng, hosts.len().max(1)))?;
        let load = |member| cx.pool.in_flight(member);
        if best.is_none_or(|best| load(drawn) < load(best)) {
            best = Some(drawn);
        }
    }
    best
}

/// The least loaded of all; equals are drawn from, each with the same chance, in one pass.
fn scan(hosts: &[MemberId], cx: &mut Context<'_>) -> Option<MemberId> {
    let mut best: Option<(MemberId, u32)> = None;
    let mut equals = 0;
    for &member in hosts {
        let load = cx.pool.in_flight(member);
        match best {
            Some((_, least)) if load > least => continue,
            Some((_, least)) if load == least => equals += 1,
            _ => equals = 1,
        }
        if equals == 1 || below(cx.rng, equals) == 0 {
            best = Some((member, load));
        }
    }
    best.map(|(member, _)| member)
}

impl Policy for LeastRequest {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, hosts: Hosts, cx: &mut Context<'_>) -> Self {
        LeastRequest {
            hosts,
            starts: Starts::new(&config.slow_start),
            schedules: Schedules::new(config.seed, cx),
            config: config.clone(),
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
        let bias = self.config.active_request_bias;
        let weight = |member| {
            let active = f64::from(cx.pool.in_flight(member)) + 1.0;
            let divisor = if bias == 1.0 {
                active
            } else {
                libm::pow(active, bias)
            };
            let weight = f64::from(cx.pool.weight(member)) / divisor;
            weight * self.starts.factor(member, cx.now)
        };
        if let Some(member) = self.schedules.pick(&self.hosts, set, slow, weight, cx) {
            return Some(member);
        }
        let hosts = self.hosts.set(set);
        match self.config.selection_method {
            SelectionMethod::NChoices => draw(hosts, self.config.choice_count, cx),
            SelectionMethod::FullScan => scan(hosts, cx),
        }
    }
}
