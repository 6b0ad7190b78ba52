//! How good a candidate is: every candidate lives through the same requests, sizes and faults, a
//! part of its replications after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::aim::Aim;
use super::rung::{self, Rung, UNSEEN, WHOLE};
use super::space::{Candidate, Space};
use crate::experiment::{
    self, Better, Journal, Metric, Outcome, Progress, Run, RunError, Unsettled, VariantOutcome,
};
use crate::rng::{STEP, finalize};
use crate::scenario::{Scenario, Template};
use crate::time::{Span, Time};

/// A candidate, and the part of its replications.
type Key = (Candidate, u32);

/// What a candidate measured in some replications, by situation and replication, and the requests
/// that this took.
type PartMeasured = (Vec<Vec<Sample>>, u64);

/// The measurements of one search on disk: since the search is a function of what it measures, one
/// that is interrupted goes on by walking the same way, and simulates only what is new.
pub type Measurements = Journal<Key>;

/// The first of the seeds that judge the answer: the search sees none of them.
pub(super) const FRESH: u64 = 1 << 32;

/// A candidate that breaks a constraint is worse than any that does not.
const BROKEN: f64 = 1e6;

/// What one replication says of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The objective, in its own unit; `None` where the run cannot tell.
    pub objective: Option<f64>,
    /// The second objective.
    pub and: Option<f64>,
    /// The share of requests that failed.
    pub errors: f64,
    /// The highest utilization of a server.
    pub utilization: f64,
}

/// Why a measurement did not come about.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// Stopped, or a defect of the program.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It never settles.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// The candidate is none: a value that cannot stand with the others.
    #[error("{0}")]
    Impossible(String),
}

/// The trials of one search.
#[derive(Debug)]
pub struct Trials<'a> {
    /// What may change.
    pub space: &'a Space<'a>,
    template: &'a Template,
    progress: &'a Progress,
    journal: Option<Measurements>,
    known: BTreeMap<Key, PartMeasured>,
    /// Requests simulated for the search, those that a journal had included.
    pub requests: u64,
    /// What the current configuration measured, by situation: what losses are relative to.
    scale: Vec<[f64; 2]>,
    /// The warm-up of each situation, where it was to be found out.
    warmups: Vec<Option<Time>>,
    /// How long candidates live in each part.
    pub(super) rungs: Vec<Rung>,
    /// What counts, where there are two objectives.
    pub aim: Aim,
}

