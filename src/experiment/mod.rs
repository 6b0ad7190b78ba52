//! Experiments: all cells of a plan lived in parallel, what they measured put together, and what
//! that says.
//!
//! A cell is one variant of a scenario in one replication: a pure function of the two and the seed.
//! Cells share nothing and are put together by sums of whole numbers, so the outcome does not
//! depend on the number of threads or on who finishes first.

mod analysis;
mod asked;
mod caution;
mod cell;
mod comparison;
mod detections;
mod exact;
mod flow;
mod goal;
#[cfg(feature = "files")]
mod journal;
mod judged;
mod matched;
mod metric;
mod outcome;
mod rulings;
mod run;
mod services;
mod settle;
#[cfg(not(feature = "files"))]
mod unnoted;
mod withheld;

pub use analysis::{Analysis, groups};
pub use asked::{Ask, AskOutcome};
pub use caution::cautions;
pub use cell::Run;
pub(crate) use cell::milliseconds;
pub use comparison::{
    Comparison, Figure, adjust, comparisons, controlled, difference, estimate, ranking,
};
pub use detections::{DetectionFigures, DetectionOutcome};
pub use exact::Exact;
pub use flow::Flow;
pub use goal::{Width, selection, width};
#[cfg(feature = "files")]
pub use journal::{CellKey, Journal};
pub use judged::{Judged, judge};
pub use metric::{Better, Estimator, Known, METRICS, Metric, Of, Reading, Unit, metric, metrics};
pub use outcome::{Outcome, Replicated, VariantOutcome};
pub use rulings::{Ruling, rulings};
pub use run::{Noted, Progress, RunError, run};
pub use services::{ServiceFigures, ServiceOutcome};
pub use settle::{Unsettled, settle};
#[cfg(not(feature = "files"))]
pub use unnoted::{CellKey, Journal};
pub use withheld::{INDIFFERENCE, Withheld, eligible, failed, fails_more, indifference};
