//! Queueing theory and the statistics of simulation output: pure functions on numbers.

pub mod stats;
pub mod theory;
