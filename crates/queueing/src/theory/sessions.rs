//! State that outlives a request: cached addresses and sessions.

/// The share of clients still sent to a dead address t seconds after DNS changed, when every cache
/// asks again as soon as its entry of this time to live expires: 1 - t / TTL.
pub fn stale_addresses(ttl: f64, t: f64) -> f64 {
    (1.0 - t.max(0.0) / ttl).max(0.0)
}

/// The same when a client asks only when it has a request, of which it has `request_rate` per
/// second: (TTL - t) / (TTL + 1 / rate), by the renewal theorem.
pub fn stale_addresses_on_demand(ttl: f64, request_rate: f64, t: f64) -> f64 {
    (ttl - t.max(0.0)).max(0.0) / (ttl + 1.0 / request_rate)
}

/// The share of sessions lost when `crashed` of `servers` go down together and each session is kept
/// on `copies` different servers chosen at random: C(k, c) / C(n, c).
///
/// ```
/// use lbsim_queueing::theory::sessions::lost;
/// assert_eq!(lost(10, 1, 1), 0.1);
/// assert_eq!(lost(10, 1, 2), 0.0);
/// assert!((lost(10, 3, 2) - 3.0 / 45.0).abs() < 1e-12);
/// ```
pub fn lost(servers: u32, crashed: u32, copies: u32) -> f64 {
    if copies > crashed {
        return 0.0;
    }
    let share = |i: u32| f64::from(crashed - i) / f64::from(servers.saturating_sub(i).max(1));
    (0..copies).map(share).product::<f64>().min(1.0)
}

/// The probability that a crash loses a write when replication lags behind by a constant time:
/// 1 - e^(-rate lag), writes Poisson.
pub fn write_lost(write_rate: f64, lag: f64) -> f64 {
    -(-write_rate * lag).exp_m1()
}

/// The probability that a crash loses the *last* write when the lag of each is exponential:
/// rate lag / (1 + rate lag).
pub fn last_write_lost(write_rate: f64, mean_lag: f64) -> f64 {
    let pending = write_rate * mean_lag;
    pending / (1.0 + pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(
            (stale_addresses(60.0, 0.0), stale_addresses(60.0, 90.0)),
            (1.0, 0.0)
        );
        // Busy clients ask as soon as the entry expires.
        assert!((stale_addresses_on_demand(60.0, 1e9, 15.0) - 0.75).abs() < 1e-9);
        assert_eq!(stale_addresses_on_demand(60.0, 0.0, 15.0), 0.0);
    }

    #[test]
    fn sessions() {
        assert_eq!(
            (lost(10, 10, 3), lost(10, 0, 1), lost(10, 4, 5)),
            (1.0, 0.0, 0.0)
        );
    }

    #[test]
    fn writes() {
        assert_eq!(
            (write_lost(0.0, 5.0), last_write_lost(0.0, 5.0)),
            (0.0, 0.0)
        );
        assert_eq!(last_write_lost(1.0, 1.0), 0.5);
    }
}
