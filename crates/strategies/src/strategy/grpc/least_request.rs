//! Draws two servers and takes the one with fewer outstanding requests. This is gRPC's
//! `least_request_experimental`.
//!
//! Servers are drawn with replacement, and a later one wins only with strictly fewer requests. Each
//! client counts by itself.
//!
//! **Sees:** its own requests in flight, who is eligible.
//! **Cost of a pick:** constant.
//! **Fails when:** many clients each send little: their counts say nothing, and it turns into
//! random.
//! **Source:** gRPC-go at 4793ad047, balancer/leastrequest; gRFC A48.
//! **Differs:** from power of d by drawing with replacement. Weights are not looked at.
//! **Verified:** documented only; the same rule by a recording of Envoy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::envoy::least_request::draw;
use crate::strategy::{Context, News, Pick, Product, Request};

/// Settings of `grpc-least-request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Servers drawn.
    #[schemars(range(min = 2, max = 10))]
    pub choice_count: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { choice_count: 2 }
    }
}

/// `least_request_experimental`.
#[derive(Clone, Debug)]
pub struct GrpcLeastRequest {
    choices: u32,
}

impl News for GrpcLeastRequest {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, _: &mut Context<'_>) -> Self {
        GrpcLeastRequest {
            choices: config.choice_count,
        }
    }
}

impl Product for GrpcLeastRequest {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let pool = cx.pool;
        draw(pool.eligible(), self.choices, cx).map_or(Pick::Nobody, Pick::Member)
    }
}
