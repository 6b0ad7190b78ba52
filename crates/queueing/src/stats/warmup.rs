//! Where the start of a run ends: MSER-5.

use super::Moments;

/// Observations averaged into one point before the rule looks at them: the 5 of MSER-5.
const BATCH: usize = 5;

/// Points below which a run is too short to judge.
const FEWEST: usize = 10;

/// Points at the end where the rule does not cut: with so few left, they may agree by chance.
const LAST: usize = 5;

/// What MSER-5 says about a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmup {
    /// The first `cut` observations belong to the start and are to be dropped.
    Settled {
        /// How many observations to drop.
        cut: usize,
    },
    /// The best cut is in the second half, or there are too few observations: the run is too short,
    /// and nothing about its steady state should be reported.
    NotSettled,
}

/// Finds the warm-up of one run: the cut after which the standard error of the mean of what
/// remains, taken over means of 5, is smallest.
///
/// White, "An effective truncation heuristic for bias reduction in simulation output",
/// Simulation 69 (1997); White, Cobb and Spratt, "A comparison of five steady-state truncation
/// heuristics for simulation", Winter Simulation Conference (2000) for means of 5; Franklin and
/// White, "Stationarity tests and MSER-5", Winter Simulation Conference (2008) for refusing a cut
/// in the second half.
///
/// Feed it the slowest series there is (the number in system, say), not the response time alone.
///
/// ```
/// use lbsim_queueing::stats::{Warmup, mser5};
/// // Empty at first, then steady around 8.
/// let filling = (0..50).map(|t| f64::from(t) * 0.16);
/// let steady = (0..500).map(|t| 8.0 + f64::from(t * 7 % 11) * 0.1);
/// let series: Vec<f64> = filling.chain(steady).collect();
/// assert_eq!(mser5(&series), Warmup::Settled { cut: 50 });
/// assert_eq!(mser5(&series[..60]), Warmup::NotSettled);
/// ```
pub fn mser5(series: &[f64]) -> Warmup {
    let points: Vec<f64> = series
        .chunks_exact(BATCH)
        .map(|batch| batch.iter().sum::<f64>() / BATCH as f64)
        .collect();
    if points.len() < FEWEST {
        return Warmup::NotSettled;
    }
    // From the end backwards: the remainder grows by a point at a time. On a tie, the earlier cut
    // wins.
    let mut rest = Moments::default();
    let mut best = (f64::INFINITY, points.len());
    for (cut, &point) in points.iter().enumerate().rev() {
        rest.add(point);
        let left = rest.count() as f64;
        let error = rest.sum_of_squares() / (left * left);
        if error.is_nan() {
            return Warmup::NotSettled;
        }
        if points.len() - cut > LAST && error <= best.0 {
            best = (error, cut);
        }
    }
    if best.1 * 2 < points.len() {
        Warmup::Settled {
            cut: best.1 * BATCH,
        }
    } else {
        Warmup::NotSettled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat5(points: &[f64]) -> Vec<f64> {
        points.iter().flat_map(|&point| [point; BATCH]).collect()
    }

    /// The definition, computed the slow way.
    fn slow(points: &[f64]) -> usize {
        let error = |cut: usize| {
            let rest = &points[cut..];
            let mean = rest.iter().sum::<f64>() / rest.len() as f64;
            rest.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (rest.len() as f64).powi(2)
        };
        (0..points.len() - LAST)
            .min_by(|&a, &b| error(a).total_cmp(&error(b)))
            .unwrap()
    }

    #[test]
    fn agrees_with_the_definition() {
        for start in [0.0, 3.0, 10.0, 50.0] {
            let points: Vec<f64> = (0..60)
                .map(|t| start * (-0.3 * f64::from(t)).exp() + f64::from(t * 13 % 17) * 0.1)
                .collect();
            assert_eq!(
                mser5(&repeat5(&points)),
                Warmup::Settled {
                    cut: slow(&points) * 5
                }
            );
        }
    }

    #[test]
    fn nothing_to_drop() {
        assert_eq!(mser5(&[4.0; 100]), Warmup::Settled { cut: 0 });
        let steady: Vec<f64> = (0..1000).map(|t| f64::from(t * 7 % 10)).collect();
        assert_eq!(mser5(&steady), Warmup::Settled { cut: 0 });
    }

    #[test]
    fn a_clear_start_is_dropped() {
        let mut points = vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        points.splice(0..0, [90.0, 60.0, 30.0]);
        assert_eq!(mser5(&repeat5(&points)), Warmup::Settled { cut: 15 });
    }

    #[test]
    fn a_run_that_never_settles_is_refused() {
        let growing: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(mser5(&growing), Warmup::NotSettled);
        let mut late = vec![0.0; 600];
        late.extend([10.0; 400]);
        assert_eq!(mser5(&late), Warmup::NotSettled);
    }

    #[test]
    fn bad_input() {
        assert_eq!(mser5(&[]), Warmup::NotSettled);
        assert_eq!(mser5(&[1.0; 49]), Warmup::NotSettled);
        let mut series = vec![1.0; 200];
        series[100] = f64::NAN;
        assert_eq!(mser5(&series), Warmup::NotSettled);
        series[100] = f64::INFINITY;
        assert_eq!(mser5(&series), Warmup::NotSettled);
    }
}
