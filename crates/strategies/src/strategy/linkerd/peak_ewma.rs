//! Draws two members, and takes the one whose response time, kept as a peak EWMA, times its
//! requests in flight is less.
//!
//! A slow answer counts at once, and fades with `decay`. A member that nobody knows yet is taken to
//! need `default-rtt`. Estimates decay toward 0 while nothing is heard, so a slow member is tried
//! again.
//!
//! **Sees:** its own requests in flight and response times.
//! **Cost of a pick:** constant.
//! **Fails when:** a server fails fast, unless `penalty` is set; each of many balancers sends a
//! server little, so that its estimates are old.
//! **Source:** linkerd2-proxy (29637b64f), which balances with tower 0.5.3:
//! `tower/src/balance/p2c/service.rs`, `tower/src/load/peak_ewma.rs`.
//! **Differs:** from the power of two choices by its load; weights do not count. Here a response
//! time ends with the whole answer, in Linkerd with the first of its data. A member that comes back
//! is new, as an endpoint of Kubernetes is. Left out: the circuit breaking that Linkerd does not do
//! by default.
//! **Verified:** loads equal to recordings of tower to the last bit; the draw as documented.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::draw::two;
use crate::strategy::load::PeakEwma;
use crate::strategy::{Answer, Candidates, Context, MemberId, News, Outcome, Request, Rule};
use lbsim_engine::time::Span;

/// Settings of `linkerd-peak-ewma`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The response time of a member that has not answered yet.
    pub default_rtt: Span,
    /// After this time an observation has lost 63% of its weight.
    #[schemars(extend("x-least" = "1us"))]
    pub decay: Span,
    /// What a failed answer counts as, where that is more than the estimate; with 0 it counts as
    /// long as it took.
    pub penalty: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            default_rtt: Span::from_millis(30),
            decay: Span::from_secs(10),
            penalty: Span::ZERO,
        }
    }
}

/// Two choices by peak EWMA.
#[derive(Clone, Debug)]
pub struct LinkerdPeakEwma {
    config: Config,
    estimates: Vec<PeakEwma>,
}

impl LinkerdPeakEwma {
    fn cost(&mut self, member: MemberId, cx: &Context<'_>) -> f64 {
        let in_flight = cx.pool.in_flight(member);
        self.estimates[member as usize].tower_cost(in_flight, cx.now, self.config.decay)
    }
}

impl News for LinkerdPeakEwma {
    type Config = Config;

    fn notices_failures(_: &Config) -> bool {
        true
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        LinkerdPeakEwma {
            config: config.clone(),
            estimates: vec![PeakEwma::new(config.default_rtt, cx.now); cx.pool.len()],
        }
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        let estimate = &mut self.estimates[answer.member as usize];
        let failed = matches!(
            answer.outcome,
            Outcome::Failure | Outcome::Rejected | Outcome::Error
        );
        let mut response_time = answer.response_time;
        if failed && self.config.penalty > Span::ZERO {
            let present = estimate.observe(Span::ZERO, cx.now, self.config.decay);
            response_time = self.config.penalty.max(Span::from_nanos(present as u64));
        }
        estimate.observe(response_time, cx.now, self.config.decay);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        if cx.pool.is_eligible(member) {
            self.estimates[member as usize] = PeakEwma::new(self.config.default_rtt, cx.now);
        }
    }
}

impl Rule for LinkerdPeakEwma {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let (a, b) = two(cx.rng, candidates.len());
        let (a, b) = (candidates.get(a), candidates.get(b));
        if self.cost(a, cx) <= self.cost(b, cx) {
            a
        } else {
            b
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategyConfig;
    use crate::strategy::contract::Bench;

    #[test]
    fn a_slow_member_is_not_new_because_a_request_was_tried_there() {
        let mut bench = Bench::new("linkerd-peak-ewma", &[1; 4]);
        bench.send(0);
        bench.answer(0, Outcome::Timeout, Span::from_secs(1));
        for who in 0..100 {
            assert_ne!(bench.pick_after(who, &[0]), 0);
            assert_ne!(bench.pick(who), 0);
        }
    }

    /// Of two members the one that fails is picked as long as its failures are quick, unless they
    /// are punished.
    #[test]
    fn failures_attract_unless_they_are_punished() {
        for (penalty, picked) in [(Span::ZERO, 0), (Span::from_secs(5), 1)] {
            let config = Config {
                penalty,
                ..Config::default()
            };
            let mut bench = Bench::of(&StrategyConfig::LinkerdPeakEwma(config), &[1, 1]);
            for member in [0, 1] {
                bench.send_at_once(member);
            }
            bench.answer(1, Outcome::Success, Span::from_millis(100));
            bench.answer(0, Outcome::Failure, Span::from_millis(1));
            assert_eq!([0, 1, 2].map(|who| bench.pick(who)), [picked; 3]);
        }
    }
}
