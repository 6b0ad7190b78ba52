//! GI/M/1: independent gaps between arrivals, exponential service; round robin.

use super::numeric::{bisect, exponential_quantile};

/// One server whose arrivals have independent gaps. Everything follows from sigma, the probability
/// that an arrival finds the server busy: the root below 1 of sigma = A*(mu (1 - sigma)), A* the
/// Laplace-Stieltjes transform of the gap. Kleinrock, *Queueing Systems* volume 1 (1975), section
/// 6.4.
///
/// ```
/// use lbsim_queueing::theory::Gim1;
/// let round_robin = Gim1::round_robin(8.0, 10, 1.0); // 10 servers, each 80% busy
/// assert!((round_robin.mean_response() - 2.92226918).abs() < 1e-8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gim1 {
    sigma: f64,
    service_rate: f64,
}

impl Gim1 {
    /// From the arrival rate and the transform A*(s) = E\[e^-s gap\] of the gap. A server that
    /// cannot keep up has sigma 1.
    pub fn new(arrival_rate: f64, service_rate: f64, transform: impl Fn(f64) -> f64) -> Gim1 {
        let sigma = if super::numeric::keeps_up(arrival_rate / service_rate) {
            // A*(mu (1 - x)) - x is positive up to the root and negative from there to 1.
            bisect(0.0, 1.0, |x| transform(service_rate * (1.0 - x)) > x)
        } else {
            1.0
        };
        Gim1 {
            sigma,
            service_rate,
        }
    }

    /// Gaps that are sums of `stages` exponentials, E_k/M/1: A*(s) = (k lambda / (k lambda + s))^k.
    pub fn erlang(arrival_rate: f64, stages: u32, service_rate: f64) -> Gim1 {
        let stage_rate = arrival_rate * f64::from(stages);
        let transform = |s: f64| (stage_rate / (stage_rate + s)).powf(f64::from(stages));
        Gim1::new(arrival_rate, service_rate, transform)
    }

    /// What each of k servers sees under round robin of Poisson arrivals: every k-th one, E_k/M/1.
    pub fn round_robin(total_rate: f64, servers: u32, service_rate: f64) -> Gim1 {
        Gim1::erlang(total_rate / f64::from(servers), servers, service_rate)
    }

    /// Constant gaps, D/M/1: A*(s) = e^-s/lambda; the limit of round robin over many servers.
    pub fn constant(arrival_rate: f64, service_rate: f64) -> Gim1 {
        Gim1::new(arrival_rate, service_rate, |s| (-s / arrival_rate).exp())
    }

    /// Bursty gaps, H2/M/1: a mixture of two exponentials with balanced means and squared
    /// coefficient of variation `scv` (at least 1; less counts as 1).
    pub fn hyperexponential(arrival_rate: f64, scv: f64, service_rate: f64) -> Gim1 {
        let scv = scv.max(1.0);
        let p = 0.5 * (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt());
        let (often, seldom) = (2.0 * p * arrival_rate, 2.0 * (1.0 - p) * arrival_rate);
        let transform = |s: f64| p * often / (often + s) + (1.0 - p) * seldom / (seldom + s);
        Gim1::new(arrival_rate, service_rate, transform)
    }

    /// sigma: the probability that a request must wait; 1 when unstable.
    pub fn probability_of_wait(&self) -> f64 {
        self.sigma
    }

    /// mu (1 - sigma), the rate of the exponential response time; 0 when unstable.
    fn spare(&self) -> f64 {
        if self.sigma < 1.0 {
            self.service_rate * (1.0 - self.sigma)
        } else {
            0.0
        }
    }

    /// E\[R\] = 1 / (mu (1 - sigma)).
    pub fn mean_response(&self) -> f64 {
        1.0 / self.spare()
    }

    /// E\[W\] = sigma / (mu (1 - sigma)).
    pub fn mean_wait(&self) -> f64 {
        self.sigma / self.spare()
    }

    /// P(R > t) = e^-mu(1 - sigma)t.
    pub fn response_tail(&self, t: f64) -> f64 {
        (-self.spare() * t.max(0.0)).exp()
    }

    /// The q-quantile of the response time, which is exponential.
    pub fn response_quantile(&self, q: f64) -> f64 {
        exponential_quantile(q, self.spare())
    }

    /// P(W > t) = sigma e^-mu(1 - sigma)t.
    pub fn wait_tail(&self, t: f64) -> f64 {
        self.sigma * self.response_tail(t)
    }

    /// The q-quantile of the wait; 0 for those that do not wait.
    pub fn wait_quantile(&self, q: f64) -> f64 {
        if q <= 1.0 - self.sigma {
            0.0
        } else {
            exponential_quantile(1.0 - (1.0 - q) / self.sigma, self.spare())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::Mm1;

    #[test]
    fn one_stage_is_mm1() {
        let mm1 = Mm1 {
            arrival_rate: 3.0,
            service_rate: 4.0,
        };
        for queue in [
            Gim1::erlang(3.0, 1, 4.0),
            Gim1::round_robin(3.0, 1, 4.0),
            Gim1::hyperexponential(3.0, 1.0, 4.0),
        ] {
            assert!((queue.probability_of_wait() - 0.75).abs() < 1e-12);
            assert!((queue.mean_response() - mm1.mean_response()).abs() < 1e-9);
            assert!((queue.wait_quantile(0.9) - mm1.wait_quantile(0.9)).abs() < 1e-9);
        }
    }

    #[test]
    fn many_stages_are_constant() {
        let many = Gim1::erlang(0.9, 1_000_000, 1.0).mean_wait();
        let constant = Gim1::constant(0.9, 1.0).mean_wait();
        assert!((many / constant - 1.0).abs() < 1e-5);
    }

    #[test]
    fn regular_arrivals_wait_less() {
        let waits = [
            Gim1::constant(0.8, 1.0).mean_wait(),
            Gim1::erlang(0.8, 4, 1.0).mean_wait(),
            Gim1::erlang(0.8, 1, 1.0).mean_wait(),
            Gim1::hyperexponential(0.8, 4.0, 1.0).mean_wait(),
        ];
        assert!(waits.is_sorted());
    }

    #[test]
    fn overload_and_idleness() {
        for rate in [1.0, 1.5, -1.0, f64::NAN] {
            let queue = Gim1::constant(rate, 1.0);
            assert_eq!(queue.probability_of_wait(), 1.0);
            assert_eq!(queue.mean_wait(), f64::INFINITY);
            assert_eq!(queue.response_quantile(0.5), f64::INFINITY);
        }
        assert_eq!(
            Gim1::round_robin(1.0, 0, 1.0).mean_response(),
            f64::INFINITY
        );
        assert!((Gim1::erlang(0.0, 3, 2.0).mean_response() - 0.5).abs() < 1e-12);
    }
}
