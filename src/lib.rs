//! lbsim compares load-balancing strategies by discrete-event simulation.
pub mod report;
pub mod rng;
pub mod time;
pub mod units;
