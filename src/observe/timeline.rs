//! Stretches of simulated time: how many requests arrived in each, and how they fared.

use hdrhistogram::Histogram;

use crate::time::{Span, Time};

/// The requests that arrived in one stretch of time.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// Those that failed.
    pub failed: u64,
    /// Response times of the others in nanoseconds, within 1%.
    histogram: Histogram<u32>,
}

impl Stretch {
    /// Requests that succeeded.
    pub fn succeeded(&self) -> u64 {
        self.histogram.len()
    }

    /// The quantile `q` of their response times in seconds, within 1%.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        (!self.histogram.is_empty()).then(|| {
            let value = self.histogram.value_at_quantile(q);
            self.histogram.median_equivalent(value) as f64 * 1e-9
        })
    }
}

/// Time from zero to the end of the measured window, in stretches of equal length.
#[derive(Clone, Debug)]
pub struct Timeline {
    stretches: Vec<Stretch>,
    /// Stretches a nanosecond.
    per_nano: f64,
    length: Span,
}

impl Timeline {
    /// `count` stretches of equal length from zero to `to`.
    pub fn new(to: Time, count: usize) -> Timeline {
        let empty = || {
            let mut histogram =
                Histogram::new_with_bounds(1, 1_000_000_000, 2).expect("bounds in order");
            histogram.auto(true);
            Stretch {
                failed: 0,
                histogram,
            }
        };
        Timeline {
            stretches: (0..count).map(|_| empty()).collect(),
            per_nano: count as f64 / to.nanos() as f64,
            length: Span::from_nanos(to.nanos() / count as u64),
        }
    }

    /// The stretches, in order.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// How long each is.
    pub fn length(&self) -> Span {
        self.length
    }

    #[inline]
    fn at(&mut self, arrived: Time) -> Option<&mut Stretch> {
        self.stretches
            .get_mut((arrived.nanos() as f64 * self.per_nano) as usize)
    }

    /// A request that arrived at `arrived` has been answered.
    #[inline]
    pub fn succeeded(&mut self, arrived: Time, response_time: Span) {
        if let Some(stretch) = self.at(arrived) {
            stretch
                .histogram
                .record(response_time.nanos())
                .expect("the histogram grows on demand");
        }
    }

    /// A request that arrived at `arrived` has failed.
    pub fn failed(&mut self, arrived: Time) {
        if let Some(stretch) = self.at(arrived) {
            stretch.failed += 1;
        }
    }

    /// Adds all of `other`, which has the same stretches.
    pub fn merge(&mut self, other: &Timeline) {
        for (stretch, more) in self.stretches.iter_mut().zip(&other.stretches) {
            stretch.failed += more.failed;
            stretch
                .histogram
                .add(&more.histogram)
                .expect("the histogram grows on demand");
        }
    }
}
