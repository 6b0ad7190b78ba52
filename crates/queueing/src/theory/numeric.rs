//! The few numerical methods that the closed forms lean on.

/// Whether a queue with this load (arriving work per second over capacity) keeps up.
pub(super) fn keeps_up(load: f64) -> bool {
    (0.0..1.0).contains(&load)
}

/// The point of (low, high) up to which `holds` is true, by halving until floating point has no
/// number in between.
pub(super) fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high || !middle.is_finite() {
            return high;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The q-quantile of a non-negative time whose tail P(T > t) is given: 0 for q <= 0, infinite for
/// q >= 1 or a tail that does not vanish.
pub(super) fn quantile(q: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let above = |t: f64| tail(t) > 1.0 - q;
    if q >= 1.0 {
        return f64::INFINITY;
    }
    if q.is_nan() || q <= 0.0 || !above(0.0) {
        return 0.0;
    }
    let mut high = 1e-9;
    while above(high) {
        high *= 2.0;
        if high.is_infinite() {
            return high;
        }
    }
    bisect(0.0, high, above)
}

/// The q-quantile of an exponential time with this rate: infinite for q >= 1 or a rate of zero.
pub(super) fn exponential_quantile(q: f64, rate: f64) -> f64 {
    if q >= 1.0 || rate <= 0.0 {
        f64::INFINITY
    } else if q > 0.0 {
        -(-q).ln_1p() / rate
    } else {
        0.0
    }
}

/// P(N = n) of a Poisson count, in logarithms so that large means do not underflow on the way.
pub(super) fn poisson(mean: f64, n: u64) -> f64 {
    if mean <= 0.0 {
        return if n == 0 { 1.0 } else { 0.0 };
    }
    let n = n as f64;
    (n * mean.ln() - mean - statrs::function::gamma::ln_gamma(n + 1.0)).exp()
}

/// P(N >= n) of a Poisson count.
pub(super) fn poisson_at_least(mean: f64, n: u64) -> f64 {
    if n == 0 {
        1.0
    } else if mean <= 0.0 {
        0.0
    } else {
        statrs::function::gamma::checked_gamma_lr(n as f64, mean).unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_exponential_agree() {
        for q in [0.01, 0.5, 0.99, 0.9999] {
            let found = quantile(q, |t| (-3.0 * t).exp());
            assert!((found / exponential_quantile(q, 3.0) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn ends() {
        assert_eq!(quantile(1.0, |t| (-t).exp()), f64::INFINITY);
        assert_eq!(quantile(0.5, |_| 1.0), f64::INFINITY);
        assert_eq!(quantile(0.5, |_| 0.3), 0.0);
        assert_eq!(quantile(f64::NAN, |t| (-t).exp()), 0.0);
        assert_eq!(exponential_quantile(0.5, 0.0), f64::INFINITY);
        assert_eq!(exponential_quantile(f64::NAN, 1.0), 0.0);
    }

    #[test]
    fn poisson_by_hand() {
        assert!((poisson(2.0, 3) - 8.0 / 6.0 * (-2.0_f64).exp()).abs() < 1e-12);
        assert!((poisson_at_least(2.0, 2) - (1.0 - 3.0 * (-2.0_f64).exp())).abs() < 1e-12);
        assert_eq!(
            (poisson(0.0, 0), poisson(0.0, 1), poisson_at_least(0.0, 1)),
            (1.0, 0.0, 0.0)
        );
    }
}
