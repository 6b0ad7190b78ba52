//! The supermarket model: each request goes to the least loaded of d servers chosen at random.

use super::numeric::{keeps_up, poisson, quantile};

/// The limit for many servers of "the shortest of d queues", exponential service. With d = 1 it is
/// random routing.
///
/// Vvedenskaya, Dobrushin and Karpelevich, Problems of Information Transmission 32 (1996);
/// Mitzenmacher, "The power of two choices in randomized load balancing", IEEE Transactions on
/// Parallel and Distributed Systems 12 (2001).
///
/// ```
/// use lbsim_queueing::theory::PowerOfD;
/// let one = PowerOfD { load: 0.99, choices: 1, service_rate: 1.0 };
/// let two = PowerOfD { load: 0.99, choices: 2, service_rate: 1.0 };
/// assert!((one.mean_response() - 100.0).abs() < 1e-6);
/// assert!((two.mean_response() - 5.4319966).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerOfD {
    /// Share of time that each server is busy.
    pub load: f64,
    /// d: how many servers a request looks at. 0 counts as 1.
    pub choices: u32,
    /// Requests per second that one busy server works off.
    pub service_rate: f64,
}

impl PowerOfD {
    /// Whether the servers keep up: load < 1.
    pub fn stable(&self) -> bool {
        keeps_up(self.load)
    }

    /// s_i = load^((d^i - 1) / (d - 1)): the share of servers with at least i requests; 1 when
    /// unstable.
    pub fn at_least(&self, i: u32) -> f64 {
        if self.stable() {
            self.load.powf(self.exponent(i))
        } else {
            1.0
        }
    }

    /// (d^i - 1) / (d - 1) = 1 + d + ... + d^(i-1).
    fn exponent(&self, i: u32) -> f64 {
        let (d, i) = (f64::from(self.choices.max(1)), f64::from(i));
        if d == 1.0 {
            i
        } else {
            (d.powf(i) - 1.0) / (d - 1.0)
        }
    }

    /// The probability that a request joins a server with i others: s_i^d - s_(i+1)^d.
    fn joins(&self, i: u32) -> f64 {
        let d = f64::from(self.choices.max(1));
        self.at_least(i).powf(d) - self.at_least(i + 1).powf(d)
    }

    /// E\[R\] = 1/mu * sum over i >= 1 of load^((d^i - d) / (d - 1)).
    pub fn mean_response(&self) -> f64 {
        if !self.stable() || self.service_rate <= 0.0 {
            return f64::INFINITY;
        }
        let d = f64::from(self.choices.max(1));
        if d == 1.0 {
            return 1.0 / (self.service_rate * (1.0 - self.load));
        }
        // (d^i - d) / (d - 1) is d times the exponent of s_(i-1).
        let terms = (0..).map(|i| self.load.powf(d * self.exponent(i)));
        terms.take_while(|term| *term > 1e-18).sum::<f64>() / self.service_rate
    }

    /// P(R > t) when each server works first come, first served: a request that joins i others
    /// leaves after i + 1 service times, so P(R > t) = sum over i of s_i^d P(X = i), X Poisson with
    /// mean mu t.
    pub fn response_tail(&self, t: f64) -> f64 {
        if !self.stable() || self.service_rate <= 0.0 {
            return 1.0;
        }
        let mean = self.service_rate * t.max(0.0);
        if self.choices <= 1 {
            return (-mean * (1.0 - self.load)).exp();
        }
        let d = f64::from(self.choices);
        let terms = (0..).map(|i| (i, self.at_least(i).powf(d)));
        terms
            .take_while(|(_, share)| *share > 1e-300)
            .map(|(i, share)| share * poisson(mean, u64::from(i)))
            .sum::<f64>()
            .min(1.0)
    }

    /// The q-quantile of the response time, by bisection.
    pub fn response_quantile(&self, q: f64) -> f64 {
        quantile(q, |t| self.response_tail(t))
    }

    /// The mean number of requests that a request finds at the server it joins.
    pub fn mean_found(&self) -> f64 {
        if !self.stable() {
            return f64::INFINITY;
        }
        if self.choices <= 1 {
            return self.load / (1.0 - self.load);
        }
        (1..)
            .map(|i| f64::from(i) * self.joins(i))
            .take_while(|term| *term > 1e-18)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of Mitzenmacher (2001) prints the limit for d = 2 as 1.2657 at 0.5 and 2.6141 at
    /// 0.9.
    #[test]
    fn published() {
        let at = |load| {
            PowerOfD {
                load,
                choices: 2,
                service_rate: 1.0,
            }
            .mean_response()
        };
        assert!((at(0.5) - 1.2657).abs() < 5e-5);
        assert!((at(0.9) - 2.6141).abs() < 5e-5);
    }

    #[test]
    fn one_choice_is_mm1() {
        let one = PowerOfD {
            load: 0.75,
            choices: 1,
            service_rate: 4.0,
        };
        let mm1 = crate::theory::Mm1 {
            arrival_rate: 3.0,
            service_rate: 4.0,
        };
        assert!((one.mean_response() - mm1.mean_response()).abs() < 1e-12);
        assert!((one.response_quantile(0.99) - mm1.response_quantile(0.99)).abs() < 1e-9);
        assert!((one.at_least(3) - 0.75_f64.powi(3)).abs() < 1e-12);
    }

    /// A request that finds i others stays for i + 1 services.
    #[test]
    fn three_ways_to_the_mean() {
        for choices in [2, 3, 5] {
            let many = PowerOfD {
                load: 0.9,
                choices,
                service_rate: 2.0,
            };
            assert!((many.mean_response() - (many.mean_found() + 1.0) / 2.0).abs() < 1e-12);
            let step = 1e-3;
            let area: f64 = (0..20_000)
                .map(|i| many.response_tail((f64::from(i) + 0.5) * step) * step)
                .sum();
            assert!((area - many.mean_response()).abs() < 1e-6);
        }
    }

    #[test]
    fn overload_and_idleness() {
        for load in [1.0, 2.0, -0.5, f64::NAN] {
            let many = PowerOfD {
                load,
                choices: 2,
                service_rate: 1.0,
            };
            assert_eq!(many.mean_response(), f64::INFINITY);
            assert_eq!(many.response_quantile(0.5), f64::INFINITY);
        }
        let idle = PowerOfD {
            load: 0.0,
            choices: 2,
            service_rate: 2.0,
        };
        assert_eq!(idle.mean_response(), 0.5);
        assert!((idle.response_quantile(0.5) - 2.0_f64.ln() / 2.0).abs() < 1e-12);
    }
}
