//! lbsim compares load-balancing strategies by discrete-event simulation.

pub mod balancer;
pub mod cli;
pub mod dist;
pub mod engine;
pub mod experiment;
pub mod model;
pub mod observe;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod stats;
pub mod strategy;
pub mod theory;
pub mod time;
pub mod units;
