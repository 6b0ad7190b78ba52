//! Budgets of retries: how many a balancer makes at most, whatever fails. Without one, retries
//! multiply the load of a system that is already too busy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::Outcome;
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

/// How many retries a balancer may make, all its requests together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Budget {
    /// A share of the requests of late, and some a second whatever comes: a leaky bucket of tokens,
    /// as Finagle's and Linkerd's `RetryBudget`.
    Share(ShareOfRequests),
    /// A share of the requests under way (Envoy: `retry_budget` of `circuit_breakers`).
    Active(ShareOfActive),
    /// Tokens, of which each failed attempt takes one, and each answer brings some back; retries
    /// are made while more than half are there (gRPC: `retryThrottling`, proposal A6).
    Tokens(Tokens),
}

/// A share of the requests of late.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShareOfRequests {
    /// Retries for each request (Finagle: `percentCanRetry`).
    pub share: Share,
    /// Retries a second that may be made whatever comes (Finagle: `minRetriesPerSec`).
    #[schemars(range(min = 0.0, max = 1e6))]
    pub least: f64,
    /// How long a request counts (Finagle: `ttl`).
    #[schemars(extend("x-least" = "1ms"))]
    pub window: Span,
}

impl Default for ShareOfRequests {
    fn default() -> ShareOfRequests {
        ShareOfRequests {
            share: Share::fraction(0.2),
            least: 10.0,
            window: Span::from_secs(10),
        }
    }
}

/// A share of the requests under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShareOfActive {
    /// Retries under way for each request under way (Envoy: `budget_percent`).
    pub share: Share,
    /// Retries under way that are always allowed (Envoy: `min_retry_concurrency`).
    pub least: u32,
}

impl Default for ShareOfActive {
    fn default() -> ShareOfActive {
        ShareOfActive {
            share: Share::fraction(0.2),
            least: 3,
        }
    }
}

/// Tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tokens {
    /// How many there are at most, and at the start (gRPC: `maxTokens`).
    #[schemars(range(min = 1, max = 1000))]
    pub max: u32,
    /// How many each answer brings back (gRPC: `tokenRatio`).
    #[schemars(range(min = 0.001, max = 1000.0))]
    pub ratio: f64,
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens {
            max: 10,
            ratio: 0.1,
        }
    }
}

/// What one balancer has left of its budget.
#[derive(Clone, Debug)]
pub struct Purse {
    budget: Budget,
    /// Tokens, in thousandths.
    tokens: i64,
    /// What came in each tenth of the window, the present one first, in thousandths of a token.
    slices: [i64; SLICES],
    /// The number of the present slice.
    slice: u64,
    /// Attempts under way.
    active: u32,
    /// Retries under way or in their pause.
    retries: u32,
}

/// Parts of a window (Finagle's `WindowedAdder` has as many).
const SLICES: usize = 10;
const TOKEN: i64 = 1000;

impl Purse {
    /// A budget of which nothing has been taken.
    pub fn new(budget: Budget) -> Purse {
        let tokens = match budget {
            Budget::Tokens(Tokens { max, .. }) => i64::from(max) * TOKEN,
            _ => 0,
        };
        Purse {
            budget,
            tokens,
            slices: [0; SLICES],
            slice: 0,
            active: 0,
            retries: 0,
        }
    }

    /// Forgets what has come before the window.
    fn advance(&mut self, window: Span, now: Time) {
        let slice = now.nanos() / (window.nanos() / SLICES as u64).max(1);
        let passed = (slice - self.slice).min(SLICES as u64) as usize;
        self.slices.rotate_right(passed);
        self.slices[..passed].fill(0);
        self.slice = slice;
    }

    /// A request has come.
    pub fn asked(&mut self, now: Time) {
        if let Budget::Share(share) = self.budget {
            self.advance(share.window, now);
            self.slices[0] += (share.share.value() * TOKEN as f64).round() as i64;
        }
    }

