//! When requests arrive: one file a kind of process, and one list.

mod batches;
mod closed;
mod on_off;
mod renewal;
mod trace;
mod varying;
pub(crate) mod visits;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use closed::Closed;
pub use on_off::OnOff;
pub use renewal::{Constant, Erlang, Gamma, Hyperexponential, Poisson};
pub use trace::{ColumnTime, Columns, Row, Rows, SizeColumns, Texts, Trace};
pub use varying::{Daily, Profile, Ramp, RateChange, Spike, Steps};
pub use visits::{Visits, VisitsConfig};

pub use batches::Batches;

use lbsim_engine::distribution::DistError;
use lbsim_engine::rng::Rng;
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Rate;

/// When requests arrive, as a scenario says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Arrivals {
    /// Independent of each other: many clients that know nothing of one another.
    Poisson(Poisson),
    /// At equal distances, from a random phase.
    Constant(Constant),
    /// Gaps of a gamma distribution: smoother than Poisson with cv below 1, burstier above.
    Gamma(Gamma),
    /// Gaps that are sums of exponential stages: smoother than Poisson.
    Erlang(Erlang),
    /// Gaps of a two-phase hyperexponential distribution: burstier than Poisson.
    Hyperexponential(Hyperexponential),
    /// Poisson arrivals whose rate switches between two values at random times (MMPP).
    OnOff(OnOff),
    /// Several requests at once, the batches Poisson.
    Batches(Batches),
    /// Poisson arrivals whose rate changes at given times.
    Steps(Steps),
    /// Poisson arrivals whose rate climbs or falls in a straight line.
    Ramp(Ramp),
    /// Poisson arrivals whose rate follows the day as a sine.
    Daily(Daily),
    /// Poisson arrivals with a peak for a while.
    Spike(Spike),
    /// Recorded arrivals, from a file.
    Trace(Trace),
    /// A closed loop: each user waits for the answer, thinks, and asks again.
    Closed(Closed),
    /// Visits of some requests each, which begin independently of each other: a visitor waits for
    /// the answer, thinks, and asks again, until it leaves.
    Visits(VisitsConfig),
}

/// An open arrival process at work: the times of its arrivals, in order.
#[derive(Clone, Debug)]
pub enum Process {
    /// Independent gaps of one distribution.
    Renewal(renewal::Renewal),
    /// A rate that switches.
    OnOff(on_off::Switching),
    /// Several at once.
    Batches(batches::Batching),
    /// A rate that follows a profile.
    Varying(varying::Following),
    /// Independent gaps, until then.
    Ending(renewal::Renewal, Time),
}

impl Arrivals {
    /// The process, for the kinds that make one: traces and closed loops do not.
    ///
    /// # Errors
    /// The setting that makes no sense, and why.
    pub fn process(&self) -> Result<Option<Process>, DistError> {
        Ok(Some(match self {
            Arrivals::Poisson(config) => Process::Renewal(config.process()?),
            Arrivals::Constant(config) => match config.lasts {
                None => Process::Renewal(config.process()?),
                Some(lasts) => Process::Ending(config.process()?, Time::ZERO + lasts),
            },
            Arrivals::Gamma(config) => Process::Renewal(config.process()?),
            Arrivals::Erlang(config) => Process::Renewal(config.process()?),
            Arrivals::Hyperexponential(config) => Process::Renewal(config.process()?),
            Arrivals::OnOff(config) => Process::OnOff(config.process()?),
            Arrivals::Batches(config) => Process::Batches(config.process()?),
            Arrivals::Steps(config) => Process::Varying(config.profile()?.process()?),
            Arrivals::Ramp(config) => Process::Varying(config.profile()?.process()?),
            Arrivals::Daily(config) => Process::Varying(config.profile()?.process()?),
            Arrivals::Spike(config) => Process::Varying(config.profile()?.process()?),
            // When the first request of each comes.
            Arrivals::Visits(config) => {
                let rate = config.rate;
                Process::Renewal(Poisson { rate }.process()?)
            }
            Arrivals::Trace(_) | Arrivals::Closed(_) => return Ok(None),
        }))
    }
}

impl Process {
    /// The first arrival at all.
    pub fn first(&mut self, rng: &mut Rng, burst: &mut Rng) -> Time {
        match self {
            Process::Renewal(renewal) => renewal.first(rng),
            Process::Ending(renewal, end) => before(*end, renewal.first(rng)),
            _ => self.next(Time::ZERO, rng, burst),
        }
    }

    /// The arrival after the one at `now`. `rng` draws gaps, `burst` what is larger than one
    /// arrival.
    #[inline(always)]
    pub fn next(&mut self, now: Time, rng: &mut Rng, burst: &mut Rng) -> Time {
        match self {
            Process::Renewal(renewal) => now + renewal.gap(rng),
            Process::OnOff(switching) => switching.next(now, rng, burst),
            Process::Batches(batching) => batching.next(now, rng, burst),
            Process::Varying(following) => following.next(now, rng),
            Process::Ending(renewal, end) => before(*end, now + renewal.gap(rng)),
        }
    }

