//! Is the simulator right, and are its intervals honest? Simulations of worlds that theory solves
//! exactly, and experiments repeated until it is seen how often their intervals hold the truth.
//! `lbsim validate` runs all of it; the tests run it in short.

mod coverage;
mod stays;
mod theory;

pub use coverage::{Coverage, coverage, one_run, precision};
pub use theory::{Finding, theory};

/// How much work is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Seconds: a twentieth of the requests, a fifth of the experiments.
    Quick,
    /// A few minutes.
    Full,
}
