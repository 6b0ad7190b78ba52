//! Is a strategy shown to be better than the baseline?
//!
//! Both see the same requests (common random numbers), so the *difference* of each replication is
//! what varies little, and a t interval on the differences needs far fewer runs than two separate
//! intervals: Law, *Simulation Modeling and Analysis*, sections 10.2.1 (paired-t) and 11.2 (common
//! random numbers).

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{DEFAULT_LEVEL, Estimate};

/// What the paired interval allows to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval excludes zero, on the good side.
    Better,
    /// The interval excludes zero, on the bad side.
    Worse,
    /// The interval holds zero, or there is none: no difference has been shown. That is not the
    /// same as "equal".
    NotShown,
}

/// The difference between a strategy and the baseline, replication by replication.
///
/// ```
/// use lbsim_queueing::stats::{Paired, Verdict};
/// let round_robin = [10.0, 20.0, 30.0, 40.0]; // replications differ a lot from each other ...
/// let two_choices = [ 9.0, 18.9, 29.1, 39.0]; // ... but this is always about 1 below
/// let paired = Paired::of(&two_choices, &round_robin).unwrap();
/// assert!((paired.difference + 1.0).abs() < 1e-12);
/// assert!((paired.relative.unwrap() + 0.04).abs() < 1e-12);
/// assert_eq!(paired.verdict(true), Verdict::Better);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// Mean of strategy minus baseline.
    pub difference: f64,
    /// Half the width of the interval around [`difference`](Self::difference); `None` for one pair.
    pub half_width: Option<f64>,
    /// The difference as a share of the baseline's mean, which is taken as known; `None` when that
    /// is zero.
    pub relative: Option<f64>,
    /// The half-width as a share of the baseline's mean.
    pub relative_half_width: Option<f64>,
    /// How many pairs.
    pub n: usize,
    /// Two-sided p-value of "there is no difference"; `None` for one pair.
    pub p_value: Option<f64>,
}

impl Paired {
    /// Compares replication by replication at [`DEFAULT_LEVEL`]. `None` when the lists are empty,
    /// of different lengths, or hold a value that is not finite.
    pub fn of(strategy: &[f64], baseline: &[f64]) -> Option<Paired> {
        Paired::at(strategy, baseline, DEFAULT_LEVEL)
    }

    /// Compares at another level of confidence.
    pub fn at(strategy: &[f64], baseline: &[f64], level: f64) -> Option<Paired> {
        if strategy.len() != baseline.len() {
            return None;
        }
        let differences: Vec<f64> = strategy.iter().zip(baseline).map(|(s, b)| s - b).collect();
        let Estimate {
            mean,
            half_width,
            n,
        } = Estimate::at(&differences, level)?;
        let base = Estimate::of(baseline)?.mean.abs();
        let share = |value: f64| (base > 0.0).then(|| value / base);
        Some(Paired {
            difference: mean,
            half_width,
            relative: share(mean),
            relative_half_width: half_width.and_then(share),
            n,
            p_value: p_value(&differences),
        })
    }

    /// Better or worse only when the interval excludes zero.
    pub fn verdict(&self, lower_is_better: bool) -> Verdict {
        match self.half_width {
            Some(half) if self.difference.abs() > half => {
                if (self.difference < 0.0) == lower_is_better {
                    Verdict::Better
                } else {
                    Verdict::Worse
                }
            }
            _ => Verdict::NotShown,
        }
    }
}

/// The two-sided p-value of the paired t test. Differences that do not vary are certain: 1 when
/// they are zero, 0 when not.
fn p_value(differences: &[f64]) -> Option<f64> {
    let moments: super::Moments = differences.iter().copied().collect();
    let error = (moments.variance()? / differences.len() as f64).sqrt();
    let mean = moments.mean()?;
    if error == 0.0 {
        return Some(if mean == 0.0 { 1.0 } else { 0.0 });
    }
    let student = StudentsT::new(0.0, 1.0, (differences.len() - 1) as f64).ok()?;
    Some((2.0 * student.cdf(-(mean / error).abs())).min(1.0))
}

