//! Weights, and other values of a scenario, that are better than those that it has.
//!
//! | file | question it answers |
//! |---|---|
//! | [`space`] | what may change, and how does a point of the search become a scenario? |
//! | [`start`] | where does the search begin? |
//! | [`trial`] | how good is a candidate, on the same requests as all others? |
//! | `rung` | how long does a candidate live? |
//! | [`aim`] | which of two metrics counts, and how much? |
//! | [`search`] | which candidates are tried, and which of them is the best? |
//! | [`verdict`] | is it better on requests that the search has not seen, and what does it cost? |
//! | [`sensitivity`] | which values matter, and how far may one stray? |
//! | [`answer`] | all of it, one after the other |
//!
//! The search is the evolution strategy CMA-ES (Hansen, "The CMA evolution strategy: a tutorial",
//! arXiv:1604.00772): it needs no gradients, which a simulation of whole weights does not have, it
//! looks only at which of two candidates is better, so that noise which is common to both does no
//! harm, and it learns which weights go together.

pub mod aim;
pub mod answer;
mod rung;
pub mod search;
pub mod sensitivity;
pub mod space;
pub mod start;
pub mod trial;
pub mod verdict;

pub use answer::{Answer, Stopped, tune};
pub use search::{Ended, Evaluation, Standing};
pub use space::{Candidate, Space};
pub use trial::Measurements;
