//! M/G/1-PS: all requests share the server equally.

use super::numeric::keeps_up;

/// One server that works on all its requests at once, as an operating system does. Means do not
/// depend on the distribution of service times.
///
/// Sakata, Noguchi and Oizumi, "An analysis of the M/G/1 queue under round-robin scheduling",
/// Operations Research 19 (1971).
///
/// ```
/// let server = lbsim_queueing::theory::Ps { arrival_rate: 0.8, mean_service: 1.0 };
/// assert!((server.mean_response() - 5.0).abs() < 1e-12);
/// // Small requests do not wait for large ones.
/// assert!((server.mean_response_of(0.1) - 0.5).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ps {
    /// Requests per second.
    pub arrival_rate: f64,
    /// Mean service time alone on the server, seconds.
    pub mean_service: f64,
}

impl Ps {
    /// rho = lambda E\[S\].
    pub fn load(&self) -> f64 {
        self.arrival_rate * self.mean_service
    }

    /// Whether the server keeps up: rho < 1.
    pub fn stable(&self) -> bool {
        keeps_up(self.load())
    }

    /// E\[R\] = E\[S\] / (1 - rho).
    pub fn mean_response(&self) -> f64 {
        self.mean_response_of(self.mean_service)
    }

    /// E\[R given S = x\] = x / (1 - rho): proportional to the request's own size.
    pub fn mean_response_of(&self, service: f64) -> f64 {
        if self.stable() {
            service / (1.0 - self.load())
        } else {
            f64::INFINITY
        }
    }

    /// P(N = n) = (1 - rho) rho^n, whatever the distribution; 0 when unstable.
    pub fn in_system(&self, n: u32) -> f64 {
        if self.stable() {
            (1.0 - self.load()) * self.load().powf(f64::from(n))
        } else {
            0.0
        }
    }

    /// Var\[R\] for *exponential* service: E\[S\]^2 (2 + rho) / ((2 - rho) (1 - rho)^2). Coffman,
    /// Muntz and Trotter, "Waiting time distributions for processor-sharing systems", Journal of
    /// the ACM 17 (1970).
    pub fn exponential_response_variance(&self) -> f64 {
        let rho = self.load();
        if self.stable() {
            self.mean_service.powi(2) * (2.0 + rho) / ((2.0 - rho) * (1.0 - rho).powi(2))
        } else {
            f64::INFINITY
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_server() {
        let idle = Ps {
            arrival_rate: 0.0,
            mean_service: 2.0,
        };
        assert_eq!((idle.mean_response(), idle.in_system(0)), (2.0, 1.0));
        assert_eq!(idle.exponential_response_variance(), 4.0);
    }

    #[test]
    fn overload() {
        let server = Ps {
            arrival_rate: 1.0,
            mean_service: 1.0,
        };
        assert_eq!(server.mean_response(), f64::INFINITY);
        assert_eq!(server.exponential_response_variance(), f64::INFINITY);
        assert_eq!(server.in_system(3), 0.0);
    }
}
