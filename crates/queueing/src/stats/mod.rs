//! Pure functions on numbers; each cites its source.
//!
//! | file | question it answers |
//! |---|---|
//! | [`interval`] | how well is a mean known from a few replications? |
//! | [`control`] | how much of it was luck that is known? |
//! | [`batch`] | how well is a mean known from one long run? |
//! | [`paired`] | is this strategy shown to be better than the baseline, on the same requests? |
//! | [`welch`] | and if the two did not live through the same requests? |
//! | [`quantile`] | which observation is the p99, and are there enough of them to say? |
//! | [`selection`] | which of several is the best, and is that known yet? |
//! | [`warmup`] | where does the start of a run end? |
//! | [`goodness`] | do these draws follow that distribution? |
//! | [`balance`] | how evenly is work spread over servers? |
//!
//! Nothing here panics on bad input: what cannot be known is `None`, never NaN.

pub mod balance;
pub mod batch;
pub mod control;
pub mod goodness;
pub mod interval;
pub mod moments;
pub mod paired;
pub mod quantile;
pub mod selection;
pub mod warmup;
pub mod welch;

pub use balance::{coefficient_of_variation, jain_index, peak_to_mean};
pub use batch::overlapping_batch_means;
pub use control::{Controlled, controlled};
pub use goodness::{chi_square, kolmogorov_smirnov};
pub use interval::{DEFAULT_LEVEL, Estimate, t_quantile};
pub use moments::Moments;
pub use paired::{Paired, Verdict, holm, holm_adjusted};
pub use quantile::{EXCEEDANCES, estimable, nearest_rank, rank};
pub use selection::{Selection, kim_nelson};
pub use warmup::{Warmup, mser5};
pub use welch::Unpaired;
