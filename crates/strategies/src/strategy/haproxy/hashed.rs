//! What the hashing algorithms of HAProxy share: the hash function, how hashes are turned into
//! servers, and bounded loads. (2.6, src/backend.c, src/lb_map.c, src/lb_chash.c)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::map::Map;
use super::ring::Ring;
use super::servers::{Servers, Shared};
use crate::strategy::hash::haproxy::{Function, full_hash};
use crate::strategy::{Context, MemberId, Pick, Request};
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

impl Config {
    /// See [`News::heeds_answers`](crate::strategy::News::heeds_answers): bounded loads do, and only
    /// a ring has them.
    pub(super) fn heeds_answers(&self) -> bool {
        self.hash_type == HashType::Consistent && self.hash_balance_factor > 0
    }
}

/// Servers by hash.
#[derive(Clone, Debug)]
pub(super) struct Hashed {
    function: Function,
    avalanche: bool,
    balance_factor: u32,
    servers: Servers,
    places: Places,
    outdated: bool,
    /// By member: its share of the places as bounded loads count them, from one sum to the next.
    sums: Vec<(u64, u64)>,
    total: u64,
}

#[derive(Clone, Debug)]
enum Places {
    Map(Map),
    Ring(Ring),
}

impl Hashed {
    pub(super) fn new(config: &Config) -> Hashed {
        let consistent = config.hash_type == HashType::Consistent;
        let by_default = consistent && config.hash_function.is_none();
        Hashed {
            function: config.hash_function.unwrap_or_default(),
            avalanche: config.avalanche.unwrap_or(by_default),
            balance_factor: config.hash_balance_factor,
            servers: Servers::new(Shared {
                slowstart: config.slowstart,
                allbackups: config.allbackups,
                fullconn: config.fullconn,
            }),
            places: if consistent {
                Places::Ring(Ring::default())
            } else {
                Places::Map(Map::default())
            },
            outdated: true,
            sums: Vec::new(),
            total: 0,
        }
    }

    pub(super) fn sent(&mut self) {
        self.servers.sent();
    }

    pub(super) fn answered(&mut self) {
        self.servers.answered();
    }

    pub(super) fn eligibility_changed(&mut self, member: MemberId, cx: &Context<'_>) {
        self.servers.eligibility_changed(member, cx);
        self.outdated = true;
    }

    pub(super) fn weight_changed(&mut self) {
        self.outdated = true;
    }

    pub(super) fn takes_waiting(&self, member: MemberId, cx: &Context<'_>) -> bool {
        self.servers.takes_waiting(member, cx)
    }

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

    /// Where a request with this hash goes; without one, in turn. A full server is waited for.
    pub(super) fn pick(
        &mut self,
        hash: Option<u32>,
        request: &Request<'_>,
        cx: &Context<'_>,
    ) -> Pick {
        let grown = !self.servers.grown(cx.now).is_empty();
        if std::mem::take(&mut self.outdated) || grown {
            self.place(cx);
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
                            self.servers.served(),
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
        picked.map_or(Pick::Nobody, |member| self.servers.insist(member, cx))
    }

    /// Deals places out anew.
    fn place(&mut self, cx: &Context<'_>) {
        match &mut self.places {
            Places::Map(map) => map.deal(&self.servers, cx),
            Places::Ring(ring) => ring.place(&self.servers, cx),
        }
        self.sums = vec![(0, 0); cx.pool.len()];
        self.total = 0;
        let mut in_charge = self.servers.in_charge(cx);
        in_charge.sort_unstable();
        for member in in_charge {
            let weight = u64::from(self.servers.weight(member, cx));
            self.sums[member as usize] = (self.total, weight);
            self.total += weight;
        }
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

/// A rule that hashes: its type, and the hash that it makes of a request.
macro_rules! hashed_rule {
    ($(#[$doc:meta])* $Rule:ident, $Config:ty, $shared:expr, $hash:expr) => {
        hashed_rule! { $(#[$doc])* $Rule, $Config, $shared, $hash, crate::strategy::Origin::Nothing }
    };
    ($(#[$doc:meta])* $Rule:ident, $Config:ty, $shared:expr, $hash:expr, $origin:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Rule {
            config: $Config,
            hashed: Hashed,
        }

        impl News for $Rule {
            type Config = $Config;

            fn in_charge(config: &$Config, members: &[crate::strategy::Member]) -> Vec<bool> {
                let shared: fn(&$Config) -> hashed::Config = $shared;
                crate::strategy::haproxy::servers::in_charge(shared(config).allbackups, members)
            }

            fn heeds_answers(config: &$Config) -> bool {
                let shared: fn(&$Config) -> hashed::Config = $shared;
                shared(config).heeds_answers()
            }

            fn origin(_: &$Config) -> crate::strategy::Origin {
                $origin
            }

            fn new(config: &$Config, _: &mut Context<'_>) -> Self {
                let shared: fn(&$Config) -> hashed::Config = $shared;
                $Rule {
                    config: config.clone(),
                    hashed: Hashed::new(&shared(config)),
                }
            }

            fn sent(&mut self, _: MemberId, _: &mut Context<'_>) {
                self.hashed.sent();
            }

            fn answered(&mut self, _: &Answer, _: &mut Context<'_>) {
                self.hashed.answered();
            }

            fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
                self.hashed.eligibility_changed(member, cx);
            }

            fn weight_changed(&mut self, _: MemberId, _: u32, _: &mut Context<'_>) {
                self.hashed.weight_changed();
            }
        }

        impl Product for $Rule {
            fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
                let hash: fn(&$Config, &Hashed, &Request<'_>) -> Option<u32> = $hash;
                let hash = hash(&self.config, &self.hashed, request);
                self.hashed.pick(hash, request, cx)
            }

            fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
                self.hashed.takes_waiting(member, cx)
            }
        }
    };
}

pub(super) use hashed_rule;

/// The hash of a whole text, where there is one.
pub(super) fn text(hashed: &Hashed, request: &Request<'_>) -> Option<u32> {
    request
        .key
        .bytes(|bytes| (!bytes.is_empty()).then(|| hashed.hash(bytes)))
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
