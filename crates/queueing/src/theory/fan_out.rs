//! Requests that wait for the slowest of many servers.

/// H_n = 1 + 1/2 + ... + 1/n.
pub fn harmonic(n: u32) -> f64 {
    (1..=n).rev().map(|i| 1.0 / f64::from(i)).sum()
}

/// The mean of the slowest of n independent exponential responses with mean `mean`: mean H_n.
pub fn exponential_mean(mean: f64, n: u32) -> f64 {
    mean * harmonic(n)
}

/// The quantile that each of n independent servers must meet for the slowest to meet q: q^(1/n). At
/// n = 100 the whole's median is each one's 99.3rd percentile. Dean and Barroso, "The tail at
/// scale", Communications of the ACM 56 (2013).
///
/// ```
/// assert!((lbsim_queueing::theory::fan_out::leaf_quantile(0.5, 100) - 0.9930925).abs() < 1e-7);
/// ```
pub fn leaf_quantile(q: f64, n: u32) -> f64 {
    q.powf(1.0 / f64::from(n.max(1)))
}

/// The q-quantile of the slowest of n independent exponential responses: -mean ln(1 - q^(1/n)).
pub fn exponential_quantile(mean: f64, n: u32, q: f64) -> f64 {
    super::numeric::exponential_quantile(leaf_quantile(q, n), 1.0 / mean)
}

/// The share of requests that meet at least one slow server when each is slow with probability
/// `slow`: 1 - (1 - slow)^n.
pub fn meets_slow(slow: f64, n: u32) -> f64 {
    -(f64::from(n) * (-slow).ln_1p()).exp_m1()
}

/// The mean response of a request that is served by both of two M/M/1 queues and waits for the
/// later: (12 - rho) / 8 / (mu - lambda). Flatto and Hahn, "Two parallel queues created by arrivals
/// with two demands", SIAM Journal on Applied Mathematics 44 (1984).
pub fn fork_join_two(arrival_rate: f64, service_rate: f64) -> f64 {
    let queue = super::Mm1 {
        arrival_rate,
        service_rate,
    };
    if queue.stable() {
        (12.0 - queue.load()) / 8.0 * queue.mean_response()
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_is_itself() {
        assert_eq!(exponential_mean(3.0, 1), 3.0);
        assert!((exponential_quantile(3.0, 1, 0.5) - 3.0 * 2.0_f64.ln()).abs() < 1e-12);
        assert!((meets_slow(0.25, 1) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn idle_fork_join_is_the_slower_of_two() {
        assert!((fork_join_two(0.0, 1.0) - exponential_mean(1.0, 2)).abs() < 1e-12);
        assert_eq!(fork_join_two(1.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn ends() {
        assert_eq!(
            (harmonic(0), meets_slow(1.0, 3), meets_slow(0.0, 3)),
            (0.0, 1.0, 0.0)
        );
        assert_eq!(exponential_quantile(1.0, 0, 1.0), f64::INFINITY);
    }
}
