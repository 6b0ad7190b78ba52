//! All cells of all scenarios, in parallel.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use super::outcome::{Outcome, VariantOutcome};
use crate::model;
use crate::scenario::Scenario;

/// How far an experiment is. Shared by its threads and by whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    /// Cells done.
    pub cells: AtomicU64,
    /// Requests simulated.
    pub requests: AtomicU64,
    /// Set to stop the experiment.
    pub stop: AtomicBool,
}

/// The experiment was stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Lives all cells of `scenarios` on the threads of the current rayon pool. The outcome is the same for any
/// number of threads.
///
/// # Errors
/// Where [`Progress::stop`] was set.
pub fn run(scenarios: &[&Scenario], progress: &Progress) -> Result<Vec<Outcome>, Interrupted> {
    let outcomes: Vec<Vec<Mutex<VariantOutcome>>> = scenarios
        .iter()
        .map(|scenario| {
            scenario
                .variants
                .iter()
                .map(|variant| Mutex::new(VariantOutcome::new(scenario, variant)))
                .collect()
        })
        .collect();
    let cells: Vec<(usize, u32, usize)> = scenarios
        .iter()
        .enumerate()
        .flat_map(|(at, scenario)| {
            let variants = scenario.variants.len();
            (0..scenario.replications)
                .flat_map(move |replication| (0..variants).map(move |v| (at, replication, v)))
        })
        .collect();
    // One cell at a time for each thread: cells differ widely in length.
    cells
        .into_par_iter()
        .with_max_len(1)
        .try_for_each(|(at, replication, variant)| {
            let scenario = scenarios[at];
            let plan = &scenario.variants[variant];
            let tally = model::run_watched(
                &plan.blueprint,
                scenario.seed,
                replication,
                &mut |requests| {
                    progress.requests.fetch_add(requests, Ordering::Relaxed);
                    !progress.stop.load(Ordering::Relaxed)
                },
            )
            .ok_or(Interrupted)?;
            let mut outcome = outcomes[at][variant]
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            outcome.take(plan, replication, &tally);
            progress.cells.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })?;
    let open = |outcome: Mutex<VariantOutcome>| {
        outcome
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    Ok(outcomes
        .into_iter()
        .map(|variants| Outcome {
            variants: variants.into_iter().map(open).collect(),
        })
        .collect())
}
