//! Sends requests for the same path to the same server. This is HAProxy's `balance uri`, for
//! caches: the request's key is the URI.
//!
//! `hash-type` says how hashes become servers: by their remainder in a map (`map-based`), which is
//! even but moves nearly all keys when a server comes or goes, or by the nearest point of a ring
//! (`consistent`). A full server is waited for in its own queue. A request without a key is sent in
//! turn.
//!
//! **Sees:** what it hashes, weights, its own requests in flight, `maxconn`, backups, what was
//! tried (`consistent` only).
//! **Cost of a pick:** constant with a map, log n with a ring, and a step more for each point
//! passed over.
//! **Fails when:** a key is hot: its server gets all of its traffic, unless `hash-balance-factor`
//! is set. `consistent` with a named function and without `avalanche` is very uneven for keys that
//! look alike.
//! **Source:** HAProxy 2.6.12, src/backend.c, src/lb_map.c, src/lb_chash.c.
//! **Differs:** from consistent hashing by the map that is the default, by the nearest point
//! instead of the next, and by `hash-balance-factor`, which bounds loads as Mirrokni, Thorup and
//! Zadimoghaddam do (2018).
//! **Verified:** picks equal to recordings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backend::Backend;
use super::hashed::{self, HashType, Hashed, Hasher, Hashes};
use crate::strategy::Request;
use crate::strategy::hash::haproxy::Function;
use lbsim_engine::time::Span;

/// Settings of `haproxy-uri`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether what follows `?` counts.
    pub whole: bool,
    /// How many bytes count; 0 for all.
    pub len: u32,
    /// How many directories count; 0 for all.
    pub depth: u32,
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

impl Default for Config {
    fn default() -> Config {
        let shared = hashed::Config::default();
        Config {
            whole: false,
            len: 0,
            depth: 0,
            hash_type: shared.hash_type,
            hash_function: shared.hash_function,
            avalanche: shared.avalanche,
            hash_balance_factor: shared.hash_balance_factor,
            slowstart: shared.slowstart,
            allbackups: shared.allbackups,
            fullconn: shared.fullconn,
        }
    }
}

impl Config {
    fn shared(&self) -> hashed::Config {
        hashed::Config {
            hash_type: self.hash_type,
            hash_function: self.hash_function,
            avalanche: self.avalanche,
            hash_balance_factor: self.hash_balance_factor,
            slowstart: self.slowstart,
            allbackups: self.allbackups,
            fullconn: self.fullconn,
        }
    }

    /// The part of a URI that is hashed. (`gen_hash` of `uri`: up to `?`, `len` bytes, or the slash
    /// that ends `depth` directories)
    fn part<'u>(&self, uri: &'u [u8]) -> &'u [u8] {
        let mut slashes = 0;
        let mut end = uri.len();
        if self.len > 0 {
            end = end.min(self.len as usize);
        }
        for (at, &byte) in uri[..end].iter().enumerate() {
            if byte == b'?' && !self.whole {
                return &uri[..at];
            }
            if byte == b'/' && self.depth > 0 {
                if slashes == self.depth {
                    return &uri[..at];
                }
                slashes += 1;
            }
        }
        &uri[..end]
    }
}

/// `balance uri`.
pub type HaproxyUri = Backend<Hashed<UriPart>>;

/// A part of a URI.
#[derive(Clone, Debug)]
pub struct UriPart(Config);

impl Hashes for UriPart {
    type Config = Config;

    fn shared(config: &Config) -> hashed::Config {
        config.shared()
    }

    fn new(config: &Config) -> Self {
        UriPart(config.clone())
    }

    fn hash(&self, hasher: Hasher, request: &Request<'_>) -> Option<u32> {
        let hash = |uri: &[u8]| {
            let part = self.0.part(uri);
            (!part.is_empty()).then(|| hasher.hash(part))
        };
        request.key.bytes(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_of_a_uri() {
        let part = |whole, len, depth| {
            let config = Config {
                whole,
                len,
                depth,
                ..Config::default()
            };
            String::from_utf8(config.part(b"/a/b/c?x=/1").to_vec()).unwrap()
        };
        assert_eq!(part(false, 0, 0), "/a/b/c");
        assert_eq!(part(true, 0, 0), "/a/b/c?x=/1");
        assert_eq!(part(false, 3, 0), "/a/");
        assert_eq!(part(false, 0, 1), "/a");
        assert_eq!(part(false, 0, 2), "/a/b");
    }
}
