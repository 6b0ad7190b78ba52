//! Sends a client always to the same member: the hash of its address, modulo the total weight of
//! the eligible members, says which.
//!
//! **Sees:** the client's address, who is eligible, weights.
//! **Cost of a pick:** log n.
//! **Fails when:** clients are few or hide behind one address (a proxy, a mobile carrier): their
//! server gets them all; and when the pool changes: with one member more, n of n+1 clients move.
//! **Source:** the modulo rule as textbooks have it; Thaler and Ravishankar, "Using name-based
//! mappings to increase hit rates", IEEE/ACM ToN 6(1), 1998, on what it does to a changing pool.
//! The hash function is drawn anew in each replication: an interval holds what the rule does on
//! average over them.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::Cumulative;
use crate::strategy::{Candidates, Context, MemberId, News, Origin, Request, Rule};
use lbsim_engine::rng::mix;

/// Settings of `ip-hash`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Leading bits of an IPv4 address that count: 24 sends a whole /24 to one member.
    #[schemars(range(min = 1, max = 32))]
    pub ipv4_prefix: u8,
    /// Leading bits of an IPv6 address that count.
    #[schemars(range(min = 1, max = 128))]
    pub ipv6_prefix: u8,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            ipv4_prefix: 32,
            ipv6_prefix: 128,
        }
    }
}

/// The hash of the address, modulo the eligible weight.
#[derive(Clone, Debug)]
pub struct IpHash {
    config: Config,
    eligible: Cumulative,
}

impl IpHash {
    fn hash(&self, address: &IpAddr, salt: u64) -> u64 {
        let (bits, family) = match address {
            IpAddr::V4(v4) => (
                u128::from(v4.to_bits() >> (32 - u32::from(self.config.ipv4_prefix.clamp(1, 32)))),
                4,
            ),
            IpAddr::V6(v6) => (
                v6.to_bits() >> (128 - u32::from(self.config.ipv6_prefix.clamp(1, 128))),
                6,
            ),
        };
        mix(mix(bits as u64 ^ family) ^ (bits >> 64) as u64 ^ salt)
    }

    fn admit(&mut self, member: MemberId, cx: &Context<'_>) {
        let weight = if cx.pool.is_eligible(member) {
            cx.pool.weight(member)
        } else {
            0
        };
        self.eligible.set(member, u64::from(weight));
    }
}

impl News for IpHash {
    const HEEDS_WEIGHTS: bool = true;
    const PLACES: bool = true;
    type Config = Config;

    fn origin(_: &Config) -> Origin {
        Origin::Address
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = IpHash {
            config: config.clone(),
            eligible: Cumulative::new(cx.pool.len()),
        };
        for &member in cx.pool.eligible() {
            rule.admit(member, cx);
        }
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.admit(member, cx);
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        self.admit(member, cx);
    }
}

impl Rule for IpHash {
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let hash = self.hash(request.address, cx.pool.placement());
        self.eligible.find_of(candidates, |total| hash % total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    #[test]
    fn an_address_keeps_its_member_until_the_pool_changes() {
        let mut bench = Bench::new("ip-hash", &[1; 10]);
        let before: Vec<MemberId> = (0..4000).map(|client| bench.pick(client)).collect();
        assert!((0..4000).all(|client| bench.pick(client) == before[client as usize]));
        bench.set_eligible(9, false);
        let moved = (0..4000)
            .filter(|&client| bench.pick(client) != before[client as usize])
            .count();
        // From 10 members to 9, nine in ten move: 3,600 of 4,000; 4.5 standard deviations are 86.
        assert!(moved.abs_diff(3600) < 86, "{moved}");
    }
}
