//! What the hashing algorithms of HAProxy share: the hash function, how hashes are turned into
//! servers, and bounded loads. (2.6, src/backend.c, src/lb_map.c, src/lb_chash.c)

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::backend::Algorithm;
use super::map::Map;
use super::ring::HashRing;
use super::servers::{Servers, Shared};
use crate::strategy::hash::haproxy::{Function, full_hash};
use crate::strategy::{Context, MemberId, Origin, Pick, Request};
use lbsim_engine::time::Span;

/// Settings that all hashing algorithms have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How hashes are turned into servers.
    pub hash_type: HashType,
    /// The hash function; by default sdbm.
    pub hash_function: Option<Function>,
    /// Whether the hash is hashed once more, so that neighbours lie far apart; by default only with
    /// `consistent` and no `hash-function`.
    pub avalanche: Option<bool>,
    /// With `consistent`: the most that a server may have, in percent of the average; more go to
    /// the next on the ring. 0: any number.
    #[schemars(range(min = 0, max = 100_000))]
    pub hash_balance_factor: u32,
    /// How long a server that has come back takes to reach its full weight and its `maxconn`; 0: at
    /// once. The map knows no slow start.
    pub slowstart: Span,
    /// Whether all backups serve where no other server can, instead of the first of them.
    pub allbackups: bool,
    /// Requests at the backend from which a server gets its whole `maxconn`, where it has a
    /// `minconn`.
    #[schemars(range(min = 1))]
    pub fullconn: u32,
}

/// The first word of `hash-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HashType {
    /// By the remainder, in a map of all places: when a server comes or goes nearly all keys move.
    #[default]
    MapBased,
    /// By the nearest point on a ring: only the keys of the server that comes or goes move.
    Consistent,
}

impl Default for Config {
    fn default() -> Config {
        let shared = super::backend::Config::default();
        Config {
            hash_type: HashType::MapBased,
            hash_function: None,
            avalanche: None,
            hash_balance_factor: 0,
            slowstart: shared.slowstart,
            allbackups: shared.allbackups,
            fullconn: shared.fullconn,
        }
    }
}

/// How a word is made of what a key says.
#[derive(Clone, Copy, Debug)]
pub struct Hasher {
    function: Function,
    avalanche: bool,
}

impl Hasher {
    /// The hash of some bytes, as it is looked up.
    pub(super) fn hash(&self, bytes: &[u8]) -> u32 {
        self.finish(self.function.hash(bytes))
    }

    /// A number that is looked up without a hash function.
    pub(super) fn finish(&self, hash: u32) -> u32 {
        if self.avalanche {
            full_hash(hash)
        } else {
            hash
        }
    }
}

/// What of a request is hashed.
pub trait Hashes: Clone + Debug {
    /// Settings.
    type Config: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned;

    /// The part of the settings that all algorithms have that hash.
    fn shared(config: &Self::Config) -> Config;

    /// See [`News::origin`](crate::strategy::News::origin).
    fn origin() -> Origin {
        Origin::Nothing
    }

    /// What these settings say is hashed.
    fn new(config: &Self::Config) -> Self;

    /// The hash of a request; none where it has nothing that could be hashed.
    fn hash(&self, hasher: Hasher, request: &Request<'_>) -> Option<u32>;
}

/// Servers by hash.
#[derive(Clone, Debug)]
pub struct Hashed<H> {
    what: H,
    hasher: Hasher,
    balance_factor: u32,
    places: Places,
    outdated: bool,
    /// By member: its share of the places as bounded loads count them, from one sum to the next.
    sums: Vec<(u64, u64)>,
    total: u64,
}

#[derive(Clone, Debug)]
enum Places {
    Map(Map),
    Ring(HashRing),
}

impl<H> Hashed<H> {
    /// Deals places out anew.
    fn place(&mut self, servers: &Servers, cx: &Context<'_>) {
        match &mut self.places {
            Places::Map(map) => map.deal(servers, cx),
            Places::Ring(ring) => ring.place(servers, cx),
        }
        self.sums = vec![(0, 0); cx.pool.len()];
        self.total = 0;
        let mut in_charge = servers.in_charge(cx);
        in_charge.sort_unstable();
        for member in in_charge {
            let weight = u64::from(servers.weight(member, cx));
            self.sums[member as usize] = (self.total, weight);
            self.total += weight;
        }
    }
}

impl<H: Hashes> Algorithm for Hashed<H> {
    type Config = H::Config;

