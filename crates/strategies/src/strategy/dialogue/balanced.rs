//! Sends each request to the member with the lowest score: requests in flight and points for what
//! went wrong of late, ten for a failure of the server and a tenth for one of who asked, half of
//! which are forgotten after 30 s; ties are drawn at random. This is the node selection `BALANCED`
//! of Palantir's dialogue, a client library that balances by itself.
//!
//! **Sees:** its own requests in flight, how its own attempts ended.
//! **Cost of a pick:** in proportion to the number of members.
//! **Fails when:** each of many clients sees a small part of the load: with one request in flight
//! or none the choice is nearly random.
//! **Source:** palantir/dialogue 6291a1d8, BalancedNodeSelectionStrategyChannel,
//! BalancedScoreTracker, CoarseExponentialDecayReservoir.
//! **Differs:** nothing is known to; it also passes over whom a retry is not to find again.
//! **Verified:** thirteen scenarios of dialogue's own simulation come to its figures, but for two
//! means that rest on its order of events of one instant (scenarios/dialogue).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::draw::shuffle;
use crate::strategy::{Answer, Context, MemberId, News, Outcome, Pick, Product, Request};
use lbsim_engine::rng::below;
use lbsim_engine::time::{Span, Time};

/// Points for a failure of the server, or of the way to it.
const FAILURE: f64 = 10.0;
/// Points for an answer that says that the request was wrong, or one too many.
const OF_WHO_ASKED: f64 = FAILURE / 100.0;

/// More requests in flight than this are much.
const MUCH_IN_USE: u32 = 5;

/// Settings of `dialogue-balanced`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// After how long half of the points are forgotten; they fall in ten steps.
    #[schemars(extend("x-least" = "1ms"))]
    pub half_life: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            half_life: Span::from_secs(30),
        }
    }
}

/// Requests in flight, and points.
#[derive(Clone, Debug)]
pub struct DialogueBalanced {
    /// From one step of forgetting to the next.
    step: Span,
    /// When the first request came: steps are counted from there.
    begun: Option<Time>,
    members: Vec<Points>,
}

/// What is held against a member.
#[derive(Clone, Copy, Debug, Default)]
struct Points {
    sum: f64,
    /// The step of the last change.
    step: u64,
}

impl Points {
    /// The points that are left at a step.
    fn at(&self, step: u64) -> f64 {
        if self.sum == 0.0 {
            return 0.0;
        }
        let steps = i32::try_from(step.saturating_sub(self.step)).unwrap_or(i32::MAX);
        self.sum * libm::exp2(-f64::from(steps) / 10.0)
    }
}

impl DialogueBalanced {
    fn step(&self, now: Time) -> u64 {
        let since = self.begun.map_or(Span::ZERO, |begun| now.since(begun));
        since.nanos() / self.step.nanos().max(1)
    }

    fn score(&self, member: MemberId, cx: &Context<'_>) -> u64 {
        let points = self.members[member as usize].at(self.step(cx.now));
        u64::from(cx.pool.in_flight(member)) + (points + 0.5).floor() as u64
    }
}

impl News for DialogueBalanced {
    const PICKS_FOR_WAITING: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        DialogueBalanced {
            step: Span::from_nanos(config.half_life.nanos() / 10),
            begun: None,
            members: vec![Points::default(); cx.pool.len()],
        }
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        let points = match answer.outcome {
            Outcome::Cancelled => return,
            Outcome::Success if answer.status.is_error() => OF_WHO_ASKED,
            Outcome::Success => return,
            Outcome::Error | Outcome::Failure | Outcome::Timeout | Outcome::Rejected => FAILURE,
        };
        let step = self.step(cx.now);
        let member = &mut self.members[answer.member as usize];
        *member = Points {
            sum: member.at(step) + points,
            step,
        };
    }
}

impl Product for DialogueBalanced {
    /// Members in `request.tried` are full, or have been tried: it goes on from them to those of
    /// the next higher scores, but not from one that is much in use to one of more than twice its
    /// score.
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.begun.get_or_insert(cx.now);
        let eligible = cx.pool.eligible();
        let mut order: Vec<(u64, MemberId)> = Vec::new();
        let (mut best, mut least, mut equal) = (None, u64::MAX, 0);
        for &member in eligible {
            let score = self.score(member, cx);
            if !request.tried.is_empty() {
                order.push((score, member));
            } else if score < least {
                (best, least, equal) = (Some(member), score, 1);
            } else if score == least {
                equal += 1;
                if below(cx.rng, equal) == 0 {
                    best = Some(member);
                }
            }
        }
        if request.tried.is_empty() {
            return best.map_or(Pick::Nobody, Pick::Member);
        }
        shuffle(cx.rng, &mut order);
        order.sort_by_key(|&(score, _)| score);
        let mut most = u64::MAX;
        for &(score, member) in &order {
            if score > most {
                return Pick::Wait;
            }
            if cx.pool.in_flight(member) > MUCH_IN_USE {
                most = 2 * score;
            }
            if !request.tried.contains(&member) {
                return Pick::Member(member);
            }
        }
        order
            .first()
            .map_or(Pick::Nobody, |&(_, member)| Pick::Member(member))
    }

    fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
        cx.pool.is_eligible(member)
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::contract::Bench;
    use crate::strategy::{Outcome, Pick};
    use lbsim_engine::time::Span;

    #[test]
    fn a_failure_weighs_as_ten_requests_and_is_forgotten_by_halves() {
        let mut bench = Bench::new("dialogue-balanced", &[1, 1]);
        bench.pick(0);
        bench.send(0);
        bench.answer(0, Outcome::Error, Span::from_millis(1));
        for _ in 0..10 {
            assert_eq!(bench.pick(0), 1);
            bench.send(1);
        }
        // Ten against ten: either.
        let both: Vec<u32> = (0..100).map(|_| bench.pick(0)).collect();
        assert!(both.contains(&0) && both.contains(&1));
        // Five are left of ten.
        bench.wait(Span::from_secs(31));
        for _ in 0..5 {
            assert_eq!(bench.pick(0), 0);
            bench.send(0);
        }
        let load = [bench.pool().in_flight(0), bench.pool().in_flight(1)];
        assert_eq!(load, [5, 10]);
        let both: Vec<u32> = (0..100).map(|_| bench.pick(0)).collect();
        assert!(both.contains(&0) && both.contains(&1));
    }

    #[test]
    fn from_one_that_is_full_it_goes_to_none_of_more_than_twice_its_score() {
        let mut bench = Bench::new("dialogue-balanced", &[1, 1]);
        for _ in 0..6 {
            bench.send(0);
        }
        for _ in 0..12 {
            bench.send(1);
        }
        assert_eq!(bench.ask_after(0, &[0]), Pick::Member(1));
        bench.send(1);
        assert_eq!(bench.ask_after(0, &[0]), Pick::Wait);
    }
}
