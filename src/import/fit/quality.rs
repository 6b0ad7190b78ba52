//! How good a fit is: the logged arrivals once more, at the server that was found.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::SeedableRng as _;

use super::prepared::Prepared;
use super::recover::rate;
use super::{Candidate, Discipline};
use crate::distribution::Sampler;
use crate::rng::Rng;

/// The seed of the service times that are drawn: the same log has the same quality.
const SEED: u64 = 0x5eed;
/// Standard errors beyond which service times depend on load.
pub(super) const SURE: f64 = 4.0;

/// How the response times of the fitted server, asked at the very times of the log, compare with
/// those of the log.
///
/// The arrivals are those of the log whatever the server does. A balancer that looks at the load of
/// its servers would have sent them at other times had service times been others, so behind one the
/// simulated response times tend to be longer than the logged ones even where the fit is perfect.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// The largest distance between the distribution functions of logged and simulated response
    /// times (Kolmogorov-Smirnov), taken half-way between ticks of the clock; from 0 to 1.
    pub distance: f64,
    /// The largest distance between the distribution function of the service times and that of the
    /// family.
    pub family_distance: f64,
    /// The mean service time of the visits that found the server crowded over that of those that
    /// found it quiet; 1 at a server whose speed does not depend on its load.
    pub load_dependence: f64,
    /// Whether that is more than chance makes of it: beyond four standard errors.
    pub depends_on_load: bool,
    /// Mean response time in the log, in seconds.
    pub mean_logged: f64,
    /// Mean response time simulated, in seconds.
    pub mean_simulated: f64,
    /// Median, p90 and p99 of the simulated response times over those of the log, less one.
    pub errors: [f64; 3],
    /// Quantiles of logged and of simulated response times, in seconds: the 1% to 99%, 99.5% and
    /// 99.9%.
    pub qq: Vec<(f64, f64)>,
}

impl Quality {
    /// How much longer the mean simulated response time is than the logged one: -0.1 is a tenth
    /// shorter.
    pub fn mean_error(&self) -> f64 {
        ratio(self.mean_simulated, self.mean_logged) - 1.0
    }
}

/// The larger over the smaller where both are something.
fn ratio(simulated: f64, logged: f64) -> f64 {
    if logged > 0.0 {
        simulated / logged
    } else {
        1.0
    }
}

/// Replays the log and compares; `service` are the recovered service times in nanoseconds.
pub(super) fn quality(
    log: &Prepared,
    candidate: Candidate,
    sampler: &Sampler,
    service: &[f64],
    family_distance: f64,
) -> Quality {
    let simulated = replay(log, candidate, sampler);
    let counted = log.counted.clone();
    let mut logged: Vec<f64> = counted
        .clone()
        .map(|visit| log.stays[visit] as f64 / 1e9)
        .collect();
    let mut simulated = simulated[counted].to_vec();
    logged.sort_unstable_by(f64::total_cmp);
    simulated.sort_unstable_by(f64::total_cmp);
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
    let at = |q: f64| {
        let rank = ((q * logged.len() as f64) as usize).min(logged.len() - 1);
        (logged[rank], simulated[rank])
    };
    let points = (1..100).map(|percent| f64::from(percent) / 100.0);
    let errors = [0.5, 0.9, 0.99].map(|q| {
        let (logged, simulated) = at(q);
        ratio(simulated, logged) - 1.0
    });
    let (load_dependence, errors_off) = dependence(log, service);
    Quality {
        distance: distance(&logged, &simulated, log.resolution / 1e9),
        family_distance,
        load_dependence,
        depends_on_load: errors_off > SURE,
        mean_logged: mean(&logged),
        mean_simulated: mean(&simulated),
        errors,
        qq: points.chain([0.995, 0.999]).map(at).collect(),
    }
}

