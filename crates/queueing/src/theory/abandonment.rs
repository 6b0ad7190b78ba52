//! Users who give up waiting.

use super::birth_death::{mean, stationary};

/// Erlang A, M/M/k+M: each waiting request leaves after an exponential patience. Palm, "Methods of
/// judging the annoyance caused by congestion" (1946); Garnett, Mandelbaum and Reiman,
/// Manufacturing & Service Operations Management 4 (2002).
///
/// Always stable when patience is finite: overload turns into abandonment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangA {
    /// Requests per second.
    pub arrival_rate: f64,
    /// Requests per second that one busy slot works off.
    pub service_rate: f64,
    /// How many slots.
    pub slots: u32,
    /// 1 / mean patience, per second; above 0.
    pub patience_rate: f64,
}

impl ErlangA {
    /// P(N = n), cut where the rest weighs nothing; empty when patience never ends or nothing is
    /// served.
    pub fn in_system(&self) -> Vec<f64> {
        if self.patience_rate.is_nan() || self.patience_rate <= 0.0 || self.slots == 0 {
            return Vec::new();
        }
        let death = |n: u32| {
            f64::from(n.min(self.slots)) * self.service_rate
                + f64::from(n.saturating_sub(self.slots)) * self.patience_rate
        };
        stationary(u32::MAX, |_| self.arrival_rate, death)
    }

    /// The probability that a request must wait: all slots are busy. 1 when nothing is known.
    pub fn probability_of_wait(&self) -> f64 {
        let p = self.in_system();
        if p.is_empty() {
            1.0
        } else {
            p.iter().skip(self.slots as usize).sum::<f64>().min(1.0)
        }
    }

    /// The share of requests that give up: patience rate times the mean number waiting, over the
    /// arrival rate. 1 when nothing is known.
    pub fn abandons(&self) -> f64 {
        let p = self.in_system();
        if p.is_empty() {
            return 1.0;
        }
        if self.arrival_rate == 0.0 {
            return 0.0;
        }
        let waiting: Vec<f64> = p.into_iter().skip(self.slots as usize).collect();
        self.patience_rate * mean(&waiting) / self.arrival_rate
    }
}

/// M/M/1+D: the share of requests whose wait would exceed `timeout` seconds and which leave then,
/// never having used the server: (1 - rho) rho e / (1 - rho^2 e) with e = e^-(mu - lambda)T.
/// Barrer, "Queuing with impatient customers and ordered service", Operations Research 5 (1957).
/// Holds in overload too.
pub fn wait_timeouts(arrival_rate: f64, service_rate: f64, timeout: f64) -> f64 {
    let rho = arrival_rate / service_rate;
    let exponent = (service_rate - arrival_rate) * timeout;
    if rho.is_nan() || rho.is_infinite() || rho < 0.0 || timeout.is_nan() || timeout < 0.0 {
        1.0
    } else if (rho - 1.0).abs() < 1e-9 {
        1.0 / (2.0 + service_rate * timeout)
    } else if rho < 1.0 {
        let e = (-exponent).exp();
        (1.0 - rho) * rho * e / (1.0 - rho * rho * e)
    } else {
        (rho - 1.0) * rho / (rho * rho - exponent.exp())
    }
}

/// The mean number in an M/M/1 of which clients are discouraged: whoever finds n there joins with
/// probability `joins(n)`. Kleinrock, *Queueing Systems* volume 1 (1975), section 3.3. NaN when
/// nothing is served.
pub fn mean_in_system_with_balking(
    arrival_rate: f64,
    service_rate: f64,
    joins: impl Fn(u32) -> f64,
) -> f64 {
    let p = stationary(u32::MAX, |n| arrival_rate * joins(n), |_| service_rate);
    if p.is_empty() { f64::NAN } else { mean(&p) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{Mmk, erlang_b};

    #[test]
    fn endless_patience_is_erlang_c() {
        let patient = ErlangA {
            arrival_rate: 4.0,
            service_rate: 1.0,
            slots: 5,
            patience_rate: 1e-9,
        };
        let open = Mmk {
            arrival_rate: 4.0,
            service_rate: 1.0,
            slots: 5,
        };
        assert!((patient.probability_of_wait() - open.probability_of_wait()).abs() < 1e-6);
    }

    #[test]
    fn no_patience_is_erlang_b() {
        let impatient = ErlangA {
            arrival_rate: 4.0,
            service_rate: 1.0,
            slots: 5,
            patience_rate: 1e9,
        };
        assert!((impatient.abandons() - erlang_b(4.0, 5)).abs() < 1e-6);
    }

    /// Patience like service: N is Poisson, whatever the number of slots.
    #[test]
    fn patience_like_service() {
        let like = ErlangA {
            arrival_rate: 3.0,
            service_rate: 1.0,
            slots: 2,
            patience_rate: 1.0,
        };
        assert!((like.in_system()[4] - 81.0 / 24.0 * (-3.0_f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn timeouts() {
        // At once: lost when the server is busy, rho / (1 + rho).
        assert!((wait_timeouts(0.5, 1.0, 0.0) - 1.0 / 3.0).abs() < 1e-12);
        assert!((wait_timeouts(2.0, 1.0, 0.0) - 2.0 / 3.0).abs() < 1e-12);
        // In overload with long timeouts, what exceeds capacity is lost.
        assert!((wait_timeouts(2.0, 1.0, 1e6) - 0.5).abs() < 1e-9);
        assert!((wait_timeouts(1.0, 1.0, 3.0) - wait_timeouts(1.0 + 1e-6, 1.0, 3.0)).abs() < 1e-6);
        assert_eq!(wait_timeouts(0.5, 1.0, f64::INFINITY), 0.0);
    }

    /// Nobody joins where two are: M/M/1/2, of three states with the weights 1, 1/2, 1/4.
    #[test]
    fn who_finds_two_goes_away() {
        let mean = mean_in_system_with_balking(0.5, 1.0, |n| if n < 2 { 1.0 } else { 0.0 });
        assert!((mean - (0.5 + 2.0 * 0.25) / 1.75).abs() < 1e-12);
        assert!(mean_in_system_with_balking(0.5, 0.0, |_| 1.0).is_nan());
    }

    #[test]
    fn bad_input() {
        for (service_rate, slots, patience_rate) in [
            (1.0, 0, 1.0),
            (0.0, 1, 1.0),
            (1.0, 1, 0.0),
            (1.0, 1, f64::NAN),
        ] {
            let pool = ErlangA {
                arrival_rate: 1.0,
                service_rate,
                slots,
                patience_rate,
            };
            assert_eq!((pool.probability_of_wait(), pool.abandons()), (1.0, 1.0));
        }
        assert_eq!(wait_timeouts(1.0, 0.0, 1.0), 1.0);
        assert_eq!(wait_timeouts(1.0, 1.0, f64::NAN), 1.0);
    }
}
