//! The engine of lbsim: a calendar of future events, random streams that are named after things, distributions, and time in whole
//! nanoseconds. It knows nothing of load balancing.

pub mod distribution;
pub mod events;
pub mod prefetch;
pub mod rng;
pub mod time;
pub mod units;
