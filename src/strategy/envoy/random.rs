//! Draws a healthy host, whatever its weight. This is Envoy's `RANDOM`.
//!
//! **Sees:** health, priorities, the outcome of its own attempts.
//! **Cost of a pick:** constant.
//! **Fails when:** hosts are unlike, and at any load that is not low: drawing alone leaves long queues.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/random.
//! **Differs:** from random by panic, priorities and ejection.
//! **Verified:** documented only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hosts::{Cluster, Hosts};
use crate::rng::below;
use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Request};

/// Settings of `envoy-random`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Health of the cluster.
    pub cluster: Cluster,
}

/// `RANDOM`.
#[derive(Clone, Debug)]
pub struct EnvoyRandom {
    hosts: Hosts,
}

impl News for EnvoyRandom {
    type Config = Config;

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        EnvoyRandom {
            hosts: Hosts::new(&config.cluster, cx),
        }
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.hosts.answered(answer, cx);
    }

    fn eligibility_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.hosts.changed(cx);
    }

    fn membership_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.hosts.changed(cx);
    }
}

impl Product for EnvoyRandom {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.hosts.advance(cx);
        let priority = self.hosts.priority(cx.rng);
        let in_use = self.hosts.in_use(priority);
        if in_use.is_empty() {
            return Pick::Nobody;
        }
        Pick::Member(in_use[below(cx.rng, in_use.len())])
    }
}
