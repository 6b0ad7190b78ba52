//! Do observations follow a distribution? Used to test samplers and strategies.
//!
//! A p-value says how often data at least this far off would come from the claimed distribution. A
//! test that draws afresh each time fails with probability equal to its threshold, so fix the seed.

use statrs::function::gamma::checked_gamma_ur;

/// The p-value of Pearson's chi-square test (Philosophical Magazine 50, 1900) of counts against the
/// counts expected, with one degree of freedom less than there are cells.
///
/// Merge cells until about 5 are expected in each (Cochran, Biometrics 10, 1954). A cell where none
/// are expected must be empty: it is left out when it is, and the p-value is 0 when it is not.
/// `None` when the lists differ in length, fewer than two cells count, or an expected count is
/// negative or not finite.
///
/// ```
/// // 60 throws of a die: the statistic is 13.4 on 5 degrees of freedom.
/// let p = lbsim_queueing::stats::chi_square(&[5, 8, 9, 8, 10, 20], &[10.0; 6]).unwrap();
/// assert!((p - 0.019905).abs() < 1e-6);
/// ```
pub fn chi_square(observed: &[u64], expected: &[f64]) -> Option<f64> {
    if observed.len() != expected.len() || !expected.iter().all(|e| e.is_finite() && *e >= 0.0) {
        return None;
    }
    let mut statistic = 0.0;
    let mut cells = 0_u32;
    for (&observed, &expected) in observed.iter().zip(expected) {
        if expected > 0.0 {
            cells += 1;
            statistic += (observed as f64 - expected).powi(2) / expected;
        } else if observed > 0 {
            return Some(0.0);
        }
    }
    let freedom = f64::from(cells.checked_sub(1).filter(|&freedom| freedom > 0)?);
    upper_gamma(freedom / 2.0, statistic / 2.0)
}

/// The regularised upper incomplete gamma function, with its ends.
fn upper_gamma(shape: f64, x: f64) -> Option<f64> {
    if x <= 0.0 {
        Some(1.0)
    } else if x.is_infinite() {
        Some(0.0)
    } else {
        checked_gamma_ur(shape, x).ok().map(|p| p.clamp(0.0, 1.0))
    }
}

/// The distance and p-value of the one-sample Kolmogorov-Smirnov test of observations sorted
/// upwards against a continuous distribution.
///
/// The distance is the largest between the two distribution functions (Kolmogorov 1933); its
/// p-value is from Kolmogorov's limit with the correction for small samples of Stephens, Journal of
/// the Royal Statistical Society B 32 (1970), good from a handful of observations on. `None` for no
/// observations, unsorted ones, or a distribution function that leaves [0, 1].
///
/// ```
/// let evenly: Vec<f64> = (0..100).map(|i| (f64::from(i) + 0.5) / 100.0).collect();
/// let (distance, p) = lbsim_queueing::stats::kolmogorov_smirnov(&evenly, |x| x).unwrap();
/// assert!((distance - 0.005).abs() < 1e-12 && p > 0.999);
/// ```
pub fn kolmogorov_smirnov(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
    if sorted.is_empty() || !sorted.is_sorted() || sorted[0].is_nan() {
        return None;
    }
    let n = sorted.len() as f64;
    let mut distance = 0.0_f64;
    for (i, &x) in sorted.iter().enumerate() {
        let claimed = cdf(x);
        if !(0.0..=1.0).contains(&claimed) {
            return None;
        }
        distance = distance
            .max(claimed - i as f64 / n)
            .max((i + 1) as f64 / n - claimed);
    }
    let root = n.sqrt();
    Some((
        distance,
        kolmogorov_tail((root + 0.12 + 0.11 / root) * distance),
    ))
}

