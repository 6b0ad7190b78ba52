//! Bursts: a Poisson process whose rate switches between two values at random times.
//!
//! A two-state Markov-modulated Poisson process (Fischer and Meier-Hellstern, "The Markov-modulated
//! Poisson process cookbook", Performance Evaluation 18, 1993).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::distribution::DistError;
use lbsim_engine::rng::{Rng, uniform, uniform_open};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Rate;

/// Poisson arrivals that switch between two rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OnOff {
    /// Arrivals a second while on.
    pub on_rate: Rate,
    /// Arrivals a second while off.
    pub off_rate: Rate,
    /// Mean length of an on period; lengths are exponential.
    #[schemars(extend("x-least" = "10us"))]
    pub on: Span,
    /// Mean length of an off period; lengths are exponential.
    #[schemars(extend("x-least" = "10us"))]
    pub off: Span,
}

/// Bursts at work.
#[derive(Clone, Debug)]
pub struct Switching {
    /// Rates while off and while on.
    rates: [f64; 2],
    /// Mean lengths of off and on periods, in seconds.
    lengths: [f64; 2],
    on: bool,
    /// When the present period ends; none has begun yet at time zero.
    until: Option<Time>,
}

impl OnOff {
    pub(super) fn process(&self) -> Result<Switching, DistError> {
        if self.on.is_zero() || self.off.is_zero() {
            let field = if self.on.is_zero() { "on" } else { "off" };
            return Err(DistError::new(
                field,
                "is no time at all; a period must have a length",
            ));
        }
        if self.on_rate.value() + self.off_rate.value() == 0.0 {
            return Err(DistError::new(
                "on-rate",
                "is 0/s, and so is `off-rate`; nothing would ever arrive",
            ));
        }
        Ok(Switching {
            rates: [self.off_rate.value(), self.on_rate.value()],
            lengths: [self.off.seconds(), self.on.seconds()],
            on: false,
            until: None,
        })
    }
}

fn exponential(mean: f64, rng: &mut Rng) -> Span {
    Span::from_seconds(-libm::log(uniform_open(rng)) * mean)
}

impl Switching {
    pub(super) fn rate(&self) -> f64 {
        let [off, on] = self.lengths;
        (self.rates[0] * off + self.rates[1] * on) / (off + on)
    }

    #[inline(never)]
    pub(super) fn next(&mut self, now: Time, rng: &mut Rng, burst: &mut Rng) -> Time {
        let mut from = now;
        let mut until = match self.until {
            Some(until) => until,
            None => {
                // The state at time zero is drawn as it stands in the long run.
                self.on = uniform(burst) * (self.lengths[0] + self.lengths[1]) < self.lengths[1];
                from + exponential(self.lengths[usize::from(self.on)], burst)
            }
        };
        loop {
            let rate = self.rates[usize::from(self.on)];
            // Exponential gaps have no memory: what reaches past the period is drawn anew in the
            // next.
            let next = if rate > 0.0 {
                from + exponential(1.0 / rate, rng)
            } else {
                Time::NEVER
            };
            if next <= until {
                self.until = Some(until);
                return next;
            }
            from = until;
            self.on = !self.on;
            until = from + exponential(self.lengths[usize::from(self.on)], burst);
        }
    }
}
