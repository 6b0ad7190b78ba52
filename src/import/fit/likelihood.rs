//! How likely a log is under a candidate.
//!
//! Given the arrivals, whatever made them, a candidate turns departures into service times one for
//! one, and these are independent draws from one distribution if it is the truth. So the likelihood
//! of the log is the product of the densities of the service times (times the rate at which each
//! was served when it left, by which a step of the departure is a smaller step of the work). It
//! needs no Poisson arrivals, and no assumption on the distribution, which is estimated from the
//! same service times. The truth has the highest expected likelihood of all candidates (Gibbs'
//! inequality).
//!
//! It uses more than the mean: a request that waited for a slot cannot have left before the slot
//! was free, so under too many slots no service time is short where many should be.
//!
//! Since clocks have steps, what counts is not a density but the probability of a window about the
//! departure.

use super::prepared::Prepared;
use super::recover::{rate, recover};
use super::{Candidate, Discipline};

/// Batches of visits by which the spread of a sum over all of them is judged.
const BATCHES: usize = 60;
/// The distribution of service times is kept at as many quantiles.
const KNOTS: usize = 100;
/// As many service times say where these quantiles are.
const SAMPLE: usize = 8192;
/// The share of visits that may be anything: what the model leaves out.
const STRAY: f64 = 1e-3;
/// A clock with steps of more than this share of the median stay is coarse.
pub(super) const COARSE: f64 = 0.01;
/// Fewer visits that were served at once do not say what service times are like.
const FEW: usize = 1000;
/// Nor does a smaller share: one in so many.
const SOME: usize = 10;
/// Eight points that stand for a normal distribution with a standard deviation of 0.6 ticks.
const NOISE: [f64; 8] = [-0.92, -0.53, -0.29, -0.09, 0.09, 0.29, 0.53, 0.92];
/// Half the window about a departure, as a share of the median stay, where the clock is finer.
const WINDOW: f64 = 0.01;
/// The quantile of the normal distribution of a one-sided test at the 1% level.
const LEVEL: f64 = 2.326;

/// How likely the log is under a candidate.
#[derive(Clone, Debug)]
pub(super) struct Likelihood {
    /// The logarithm of the likelihood by batches of visits, in order of arrival.
    batches: Vec<f64>,
    /// The mean of the service times that count, in nanoseconds.
    pub(super) mean: f64,
    /// Their median, in nanoseconds.
    pub(super) median: f64,
    /// The share of the visits that would have left before they could have begun.
    pub(super) impossible: f64,
    /// The visits that were longer there than they were served, by more than the clock may make of
    /// nothing.
    pub(super) held_up: usize,
}

impl Likelihood {
    /// Turns the log into service times, estimates their distribution, and adds up.
    pub(super) fn new(log: &Prepared, candidate: Candidate) -> Likelihood {
        let service = recover(log, candidate);
        let counted = log.counted.clone();
        let tolerance = -2.0 * log.resolution - 0.5;
        let at_once = |visit: &usize| {
            candidate.discipline == Discipline::Fifo && log.found[*visit] < candidate.slots
        };
        // Where the clock is coarse, only those who were served at once say what service times are
        // like.
        let mut values = service[counted.clone()].to_vec();
        if log.resolution > COARSE * log.median {
            let clean: Vec<f64> = counted
                .clone()
                .filter(at_once)
                .map(|v| service[v])
                .collect();
            if clean.len() >= FEW && clean.len() * SOME >= counted.len() {
                values = clean;
            }
        }
        let law = Staircase::new(&values, tolerance, log);
        // What the clock makes of the moment at which a slot was free, and of the order of those
        // who waited for it.
        for (value, noise) in values.iter_mut().zip(NOISE.iter().cycle()) {
            *value += noise * log.resolution;
        }
        let waited = Staircase::new(&values, f64::NEG_INFINITY, log);
        let half = half_window(log);
        let n = counted.len();
        let mut batches = vec![0.0; BATCHES];
        let (mut sum, mut impossible, mut held_up) = (0.0, 0_usize, 0_usize);
        let noise = 4.0 * log.resolution + 0.5;
        for (i, visit) in counted.enumerate() {
            let pace = match candidate.discipline {
                Discipline::Fifo => 1.0,
                Discipline::ProcessorSharing => rate(candidate.slots, log.company[visit]),
            };
            let own = service[visit];
            sum += own;
            held_up += usize::from((log.left[visit] - log.arrived[visit]) as f64 - own > noise);
            let stray = STRAY * pace * (2.0 * half / law.most).min(1.0);
            let law = if candidate.discipline == Discipline::Fifo && !at_once(&visit) {
                &waited
            } else {
                &law
            };
            let probability = if own < tolerance {
                impossible += 1;
                stray
            } else {
                let window = law.share(own + pace * half) - law.share(own - pace * half);
                (1.0 - STRAY) * window + stray
            };
            batches[i * BATCHES / n] += libm::log(probability);
        }
        Likelihood {
            batches,
            mean: sum / n as f64,
            median: law.median,
            held_up,
            impossible: impossible as f64 / n as f64,
        }
    }

