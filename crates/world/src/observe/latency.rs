//! Response times: a histogram within 0.1%, and their exact sum.

use serde::{Deserialize, Serialize};

use super::histogram::{Histogram, cell, middle};
use lbsim_engine::time::Span;

/// Response times. Two merge exactly, whatever the order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Latency {
    histogram: Histogram,
    /// Nanoseconds.
    sum: u128,
    longest: Span,
}

impl Latency {
    /// Takes one response time.
    #[inline]
    pub fn record(&mut self, time: Span) {
        self.record_in(cell(time.nanos()), time);
    }

    /// Takes one response time whose cell is known.
    #[inline]
    pub(super) fn record_in(&mut self, cell: usize, time: Span) {
        self.histogram.record(cell);
        self.sum += u128::from(time.nanos());
        self.longest = self.longest.max(time);
    }

    /// How many were taken.
    pub fn count(&self) -> u64 {
        self.histogram.count()
    }

    /// Their sum in nanoseconds.
    pub fn total(&self) -> u128 {
        self.sum
    }

    /// Their mean in seconds.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum as f64 / self.count() as f64 / 1e9)
    }

    /// The quantile `q` (0 to 1) in seconds, nearest rank, within 0.1%.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.histogram
            .quantile(q)
            .map(|nanos| nanos.min(self.longest.nanos()) as f64 / 1e9)
    }

    /// The longest, in seconds.
    pub fn max(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.longest.seconds())
    }

    /// How many were longer than the quantile `q`, by rank.
    pub fn above(&self, q: f64) -> u64 {
        self.count() - (q * self.count() as f64).ceil() as u64
    }

    /// What was taken, from the shortest on, in nanoseconds, and how many of each: within 0.1%, the
    /// longest exactly.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let longest = self.longest.nanos();
        let last = cell(longest);
        self.histogram.cells().map(move |(cell, count)| {
            let value = if cell == last { longest } else { middle(cell) };
            (value, count)
        })
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Latency) {
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
        self.histogram.merge(&other.histogram);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_thousandth() {
        let mut latency = Latency::default();
        for micros in 1..=100_000 {
            latency.record(Span::from_nanos(micros * 1000));
        }
        for q in [0.001, 0.5, 0.9, 0.99, 0.999] {
            let exact = q * 0.1;
            assert!(
                (latency.quantile(q).unwrap() / exact - 1.0).abs() < 0.001,
                "{q}"
            );
        }
        assert_eq!(latency.mean(), Some(0.050_000_5));
        assert_eq!(latency.max(), Some(0.1));
        assert_eq!(latency.above(0.99), 1000);
        assert_eq!(Latency::default().quantile(0.5), None);
    }

    #[test]
    fn merging_is_adding() {
        let (mut a, mut b, mut both) = (Latency::default(), Latency::default(), Latency::default());
        for i in 1..2000u64 {
            let time = Span::from_nanos(i * i * 7919);
            if i % 3 == 0 {
                a.record(time)
            } else {
                b.record(time)
            }
            both.record(time);
        }
        a.merge(&b);
        assert_eq!(
            (a.count(), a.mean(), a.quantile(0.9)),
            (both.count(), both.mean(), both.quantile(0.9))
        );
    }
}
