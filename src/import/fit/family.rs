//! The simplest distribution that describes service times well.

use crate::distribution::{
    Dist, Sampler, constant, empirical, exponential, gamma, hyperexponential, lognormal, weibull,
};
use crate::time::Span;

/// Bins into which service times are counted.
const BINS: usize = 80;
/// How far the distribution function of one parameter may be off, beside what chance makes of it.
const SIMPLE: f64 = 0.01;
/// How far that of two parameters may be off.
const CLOSE: f64 = 0.02;
/// Kolmogorov's 5% point for many observations, times the root of their number.
const CHANCE: f64 = 1.36;
/// The golden section.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// What was found out about the service times.
#[derive(Clone, Debug)]
pub(super) struct FittedService {
    /// The distribution, as a scenario says it.
    pub(super) dist: Dist<Span>,
    /// The same, to draw from.
    pub(super) sampler: Sampler,
    /// The mean in seconds.
    pub(super) mean: f64,
    /// The standard deviation over the mean, without the spread that rounding adds.
    pub(super) cv: f64,
    /// How far the distribution function is from that of the service times at most.
    pub(super) distance: f64,
}

/// Service times in seconds, sorted, and counted in bins.
struct Times {
    sorted: Vec<f64>,
    /// The upper ends of the bins; the last has none.
    edges: Vec<f64>,
    counts: Vec<f64>,
    mean: f64,
    /// The variance that rounding adds.
    rounding: f64,
    /// The step of the clock, in seconds.
    step: f64,
}

/// A family with its parameters, and how well it does.
struct Tried {
    dist: Dist<Span>,
    sampler: Sampler,
    loss: f64,
    distance: f64,
    tail: bool,
}

/// Finds the distribution of service times, given in nanoseconds, stays as they were logged or not,
/// with a mean in nanoseconds that may be better known than from these alone; `None` where no time
/// was spent at all.
///
/// Each family has that mean, so that the load is right, and the shape by which its counts are
/// likeliest (maximum likelihood for grouped data: Kulldorff, *Contributions to the Theory of
/// Estimation from Grouped and Partially Grouped Samples*, 1961; the bins end half-way between
/// ticks of the clock). A constant will do where the spread is what rounding makes; then the
/// exponential, if its distribution function is close; then that of the families with a shape that
/// is likeliest, all having as many parameters (Akaike's and Schwarz's criteria both say so); where
/// its distribution function or its tail is off, a table of quantiles.
pub(super) fn fit(
    service: &[f64],
    mean: f64,
    resolution: f64,
    as_logged: bool,
) -> Option<FittedService> {
    let sample = Times::new(service, mean / 1e9, resolution, as_logged)?;
    let n = sample.sorted.len() as f64;
    let own = sample.sorted.iter().sum::<f64>() / n;
    let squares = sample.sorted.iter().map(|x| (x - own).powi(2));
    let variance = squares.sum::<f64>() / (n - 1.0).max(1.0);
    let cv = (variance - sample.rounding).max(0.0).sqrt() / own;
    let (dist, sampler, distance) = sample.simplest(cv)?;
    Some(FittedService {
        dist,
        sampler,
        mean: sample.mean,
        cv,
        distance,
    })
}

/// A time with four or five digits, which is how well it is known at best.
fn rounded(seconds: f64) -> Span {
    Span::from_seconds(digits(seconds))
}

/// A number with four to five digits.
fn digits(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let unit = libm::pow(10.0, libm::floor(libm::log10(value)) - 4.0);
    if unit >= 1.0 {
        (value / unit).round() * unit
    } else {
        let per = (1.0 / unit).round();
        (value * per).round() / per
    }
}

/// A family of distributions of one mean, by its one other parameter.
type Family<'a> = &'a dyn Fn(f64) -> Dist<Span>;

