//! Looks keys up in a table of 65,537 places that is dealt out by weight. This is Envoy's `MAGLEV`.
//!
//! Each host has its own order of preference over the places, by hashes of its address, and takes the best free one when its
//! turn comes; hosts of less weight skip turns. When a host goes, its keys move and few others.
//!
//! **Sees:** keys, weights, health, priorities, the outcome of its own attempts; its own requests in flight with
//! `hash-balance-factor`.
//! **Cost of a pick:** constant; the table is dealt out anew after a change of health.
//! **Fails when:** keys are hot.
//! **Source:** Envoy 1.40, source/extensions/load_balancing_policies/maglev; Eisenbud et al., "Maglev: a fast and reliable software
//! network load balancer", NSDI 2016.
//! **Differs:** from the paper by weights. With `hash-balance-factor` the order in which other hosts are tried is drawn from
//! the key by another generator than Envoy's. Zone-aware routing, localities and subsets are left out.
//! **Verified:** picks equal to recordings, with two sizes, weights, and a host removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::bounded::Bounded;
use super::hosts::{Cluster, Hosts};
use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Request};

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
#[derive(Clone, Debug)]
pub struct EnvoyMaglev {
    size: u32,
    hosts: Hosts,
    /// By priority.
    tables: Vec<(Vec<MemberId>, Bounded)>,
    version: u64,
    bounded: Bounded,
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

/// The least prime that is not below `size`: with any other some places could be out of a host's reach.
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

impl EnvoyMaglev {
    fn place(&mut self, cx: &Context<'_>) {
        self.version = self.hosts.version();
        self.tables = (0..self.hosts.priorities())
            .map(|priority| {
                let in_use = self.hosts.in_use(priority);
                let weight = |member: MemberId| f64::from(cx.pool.weight(member));
                let total: f64 = in_use.iter().map(|&member| weight(member)).sum();
                let hosts: Vec<(MemberId, &str, f64)> = in_use
                    .iter()
                    .map(|&member| {
                        let address = cx.pool.members()[member as usize].address.as_str();
                        (member, address, weight(member) / total)
                    })
                    .collect();
                let mut bounded = self.bounded.clone();
                bounded.place(hosts.iter().map(|&(m, _, share)| (m, share)).collect());
                (deal(self.size, &hosts), bounded)
            })
            .collect();
    }
}

impl News for EnvoyMaglev {
    type Config = Config;

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = EnvoyMaglev {
            size: prime(config.table_size),
            hosts: Hosts::new(&config.cluster, cx),
            tables: Vec::new(),
            version: 0,
            bounded: Bounded::new(config.hash_balance_factor),
        };
        rule.place(cx);
        rule
    }

    fn sent(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.bounded.sent();
        self.tables
            .iter_mut()
            .for_each(|(_, bounded)| bounded.sent());
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.bounded.answered();
        self.tables
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

impl Product for EnvoyMaglev {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.hosts.advance(cx);
        if self.version != self.hosts.version() {
            self.place(cx);
        }
        let priority = self.hosts.priority(cx.rng);
        let key = request.key.bytes(|bytes| xxh64(bytes, 0));
        // A further attempt turns the bits of the hash over.
        let hash = match request.tried.len() as u64 {
            0 => key,
            attempt => key ^ 0u64.wrapping_sub(attempt),
        };
        let Some((table, bounded)) = self.tables.get(priority) else {
            return Pick::Nobody;
        };
        let place = (hash % u64::from(self.size)) as usize;
        match table
            .get(place)
            .filter(|_| !self.hosts.in_use(priority).is_empty())
        {
            Some(&member) => Pick::Member(bounded.settle(member, hash, cx)),
            None => Pick::Nobody,
        }
    }
}
