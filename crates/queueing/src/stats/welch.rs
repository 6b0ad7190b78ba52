//! Are two experiments that did not share their luck shown to differ?
//!
//! Their replications are no pairs, and one may vary more than the other: Welch, "The
//! generalization of Student's problem when several different population variances are involved",
//! Biometrika 34 (1947), with the degrees of freedom of Satterthwaite, "An approximate distribution
//! of estimates of variance components", Biometrics Bulletin 2 (1946). Law, *Simulation Modeling
//! and Analysis*, section 10.2.2, has it for simulations.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{DEFAULT_LEVEL, Moments};

/// The difference between the means of two independent samples.
///
/// ```
/// use lbsim_queueing::stats::Unpaired;
/// let old = [10.0, 11.0, 12.0, 13.0];
/// let new = [8.0, 8.5, 9.0];
/// let apart = Unpaired::of(&new, &old).unwrap();
/// assert!((apart.difference + 3.0).abs() < 1e-12);
/// assert!(apart.p_value.unwrap() < 0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unpaired {
    /// Mean of the sample less mean of the baseline.
    pub difference: f64,
    /// Half the width of the interval around [`difference`](Self::difference); `None` where one of
    /// the two has a single value.
    pub half_width: Option<f64>,
    /// The difference as a share of the baseline's mean, which is taken as known; `None` when that
    /// is zero.
    pub relative: Option<f64>,
    /// The half-width as a share of the baseline's mean.
    pub relative_half_width: Option<f64>,
    /// How many values each has: sample, baseline.
    pub n: (usize, usize),
    /// Degrees of freedom after Satterthwaite; `None` with a single value, and where neither
    /// varies.
    pub freedom: Option<f64>,
    /// Two-sided p-value of "there is no difference"; `None` where one has a single value. Samples
    /// that do not vary are certain: 1 where they are equal, 0 where not.
    pub p_value: Option<f64>,
}

impl Unpaired {
    /// Compares at [`DEFAULT_LEVEL`]. `None` where a list is empty or holds a value that is not
    /// finite.
    pub fn of(sample: &[f64], baseline: &[f64]) -> Option<Unpaired> {
        Unpaired::at(sample, baseline, DEFAULT_LEVEL)
    }

    /// Compares at another level of confidence; one outside (0, 1) gives no half-width.
    pub fn at(sample: &[f64], baseline: &[f64], level: f64) -> Option<Unpaired> {
        let of = |values: &[f64]| values.iter().copied().collect::<Moments>();
        let (own, base) = (of(sample), of(baseline));
        let mean = base.mean()?;
        let difference = own.mean()? - mean;
        let share = |value: f64| (mean != 0.0).then(|| value / mean.abs());
        let mut found = Unpaired {
            difference,
            half_width: None,
            relative: share(difference),
            relative_half_width: None,
            n: (sample.len(), baseline.len()),
            freedom: None,
            p_value: None,
        };
        // Squared standard error of a mean, and its share of the degrees of freedom.
        let part = |moments: &Moments| {
            let squared = moments.variance()? / moments.count() as f64;
            Some((squared, squared * squared / (moments.count() - 1) as f64))
        };
        let (Some((a, of_a)), Some((b, of_b))) = (part(&own), part(&base)) else {
            return Some(found);
        };
        let error = (a + b).sqrt();
        if error == 0.0 {
            found.half_width = Some(0.0);
            found.p_value = Some(if difference == 0.0 { 1.0 } else { 0.0 });
        } else {
            let freedom = (a + b) * (a + b) / (of_a + of_b);
            let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
            found.freedom = Some(freedom);
            found.p_value = Some((2.0 * student.cdf(-(difference / error).abs())).min(1.0));
            found.half_width = (level > 0.0 && level < 1.0)
                .then(|| student.inverse_cdf(0.5 + level / 2.0) * error);
        }
        found.relative_half_width = found.half_width.and_then(share);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Student's hours of sleep, taken as two groups of patients, as the manual of `t.test` in R
    /// does it: t = -1.8608 on 17.776 degrees of freedom, p = 0.07939, 95% interval -3.3654832 to
    /// 0.2054832.
    #[test]
    fn sleep() {
        let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let apart = Unpaired::of(&one, &two).unwrap();
        assert!((apart.difference + 1.58).abs() < 1e-12);
        assert!((apart.freedom.unwrap() - 17.776474).abs() < 1e-5);
        assert!((apart.p_value.unwrap() - 0.07939414).abs() < 1e-7);
        assert!((apart.half_width.unwrap() - 1.7854832).abs() < 1e-6);
        assert!((apart.relative.unwrap() + 1.58 / 2.33).abs() < 1e-12);
    }

    /// Unlike sizes and variances, by hand: errors 1/4 + 9/9, degrees (5/4)² / ((1/4)²/3 + 1/8).
    #[test]
    fn by_hand() {
        let one = [0.5_f64.sqrt(), -(0.5_f64.sqrt()), 1.0, -1.0];
        let nine: Vec<f64> = (0..9)
            .map(|at| f64::from(at - 4) * 3.0 / 7.5_f64.sqrt())
            .collect();
        let apart = Unpaired::of(&one, &nine).unwrap();
        let freedom = 1.25 * 1.25 / (0.0625 / 3.0 + 1.0 / 8.0);
        assert!((apart.freedom.unwrap() - freedom).abs() < 1e-9, "{apart:?}");
        assert!((apart.p_value.unwrap() - 1.0).abs() < 1e-9);
        assert_eq!((apart.n, apart.relative), ((4, 9), None));
    }

    #[test]
    fn what_does_not_vary_is_certain() {
        let apart = Unpaired::of(&[2.0, 2.0], &[1.0; 3]).unwrap();
        assert_eq!((apart.half_width, apart.p_value), (Some(0.0), Some(0.0)));
        let apart = Unpaired::of(&[2.0, 2.0], &[2.0; 3]).unwrap();
        assert_eq!((apart.difference, apart.p_value), (0.0, Some(1.0)));
        // One of the two alone has an error: that of a single sample.
        let apart = Unpaired::of(&[1.0, 3.0, 5.0], &[0.0; 9]).unwrap();
        assert!((apart.freedom.unwrap() - 2.0).abs() < 1e-12);
        assert!((apart.half_width.unwrap() - 4.302653 * (4.0_f64 / 3.0).sqrt()).abs() < 1e-5);
    }

    #[test]
    fn bad_input() {
        assert_eq!(Unpaired::of(&[], &[1.0]), None);
        assert_eq!(Unpaired::of(&[1.0], &[]), None);
        assert_eq!(Unpaired::of(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        let one = Unpaired::of(&[1.0], &[2.0, 3.0]).unwrap();
        assert_eq!(
            (one.difference, one.half_width, one.p_value),
            (-1.5, None, None)
        );
        let level = Unpaired::at(&[1.0, 2.0], &[2.0, 3.5], 1.0).unwrap();
        assert_eq!(level.half_width, None);
    }
}
