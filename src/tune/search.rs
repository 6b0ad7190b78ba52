//! The search: starts, then CMA-ES from the best of them, then the best few once more.

use std::collections::BTreeMap;
use std::time::Instant;

use cmaes::{CMAESOptions, DVector, TerminationReason};
use serde::Serialize;

use super::rung::{UNSEEN, WHOLE};
use super::space::Candidate;
use super::start;
use super::trial::{TrialError, Trials, is_broken};
use crate::experiment::RunError;
use crate::scenario::file::TuneStart;
use crate::scenario::tuning::Range;
use crate::stats::{Moments, Paired};

/// How sure it must be that a candidate is worse before it is dropped. It need not be very: what is
/// dropped wrongly is found again beside it.
const DROPPED_AT: f64 = 0.8;
/// How many of the best are looked at once more.
const FINALISTS: usize = 6;
/// How the search goes on each rung up to the first with whole runs.
const STAGES: [Stage; WHOLE as usize + 1] = [
    // Weights change by some half of themselves at first.
    Stage {
        step: 0.5,
        least_step: 0.03,
        requests: 0.25,
    },
    Stage {
        step: 0.2,
        least_step: 0.015,
        requests: 0.4,
    },
    Stage {
        step: 0.1,
        least_step: 0.004,
        requests: 1.0,
    },
];
/// The rung on which starts are compared.
const STARTS: u32 = 1;
/// The search ends where candidates differ by less than this share of their loss.
const FLAT: f64 = 5e-4;
/// What simpler weights may cost, as a share of the objective.
const SIMPLER: f64 = 0.005;
/// Weights that cost more than this share of the objective on a few replications, and more than
/// chance explains there, are not looked at on more.
const FAR: f64 = 4.0 * SIMPLER;
/// Generations of one run of CMA-ES at most.
const GENERATIONS: usize = 2000;
/// Strategies that are searched at most.
const STRATEGIES: usize = 3;
/// A strategy that is worse than the best by so much at the start is not searched.
const HOPELESS: f64 = 0.25;

/// How the search goes on a rung.
struct Stage {
    /// The first step.
    step: f64,
    /// Where steps are smaller, it ends.
    least_step: f64,
    /// Requests that it may take, as a share of those that are left.
    requests: f64,
}

/// What ended a search. Of several, the greatest counts: what leaves most to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Its steps, or what they gain, became smaller than matters: nothing better is to be expected
    /// near the answer.
    Tolerance,
    /// It went on without coming closer, or its steps grew without bound.
    Astray,
    /// Its requests ran out (`max-requests`).
    Requests,
    /// Its time ran out (`max-time`).
    Time,
}

