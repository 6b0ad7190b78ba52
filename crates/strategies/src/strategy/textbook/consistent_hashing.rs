//! Puts members and keys on a ring by hash; a request goes to the first eligible member at or after
//! its key. When a member leaves or joins, only the keys beside its own points move.
//!
//! **Sees:** the key (or client, or address), who is eligible, weights.
//! **Cost of a pick:** constant (the ring has an index), one step more for each ineligible point
//! passed.
//! **Fails when:** keys are hot: whoever holds one gets all of its traffic; with few points a
//! server, shares are uneven (coefficient of variation about 1/√points). The points are drawn anew
//! in each replication, as theory has it: an interval holds what the ring does on average, and one
//! ring at work is one draw.
//! **Source:** Karger et al., "Consistent hashing and random trees", STOC 1997; 160 points a member
//! as in ketama (Jones, 2007).

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::hash::ring::Ring;
use crate::strategy::{Candidates, Context, MemberId, News, Origin, Request, Rule};
use lbsim_engine::rng::mix;

/// Settings of `consistent-hashing`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What is hashed.
    pub on: HashOn,
    /// Points on the ring for a member of average weight.
    #[schemars(range(min = 1, max = 10_000))]
    pub points: u32,
}

/// What is hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HashOn {
    /// The key that the request asks for.
    #[default]
    Key,
    /// The client.
    Client,
    /// The client's address.
    Address,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            on: HashOn::Key,
            points: 160,
        }
    }
}

/// Points on a ring, in order.
#[derive(Clone, Debug)]
pub struct ConsistentHashing {
    on: HashOn,
    ring: Ring,
}

impl News for ConsistentHashing {
    const PLACES: bool = true;
    type Config = Config;

    fn origin(config: &Config) -> Origin {
        match config.on {
            HashOn::Address => Origin::Address,
            HashOn::Key | HashOn::Client => Origin::Nothing,
        }
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn heeds_key(config: &Config) -> bool {
        config.on != HashOn::Address
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        ConsistentHashing {
            on: config.on,
            ring: Ring::new(cx.pool.weights(), config.points, cx.pool.placement()),
        }
    }
}

impl Rule for ConsistentHashing {
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        _: &mut Context<'_>,
    ) -> MemberId {
        let key = match self.on {
            HashOn::Key => request.key.word(),
            HashOn::Client => request.client.word(),
            HashOn::Address => match request.address {
                IpAddr::V4(v4) => u64::from(v4.to_bits()),
                IpAddr::V6(v6) => mix((v6.to_bits() >> 64) as u64) ^ v6.to_bits() as u64,
            },
        };
        let mut successors = self.ring.successors(key);
        let eligible = successors.find(|&member| candidates.contains(member));
        // A member that had no weight when the ring was made has no point on it.
        eligible.unwrap_or_else(|| candidates.next(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    #[test]
    fn only_the_keys_of_the_member_that_left_move() {
        let mut bench = Bench::new("consistent-hashing", &[1; 10]);
        let before: Vec<MemberId> = (0..4000).map(|key| bench.pick(key)).collect();
        bench.set_eligible(9, false);
        for key in 0..4000 {
            let now = bench.pick(key);
            assert!(now != 9 && (before[key as usize] == 9 || now == before[key as usize]));
        }
        bench.set_eligible(9, true);
        assert!((0..4000).all(|key| bench.pick(key) == before[key as usize]));
    }

    /// Each member's share of the ring is Beta(160, 160·9): its coefficient of variation is
    /// √(9/1601) = 7.5%, so 4.5 of them bound every share (false alarm 7e-5 over ten members).
    #[test]
    fn shares_are_as_uneven_as_theory_says() {
        let mut bench = Bench::new("consistent-hashing", &[1; 10]);
        let mut hits = [0u32; 10];
        for key in 0..100_000 {
            hits[bench.pick(key) as usize] += 1;
        }
        assert!(hits.iter().all(|h| h.abs_diff(10_000) < 3_375), "{hits:?}");
        assert!(
            hits.iter().any(|h| h.abs_diff(10_000) > 100),
            "suspiciously even: {hits:?}"
        );
    }
}
