//! Quantiles by nearest rank, and the rule that says when there are too few observations for one.

/// How many observations must lie above a quantile before it is reported.
///
/// With fewer, the quantile rests on a handful of values: for independent observations with an
/// exponential tail the relative standard error of p99.9 is about 1 / (6.9 sqrt(exceedances)), 1.4%
/// at 100, and many times that for the correlated response times of a queue.
pub const EXCEEDANCES: u64 = 100;

/// The rank, counted from 1, of the q-quantile of `count` observations: the smallest rank r with r
/// / count >= q, that is ceil(q count). Definition 1 of Hyndman and Fan, "Sample quantiles in
/// statistical packages", The American Statistician 50 (1996). `None` for no observations or q
/// outside [0, 1].
///
/// ```
/// use lbsim_queueing::stats::rank;
/// assert_eq!(rank(100, 0.07), Some(7)); // although 0.07 * 100.0 > 7.0 in floating point
/// assert_eq!(rank(5, 0.5), Some(3));
/// ```
pub fn rank(count: u64, q: f64) -> Option<u64> {
    if count == 0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let exact = q * count as f64;
    // A product that floating point put a hair above a whole number is that whole number.
    let rank = (exact - exact * 4.0 * f64::EPSILON).ceil() as u64;
    Some(rank.clamp(1, count))
}

/// The q-quantile of observations sorted upwards, by nearest [`rank`]: always one of the
/// observations.
///
/// ```
/// let sorted = [15.0, 20.0, 35.0, 40.0, 50.0];
/// assert_eq!(lbsim_queueing::stats::nearest_rank(&sorted, 0.4), Some(20.0));
/// ```
pub fn nearest_rank(sorted: &[f64], q: f64) -> Option<f64> {
    let rank = rank(sorted.len() as u64, q)?;
    sorted.get(rank as usize - 1).copied()
}

/// Whether `count` observations suffice for the q-quantile: at least [`EXCEEDANCES`] lie above its
/// rank.
///
/// ```
/// use lbsim_queueing::stats::estimable;
/// assert!(estimable(100_000, 0.999));
/// assert!(!estimable(99_999, 0.999));
/// ```
pub fn estimable(count: u64, q: f64) -> bool {
    rank(count, q).is_some_and(|rank| count - rank >= EXCEEDANCES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_example() {
        let sorted = [15.0, 20.0, 35.0, 40.0, 50.0];
        for (q, value) in [
            (0.0, 15.0),
            (0.05, 15.0),
            (0.3, 20.0),
            (0.4, 20.0),
            (0.5, 35.0),
            (1.0, 50.0),
        ] {
            assert_eq!(nearest_rank(&sorted, q), Some(value), "q = {q}");
        }
    }

    #[test]
    fn whole_products_are_not_rounded_up() {
        for n in 1..=1000_u64 {
            for percent in 1..=100_u64 {
                let expected = (percent * n).div_ceil(100);
                assert_eq!(
                    rank(n, percent as f64 / 100.0),
                    Some(expected),
                    "{percent}% of {n}"
                );
            }
        }
        assert_eq!(rank(1_000_000_000, 0.999), Some(999_000_000));
    }

    #[test]
    fn bad_input() {
        assert_eq!(nearest_rank(&[], 0.5), None);
        for q in [-0.1, 1.1, f64::NAN] {
            assert_eq!(rank(10, q), None);
            assert!(!estimable(1_000_000, q));
        }
        assert!(!estimable(0, 0.5));
    }

    #[test]
    fn exceedances() {
        assert!(estimable(10_000, 0.99) && !estimable(9_999, 0.99));
        assert!(estimable(200, 0.5) && !estimable(199, 0.5));
        assert!(!estimable(1_000_000, 1.0));
    }
}
