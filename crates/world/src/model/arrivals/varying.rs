//! Rates that change in time: steps, ramps, the day's sine, a spike. Arrivals are Poisson, thinned
//! from the highest rate (Lewis and Shedler, Naval Research Logistics Quarterly 26(3), 1979).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::distribution::DistError;
use lbsim_engine::rng::{Rng, uniform, uniform_open};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::{Rate, Share};

/// Rates that hold from given times on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Steps {
    /// Pairs of time and rate: `[["0s", "100/s"], ["5min", "800/s"]]`. The first time is zero,
    /// times rise.
    #[schemars(length(min = 1))]
    pub rates: Vec<(Span, Rate)>,
}

/// A rate that moves in a straight line, and then stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ramp {
    /// Rate at the start.
    pub from: Rate,
    /// Rate at the end of the ramp and from then on.
    pub to: Rate,
    /// How long the ramp takes.
    #[schemars(extend("x-least" = "1ms"))]
    pub over: Span,
}

/// A rate that follows the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Daily {
    /// Mean rate.
    pub rate: Rate,
    /// How far the rate swings to either side of the mean; at most 100%.
    pub swing: Share,
    /// Length of the day.
    #[serde(default = "day")]
    #[schemars(extend("x-least" = "1ms"))]
    pub period: Span,
    /// Time of the highest rate; by default a quarter of the period after the start.
    #[serde(default)]
    pub peak: Option<Span>,
}

fn day() -> Span {
    Span::from_secs(86_400)
}

/// A rate that is higher for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spike {
    /// Rate outside the spike.
    pub rate: Rate,
    /// Rate within.
    pub peak: Rate,
    /// When it begins.
    pub at: Span,
    /// How long it lasts.
    #[schemars(extend("x-least" = "1ms"))]
    pub lasts: Span,
}

/// A rate as a function of time.
#[derive(Clone, Debug)]
pub enum Profile {
    /// Constant between times: (from when in seconds, rate).
    Steps(Vec<(f64, f64)>),
    /// A straight line from `from` to `to` over `over` seconds.
    Ramp {
        /// Rate at the start.
        from: f64,
        /// Rate at the end.
        to: f64,
        /// Seconds.
        over: f64,
    },
    /// mean × (1 + swing × cos(2π (t − peak) / period)).
    Sine {
        /// Mean rate.
        mean: f64,
        /// Share of the mean.
        swing: f64,
        /// Seconds.
        period: f64,
        /// Seconds.
        peak: f64,
    },
}

/// A change of the rate at a known time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateChange {
    /// When the rate has changed.
    pub at: Span,
    /// When a rate that was higher than before and after ends.
    pub peaks_until: Option<Span>,
    /// Arrivals a second from then on.
    pub rate: Rate,
}

impl Steps {
    pub(super) fn profile(&self) -> Result<Profile, DistError> {
        let steps: Vec<(f64, f64)> = self
            .rates
            .iter()
            .map(|(at, rate)| (at.seconds(), rate.value()))
            .collect();
        if steps.first().is_none_or(|&(at, _)| at != 0.0) {
            return Err(DistError::new("rates", "does not begin at \"0s\""));
        }
        if steps.windows(2).any(|pair| pair[1].0 <= pair[0].0) {
            return Err(DistError::new("rates", "has times that do not rise"));
        }
        Ok(Profile::Steps(steps))
    }
}

impl Ramp {
    pub(super) fn profile(&self) -> Result<Profile, DistError> {
        if self.over.is_zero() {
            return Err(DistError::new(
                "over",
                "is no time at all; use `steps` for a jump",
            ));
        }
        Ok(Profile::Ramp {
            from: self.from.value(),
            to: self.to.value(),
            over: self.over.seconds(),
        })
    }
}

impl Daily {
    pub(super) fn profile(&self) -> Result<Profile, DistError> {
        if self.swing.value() > 1.0 {
            return Err(DistError::new(
                "swing",
                "is more than 100%: the rate would fall below zero",
            ));
        }
        if self.period.is_zero() {
            return Err(DistError::new("period", "is no time at all"));
        }
        let period = self.period.seconds();
        Ok(Profile::Sine {
            mean: self.rate.value(),
            swing: self.swing.value(),
            period,
            peak: self.peak.map_or(period / 4.0, Span::seconds),
        })
    }
}

impl Spike {
    pub(super) fn profile(&self) -> Result<Profile, DistError> {
        if self.lasts.is_zero() {
            return Err(DistError::new("lasts", "is no time at all"));
        }
        let (at, end) = (self.at.seconds(), (self.at + self.lasts).seconds());
        let mut steps = vec![
            (0.0, self.rate.value()),
            (at, self.peak.value()),
            (end, self.rate.value()),
        ];
        if at == 0.0 {
            steps.remove(0);
        }
        Ok(Profile::Steps(steps))
    }
}

impl Profile {
    /// Arrivals a second at `t` seconds.
    pub fn rate(&self, t: f64) -> f64 {
        match self {
            Profile::Steps(steps) => steps[steps.partition_point(|&(at, _)| at <= t).max(1) - 1].1,
            Profile::Ramp { from, to, over } => from + (to - from) * (t / over).min(1.0),
            Profile::Sine {
                mean,
                swing,
                period,
                peak,
            } => mean * (1.0 + swing * libm::cos(std::f64::consts::TAU * (t - peak) / period)),
        }
    }

    /// The highest rate there is.
    pub fn highest(&self) -> f64 {
        match self {
            Profile::Steps(steps) => steps.iter().fold(0.0, |most, &(_, rate)| most.max(rate)),
            Profile::Ramp { from, to, .. } => from.max(*to),
            Profile::Sine { mean, swing, .. } => mean * (1.0 + swing),
        }
    }