impl Times {
    fn new(service: &[f64], mean: f64, resolution: f64, as_logged: bool) -> Option<Times> {
        let mut sorted: Vec<f64> = service.iter().map(|x| x.max(0.0) / 1e9).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len();
        let step = resolution / 1e9;
        let points = (1..BINS).map(|k| k as f64 / BINS as f64);
        let mut edges: Vec<f64> = Vec::new();
        for point in points.chain([0.995, 0.998, 0.999, 0.9995]) {
            let value = *sorted.get((point * n as f64) as usize)?;
            let edge = if step > 0.0 {
                (libm::floor(value / step) + 0.5) * step
            } else {
                value
            };
            if edges.last().is_none_or(|&last| edge > last) {
                edges.push(edge);
            }
        }
        let mut below = 0;
        let mut counts: Vec<f64> = Vec::with_capacity(edges.len() + 1);
        for &edge in &edges {
            let up_to = sorted.partition_point(|&x| x <= edge);
            counts.push((up_to - below) as f64);
            below = up_to;
        }
        counts.push((n - below) as f64);
        (mean > 0.0).then_some(Times {
            sorted,
            edges,
            counts,
            mean,
            // Sheppard's correction (Proceedings of the London Mathematical Society 29, 1898): a
            // twelfth for each reading of the clock, and as much again for its place between ticks.
            rounding: step * step / if as_logged { 6.0 } else { 3.0 },
            step,
        })
    }

    fn quantile(&self, q: f64) -> f64 {
        let n = self.sorted.len();
        let rank = ((q * n as f64) as usize).min(n.saturating_sub(1));
        self.sorted.get(rank).copied().unwrap_or(0.0)
    }

