//! Sends each request to the next member in the order of the scenario, round and round. Weights are
//! ignored, and so is how busy anybody is.
//!
//! **Sees:** who is eligible.
//! **Cost of a pick:** constant.
//! **Fails when:** servers or requests are unlike: the slow server gets as many requests as the
//! fast ones, and its queue sets the tail. Several balancers that all begin with the first member
//! send it bursts; hence the random start.
//! **Source:** Nagle, "On packet switches with infinite storage", RFC 970, 1985. With Poisson
//! arrivals each of k servers sees Erlang-k gaps: an E_k/G/1 queue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};
use lbsim_engine::rng::below;

/// Settings of `round-robin`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where the round begins.
    pub start: Start,
}

/// Where a round begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// At a member drawn at random, each balancer its own.
    #[default]
    Random,
    /// At the first member of the scenario.
    First,
}

/// The next in line.
#[derive(Clone, Debug)]
pub struct RoundRobin {
    next: MemberId,
}

impl News for RoundRobin {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let next = match config.start {
            Start::Random => below(cx.rng, cx.pool.len()) as MemberId,
            Start::First => 0,
        };
        RoundRobin { next }
    }
}

impl Rule for RoundRobin {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let member = candidates.next(self.next);
        self.next = if member as usize + 1 == cx.pool.len() {
            0
        } else {
            member + 1
        };
        member
    }
}
