//! M^X/M/1: requests that come in batches.

use super::numeric::keeps_up;

/// Batches of requests at Poisson moments, one server with exponential service. Chaudhry and
/// Templeton, *A First Course in Bulk Queues* (1983); Kleinrock, *Queueing Systems* volume 1
/// (1975), section 4.5.
///
/// ```
/// let pairs = lbsim_queueing::theory::BatchArrivals::of_size(0.8, 1.0, 2);
/// assert!((pairs.mean_response() - 7.5).abs() < 1e-12); // single requests: 5
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchArrivals {
    /// Requests (not batches) per second.
    pub request_rate: f64,
    /// Requests per second that the server works off while busy.
    pub service_rate: f64,
    /// E\[X\], requests in a batch.
    pub mean_size: f64,
    /// E\[X^2\].
    pub second_moment: f64,
}

impl BatchArrivals {
    /// Batches that are all of one size.
    pub fn of_size(request_rate: f64, service_rate: f64, size: u32) -> BatchArrivals {
        let mean_size = f64::from(size);
        BatchArrivals {
            request_rate,
            service_rate,
            mean_size,
            second_moment: mean_size * mean_size,
        }
    }

    /// E\[R\] = (1 + E\[X^2\]/E\[X\]) / (2 (mu - lambda)), over requests.
    pub fn mean_response(&self) -> f64 {
        if keeps_up(self.request_rate / self.service_rate) && self.mean_size > 0.0 {
            (1.0 + self.second_moment / self.mean_size)
                / (2.0 * (self.service_rate - self.request_rate))
        } else {
            f64::INFINITY
        }
    }

    /// E\[N\], by Little's law.
    pub fn mean_in_system(&self) -> f64 {
        self.request_rate * self.mean_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_one_are_mm1() {
        assert!((BatchArrivals::of_size(0.75, 1.0, 1).mean_response() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn overload_and_bad_input() {
        assert_eq!(
            BatchArrivals::of_size(1.0, 1.0, 2).mean_response(),
            f64::INFINITY
        );
        assert_eq!(
            BatchArrivals::of_size(0.5, 1.0, 0).mean_response(),
            f64::INFINITY
        );
    }
}
