//! The search: starts, then CMA-ES from the best of them, then the best few once more.

use std::collections::BTreeMap;
use std::time::Instant;

use cmaes::{CMAESOptions, DVector};

use super::space::Candidate;
use super::start;
use super::trial::{PARTS, TrialError, Trials, is_broken};
use crate::experiment::RunError;
use crate::stats::Paired;

/// How sure it must be that a candidate is worse before it is dropped. It need not be very: what is dropped wrongly is found again
/// beside it.
const DROPPED_AT: f64 = 0.8;
/// Parts that a candidate goes through which is not dropped; the last part is for the best few.
const RACE: u32 = PARTS.len() as u32 - 1;
/// How many of the best are looked at once more.
const FINALISTS: usize = 6;
/// The first step: weights change by some half of themselves.
const FIRST_STEP: f64 = 0.5;
/// Strategies that are searched at most.
const STRATEGIES: usize = 3;
/// A strategy that is worse than the best by so much at the start is not searched.
const HOPELESS: f64 = 0.25;

/// A candidate that was tried.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Which.
    pub candidate: Candidate,
    /// Where it comes from: the name of a start, or `search`.
    pub from: &'static str,
    /// Its loss, as far as it was measured.
    pub loss: f64,
    /// Parts of its replications that were lived before it was dropped; all of them where it was not.
    pub parts: u32,
    /// Whether it breaks a constraint.
    pub broken: bool,
    /// The least loss so far of those that were not dropped.
    pub best: f64,
    /// Requests simulated so far.
    pub requests: u64,
}

/// How far a search is.
#[derive(Clone, Debug)]
pub struct Standing<'s> {
    /// Candidates tried.
    pub evaluations: usize,
    /// The best so far.
    pub best: &'s Candidate,
    /// Its loss, relative to the current configuration.
    pub loss: f64,
    /// The loss of the current configuration on the same requests.
    pub current: f64,
    /// Half the width of the 95% interval of the difference between the two.
    pub margin: Option<f64>,
    /// Requests simulated, and how many may be.
    pub requests: (u64, u64),
}

/// A search under way, and what it has found.
pub struct Search<'t, 'a> {
    trials: &'t mut Trials<'a>,
    watch: &'t mut dyn FnMut(&Standing<'_>),
    began: Instant,
    /// All that was tried, in order.
    pub evaluations: Vec<Evaluation>,
    tried: BTreeMap<Candidate, f64>,
    best: Option<Candidate>,
    /// Requests after which the search ends.
    until: u64,
}

impl std::fmt::Debug for Search<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("evaluations", &self.evaluations.len())
            .finish()
    }
}

