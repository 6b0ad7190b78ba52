//! Puts hosts and keys on a ring by hash; a request goes to the host of the first point at or after
//! its key. This is Envoy's `RING_HASH`.
//!
//! How many points a host has depends on how many hosts there are (at least `minimum-ring-size` in
//! all), so when one goes, keys of others move as well. A second attempt goes to the next point.
//!
//! **Sees:** keys, weights, health, priorities, the outcome of its own attempts; its own requests
//! in flight with `hash-balance-factor`.
//! **Cost of a pick:** log of the number of points; the ring is built anew after a change of
//! health.
//! **Fails when:** keys are hot; with few points a host, shares are uneven.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/ring_hash.
//! **Differs:** from consistent hashing by the number of points, priorities and bounded loads.
//! Zones count only by `locality-weighted`, as in Envoy.
//! **Verified:** picks equal to recordings, with both hash functions, several sizes and weights,
//! and a host removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::hashing::{Hashing, Table};
use super::hosts::Cluster;
use super::load_balancer::LoadBalancer;
use crate::strategy::hash::envoy_ring::EnvoyRing;
use crate::strategy::hash::murmur::murmur2;
use crate::strategy::{BadSetting, MemberId};

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
pub type EnvoyRingHash = LoadBalancer<Hashing<EnvoyRing>>;

impl Table for EnvoyRing {
    type Config = Config;

    fn check(config: &Config) -> Result<(), BadSetting> {
        if config.minimum_ring_size <= config.maximum_ring_size {
            return Ok(());
        }
        Err(BadSetting {
            setting: "minimum-ring-size",
            message: format!(
                "must not be more than `maximum-ring-size` (it is {}, that is {})",
                config.minimum_ring_size, config.maximum_ring_size
            ),
        })
    }

    fn cluster(config: &Config) -> &Cluster {
        &config.cluster
    }

    fn balance_factor(config: &Config) -> u32 {
        config.hash_balance_factor
    }

    fn new(config: &Config, hosts: &[(MemberId, &str, f64)]) -> EnvoyRing {
        let sizes = (config.minimum_ring_size, config.maximum_ring_size);
        match config.hash_function {
            HashFunction::XxHash => EnvoyRing::new(hosts, sizes, |bytes| xxh64(bytes, 0)),
            HashFunction::MurmurHash2 => EnvoyRing::new(hosts, sizes, murmur2),
        }
    }

    fn find(&self, hash: u64, attempt: usize) -> Option<MemberId> {
        self.pick(hash, attempt)
    }
}
