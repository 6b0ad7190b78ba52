//! Sends each client to the server that its address falls on. This is HAProxy's `balance source`.
//!
//! The 32-bit words of the address are combined by exclusive or; a hash function is not applied to
//! them.
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
//! **Fails when:** many clients share an address, or differ in parts that cancel out.
//! **Source:** HAProxy 2.6.12, src/backend.c, src/lb_map.c, src/lb_chash.c.
//! **Differs:** from consistent hashing by the map that is the default, by the nearest point
//! instead of the next, and by `hash-balance-factor`, which bounds loads as Mirrokni, Thorup and
//! Zadimoghaddam do (2018).
//! **Verified:** picks equal to recordings.

use std::net::IpAddr;

use super::backend::Backend;
use super::hashed::{Config, Hashed, Hasher, Hashes};
use crate::strategy::{Origin, Request};

/// `balance source`.
pub type HaproxySource = Backend<Hashed<SourceAddress>>;

/// The address that a request comes from.
#[derive(Clone, Debug)]
pub struct SourceAddress;

impl Hashes for SourceAddress {
    type Config = Config;

    fn shared(config: &Config) -> Config {
        config.clone()
    }

    fn origin() -> Origin {
        Origin::Address
    }

    fn new(_: &Config) -> Self {
        SourceAddress
    }

    fn hash(&self, hasher: Hasher, request: &Request<'_>) -> Option<u32> {
        let word = match request.address {
            IpAddr::V4(address) => address.to_bits(),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                (0..4).fold(0, |word, part| word ^ (bits >> (32 * part)) as u32)
            }
        };
        Some(hasher.finish(word))
    }
}
