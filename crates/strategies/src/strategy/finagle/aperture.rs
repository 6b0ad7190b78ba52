//! Uses a window of the nodes in a random order of its own, as wide as it takes to have about one
//! request in flight for each node in it, and picks in it as two choices do, by requests in flight.
//!
//! The window (the "aperture") widens by one node when the average number of requests in flight a
//! node is `high-load` or more, and narrows when it is `low-load` or less. So a client with little
//! traffic keeps few connections, and its knowledge of them is fresh.
//!
//! **Sees:** its own requests in flight.
//! **Cost of a pick:** constant; n log n after a node has changed its state.
//! **Fails when:** clients are few: their random windows overlap, and servers get uneven shares.
//! Load changes faster than `smooth-window`.
//! **Source:** Finagle (4feb34cb9),
//! `finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture/Aperture.scala`,
//! `LoadBand.scala`, `RandomAperture` there; `p2c/P2CPick.scala`.
//! **Differs:** from the power of two choices by drawing among few. Nodes that are down come to
//! stand behind all others when one comes back, or when four picks have met nobody else. Weights do
//! not count here; Finagle balances each class of equal weights by itself.
//! **Verified:** documented only: its parts as in the source, no picks are recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nodes::{Nodes, better, pick};
use crate::strategy::draw::two;
use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Request};
use lbsim_engine::rng::mix;
use lbsim_engine::time::{Span, Time};

/// Settings of `finagle-aperture`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Requests in flight a node at which the window narrows.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub low_load: f64,
    /// Requests in flight a node at which the window widens.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub high_load: f64,
    /// Over which time requests in flight are averaged.
    pub smooth_window: Span,
    /// The narrowest window, in nodes, with which it also begins.
    #[schemars(range(min = 1, max = 100_000))]
    pub min_aperture: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            low_load: 0.875,
            high_load: 1.125,
            smooth_window: Span::from_secs(15),
            min_aperture: 1,
        }
    }
}

/// Two choices in a window.
#[derive(Clone, Debug)]
pub struct FinagleAperture {
    config: Config,
    /// What orders the nodes, drawn once.
    tokens: Vec<u64>,
    /// The nodes by state, then token.
    order: Vec<MemberId>,
    stale: bool,
    /// The width of the window.
    width: usize,
    in_flight: u32,
    /// The average of requests in flight, and since when; never where there is none yet.
    average: f64,
    updated: Option<Time>,
}

impl FinagleAperture {
    /// `LoadBand.adjustTotal`: a request has begun or ended. The new number stands for the time
    /// since the last such event, as in Finagle.
    fn adjust(&mut self, cx: &Context<'_>) {
        let total = f64::from(self.in_flight);
        self.average = match self.updated {
            None => total,
            Some(before) => {
                let elapsed = cx.now.since(before).nanos() as f64;
                let window = self.config.smooth_window.nanos() as f64;
                let kept = if window > 0.0 {
                    libm::exp(-elapsed / window)
                } else {
                    0.0
                };
                total * (1.0 - kept) + self.average * kept
            }
        };
        self.updated = Some(cx.now);
        let load = self.average / self.width as f64;
        if load >= self.config.high_load && self.width < self.order.len() {
            self.width += 1;
        } else if load <= self.config.low_load && self.width > self.narrowest() {
            self.width -= 1;
        }
    }

    /// `minUnits`.
    fn narrowest(&self) -> usize {
        (self.config.min_aperture as usize).clamp(1, self.order.len().max(1))
    }

    fn rebuild(&mut self, cx: &Context<'_>) {
        self.stale = false;
        self.order = Nodes::of(cx.pool).list().to_vec();
        let key = |node: &MemberId| (!cx.pool.is_eligible(*node), self.tokens[*node as usize]);
        self.order.sort_unstable_by_key(key);
        self.width = self.width.clamp(self.narrowest(), self.order.len().max(1));
    }
}

impl FinagleAperture {
    /// Picks in the window as it stands.
    fn attempt(&self, cx: &mut Context<'_>) -> Pick {
        let window = &self.order[..self.width.min(self.order.len())];
        pick(cx, |cx| {
            let (a, b) = two(cx.rng, window.len());
            let (a, b) = (*window.get(a)?, *window.get(b)?);
            let load = |node: MemberId| (node, f64::from(cx.pool.in_flight(node)));
            Some(better(load(a), load(b), cx))
        })
    }
}

impl News for FinagleAperture {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let own = rand::Rng::next_u64(cx.rng);
        let mut aperture = FinagleAperture {
            config: config.clone(),
            tokens: (0..cx.pool.len() as u64)
                .map(|node| mix(own ^ mix(node)))
                .collect(),
            order: Vec::new(),
            stale: false,
            width: 1,
            in_flight: 0,
            average: 0.0,
            updated: None,
        };
        aperture.rebuild(cx);
        aperture
    }

    fn sent(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.in_flight += 1;
        self.adjust(cx);
    }

    fn answered(&mut self, _: &Answer, cx: &mut Context<'_>) {
        self.in_flight -= 1;
        self.adjust(cx);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.stale |= cx.pool.is_eligible(member);
    }

    fn membership_changed(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.stale = true;
    }
}

impl Product for FinagleAperture {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if self.stale {
            self.rebuild(cx);
        }
        let first = self.attempt(cx);
        if matches!(first, Pick::Member(member) if !cx.pool.is_eligible(member)) {
            self.rebuild(cx);
            return self.attempt(cx);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::strategy::Outcome;
    use crate::strategy::contract::Bench;
    use lbsim_engine::time::Span;

    #[test]
    fn a_window_of_nodes_that_are_down_is_left() {
        let mut bench = Bench::new("finagle-aperture", &[1; 3]);
        let only = bench.pick(0);
        assert!((0..20).all(|who| bench.pick(who) == only));
        bench.set_eligible(only, false);
        let next = bench.pick(0);
        assert!(next != only && bench.pool().is_eligible(next));
    }

    /// One request after the other ends and begins, with a second between: three, none and eight
    /// are in flight while it does, and the average is about that. The window holds between 1/1.125
    /// and 1/0.875 times as many nodes.
    #[test]
    fn the_window_follows_the_requests_in_flight() {
        let mut bench = Bench::new("finagle-aperture", &[1; 20]);
        for (in_flight, nodes) in [(4, 3..=3), (1, 1..=1), (9, 8..=9)] {
            let mut open = Vec::new();
            let mut used = BTreeSet::new();
            for round in 0..400 {
                while open.len() >= in_flight {
                    bench.answer(open.remove(0), Outcome::Success, Span::from_secs(1));
                }
                let member = bench.pick(round);
                bench.send(member);
                open.push(member);
                bench.wait(Span::from_secs(1));
                if round >= 200 {
                    used.insert(member);
                }
            }
            assert!(nodes.contains(&used.len()), "{in_flight}: {used:?}");
            for member in open {
                bench.answer(member, Outcome::Success, Span::from_secs(1));
            }
        }
    }
}
