//! Keys on servers: how many move, and how even the shares are.

/// The share of keys that move when one server joins n, by a hashing that moves no more than it
/// must (consistent, rendezvous, jump): 1 / (n + 1). Karger et al., "Consistent hashing and random
/// trees", STOC (1997).
pub fn moved_at_least(servers: u32) -> f64 {
    1.0 / (f64::from(servers) + 1.0)
}

/// The share of keys that move when one server joins n under `hash mod n`: n / (n + 1), nearly all.
pub fn moved_by_modulo(servers: u32) -> f64 {
    f64::from(servers) / (f64::from(servers) + 1.0)
}

/// The coefficient of variation of a server's share of a ring with V points a server: the share is
/// Beta(V, V (n - 1)), so the square is (n - 1) / (n V + 1).
///
/// ```
/// let cv = lbsim_queueing::theory::hashing::ring_share_cv(10, 100);
/// assert!((cv - 0.0948209).abs() < 1e-7); // "about 10% at 100 points"
/// ```
pub fn ring_share_cv(servers: u32, points: u32) -> f64 {
    let (n, v) = (f64::from(servers.max(1)), f64::from(points));
    ((n - 1.0) / (n * v + 1.0)).sqrt()
}

/// The mean of the largest share of a ring over the mean share with *one* point a server: the
/// largest of n spacings of a circle, H_n / n. David and Nagaraja, *Order Statistics* (2003),
/// section 6.4.
pub fn ring_peak_to_mean(servers: u32) -> f64 {
    super::fan_out::harmonic(servers)
}

/// The most keys on a server under consistent hashing with bounded loads: ceil((1 + slack) m / n).
/// Mirrokni, Thorup and Zadimoghaddam, SODA (2018). Infinite for no server.
pub fn bounded_load(keys: u64, servers: u32, slack: f64) -> f64 {
    ((1.0 + slack) * keys as f64 / f64::from(servers)).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved() {
        assert_eq!((moved_at_least(4), moved_by_modulo(4)), (0.2, 0.8));
        assert_eq!((moved_at_least(0), moved_by_modulo(0)), (1.0, 0.0));
    }

    #[test]
    fn ring() {
        // Two servers, a point each: the share is uniform, standard deviation 1/sqrt(12), mean 1/2.
        assert!((ring_share_cv(2, 1) - (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!((ring_share_cv(1, 5), ring_share_cv(0, 0)), (0.0, 0.0));
        assert_eq!(ring_peak_to_mean(2), 1.5);
    }

    #[test]
    fn bound() {
        assert_eq!(bounded_load(10_000, 100, 0.25), 125.0);
        assert_eq!(bounded_load(1, 0, 0.25), f64::INFINITY);
    }
}
