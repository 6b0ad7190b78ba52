//! Servers that fail and are repaired.

/// The share of time that a server is up: MTBF / (MTBF + MTTR), for any distributions with these
/// means.
///
/// ```
/// assert_eq!(lbsim_queueing::theory::availability::up_fraction(90.0, 10.0), 0.9);
/// ```
pub fn up_fraction(mean_up: f64, mean_down: f64) -> f64 {
    mean_up / (mean_up + mean_down)
}

/// The probability that at least k of n independent servers are up, each up with probability `up`:
/// the binomial tail, as the regularised incomplete beta function I_up(k, n - k + 1).
pub fn at_least_up(n: u32, k: u32, up: f64) -> f64 {
    if k == 0 {
        1.0
    } else if k > n || up.is_nan() || up <= 0.0 {
        0.0
    } else if up >= 1.0 {
        1.0
    } else {
        statrs::function::beta::beta_reg(f64::from(k), f64::from(n - k + 1), up)
    }
}

/// The mean time until all n servers are down at once, from all up, failures and repairs
/// exponential and each server with a repairer of its own: h(i), the time from i down to i + 1
/// down, is (1 + i r h(i-1)) / ((n - i) f). First passage of a birth-death chain: Karlin and
/// Taylor, *A First Course in Stochastic Processes* (1975), chapter 4.
pub fn mean_time_to_all_down(n: u32, fail_rate: f64, repair_rate: f64) -> f64 {
    let step = |(total, last): (f64, f64), i: u32| {
        let next = (1.0 + f64::from(i) * repair_rate * last) / (f64::from(n - i) * fail_rate);
        (total + next, next)
    };
    (0..n).fold((0.0, 0.0), step).0
}

/// The mean response of M/M/1 whose server breaks down at rate f at any time, is repaired at rate
/// r, and then resumes: ((f + r)^2 + f mu) / ((f + r) (r mu - lambda (f + r))). White and Christie,
/// "Queuing with preemptive priorities or with breakdown", Operations Research 6 (1958).
pub fn mm1_with_breakdowns(
    arrival_rate: f64,
    service_rate: f64,
    fail_rate: f64,
    repair_rate: f64,
) -> f64 {
    let both = fail_rate + repair_rate;
    let load = arrival_rate * both / (repair_rate * service_rate);
    if super::numeric::keeps_up(load) {
        (both * both + fail_rate * service_rate)
            / (both * (repair_rate * service_rate - arrival_rate * both))
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_by_hand() {
        assert!((at_least_up(3, 2, 0.5) - 0.5).abs() < 1e-12);
        assert!((at_least_up(5, 1, 0.8) - (1.0 - 0.2_f64.powi(5))).abs() < 1e-12);
        assert_eq!((at_least_up(3, 0, 0.5), at_least_up(3, 4, 0.5)), (1.0, 0.0));
        assert_eq!((at_least_up(3, 3, 1.0), at_least_up(3, 1, 0.0)), (1.0, 0.0));
    }

    /// n = 2: (3 f + r) / (2 f^2).
    #[test]
    fn outage_of_two() {
        assert!((mean_time_to_all_down(2, 0.5, 3.0) - 4.5 / 0.5).abs() < 1e-12);
        assert!((mean_time_to_all_down(1, 0.1, 3.0) - 10.0).abs() < 1e-12);
    }

    #[test]
    fn without_breakdowns_it_is_mm1() {
        assert!((mm1_with_breakdowns(0.75, 1.0, 0.0, 1.0) - 4.0).abs() < 1e-12);
        assert_eq!(mm1_with_breakdowns(0.75, 1.0, 1.0, 1.0), f64::INFINITY);
    }
}
