//! Copies of a request: hedges sent late, and redundancy sent at once.

/// The tail of the response when a second copy is sent after `delay` seconds and the first answer
/// counts: S(t) S(t - delay), S the tail of one copy. Dean and Barroso, "The tail at scale",
/// Communications of the ACM 56 (2013). It takes the copies as independent and the extra load as
/// free.
pub fn hedged_tail(t: f64, delay: f64, tail: impl Fn(f64) -> f64) -> f64 {
    if t < delay {
        tail(t)
    } else {
        tail(t) * tail(t - delay)
    }
}

/// The q-quantile under [`hedged_tail`], by bisection.
///
/// ```
/// let p99 = lbsim_queueing::theory::hedging::hedged_quantile(0.99, 1.0, |t| (-t).exp());
/// assert!((p99 - 2.8025851).abs() < 1e-6); // alone: 4.605
/// ```
pub fn hedged_quantile(q: f64, delay: f64, tail: impl Fn(f64) -> f64) -> f64 {
    super::numeric::quantile(q, |t| hedged_tail(t, delay, &tail))
}

/// The mean response when one copy's is exponential with mean `mean`: mean (1 - e^(-delay/mean)
/// / 2).
pub fn hedged_exponential_mean(mean: f64, delay: f64) -> f64 {
    mean * (1.0 - (-delay.max(0.0) / mean).exp() / 2.0)
}

/// The mean response when each request goes to `copies` of `servers` servers at once, chosen at
/// random, copies of independent exponential service, the rest cancelled on the first answer: sum
/// over i = d..n of 1 / (n mu C(n-1, d-1) / C(i-1, d-1) - n lambda). Gardner et al., "Redundancy-d:
/// the power of d choices for redundancy", Operations Research 65 (2017).
///
/// `arrival_rate` is requests per second *a server*. Infinite when that is not below
/// `service_rate`, or `copies` is not in 1..=`servers`.
pub fn redundancy_mean(arrival_rate: f64, service_rate: f64, servers: u32, copies: u32) -> f64 {
    if !super::numeric::keeps_up(arrival_rate / service_rate) || copies == 0 || copies > servers {
        return f64::INFINITY;
    }
    let n = f64::from(servers);
    // C(n-1, d-1) / C(i-1, d-1), as a product of d - 1 ratios.
    let ratio = |i: u32| {
        (1..copies)
            .map(|j| f64::from(servers - j) / f64::from(i - j))
            .product::<f64>()
    };
    (copies..=servers)
        .map(|i| 1.0 / (n * service_rate * ratio(i) - n * arrival_rate))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hedging_at_once_takes_the_faster() {
        assert_eq!(hedged_exponential_mean(2.0, 0.0), 1.0);
        let median = hedged_quantile(0.5, 0.0, |t| (-t).exp());
        assert!((median - 2.0_f64.ln() / 2.0).abs() < 1e-9);
        assert_eq!(hedged_exponential_mean(2.0, f64::INFINITY), 2.0);
    }

    #[test]
    fn one_copy_is_random_routing() {
        assert!((redundancy_mean(0.75, 1.0, 5, 1) - 4.0).abs() < 1e-12);
    }

    /// A copy everywhere: one server of n times the rate.
    #[test]
    fn a_copy_everywhere() {
        assert!((redundancy_mean(0.75, 1.0, 4, 4) - 1.0 / (4.0 - 3.0)).abs() < 1e-12);
    }

    #[test]
    fn bad_input() {
        for (rate, copies) in [(1.0, 2), (0.5, 0), (0.5, 6), (f64::NAN, 2)] {
            assert_eq!(redundancy_mean(rate, 1.0, 5, copies), f64::INFINITY);
        }
    }
}