    /// The logarithm of the likelihood.
    pub(super) fn total(&self) -> f64 {
        self.batches.iter().sum()
    }

    /// Whether the log tells this candidate from a worse one: whether the difference of the
    /// logarithms is more than chance may make of none, by Vuong's test (Econometrica 57, 1989) at
    /// the 1% level, with its variance from batches of visits.
    pub(super) fn better_than(&self, other: &Likelihood) -> bool {
        let n = self.batches.len() as f64;
        let differences = || self.batches.iter().zip(&other.batches).map(|(a, b)| a - b);
        let mean = differences().sum::<f64>() / n;
        let variance = differences().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
        mean * n > 1.0 && mean * n.sqrt() > LEVEL * variance.sqrt()
    }
}

/// Half the window about a departure: the steps of the clock that a service time may be off.
fn half_window(log: &Prepared) -> f64 {
    log.resolution.max(WINDOW * log.median)
}

/// A distribution function with straight lines between its knots.
#[derive(Clone, Debug)]
struct Staircase {
    knots: Vec<f64>,
    shares: Vec<f64>,
    most: f64,
    median: f64,
}

impl Staircase {
    /// The distribution of the values of at least `tolerance`. Knots stand half-way between the
    /// ticks of the clock.
    fn new(values: &[f64], tolerance: f64, log: &Prepared) -> Staircase {
        let stride = values.len().div_ceil(SAMPLE).max(1);
        let mut sample: Vec<f64> = values
            .iter()
            .step_by(stride)
            .copied()
            .filter(|&value| value >= tolerance)
            .collect();
        sample.sort_unstable_by(f64::total_cmp);
        let pitch = half_window(log).min(log.resolution.max(0.5 * half_window(log)));
        let below = |value: f64| ((value / pitch).floor() - 0.5) * pitch;
        let most = values.iter().copied().fold(pitch, f64::max) + pitch;
        let least = sample.first().copied().unwrap_or(0.0);
        let mut knots = vec![least.min(0.0) - 2.0 * pitch, most];
        let points = (0..=KNOTS).map(|k| k as f64 / KNOTS as f64);
        for point in points.chain([0.995, 0.998, 0.999]) {
            let rank = (point * sample.len() as f64) as usize;
            if let Some(&value) = sample.get(rank.min(sample.len().saturating_sub(1))) {
                let knot = below(value + 0.5 * pitch);
                knots.extend([knot, knot + pitch]);
            }
        }
        knots.sort_unstable_by(f64::total_cmp);
        knots.dedup_by(|a, b| *a - *b < 0.01 * pitch);
        let mut counts = vec![0_usize; knots.len()];
        for &value in values {
            if value >= tolerance {
                let upper = knots.partition_point(|&knot| knot < value);
                counts[upper.min(knots.len() - 1)] += 1;
            }
        }
        let (mut sum, n) = (0, values.len().max(1) as f64);
        let shares = counts
            .iter()
            .map(|count| {
                sum += count;
                sum as f64 / n
            })
            .collect();
        Staircase {
            knots,
            shares,
            most,
            median: sample.get(sample.len() / 2).copied().unwrap_or(0.0),
        }
    }

    /// The share of the values up to `value`.
    fn share(&self, value: f64) -> f64 {
        let upper = self.knots.partition_point(|&knot| knot < value);
        if upper == 0 {
            return 0.0;
        }
        let (Some(&right), Some(&to)) = (self.knots.get(upper), self.shares.get(upper)) else {
            return self.shares.last().copied().unwrap_or(0.0);
        };
        let (left, from) = (self.knots[upper - 1], self.shares[upper - 1]);
        from + (to - from) * ((value - left) / (right - left)).clamp(0.0, 1.0)
    }
}
