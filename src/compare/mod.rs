//! Results beside each other: what changed in the scenario, and what came of it.
//!
//! | file | question it answers |
//! |---|---|
//! | [`mod@changes`] | which values of the scenario differ? |
//! | [`mod@matching`] | which strategy of one is compared with which of the other? |
//! | [`versions`] | do two versions of the program give the same values? |
//! | [`verdict`] | are the replications pairs, and is a difference shown? |
//!
//! Two runs of the same seed live through the same luck, as far as what they simulate is the same:
//! streams of random numbers are named after things, not after runs. So the replication of a number
//! in one and that of the same number in the other are a pair, and pairs are independent of each
//! other, whatever changed in the scenario: the paired interval is right, and the more narrow the
//! more the two have in common. What is computed of what was written is the same, to the digit, as
//! if both had been variants of one scenario.

pub mod changes;
pub mod matching;
pub mod verdict;
pub mod versions;

pub use changes::{ChangedValue, changes};
pub use matching::{Contestant, Matching, matching};
pub use verdict::{Contest, Found, Method, Provenance, judge};