/// The largest distance between the distribution functions of two sorted samples, half-way between
/// ticks of `step`.
fn distance(a: &[f64], b: &[f64], step: f64) -> f64 {
    let (mut i, mut j, mut most) = (0, 0, 0.0_f64);
    while let (Some(&x), Some(&y)) = (a.get(i), b.get(j)) {
        let mut here = x.min(y);
        if step > 0.0 {
            here = (libm::floor(here / step + 0.5) + 0.5) * step;
        }
        while a.get(i).is_some_and(|&x| x <= here) {
            i += 1;
        }
        while b.get(j).is_some_and(|&y| y <= here) {
            j += 1;
        }
        most = most.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    most
}

/// The mean service time of those who found more than three quarters of all found, over that of the
/// lower half; and how many standard errors the two are apart (Welch, Biometrika 34, 1947).
pub(super) fn dependence(log: &Prepared, service: &[f64]) -> (f64, f64) {
    let mut found = log.found[log.counted.clone()].to_vec();
    let n = found.len();
    let (_, half, _) = found.select_nth_unstable(n / 2);
    let half = *half;
    let (_, upper, _) = found.select_nth_unstable(3 * n / 4);
    let upper = (*upper).max(half);
    let mut groups = [[0.0_f64; 3]; 2];
    for visit in log.counted.clone() {
        let group = if log.found[visit] <= half {
            0
        } else if log.found[visit] > upper {
            1
        } else {
            continue;
        };
        let own = service[visit] / 1e9;
        for (sum, term) in groups[group].iter_mut().zip([1.0, own, own * own]) {
            *sum += term;
        }
    }
    if groups.iter().any(|[count, ..]| *count < 30.0) {
        return (1.0, 0.0);
    }
    let [(quiet, quiet_error), (crowded, crowded_error)] = groups.map(|[count, sum, squares]| {
        let mean = sum / count;
        (mean, (squares / count - mean * mean).max(0.0) / count)
    });
    // A constant has no error but that of the clock.
    let error = (quiet_error + crowded_error).sqrt().max(1e-4 * quiet);
    let apart = (crowded - quiet).abs();
    (
        ratio(crowded, quiet),
        if error > 0.0 { apart / error } else { 0.0 },
    )
}

/// Response times in seconds, in order of arrival.
fn replay(log: &Prepared, candidate: Candidate, sampler: &Sampler) -> Vec<f64> {
    let mut rng = Rng::seed_from_u64(SEED);
    let mut draw = || sampler.sample(&mut rng);
    match candidate.discipline {
        Discipline::Fifo => in_turn(log, candidate.slots, &mut draw),
        Discipline::ProcessorSharing => shared(log, candidate.slots, &mut draw),
    }
}

fn in_turn(log: &Prepared, slots: u32, draw: &mut impl FnMut() -> f64) -> Vec<f64> {
    let mut free: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let responses = log.arrived.iter().map(|&arrived| {
        let arrived = arrived as u64;
        let begins = if free.len() < slots as usize {
            arrived
        } else {
            free.pop().map_or(arrived, |Reverse(at)| at.max(arrived))
        };
        let ends = begins.saturating_add((draw() * 1e9) as u64);
        free.push(Reverse(ends));
        (ends - arrived) as f64 / 1e9
    });
    responses.collect()
}

fn shared(log: &Prepared, slots: u32, draw: &mut impl FnMut() -> f64) -> Vec<f64> {
    let mut responses = vec![0.0; log.len()];
    // Ends on the clock of work, in thousandths of a nanosecond, so that they can be ordered as
    // whole numbers.
    let mut jobs: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let (mut now, mut clock) = (0.0_f64, 0.0_f64);
    let coming = log.arrived.iter().map(|&at| at as f64);
    for (visit, until) in coming.chain([f64::INFINITY]).enumerate() {
        while let Some(&Reverse((done, first))) = jobs.peek() {
            let pace = rate(slots, jobs.len() as u32);
            let ends = now + (done as f64 / 1e3 - clock).max(0.0) / pace;
            if ends > until {
                clock += (until - now) * pace;
                break;
            }
            (now, clock) = (ends, done as f64 / 1e3);
            jobs.pop();
            responses[first] = (now - log.arrived[first] as f64) / 1e9;
        }
        if visit < log.len() {
            now = until;
            if jobs.is_empty() {
                clock = 0.0;
            }
            jobs.push(Reverse((((clock + draw() * 1e9) * 1e3) as u64, visit)));
        }
    }
    responses
}
