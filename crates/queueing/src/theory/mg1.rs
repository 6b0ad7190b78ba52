//! M/G/1, first come first served: Pollaczek and Khinchine.

use super::numeric::keeps_up;

/// One server with any distribution of service times, of which only moments matter.
///
/// Pollaczek (1930), Khinchine (1932); Kleinrock, *Queueing Systems* volume 1 (1975), section 5.6.
///
/// ```
/// use lbsim_queueing::theory::Mg1;
/// let constant = Mg1::with_cv(0.8, 1.0, 0.0);
/// let varied = Mg1::with_cv(0.8, 1.0, 3.0);
/// assert!((constant.mean_wait() - 2.0).abs() < 1e-12);
/// assert!((varied.mean_wait() - 20.0).abs() < 1e-12); // (1 + cv^2) times as long
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mg1 {
    /// Requests per second.
    pub arrival_rate: f64,
    /// E\[S\], seconds.
    pub mean_service: f64,
    /// E\[S^2\], seconds squared.
    pub second_moment: f64,
}

impl Mg1 {
    /// From the coefficient of variation of the service time: E\[S^2\] = E\[S\]^2 (1 + cv^2).
    pub fn with_cv(arrival_rate: f64, mean_service: f64, cv: f64) -> Mg1 {
        Mg1 {
            arrival_rate,
            mean_service,
            second_moment: mean_service * mean_service * (1.0 + cv * cv),
        }
    }

    /// rho = lambda E\[S\].
    pub fn load(&self) -> f64 {
        self.arrival_rate * self.mean_service
    }

    /// Whether the server keeps up: rho < 1.
    pub fn stable(&self) -> bool {
        keeps_up(self.load())
    }

    /// E\[W\] = lambda E\[S^2\] / (2 (1 - rho)).
    pub fn mean_wait(&self) -> f64 {
        if self.stable() {
            self.arrival_rate * self.second_moment / (2.0 * (1.0 - self.load()))
        } else {
            f64::INFINITY
        }
    }

    /// E\[R\] = E\[W\] + E\[S\].
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.mean_service
    }

    /// Var\[W\] = E\[W\]^2 + lambda E\[S^3\] / (3 (1 - rho)), given the third moment of the service
    /// time: Takacs, "A single-server queue with Poisson input", Operations Research 10 (1962).
    pub fn wait_variance(&self, third_moment: f64) -> f64 {
        if self.stable() {
            self.mean_wait().powi(2)
                + self.arrival_rate * third_moment / (3.0 * (1.0 - self.load()))
        } else {
            f64::INFINITY
        }
    }

    /// Var\[R\] = Var\[W\] + Var\[S\]: a request's wait does not depend on its own service time.
    pub fn response_variance(&self, third_moment: f64) -> f64 {
        self.wait_variance(third_moment) + self.second_moment
            - self.mean_service * self.mean_service
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::Mm1;

    #[test]
    fn exponential_service_is_mm1() {
        let general = Mg1::with_cv(3.0, 0.25, 1.0);
        let mm1 = Mm1 {
            arrival_rate: 3.0,
            service_rate: 4.0,
        };
        assert!((general.mean_response() - mm1.mean_response()).abs() < 1e-12);
        assert!((general.response_variance(6.0 / 64.0) - mm1.response_variance()).abs() < 1e-12);
    }

    #[test]
    fn overload() {
        for rate in [1.0, 2.0, -1.0, f64::NAN] {
            assert_eq!(Mg1::with_cv(rate, 1.0, 1.0).mean_response(), f64::INFINITY);
            assert_eq!(
                Mg1::with_cv(rate, 1.0, 1.0).response_variance(6.0),
                f64::INFINITY
            );
        }
    }
}
