//! The simulated world of lbsim: clients, balancers, servers, network, faults, sessions; and what is measured in it.

pub mod model;
pub mod observe;
