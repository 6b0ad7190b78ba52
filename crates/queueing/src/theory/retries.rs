//! What trying again brings, and costs. Each attempt fails independently with probability p; m
//! attempts at most, the first included.

/// The share of requests that succeed in the end: 1 - p^m.
///
/// ```
/// assert!((lbsim_queueing::theory::retries::success(0.1, 3) - 0.999).abs() < 1e-12);
/// ```
pub fn success(failure: f64, attempts: u32) -> f64 {
    1.0 - failure.powf(f64::from(attempts))
}

/// The mean number of attempts: 1 + p + ... + p^(m-1), that is (1 - p^m) / (1 - p). The factor by
/// which retries raise the load.
pub fn mean_attempts(failure: f64, attempts: u32) -> f64 {
    if failure == 1.0 {
        f64::from(attempts)
    } else {
        success(failure, attempts) / (1.0 - failure)
    }
}

/// Calls at the bottom of L layers that each try m times when the bottom always fails: m^L.
/// Brooker, "Fixing retries with token buckets and circuit breakers" (2022).
pub fn amplification(attempts: u32, layers: u32) -> f64 {
    f64::from(attempts).powf(f64::from(layers))
}

/// The mean number of attempts until a live server is met when each attempt takes a server not
/// tried before and `down` of `servers` are down: (n + 1) / (n - f + 1), the negative
/// hypergeometric mean. Infinite when all are down.
pub fn mean_distinct_attempts(servers: u32, down: u32) -> f64 {
    if down >= servers {
        return f64::INFINITY;
    }
    (f64::from(servers) + 1.0) / (f64::from(servers - down) + 1.0)
}

/// The mean total back-off of a request that waits uniformly in \[0, base 2^i\] before retry
/// i = 0, 1, ...: sum of p^(i+1) base 2^i / 2. Brooker, "Exponential backoff and jitter" (2015),
/// "full jitter".
pub fn mean_full_jitter(base: f64, failure: f64, attempts: u32) -> f64 {
    (1..attempts)
        .map(|retry| failure.powf(f64::from(retry)) * base * f64::from(retry - 1).exp2() / 2.0)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_by_hand() {
        assert!((mean_attempts(0.5, 3) - 1.75).abs() < 1e-12);
        assert_eq!((mean_attempts(1.0, 3), mean_attempts(0.0, 3)), (3.0, 1.0));
        assert_eq!((success(1.0, 3), success(0.3, 0)), (0.0, 0.0));
        assert_eq!(amplification(4, 3), 64.0);
    }

    #[test]
    fn distinct_by_hand() {
        // One of two is down: half the time a second attempt.
        assert_eq!(mean_distinct_attempts(2, 1), 1.5);
        assert_eq!(
            (mean_distinct_attempts(2, 2), mean_distinct_attempts(0, 0)),
            (f64::INFINITY, f64::INFINITY)
        );
    }

    #[test]
    fn jitter_by_hand() {
        assert!((mean_full_jitter(1.0, 1.0, 3) - 1.5).abs() < 1e-12);
        assert_eq!(
            (mean_full_jitter(1.0, 0.5, 1), mean_full_jitter(1.0, 0.5, 0)),
            (0.0, 0.0)
        );
    }
}
