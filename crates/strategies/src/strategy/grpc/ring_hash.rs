//! Puts servers and keys on a ring by hash; a request goes to the first server at or after its key
//! that can be reached. This is gRPC's `ring_hash_experimental`.
//!
//! The ring is that of Envoy, of at most 4,096 points, and holds all servers, also those that
//! cannot be reached: their keys go to the next on the ring.
//!
//! **Sees:** keys, weights, who is eligible.
//! **Cost of a pick:** log of the number of points, and a step more for each point of a server that
//! cannot be reached.
//! **Fails when:** keys are hot.
//! **Source:** gRPC core 1.85, src/core/load_balancing/ring_hash; gRFC A42.
//! **Differs:** from Envoy's by the size, and by what happens when a server goes: no other key
//! moves.
//! **Verified:** documented only; the ring itself by recordings of Envoy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use crate::strategy::hash::envoy_ring::EnvoyRing;
use crate::strategy::{BadSetting, Context, MemberId, News, Pick, Product, Request};

/// Settings of `grpc-ring-hash`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Points in all at least.
    #[schemars(range(min = 1, max = 4096))]
    pub min_ring_size: u64,
    /// Points in all at most.
    #[schemars(range(min = 1, max = 4096))]
    pub max_ring_size: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            min_ring_size: 1024,
            max_ring_size: 4096,
        }
    }
}

/// `ring_hash_experimental`.
#[derive(Clone, Debug)]
pub struct GrpcRingHash {
    sizes: (u64, u64),
    ring: EnvoyRing,
    outdated: bool,
}

impl News for GrpcRingHash {
    type Config = Config;

    fn check(config: &Config) -> Result<(), BadSetting> {
        if config.min_ring_size <= config.max_ring_size {
            return Ok(());
        }
        Err(BadSetting {
            setting: "min-ring-size",
            message: format!(
                "must not be more than `max-ring-size` (it is {}, that is {})",
                config.min_ring_size, config.max_ring_size
            ),
        })
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn heeds_key(_: &Config) -> bool {
        true
    }

    fn new(config: &Config, _: &mut Context<'_>) -> Self {
        GrpcRingHash {
            sizes: (config.min_ring_size, config.max_ring_size),
            ring: EnvoyRing::default(),
            outdated: true,
        }
    }

    fn membership_changed(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.outdated = true;
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, _: &mut Context<'_>) {
        self.outdated = true;
    }
}

impl Product for GrpcRingHash {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if std::mem::take(&mut self.outdated) {
            let takes_part =
                |&member: &MemberId| cx.pool.is_present(member) && cx.pool.weight(member) > 0;
            let members = (0..cx.pool.len() as MemberId).filter(takes_part);
            let mut hosts: Vec<(MemberId, &str, f64)> = members
                .map(|member| {
                    let address = cx.pool.members()[member as usize].address.as_str();
                    (member, address, f64::from(cx.pool.weight(member)))
                })
                .collect();
            hosts.sort_by(|one, other| one.1.cmp(other.1));
            self.ring = EnvoyRing::new(&hosts, self.sizes, |bytes| xxh64(bytes, 0));
        }
        if cx.pool.eligible().is_empty() {
            return Pick::Nobody;
        }
        let hash = request.key.bytes(|bytes| xxh64(bytes, 0));
        let reached = (0..self.ring.points()).find_map(|step| {
            let member = self.ring.pick(hash, step)?;
            cx.pool.is_eligible(member).then_some(member)
        });
        reached.map_or(Pick::Nobody, Pick::Member)
    }
}
