//! Sends each request to a member drawn at random in proportion to its weight.
//!
//! **Sees:** who is eligible, weights.
//! **Cost of a pick:** log n.
//! **Fails when:** the weights are wrong, and at high load like `random`: it never looks at how
//! busy anybody is. Weights in proportion to speed are not the best for the mean: fast servers
//! deserve more than their share (Buzen and Chen).
//! **Source:** Buzen and Chen, "Optimal load balancing in memory hierarchies", IFIP 1974.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::Cumulative;
use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};
use lbsim_engine::rng::number_below;

/// Settings of `weighted-random`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// Weights of the eligible.
#[derive(Clone, Debug)]
pub struct WeightedRandom {
    eligible: Cumulative,
}

impl News for WeightedRandom {
    const HEEDS_WEIGHTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = WeightedRandom {
            eligible: Cumulative::new(cx.pool.len()),
        };
        for &member in cx.pool.eligible() {
            rule.eligible.set(member, u64::from(cx.pool.weight(member)));
        }
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        let weight = if cx.pool.is_eligible(member) {
            cx.pool.weight(member)
        } else {
            0
        };
        self.eligible.set(member, u64::from(weight));
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        self.eligibility_changed(member, cx);
    }
}

impl Rule for WeightedRandom {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        self.eligible
            .find_of(candidates, |total| number_below(cx.rng, total))
    }
}