/// P(K > x) for Kolmogorov's limiting distribution, by whichever of its two series converges at
/// once.
fn kolmogorov_tail(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        1.0
    } else if x < 1.18 {
        let sum: f64 = (1..=5)
            .map(|j| (-((2 * j - 1) as f64 * PI).powi(2) / (8.0 * x * x)).exp())
            .sum();
        1.0 - (2.0 * PI).sqrt() / x * sum
    } else {
        let term = |j: i32| (-2.0 * f64::from(j * j) * x * x).exp();
        2.0 * (term(1) - term(2) + term(3) - term(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chi-square table: 5% points.
    #[test]
    fn published_chi_square() {
        for (freedom, point) in [
            (1.0, 3.841459),
            (2.0, 5.991465),
            (5.0, 11.070498),
            (10.0, 18.307038),
        ] {
            let p = upper_gamma(freedom / 2.0, point / 2.0).unwrap();
            assert!((p - 0.05).abs() < 1e-7, "{freedom}: {p}");
        }
    }

    /// Two cells: the statistic is the square of a normal deviate. 60 heads of 100 is two of them.
    #[test]
    fn coin() {
        let p = chi_square(&[60, 40], &[50.0, 50.0]).unwrap();
        assert!((p - 0.0455003).abs() < 1e-6);
        assert_eq!(chi_square(&[50, 50], &[50.0, 50.0]), Some(1.0));
    }

    #[test]
    fn impossible_and_empty_cells() {
        assert_eq!(chi_square(&[50, 50, 1], &[50.0, 50.0, 0.0]), Some(0.0));
        assert_eq!(
            chi_square(&[60, 40, 0], &[50.0, 50.0, 0.0]),
            chi_square(&[60, 40], &[50.0, 50.0])
        );
        assert_eq!(chi_square(&[u64::MAX, 0], &[1e-300, 1e-300]), Some(0.0));
    }

    #[test]
    fn bad_chi_square() {
        assert_eq!(chi_square(&[], &[]), None);
        assert_eq!(chi_square(&[1], &[1.0]), None);
        assert_eq!(chi_square(&[1, 2], &[1.0]), None);
        assert_eq!(chi_square(&[1, 2], &[1.0, -1.0]), None);
        assert_eq!(chi_square(&[1, 2], &[1.0, f64::NAN]), None);
    }

    /// Smirnov's table (Annals of Mathematical Statistics 19, 1948).
    #[test]
    fn published_kolmogorov() {
        for (x, p) in [
            (0.5, 0.963945),
            (1.0, 0.270000),
            (1.22385, 0.1),
            (1.35810, 0.05),
            (1.62762, 0.01),
        ] {
            assert!(
                (kolmogorov_tail(x) - p).abs() < 1e-5,
                "{x}: {}",
                kolmogorov_tail(x)
            );
        }
        let (below, above) = (kolmogorov_tail(1.18 - 1e-9), kolmogorov_tail(1.18));
        assert!((below - above).abs() < 1e-8);
    }

    /// Miller's table (Journal of the American Statistical Association 51, 1956): 5% points of the
    /// distance.
    #[test]
    fn small_samples() {
        for (n, point) in [
            (5.0_f64, 0.56328),
            (10.0, 0.40925),
            (20.0, 0.29408),
            (100.0, 0.13403),
        ] {
            let p = kolmogorov_tail((n.sqrt() + 0.12 + 0.11 / n.sqrt()) * point);
            assert!((p - 0.05).abs() < 2e-3, "{n}: {p}");
        }
    }

    #[test]
    fn distance_by_hand() {
        // Steps at 0.1, 0.2, 0.9 against the uniform: largest gap just after 0.2, 2/3 - 0.2.
        let (distance, _) = kolmogorov_smirnov(&[0.1, 0.2, 0.9], |x| x).unwrap();
        assert!((distance - (2.0 / 3.0 - 0.2)).abs() < 1e-12);
    }

    #[test]
    fn a_wrong_distribution_is_found() {
        let evenly: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
        assert!(kolmogorov_smirnov(&evenly, |x| x * x).unwrap().1 < 1e-9);
    }

    #[test]
    fn bad_kolmogorov() {
        assert_eq!(kolmogorov_smirnov(&[], |x| x), None);
        assert_eq!(kolmogorov_smirnov(&[0.5, 0.2], |x| x), None);
        assert_eq!(kolmogorov_smirnov(&[f64::NAN], |x| x), None);
        assert_eq!(kolmogorov_smirnov(&[0.5], |_| 2.0), None);
        assert_eq!(kolmogorov_smirnov(&[0.5], |_| f64::NAN), None);
    }
}
