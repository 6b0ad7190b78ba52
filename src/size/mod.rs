//! The fewest servers that meet an objective, or the highest load that a fleet sustains.
//!
//! | file | question it answers |
//! |---|---|
//! | [`search`] | which value is tried next, and what is known of the answer? |
//! | [`sounding`] | does the objective hold at a value, and how sure is that? |
//! | [`answer`] | all of it, for each strategy |
//!
//! The search is a bisection: with more servers, or less load, an objective holds that holds
//! already. Every value lives through the same requests, so that what is easier at one of them is
//! easier at the next. At each the objective is decided by intervals over replications, which are
//! doubled as long as they do not decide; the chance of a wrong decision is shared out among all of
//! them beforehand (Bonferroni), so that looking often costs nothing of the confidence.

pub mod answer;
pub mod search;
pub mod sounding;

pub use answer::{Sizes, Strategy, size};
pub use search::Verge;
pub use sounding::{SizeError, Sounding};
