//! When requests come: from a log's arrivals to a scenario's `arrivals`.
//!
//! Three questions, in this order. Does the rate change? The log is cut into bins, and the bins
//! into stretches of one rate by the likelihood of Poisson counts (`steps`). Are gaps burstier or
//! smoother than those of a Poisson process, once the rate is taken out? Their coefficient of
//! variation tells (`gaps`); it needs a clock that is finer than the gaps. And do counts scatter
//! more over long times than gaps explain? The index of dispersion, variance over mean of the
//! counts in windows of one length, is 1 for Poisson at every length, tends to the squared
//! coefficient of variation for independent gaps, and grows on where the rate wanders (Cox and
//! Lewis, The Statistical Analysis of Series of Events, 1966, chapters 4 and 5).

mod counts;
mod describe;
mod gaps;
mod steps;
mod strays;
mod trace;

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Table;

pub use strays::Strays;
pub use trace::{Arrivals, trace_table};

/// Arrivals whose times are kept: 160 MB. Beyond them only counts per second are.
pub const MOST_TIMES: usize = 20_000_000;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Collects arrivals, in any order.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Arrivals in each second since 1970.
    seconds: BTreeMap<i64, u32>,
    /// The second that came last, with what is not yet in the map: most arrivals fall into it.
    latest: (i64, u32),
    times: Vec<i64>,
    most: usize,
    total: u64,
    first: i64,
    last: i64,
}

impl Default for Collector {
    fn default() -> Collector {
        Collector::new(MOST_TIMES)
    }
}

/// Arrivals, described.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// As `arrivals` of a scenario. Times in it begin at the first arrival.
    pub table: Table,
    /// Arrivals a second, over all.
    pub rate: f64,
    /// Stretches of one rate: from when (seconds after the first arrival), and arrivals a second.
    /// At least one.
    pub steps: Vec<(f64, f64)>,
    /// The coefficient of variation of the gaps with the steps taken out; `None` where the clock is
    /// too coarse for them.
    pub cv: Option<f64>,
    /// The index of dispersion of counts in windows of so many seconds, changes of the rate
    /// included. 1 is Poisson.
    pub dispersion: Vec<(f64, f64)>,
    /// The index of dispersion with the steps taken out, in windows of a second (shorter in a short
    /// log): what burstiness is left.
    pub remaining: Option<f64>,
    /// What was found and what follows from it, in sentences.
    pub reasons: Vec<String>,
}

impl Collector {
    /// Keeps the times of at most `most` arrivals.
    pub fn new(most: usize) -> Collector {
        Collector {
            seconds: BTreeMap::new(),
            latest: (0, 0),
            times: Vec::new(),
            most,
            total: 0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }

    /// Takes an arrival, in nanoseconds since any moment.
    pub fn add(&mut self, arrived: i64) {
        let second = arrived.div_euclid(SECOND);
        if second != self.latest.0 {
            self.settle();
            self.latest.0 = second;
        }
        self.latest.1 = self.latest.1.saturating_add(1);
        if self.times.len() < self.most {
            self.times.push(arrived);
        }
        self.total += 1;
        self.first = self.first.min(arrived);
        self.last = self.last.max(arrived);
    }

    fn settle(&mut self) {
        let (second, count) = self.latest;
        if count > 0 {
            let there = self.seconds.entry(second).or_insert(0);
            *there = there.saturating_add(count);
            self.latest.1 = 0;
        }
    }

    /// Arrivals, all together.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// From the first arrival to the last.
    pub fn window(&self) -> (i64, i64) {
        (self.first, self.last)
    }

    /// Arrivals at moments that cannot be right, since they are few and far from all others.
    ///
    /// # Errors
    /// A sentence: where the log falls into two parts, neither of which is small.
    pub fn strays(&mut self) -> Result<Option<Strays>, String> {
        self.settle();
        strays::find(&self.seconds)
    }

    /// Leaves those out.
    pub fn retain(&mut self, strays: &Strays) {
        self.settle();
        self.times.retain(|&time| strays.keep(time));
        self.seconds
            .retain(|&second, _| strays.keep(second.saturating_mul(SECOND)));
        self.total = self.seconds.values().map(|&count| u64::from(count)).sum();
        // The ends are among the times where all are kept, and else known to the second.
        let ends = |second: Option<(&i64, &u32)>| second.map_or(0, |(&second, _)| second * SECOND);
        if self.times.len() as u64 == self.total {
            self.first = self.times.iter().copied().min().unwrap_or(0);
            self.last = self.times.iter().copied().max().unwrap_or(0);
        } else {
            self.first = ends(self.seconds.first_key_value());
            self.last = ends(self.seconds.last_key_value());
        }
    }

    /// Describes what came. `resolution` is the step of the clock by which the log was written.
    ///
    /// # Errors
    /// A sentence: too few arrivals, or over more than a year.
    pub fn describe(mut self, resolution: Duration) -> Result<Described, String> {
        self.settle();
        self.times.sort_unstable();
        let resolution = i64::try_from(resolution.as_nanos())
            .unwrap_or(SECOND)
            .clamp(1, SECOND);
        describe::describe(&self, resolution)
    }
}

#[cfg(test)]
mod tests;
