//! Mean and variance in one pass, without cancellation.

/// Count, mean and spread of numbers seen one at a time.
///
/// Welford, "Note on a method for calculating corrected sums of squares and products",
/// Technometrics 4 (1962). Equal numbers give a variance of exactly zero.
///
/// ```
/// use lbsim_queueing::stats::Moments;
/// let moments: Moments = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].into_iter().collect();
/// assert_eq!(moments.mean(), Some(1e9 + 10.0));
/// assert_eq!(moments.variance(), Some(30.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes one more number in.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    /// How many numbers were seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The arithmetic mean; `None` for no numbers, or when one of them was not finite.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0 && self.mean.is_finite()).then_some(self.mean)
    }

    /// The unbiased sample variance (divisor n - 1); `None` for fewer than two numbers.
    pub fn variance(&self) -> Option<f64> {
        let variance = self.squares / (self.count.checked_sub(1)? as f64);
        (self.count > 1 && variance.is_finite()).then_some(variance)
    }

    /// The sum of squared distances from the mean.
    pub(super) fn sum_of_squares(&self) -> f64 {
        self.squares
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Moments {
        let mut moments = Moments::default();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let moments: Moments = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
            .into_iter()
            .collect();
        assert_eq!(moments.mean(), Some(5.0));
        assert!((moments.variance().unwrap() - 32.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn too_few_or_not_numbers() {
        assert_eq!(Moments::default().mean(), None);
        assert_eq!(Moments::default().variance(), None);
        assert_eq!(Moments::from_iter([3.0]).variance(), None);
        assert_eq!(Moments::from_iter([3.0, f64::NAN]).mean(), None);
        assert_eq!(Moments::from_iter([3.0, f64::INFINITY]).variance(), None);
    }

    #[test]
    fn equal_numbers_have_no_spread() {
        assert_eq!(Moments::from_iter([0.1; 1000]).variance(), Some(0.0));
    }
}
