//! Counts of arrivals in windows of one length, and how much they scatter.

use super::steps::MOST_BINS;
use super::{Collector, SECOND};

/// Windows that an index of dispersion needs.
const WINDOWS: usize = 20;

/// Counts in windows of one length.
pub(super) struct Counts {
    /// Nanoseconds of a window.
    pub(super) unit: i64,
    pub(super) counts: Vec<f64>,
}

/// Counts in windows of a second, or of less where the log is short and its clock fine enough.
pub(super) fn count(collected: &Collector, step: i64) -> Counts {
    let length = collected.last - collected.first;
    let fine = collected.times.len() as u64 == collected.total && step <= SECOND / 1000;
    let mut unit = SECOND;
    while fine && unit > 10 * step && unit > SECOND / 1000 && length / unit < 240 {
        unit /= 10;
    }
    let mut counts = vec![0.0; usize::try_from(length / unit + 2).unwrap_or(0)];
    let mut add = |place: i64, count: f64| {
        if let Some(slot) = usize::try_from(place)
            .ok()
            .and_then(|place| counts.get_mut(place))
        {
            *slot += count;
        }
    };
    if unit == SECOND {
        let first = collected.first.div_euclid(SECOND);
        for (&second, &count) in &collected.seconds {
            add(second - first, f64::from(count));
        }
    } else {
        for time in &collected.times {
            add((time - collected.first) / unit, 1.0);
        }
    }
    // The last window is cut off somewhere, as is the first where windows are those of the clock.
    while counts.last() == Some(&0.0) {
        counts.pop();
    }
    if counts.len() > 4 {
        counts.pop();
    }
    Counts { unit, counts }
}

/// How much counts scatter in windows of one length.
pub(super) struct Scatter {
    /// Seconds of a window.
    pub(super) wide: f64,
    /// Variance over mean.
    pub(super) index: f64,
    /// How many windows there are.
    pub(super) windows: usize,
}

impl Scatter {
    /// How far the index of Poisson counts strays from 1 by luck: 4.5 standard errors, √(2/n) each.
    pub(super) fn luck(&self) -> f64 {
        4.5 * libm::sqrt(2.0 / self.windows.max(1) as f64)
    }
}

/// Sums of so many neighbours; a rest at the end is left out.
pub(super) fn merge(counts: &[f64], factor: usize) -> Vec<f64> {
    counts
        .chunks_exact(factor.max(1))
        .map(|chunk| chunk.iter().sum())
        .collect()
}

/// Variance over mean, around means that may differ from window to window; `parameters` of them.
pub(super) fn dispersion(
    counts: &[f64],
    mean_of: impl Fn(usize) -> f64,
    parameters: usize,
) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0usize);
    for (place, count) in counts.iter().enumerate() {
        let mean = mean_of(place);
        if mean > 0.0 {
            sum += (count - mean) * (count - mean) / mean;
            n += 1;
        }
    }
    (n > parameters + WINDOWS).then(|| sum / (n - parameters) as f64)
}

/// Widths of bins in seconds that people like to read; twice the last, and so on, after them.
const NICE: &[i64] = &[
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
];

/// How many windows make a bin: no more bins than can be looked at, and ten arrivals in one on
/// average.
pub(super) fn bin(counts: &Counts) -> usize {
    let n = counts.counts.len();
    let mean = counts.counts.iter().sum::<f64>() / n.max(1) as f64;
    let fits = |factor: usize| n / factor <= MOST_BINS && factor as f64 * mean >= 10.0;
    let nice = NICE
        .iter()
        .filter_map(|&factor| usize::try_from(factor).ok());
    let mut factor = 86_400;
    nice.into_iter()
        .find(|&factor| fits(factor))
        .unwrap_or_else(|| {
            while !fits(factor) && factor < n {
                factor *= 2;
            }
            factor
        })
}
