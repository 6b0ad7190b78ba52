//! A bucket of tokens: they come in evenly, and each request takes one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Limiting, Meter, Refuse};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Rate;

/// Settings of a token bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenBucket {
    /// How many requests, in the long run.
    pub rate: Rate,
    /// How many may come at once after a pause.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100_000_000))]
    pub burst: u32,
}

fn one() -> u32 {
    1
}

impl Limiting for TokenBucket {
    type Meter = Bucket;

    fn meter(&self) -> Bucket {
        let gap = Span::from_seconds(1.0 / self.rate.value()).max(Span::from_nanos(1));
        Bucket {
            gap,
            slack: Span::from_nanos(gap.nanos().saturating_mul(u64::from(self.burst) - 1)),
            due: Time::ZERO,
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        if self.rate.value() <= 0.0 {
            refuse("rate", "`rate` is nothing; it must be more");
        }
    }
}

/// The bucket as the time at which it would be full: "virtual scheduling", which counts no tokens
/// and so rounds none (ITU-T I.371, generic cell rate algorithm).
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Between two tokens.
    gap: Span,
    /// So much earlier than its turn one may come.
    slack: Span,
    /// The turn of the next.
    due: Time,
}

impl Meter for Bucket {
    fn may_come(&mut self, now: Time) -> bool {
        now + self.slack >= self.due
    }

    fn came(&mut self, now: Time) {
        self.due = self.due.max(now) + self.gap;
    }

    fn next(&self, now: Time) -> Time {
        let first = self.due.nanos().saturating_sub(self.slack.nanos());
        Time::from_nanos(first).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LimitKind;
    use super::super::testing::{at, limiter};
    use super::*;

    #[test]
    fn tokens_come_evenly_and_a_burst_is_let_through() {
        let rate = Rate::per_second(100.0);
        let mut bucket = limiter(LimitKind::TokenBucket(TokenBucket { rate, burst: 3 }));
        let mut let_in = |millis: u64| {
            let mut count = 0;
            while bucket.may_enter(0, at(millis)) {
                bucket.enter(at(millis));
                count += 1;
            }
            (count, bucket.next(at(millis)))
        };
        assert_eq!(let_in(100), (3, Some(at(110))));
        assert_eq!(let_in(109), (0, Some(at(110))));
        assert_eq!(let_in(110), (1, Some(at(120))));
        assert_eq!(let_in(135), (2, Some(at(140))));
        assert_eq!(let_in(1000), (3, Some(at(1010))));
    }
}
