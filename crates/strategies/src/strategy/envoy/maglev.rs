//! Looks keys up in a table of 65,537 places that is dealt out by weight. This is Envoy's `MAGLEV`.
//!
//! Each host has its own order of preference over the places, by hashes of its address, and takes
//! the best free one when its turn comes; hosts of less weight skip turns. When a host goes, its
//! keys move and few others.
//!
//! **Sees:** keys, weights, health, priorities, the outcome of its own attempts; its own requests
//! in flight with `hash-balance-factor`.
//! **Cost of a pick:** constant; the table is dealt out anew after a change of health.
//! **Fails when:** keys are hot.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/maglev; Eisenbud et al.,
//! "Maglev: a fast and reliable software network load balancer", NSDI 2016.
//! **Differs:** from the paper by weights, priorities and bounded loads. Zones count only by
//! `locality-weighted`, as in Envoy.
//! **Verified:** picks equal to recordings, with two sizes, weights, and a host removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::hashing::{Hashing, Table};
use super::hosts::Cluster;
use super::load_balancer::LoadBalancer;
use crate::strategy::MemberId;

/// Settings of `envoy-maglev`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Places of the table: a prime; of another number, the next prime.
    #[schemars(range(min = 3, max = 5_000_011))]
    pub table_size: u32,
    /// The most that a host may have, in percent of its share; 0: any number.
    #[schemars(range(min = 0, max = 100_000))]
    pub hash_balance_factor: u32,
    /// Health of the cluster.
    pub cluster: Cluster,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            table_size: 65_537,
            hash_balance_factor: 0,
            cluster: Cluster::default(),
        }
    }
}

/// `MAGLEV`.
pub type EnvoyMaglev = LoadBalancer<Hashing<Maglev>>;

/// The table.
#[derive(Clone, Debug)]
pub struct Maglev {
    places: Vec<MemberId>,
}

/// A host that takes places.
struct Taker<'a> {
    member: MemberId,
    key: &'a str,
    share: f64,
    wish: u64,
    skip: u64,
    /// It takes its next turn when so much weight has gone round.
    target: f64,
}

/// The least prime that is not below `size`: with any other some places could be out of a host's
/// reach.
fn prime(size: u32) -> u32 {
    let is_prime = |n: u32| {
        (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
    };
    (size.max(3)..).find(|&n| is_prime(n)).unwrap_or(size)
}

/// Deals out a table of `size` places to hosts with these shares of the weight.
fn deal(size: u32, hosts: &[(MemberId, &str, f64)]) -> Vec<MemberId> {
    const FREE: MemberId = MemberId::MAX;
    let size = u64::from(size);
    let mut takers: Vec<Taker<'_>> = hosts
        .iter()
        .map(|&(member, key, share)| Taker {
            member,
            key,
            share,
            wish: xxh64(key.as_bytes(), 0) % size,
            skip: xxh64(key.as_bytes(), 1) % (size - 1) + 1,
            target: 0.0,
        })
        .collect();
    takers.sort_by(|one, other| one.key.cmp(other.key));
    let most = hosts.iter().map(|&(.., share)| share).fold(0.0, f64::max);
    let mut table = vec![FREE; size as usize];
    let mut free = if takers.is_empty() || most <= 0.0 {
        0
    } else {
        size
    };
    let mut round = 1.0;
    while free > 0 {
        for taker in &mut takers {
            if free == 0 {
                break;
            }
            if round * taker.share < taker.target {
                continue;
            }
            taker.target += most;
            while table[taker.wish as usize] != FREE {
                taker.wish = (taker.wish + taker.skip) % size;
            }
            table[taker.wish as usize] = taker.member;
            free -= 1;
        }
        round += 1.0;
    }
    table
}

impl Table for Maglev {
    type Config = Config;

    fn cluster(config: &Config) -> &Cluster {
        &config.cluster
    }

    fn balance_factor(config: &Config) -> u32 {
        config.hash_balance_factor
    }

    fn new(config: &Config, hosts: &[(MemberId, &str, f64)]) -> Maglev {
        let places = match hosts {
            [] => Vec::new(),
            _ => deal(prime(config.table_size), hosts),
        };
        Maglev { places }
    }

    fn find(&self, hash: u64, attempt: usize) -> Option<MemberId> {
        // A further attempt turns the bits of the hash over.
        let hash = match attempt as u64 {
            0 => hash,
            attempt => hash ^ 0u64.wrapping_sub(attempt),
        };
        let places = self.places.len().max(1) as u64;
        self.places.get((hash % places) as usize).copied()
    }
}
