//! All cells of all scenarios, in parallel, in rounds: after each, those that are not as sure as
//! they are asked to be get more replications.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::asked::Ask;
use super::goal::{self, Next};
use super::outcome::{Outcome, VariantOutcome};
use super::{CellKey, Journal};
use crate::model::{self, Stopped};
use crate::observe::Tally;
use crate::observe::laws::violations;
use crate::parallel;
use crate::scenario::{Scenario, Variant};

/// How far an experiment is. Shared by its threads and by whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    /// Cells done.
    pub cells: AtomicU64,
    /// Cells known to be needed, so far.
    pub planned: AtomicU64,
    /// Requests simulated.
    pub requests: AtomicU64,
    /// Set to stop the experiment.
    pub stop: AtomicBool,
    /// Set when all cells are done, and nobody looks at `stop` any more.
    pub over: AtomicBool,
}

/// Why an experiment has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It was stopped before its end.
    #[error("interrupted")]
    Interrupted,
    /// In a cell, time does not move on.
    #[error("{scenario}: replication {replication} of {variant} would never end: {stopped}")]
    StandsStill {
        /// The scenario's file.
        scenario: String,
        /// The variant.
        variant: String,
        /// The replication.
        replication: u32,
        /// When, and by how many events.
        stopped: Stopped,
    },
    /// A cell contradicts itself: a defect of the program.
    #[error(
        "`{law}` does not hold in replication {replication} of {variant} ({scenario}): {found}; this is a defect of lbsim, please report it with the scenario"
    )]
    Broken {
        /// The scenario's file.
        scenario: String,
        /// The variant.
        variant: String,
        /// The replication.
        replication: u32,
        /// The law.
        law: &'static str,
        /// What was found.
        found: String,
    },
}

/// One scenario under way.
struct Trial<'a> {
    scenario: &'a Scenario,
    journal: Option<(&'a Journal<CellKey>, u32)>,
    variants: Vec<Mutex<VariantOutcome>>,
    /// Replications done.
    done: u32,
    /// Replications that are to be done by the end of the round.
    planned: u32,
    reached: Option<bool>,
}

impl Trial<'_> {
    fn new<'a>(scenario: &'a Scenario, journal: Option<(&'a Journal<CellKey>, u32)>) -> Trial<'a> {
        let variants = scenario.variants.iter();
        let asks = Ask::all(&scenario.requirements);
        Trial {
            scenario,
            journal,
            variants: variants
                .map(|variant| {
                    Mutex::new(VariantOutcome::new(variant, &scenario.percentiles, &asks))
                })
                .collect(),
            done: 0,
            planned: scenario.replications,
            reached: None,
        }
    }

    fn grow(&mut self) {
        for variant in &mut self.variants {
            variant
                .get_mut()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .grow(self.planned);
        }
    }

    /// The cells of this round: replication and variant.
    fn cells(&self) -> impl Iterator<Item = (u32, usize)> + use<> {
        let variants = self.variants.len();
        (self.done..self.planned)
            .flat_map(move |replication| (0..variants).map(move |v| (replication, v)))
    }

    /// Puts the round to what was known, and plans the next one where that is not enough.
    fn conclude(&mut self) {
        self.done = self.planned;
        let Some(goal) = &self.scenario.goal else {
            return;
        };
        let variants: Vec<&VariantOutcome> = self
            .variants
            .iter_mut()
            .map(|variant| {
                &*variant
                    .get_mut()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
            })
            .collect();
        match goal::next(goal, self.scenario, &variants) {
            Next::Reached => self.reached = Some(true),
            Next::Replications(more) => {
                // Requests are as many in each replication, but for chance.
                let spent: u64 = variants.iter().map(|variant| variant.simulated).sum();
                let affordable = goal.max_requests.map_or(u64::MAX, |budget| {
                    budget.saturating_mul(u64::from(self.done)) / spent.max(1)
                });
                let most = goal.max_replications.min(affordable.min(1 << 31) as u32);
                self.planned = more.min(most).max(self.done);
                self.reached = Some(false);
            }
        }
    }
}

