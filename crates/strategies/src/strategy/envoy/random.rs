//! Draws a healthy host, whatever its weight. This is Envoy's `RANDOM`.
//!
//! **Sees:** health, priorities, the outcome of its own attempts.
//! **Cost of a pick:** constant.
//! **Fails when:** hosts are unlike, and at any load that is not low: drawing alone leaves long
//! queues.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/random.
//! **Differs:** from random by panic, priorities and ejection.
//! **Verified:** documented only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hosts::{Cluster, Hosts};
use super::load_balancer::{LoadBalancer, Policy};
use crate::strategy::{Context, MemberId, Request};
use lbsim_engine::rng::below;

/// Settings of `envoy-random`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Health of the cluster.
    pub cluster: Cluster,
}

/// `RANDOM`.
pub type EnvoyRandom = LoadBalancer<RandomPolicy>;

/// Draws a host.
#[derive(Clone, Debug)]
pub struct RandomPolicy {
    hosts: Hosts,
}

impl Policy for RandomPolicy {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, hosts: Hosts, _: &mut Context<'_>) -> Self {
        RandomPolicy { hosts }
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

    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Option<MemberId> {
        let set = self.hosts.choose(cx.rng)?;
        let hosts = self.hosts.set(set);
        let drawn = (!hosts.is_empty()).then(|| below(cx.rng, hosts.len()))?;
        Some(hosts[drawn])
    }
}