impl<'a> Trials<'a> {
    /// Measures the current configuration, to which all others are compared.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub fn new(
        space: &'a Space<'a>,
        template: &'a Template,
        progress: &'a Progress,
        journal: Option<Measurements>,
    ) -> Result<Trials<'a>, TrialError> {
        let mut trials = Trials {
            space,
            template,
            progress,
            journal,
            known: BTreeMap::new(),
            requests: 0,
            scale: Vec::new(),
            warmups: vec![None; space.tuning.situations.len()],
            rungs: rung::rungs(space),
            aim: Aim::First,
        };
        let current = space.current();
        if space.base.finds_warmup {
            for at in 0..trials.warmups.len() {
                let mut scenario = trials.scenario(&current, at, 1.0)?;
                experiment::settle(&mut scenario)?;
                trials.warmups[at] = Some(scenario.variants[0].blueprint.warmup);
            }
        }
        let measured = trials.part(&current, WHOLE)?;
        trials.scale = trials.scale_of(&measured);
        Ok(trials)
    }

    /// The journal, once the search is over.
    pub fn into_journal(self) -> Option<Measurements> {
        self.journal
    }

    /// The scenario of a candidate in a situation, with its strategy alone; its run is a share as
    /// long.
    fn scenario(
        &self,
        candidate: &Candidate,
        situation: usize,
        share: f64,
    ) -> Result<Scenario, TrialError> {
        let mut sets = self.space.tuning.situations[situation].sets.clone();
        sets.extend(self.space.sets(candidate));
        let mut scenario = self.template.with(&sets).map_err(|faults| {
            let why: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
            TrialError::Impossible(format!("{}: {}", sets.join(", "), why.join("; ")))
        })?;
        scenario.variants = vec![scenario.variants.swap_remove(candidate.variant)];
        scenario.baseline = 0;
        scenario.goal = None;
        scenario.measured.clear();
        if let Some(warmup) = self.warmups[situation] {
            scenario.variants[0].blueprint.warmup = warmup;
        }
        if share < 1.0 {
            let plan = &mut scenario.variants[0].blueprint;
            let part =
                |at: Time| Time::ZERO + Span::from_seconds((at - Time::ZERO).seconds() * share);
            (plan.warmup, plan.end) = (part(plan.warmup), part(plan.end));
        }
        Ok(scenario)
    }

    /// Lives candidates in all situations: outcomes by candidate, then situation. Seed number
    /// `seed` is of the scenario's family.
    ///
    /// # Errors
    /// Where it is stopped, or a candidate is none.
    pub fn live(
        &self,
        candidates: &[&Candidate],
        seed: u64,
        replications: u32,
    ) -> Result<Vec<Vec<VariantOutcome>>, TrialError> {
        let share = 1.0;
        self.live_for(
            candidates,
            seed,
            Rung {
                share,
                replications,
            },
        )
    }

    fn live_for(
        &self,
        candidates: &[&Candidate],
        seed: u64,
        rung: Rung,
    ) -> Result<Vec<Vec<VariantOutcome>>, TrialError> {
        let situations = self.space.tuning.situations.len();
        let mut scenarios = Vec::new();
        for candidate in candidates {
            for situation in 0..situations {
                let mut scenario = self.scenario(candidate, situation, rung.share)?;
                scenario.replications = rung.replications;
                scenario.seed = seed_number(self.space.base.seed, seed);
                scenarios.push(scenario);
            }
        }
        let runs: Vec<_> = scenarios.iter().map(|scenario| (scenario, None)).collect();
        let outcomes = experiment::run(&runs, self.progress)?;
        let mut outcomes = outcomes
            .into_iter()
            .map(|mut outcome: Outcome| outcome.variants.remove(0));
        Ok(candidates
            .iter()
            .map(|_| outcomes.by_ref().take(situations).collect())
            .collect())
    }

    /// The samples of an outcome, by replication.
    pub fn samples(&self, outcome: &VariantOutcome) -> Vec<Sample> {
        let value = |run: &Run, metric: Option<&'static Metric>| metric?.value(run);
        let [objective, and] = self.metrics();
        outcome
            .runs
            .iter()
            .map(|run| Sample {
                objective: value(run, objective),
                and: value(run, and),
                errors: run.success_share.map_or(0.0, |share| 1.0 - share),
                utilization: run.utilization_max.unwrap_or(0.0),
            })
            .collect()
    }

    /// The metrics of the objectives.
    pub fn metrics(&self) -> [Option<&'static Metric>; 2] {
        let tuning = self.space.tuning;
        [Some(tuning.objective), tuning.and].map(|metric| metric.map(experiment::metric))
    }

    /// What a candidate measures in one part of its replications, by situation and replication.
    ///
    /// # Errors
    /// Where it is stopped, or the candidate is none.
    pub fn part(
        &mut self,
        candidate: &Candidate,
        part: u32,
    ) -> Result<Vec<Vec<Sample>>, TrialError> {
        let key = (candidate.clone(), part);
        if let Some((samples, _)) = self.known.get(&key) {
            return Ok(samples.clone());
        }
        let noted = self.journal.as_ref().and_then(|journal| journal.find(&key));
        let measured: PartMeasured = match noted {
            Some(measured) => measured,
            None => {
                let rung = self.rungs[part as usize];
                let outcomes = self
                    .live_for(&[candidate], u64::from(part), rung)?
                    .remove(0);
                let samples = outcomes
                    .iter()
                    .map(|outcome| self.samples(outcome))
                    .collect();
                let requests = outcomes.iter().map(|outcome| outcome.simulated).sum();
                if let Some(journal) = &self.journal {
                    journal.note(&key, &(&samples, requests));
                }
                (samples, requests)
            }
        };
        self.requests += measured.1;
        self.known.insert(key, measured.clone());
        Ok(measured.0)
    }

    /// The losses of a candidate in one part, by replication: less is better, and the current
    /// configuration has about 1 (or -1 where more of the metric is better). One that fails more
    /// than the current configuration on the same requests counts as one that breaks a constraint:
    /// by more than [`let_pass`](Trials::let_pass).
    ///
    /// # Errors
    /// Where it is stopped, or the candidate is none.
    pub fn losses(&mut self, candidate: &Candidate, part: u32) -> Result<Vec<f64>, TrialError> {
        let samples = self.part(candidate, part)?;
        let current = self.part(&self.space.current(), part)?;
        let situations = samples.iter().zip(&current);
        let further = situations
            .map(|(own, current)| failed(own) - failed(current) - self.let_pass())
            .fold(self.broken(&samples), f64::max);
        Ok(self.losses_beyond(&samples, &self.scale, further))
    }

    /// By what share of its requests a candidate may fail more than another and still be called
    /// better: what a verdict by its metric lets pass, or no more than chance does where another
    /// metric does not see failures. Where `max-errors` says how much may fail, that alone counts
    /// for metrics that are no response times.
    pub fn let_pass(&self) -> f64 {
        let allowed = self.space.tuning.max_errors.is_some();
        let metrics = self.metrics();
        let pass = metrics.iter().flatten().map(|metric| {
            let is_blind = !metric.is_response_time() && !metric.sees_failures();
            match is_blind && !allowed {
                true => experiment::INDIFFERENCE,
                false => experiment::indifference(metric),
            }
        });
        pass.fold(f64::INFINITY, f64::min)
    }

    /// The mean loss of a candidate over all parts with runs of the whole length that the search
    /// may see.
    ///
    /// # Errors
    /// Where it is stopped, or the candidate is none.
    pub fn loss_of(&mut self, candidate: &Candidate) -> Result<f64, TrialError> {
        let mut losses = Vec::new();
        for part in WHOLE..UNSEEN {
            losses.extend(self.losses(candidate, part)?);
        }
        Ok(losses.iter().sum::<f64>() / losses.len().max(1) as f64)
    }

    /// The losses by replication, of samples by situation and replication; `scale` has what the
    /// metrics are relative to.
    pub fn losses_of(&self, samples: &[Vec<Sample>], scale: &[[f64; 2]]) -> Vec<f64> {
        self.losses_beyond(samples, scale, self.broken(samples))
    }

    /// The losses of a candidate that is `broken` by so much.
    fn losses_beyond(&self, samples: &[Vec<Sample>], scale: &[[f64; 2]], broken: f64) -> Vec<f64> {
        (0..samples[0].len())
            .map(|replication| {
                let all = samples.iter().map(|own| &own[replication]);
                let loss = self.loss(all, scale);
                if broken > 0.0 {
                    BROKEN * (1.0 + broken.min(1e3)) + loss.min(BROKEN)
                } else {
                    loss
                }
            })
            .collect()
    }

    /// How far the worst constraint is exceeded in the worst situation, as a share of it; the means
    /// of all replications count.
    pub fn broken(&self, samples: &[Vec<Sample>]) -> f64 {
        let tuning = self.space.tuning;
        let beyond = |own: &[Sample], of: fn(&Sample) -> f64, limit: Option<f64>| {
            let mean = own.iter().map(of).sum::<f64>() / own.len().max(1) as f64;
            limit.map_or(0.0, |limit| ((mean - limit) / limit.max(1e-6)).max(0.0))
        };
        samples
            .iter()
            .map(|own| {
                beyond(own, |one| one.errors, tuning.max_errors).max(beyond(
                    own,
                    |one| one.utilization,
                    tuning.max_utilization,
                ))
            })
            .fold(0.0, f64::max)
    }

    /// The mean of each metric, or 1 where that is 0 or not known, of samples by situation and
    /// replication.
    pub fn scale_of(&self, samples: &[Vec<Sample>]) -> Vec<[f64; 2]> {
        let mean = |own: &[Sample], of: fn(&Sample) -> Option<f64>| {
            let values: Vec<f64> = own.iter().filter_map(of).collect();
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            if mean == 0.0 { 1.0 } else { mean.abs() }
        };
        samples
            .iter()
            .map(|own| [mean(own, |one| one.objective), mean(own, |one| one.and)])
            .collect()
    }

    fn loss<'s>(&self, situations: impl Iterator<Item = &'s Sample>, scale: &[[f64; 2]]) -> f64 {
        let tuning = self.space.tuning;
        let [objective, and] = self.metrics();
        let relative = |metric: Option<&'static Metric>, value: Option<f64>, scale: f64| {
            let now = metric.map_or(1.0, loss_now);
            value.map_or(BROKEN, |value| now * value / scale)
        };
        let (mut sums, mut weights, mut worst) = ([0.0; 2], 0.0, [f64::NEG_INFINITY; 2]);
        for (at, sample) in situations.enumerate() {
            let losses = [
                relative(objective, sample.objective, scale[at][0]),
                and.map_or(0.0, |_| relative(and, sample.and, scale[at][1])),
            ];
            let weight = tuning.situations[at].weight;
            weights += weight;
            for of in 0..2 {
                sums[of] += weight * losses[of];
                worst[of] = worst[of].max(losses[of]);
            }
        }
        self.aim.of(match tuning.worst {
            true => worst,
            false => sums.map(|sum| sum / weights),
        })
    }
}

/// The loss of a metric as it is now: relative to itself, and less is better.
pub(super) fn loss_now(metric: &Metric) -> f64 {
    match metric.better {
        Better::More => -1.0,
        _ => 1.0,
    }
}

/// The share of requests that failed, in the mean.
fn failed(samples: &[Sample]) -> f64 {
    samples.iter().map(|own| own.errors).sum::<f64>() / samples.len().max(1) as f64
}

/// Whether a loss is of a candidate that breaks a constraint, fails more than the current
/// configuration, or cannot be measured.
pub fn is_broken(loss: f64) -> bool {
    loss >= BROKEN / 1e3
}

/// One of the seeds of a scenario's family: SplitMix64 of the number, on top of the scenario's own.
fn seed_number(seed: u64, number: u64) -> u64 {
    finalize(seed ^ (number + 1).wrapping_mul(STEP))
}
