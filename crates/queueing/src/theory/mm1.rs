//! M/M/1: Poisson arrivals, exponential service, one server, first come first served.

use super::numeric::{exponential_quantile, keeps_up};

/// One server. Kleinrock, *Queueing Systems* volume 1 (1975), section 3.2.
///
/// ```
/// use lbsim_queueing::theory::Mm1;
/// let queue = Mm1 { arrival_rate: 80.0, service_rate: 100.0 }; // 10 ms a request, 80% busy
/// assert!((queue.mean_response() - 0.050).abs() < 1e-12);
/// assert!((queue.response_quantile(0.99) - 0.2302585).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mm1 {
    /// Requests per second.
    pub arrival_rate: f64,
    /// Requests per second that the server works off while busy.
    pub service_rate: f64,
}

impl Mm1 {
    /// rho = lambda / mu: the share of time that the server is busy.
    pub fn load(&self) -> f64 {
        self.arrival_rate / self.service_rate
    }

    /// Whether the server keeps up: rho < 1.
    pub fn stable(&self) -> bool {
        keeps_up(self.load())
    }

    /// mu - lambda, the rate of the exponential response time; 0 when unstable.
    fn spare(&self) -> f64 {
        if self.stable() {
            self.service_rate - self.arrival_rate
        } else {
            0.0
        }
    }

    /// E\[R\] = 1 / (mu - lambda).
    pub fn mean_response(&self) -> f64 {
        1.0 / self.spare()
    }

    /// E\[W\] = rho / (mu - lambda).
    pub fn mean_wait(&self) -> f64 {
        if self.stable() {
            self.load() / self.spare()
        } else {
            f64::INFINITY
        }
    }

    /// Var\[R\] = 1 / (mu - lambda)^2.
    pub fn response_variance(&self) -> f64 {
        self.spare().powi(-2)
    }

    /// E\[N\] = rho / (1 - rho), requests waiting and in service.
    pub fn mean_in_system(&self) -> f64 {
        if self.stable() {
            self.load() / (1.0 - self.load())
        } else {
            f64::INFINITY
        }
    }

    /// P(N = n) = (1 - rho) rho^n; 0 for every n when unstable.
    pub fn in_system(&self, n: u32) -> f64 {
        if self.stable() {
            (1.0 - self.load()) * self.load().powf(f64::from(n))
        } else {
            0.0
        }
    }

    /// P(R > t) = e^-(mu - lambda)t.
    pub fn response_tail(&self, t: f64) -> f64 {
        (-self.spare() * t.max(0.0)).exp()
    }

    /// The q-quantile of the response time, -ln(1 - q) / (mu - lambda).
    pub fn response_quantile(&self, q: f64) -> f64 {
        exponential_quantile(q, self.spare())
    }

    /// P(W > t) = rho e^-(mu - lambda)t.
    pub fn wait_tail(&self, t: f64) -> f64 {
        self.load().min(1.0) * self.response_tail(t)
    }

    /// The q-quantile of the wait; 0 for the share 1 - rho that does not wait.
    pub fn wait_quantile(&self, q: f64) -> f64 {
        if self.stable() && q <= 1.0 - self.load() {
            0.0
        } else {
            exponential_quantile(1.0 - (1.0 - q) / self.load(), self.spare())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little() {
        let queue = Mm1 {
            arrival_rate: 3.0,
            service_rate: 4.0,
        };
        assert!((queue.mean_in_system() - 3.0 * queue.mean_response()).abs() < 1e-12);
        assert!((queue.mean_response() - queue.mean_wait() - 0.25).abs() < 1e-12);
    }

    #[test]
    fn quantiles_invert_tails() {
        let queue = Mm1 {
            arrival_rate: 3.0,
            service_rate: 4.0,
        };
        for q in [0.3, 0.9, 0.999] {
            assert!((queue.response_tail(queue.response_quantile(q)) - (1.0 - q)).abs() < 1e-12);
            assert!((queue.wait_tail(queue.wait_quantile(q)) - (1.0 - q)).abs() < 1e-12);
        }
        assert_eq!(queue.wait_quantile(0.2), 0.0);
    }

    #[test]
    fn overload_waits_for_ever() {
        for (arrival_rate, service_rate) in [
            (2.0, 1.0),
            (1.0, 1.0),
            (1.0, 0.0),
            (-1.0, 1.0),
            (f64::NAN, 1.0),
        ] {
            let queue = Mm1 {
                arrival_rate,
                service_rate,
            };
            assert!(!queue.stable());
            assert_eq!(queue.mean_response(), f64::INFINITY);
            assert_eq!(queue.mean_wait(), f64::INFINITY);
            assert_eq!(queue.mean_in_system(), f64::INFINITY);
            assert_eq!(queue.response_variance(), f64::INFINITY);
            assert_eq!(queue.response_quantile(0.5), f64::INFINITY);
            assert_eq!(queue.wait_quantile(0.5), f64::INFINITY);
            assert_eq!(queue.in_system(0), 0.0);
            assert_eq!(queue.response_tail(10.0), 1.0);
        }
    }
}
