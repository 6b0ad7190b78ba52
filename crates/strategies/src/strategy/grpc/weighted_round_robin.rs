//! Takes servers in turn, in proportion to how many requests they answer for the load that they
//! report. This is gRPC's `weighted_round_robin`.
//!
//! A server's weight is its rate over its utilization; errors count as utilization. A report counts
//! once the server has reported for `blackout-period`, and until `weight-expiration-period` after
//! the last one; servers without weight get the mean of the others, and with fewer than two weights
//! it takes plain turns.
//!
//! **Sees:** rate, errors and CPU of servers as their monitoring agents report them; who is
//! eligible.
//! **Cost of a pick:** the number of servers over the share of the mean weight in the largest, at
//! most; as in gRPC.
//! **Fails when:** reports are rare or the load changes faster than they come.
//! **Source:** gRPC core 1.85, src/core/load_balancing/weighted_round_robin; gRFC A58.
//! **Differs:** from weighted round robin by weights that nobody configures. Reports come from the
//! server's agent at its interval, not with each answer.
//! **Verified:** picks equal to recordings from some start, with weights from utilization,
//! application and errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::stride::Stride;
use crate::strategy::{Context, MemberId, News, Pick, Product, Report, Request};
use lbsim_engine::rng::number_below;
use lbsim_engine::time::{Span, Time};

/// Settings of `grpc-weighted-round-robin`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long a server must have reported before its reports count.
    pub blackout_period: Span,
    /// How long a report counts.
    pub weight_expiration_period: Span,
    /// How often weights are reckoned anew; at least 100ms.
    #[schemars(extend("x-least" = "1ms"))]
    pub weight_update_period: Span,
    /// How much errors count for.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub error_utilization_penalty: f64,
    /// Where the counter of turns begins; a random place where it is left out.
    pub start: Option<u32>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            blackout_period: Span::from_secs(10),
            weight_expiration_period: Span::from_secs(180),
            weight_update_period: Span::from_secs(1),
            error_utilization_penalty: 1.0,
            start: None,
        }
    }
}

/// What a server has reported.
#[derive(Clone, Copy, Debug, Default)]
struct Reported {
    weight: f64,
    /// When it began to report, and when it did last.
    since: Option<Time>,
    last: Time,
}

/// `weighted_round_robin`.
#[derive(Clone, Debug)]
pub struct GrpcWeightedRoundRobin {
    config: Config,
    reported: Vec<Reported>,
    /// Those that can be reached, in order.
    ready: Vec<MemberId>,
    stride: Option<Stride>,
    next_update: Time,
    counter: u32,
}

/// The weight that a report is worth. (gRFC A58)
pub fn weight(report: &Report, penalty: f64) -> f64 {
    if report.cpu <= 0.0 || report.rate <= 0.0 {
        return 0.0;
    }
    let errors = penalty * report.errors / report.rate;
    report.rate / (report.cpu + errors)
}

impl GrpcWeightedRoundRobin {
    fn reckon(&mut self, now: Time) {
        let weights: Vec<f64> = self
            .ready
            .iter()
            .map(|&member| {
                let Reported {
                    weight,
                    since,
                    last,
                } = &mut self.reported[member as usize];
                if now - *last >= self.config.weight_expiration_period {
                    *since = None;
                }
                match since {
                    Some(since) if now - *since >= self.config.blackout_period => *weight,
                    _ => 0.0,
                }
            })
            .collect();
        self.stride = Stride::new(&weights);
        self.next_update = now + self.config.weight_update_period.max(Span::from_millis(100));
    }
}

impl News for GrpcWeightedRoundRobin {
    const READS_REPORTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let random = number_below(cx.rng, 1 << 32) as u32;
        GrpcWeightedRoundRobin {
            config: config.clone(),
            reported: vec![Reported::default(); cx.pool.len()],
            ready: (0..cx.pool.len() as MemberId).collect(),
            stride: None,
            next_update: cx.now,
            counter: config.start.unwrap_or(random),
        }
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        if cx.pool.is_eligible(member) {
            // After a new connection its reports are out of date.
            self.reported[member as usize].since = None;
        }
        let members = 0..cx.pool.len() as MemberId;
        self.ready = members
            .filter(|&member| cx.pool.is_eligible(member))
            .collect();
        self.next_update = cx.now;
    }

    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
        let reported = &mut self.reported[member as usize];
        let weight = weight(report, self.config.error_utilization_penalty);
        if weight > 0.0 {
            reported.weight = weight;
            reported.since.get_or_insert(cx.now);
            reported.last = cx.now;
        }
    }
}

impl Product for GrpcWeightedRoundRobin {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if self.ready.is_empty() {
            return Pick::Nobody;
        }
        if cx.now >= self.next_update {
            self.reckon(cx.now);
        }
        let place = match &self.stride {
            Some(stride) => stride.pick(&mut self.counter),
            None => {
                let place = self.counter as usize % self.ready.len();
                self.counter = self.counter.wrapping_add(1);
                place
            }
        };
        Pick::Member(self.ready[place])
    }
}
