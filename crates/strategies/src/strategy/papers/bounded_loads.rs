//! Puts members and keys on a ring by hash, as consistent hashing does, but lets no member have
//! more than `c` times its share of the requests in flight: a request goes to the first member at
//! or after its key that has room.
//!
//! **Sees:** the key, its own requests in flight, weights, who is eligible.
//! **Cost of a pick:** constant, with one step for each point passed on the ring: about 1/(c - 1)²
//! members where all are near their bound.
//! **Fails when:** `c` is near 1: keys wander, and caches with them; several balancers each see
//! their own requests only.
//! **Source:** Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", SODA
//! 2018: a member of n holds at most ⌈c·m/n⌉ of m requests, the new one included. Here a member's
//! share is that of its weight. The points of the ring are drawn anew in each replication.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::hash::ring::Ring;
use crate::strategy::{Answer, Candidates, Context, MemberId, News, Request, Rule};

/// Settings of `consistent-hashing-bounded-loads`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How many times its share of the requests in flight a member may have: the paper's c = 1 + ε.
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub c: f64,
    /// Points on the ring for a member of average weight.
    #[schemars(range(min = 1, max = 10_000))]
    pub points: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            c: 1.25,
            points: 160,
        }
    }
}

/// A ring of members with bounds.
#[derive(Clone, Debug)]
pub struct BoundedLoads {
    config: Config,
    /// None where weights have changed since.
    ring: Option<Ring>,
    /// Requests in flight, and the weight of all eligible members.
    in_flight: u64,
    weight: u64,
}

impl BoundedLoads {
    fn weigh(&mut self, cx: &Context<'_>) {
        let weights = cx.pool.eligible().iter();
        self.weight = weights
            .map(|&member| u64::from(cx.pool.weight(member)))
            .sum();
    }
}

impl News for BoundedLoads {
    const HEEDS_WEIGHTS: bool = true;
    const PLACES: bool = true;
    type Config = Config;

    fn heeds_key(_: &Config) -> bool {
        true
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = BoundedLoads {
            config: config.clone(),
            ring: None,
            in_flight: 0,
            weight: 0,
        };
        rule.weigh(cx);
        rule
    }

    fn sent(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.in_flight += 1;
    }

    fn answered(&mut self, _: &Answer, _: &mut Context<'_>) {
        self.in_flight -= 1;
    }

    fn eligibility_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.weigh(cx);
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, cx: &mut Context<'_>) {
        self.ring = None;
        self.weigh(cx);
    }
}

impl Rule for BoundedLoads {
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let share = self.config.c * (self.in_flight + 1) as f64 / self.weight as f64;
        let has_room = |&member: &MemberId| {
            let bound = (share * f64::from(cx.pool.weight(member))).ceil();
            candidates.contains(member) && f64::from(cx.pool.in_flight(member)) < bound
        };
        let points = self.config.points;
        let ring = self
            .ring
            .get_or_insert_with(|| Ring::new(cx.pool.weights(), points, cx.pool.placement()));
        let mut successors = ring.successors(request.key.word());
        // Somebody has room, unless requests are in flight that are bound to members by other
        // means.
        successors
            .find(has_room)
            .unwrap_or_else(|| candidates.next(0))
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::contract::Bench;

    #[test]
    fn nobody_has_more_than_its_bound() {
        let weights = [1, 1, 2, 4];
        let mut bench = Bench::new("consistent-hashing-bounded-loads", &weights);
        for sent in 0..400 {
            // One hot key, which one member alone would get.
            let member = bench.pick(7);
            bench.send(member);
            let bound =
                (1.25 * f64::from(sent + 1) * f64::from(weights[member as usize]) / 8.0).ceil();
            assert!(f64::from(bench.pool().in_flight(member)) <= bound);
        }
        // The bounds of three are enough for all only where the fourth has the least weight.
        let used = (0..4).filter(|&member| bench.pool().in_flight(member) > 0);
        assert!(used.count() >= 3 && bench.pool().in_flight(3) > 0);
    }

    #[test]
    fn with_little_in_flight_a_key_keeps_its_member() {
        let mut bench = Bench::new("consistent-hashing-bounded-loads", &[1; 10]);
        let before: Vec<_> = (0..500).map(|key| bench.pick(key)).collect();
        bench.set_eligible(3, false);
        let moved = |&key: &u32| bench.pick(key) != before[key as usize];
        let moved: Vec<u32> = (0..500).filter(moved).collect();
        assert!(!moved.is_empty() && moved.iter().all(|&key| before[key as usize] == 3));
    }
}
