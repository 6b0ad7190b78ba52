//! Load or capacity that follows the clock.

/// The mean number in service at time t with unlimited slots and arrivals at rate mean + amplitude
/// sin(2 pi t / period), in the periodic steady state: mean/mu + amplitude (mu sin wt - w cos wt) /
/// (mu^2 + w^2). It lags behind the arrivals. Eick, Massey and Whitt, "Mt/G/infinity queues with
/// sinusoidal arrival rates", Management Science 39 (1993).
pub fn mean_in_service(
    mean_rate: f64,
    amplitude: f64,
    period: f64,
    service_rate: f64,
    t: f64,
) -> f64 {
    let w = std::f64::consts::TAU / period;
    let wave = service_rate * (w * t).sin() - w * (w * t).cos();
    mean_rate / service_rate + amplitude * wave / (service_rate * service_rate + w * w)
}

/// Requests that a new server gets while its weight rises evenly from 0 to 1 over `ramp` seconds
/// beside n full servers, weighted random, per request per second to the pool: T - n T ln((n + 1) /
/// n).
pub fn slow_start_requests(full_servers: u32, ramp: f64) -> f64 {
    if full_servers == 0 {
        return ramp;
    }
    let n = f64::from(full_servers);
    ramp * (1.0 - n * (1.0 / n).ln_1p())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_waves_are_followed() {
        let peak = mean_in_service(10.0, 5.0, 1e9, 2.0, 0.25e9);
        assert!((peak - 7.5).abs() < 1e-6);
    }

    #[test]
    fn a_ramp_gets_about_half_a_share() {
        // Many others: the integral of weight/n is ramp / (2 n).
        assert!((slow_start_requests(1_000_000, 30.0) * 1e6 - 15.0).abs() < 1e-3);
        assert_eq!(slow_start_requests(0, 30.0), 30.0);
    }
}
