//! Stretches of simulated time: how many requests arrived in each, and how they fared.

use serde::{Deserialize, Serialize};

use super::histogram::{Histogram, middle};
use lbsim_engine::time::{Span, Time};

/// Cells of the fine histogram that share one here: what is read off a timeline is within 1%.
const COARSER: u32 = 3;

/// The requests that arrived in one stretch of time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stretch {
    /// Those that failed.
    pub failed: u64,
    /// Those that were still under way when the run was cut off.
    pub unfinished: u64,
    /// Times that a client's request was asked or sent again in it, whenever it arrived: by its
    /// client, or by the balancer that it asked, hedges included.
    pub repeats: u64,
    /// Response times of those that succeeded.
    histogram: Histogram,
    /// Their sum in nanoseconds.
    total: u64,
}

impl Stretch {
    /// All of them.
    pub fn requests(&self) -> u64 {
        self.succeeded() + self.failed + self.unfinished
    }

    /// Requests that succeeded.
    pub fn succeeded(&self) -> u64 {
        self.histogram.count()
    }

    fn merge(&mut self, more: &Stretch) {
        self.failed += more.failed;
        self.unfinished += more.unfinished;
        self.repeats += more.repeats;
        self.total += more.total;
        self.histogram.merge(&more.histogram);
    }

    /// The sum of their response times in seconds.
    pub fn total(&self) -> f64 {
        self.total as f64 / 1e9
    }

    /// The quantile `q` of their response times in seconds, within 1%.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.histogram.quantile_cell(q).map(|cell| {
            let first = cell << COARSER;
            middle(first + (1 << COARSER) / 2) as f64 / 1e9
        })
    }
}

/// Time from zero to the end of the measured window, in stretches of equal length.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeline {
    stretches: Vec<Stretch>,
    length: Span,
    /// The stretch of the last arrival, and where it ends.
    current: u16,
    ends: Time,
}

impl Timeline {
    /// `count` stretches of equal length from zero to `to`.
    pub fn new(to: Time, count: usize) -> Timeline {
        let length = Span::from_nanos(to.nanos().div_ceil(count as u64));
        Timeline {
            stretches: vec![Stretch::default(); count],
            length,
            current: 0,
            ends: Time::ZERO + length,
        }
    }

    /// The stretches, in order.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Several stretches as one: those of these numbers, as far as there are any.
    pub fn over(&self, numbers: std::ops::Range<usize>) -> Stretch {
        let mut all = Stretch::default();
        let end = numbers.end.min(self.stretches.len());
        for stretch in self.stretches.get(numbers.start..end).into_iter().flatten() {
            all.merge(stretch);
        }
        all
    }

    /// How long each is.
    pub fn length(&self) -> Span {
        self.length
    }

    /// Whether there is a stretch of this number: past the last one nothing is counted.
    pub(crate) fn has(&self, stretch: u16) -> bool {
        usize::from(stretch) < self.stretches.len()
    }

    /// The stretch of an arrival at `now`; past the last one where the window has ended. Arrivals
    /// come in order of time.
    #[inline]
    pub fn stretch(&mut self, now: Time) -> u16 {
        while now >= self.ends && usize::from(self.current) < self.stretches.len() {
            self.current += 1;
            self.ends += self.length;
        }
        self.current
    }

    /// A request that arrived in `stretch` has been answered after a time that falls into this
    /// cell.
    #[inline]
    pub fn succeeded(&mut self, stretch: u16, cell: usize, time: Span) {
        if let Some(stretch) = self.stretches.get_mut(usize::from(stretch)) {
            stretch.total += time.nanos();
            stretch.histogram.record(cell >> COARSER);
        }
    }

    /// A request that arrived in `stretch` has failed.
    pub fn failed(&mut self, stretch: u16) {
        if let Some(stretch) = self.stretches.get_mut(usize::from(stretch)) {
            stretch.failed += 1;
        }
    }

    /// A request that arrived in `stretch` has not ended.
    pub fn unfinished(&mut self, stretch: u16) {
        if let Some(stretch) = self.stretches.get_mut(usize::from(stretch)) {
            stretch.unfinished += 1;
        }
    }

    /// A request is asked or sent again at `now`, which no arrival or repeat before it is later
    /// than.
    #[inline(never)]
    pub fn repeated(&mut self, now: Time) {
        let stretch = usize::from(self.stretch(now));
        if let Some(stretch) = self.stretches.get_mut(stretch) {
            stretch.repeats += 1;
        }
    }

    /// Adds all of `other`, which has the same stretches.
    pub fn merge(&mut self, other: &Timeline) {
        for (stretch, more) in self.stretches.iter_mut().zip(&other.stretches) {
            stretch.merge(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::cell;
    use super::*;

    /// A repeat stands where it is made, and is no request.
    #[test]
    fn repeats_stand_where_they_are_made() {
        let mut timeline = Timeline::new(Time::from_nanos(1000), 4);
        let first = timeline.stretch(Time::from_nanos(0));
        timeline.repeated(Time::from_nanos(260));
        timeline.repeated(Time::from_nanos(499));
        timeline.failed(first);
        timeline.repeated(Time::from_nanos(1000));
        let mut all = Timeline::new(Time::from_nanos(1000), 4);
        all.merge(&timeline);
        all.merge(&timeline);
        let part = all.over(1..9);
        assert_eq!((part.requests(), part.repeats), (0, 4));
        let counts = (all.stretches().iter()).map(|own| (own.requests(), own.repeats));
        assert_eq!(counts.collect::<Vec<_>>(), [(2, 0), (0, 4), (0, 0), (0, 0)]);
    }

    #[test]
    fn requests_stand_where_they_arrived() {
        let mut timeline = Timeline::new(Time::from_nanos(1000), 4);
        let arrivals =
            [0, 249, 250, 700, 999, 1000, 5000].map(|t| timeline.stretch(Time::from_nanos(t)));
        assert_eq!(arrivals, [0, 0, 1, 2, 3, 4, 4]);
        for (at, nanos) in [(1, 1_000_000u64), (1, 3_000_000), (2, 50_000_000), (4, 1)] {
            timeline.succeeded(at, cell(nanos), Span::from_nanos(nanos));
        }
        timeline.failed(3);
        let counts: Vec<u64> = timeline
            .stretches()
            .iter()
            .map(Stretch::succeeded)
            .collect();
        assert_eq!(counts, [0, 2, 1, 0]);
        assert!((timeline.stretches()[1].total() - 4e-3).abs() < 1e-12);
        for (q, exact) in [(0.5, 1e-3), (1.0, 3e-3)] {
            assert!((timeline.stretches()[1].quantile(q).unwrap() / exact - 1.0).abs() < 0.01);
        }
    }
}