impl<'t, 'a> Search<'t, 'a> {
    /// A search that has tried nothing.
    pub fn new(
        trials: &'t mut Trials<'a>,
        watch: &'t mut dyn FnMut(&Standing<'_>),
    ) -> Search<'t, 'a> {
        Search {
            trials,
            watch,
            began: Instant::now(),
            evaluations: Vec::new(),
            tried: BTreeMap::new(),
            best: None,
            until: 0,
        }
    }

    /// The best so far.
    pub fn best(&self) -> Option<&Candidate> {
        self.best.as_ref()
    }

    /// Searches for what the trials aim at until the requests run out, `share` of those that the scenario allows, or nothing
    /// better is to be expected.
    ///
    /// # Errors
    /// Where it is stopped; what was found so far stands in it.
    pub fn run(&mut self, share: f64) -> Result<Candidate, TrialError> {
        let tuning = self.trials.space.tuning;
        self.until = self.trials.requests + (tuning.max_requests as f64 * share) as u64;
        self.best = None;
        self.tried.clear();
        let current = self.trials.space.current();
        self.race(
            &current,
            start::name(crate::scenario::file::TuneStart::Current),
        )?;
        let strategies = self.starts()?;
        let each =
            (self.until - self.trials.requests.min(self.until)) / strategies.len().max(1) as u64;
        for (place, (variant, from)) in strategies.iter().enumerate() {
            let end = self.until - each * (strategies.len() - 1 - place) as u64;
            self.evolve(from, *variant, end)?;
        }
        self.finish()
    }

    /// Tries the starts under each strategy; the strategies that are worth searching, each with the best of its starts.
    fn starts(&mut self) -> Result<Vec<(usize, Candidate)>, TrialError> {
        let space = self.trials.space;
        let variants: Vec<usize> = if space.tuning.strategies {
            (0..space.base.variants.len())
                .filter(|&at| !space.base.variants[at].is_oracle())
                .collect()
        } else {
            vec![space.base.baseline]
        };
        let mut found: Vec<(f64, usize, Candidate)> = Vec::new();
        for &variant in &variants {
            let mut best: Option<(f64, Candidate)> = None;
            for &rule in &space.tuning.starts {
                let Some(mut candidate) = start::candidate(space, rule) else {
                    continue;
                };
                candidate.variant = variant;
                let loss = self.race(&candidate, start::name(rule))?;
                if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                    best = Some((loss, candidate));
                }
            }
            let mut plain = space.current();
            plain.variant = variant;
            let (loss, candidate) = match best {
                Some(best) => best,
                None => (self.race(&plain, "current")?, plain),
            };
            found.push((loss, variant, candidate));
        }
        found.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let least = found[0].0;
        let worth = |loss: f64| loss <= least + HOPELESS * least.abs();
        found.retain(|(loss, ..)| worth(*loss));
        found.truncate(STRATEGIES);
        Ok(found
            .into_iter()
            .map(|(_, variant, candidate)| (variant, candidate))
            .collect())
    }

    fn is_over(&self, end: u64) -> bool {
        let late = |most: crate::time::Span| self.began.elapsed().as_secs_f64() > most.seconds();
        self.trials.requests >= end || self.trials.space.tuning.max_time.is_some_and(late)
    }

    /// CMA-ES from a candidate, until the requests reach `end`, or steps are too small to change a weight.
    fn evolve(&mut self, from: &Candidate, variant: usize, end: u64) -> Result<(), TrialError> {
        let space = self.trials.space;
        let point = space.point(from);
        if point.is_empty() {
            return Ok(());
        }
        let seed = space.base.seed ^ variant as u64;
        let mut failed = None;
        let mut step = FIRST_STEP;
        let mut centre = point;
        // Where a run has ended early, another one from the best so far may still find better.
        for round in 0..3 {
            let mut over = false;
            let mut measure = |x: &DVector<f64>| {
                if failed.is_some() || self.is_over(end) {
                    over = true;
                    return f64::MAX;
                }
                let candidate = space.candidate(x.as_slice(), variant);
                self.race(&candidate, "search")
                    .unwrap_or_else(|error| match error {
                        TrialError::Impossible(_) => f64::MAX,
                        error => {
                            failed = Some(error);
                            f64::MAX
                        }
                    })
            };
            let state = CMAESOptions::new(centre.clone(), step)
                .seed(seed.wrapping_add(round))
                .tol_x(0.004)
                .tol_fun(1e-5)
                .build(&mut measure);
            let Ok(mut state) = state else {
                return Ok(());
            };
            while state.next().is_none() {
                if state.generation() > 2000 {
                    break;
                }
                // The objective itself cannot say that enough is enough.
                if state
                    .current_best_individual()
                    .is_some_and(|best| best.value == f64::MAX)
                {
                    break;
                }
            }
            drop(state);
            if let Some(error) = failed.take() {
                return Err(error);
            }
            if over || self.is_over(end) {
                break;
            }
            let best = self.best.clone().filter(|best| best.variant == variant);
            centre = space.point(best.as_ref().unwrap_or(from));
            step /= 2.0;
        }
        Ok(())
    }

    /// Lives a candidate part by part, until it is seen to be worse than the best, on the same requests. Returns its loss; that of
    /// one that was dropped is the best's and what it was worse by.
    fn race(&mut self, candidate: &Candidate, from: &'static str) -> Result<f64, TrialError> {
        if let Some(&loss) = self.tried.get(candidate) {
            return Ok(loss);
        }
        let best = self.best.clone();
        let (mut own, mut others) = (Vec::new(), Vec::new());
        let mut parts = 0;
        let mut dropped = false;
        for part in 0..RACE {
            own.extend(self.trials.losses(candidate, part)?);
            parts += 1;
            let Some(best) = &best else {
                continue;
            };
            others.extend(self.trials.losses(best, part)?);
            let worse = Paired::at(&own, &others, DROPPED_AT).is_some_and(|paired| {
                paired.difference > paired.half_width.unwrap_or(f64::INFINITY)
            });
            if worse || mean(&own) > 2.0 * mean(&others).abs() {
                dropped = true;
                break;
            }
        }
        let mut loss = mean(&own);
        if let Some(best) = &best
            && dropped
        {
            loss = self.loss(best, RACE)? + mean(&own) - mean(&others);
        }
        if !dropped && best.is_none_or(|_| mean(&own) <= mean(&others)) {
            self.best = Some(candidate.clone());
        }
        self.tried.insert(candidate.clone(), loss);
        let least = match self.best.clone() {
            Some(best) => self.loss(&best, RACE)?,
            None => loss,
        };
        self.evaluations.push(Evaluation {
            candidate: candidate.clone(),
            from,
            loss,
            parts,
            broken: is_broken(loss),
            best: least,
            requests: self.trials.requests,
        });
        self.tell()?;
        Ok(loss)
    }

    /// The mean loss of a candidate over its first parts.
    fn loss(&mut self, candidate: &Candidate, parts: u32) -> Result<f64, TrialError> {
        Ok(mean(&self.all_losses(candidate, parts)?))
    }

    fn all_losses(&mut self, candidate: &Candidate, parts: u32) -> Result<Vec<f64>, TrialError> {
        let mut losses = Vec::new();
        for part in 0..parts {
            losses.extend(self.trials.losses(candidate, part)?);
        }
        Ok(losses)
    }

    fn tell(&mut self) -> Result<(), TrialError> {
        let Some(best) = self.best.clone() else {
            return Ok(());
        };
        let current = self.trials.space.current();
        let own = self.all_losses(&best, RACE)?;
        let base = self.all_losses(&current, RACE)?;
        (self.watch)(&Standing {
            evaluations: self.evaluations.len(),
            best: &best,
            loss: mean(&own),
            current: mean(&base),
            margin: Paired::of(&own, &base).and_then(|paired| paired.half_width),
            requests: (self.trials.requests, self.until),
        });
        Ok(())
    }

    /// The best few, each with all of its replications: what was best on few may have been lucky.
    fn finish(&mut self) -> Result<Candidate, TrialError> {
        let mut order: Vec<(f64, Candidate)> = self
            .evaluations
            .iter()
            .filter(|tried| tried.parts == RACE)
            .filter_map(|tried| Some((*self.tried.get(&tried.candidate)?, tried.candidate.clone())))
            .collect();
        order.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| one.1.cmp(&other.1)));
        order.dedup();
        let mut finalists: Vec<Candidate> = order
            .into_iter()
            .take(FINALISTS)
            .map(|(_, own)| own)
            .collect();
        let current = self.trials.space.current();
        if !finalists.contains(&current) {
            finalists.push(current);
        }
        let mut best: Option<(f64, Candidate)> = None;
        for candidate in finalists {
            let loss = self.loss(&candidate, PARTS.len() as u32)?;
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, candidate));
            }
        }
        let (_, best) = best.ok_or(TrialError::Run(RunError::Interrupted))?;
        self.best = Some(best.clone());
        Ok(best)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
