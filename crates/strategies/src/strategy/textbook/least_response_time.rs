//! Sends each request to the member with the least product of average response time and requests in
//! flight (this one included), for its weight. The average forgets with time.
//!
//! A member that has never answered counts as the first response time that this balancer ever saw,
//! from anybody: where that one was slow, newcomers look slow until the others have so much in
//! flight that they are tried. Before the first answer only requests in flight count.
//!
//! **Sees:** its own requests in flight, response times of successes, weights.
//! **Cost of a pick:** log n.
//! **Fails when:** traffic is thin: a member that was slow once is not tried again until the others
//! fill up, since only answers renew the average; and a server that fails fast looks idle.
//! **Source:** `least_time` of NGINX Plus and "least response time" of NetScaler, as documented;
//! the forgetting average as in Finagle's Peak EWMA, without the peak.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::Tournament;
use crate::strategy::{Answer, Candidates, Context, MemberId, News, Outcome, Request, Rule};
use lbsim_engine::time::{Span, Time};

/// Settings of `least-response-time`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// After this time without news an observation has lost 63% of its weight in the average.
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

/// Members by average response time and requests in flight.
#[derive(Clone, Debug)]
pub struct LeastResponseTime {
    tournament: Tournament,
    averages: Vec<Average>,
    /// What a member that has not answered yet is taken to need: the first response time that
    /// anybody had. Until then only requests in flight count.
    first: Option<f64>,
    decay: f64,
}

#[derive(Clone, Copy, Debug)]
struct Average {
    seconds: f64,
    updated: Option<Time>,
}

impl LeastResponseTime {
    fn rank(&mut self, member: MemberId, cx: &Context<'_>) {
        if !cx.pool.is_eligible(member) || cx.pool.weight(member) == 0 {
            self.tournament.remove(member);
            return;
        }
        let average = self.averages[member as usize];
        let seconds = if average.updated.is_some() {
            average.seconds
        } else {
            self.first.unwrap_or(1.0)
        };
        let weight = cx.pool.weight(member);
        let ahead = f64::from(cx.pool.in_flight(member) + 1);
        // A nanosecond keeps the count in play where answers take no time.
        self.tournament
            .set(member, (seconds + 1e-9) * ahead / f64::from(weight), weight);
    }
}

impl News for LeastResponseTime {
    const HEEDS_WEIGHTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let n = cx.pool.len();
        let mut rule = LeastResponseTime {
            tournament: Tournament::new(n),
            averages: vec![
                Average {
                    seconds: 0.0,
                    updated: None
                };
                n
            ],
            first: None,
            decay: config.decay.seconds(),
        };
        for &member in cx.pool.eligible() {
            rule.rank(member, cx);
        }
        rule
    }

    fn sent(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.rank(member, cx);
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        if answer.outcome == Outcome::Success {
            let seen = answer.response_time.seconds();
            let average = &mut self.averages[answer.member as usize];
            let keep = average.updated.map_or(0.0, |then| {
                libm::exp(-(cx.now - then).seconds() / self.decay)
            });
            average.seconds = keep * average.seconds + (1.0 - keep) * seen;
            // Answers of one instant must not be lost: with no time gone by, the newest counts
            // half.
            if keep == 1.0 {
                average.seconds = 0.5 * (average.seconds + seen);
            }
            average.updated = Some(cx.now);
            if self.first.is_none() {
                self.first = Some(seen);
                for &member in cx.pool.eligible() {
                    self.rank(member, cx);
                }
            }
        }
        self.rank(answer.member, cx);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.rank(member, cx);
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        self.rank(member, cx);
    }
}

impl Rule for LeastResponseTime {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        self.tournament.least_of(candidates, cx.rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    #[test]
    fn a_member_three_times_as_quick_takes_three_requests_to_one() {
        let mut bench = Bench::new("least-response-time", &[1, 1]);
        for _ in 0..3 {
            for member in [0, 1] {
                bench.send(member);
                bench.answer(
                    member,
                    Outcome::Success,
                    Span::from_millis(if member == 0 { 10 } else { 30 }),
                );
            }
        }
        for _ in 0..40 {
            let picked = bench.pick(0);
            bench.send(picked);
        }
        assert!(
            (29..=31).contains(&bench.pool().in_flight(0)),
            "{}",
            bench.pool().in_flight(0)
        );
    }
}
