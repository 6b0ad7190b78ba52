//! Draws two nodes, and takes the one whose response time, kept as a peak EWMA, times its requests
//! in flight is less.
//!
//! A slow answer counts at once, and fades with `decay`. A node that has never answered costs
//! nothing until something is in flight to it, and then very much: it gets one request, and no more
//! before the answer.
//!
//! **Sees:** its own requests in flight and response times.
//! **Cost of a pick:** constant.
//! **Fails when:** a server fails fast; each of many balancers sends a server little, so that its
//! estimates are old.
//! **Source:** Finagle (4feb34cb9),
//! `finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala`,
//! `p2c/P2CPick.scala`, `PanicMode.scala`.
//! **Differs:** from the power of two choices by its load, and by its nodes that are down: they are
//! drawn too, and avoided by up to four picks. Weights do not count here; Finagle balances each
//! class of equal weights by itself.
//! **Verified:** documented only; its estimate is that of tower, whose recordings it equals to the
//! last bit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nodes::{Nodes, better, pick};
use crate::strategy::draw::two;
use crate::strategy::load::PeakEwma;
use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Request};
use lbsim_engine::time::Span;

/// Settings of `finagle-p2c-peak-ewma`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// After this time an observation has lost 63% of its weight: `decayTime`.
    #[schemars(extend("x-least" = "1us"))]
    pub decay: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            decay: Span::from_secs(10),
        }
    }
}

/// Two choices by peak EWMA.
#[derive(Clone, Debug)]
pub struct FinagleP2cPeakEwma {
    nodes: Nodes,
    estimates: Vec<PeakEwma>,
    decay: Span,
}

impl News for FinagleP2cPeakEwma {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        FinagleP2cPeakEwma {
            nodes: Nodes::of(cx.pool),
            estimates: vec![PeakEwma::new(Span::ZERO, cx.now); cx.pool.len()],
            decay: config.decay,
        }
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.estimates[answer.member as usize].observe(answer.response_time, cx.now, self.decay);
    }

    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.nodes = Nodes::of(cx.pool);
        self.estimates[member as usize] = PeakEwma::new(Span::ZERO, cx.now);
    }
}

impl Product for FinagleP2cPeakEwma {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let nodes = self.nodes.list();
        let (estimates, decay) = (&mut self.estimates, self.decay);
        pick(cx, |cx| {
            let (a, b) = two(cx.rng, nodes.len());
            let (a, b) = (*nodes.get(a)?, *nodes.get(b)?);
            let mut load = |node: MemberId| {
                let in_flight = cx.pool.in_flight(node);
                let cost = estimates[node as usize].finagle_cost(in_flight, cx.now, decay);
                (node, cost)
            };
            Some(better(load(a), load(b), cx))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::Outcome;
    use crate::strategy::contract::Bench;
    use lbsim_engine::time::Span;

    #[test]
    fn an_unknown_node_gets_one_request_and_waits_for_its_answer() {
        let mut bench = Bench::new("finagle-p2c-peak-ewma", &[1, 1]);
        bench.send(0);
        bench.answer(0, Outcome::Success, Span::from_secs(1));
        assert_eq!(bench.pick(0), 1);
        bench.send(1);
        assert_eq!(bench.pick(1), 0);
        bench.answer(1, Outcome::Success, Span::from_millis(20));
        assert_eq!(bench.pick(2), 1);
    }
}
