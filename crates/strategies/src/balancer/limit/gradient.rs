//! A limit that follows how response times change: Netflix's concurrency-limits, `Gradient2Limit`
//! (0.5), whose names these are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Left, Limiting, Meter, Refuse, check_bounds, check_start};
use crate::strategy::Outcome;

/// Settings of the gradient limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gradient {
    /// How many at once at the start (`initialLimit`), between `least` and `most`; where the
    /// default is not, the nearer of them.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub start: u32,
    /// How many at least (`minLimit`).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub least: u32,
    /// How many at most (`maxConcurrency`).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub most: u32,
    /// How many times the mean response time one may be before the limit shrinks (`rttTolerance`).
    #[schemars(range(min = 1.0, max = 100.0))]
    pub tolerance: f64,
    /// How many may queue beyond what the gradient says (`queueSize`).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub queue: u32,
    /// How much of the new limit counts, of 1; the rest is the old one (`smoothing`).
    #[schemars(range(min = 0.001, max = 1.0))]
    pub smoothing: f64,
    /// Answers over which the mean response time is taken (`longWindow`).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub window: u32,
}

impl Default for Gradient {
    fn default() -> Gradient {
        Gradient {
            start: 20,
            least: 20,
            most: 200,
            tolerance: 1.5,
            queue: 4,
            smoothing: 0.2,
            window: 600,
        }
    }
}

impl Limiting for Gradient {
    type Meter = Slope;

    fn meter(&self) -> Slope {
        Slope {
            limit: f64::from(self.start.clamp(self.least, self.most.max(self.least))),
            long: 0.0,
            count: 0,
            warm_up: 0.0,
            settings: self.clone(),
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        check_bounds(self.least, (self.most, Gradient::default().most), refuse);
        let start = (self.start, Gradient::default().start);
        check_start(start, (self.least, self.most), refuse);
    }
}

/// Means over the first so many answers are plain ones (`ExpAvgMeasurement`'s warm-up window).
const WARM_UP: u32 = 10;

/// A limit that follows response times.
#[derive(Clone, Debug)]
pub(super) struct Slope {
    settings: Gradient,
    limit: f64,
    /// The mean response time in the long run, in seconds.
    long: f64,
    count: u32,
    warm_up: f64,
}

impl Meter for Slope {
    fn most(&self) -> u32 {
        self.limit as u32
    }

    fn left(&mut self, left: &Left) {
        if left.outcome == Outcome::Cancelled {
            return;
        }
        let settings = &self.settings;
        let short = left.took.seconds();
        if self.count < WARM_UP {
            self.count += 1;
            self.warm_up += short;
            self.long = self.warm_up / f64::from(self.count);
        } else {
            let factor = 2.0 / (f64::from(settings.window) + 1.0);
            self.long = self.long * (1.0 - factor) + short * factor;
        }
        // After a long time of load the mean is too high: it comes down quickly.
        if short > 0.0 && self.long / short > 2.0 {
            self.long *= 0.95;
        }
        // Too few are under way to tell.
        if f64::from(left.among) < self.limit / 2.0 || short <= 0.0 {
            return;
        }
        let gradient = (settings.tolerance * self.long / short).clamp(0.5, 1.0);
        let new = self.limit * gradient + f64::from(settings.queue);
        let smooth = self.limit * (1.0 - settings.smoothing) + new * settings.smoothing;
        self.limit = smooth.clamp(f64::from(settings.least), f64::from(settings.most));
    }
}

#[cfg(test)]
mod tests {
    use super::super::LimitKind;
    use super::super::testing::{leave, limiter, room};
    use super::*;

    #[test]
    fn it_grows_while_answers_come_as_soon_and_shrinks_when_they_do_not() {
        let mut limiter = limiter(LimitKind::Gradient(Gradient::default()));
        let mut answer = |millis: u64, among: u32| {
            leave(&mut limiter, Outcome::Success, (millis, among));
            room(&limiter)
        };
        // 20 + 0.2 * 4, and again.
        assert_eq!([answer(10, 20), answer(10, 20)], [20, 21]);
        // Too few to tell.
        assert_eq!(answer(10, 3), 21);
        for _ in 0..100 {
            answer(10, 200);
        }
        let before = answer(10, 200);
        assert!(before > 90, "{before}");
        // Three times as long as usual: half the gradient, a fifth of which counts.
        let after = answer(30, 200);
        assert!(
            after < before - 7 && after > before - 12,
            "{before} {after}"
        );
    }
}