    fn shared(config: &H::Config) -> Shared {
        let config = H::shared(config);
        Shared {
            slowstart: config.slowstart,
            allbackups: config.allbackups,
            fullconn: config.fullconn,
        }
    }

    fn origin(_: &H::Config) -> Origin {
        H::origin()
    }

    /// Bounded loads do, and only a ring has them.
    fn heeds_answers(config: &H::Config) -> bool {
        let shared = H::shared(config);
        shared.hash_type == HashType::Consistent && shared.hash_balance_factor > 0
    }

    fn heeds_key(_: &H::Config) -> bool {
        H::origin() == Origin::Nothing
    }

    fn new(config: &H::Config, _: &Servers, _: &mut Context<'_>) -> Self {
        let shared = H::shared(config);
        let consistent = shared.hash_type == HashType::Consistent;
        let by_default = consistent && shared.hash_function.is_none();
        Hashed {
            what: H::new(config),
            hasher: Hasher {
                function: shared.hash_function.unwrap_or_default(),
                avalanche: shared.avalanche.unwrap_or(by_default),
            },
            balance_factor: shared.hash_balance_factor,
            places: if consistent {
                Places::Ring(HashRing::default())
            } else {
                Places::Map(Map::default())
            },
            outdated: true,
            sums: Vec::new(),
            total: 0,
        }
    }

    fn changed(&mut self, _: MemberId, _: &Servers, _: &Context<'_>) {
        self.outdated = true;
    }

    /// Without a hash, in turn. A full server is waited for.
    fn pick(&mut self, request: &Request<'_>, servers: &Servers, cx: &Context<'_>) -> Pick {
        let hash = self.what.hash(self.hasher, request);
        if std::mem::take(&mut self.outdated) {
            self.place(servers, cx);
        }
        let factor = self.balance_factor;
        let picked = match (&mut self.places, hash) {
            (Places::Map(map), Some(hash)) => map.at(hash),
            (Places::Map(map), None) => map.next(|_| false, |_| false),
            (Places::Ring(ring), _) if ring.is_empty() => None,
            (Places::Ring(ring), None) => ring.next(),
            (Places::Ring(ring), Some(hash)) => {
                let nearest = ring.nearest(hash);
                let untried = |member: MemberId| !request.tried.contains(&member);
                let first = ring
                    .walk(nearest, untried)
                    .unwrap_or_else(|| ring.at(nearest));
                if factor == 0 {
                    Some(first)
                } else {
                    let from = if ring.at(nearest) == first {
                        nearest
                    } else {
                        ring.index_of(nearest, first)
                    };
                    let fits = |member| {
                        let slots = slots(
                            servers.served(),
                            factor,
                            self.sums[member as usize],
                            self.total,
                        );
                        u64::from(cx.pool.in_flight(member)) < slots
                    };
                    Some(ring.walk(from, fits).unwrap_or(first))
                }
            }
        };
        picked.map_or(Pick::Nobody, |member| servers.insist(member, cx))
    }
}

/// How many requests a server may have with bounded loads: its share of what all may have, in whole
/// numbers that add up. (`chash_server_is_eligible`)
fn slots(served: u32, factor: u32, (before, weight): (u64, u64), total: u64) -> u64 {
    let all = ((u64::from(served) + 1) * u64::from(factor)).div_ceil(100);
    let total = total.max(1);
    let (each, rest) = (all / total, all % total);
    (weight * each + (before + weight) * rest / total - before * rest / total).max(1)
}

/// The whole text that a request has as its key.
#[derive(Clone, Debug)]
pub struct WholeText;

impl Hashes for WholeText {
    type Config = Config;

    fn shared(config: &Config) -> Config {
        config.clone()
    }

    fn new(_: &Config) -> Self {
        WholeText
    }

    fn hash(&self, hasher: Hasher, request: &Request<'_>) -> Option<u32> {
        let hash = |text: &[u8]| (!text.is_empty()).then(|| hasher.hash(text));
        request.key.bytes(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_add_up() {
        // Weights 5, 3, 2 in sixteenths; 125% of 8 requests are 10.
        let weights = [80, 48, 32];
        let mut before = 0;
        let mut sum = 0;
        for weight in weights {
            sum += slots(7, 125, (before, weight), 160);
            before += weight;
        }
        assert_eq!(sum, 10);
        assert_eq!(slots(0, 100, (0, 1), 1000), 1);
    }
}
