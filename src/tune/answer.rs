//! From a scenario to an answer: search, check, sensitivity.

use super::aim::{Aim, BETWEEN};
use super::search::{Ended, Evaluation, Search, Standing};
use super::sensitivity::{self, Landscape, Sensitivity};
use super::space::{Candidate, Space};
use super::start;
use super::trial::{Measurements, TrialError, Trials, loss_now};
use super::verdict::{Confirmation, Role};
use crate::experiment::Progress;
use crate::scenario::Template;
use crate::scenario::file::TuneStart;

/// All that tuning found out.
#[derive(Debug)]
pub struct Answer {
    /// The best candidate: with a front, the one that weighs both metrics alike.
    pub tuned: Candidate,
    /// All that was tried, in order.
    pub evaluations: Vec<Evaluation>,
    /// How it fares on requests that the search has not seen.
    pub check: Confirmation,
    /// What each value does.
    pub sensitivities: Vec<Sensitivity>,
    /// The objective over the two values that matter most.
    pub landscape: Option<Landscape>,
    /// With a second metric: candidates of which none is better than another in both.
    pub front: Vec<Point>,
    /// Requests simulated by the search.
    pub requests: u64,
    /// What ended the search; of several, what leaves most to be found.
    pub ended: Ended,
}

impl Answer {
    /// What to take: what was found where it is shown to be better than the current configuration,
    /// and that otherwise.
    pub fn recommended(&self) -> &Candidate {
        if self.check.gains() {
            &self.tuned
        } else {
            &self.check.contenders[0].candidate
        }
    }
}

/// A point of a front.
#[derive(Debug)]
pub struct Point {
    /// The candidate.
    pub candidate: Candidate,
    /// The two metrics, in their own units, on requests that the search has not seen, in the first
    /// situation.
    pub values: [f64; 2],
    /// The same of the current configuration.
    pub current: [f64; 2],
}

/// A search that was stopped, and what it had found.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub error: TrialError,
    /// The best so far.
    pub best: Option<Candidate>,
    /// All that was tried, in order.
    pub evaluations: Vec<Evaluation>,
}

