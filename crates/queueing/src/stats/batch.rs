//! How well a mean is known from one long run, whose observations depend on each other: overlapping
//! batch means.

use super::t_quantile;

/// Batches that the run would be cut into, were they not to overlap.
const BATCHES: usize = 20;

/// Half the width of the interval of a ratio, the sum of all totals over the sum of all counts,
/// from one run that is cut into stretches: each gives a total (of response times, say) and a count
/// (of requests).
///
/// Overlapping batch means: Meketon and Schmeiser, "Overlapping batch means: something for
/// nothing?", Winter Simulation Conference (1984), with batches of a twentieth of the run and 1.5
/// (n/m - 1) degrees of freedom; on the residuals of the ratio, as Law, *Simulation Modeling and
/// Analysis*, section 9.5.3, has it for a regenerative one. The batches must be long against the
/// time for which observations depend on each other. `None` for fewer than 40 stretches, or nothing
/// counted.
pub fn overlapping_batch_means(stretches: &[(f64, f64)], level: f64) -> Option<f64> {
    let n = stretches.len();
    if n < 2 * BATCHES {
        return None;
    }
    let m = n / BATCHES;
    let (total, count) = stretches
        .iter()
        .fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    if count <= 0.0 {
        return None;
    }
    let ratio = total / count;
    let residuals: Vec<f64> = stretches
        .iter()
        .map(|(total, count)| total - ratio * count)
        .collect();
    let squares: f64 = residuals
        .windows(m)
        .map(|batch| (batch.iter().sum::<f64>() / m as f64).powi(2))
        .sum();
    let (n, m) = (n as f64, m as f64);
    let variance = n * m / ((n - m + 1.0) * (n - m)) * squares;
    let freedom = (1.5 * (n / m - 1.0)).floor() as usize;
    Some(t_quantile(freedom + 1, level)? * (n * variance).sqrt() / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lbsim_engine::rng::{Domain, Seeds, uniform};

    /// Independent stretches: the interval is that of their mean, near enough, and holds the truth
    /// as often as it says. 1,000 runs; were the chance 0.95, fewer than 915 would be seen once in
    /// a million seeds, and the seed is fixed.
    #[test]
    fn the_interval_is_honest() {
        let mut rng = Seeds::new(8, 0).stream(Domain::Strategy, 0);
        let mut held = 0;
        for _ in 0..1000 {
            let run: Vec<(f64, f64)> = (0..120)
                .map(|_| {
                    let count = 50.0 + (100.0 * uniform(&mut rng)).floor();
                    let noise = (0..12).map(|_| uniform(&mut rng)).sum::<f64>() - 6.0;
                    (3.0 * count + 20.0 * noise, count)
                })
                .collect();
            let half = overlapping_batch_means(&run, 0.95).unwrap();
            let (total, count) = run
                .iter()
                .fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
            held += u32::from((total / count - 3.0).abs() <= half);
        }
        assert!((915..=980).contains(&held), "{held}");
    }

    #[test]
    fn bad_input() {
        assert_eq!(overlapping_batch_means(&[(1.0, 1.0); 39], 0.95), None);
        assert_eq!(overlapping_batch_means(&[(0.0, 0.0); 100], 0.95), None);
        assert_eq!(overlapping_batch_means(&[(1.0, 1.0); 100], 1.0), None);
    }
}
