//! How long candidates live: short runs first, longer ones for those that survive them.
//!
//! Most of a search is spent on candidates that are far from the best, and a short run tells as
//! much. What settles a search is the long run, which only what is left comes to (successive
//! halving: Jamieson and Talwalkar, AISTATS 2016; the same requests for all make a sample average
//! problem of each rung, whose answer the next begins with: Shapiro, Dentcheva and Ruszczyński,
//! *Lectures on Stochastic Programming*, 2009, chapter 5).

use super::space::Space;
use crate::model::arrivals::Process;
use crate::model::blueprint::When;
use crate::time::Time;

/// A part of what a candidate lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rung {
    /// The length of a run, as a share of the scenario's.
    pub(super) share: f64,
    /// Replications.
    pub replications: u32,
}

/// The place of the first rung with runs of the scenario's whole length; the search ends there, and
/// those after it are for the best few.
pub(super) const WHOLE: u32 = 2;

/// The place of the last rung. No search sees its requests, so that what was best on others has no
/// luck there: on it simpler weights are compared with the best.
pub(super) const UNSEEN: u32 = WHOLE + 3;

/// Requests that a run must have, or short runs say nothing.
const LEAST: f64 = 2_000.0;

/// All rungs.
pub(super) fn rungs(space: &Space<'_>) -> Vec<Rung> {
    let rung = |share, replications| Rung {
        share,
        replications,
    };
    let mut rungs = if is_tied_to_time(space) {
        vec![rung(1.0, 1), rung(1.0, 2)]
    } else {
        let plan = &space.base.variants[space.base.baseline].blueprint;
        let over = plan.end - Time::ZERO;
        let rates = plan.sources.iter().map(|source| source.rate(over));
        // How often closed loops ask is known when they have been lived: a quarter is long enough
        // to tell.
        let least = rates.sum::<Option<f64>>().map_or(0.25, |rate| {
            (LEAST / (rate * over.seconds()).max(1.0)).min(1.0)
        });
        vec![
            rung((1.0f64 / 16.0).max(least), 4),
            rung(0.25f64.max(least), 4),
        ]
    };
    rungs.extend([rung(1.0, 4), rung(1.0, 8), rung(1.0, 16), rung(1.0, 32)]);
    rungs
}

/// Whether something happens at a certain time, which a shorter run would not see.
fn is_tied_to_time(space: &Space<'_>) -> bool {
    let plan = &space.base.variants[space.base.baseline].blueprint;
    let moves = |when: &When| {
        matches!(
            when,
            When::Trace(_) | When::Process(Process::Varying(_) | Process::Ending(..))
        )
    };
    let moments = ["joins", "leaves"];
    let services = space.base.resolved["services"].as_array();
    let groups = services
        .into_iter()
        .flatten()
        .filter_map(|service| service["servers"].as_array())
        .flatten();
    plan.features().faults_in_the_run
        || plan.sources.iter().any(|source| moves(&source.when))
        || groups
            .into_iter()
            .any(|group| moments.iter().any(|key| group.get(key).is_some()))
}
