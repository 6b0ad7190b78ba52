//! Draws a server at random in proportion to weight, or draws two and takes the one with fewer
//! requests in flight for its weight. This is nginx with `random`, or with `random two least_conn`.
//!
//! Servers that are marked as down, failed, full, tried or drawn twice are drawn all the same and
//! passed over, 20 times for a request; then smooth weighted round robin decides. Of two equals the
//! second drawn is taken. Failures and `max_conns` are as in `nginx-round-robin`. State is per
//! balancer: each worker process of nginx counts its own connections and failures unless the
//! upstream has a `zone`, so model W workers as W balancers, and one `zone` as one. With several
//! workers `two = "least_conn"` compares only the worker's own counts.
//!
//! **Sees:** weights, its own failures, what was tried, and with `two` its own requests in flight.
//! **Cost of a pick:** log n for each draw, at most 22 of them; then linear.
//! **Fails when:** few servers of many can serve: 21 draws may miss them, and the round robin is
//! left to one worker's memory; with two servers of very unequal weight, the pair is nearly always
//! the same and costs many draws.
//! **Source:** nginx 1.22.1, src/http/modules/ngx_http_upstream_random_module.c.
//! **Differs:** from power-of-d by drawing in proportion to weight, always two different servers,
//! and by its ties. nginx counts the draws of all attempts for a request together; here each
//! attempt has its own 20. nginx refuses `backup` with it; here backups serve where the round robin
//! finds nobody else.
//! **Verified:** picks equal to recordings with known draws.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::peers::{self, Condition, PASSED_OVER, Peers};
use super::upstream::{Method, Upstream};
use crate::strategy::{Context, MemberId, Pick, Request};
use lbsim_engine::rng::below;
use lbsim_engine::time::Span;

/// Settings of `nginx-random`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether two are drawn, and by what one of them is taken.
    pub two: Two,
    /// What the C library's `random()` returns first, in order; then the balancer draws its own.
    pub draws: Vec<u32>,
    /// Failures after which a server is left alone for `fail-timeout`; 0: never.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_fails: u32,
    /// How long a server that failed too often is left alone; fractions of a second are dropped.
    pub fail_timeout: Span,
    /// How far into a second of the wall clock the run begins: failures are counted in whole
    /// seconds.
    pub clock_offset: Span,
    /// What counts as a failure besides errors and timeouts, which always do.
    pub next_upstream: Vec<Condition>,
}

/// Whether two are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Two {
    /// One is drawn.
    #[default]
    Off,
    /// Two are drawn, and the one with fewer requests in flight for its weight is taken.
    LeastConn,
}

impl Default for Config {
    fn default() -> Config {
        let peers::Config {
            max_fails,
            fail_timeout,
            clock_offset,
            next_upstream,
        } = peers::Config::default();
        Config {
            two: Two::Off,
            draws: Vec::new(),
            max_fails,
            fail_timeout,
            clock_offset,
            next_upstream,
        }
    }
}

/// nginx with `random`.
pub type NginxRandom = Upstream<Drawn>;

/// One or two that are drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    two: Two,
    draws: Draws,
}

/// The C library's `random()`: 31 bits at a time.
#[derive(Clone, Debug)]
struct Draws {
    known: std::vec::IntoIter<u32>,
}

impl Draws {
    fn draw(&mut self, cx: &mut Context<'_>) -> u64 {
        match self.known.next() {
            Some(draw) => u64::from(draw),
            None => below(cx.rng, 1 << 31) as u64,
        }
    }
}

impl Drawn {
    fn two(
        &mut self,
        peers: &mut Peers,
        request: &Request<'_>,
        cx: &mut Context<'_>,
    ) -> Option<Pick> {
        peers.total_weight()?;
        let load = |member: MemberId, other: MemberId, cx: &Context<'_>| {
            u64::from(cx.pool.in_flight(member)) * u64::from(cx.pool.weight(other))
        };
        let mut first = None;
        let mut passed_over = 0;
        while passed_over <= PASSED_OVER {
            let drawn = peers.at(self.draws.draw(cx));
            if first == Some(drawn) || !peers.is_free(drawn, request, cx) {
                passed_over += 1;
                continue;
            }
            let Some(other) = first else {
                first = Some(drawn);
                continue;
            };
            let busier = load(drawn, other, cx) > load(other, drawn, cx);
            let taken = if busier { other } else { drawn };
            return Some(peers.take(taken, cx.now));
        }
        None
    }
}

impl Method for Drawn {
    type Config = Config;

    fn shared(config: &Config) -> peers::Config {
        peers::Config {
            max_fails: config.max_fails,
            fail_timeout: config.fail_timeout,
            clock_offset: config.clock_offset,
            next_upstream: config.next_upstream.clone(),
        }
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(config: &Config) -> bool {
        config.two != Two::Off
    }

    fn new(config: &Config, _: &Peers, _: &Context<'_>) -> Self {
        Drawn {
            two: config.two,
            draws: Draws {
                known: config.draws.clone().into_iter(),
            },
        }
    }

    fn pick(&mut self, peers: &mut Peers, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        match self.two {
            Two::Off => peers.seek(request, cx, PASSED_OVER, |cx| self.draws.draw(cx)),
            Two::LeastConn => self
                .two(peers, request, cx)
                .unwrap_or_else(|| peers.round_robin(request, cx)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::peers::tests::{Rig, servers};
    use crate::strategy::{Outcome, Pick};

    #[test]
    fn known_draws_come_first_and_those_in_vain_are_passed_over() {
        let config = json!({ "kind": "nginx-random", "draws": [7, 4, 0, 5] });
        let mut upstream = Rig::new(config, servers(&[5, 3]));
        upstream.serve(0, Outcome::Success);
        for (tried, picked) in [(&[][..], 1), (&[], 0), (&[0], 1)] {
            let pick = upstream.ask("10.0.0.1", "", tried);
            assert_eq!(pick, Pick::Member(picked), "{tried:?}");
        }
    }

    #[test]
    fn the_second_drawn_wins_ties() {
        let config =
            json!({ "kind": "nginx-random", "two": "least_conn", "draws": [0, 0, 1, 1, 2] });
        let mut upstream = Rig::new(config, servers(&[1, 1, 1]));
        assert_eq!(upstream.ask("10.0.0.1", "", &[]), Pick::Member(1));
        assert_eq!(upstream.ask("10.0.0.1", "", &[]), Pick::Member(2));
    }

    /// With one server left there is no pair to be drawn, and the round robin finds it.
    #[test]
    fn without_a_pair_the_round_robin_decides() {
        for two in ["off", "least_conn"] {
            let config = json!({ "kind": "nginx-random", "two": two });
            let mut upstream = Rig::new(config, servers(&[1; 300]));
            for server in 0..300 {
                if server != 7 {
                    upstream.serve(server, Outcome::Failure);
                }
            }
            for _ in 0..50 {
                assert_eq!(upstream.ask("10.0.0.1", "", &[]), Pick::Member(7));
            }
        }
    }
}
