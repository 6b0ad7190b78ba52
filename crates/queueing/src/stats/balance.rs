//! How evenly work is spread over servers, in one number.
//!
//! All three take one load a server (requests, busy time; divide by capacity where servers are
//! unlike) and are `None` when there is no server, no load, or a load that is negative or not
//! finite.

/// Standard deviation over mean: 0 when all are alike. The whole population is there, so the
/// divisor is the number of servers.
///
/// ```
/// assert_eq!(lbsim_queueing::stats::coefficient_of_variation(&[1.0, 3.0]), Some(0.5));
/// ```
pub fn coefficient_of_variation(loads: &[f64]) -> Option<f64> {
    let mean = mean(loads)?;
    let variance = loads
        .iter()
        .map(|load| (load / mean - 1.0).powi(2))
        .sum::<f64>()
        / loads.len() as f64;
    Some(variance.sqrt())
}

/// The busiest server's load over the mean: 1 when all are alike, the number of servers when one
/// has everything. It is the share of capacity that must be bought for nothing.
///
/// ```
/// assert_eq!(lbsim_queueing::stats::peak_to_mean(&[1.0, 3.0]), Some(1.5));
/// ```
pub fn peak_to_mean(loads: &[f64]) -> Option<f64> {
    let mean = mean(loads)?;
    Some(loads.iter().fold(0.0_f64, |peak, &load| peak.max(load)) / mean)
}

/// Jain's index of fairness, (sum x)^2 / (n sum x^2): 1 when all are alike, k/n when k of n servers
/// share the load alike and the rest have none.
///
/// Jain, Chiu and Hawe, "A quantitative measure of fairness and discrimination for resource
/// allocation in shared computer systems", DEC Research Report TR-301 (1984).
///
/// ```
/// assert_eq!(lbsim_queueing::stats::jain_index(&[1.0, 1.0, 0.0, 0.0]), Some(0.5));
/// ```
pub fn jain_index(loads: &[f64]) -> Option<f64> {
    // Dividing by the mean first keeps the squares from overflowing.
    let mean = mean(loads)?;
    let squares: f64 = loads.iter().map(|load| (load / mean).powi(2)).sum();
    Some(loads.len() as f64 / squares)
}

/// The mean of loads that can be compared.
fn mean(loads: &[f64]) -> Option<f64> {
    let usable = loads.iter().all(|load| load.is_finite() && *load >= 0.0);
    let mean = loads.iter().sum::<f64>() / loads.len() as f64;
    (usable && mean.is_finite() && mean > 0.0).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike() {
        let loads = [4.0; 7];
        assert_eq!(coefficient_of_variation(&loads), Some(0.0));
        assert_eq!(peak_to_mean(&loads), Some(1.0));
        assert_eq!(jain_index(&loads), Some(1.0));
    }

    #[test]
    fn one_has_everything() {
        let loads = [12.0, 0.0, 0.0, 0.0];
        assert!((coefficient_of_variation(&loads).unwrap() - 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(peak_to_mean(&loads), Some(4.0));
        assert_eq!(jain_index(&loads), Some(0.25));
    }

    /// Jain's index is 1 / (1 + cv^2).
    #[test]
    fn the_two_measures_agree() {
        let loads = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        let cv = coefficient_of_variation(&loads).unwrap();
        assert!((jain_index(&loads).unwrap() - 1.0 / (1.0 + cv * cv)).abs() < 1e-12);
    }

    #[test]
    fn bad_input() {
        for loads in [
            &[][..],
            &[0.0, 0.0],
            &[1.0, -1.0],
            &[2.0, -1.0],
            &[1.0, f64::NAN],
            &[f64::INFINITY],
        ] {
            assert_eq!(coefficient_of_variation(loads), None);
            assert_eq!(peak_to_mean(loads), None);
            assert_eq!(jain_index(loads), None);
        }
    }
}
