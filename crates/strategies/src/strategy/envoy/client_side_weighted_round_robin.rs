//! Takes hosts in turn, in proportion to how many requests they answer for the load that they
//! report. This is Envoy's `client_side_weighted_round_robin`.
//!
//! A host's weight is its rate over its utilization; errors count as utilization. A report counts
//! once the host has reported for `blackout-period`, and until `weight-expiration-period` after the
//! last one; hosts without weight get the median of the others.
//!
//! **Sees:** rate, errors and CPU of hosts as their monitoring agents report them; health,
//! priorities.
//! **Cost of a pick:** log n; n log n each time that weights are reckoned anew.
//! **Fails when:** reports are rare or the load changes faster than they come.
//! **Source:** Envoy 1.40,
//! source/extensions/load_balancing_policies/client_side_weighted_round_robin.
//! **Differs:** from weighted round robin by weights that nobody configures. Reports come from the
//! server's agent at its interval, not with each answer.
//! **Verified:** documented only; the turns themselves by recordings of `ROUND_ROBIN`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edf::Edf;
use super::hosts::{Cluster, Hosts};
use super::load_balancer::{LoadBalancer, Policy};
use crate::strategy::grpc::weighted_round_robin::weight;
use crate::strategy::{Context, MemberId, Report, Request};
use lbsim_engine::rng::below;
use lbsim_engine::time::{Span, Time};

/// Settings of `envoy-client-side-weighted-round-robin`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long a host must have reported before its reports count.
    pub blackout_period: Span,
    /// How long a report counts.
    pub weight_expiration_period: Span,
    /// How often weights are reckoned anew.
    #[schemars(extend("x-least" = "1ms"))]
    pub weight_update_period: Span,
    /// How much errors count for.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub error_utilization_penalty: f64,
    /// Health of the cluster.
    pub cluster: Cluster,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            blackout_period: Span::from_secs(10),
            weight_expiration_period: Span::from_secs(180),
            weight_update_period: Span::from_secs(1),
            error_utilization_penalty: 1.0,
            cluster: Cluster::default(),
        }
    }
}

/// `client_side_weighted_round_robin`.
pub type EnvoyClientSideWeightedRoundRobin = LoadBalancer<ClientSideWeightedRoundRobin>;

/// Takes hosts in turn by the weights that they report.
#[derive(Clone, Debug)]
pub struct ClientSideWeightedRoundRobin {
    config: Config,
    hosts: Hosts,
    /// By member: the weight reported, since when it reports, and when it did last.
    reported: Vec<(f64, Option<Time>, Time)>,
    /// By member: the whole weight with which it takes turns.
    weights: Vec<f64>,
    edf: Vec<Edf>,
    start: u32,
    version: u64,
    next_update: Time,
}

impl ClientSideWeightedRoundRobin {
    fn reckon(&mut self, now: Time) {
        let usable = |&(weight, since, last): &(f64, Option<Time>, Time)| {
            let fresh = now - last < self.config.weight_expiration_period;
            let long_enough = since.is_some_and(|since| now - since >= self.config.blackout_period);
            (fresh && long_enough && weight >= 1.0).then_some(weight.floor())
        };
        let mut known: Vec<f64> = self.reported.iter().filter_map(usable).collect();
        known.sort_by(f64::total_cmp);
        let median = known.get(known.len() / 2).copied().unwrap_or(1.0);
        self.weights = self
            .reported
            .iter()
            .map(|reported| usable(reported).unwrap_or(median))
            .collect();
        self.next_update = now + self.config.weight_update_period.max(Span::from_millis(1));
        self.version = self.hosts.version();
        self.edf = (0..self.hosts.sets())
            .map(|set| {
                let members = self.hosts.set(set).iter();
                let weighed: Vec<(MemberId, f64)> =
                    members.map(|&m| (m, self.weights[m as usize])).collect();
                Edf::after(self.start, &weighed)
            })
            .collect();
    }
}

impl Policy for ClientSideWeightedRoundRobin {
    const READS_REPORTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, hosts: Hosts, cx: &mut Context<'_>) -> Self {
        let mut policy = ClientSideWeightedRoundRobin {
            hosts,
            reported: vec![(0.0, None, Time::ZERO); cx.pool.len()],
            weights: Vec::new(),
            edf: Vec::new(),
            start: below(cx.rng, 1 << 20) as u32,
            version: 0,
            next_update: Time::ZERO,
            config: config.clone(),
        };
        policy.reckon(cx.now);
        policy
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

    fn eligibility_changed(&mut self, member: MemberId, _: &mut Context<'_>) {
        self.reported[member as usize].1 = None;
    }

    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
        let weight = weight(report, self.config.error_utilization_penalty);
        if weight > 0.0 {
            let (_, since, _) = self.reported[member as usize];
            self.reported[member as usize] = (weight, since.or(Some(cx.now)), cx.now);
        }
    }

    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Option<MemberId> {
        if cx.now >= self.next_update || self.version != self.hosts.version() {
            self.reckon(cx.now);
        }
        let weights = &self.weights;
        let set = self.hosts.choose(cx.rng)?;
        self.edf
            .get_mut(set)?
            .pick(|member| weights[member as usize])
    }
}
