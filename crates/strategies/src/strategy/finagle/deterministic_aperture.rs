//! Uses the stretch of a ring of servers that belongs to this client, so that all clients together
//! cover the ring evenly, and picks in it as two choices do, by requests in flight.
//!
//! Servers share the ring from 0 to 1 by weight, in order; client i of N begins at i/N, and takes
//! whole Nths until it covers `min-aperture` servers. A server that is covered in part is drawn,
//! and its load compared, in proportion to the part.
//!
//! **Sees:** its own requests in flight, weights, its own place among the clients.
//! **Cost of a pick:** log n; n after a change of servers or weights.
//! **Fails when:** clients send unequal amounts; `instances` is not their true number.
//! **Source:** Finagle (4feb34cb9),
//! `finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture/Ring.scala`,
//! `DeterministicAperture.scala`, `ProcessCoordinate.scala`; `p2c/P2CPick.scala`.
//! **Differs:** from the power of two choices by drawing among few, of which each client has
//! others. A draw by running totals stands for the alias method: the chances are the same.
//! **Verified:** documented only: its parts as in the source, no picks are recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nodes::{Nodes, better, pick};
use crate::strategy::{Context, MemberId, News, Pick, Product, Request};
use lbsim_engine::rng::{Rng, below, uniform};

/// Settings of `finagle-deterministic-aperture`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How many clients (here: balancers) there are: `totalInstances`. With 1 it covers all
    /// servers.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub instances: u32,
    /// Which of them this is, from 0: `instanceId`. Where it is not given each balancer draws one.
    pub instance: Option<u32>,
    /// How many servers are covered at least.
    #[schemars(range(min = 1, max = 100_000))]
    pub min_aperture: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            instances: 1,
            instance: None,
            min_aperture: 12,
        }
    }
}

/// How often the second node is drawn until it is another.
const SECOND_DRAWS: u32 = 5;

/// Parts that differ by no more than this count as equal.
const EQUAL: f64 = 1e-4;

/// Two choices in a stretch of a ring.
#[derive(Clone, Debug)]
pub struct FinagleDeterministicAperture {
    /// Where the stretch begins, and the part of the ring that a client stands for.
    offset: f64,
    unit: f64,
    min_aperture: u32,
    /// The servers in the stretch, each with its part, and the total of the parts up to and with
    /// it.
    window: Vec<(MemberId, f64, f64)>,
    stale: bool,
}

impl FinagleDeterministicAperture {
    fn rebuild(&mut self, cx: &Context<'_>) {
        self.stale = false;
        self.window.clear();
        let nodes = Nodes::of(cx.pool);
        let nodes = nodes.list();
        let weight = |node: &MemberId| f64::from(cx.pool.weight(*node));
        let sum: f64 = nodes.iter().map(weight).sum();
        if sum == 0.0 {
            return;
        }
        let covered = f64::from(self.min_aperture) / nodes.len() as f64;
        let width = ((covered.min(1.0) / self.unit).ceil() * self.unit).min(1.0);
        let (mut from, mut total) = (0.0, 0.0);
        for node in nodes {
            let to = from + weight(node) / sum;
            // The stretch may go on past the end of the ring, at its beginning.
            let part = overlap((from, to), (self.offset, self.offset + width))
                + overlap((from + 1.0, to + 1.0), (self.offset, self.offset + width));
            if part > 0.0 {
                total += part;
                self.window.push((*node, part, total));
            }
            from = to;
        }
    }
}

/// The length that two intervals have in common.
fn overlap(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.1.min(b.1) - a.0.max(b.0)).max(0.0)
}

/// Draws a node by its part.
fn draw(window: &[(MemberId, f64, f64)], rng: &mut Rng) -> Option<(MemberId, f64)> {
    let &(_, _, total) = window.last()?;
    let height = uniform(rng) * total;
    let at = window.partition_point(|&(_, _, upto)| upto <= height);
    let (node, part, _) = window[at.min(window.len() - 1)];
    Some((node, part))
}

impl News for FinagleDeterministicAperture {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let instances = config.instances.max(1);
        let drawn = below(cx.rng, instances as usize) as u32;
        let instance = config.instance.unwrap_or(drawn) % instances;
        FinagleDeterministicAperture {
            offset: f64::from(instance) / f64::from(instances),
            unit: 1.0 / f64::from(instances),
            min_aperture: config.min_aperture,
            window: Vec::new(),
            stale: true,
        }
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, _: &mut Context<'_>) {
        self.stale = true;
    }

    fn membership_changed(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.stale = true;
    }
}

impl Product for FinagleDeterministicAperture {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if self.stale {
            self.rebuild(cx);
        }
        let window = &self.window;
        pick(cx, |cx| {
            let a = draw(window, cx.rng)?;
            let mut b = draw(window, cx.rng)?;
            for _ in 1..SECOND_DRAWS {
                if b.0 != a.0 {
                    break;
                }
                b = draw(window, cx.rng)?;
            }
            let uneven = (a.1 - b.1).abs() > EQUAL;
            let load = |(node, part): (MemberId, f64)| {
                let in_flight = f64::from(cx.pool.in_flight(node));
                (node, if uneven { in_flight / part } else { in_flight })
            };
            Some(better(load(a), load(b), cx))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategyConfig;
    use crate::strategy::contract::Bench;

    /// Three clients of four servers, two servers each: client i covers 2/3 of the ring from i/3
    /// on. Together they draw every server as often, with nothing in flight that would tell.
    #[test]
    fn the_clients_together_cover_the_ring_evenly() {
        let mut hits = [0u32; 4];
        for instance in 0..3 {
            let config = Config {
                instances: 3,
                instance: Some(instance),
                min_aperture: 2,
            };
            let config = StrategyConfig::FinagleDeterministicAperture(config);
            let mut bench = Bench::of(&config, &[1; 4]);
            let mut own = [0u32; 4];
            for who in 0..20_000 {
                own[bench.pick(who) as usize] += 1;
            }
            // The server whose arc lies outside of the stretch gets nothing: 3, 0 or 1, 2 for
            // stretches from 0, 1/3, 2/3.
            let outside = [3, 0, 2][instance as usize];
            assert_eq!(own[outside as usize] == 0, instance != 2, "{own:?}");
            for (sum, own) in hits.iter_mut().zip(own) {
                *sum += own;
            }
        }
        assert!(
            hits.iter().all(|hit| hit.abs_diff(15_000) < 600),
            "{hits:?}"
        );
    }

    #[test]
    fn more_weight_is_more_of_the_ring() {
        let mut bench = Bench::new("finagle-deterministic-aperture", &[3, 1]);
        let hits = (0..10_000).filter(|&who| {
            let member = bench.pick(who);
            bench.send(member);
            member == 0
        });
        // In flight follow the parts.
        assert!(hits.count().abs_diff(7_500) < 50);
    }
}