/// A candidate that was tried.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Which.
    pub candidate: Candidate,
    /// Where it comes from: the name of a start, or `search`.
    pub from: &'static str,
    /// Its loss, as far as it was measured.
    pub loss: f64,
    /// Parts of its replications that were lived before it was dropped; all of them where it was
    /// not.
    pub parts: u32,
    /// Whether it breaks a constraint, or is fast because it fails.
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
    /// The rung that candidates are lived to.
    stage: u32,
    /// The best of each strategy that was searched.
    finalists: Vec<Candidate>,
    /// What ended it.
    pub ended: Ended,
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
            stage: STARTS,
            finalists: Vec::new(),
            ended: Ended::Tolerance,
        }
    }

    /// The best so far.
    pub fn best(&self) -> Option<&Candidate> {
        self.best.as_ref()
    }

    /// Searches for what the trials aim at until the requests run out, `share` of those that the
    /// scenario allows, or nothing better is to be expected.
    ///
    /// # Errors
    /// Where it is stopped; what was found so far stands in it.
    pub fn run(&mut self, share: f64) -> Result<Candidate, TrialError> {
        let tuning = self.trials.space.tuning;
        self.until = self.trials.requests + (tuning.max_requests as f64 * share) as u64;
        self.best = None;
        self.tried.clear();
        self.stage = STARTS;
        self.ended = Ended::Tolerance;
        let current = self.trials.space.current();
        self.race(&current, start::name(TuneStart::Current))?;
        let strategies = self.starts()?;
        let each =
            (self.until - self.trials.requests.min(self.until)) / strategies.len().max(1) as u64;
        for (place, from) in strategies.iter().enumerate() {
            let end = self.until - each * (strategies.len() - 1 - place) as u64;
            self.evolve(from, end)?;
        }
        self.finish()
    }

    /// Tries the starts under each strategy; the strategies that are worth searching, each with the
    /// best of its starts.
    fn starts(&mut self) -> Result<Vec<Candidate>, TrialError> {
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
            .map(|(_, _, candidate)| candidate)
            .collect())
    }

    /// What ends the search now, if anything.
    fn is_over(&self, end: u64) -> Option<Ended> {
        let late = |most: crate::time::Span| self.began.elapsed().as_secs_f64() > most.seconds();
        if self.trials.requests >= end {
            Some(Ended::Requests)
        } else {
            let most = self.trials.space.tuning.max_time;
            most.is_some_and(late).then_some(Ended::Time)
        }
    }

    /// CMA-ES from a candidate, rung by rung, until the requests reach `end`, or steps are too
    /// small to change a weight.
    fn evolve(&mut self, from: &Candidate, end: u64) -> Result<(), TrialError> {
        let mut centre = from.clone();
        let has_values = !self.trials.space.point(from).is_empty();
        let mut last = Ended::Tolerance;
        for (rung, stage) in (0..).zip(&STAGES) {
            self.stage = rung;
            self.best = None;
            self.tried.clear();
            let left = end.saturating_sub(self.trials.requests) as f64;
            let until = self.trials.requests + (left * stage.requests) as u64;
            let loss = self.race(&centre, "search")?;
            if !has_values {
                continue;
            }
            // The centre of a rung is the mean of what survived on the one before: chance has less
            // of a hand in it than in whatever candidate was best.
            let rounds = if rung == WHOLE { 3 } else { 1 };
            for round in 0..rounds {
                let step = stage.step / f64::from(1 << round);
                let flat = if rung == 0 { 1e-5 } else { FLAT * loss.abs() };
                let (mean, ended) =
                    self.descend(&centre, (step, stage.least_step), flat, round, until)?;
                last = ended;
                if let Some(mean) = mean {
                    self.race(&mean, "search")?;
                    centre = mean;
                }
                if ended > Ended::Astray {
                    break;
                }
                if round > 0
                    && let Some(best) = &self.best
                {
                    centre = best.clone();
                }
            }
        }
        self.ended = self.ended.max(last);
        let mut order: Vec<(f64, Candidate)> = self
            .evaluations
            .iter()
            .filter(|tried| tried.parts == WHOLE + 1)
            .filter_map(|tried| Some((*self.tried.get(&tried.candidate)?, tried.candidate.clone())))
            .collect();
        order.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| one.1.cmp(&other.1)));
        order.dedup();
        let best = order.into_iter().take(FINALISTS).map(|(_, own)| own);
        self.finalists.extend(best);
        self.finalists.push(centre);
        Ok(())
    }

    /// One run of CMA-ES around a candidate, with a first and a least step: the mean that it ends
    /// with, and what ended it.
    fn descend(
        &mut self,
        centre: &Candidate,
        (step, least): (f64, f64),
        flat: f64,
        round: u64,
        until: u64,
    ) -> Result<(Option<Candidate>, Ended), TrialError> {
        let space = self.trials.space;
        let variant = centre.variant;
        let seed = (space.base.seed ^ variant as u64).wrapping_add(round);
        let (mut failed, mut over) = (None, None);
        let mut measure = |x: &DVector<f64>| {
            over = over.or_else(|| self.is_over(until));
            if failed.is_some() || over.is_some() {
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
        let state = CMAESOptions::new(space.point(centre), step)
            .seed(seed)
            .tol_x(least)
            .tol_fun(flat)
            .build(&mut measure);
        let Ok(mut state) = state else {
            return Ok((None, Ended::Astray));
        };
        let mut mean = None;
        let mut ended = Ended::Astray;
        while state.generation() <= GENERATIONS {
            let done = state.next();
            // The objective itself cannot say that enough is enough.
            let best = state.current_best_individual().map(|best| best.value);
            if best == Some(f64::MAX) {
                break;
            }
            mean = Some(space.candidate(state.mean().as_slice(), variant));
            if let Some(done) = done {
                if done.reasons.iter().any(is_settled) {
                    ended = Ended::Tolerance;
                }
                break;
            }
        }
        drop(state);
        match failed {
            Some(error) => Err(error),
            None => Ok((mean, over.unwrap_or(ended))),
        }
    }

    /// Lives a candidate rung by rung, until it is seen to be worse than the best, on the same
    /// requests. Returns its loss on the last; that of one that was dropped is the best's and what
    /// it was worse by.
    fn race(&mut self, candidate: &Candidate, from: &'static str) -> Result<f64, TrialError> {
        if let Some(&loss) = self.tried.get(candidate) {
            return Ok(loss);
        }
        let best = self.best.clone();
        let mut loss = 0.0;
        let mut parts = 0;
        let mut is_best = best.is_none();
        // Whoever comes to whole runs has been through shorter ones just before.
        for part in self.stage.saturating_sub(1)..=self.stage {
            let own = self.trials.losses(candidate, part)?;
            parts = part + 1;
            loss = mean(&own);
            let Some(best) = &best else {
                continue;
            };
            let others = self.trials.losses(best, part)?;
            is_best = loss <= mean(&others);
            let worse = Paired::at(&own, &others, DROPPED_AT).is_some_and(|paired| {
                paired.difference > paired.half_width.unwrap_or(f64::INFINITY)
            });
            if part < self.stage && (worse || loss > 2.0 * mean(&others).abs()) {
                let further = loss - mean(&others);
                loss = self.loss(best, self.stage)? + further;
                is_best = false;
                break;
            }
        }
        if is_best {
            self.best = Some(candidate.clone());
        }
        self.tried.insert(candidate.clone(), loss);
        let least = match self.best.clone() {
            Some(best) => self.loss(&best, self.stage)?,
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

    /// The mean loss of a candidate on a rung.
    fn loss(&mut self, candidate: &Candidate, part: u32) -> Result<f64, TrialError> {
        Ok(mean(&self.trials.losses(candidate, part)?))
    }

    fn tell(&mut self) -> Result<(), TrialError> {
        let Some(best) = self.best.clone() else {
            return Ok(());
        };
        let current = self.trials.space.current();
        let own = self.trials.losses(&best, self.stage)?;
        let base = self.trials.losses(&current, self.stage)?;
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

    /// The best few, each on all rungs with whole runs: what was best on few may have been lucky.
    /// Then the simplest that is as good.
    fn finish(&mut self) -> Result<Candidate, TrialError> {
        let mut finalists = std::mem::take(&mut self.finalists);
        finalists.push(self.trials.space.current());
        let mut best: Option<(f64, Candidate)> = None;
        for candidate in finalists {
            let loss = self.trials.loss_of(&candidate)?;
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, candidate));
            }
        }
        let (_, best) = best.ok_or(TrialError::Run(RunError::Interrupted))?;
        let best = self.simplest(best)?;
        self.best = Some(best.clone());
        Ok(best)
    }

    /// The simplest weights that are as good as `best`, on requests that no search has seen: on
    /// others `best` was lucky.
    fn simplest(&mut self, best: Candidate) -> Result<Candidate, TrialError> {
        let space = self.trials.space;
        let mut simple = space.simpler(&best);
        for rule in [TuneStart::Current, TuneStart::Capacity] {
            simple.extend(start::candidate(space, rule).map(|mut own| {
                own.variant = best.variant;
                // Values that are no weights stay as they were found.
                for (at, knob) in space.tuning.knobs.iter().enumerate() {
                    if !matches!(knob.range, Range::Weight(..)) {
                        own.settings[at] = best.settings[at].clone();
                    }
                }
                own
            }));
        }
        simple.retain(|own| space.complexity(own) < space.complexity(&best));
        simple.sort_by_cached_key(|own| (space.complexity(own), own.clone()));
        simple.dedup();
        for candidate in simple {
            let mut compare = |part| -> Result<(Vec<f64>, Vec<f64>), TrialError> {
                let own = self.trials.losses(&candidate, part)?;
                Ok((own, self.trials.losses(&best, part)?))
            };
            let (own, least) = compare(WHOLE)?;
            let is_far = mean(&own) > mean(&least) + FAR * mean(&least).abs();
            if is_far && !is_as_good(&own, &least) {
                continue;
            }
            let (own, least) = compare(UNSEEN)?;
            if is_as_good(&own, &least) {
                return Ok(candidate);
            }
        }
        Ok(best)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Whether a run of CMA-ES that ended so had come to where its steps, or what they gain, no longer
/// matter.
fn is_settled(reason: &TerminationReason) -> bool {
    use TerminationReason as Reason;
    matches!(
        reason,
        Reason::TolFun
            | Reason::TolFunRel
            | Reason::TolFunHist
            | Reason::TolX
            | Reason::TolStagnation
            | Reason::NoEffectAxis
            | Reason::NoEffectCoord
    )
}

/// Whether losses are within two standard errors of the least, by pairs, or within [`SIMPLER`]
/// where that is more. The rule of one standard error (Breiman, Friedman, Olshen and Stone,
/// *Classification and Regression Trees*, 1984, section 3.4.3) would pass over weights that are as
/// good one time in six; this does one time in forty.
fn is_as_good(own: &[f64], least: &[f64]) -> bool {
    let more: Moments = own
        .iter()
        .zip(least)
        .map(|(own, least)| own - least)
        .collect();
    let error = more
        .variance()
        .map_or(0.0, |variance| (variance / own.len() as f64).sqrt());
    let margin = (2.0 * error).max(SIMPLER * mean(least).abs());
    more.mean().is_some_and(|more| more <= margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_stops_where_nothing_is_flat_has_gone_astray() {
        use TerminationReason as Reason;
        for settled in [Reason::TolX, Reason::TolFun, Reason::NoEffectAxis] {
            assert!(is_settled(&settled), "{settled:?}");
        }
        // Steps without bound, and a landscape that no ellipsoid fits, end it elsewhere.
        for astray in [Reason::TolXUp, Reason::TolConditionCov] {
            assert!(!is_settled(&astray), "{astray:?}");
        }
        // Of several searches, what leaves most to be found is said.
        assert_eq!(Ended::Tolerance.max(Ended::Astray), Ended::Astray);
        assert_eq!(Ended::Astray.max(Ended::Requests), Ended::Requests);
    }

    #[test]
    fn weights_are_as_good_within_two_standard_errors() {
        // Differences of 0 and 2 in turn: their mean is 1, and its standard error about a half.
        let least = [100.0; 4];
        let own = [100.0, 102.0, 100.0, 102.0];
        assert!(is_as_good(&own, &least), "1 is less than 2 x 0.58");
        let further = [101.0, 103.0, 101.0, 103.0];
        assert!(!is_as_good(&further, &least), "2 is more than 2 x 0.58");
        assert!(is_as_good(&[100.4; 4], &least), "within half a percent");
    }
}
