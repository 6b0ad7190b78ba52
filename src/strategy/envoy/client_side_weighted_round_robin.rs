//! Takes hosts in turn, in proportion to how many requests they answer for the load that they report. This is Envoy's
//! `client_side_weighted_round_robin`.
//!
//! A host's weight is its rate over its utilization; errors count as utilization. A report counts once the host has reported
//! for `blackout-period`, and until `weight-expiration-period` after the last one; hosts without weight get the median of
//! the others.
//!
//! **Sees:** rate, errors and CPU of hosts as their monitoring agents report them; health, priorities.
//! **Cost of a pick:** log n; n log n each time that weights are reckoned anew.
//! **Fails when:** reports are rare or the load changes faster than they come.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/client_side_weighted_round_robin.
//! **Differs:** from weighted round robin by weights that nobody configures. Reports come from the server's agent at its interval,
//! not with each answer.
//! **Verified:** documented only; the turns themselves by recordings of `ROUND_ROBIN`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edf::Edf;
use super::hosts::{Cluster, Hosts};
use crate::rng::below;
use crate::strategy::grpc::weighted_round_robin::weight;
use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Report, Request};
use crate::time::{Span, Time};

/// Settings of `envoy-client-side-weighted-round-robin`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long a host must have reported before its reports count.
    pub blackout_period: Span,
    /// How long a report counts.
    pub weight_expiration_period: Span,
    /// How often weights are reckoned anew.
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
#[derive(Clone, Debug)]
pub struct EnvoyClientSideWeightedRoundRobin {
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

impl EnvoyClientSideWeightedRoundRobin {
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
        self.edf = (0..self.hosts.priorities())
            .map(|priority| {
                let members = self.hosts.in_use(priority).iter();
                let weighed: Vec<(MemberId, f64)> =
                    members.map(|&m| (m, self.weights[m as usize])).collect();
                Edf::after(self.start, &weighed)
            })
            .collect();
    }
}

impl News for EnvoyClientSideWeightedRoundRobin {
    const READS_REPORTS: bool = true;
    type Config = Config;

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = EnvoyClientSideWeightedRoundRobin {
            hosts: Hosts::new(&config.cluster, cx),
            reported: vec![(0.0, None, Time::ZERO); cx.pool.len()],
            weights: Vec::new(),
            edf: Vec::new(),
            start: below(cx.rng, 1 << 20) as u32,
            version: 0,
            next_update: Time::ZERO,
            config: config.clone(),
        };
        rule.reckon(cx.now);
        rule
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.hosts.answered(answer, cx);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.reported[member as usize].1 = None;
        self.hosts.changed(cx);
    }

    fn membership_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.hosts.changed(cx);
    }

    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
        let weight = weight(report, self.config.error_utilization_penalty);
        if weight > 0.0 {
            let (_, since, _) = self.reported[member as usize];
            self.reported[member as usize] = (weight, since.or(Some(cx.now)), cx.now);
        }
    }
}

impl Product for EnvoyClientSideWeightedRoundRobin {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.hosts.advance(cx);
        if cx.now >= self.next_update || self.version != self.hosts.version() {
            self.reckon(cx.now);
        }
        let priority = self.hosts.priority(cx.rng);
        let weights = &self.weights;
        let Some(edf) = self.edf.get_mut(priority) else {
            return Pick::Nobody;
        };
        edf.pick(|member| weights[member as usize])
            .map_or(Pick::Nobody, Pick::Member)
    }
}
