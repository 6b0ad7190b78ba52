//! Sends each request to a member drawn at random, all alike.
//!
//! **Sees:** who is eligible.
//! **Cost of a pick:** constant.
//! **Fails when:** used at high load: each server is an M/G/1 queue of its own, with all the
//! waiting that comes of requests meeting by chance. It never gets worse with more balancers,
//! though.
//! **Source:** thinning of a Poisson process: Kingman, "Poisson Processes", 1993, §5.1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};

/// Settings of `random`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// Any member.
#[derive(Clone, Debug)]
pub struct Random;

impl News for Random {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, _: &mut Context<'_>) -> Self {
        Random
    }
}

impl Rule for Random {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        candidates.draw(cx.rng)
    }
}
