//! What the tests of all families share.

use serde_json::Value;

use super::{Amount, Dist, Sampler};
use crate::rng::{Domain, Rng, Seeds};

/// A stream of random words, the same on every run.
pub(super) fn stream(number: u64) -> Rng {
    Seeds::new(2026, 0).stream(Domain::Luck, number)
}

/// The sampler of a distribution of plain numbers.
pub(super) fn plain(dist: Value) -> Sampler {
    let dist: Dist<Amount> = serde_json::from_value(dist).expect("reads");
    dist.sampler().expect("checks")
}

/// The first three values.
pub(super) fn first(sampler: &Sampler) -> [f64; 3] {
    let mut rng = stream(0);
    std::array::from_fn(|_| sampler.sample(&mut rng))
}

/// Asserts that `dist` is refused, naming the field, in words that contain `rule`.
pub(super) fn refused(dist: Value, field: &str, rule: &str) {
    let parsed: Dist<Amount> = serde_json::from_value(dist.clone()).expect("reads");
    let error = parsed.sampler().expect_err(&format!("{dist} is wrong"));
    assert_eq!(error.field, field, "{dist}: {error}");
    assert!(error.message.contains(rule), "{dist}: {error}");
}

/// Asserts that the greatest distance between the draws' own distribution function and `cdf` stays
/// below 2.5/√n. A true sampler fails with probability 2·exp(-2·2.5²) = 7e-6 (Kolmogorov's limit);
/// seeds are fixed, so a test passes always or never. Both sides of each step are compared, so
/// `cdf` may have steps of its own.
pub(super) fn kolmogorov_smirnov(mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    draws.sort_unstable_by(f64::total_cmp);
    let n = draws.len() as f64;
    let mut distance = 0.0f64;
    for group in draws.chunk_by(|a, b| a == b) {
        let upto = draws.partition_point(|x| *x <= group[0]) as f64;
        let before = upto - group.len() as f64;
        distance = distance
            .max((upto / n - cdf(group[0])).abs())
            .max((before / n - cdf(group[0].next_down())).abs());
    }
    assert!(
        distance * n.sqrt() < 2.5,
        "distance {distance} over {n} draws"
    );
}

/// Asserts that draws, moments, distribution function and quantiles of a sampler belong together.
///
/// * Draws against `cdf`: Kolmogorov–Smirnov on 50,000 of them.
/// * Their mean within 4.5 standard errors where the variance is finite (false alarm 7e-6 for light
///   tails).
/// * Mean and variance against `∫ (1-F(x)) dx` and `∫ 2x (1-F(x)) dx` on a grid of logarithms,
///   within 1e-4 and 1e-3 (nothing random here), unless the tail is too `heavy` for the grid to
///   hold them.
/// * `quantile(cdf(x))` gives x back within 1e-6 wherever the distribution function rises.
pub(super) fn coherent(sampler: &Sampler, heavy: bool) {
    let mut rng = stream(7);
    let draws: Vec<f64> = (0..50_000).map(|_| sampler.sample(&mut rng)).collect();
    assert!(draws.iter().all(|x| x.is_finite() && *x >= 0.0));

    let (mean, variance) = (sampler.mean(), sampler.variance());
    if variance.is_finite() {
        let found = draws.iter().sum::<f64>() / draws.len() as f64;
        let error = (variance / draws.len() as f64).sqrt();
        assert!(
            (found - mean).abs() <= 4.5 * error + 1e-9 * mean,
            "mean {found} for {mean}"
        );
    }

    // x = exp(t), dx = x dt; from e^-40 to e^60 times the mean.
    let steps = 200_000;
    let (from, step) = (libm::log(mean.max(1e-12)) - 40.0, 100.0 / f64::from(steps));
    let (mut first, mut second) = (0.0, 0.0);
    for i in 0..steps {
        let x = libm::exp(from + (f64::from(i) + 0.5) * step);
        let above = 1.0 - sampler.cdf(x);
        // What is left of 1 - F beyond its last digits is rounding, not probability.
        if above > 1e-13 {
            first += above * x * step;
            second += 2.0 * above * x * x * step;
        }
    }
    if !heavy {
        assert!((first / mean - 1.0).abs() < 1e-4, "mean {first} for {mean}");
        let integral = second - mean * mean;
        assert!(
            (integral - variance).abs() < 1e-3 * second,
            "variance {integral} for {variance}"
        );
    }
    assert!((sampler.cv() - variance.sqrt() / mean).abs() < 1e-12 || variance.is_infinite());

    for x in draws.iter().copied().take(500) {
        let q = sampler.cdf(x);
        // Between two neighbours of x the function must rise for its inverse to find x again.
        let rises = q - sampler.cdf(x * (1.0 - 1e-7)) > 1e-13 && q < 1.0 - 1e-7;
        if rises {
            let back = sampler.quantile(q);
            assert!((back / x - 1.0).abs() < 1e-6, "{back} for {x} at {q}");
        }
        assert!(sampler.cdf(sampler.quantile(q)) >= q - 1e-12);
    }
    assert_eq!(sampler.cdf(-1.0), 0.0);
    assert_eq!(sampler.cdf(1e300), 1.0);
    kolmogorov_smirnov(draws, |x| sampler.cdf(x));
}

/// Asserts that our distribution function is the reference's, within 1e-9 at 1,000 quantiles of
/// ours.
pub(super) fn same_cdf(sampler: &Sampler, reference: impl Fn(f64) -> f64) {
    for i in 1..1000 {
        let x = sampler.quantile(f64::from(i) / 1000.0);
        let (ours, theirs) = (sampler.cdf(x), reference(x));
        assert!((ours - theirs).abs() < 1e-9, "{ours} for {theirs} at {x}");
    }
}

/// Asserts that another library's draws follow our distribution function (Kolmogorov–Smirnov,
/// 50,000 draws).
pub(super) fn same_draws(sampler: &Sampler, reference: impl rand_distr::Distribution<f64>) {
    let mut rng = stream(9);
    let draws = (0..50_000).map(|_| reference.sample(&mut rng)).collect();
    kolmogorov_smirnov(draws, |x| sampler.cdf(x));
}