    /// Whether the time from one arrival to the next is drawn.
    pub fn is_random(&self) -> bool {
        !matches!(self, Process::Renewal(renewal) | Process::Ending(renewal, _) if !renewal.is_random())
    }

    /// Whether arrivals are Poisson at a constant rate.
    pub fn is_poisson(&self) -> bool {
        matches!(self, Process::Renewal(renewal) if renewal.is_poisson())
    }

    /// Whether the rate does not depend on the time.
    pub fn is_steady(&self) -> bool {
        !matches!(self, Process::Varying(_) | Process::Ending(..))
    }

    /// When the rate changes, by the plan and not by chance.
    pub fn rate_changes(&self) -> Vec<RateChange> {
        match self {
            Process::Varying(following) => following.profile().rate_changes(),
            Process::Ending(_, end) => vec![RateChange {
                at: *end - Time::ZERO,
                peaks_until: None,
                rate: Rate::per_second(0.0),
            }],
            _ => Vec::new(),
        }
    }

    /// The highest rate over the first `over` of time: that of the plan, not of chance.
    pub fn peak_rate(&self, over: Span) -> f64 {
        match self {
            Process::Varying(following) => following.profile().peak_rate(over),
            Process::Ending(renewal, _) => renewal.rate(),
            steady => steady.mean_rate(over),
        }
    }

    /// Mean arrivals a second over the first `over` of time.
    pub fn mean_rate(&self, over: Span) -> f64 {
        match self {
            Process::Renewal(renewal) => renewal.rate(),
            Process::OnOff(switching) => switching.rate(),
            Process::Batches(batching) => batching.rate(),
            Process::Varying(following) => following.profile().mean_rate(over),
            Process::Ending(renewal, end) => {
                let lasts = (*end - Time::ZERO).seconds();
                renewal.rate() * (lasts / over.seconds()).min(1.0)
            }
        }
    }
}

/// The time of an arrival, where it is before the end of them all.
fn before(end: Time, at: Time) -> Time {
    if at < end { at } else { Time::NEVER }
}

/// Refuses a rate of zero: nothing would ever arrive.
fn positive(rate: Rate, field: &'static str) -> Result<f64, DistError> {
    if rate.value() > 0.0 {
        Ok(rate.value())
    } else {
        Err(DistError::new(
            field,
            "is 0/s; it must be more, or nothing ever arrives",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lbsim_engine::rng::{Domain, Seeds};

    /// Counts over a long time against the mean rate: within 4.5 standard deviations of a Poisson
    /// count, or of what its index of dispersion makes of it (false alarm 7e-6 each).
    #[test]
    fn rates_are_what_they_say() {
        let cases = [
            (r#"{"kind":"poisson","rate":"100/s"}"#, 100.0, 1.0),
            (r#"{"kind":"constant","rate":"100/s"}"#, 100.0, 0.01),
            (r#"{"kind":"gamma","rate":"100/s","cv":2}"#, 100.0, 4.0),
            (
                r#"{"kind":"erlang","rate":"100/s","stages":4}"#,
                100.0,
                0.25,
            ),
            (
                r#"{"kind":"hyperexponential","rate":"100/s","cv":3}"#,
                100.0,
                9.0,
            ),
            (
                r#"{"kind":"on-off","on-rate":"300/s","off-rate":"0/s","on":"1s","off":"2s"}"#,
                100.0,
                270.0,
            ),
            (
                r#"{"kind":"batches","rate":"100/s","size":{"kind":"constant","value":5}}"#,
                100.0,
                5.0,
            ),
            (
                r#"{"kind":"steps","rates":[["0s","50/s"],["500s","150/s"]]}"#,
                100.0,
                1.0,
            ),
            (
                r#"{"kind":"ramp","from":"0/s","to":"200/s","over":"1000s"}"#,
                100.0,
                1.0,
            ),
            (
                r#"{"kind":"daily","rate":"100/s","swing":"50%","period":"100s"}"#,
                100.0,
                1.0,
            ),
            (
                r#"{"kind":"spike","rate":"80/s","peak":"280/s","at":"100s","lasts":"100s"}"#,
                100.0,
                1.0,
            ),
        ];
        for (text, rate, dispersion) in cases {
            let arrivals: Arrivals = serde_json::from_str(text).unwrap();
            let mut process = arrivals.process().unwrap().unwrap();
            let seeds = Seeds::new(9, 0);
            let (mut rng, mut burst) = (
                seeds.stream(Domain::Arrivals, 0),
                seeds.stream(Domain::Burst, 0),
            );
            assert!(
                (process.mean_rate(Span::from_secs(1000)) / rate - 1.0).abs() < 1e-9,
                "{text}"
            );
            let end = Time::ZERO + Span::from_secs(1000);
            let (mut count, mut now) = (0.0, process.first(&mut rng, &mut burst));
            while now < end {
                count += 1.0;
                let next = process.next(now, &mut rng, &mut burst);
                assert!(next >= now, "{text}");
                now = next;
            }
            let due: f64 = rate * 1000.0;
            assert!(
                (count - due).abs() < 4.5 * (due * dispersion).sqrt() + 1.0,
                "{text}: {count}"
            );
        }
    }
}