/// Tunes what a space holds. `watch` hears of each candidate that was tried.
///
/// # Errors
/// Where it is stopped: with what was found so far.
pub fn tune(
    space: &Space<'_>,
    template: &Template,
    journal: Option<Measurements>,
    progress: &Progress,
    watch: &mut dyn FnMut(&Standing<'_>),
) -> Result<(Answer, Option<Measurements>), Box<Stopped>> {
    let stopped = |error: TrialError| {
        Box::new(Stopped {
            error,
            best: None,
            evaluations: Vec::new(),
        })
    };
    let mut trials = Trials::new(space, template, progress, journal).map_err(stopped)?;
    let mut found = Vec::new();
    let mut evaluations = Vec::new();
    let ends: &[Aim] = match space.tuning.and {
        None => &[Aim::First],
        Some(_) => &[Aim::First, Aim::Second],
    };
    let mut ended = Ended::Tolerance;
    let mut aims = ends.to_vec();
    let mut at = 0;
    while let Some(&aim) = aims.get(at) {
        at += 1;
        trials.aim = aim;
        let mut search = Search::new(&mut trials, watch);
        let searches = ends.len() + (ends.len() - 1) * BETWEEN.len();
        let best = search.run(1.0 / searches as f64);
        let last = search.best().cloned();
        ended = ended.max(search.ended);
        evaluations.append(&mut search.evaluations);
        let known = best.and_then(|best| {
            found.push(best);
            match (space.tuning.and, &found[..]) {
                (Some(_), [first, second]) => between(&mut trials, first, second),
                _ => Ok(Vec::new()),
            }
        });
        match known {
            Ok(more) => aims.extend(more),
            Err(error) => {
                return Err(Box::new(Stopped {
                    error,
                    best: last,
                    evaluations,
                }));
            }
        }
    }
    // Of a front, the middle is what is checked.
    let middle = match found.len() {
        1 => 0,
        count => ends.len() + (count - ends.len()) / 2,
    };
    let tuned = found[middle].clone();
    trials.aim = match trials.metrics() {
        [Some(one), Some(two)] => Aim::Mean {
            now: [one, two].map(loss_now),
        },
        _ => aims[middle],
    };
    let rest = || -> Result<_, TrialError> {
        let mut contenders = vec![(Role::Current, space.current())];
        let simple = start::candidate(space, TuneStart::Capacity);
        contenders.extend(simple.map(|simple| (Role::Capacity, simple)));
        // What else the scenario compares may beat all weights, and whoever asks for these should
        // know.
        for (variant, own) in space.base.variants.iter().enumerate() {
            let mut other = space.current();
            other.variant = variant;
            if variant != space.base.baseline && !own.is_oracle() && other != tuned {
                contenders.push((Role::Variant(own.name.clone()), other));
            }
        }
        contenders.push((Role::Tuned, tuned.clone()));
        let check = Confirmation::run(&trials, contenders, space.tuning.confirmations)?;
        let sensitivities = sensitivity::sensitivities(&trials, &tuned)?;
        let landscape = sensitivity::landscape(&trials, &tuned, &sensitivities)?;
        let front = front(&trials, &found)?;
        Ok((check, sensitivities, landscape, front))
    };
    match rest() {
        Ok((check, sensitivities, landscape, front)) => {
            let answer = Answer {
                tuned,
                evaluations,
                check,
                sensitivities,
                landscape,
                front,
                requests: trials.requests,
                ended,
            };
            Ok((answer, trials.into_journal()))
        }
        Err(error) => Err(Box::new(Stopped {
            error,
            best: Some(tuned),
            evaluations,
        })),
    }
}

/// What is aimed at between the ends of a front, of which each is the best in one metric.
fn between(
    trials: &mut Trials<'_>,
    first: &Candidate,
    second: &Candidate,
) -> Result<Vec<Aim>, TrialError> {
    let mut losses = |aim: Aim| -> Result<[f64; 2], TrialError> {
        trials.aim = aim;
        Ok([trials.loss_of(first)?, trials.loss_of(second)?])
    };
    let (one, two) = (losses(Aim::First)?, losses(Aim::Second)?);
    let aim = |&share: &f64| Aim::Both {
        share,
        ideal: [one[0], two[1]],
        nadir: [one[1], two[0]],
    };
    Ok(BETWEEN.iter().map(aim).collect())
}

/// Those of `found` of which none is better than another in both metrics, on requests that the
/// search has not seen.
fn front(trials: &Trials<'_>, found: &[Candidate]) -> Result<Vec<Point>, TrialError> {
    if trials.space.tuning.and.is_none() {
        return Ok(Vec::new());
    }
    let mut candidates: Vec<&Candidate> = found.iter().collect();
    candidates.sort();
    candidates.dedup();
    let current = trials.space.current();
    let mut all = vec![&current];
    all.extend(&candidates);
    let lived = trials.live(&all, super::trial::FRESH, trials.space.tuning.confirmations)?;
    let values: Vec<[f64; 2]> = lived
        .iter()
        .map(|outcomes| trials.scale_of(&[trials.samples(&outcomes[0])])[0])
        .collect();
    let sign = trials
        .metrics()
        .map(|metric| match metric.map(|metric| metric.better) {
            Some(crate::experiment::Better::More) => -1.0,
            _ => 1.0,
        });
    let no_worse = |one: &[f64; 2], other: &[f64; 2]| {
        (0..2).all(|at| sign[at] * one[at] <= sign[at] * other[at])
    };
    let mut points: Vec<Point> = (1..all.len())
        .filter(|&at| {
            !(1..all.len()).any(|other| {
                other != at && no_worse(&values[other], &values[at]) && values[other] != values[at]
            })
        })
        .map(|at| Point {
            candidate: all[at].clone(),
            values: values[at],
            current: values[0],
        })
        .collect();
    points.sort_by(|one, other| one.values[0].total_cmp(&other.values[0]));
    Ok(points)
}
