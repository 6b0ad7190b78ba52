//! Queueing theory and the statistics of simulation output: pure functions on numbers, each with
//! its source. Nothing panics on bad input; what cannot be known is `None` or infinite, never NaN.
//!
//! ```
//! use lbsim_queueing::stats::Estimate;
//! use lbsim_queueing::theory::{Mm1, Mmk};
//!
//! // Two servers of 100 requests a second, at 160 a second: one queue, or one each at random.
//! let shared = Mmk { arrival_rate: 160.0, service_rate: 100.0, slots: 2 };
//! let apart = Mm1 { arrival_rate: 80.0, service_rate: 100.0 };
//! assert!(shared.mean_response() < 0.6 * apart.mean_response());
//!
//! // Five replications: the mean, and half of its 95% interval.
//! let estimate = Estimate::of(&[49.1, 51.0, 50.3, 48.8, 50.2]).unwrap();
//! assert!(estimate.half_width.unwrap() < 1.2);
//! ```

pub mod stats;
pub mod theory;
