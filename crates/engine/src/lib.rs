//! The engine of lbsim: a calendar of future events, random streams that are named after things,
//! distributions, and time in whole nanoseconds. It knows nothing of load balancing.
//!
//! | module | holds |
//! |---|---|
//! | [`events`] | the calendar, and the loop that takes what is due from it |
//! | [`time`], [`units`], [`status`] | whole nanoseconds; quantities as text: `"10ms"`, `"800/s"`;
//! statuses of HTTP |
//! | [`rng`] | a stream for each purpose: what one thing draws does not shift what another draws |
//! | [`distribution`] | random quantities that are the same to the bit on every machine |
//! | [`mod@prefetch`] | a hint to the processor |
//!
//! ```
//! use lbsim_engine::distribution::Dist;
//! use lbsim_engine::rng::{Domain, Seeds};
//! use lbsim_engine::time::Span;
//!
//! let text = r#"{ "kind": "lognormal", "mean": "10ms", "cv": 2 }"#;
//! let service: Dist<Span> = serde_json::from_str(text).unwrap();
//! let sampler = service.sampler().unwrap();
//! assert!((sampler.mean() - 0.010).abs() < 1e-12);
//!
//! // The same seed, replication, purpose and number give the same stream.
//! let draw = || sampler.sample(&mut Seeds::new(1, 0).stream(Domain::Luck, 7));
//! assert_eq!(draw(), draw());
//! ```

pub mod distribution;
pub mod events;
pub mod prefetch;
pub mod rng;
pub mod status;
pub mod time;
pub mod units;