    /// An attempt is sent.
    pub fn sent(&mut self) {
        self.active += 1;
    }

    /// An attempt has ended so; `was_retry` says whether it was none of the first ones.
    pub fn ended(&mut self, outcome: Outcome, was_retry: bool) {
        self.active -= 1;
        self.retries -= u32::from(was_retry).min(self.retries);
        if let Budget::Tokens(Tokens { max, ratio }) = self.budget {
            let change = match outcome {
                Outcome::Success => (ratio * TOKEN as f64).round() as i64,
                Outcome::Cancelled => 0,
                _ => -TOKEN,
            };
            self.tokens = (self.tokens + change).clamp(0, i64::from(max) * TOKEN);
        }
    }

    /// Whether a retry may be made, which is then counted.
    pub fn allows(&mut self, now: Time) -> bool {
        let allowed = match self.budget {
            Budget::Share(share) => {
                self.advance(share.window, now);
                let reserve = (share.least * share.window.seconds() * TOKEN as f64) as i64;
                let there = self.slices.iter().sum::<i64>() + reserve;
                if there >= TOKEN {
                    self.slices[0] -= TOKEN;
                }
                there >= TOKEN
            }
            Budget::Active(active) => {
                let most = (active.share.value() * f64::from(self.active)) as u32;
                self.retries < most.max(active.least)
            }
            Budget::Tokens(Tokens { max, .. }) => self.tokens > i64::from(max) * TOKEN / 2,
        };
        self.retries += u32::from(allowed);
        allowed
    }

    /// A retry that was allowed is not made after all.
    pub fn forgo(&mut self) {
        self.retries -= self.retries.min(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    /// Ten requests bring two tokens, a reserve of one a second a hundred more in a window of 10 s
    /// of ten a second.
    #[test]
    fn a_share_of_the_requests_of_the_window() {
        let budget = ShareOfRequests {
            least: 0.0,
            ..ShareOfRequests::default()
        };
        let mut purse = Purse::new(Budget::Share(budget));
        for _ in 0..10 {
            purse.asked(at(1));
        }
        assert!(purse.allows(at(5)) && purse.allows(at(5)) && !purse.allows(at(5)));
        // The requests of the first second are forgotten after ten, the retries of the fifth later.
        for _ in 0..15 {
            purse.asked(at(12));
        }
        assert!(purse.allows(at(12)) && !purse.allows(at(12)));
        let mut reserve = Purse::new(Budget::Share(ShareOfRequests::default()));
        let allowed = (0..200).filter(|_| reserve.allows(at(3))).count();
        assert_eq!(allowed, 100);
    }

    #[test]
    fn a_share_of_those_under_way() {
        let mut purse = Purse::new(Budget::Active(ShareOfActive::default()));
        let allowed = |purse: &mut Purse| (0..100).filter(|_| purse.allows(at(0))).count();
        assert_eq!(allowed(&mut purse), 3);
        for _ in 0..40 {
            purse.sent();
        }
        assert_eq!(allowed(&mut purse), 5);
        purse.ended(Outcome::Success, true);
        // 39 under way: 7 of them.
        assert_eq!(allowed(&mut purse), 0);
        purse.ended(Outcome::Success, true);
        purse.ended(Outcome::Failure, true);
        assert_eq!(allowed(&mut purse), 2);
    }

    #[test]
    fn tokens_are_taken_by_failures_and_come_back_with_answers() {
        let mut purse = Purse::new(Budget::Tokens(Tokens::default()));
        for _ in 0..20 {
            purse.sent();
        }
        for _ in 0..4 {
            purse.ended(Outcome::Failure, false);
        }
        assert!(purse.allows(at(0)), "six of ten");
        purse.ended(Outcome::Failure, true);
        assert!(!purse.allows(at(0)), "five of ten");
        for _ in 0..2 {
            purse.ended(Outcome::Success, false);
        }
        assert!(purse.allows(at(0)), "five and a fifth");
    }
}
