//! How well a mean is known from independent replications.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Moments;

/// The level of confidence used unless another is asked for.
pub const DEFAULT_LEVEL: f64 = 0.95;

/// A mean over replications and the half-width of its confidence interval.
///
/// The t interval of Student, "The probable error of a mean", Biometrika 6 (1908): the values must
/// be independent of each other, as replications with streams of their own are; observations inside
/// one run are not. Law, *Simulation Modeling and Analysis*, section 9.5.2, has the method.
///
/// ```
/// use lbsim_queueing::stats::Estimate;
/// let estimate = Estimate::of(&[10.2, 9.8, 10.1, 9.9, 10.0]).unwrap();
/// assert!((estimate.mean - 10.0).abs() < 1e-12);
/// // 2.776445 * 0.158114 / sqrt(5)
/// assert!((estimate.half_width.unwrap() - 0.196324).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean over replications.
    pub mean: f64,
    /// Half the width of the interval; `None` for a single replication, which says nothing of its
    /// error.
    pub half_width: Option<f64>,
    /// How many replications.
    pub n: usize,
}

impl Estimate {
    /// The estimate at [`DEFAULT_LEVEL`]; `None` for no values, or when one of them is not finite.
    pub fn of(values: &[f64]) -> Option<Estimate> {
        Estimate::at(values, DEFAULT_LEVEL)
    }

    /// The estimate at another level of confidence, such as 0.99. A level outside (0, 1) gives no
    /// half-width.
    pub fn at(values: &[f64], level: f64) -> Option<Estimate> {
        let moments: Moments = values.iter().copied().collect();
        let half_width = moments
            .variance()
            .zip(t_quantile(values.len(), level))
            .map(|(variance, t)| t * (variance / values.len() as f64).sqrt());
        Some(Estimate {
            mean: moments.mean()?,
            half_width,
            n: values.len(),
        })
    }

    /// The ends of the interval.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.half_width
            .map(|half| (self.mean - half, self.mean + half))
    }

    /// The half-width as a share of the mean: the precision that a stopping rule looks at. `None`
    /// when the mean is zero.
    pub fn relative_half_width(&self) -> Option<f64> {
        self.half_width
            .filter(|_| self.mean != 0.0)
            .map(|half| half / self.mean.abs())
    }

    /// Whether the interval holds `value`.
    pub fn covers(&self, value: f64) -> bool {
        self.interval()
            .is_some_and(|(low, high)| (low..=high).contains(&value))
    }
}

/// The two-sided quantile of Student's t for `n` values: n - 1 degrees of freedom. `None` for fewer
/// than two values, or a level outside (0, 1).
pub fn t_quantile(n: usize, level: f64) -> Option<f64> {
    let usable = n > 1 && level > 0.0 && level < 1.0;
    let student = usable.then(|| StudentsT::new(0.0, 1.0, (n - 1) as f64).ok())??;
    Some(student.inverse_cdf(0.5 + level / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The t table of any textbook.
    #[test]
    fn published_quantiles() {
        for (n, level, t) in [
            (2, 0.95, 12.706205),
            (3, 0.95, 4.302653),
            (5, 0.95, 2.776445),
            (11, 0.95, 2.228139),
            (31, 0.95, 2.042272),
            (11, 0.99, 3.169273),
            (11, 0.90, 1.812461),
            (1001, 0.95, 1.962339),
        ] {
            let found = t_quantile(n, level).unwrap();
            assert!((found - t).abs() < 2e-6, "{n} {level}: {found} is not {t}");
        }
    }

    #[test]
    fn by_hand() {
        let estimate = Estimate::of(&[1.0, 3.0]).unwrap();
        assert_eq!((estimate.mean, estimate.n), (2.0, 2));
        assert!((estimate.half_width.unwrap() - 12.706205).abs() < 1e-5);
        assert!(estimate.covers(-10.0) && !estimate.covers(-11.0));
        assert!((estimate.relative_half_width().unwrap() - 6.353102).abs() < 1e-5);
        let wider = Estimate::at(&[1.0, 3.0], 0.99).unwrap();
        assert!(wider.half_width > estimate.half_width);
    }

    #[test]
    fn one_replication_has_no_interval() {
        assert_eq!(
            Estimate::of(&[7.0]),
            Some(Estimate {
                mean: 7.0,
                half_width: None,
                n: 1
            })
        );
        assert!(!Estimate::of(&[7.0]).unwrap().covers(7.0));
    }

    #[test]
    fn bad_input() {
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[1.0, f64::NAN]), None);
        assert_eq!(Estimate::of(&[1.0, f64::INFINITY]), None);
        for level in [0.0, 1.0, -1.0, 2.0, f64::NAN] {
            assert_eq!(Estimate::at(&[1.0, 2.0], level).unwrap().half_width, None);
        }
    }

    #[test]
    fn equal_replications_have_width_zero() {
        assert_eq!(Estimate::of(&[0.1; 10]).unwrap().half_width, Some(0.0));
        assert_eq!(
            Estimate::of(&[0.0; 10]).unwrap().relative_half_width(),
            None
        );
    }

    /// Large offsets must not eat the spread.
    #[test]
    fn far_from_zero() {
        let near = Estimate::of(&[1.0, 2.0, 3.0]).unwrap().half_width.unwrap();
        let far = Estimate::of(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0])
            .unwrap()
            .half_width
            .unwrap();
        assert!((near - far).abs() < 1e-6);
    }
}
