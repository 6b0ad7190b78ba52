//! Draws two nodes, and takes the one with fewer requests in flight; of equals the first drawn.
//!
//! **Sees:** its own requests in flight.
//! **Cost of a pick:** constant.
//! **Fails when:** servers differ in speed beyond what their queues show; more than half are down:
//! some requests go there.
//! **Source:** Finagle (4feb34cb9),
//! `finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/p2c/P2CLeastLoaded.scala`,
//! `P2CPick.scala`, `PanicMode.scala`.
//! **Differs:** from the power of two choices by its nodes that are down: they are drawn too, and
//! avoided by up to four picks. Weights do not count here; Finagle balances each class of equal
//! weights by itself.
//! **Verified:** documented only: its parts as in the source, no picks are recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nodes::{Nodes, better, pick};
use crate::strategy::draw::two;
use crate::strategy::{Context, MemberId, News, Pick, Product, Request};

/// Settings of `finagle-p2c-least-loaded`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// Two choices by requests in flight.
#[derive(Clone, Debug)]
pub struct FinagleP2cLeastLoaded {
    nodes: Nodes,
}

impl News for FinagleP2cLeastLoaded {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        FinagleP2cLeastLoaded {
            nodes: Nodes::of(cx.pool),
        }
    }

    fn membership_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.nodes = Nodes::of(cx.pool);
    }
}

impl Product for FinagleP2cLeastLoaded {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let nodes = self.nodes.list();
        pick(cx, |cx| {
            let (a, b) = two(cx.rng, nodes.len());
            let (a, b) = (*nodes.get(a)?, *nodes.get(b)?);
            let load = |node: MemberId| (node, f64::from(cx.pool.in_flight(node)));
            Some(better(load(a), load(b), cx))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::Pick;
    use crate::strategy::contract::Bench;

    /// With half of the nodes down a pair is down with probability (k - 1)/(2k - 1)/2 of 2k nodes,
    /// and four pairs with the fourth power of that: 3/14 for eight nodes, 0.0021.
    #[test]
    fn four_picks_avoid_nodes_that_are_down() {
        let mut bench = Bench::new("finagle-p2c-least-loaded", &[1; 8]);
        for member in 0..4 {
            bench.set_eligible(member, false);
        }
        let down = (0..40_000).filter(|&who| bench.pick(who) < 4).count();
        // Expected 84.3; 4.5 standard deviations are 41.
        assert!((43..126).contains(&down), "{down}");
        for member in 4..8 {
            bench.set_eligible(member, false);
        }
        assert!(matches!(bench.ask(0), Pick::Member(_)));
    }
}
