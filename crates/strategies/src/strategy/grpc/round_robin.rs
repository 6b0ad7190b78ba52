//! Takes servers in turn, whatever their weight, from a random place. This is gRPC's `round_robin`.
//!
//! Whenever the servers that can be reached change, turns begin anew at another random place. Each
//! client takes turns by itself: model C clients as C balancers.
//!
//! **Sees:** who is eligible.
//! **Cost of a pick:** constant.
//! **Fails when:** servers or requests are unlike; with many clients, whose turns together are
//! nearly random.
//! **Source:** gRPC core 1.85, src/core/load_balancing/round_robin.
//! **Differs:** from round robin by its random beginnings.
//! **Verified:** picks equal to a recording from some start.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Context, MemberId, News, Pick, Product, Request};
use lbsim_engine::rng::below;

/// Settings of `grpc-round-robin`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where the first turns begin; a random place where it is left out.
    pub start: Option<u32>,
}

/// `round_robin`.
#[derive(Clone, Debug)]
pub struct GrpcRoundRobin {
    /// Those that can be reached, in order.
    ready: Vec<MemberId>,
    turn: usize,
}

impl News for GrpcRoundRobin {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let count = cx.pool.len();
        let random = below(cx.rng, count.max(1));
        GrpcRoundRobin {
            ready: (0..count as MemberId).collect(),
            turn: config.start.map_or(random, |start| start as usize),
        }
    }

    fn eligibility_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        let members = 0..cx.pool.len() as MemberId;
        self.ready = members
            .filter(|&member| cx.pool.is_eligible(member))
            .collect();
        self.turn = below(cx.rng, self.ready.len().max(1));
    }
}

impl Product for GrpcRoundRobin {
    fn pick(&mut self, _: &Request<'_>, _: &mut Context<'_>) -> Pick {
        if self.ready.is_empty() {
            return Pick::Nobody;
        }
        let member = self.ready[self.turn % self.ready.len()];
        self.turn += 1;
        Pick::Member(member)
    }
}