/// Which of several comparisons stand when the chance of *any* false one may be at most
/// `significance` (0.05, say): the step-down rule of Holm, "A simple sequentially rejective
/// multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
///
/// ```
/// // Bonferroni would demand 0.0125 of each of the four.
/// let stands = lbsim_queueing::stats::holm(&[0.01, 0.04, 0.03, 0.005], 0.05);
/// assert_eq!(stands, [true, false, false, true]);
/// ```
pub fn holm(p_values: &[f64], significance: f64) -> Vec<bool> {
    holm_adjusted(p_values)
        .into_iter()
        .map(|p| p <= significance)
        .collect()
}

/// The p-values made larger for having been one of several, after Holm (1979); in the order given.
/// A value that is NaN counts as 1.
pub fn holm_adjusted(p_values: &[f64]) -> Vec<f64> {
    let p = |i: usize| {
        if p_values[i].is_nan() {
            1.0
        } else {
            p_values[i].clamp(0.0, 1.0)
        }
    };
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p(a).total_cmp(&p(b)));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (step, &i) in order.iter().enumerate() {
        largest = largest.max(p(i) * (p_values.len() - step) as f64).min(1.0);
        adjusted[i] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of Student (1908), table 1: hours of sleep gained by ten patients under two drugs.
    /// t = 4.0621 on 9 degrees of freedom, p = 0.002833, 95% interval 0.7001 to 2.4599.
    #[test]
    fn sleep() {
        let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let paired = Paired::of(&two, &one).unwrap();
        assert!((paired.difference - 1.58).abs() < 1e-12);
        assert!((paired.half_width.unwrap() - 0.8798860).abs() < 1e-5);
        assert!((paired.p_value.unwrap() - 0.00283289).abs() < 1e-7);
        assert!((paired.relative.unwrap() - 1.58 / 0.75).abs() < 1e-12);
        assert_eq!(paired.verdict(false), Verdict::Better);
        assert_eq!(paired.verdict(true), Verdict::Worse);
    }

    #[test]
    fn identical_runs_show_nothing() {
        let runs = [0.1, 0.2, 0.3];
        let paired = Paired::of(&runs, &runs).unwrap();
        assert_eq!(
            (paired.difference, paired.half_width, paired.p_value),
            (0.0, Some(0.0), Some(1.0))
        );
        assert_eq!(paired.verdict(true), Verdict::NotShown);
        assert_eq!(paired.verdict(false), Verdict::NotShown);
    }

    #[test]
    fn a_constant_difference_is_certain() {
        let paired = Paired::of(&[2.0, 3.0, 4.0], &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!((paired.half_width, paired.p_value), (Some(0.0), Some(0.0)));
        assert_eq!(paired.verdict(true), Verdict::Worse);
    }

    #[test]
    fn an_interval_around_zero_shows_nothing() {
        let paired = Paired::of(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]).unwrap();
        assert_eq!(paired.difference, 0.0);
        assert_eq!(paired.p_value, Some(1.0));
        assert_eq!(paired.verdict(true), Verdict::NotShown);
    }

    /// The p-value and the interval are two views of the same test.
    #[test]
    fn p_value_agrees_with_interval() {
        for shift in 0..40 {
            let strategy = [0.3, -0.4, 0.1, 0.5, -0.2].map(|x| x + f64::from(shift) * 0.05);
            let paired = Paired::of(&strategy, &[0.0; 5]).unwrap();
            let shown = paired.verdict(true) != Verdict::NotShown;
            assert_eq!(shown, paired.p_value.unwrap() < 0.05, "shift {shift}");
            assert_eq!(paired.relative, None);
        }
    }

    #[test]
    fn bad_input() {
        assert_eq!(Paired::of(&[], &[]), None);
        assert_eq!(Paired::of(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(Paired::of(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        let one = Paired::of(&[1.0], &[2.0]).unwrap();
        assert_eq!((one.half_width, one.p_value), (None, None));
        assert_eq!(one.verdict(true), Verdict::NotShown);
    }

    #[test]
    fn holm_by_hand() {
        // Sorted: 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 * 1, each at least its predecessor.
        let adjusted = holm_adjusted(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert_eq!(holm(&[], 0.05), Vec::<bool>::new());
        assert_eq!(holm(&[0.04], 0.05), [true]);
        assert_eq!(holm(&[f64::NAN, 0.001], 0.05), [false, true]);
        assert_eq!(holm_adjusted(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