    fn simplest(&self, cv: f64) -> Option<(Dist<Span>, Sampler, f64)> {
        let n = self.sorted.len() as f64;
        let chance = CHANCE / n.sqrt();
        let spread = self.quantile(0.995) - self.quantile(0.005);
        if cv <= 0.025 && spread <= 4.5 * self.step + 0.01 * self.mean {
            let dist = Dist::Constant(constant::Constant {
                value: rounded(self.mean),
            });
            let sampler = dist.sampler().ok()?;
            return Some((dist, sampler, 0.0));
        }
        let mean = rounded(self.mean);
        let exponential = self.try_out(Dist::Exponential(exponential::Exponential { mean }));
        if let Some(tried) = exponential
            && tried.tail
            && tried.distance <= SIMPLE + chance
            && (cv - 1.0).abs() < 0.1
        {
            return Some((tried.dist, tried.sampler, tried.distance));
        }
        let with_cv = |cv: f64| self.plain(cv);
        let families: [(Family<'_>, f64, f64); 4] = [
            (
                &|cv| {
                    Dist::Lognormal(lognormal::Lognormal {
                        mean,
                        cv: with_cv(cv),
                    })
                },
                0.01,
                20.0,
            ),
            (
                &|cv| {
                    Dist::Gamma(gamma::Gamma {
                        mean,
                        cv: with_cv(cv),
                    })
                },
                0.01,
                9.0,
            ),
            (
                &|shape| {
                    Dist::Weibull(weibull::Weibull {
                        mean,
                        shape: digits(shape),
                    })
                },
                0.15,
                60.0,
            ),
            (
                &|cv| {
                    let cv = digits(cv);
                    Dist::Hyperexponential(hyperexponential::Hyperexponential { mean, cv })
                },
                1.01,
                50.0,
            ),
        ];
        let best = families
            .into_iter()
            .filter_map(|(family, least, most)| self.shape(family, least, most))
            .min_by(|a, b| a.loss.total_cmp(&b.loss))
            .filter(|tried| tried.tail && tried.distance <= CLOSE + chance);
        match best {
            Some(tried) => Some((tried.dist, tried.sampler, tried.distance)),
            None => {
                let tried = self.try_out(self.table())?;
                Some((tried.dist, tried.sampler, tried.distance))
            }
        }
    }

    /// A cv without the spread that rounding adds.
    fn plain(&self, cv: f64) -> f64 {
        let rounding = self.rounding / (self.mean * self.mean);
        digits((cv * cv - rounding).max(1e-5).sqrt())
    }

    /// The shape with the least loss, by golden section on its logarithm.
    fn shape(&self, family: &dyn Fn(f64) -> Dist<Span>, least: f64, most: f64) -> Option<Tried> {
        let loss = |log: f64| {
            let sampler = family(libm::exp(log)).sampler();
            sampler.map_or(f64::INFINITY, |sampler| self.loss(&sampler))
        };
        let (mut low, mut high) = (libm::log(least), libm::log(most));
        let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (mut at_a, mut at_b) = (loss(a), loss(b));
        for _ in 0..30 {
            if at_a <= at_b {
                (high, b, at_b) = (b, a, at_a);
                a = high - GOLDEN * (high - low);
                at_a = loss(a);
            } else {
                (low, a, at_a) = (a, b, at_b);
                b = low + GOLDEN * (high - low);
                at_b = loss(b);
            }
        }
        self.try_out(family(libm::exp(0.5 * (low + high))))
    }

    /// Minus the logarithm of the likelihood of the counts.
    fn loss(&self, sampler: &Sampler) -> f64 {
        let mut below = 0.0;
        let ends = self.edges.iter().map(|&edge| sampler.cdf(edge));
        let loss = ends.chain([1.0]).zip(&self.counts).map(|(up_to, count)| {
            let share = (up_to - below).max(1e-12);
            below = up_to;
            -count * libm::log(share)
        });
        loss.sum()
    }

    fn try_out(&self, dist: Dist<Span>) -> Option<Tried> {
        let sampler = dist.sampler().ok()?;
        let n = self.sorted.len() as f64;
        let mut counted = 0.0;
        let distances = self.edges.iter().zip(&self.counts).map(|(&edge, count)| {
            counted += count;
            (sampler.cdf(edge) - counted / n).abs()
        });
        let distance = distances.fold(0.0, f64::max);
        // How many lie beyond what a share should lie beyond: by a factor, or by chance.
        let tail = [(0.01, 1.25), (0.001, 2.0)]
            .into_iter()
            .all(|(share, factor)| {
                let limit = sampler.quantile(1.0 - share);
                let beyond =
                    (self.sorted.len() - self.sorted.partition_point(|&x| x <= limit)) as f64;
                let expected = share * n;
                let chance = 4.0 * expected.sqrt() + 2.0;
                beyond <= (factor * expected).max(expected + chance)
                    && beyond >= (expected / factor).min(expected - chance)
            });
        Some(Tried {
            loss: self.loss(&sampler),
            dist,
            sampler,
            distance,
            tail,
        })
    }

    /// A table of quantiles, scaled to the mean of the sample: straight lines between quantiles of
    /// a curve do not keep it.
    fn table(&self) -> Dist<Span> {
        let shares = (1..20).map(|k| f64::from(k) / 20.0);
        let shares = [0.0, 0.001, 0.005, 0.01, 0.025].into_iter().chain(shares);
        let tail = [0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999];
        let n = self.sorted.len() as f64;
        let mut points: Vec<(f64, f64)> = shares
            .chain(tail)
            .filter(|share| (1.0 - share) * n >= 5.0)
            .map(|share| (share, self.quantile(share)))
            .collect();
        points.push((1.0, self.sorted.last().copied().unwrap_or(0.0)));
        let rows = points.windows(2);
        let mean: f64 = rows
            .map(|w| (w[1].0 - w[0].0) * 0.5 * (w[0].1 + w[1].1))
            .sum();
        let scale = if mean > 0.0 { self.mean / mean } else { 1.0 };
        let quantiles = points
            .into_iter()
            .map(|(share, x)| (share, rounded(scale * x)));
        Dist::Empirical(empirical::Empirical {
            quantiles: Some(quantiles.collect()),
            file: None,
            column: None,
            unit: None,
        })
    }
}
