//! Gaps between arrivals, in units of the mean gap at their time.

use super::SECOND;

/// What gaps tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gaps {
    /// How many.
    pub(super) count: usize,
    /// Standard deviation over mean, with the rounding of the clock taken out.
    pub(super) cv: f64,
    /// Whether a hyperexponential fits better than a gamma distribution; only where `cv` is more
    /// than 1.
    pub(super) hyperexponential: bool,
}

/// Gaps that are needed.
const FEWEST: usize = 200;

impl Gaps {
    /// From sorted times in nanoseconds; `rate_at` gives arrivals a second at a time. `None` where
    /// the clock's step is more than half of the mean gap, or there are too few.
    pub(super) fn of(times: &[i64], step: i64, rate_at: impl Fn(i64) -> f64) -> Option<Gaps> {
        let (first, last) = (*times.first()?, *times.last()?);
        let count = times.len() - 1;
        if count < FEWEST || (last - first) as f64 / (count as f64) < 2.0 * step as f64 {
            return None;
        }
        let unit = 1.0 / SECOND as f64;
        let pairs = || times.iter().zip(times.iter().skip(1));
        let scaled = |(a, b): (&i64, &i64)| ((b - a) as f64 * unit, rate_at(*a));
        let (mut sum, mut squares, mut rounding) = (0.0, 0.0, 0.0);
        for pair in pairs() {
            let (gap, rate) = scaled(pair);
            sum += gap * rate;
            squares += gap * rate * gap * rate;
            // Both ends are rounded down: a difference of two uniform errors.
            let error = step as f64 * unit * rate;
            rounding += error * error / 6.0;
        }
        let n = count as f64;
        let mean = sum / n;
        if mean.is_nan() || mean <= 0.0 {
            return None;
        }
        let rounding = if step > 1 { rounding / n } else { 0.0 };
        let cv = libm::sqrt(((squares / n - mean * mean - rounding) / (mean * mean)).max(0.0));
        let mut hyperexponential = false;
        if cv > 1.0 {
            let smallest = 0.5 * step as f64 * unit;
            let (hyper, gamma) = (Hyper::new(cv), Gamma::new(cv));
            let better: f64 = pairs()
                .map(scaled)
                .map(|(gap, rate)| (gap.max(smallest) * rate / mean).max(1e-12))
                .map(|gap| hyper.log_density(gap) - gamma.log_density(gap))
                .sum();
            hyperexponential = better > 0.0;
        }
        Some(Gaps {
            count,
            cv,
            hyperexponential,
        })
    }

    /// Whether they differ from exponential ones: by 4.5 standard errors of the squared coefficient
    /// of variation (2/√n for exponential gaps: Moran, Journal of the Royal Statistical Society
    /// B 9, 1947), and by enough to matter.
    pub(super) fn differ(&self) -> bool {
        let error = 2.0 / libm::sqrt(self.count as f64);
        (self.cv * self.cv - 1.0).abs() > 4.5 * error && (self.cv - 1.0).abs() > 0.05
    }
}

/// A hyperexponential distribution of mean 1 with balanced means, as a scenario's.
struct Hyper {
    shares: [f64; 2],
}

impl Hyper {
    fn new(cv: f64) -> Hyper {
        let square = cv * cv;
        let short = 0.5 * (1.0 + libm::sqrt((square - 1.0) / (square + 1.0)));
        Hyper {
            shares: [short, 1.0 - short],
        }
    }

    fn log_density(&self, x: f64) -> f64 {
        let parts = self
            .shares
            .map(|share| 2.0 * share * share * libm::exp(-2.0 * share * x));
        libm::log(parts.into_iter().sum::<f64>().max(1e-300))
    }
}

/// A gamma distribution of mean 1.
struct Gamma {
    shape: f64,
    constant: f64,
}

impl Gamma {
    fn new(cv: f64) -> Gamma {
        let shape = 1.0 / (cv * cv);
        Gamma {
            shape,
            constant: shape * libm::log(shape) - libm::lgamma(shape),
        }
    }

    fn log_density(&self, x: f64) -> f64 {
        self.constant + (self.shape - 1.0) * libm::log(x) - self.shape * x
    }
}
