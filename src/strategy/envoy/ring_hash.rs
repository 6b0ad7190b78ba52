//! Puts hosts and keys on a ring by hash; a request goes to the host of the first point at or after its key. This is Envoy's
//! `RING_HASH`.
//!
//! How many points a host has depends on how many hosts there are (at least `minimum-ring-size` in all), so when one goes,
//! keys of others move as well. A second attempt goes to the next point.
//!
//! **Sees:** keys, weights, health, priorities, the outcome of its own attempts; its own requests in flight with
//! `hash-balance-factor`.
//! **Cost of a pick:** log of the number of points; the ring is built anew after a change of health.
//! **Fails when:** keys are hot; with few points a host, shares are uneven.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/ring_hash.
//! **Differs:** from consistent hashing by the number of points. With `hash-balance-factor` the order in which other hosts are
//! tried is drawn from the key by another generator than Envoy's. Zone-aware routing, localities and subsets are left out.
//! **Verified:** picks equal to recordings, with both hash functions, several sizes and weights, and a host removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::bounded::Bounded;
use super::hosts::{Cluster, Hosts};
use crate::strategy::hash::envoy_ring::EnvoyRing;
use crate::strategy::hash::murmur::murmur2;
use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Request};

/// Settings of `envoy-ring-hash`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Points in all at least.
    #[schemars(range(min = 1, max = 8_388_608))]
    pub minimum_ring_size: u64,
    /// Points in all at most.
    #[schemars(range(min = 1, max = 8_388_608))]
    pub maximum_ring_size: u64,
    /// What hosts are hashed by; keys are hashed by xxHash.
    pub hash_function: HashFunction,
    /// The most that a host may have, in percent of its share; 0: any number.
    #[schemars(range(min = 0, max = 100_000))]
    pub hash_balance_factor: u32,
    /// Health of the cluster.
    pub cluster: Cluster,
}

/// What hosts are hashed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HashFunction {
    /// xxHash, 64 bits.
    #[default]
    XxHash,
    /// MurmurHash2, 64 bits.
    #[serde(rename = "murmur-hash-2")]
    MurmurHash2,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            minimum_ring_size: 1024,
            maximum_ring_size: 8 << 20,
            hash_function: HashFunction::XxHash,
            hash_balance_factor: 0,
            cluster: Cluster::default(),
        }
    }
}

/// `RING_HASH`.
#[derive(Clone, Debug)]
pub struct EnvoyRingHash {
    config: Config,
    hosts: Hosts,
    /// By priority.
    rings: Vec<(EnvoyRing, Bounded)>,
    version: u64,
    bounded: Bounded,
}

impl EnvoyRingHash {
    fn place(&mut self, cx: &Context<'_>) {
        let hash = match self.config.hash_function {
            HashFunction::XxHash => |bytes: &[u8]| xxh64(bytes, 0),
            HashFunction::MurmurHash2 => murmur2,
        };
        let sizes = (self.config.minimum_ring_size, self.config.maximum_ring_size);
        self.version = self.hosts.version();
        self.rings = (0..self.hosts.priorities())
            .map(|priority| {
                let hosts: Vec<(MemberId, &str, f64)> = self
                    .hosts
                    .in_use(priority)
                    .iter()
                    .map(|&member| {
                        let address = cx.pool.members()[member as usize].address.as_str();
                        (member, address, f64::from(cx.pool.weight(member)))
                    })
                    .collect();
                let total: f64 = hosts.iter().map(|&(.., weight)| weight).sum();
                let mut bounded = self.bounded.clone();
                bounded.place(
                    hosts
                        .iter()
                        .map(|&(m, _, weight)| (m, weight / total))
                        .collect(),
                );
                (EnvoyRing::new(&hosts, sizes, hash), bounded)
            })
            .collect();
    }
}

impl News for EnvoyRingHash {
    type Config = Config;

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = EnvoyRingHash {
            hosts: Hosts::new(&config.cluster, cx),
            rings: Vec::new(),
            version: 0,
            bounded: Bounded::new(config.hash_balance_factor),
            config: config.clone(),
        };
        rule.place(cx);
        rule
    }

    fn sent(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.bounded.sent();
        self.rings
            .iter_mut()
            .for_each(|(_, bounded)| bounded.sent());
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.bounded.answered();
        self.rings
            .iter_mut()
            .for_each(|(_, bounded)| bounded.answered());
        self.hosts.answered(answer, cx);
    }

    fn eligibility_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.hosts.changed(cx);
    }

    fn membership_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.hosts.changed(cx);
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, cx: &mut Context<'_>) {
        self.hosts.changed(cx);
    }
}

impl Product for EnvoyRingHash {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.hosts.advance(cx);
        if self.version != self.hosts.version() {
            self.place(cx);
        }
        let priority = self.hosts.priority(cx.rng);
        let hash = request.key.bytes(|bytes| xxh64(bytes, 0));
        let Some((ring, bounded)) = self.rings.get(priority) else {
            return Pick::Nobody;
        };
        match ring.pick(hash, request.tried.len()) {
            Some(member) => Pick::Member(bounded.settle(member, hash, cx)),
            None => Pick::Nobody,
        }
    }
}
