//! Random routing: each server is an M/M/1 of its own, since a Poisson stream split at random is
//! Poisson.

use super::Mm1;

/// The mean response when server i, of rate `service_rates[i]`, gets a share of the requests in
/// proportion to `weights[i]`. Infinite when a server that gets requests cannot keep up; `None`
/// when the lists differ in length, are empty, or the weights are not non-negative with a positive
/// sum.
///
/// ```
/// let mean = lbsim_queueing::theory::split::mean_response(1.5, &[2.0, 1.0], &[2.0, 1.0]).unwrap();
/// assert!((mean - (2.0 / 3.0 / 1.0 + 1.0 / 3.0 / 0.5)).abs() < 1e-12);
/// ```
pub fn mean_response(arrival_rate: f64, service_rates: &[f64], weights: &[f64]) -> Option<f64> {
    let total: f64 = weights.iter().sum();
    let usable = weights.iter().all(|weight| *weight >= 0.0) && total > 0.0 && total.is_finite();
    if !usable || service_rates.len() != weights.len() {
        return None;
    }
    let parts = service_rates
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0);
    Some(
        parts
            .map(|(&service_rate, weight)| {
                let share = weight / total;
                share
                    * Mm1 {
                        arrival_rate: arrival_rate * share,
                        service_rate,
                    }
                    .mean_response()
            })
            .sum(),
    )
}

/// The rates at which a random split should feed unlike servers for the least mean response:
/// lambda_i = mu_i - sqrt(mu_i) (sum mu - lambda) / sum sqrt(mu), over the servers fast enough to
/// be worth using. Buzen and Chen, "Optimal load balancing in memory hierarchies", IFIP Congress
/// (1974).
///
/// Slow servers get *less* than their share of capacity, perhaps nothing. `None` when the servers
/// cannot keep up together, or a rate is negative or not finite.
///
/// ```
/// let rates = lbsim_queueing::theory::split::optimal(1.5, &[2.0, 1.0]).unwrap();
/// assert!((rates[0] - 1.1213203).abs() < 1e-7 && (rates[1] - 0.3786797).abs() < 1e-7);
/// ```
pub fn optimal(arrival_rate: f64, service_rates: &[f64]) -> Option<Vec<f64>> {
    let usable = |rate: &f64| rate.is_finite() && *rate >= 0.0;
    let capacity: f64 = service_rates.iter().sum();
    if !service_rates.iter().all(usable) || !usable(&arrival_rate) || arrival_rate >= capacity {
        return None;
    }
    let mut fastest_first: Vec<usize> = (0..service_rates.len()).collect();
    fastest_first.sort_by(|&a, &b| service_rates[b].total_cmp(&service_rates[a]));
    // Take servers in, fastest first, while the next is worth using: sqrt(mu) above what its spare
    // capacity is worth among those already in.
    let (mut spare, mut roots) = (-arrival_rate, 0.0);
    let mut used = 0;
    for &i in &fastest_first {
        let root = service_rates[i].sqrt();
        if spare > 0.0 && root <= spare / roots {
            break;
        }
        spare += service_rates[i];
        roots += root;
        used += 1;
    }
    let mut rates = vec![0.0; service_rates.len()];
    for &i in &fastest_first[..used] {
        let mu = service_rates[i];
        rates[i] = (mu - mu.sqrt() * spare / roots).max(0.0);
    }
    Some(rates)
}

/// The mean response of one queue before two unlike servers (rates `fast` >= `slow`), an idle fast
/// one preferred, requests never moved: E\[N\] = 1 / (A (1 - rho)^2 + 1 - rho) with A = mu1 mu2
/// (1 + 2 rho) / (lambda (lambda + mu2)). Trivedi, *Probability and Statistics with Reliability,
/// Queuing, and Computer Science Applications* (2001), section 8.2.
pub fn central_queue_of_two(arrival_rate: f64, fast: f64, slow: f64) -> f64 {
    let rho = arrival_rate / (fast + slow);
    if !super::numeric::keeps_up(rho) || fast <= 0.0 || slow < 0.0 {
        return f64::INFINITY;
    }
    if arrival_rate == 0.0 {
        return 1.0 / fast;
    }
    let a = fast * slow * (1.0 + 2.0 * rho) / (arrival_rate * (arrival_rate + slow));
    1.0 / (a * (1.0 - rho).powi(2) + 1.0 - rho) / arrival_rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_servers_share_alike() {
        let rates = optimal(1.5, &[1.0; 3]).unwrap();
        assert!(rates.iter().all(|rate| (rate - 0.5).abs() < 1e-12));
        assert!((mean_response(1.5, &[1.0; 3], &[1.0; 3]).unwrap() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_slow_server_is_left_alone_at_low_load() {
        let rates = optimal(0.1, &[0.1, 4.0]).unwrap();
        assert!(rates[0] == 0.0 && (rates[1] - 0.1).abs() < 1e-12);
        assert_eq!(optimal(0.0, &[1.0, 1.0]).unwrap(), [0.0, 0.0]);
    }

    /// No small shift of load between any two servers does better.
    #[test]
    fn the_optimum_is_one() {
        let service_rates = [5.0, 3.0, 1.0, 0.2];
        for arrival_rate in [0.5, 3.0, 7.0, 9.0] {
            let best = optimal(arrival_rate, &service_rates).unwrap();
            assert!((best.iter().sum::<f64>() - arrival_rate).abs() < 1e-9);
            let least = mean_response(arrival_rate, &service_rates, &best).unwrap();
            for from in 0..4 {
                for to in 0..4 {
                    let mut other = best.clone();
                    let shift = other[from].min(0.01);
                    other[from] -= shift;
                    other[to] += shift;
                    assert!(
                        mean_response(arrival_rate, &service_rates, &other).unwrap()
                            >= least - 1e-12
                    );
                }
            }
        }
    }

    #[test]
    fn two_like_servers_are_mm2() {
        let both = crate::theory::Mmk {
            arrival_rate: 1.2,
            service_rate: 1.0,
            slots: 2,
        };
        assert!((central_queue_of_two(1.2, 1.0, 1.0) - both.mean_response()).abs() < 1e-12);
        assert!((central_queue_of_two(1e-9, 2.0, 1.0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn overload_and_bad_input() {
        assert_eq!(optimal(3.0, &[1.0, 2.0]), None);
        assert_eq!(optimal(1.0, &[]), None);
        assert_eq!(optimal(1.0, &[2.0, f64::NAN]), None);
        assert_eq!(mean_response(1.0, &[2.0], &[1.0, 1.0]), None);
        assert_eq!(mean_response(1.0, &[2.0], &[0.0]), None);
        assert_eq!(mean_response(3.0, &[2.0], &[1.0]), Some(f64::INFINITY));
        assert_eq!(central_queue_of_two(3.0, 2.0, 1.0), f64::INFINITY);
    }
}
