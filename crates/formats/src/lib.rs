//! Configurations and access logs of real balancers, read as they are found.

pub mod config;
pub mod logs;
pub mod prose;
pub mod tabular;
