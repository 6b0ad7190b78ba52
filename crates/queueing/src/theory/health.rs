//! How long a dead server goes unnoticed.

/// An active health check: a probe every `interval`, `threshold` failures in a row to take the
/// server out, each failure known after `timeout`. The crash falls at a uniformly random moment
/// between two probes.
///
/// ```
/// let check = lbsim_queueing::theory::HealthCheck { interval: 10.0, threshold: 2, timeout: 2.0 };
/// assert_eq!((check.earliest(), check.mean_delay(), check.latest()), (12.0, 17.0, 22.0));
/// assert_eq!(check.requests_lost(100.0, 10), 170.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthCheck {
    /// From the start of one probe to the start of the next, seconds.
    pub interval: f64,
    /// Failed probes in a row that it takes; at least 1.
    pub threshold: u32,
    /// How long a probe waits before it counts as failed, seconds; 0 for a crash that refuses
    /// connections.
    pub timeout: f64,
}

impl HealthCheck {
    /// The shortest time from crash to detection: (threshold - 1) interval + timeout.
    pub fn earliest(&self) -> f64 {
        f64::from(self.threshold.max(1) - 1) * self.interval + self.timeout
    }

    /// The longest: an interval more.
    pub fn latest(&self) -> f64 {
        self.earliest() + self.interval
    }

    /// The mean: half an interval more than the shortest.
    pub fn mean_delay(&self) -> f64 {
        self.earliest() + self.interval / 2.0
    }

    /// The mean number of requests sent to the dead server of n meanwhile, when the strategy sends
    /// each server an equal share: lambda / n times the mean delay. A strategy that counts requests
    /// in flight does better when a dead server hangs and worse when it fails fast.
    pub fn requests_lost(&self, arrival_rate: f64, servers: u32) -> f64 {
        requests_lost(arrival_rate, servers, self.mean_delay())
    }
}

/// The mean number of requests sent to one of n servers, an equal share each, in `delay` seconds.
pub fn requests_lost(arrival_rate: f64, servers: u32, delay: f64) -> f64 {
    arrival_rate * delay / f64::from(servers.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_of_zero_counts_as_one() {
        let check = HealthCheck {
            interval: 4.0,
            threshold: 0,
            timeout: 0.0,
        };
        assert_eq!(
            (check.earliest(), check.mean_delay(), check.latest()),
            (0.0, 2.0, 4.0)
        );
    }

    #[test]
    fn lost() {
        assert_eq!(requests_lost(100.0, 10, 12.5), 125.0);
    }
}