    /// The highest rate over the first `over` of time.
    pub fn peak_rate(&self, over: Span) -> f64 {
        let end = over.seconds();
        match self {
            Profile::Steps(steps) => {
                let begun = steps.iter().filter(|(at, _)| *at < end);
                begun.fold(0.0, |most, &(_, rate)| most.max(rate))
            }
            Profile::Sine { period, peak, .. } if peak.rem_euclid(*period) <= end => self.highest(),
            _ => self.rate(0.0).max(self.rate(end)),
        }
    }

    /// Mean arrivals a second over the first `over` of time.
    pub fn mean_rate(&self, over: Span) -> f64 {
        let end = over.seconds();
        if end == 0.0 {
            return self.rate(0.0);
        }
        match self {
            Profile::Steps(steps) => {
                let until = |i: usize| steps.get(i + 1).map_or(end, |&(at, _)| at.min(end));
                let area: f64 = steps
                    .iter()
                    .enumerate()
                    .map(|(i, &(at, rate))| rate * (until(i) - at).max(0.0))
                    .sum();
                area / end
            }
            Profile::Ramp { from, to, over } => {
                let climbing = end.min(*over);
                let area = climbing * (from + self.rate(climbing)) / 2.0 + (end - climbing) * to;
                area / end
            }
            Profile::Sine {
                mean,
                swing,
                period,
                peak,
            } => {
                let turn = std::f64::consts::TAU / period;
                let sine = libm::sin(turn * (end - peak)) - libm::sin(-turn * peak);
                mean * (1.0 + swing * sine / turn / end)
            }
        }
    }

    /// When the rate changes at once, and when it has done so in a straight line. A peak and the
    /// return from it to the rate before are one.
    pub fn rate_changes(&self) -> Vec<RateChange> {
        let at = |at: f64, until: Option<f64>, rate: f64| RateChange {
            at: Span::from_seconds(at),
            peaks_until: until.map(Span::from_seconds),
            rate: Rate::per_second(rate),
        };
        match self {
            Profile::Sine { .. } => Vec::new(),
            Profile::Ramp { from, to, .. } if from == to => Vec::new(),
            Profile::Ramp { to, over, .. } => vec![at(*over, None, *to)],
            Profile::Steps(steps) => {
                let mut changes: Vec<RateChange> = Vec::new();
                let mut returns = false;
                for (place, pair) in steps.windows(2).enumerate() {
                    let ((_, before), (from, rate)) = (pair[0], pair[1]);
                    let next = steps.get(place + 2);
                    let next = next.filter(|&&(_, after)| rate > before && rate > after);
                    if !returns && rate != before {
                        changes.push(at(from, next.map(|&(end, _)| end), rate));
                    }
                    returns = next.is_some_and(|&(_, after)| after == before);
                }
                changes
            }
        }
    }

    pub(super) fn process(self) -> Result<Following, DistError> {
        if self.highest() <= 0.0 {
            return Err(DistError::new(
                "rate",
                "is 0/s at all times; nothing would ever arrive",
            ));
        }
        let mut last_positive = None;
        if let Profile::Steps(steps) = &self
            && steps.last().is_some_and(|&(_, rate)| rate == 0.0)
        {
            last_positive = steps.last().map(|&(at, _)| at);
        }
        if let Profile::Ramp { to, over, .. } = self
            && to == 0.0
        {
            last_positive = Some(over);
        }
        Ok(Following {
            highest: self.highest(),
            ends: last_positive.unwrap_or(f64::INFINITY),
            profile: self,
        })
    }
}

/// A profile at work.
#[derive(Clone, Debug)]
pub struct Following {
    profile: Profile,
    highest: f64,
    /// From when on nothing arrives any more, in seconds.
    ends: f64,
}

impl Following {
    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    #[inline(never)]
    pub(super) fn next(&mut self, now: Time, rng: &mut Rng) -> Time {
        let mut at = now;
        loop {
            at += Span::from_seconds(-libm::log(uniform_open(rng)) / self.highest);
            if at.seconds() >= self.ends {
                return Time::NEVER;
            }
            if uniform(rng) * self.highest < self.profile.rate(at.seconds()) {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(rates: &[(f64, f64)]) -> Vec<(f64, Option<f64>, f64)> {
        let changes = Profile::Steps(rates.to_vec()).rate_changes().into_iter();
        let plain = |change: RateChange| {
            let until = change.peaks_until.map(Span::seconds);
            (change.at.seconds(), until, change.rate.value())
        };
        changes.map(plain).collect()
    }

    #[test]
    fn a_peak_and_the_return_from_it_are_one_change() {
        assert_eq!(changes(&[(0.0, 5.0)]), []);
        assert_eq!(
            changes(&[(0.0, 5.0), (9.0, 5.0), (10.0, 2.0)]),
            [(10.0, None, 2.0)]
        );
        assert_eq!(
            changes(&[(0.0, 5.0), (10.0, 50.0), (20.0, 5.0), (30.0, 6.0)]),
            [(10.0, Some(20.0), 50.0), (30.0, None, 6.0)]
        );
        // Back to another rate than before is a change of its own.
        assert_eq!(
            changes(&[(0.0, 5.0), (10.0, 50.0), (20.0, 7.0)]),
            [(10.0, Some(20.0), 50.0), (20.0, None, 7.0)]
        );
        assert_eq!(
            changes(&[(0.0, 5.0), (10.0, 50.0), (20.0, 60.0)]),
            [(10.0, None, 50.0), (20.0, None, 60.0)]
        );
    }
}
