//! Measures of a server's load that several products share.

mod peak_ewma;

pub use peak_ewma::PeakEwma;
