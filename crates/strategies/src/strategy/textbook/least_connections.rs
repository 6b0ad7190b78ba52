//! Sends each request to the member with the fewest requests in flight for its weight; ties are
//! drawn at random in proportion to weight. "Connections" as in other software: what is counted is
//! requests.
//!
//! **Sees:** its own requests in flight, weights.
//! **Cost of a pick:** constant with equal weights, log n otherwise.
//! **Fails when:** a server fails fast: it has the fewest requests in flight and attracts them all
//! (a black hole); or when many balancers each see a small part of the load: their counts say
//! little, and the rule turns into random.
//! **Source:** Weber, "On the optimal assignment of customers to parallel servers", J. Appl.
//! Prob. 15, 1978; as `least_conn` of nginx and `wlc` of IPVS, which break ties otherwise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::{Levels, Tournament};
use crate::strategy::{Answer, Candidates, Context, MemberId, News, Request, Rule};

/// Settings of `least-connections`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// The member with the fewest requests in flight for its weight.
#[derive(Clone, Debug)]
pub enum LeastConnections {
    /// All weights are equal: whole counts decide.
    Even(Levels),
    /// Requests in flight over weight.
    Weighted(Tournament),
}

impl LeastConnections {
    /// All eligible members in the order of their requests for their weights.
    fn weighted(cx: &Context<'_>) -> LeastConnections {
        let mut tournament = Tournament::new(cx.pool.len());
        for &member in cx.pool.eligible() {
            Self::rank(&mut tournament, member, cx);
        }
        LeastConnections::Weighted(tournament)
    }

    fn rank(tournament: &mut Tournament, member: MemberId, cx: &Context<'_>) {
        let weight = cx.pool.weight(member);
        if cx.pool.is_eligible(member) && weight > 0 {
            tournament.set(
                member,
                f64::from(cx.pool.in_flight(member)) / f64::from(weight),
                weight,
            );
        } else {
            tournament.remove(member);
        }
    }
}

impl News for LeastConnections {
    const HEEDS_WEIGHTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        if cx.pool.is_even() {
            return LeastConnections::Even(Levels::new(cx.pool.len()));
        }
        Self::weighted(cx)
    }

    #[inline]
    fn sent(&mut self, member: MemberId, cx: &mut Context<'_>) {
        match self {
            LeastConnections::Even(levels) => levels.increase(member),
            LeastConnections::Weighted(tournament) => Self::rank(tournament, member, cx),
        }
    }

    #[inline]
    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        match self {
            LeastConnections::Even(levels) => levels.decrease(answer.member),
            LeastConnections::Weighted(tournament) => Self::rank(tournament, answer.member, cx),
        }
    }

    #[inline]
    fn foresee(&self, member: MemberId) {
        if let LeastConnections::Even(levels) = self {
            levels.foresee(member);
        }
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        match self {
            LeastConnections::Even(levels) => {
                levels.set_taking_part(member, cx.pool.is_eligible(member))
            }
            LeastConnections::Weighted(tournament) => Self::rank(tournament, member, cx),
        }
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        match self {
            LeastConnections::Even(_) => *self = Self::weighted(cx),
            LeastConnections::Weighted(tournament) => Self::rank(tournament, member, cx),
        }
    }
}

impl Rule for LeastConnections {
    #[inline]
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        match self {
            LeastConnections::Even(levels) => levels.least_of(candidates, cx.rng),
            LeastConnections::Weighted(tournament) => tournament.least_of(candidates, cx.rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    #[test]
    fn the_least_loaded_for_its_weight_goes_first() {
        for weights in [[1, 1, 1], [2, 1, 1]] {
            let mut bench = Bench::new("least-connections", &weights);
            for _ in 0..200 {
                let load = |b: &Bench, m: MemberId| {
                    f64::from(b.pool().in_flight(m)) / f64::from(weights[m as usize])
                };
                let least = (0..3)
                    .map(|m| load(&bench, m))
                    .fold(f64::INFINITY, f64::min);
                let picked = bench.pick(0);
                assert_eq!(load(&bench, picked), least);
                bench.send(picked);
            }
            // After 200 requests none of which has ended, each has its share of them: what does not
            // divide falls by chance.
            let total: u32 = weights.iter().sum();
            for (member, weight) in (0..).zip(weights) {
                let share = 200 * weight / total;
                let own = bench.pool().in_flight(member);
                assert!((share..=share + 1).contains(&own), "{weights:?}: {own}");
            }
        }
    }
}