/// A scenario to run, and where its cells are noted, if anywhere: a journal, and the scenario's
/// number in it.
pub type Noted<'a> = (&'a Scenario, Option<(&'a Journal<CellKey>, u32)>);

/// Lives all cells of `scenarios` on the threads of the current rayon pool where there are any. The
/// outcome is the same for any number of threads. Each scenario may come with the journal of its
/// run, and its place in it: what stands there is not lived again, and what is lived is noted
/// there.
///
/// # Errors
/// Where [`Progress::stop`] was set, and where a cell contradicts itself.
pub fn run(scenarios: &[Noted<'_>], progress: &Progress) -> Result<Vec<Outcome>, RunError> {
    let mut trials: Vec<Trial<'_>> = scenarios
        .iter()
        .map(|&(scenario, journal)| Trial::new(scenario, journal))
        .collect();
    loop {
        trials.iter_mut().for_each(Trial::grow);
        let cells: Vec<(usize, u32, usize)> = trials
            .iter()
            .enumerate()
            .flat_map(|(at, trial)| {
                trial
                    .cells()
                    .map(move |(replication, v)| (at, replication, v))
            })
            .collect();
        if cells.is_empty() {
            break;
        }
        progress
            .planned
            .fetch_add(cells.len() as u64, Ordering::Relaxed);
        parallel::try_map(cells, |(at, replication, variant)| {
            live(&trials[at], replication, variant, progress)
        })?;
        trials.iter_mut().for_each(Trial::conclude);
    }
    let open = |outcome: Mutex<VariantOutcome>| {
        outcome
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    Ok(trials
        .into_iter()
        .map(|trial| Outcome {
            variants: trial.variants.into_iter().map(open).collect(),
            reached: trial.reached,
        })
        .collect())
}

/// Lives one cell.
fn live(
    trial: &Trial<'_>,
    replication: u32,
    variant: usize,
    progress: &Progress,
) -> Result<(), RunError> {
    let plan = &trial.scenario.variants[variant];
    let known: Option<Tally> = trial
        .journal
        .and_then(|(journal, place)| journal.find(&(place, variant as u32, replication)));
    let tally = match known {
        Some(tally) => {
            progress
                .requests
                .fetch_add(tally.simulated, Ordering::Relaxed);
            tally
        }
        None => {
            let tally = simulate(trial, plan, replication, progress)?;
            if let Some((journal, place)) = trial.journal {
                journal.note(&(place, variant as u32, replication), &tally);
            }
            tally
        }
    };
    let mut outcome = trial.variants[variant]
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    outcome.take(plan, replication, &tally);
    progress.cells.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// What a cell measures, and whether that can be.
fn simulate(
    trial: &Trial<'_>,
    plan: &Variant,
    replication: u32,
    progress: &Progress,
) -> Result<Tally, RunError> {
    let mut watch = |requests| {
        progress.requests.fetch_add(requests, Ordering::Relaxed);
        !progress.stop.load(Ordering::Relaxed)
    };
    let seed = trial.scenario.seed;
    let tally = model::run_watched(&plan.blueprint, seed, replication, None, &mut watch).map_err(
        |stopped| match stopped {
            Stopped::Interrupted => RunError::Interrupted,
            Stopped::StandsStill { .. } => RunError::StandsStill {
                scenario: trial.scenario.file_name.clone(),
                variant: plan.name.clone(),
                replication,
                stopped,
            },
        },
    )?;
    if let Some(violation) = violations(&tally).into_iter().next() {
        return Err(RunError::Broken {
            scenario: trial.scenario.file_name.clone(),
            variant: plan.name.clone(),
            replication,
            law: violation.law,
            found: violation.found,
        });
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_of_requests_ends_the_search() {
        // 10 replications of 2 strategies cost some 8,000 requests; the goal would take millions.
        let text = |more: &str| {
            format!(
                "question = '?'\nexpect = '!'\n[run]\nduration = '5s'\ncompare = ['random', 'round-robin']\n\
                 precision = '0.01% of mean'\n{more}\n[[clients]]\narrivals = {{ kind = 'poisson', rate = '80/s' }}\n\
                 [[services]]\nname = 'web'\nservers = [{{ service = {{ kind = 'exponential', mean = '10ms' }} }}]\n"
            )
        };
        for (budget, least) in [(60_000, 55_000), (1, 7_000)] {
            let text = text(&format!("max-requests = {budget}"));
            let scenario = Scenario::from_text("web.toml", &text).unwrap();
            let outcome = run(&[(&scenario, None)], &Progress::default()).unwrap();
            let spent: u64 = outcome[0].variants.iter().map(|v| v.simulated).sum();
            assert_eq!(outcome[0].reached, Some(false));
            // What is beyond is the pilot, and chance: under 2% of the requests.
            assert!(
                spent >= least && spent <= (budget * 102 / 100).max(9_000),
                "{spent}"
            );
        }
    }
}
