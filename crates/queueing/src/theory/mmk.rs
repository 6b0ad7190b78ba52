//! M/M/k: one queue before several slots; Erlang's two formulas.

use super::numeric::{exponential_quantile, keeps_up, quantile};

/// Erlang B: the share of requests turned away by `slots` slots without a queue, for any
/// distribution of service times. `offered` is arrival rate times mean service time.
///
/// B(k) = a B(k-1) / (k + a B(k-1)): Erlang (1917). With no slot, or an offered load that is not a
/// number, everything is turned away.
///
/// ```
/// assert!((lbsim_queueing::theory::erlang_b(2.0, 3) - 4.0 / 19.0).abs() < 1e-12);
/// ```
pub fn erlang_b(offered: f64, slots: u32) -> f64 {
    if offered.is_nan() || offered.is_infinite() || offered < 0.0 {
        return 1.0;
    }
    (1..=slots).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b))
}

/// Erlang C: the share of requests that must wait, C = B / (1 - rho (1 - B)); 1 when the slots
/// cannot keep up.
pub fn erlang_c(offered: f64, slots: u32) -> f64 {
    let load = offered / f64::from(slots);
    let b = erlang_b(offered, slots);
    if keeps_up(load) {
        b / (1.0 - load * (1.0 - b))
    } else {
        1.0
    }
}

/// Several slots (or servers, one request each) fed from one queue, first come first served. Erlang
/// (1917). Sending each request to the server with the least work left gives the same waits:
/// Harchol-Balter, Crovella and Murta, Journal of Parallel and Distributed Computing 59 (1999).
///
/// ```
/// use lbsim_queueing::theory::Mmk;
/// let pool = Mmk { arrival_rate: 4.0, service_rate: 1.0, slots: 5 };
/// assert!((pool.probability_of_wait() - 0.5541125541).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmk {
    /// Requests per second to the whole pool.
    pub arrival_rate: f64,
    /// Requests per second that one busy slot works off.
    pub service_rate: f64,
    /// How many slots.
    pub slots: u32,
}

impl Mmk {
    /// rho = lambda / (k mu).
    pub fn load(&self) -> f64 {
        self.arrival_rate / (f64::from(self.slots) * self.service_rate)
    }

    /// Whether the slots keep up: rho < 1.
    pub fn stable(&self) -> bool {
        keeps_up(self.load())
    }

    /// theta = k mu - lambda, the rate at which a wait ends; 0 when unstable.
    fn spare(&self) -> f64 {
        if self.stable() {
            f64::from(self.slots) * self.service_rate - self.arrival_rate
        } else {
            0.0
        }
    }

    /// Erlang C.
    pub fn probability_of_wait(&self) -> f64 {
        erlang_c(self.arrival_rate / self.service_rate, self.slots)
    }

    /// E\[W\] = C / (k mu - lambda).
    pub fn mean_wait(&self) -> f64 {
        self.probability_of_wait() / self.spare()
    }

    /// E\[R\] = E\[W\] + 1 / mu.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + 1.0 / self.service_rate.max(0.0)
    }

    /// P(W > t) = C e^-(k mu - lambda)t.
    pub fn wait_tail(&self, t: f64) -> f64 {
        self.probability_of_wait() * (-self.spare() * t.max(0.0)).exp()
    }

    /// The q-quantile of the wait; 0 for those that do not wait.
    pub fn wait_quantile(&self, q: f64) -> f64 {
        let waits = self.probability_of_wait();
        if q <= 1.0 - waits {
            0.0
        } else {
            exponential_quantile(1.0 - (1.0 - q) / waits, self.spare())
        }
    }

    /// P(R > t) = (1 - C) e^-mu t + C (theta e^-mu t - mu e^-theta t) / (theta - mu), theta = k
    /// mu - lambda: an exponential service after a wait that is exponential with probability C.
    pub fn response_tail(&self, t: f64) -> f64 {
        if !self.stable() {
            return 1.0;
        }
        let (mu, theta, t) = (self.service_rate, self.spare(), t.max(0.0));
        let served = (-mu * t).exp();
        let apart = theta - mu;
        // (e^-mu t - e^-theta t) / (theta - mu), which is t e^-mu t when the two rates meet.
        let both = if apart == 0.0 {
            t * served
        } else if (apart * t).abs() < 1.0 {
            -served * (-apart * t).exp_m1() / apart
        } else {
            (served - (-theta * t).exp()) / apart
        };
        (served + self.probability_of_wait() * mu * both).clamp(0.0, 1.0)
    }

    /// The q-quantile of the response time, by bisection.
    pub fn response_quantile(&self, q: f64) -> f64 {
        quantile(q, |t| self.response_tail(t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::Mm1;

    #[test]
    fn one_slot_is_mm1() {
        let one = Mmk {
            arrival_rate: 0.7,
            service_rate: 1.0,
            slots: 1,
        };
        let mm1 = Mm1 {
            arrival_rate: 0.7,
            service_rate: 1.0,
        };
        assert!((one.mean_response() - mm1.mean_response()).abs() < 1e-12);
        assert!((one.wait_quantile(0.9) - mm1.wait_quantile(0.9)).abs() < 1e-12);
        assert!((one.response_quantile(0.99) - mm1.response_quantile(0.99)).abs() < 1e-9);
    }

    /// theta = mu: the two rates meet, and nothing blows up on either side.
    #[test]
    fn equal_rates() {
        let at = |arrival_rate| {
            Mmk {
                arrival_rate,
                service_rate: 1.0,
                slots: 3,
            }
            .response_tail(2.5)
        };
        let meets = at(2.0);
        for near in [2.0 - 1e-9, 2.0 + 1e-9] {
            assert!((at(near) - meets).abs() < 1e-8);
        }
        let c = erlang_c(2.0, 3);
        assert!((meets - (1.0 + c * 2.5) * (-2.5_f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn the_tail_has_the_mean() {
        let pool = Mmk {
            arrival_rate: 2.5,
            service_rate: 1.0,
            slots: 3,
        };
        let step = 1e-3;
        let area: f64 = (0..60_000)
            .map(|i| pool.response_tail((f64::from(i) + 0.5) * step) * step)
            .sum();
        assert!((area - pool.mean_response()).abs() < 1e-6);
    }

    #[test]
    fn overload_and_bad_input() {
        for (arrival_rate, slots) in [
            (5.0, 5),
            (9.0, 5),
            (1.0, 0),
            (-1.0, 5),
            (f64::NAN, 5),
            (f64::INFINITY, 5),
        ] {
            let pool = Mmk {
                arrival_rate,
                service_rate: 1.0,
                slots,
            };
            assert_eq!(pool.probability_of_wait(), 1.0);
            assert_eq!(pool.mean_response(), f64::INFINITY);
            assert_eq!(pool.response_quantile(0.5), f64::INFINITY);
            assert_eq!(pool.wait_quantile(0.5), f64::INFINITY);
        }
        assert_eq!(erlang_b(f64::NAN, 3), 1.0);
        assert_eq!(erlang_b(0.0, 3), 0.0);
    }
}
