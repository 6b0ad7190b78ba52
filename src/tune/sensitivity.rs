//! Which values matter, and how far may one stray: each by itself is made smaller and larger, on
//! requests that the search has not seen; and the landscape over the two that matter most.

use super::space::Candidate;
use super::trial::{FRESH, TrialError, Trials};
use crate::scenario::tuning::{NumberUnit, Range};
use crate::stats::Paired;

/// By how much a value is multiplied.
pub const FACTORS: [f64; 6] = [0.5, 0.7, 0.85, 1.18, 1.43, 2.0];
/// The same for each of the two axes of the landscape.
pub const AXIS: [f64; 7] = [0.71, 0.79, 0.89, 1.0, 1.12, 1.26, 1.41];
/// A loss of this share of the objective is worth speaking of.
pub const WORTH: f64 = 0.01;
/// Replications of each point.
const REPLICATIONS: u32 = 24;
/// Weights are made so large at least that a tenth more is another whole number; products take no
/// part of one.
const FINE: u32 = 10_000;

/// What one value does.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    /// The place of its knob.
    pub knob: usize,
    /// At each of [`FACTORS`]: how much is lost against the answer, as a share of the objective;
    /// `None` where the value cannot be multiplied so.
    pub losses: Vec<Option<Paired>>,
    /// From which factor to which the objective is lost by less than [`WORTH`], as far as was
    /// looked: by lines between the factors.
    pub within: (f64, f64),
}

impl Sensitivity {
    /// The largest loss at a factor between the second and the last but one: how much the value
    /// matters.
    pub fn weight(&self) -> f64 {
        let inner = &self.losses[1..self.losses.len() - 1];
        let losses = inner.iter().flatten().map(|paired| paired.difference);
        losses.fold(0.0, f64::max)
    }
}

/// The objective over the two values that matter most.
#[derive(Clone, Debug)]
pub struct Landscape {
    /// The places of their knobs.
    pub knobs: [usize; 2],
    /// What is lost against the answer at each factor of the first, and of the second, both from
    /// [`AXIS`].
    pub losses: Vec<Vec<Option<f64>>>,
}

/// The answer with one value, or two, multiplied; `None` where a value is no number, or would be
/// what it is.
fn strayed(trials: &Trials<'_>, answer: &Candidate, factors: &[(usize, f64)]) -> Option<Candidate> {
    let space = trials.space;
    let mut candidate = answer.clone();
    // Weights get a common factor first, which changes nothing but how fine they are.
    for &service in space.free() {
        let own: Vec<usize> = (0..candidate.settings.len())
            .filter(|&at| matches!(space.tuning.knobs[at].range, Range::Weight(its, _) if its == service))
            .collect();
        let weights: Vec<u32> = own
            .iter()
            .map(|&at| space.value(answer, at).parse().unwrap_or(1))
            .collect();
        let largest = weights.iter().copied().max().unwrap_or(1).max(1);
        let fine = (FINE / largest).max(1);
        for (&at, weight) in own.iter().zip(weights) {
            candidate.settings[at] = Some((weight * fine).to_string());
        }
    }
    for &(knob, factor) in factors {
        let text = space.value(&candidate, knob);
        let value = match &space.tuning.knobs[knob].range {
            Range::Weight(..) => {
                let weight: f64 = text.parse().ok()?;
                (weight * factor).round().clamp(0.0, 65_535.0).to_string()
            }
            Range::Number { low, high, unit } => {
                let (number, _) = NumberUnit::read(&text)?;
                unit.write((number * factor).clamp(*low, *high))
            }
            Range::Choice(_) => return None,
        };
        if value == text && factor != 1.0 {
            return None;
        }
        candidate.settings[knob] = Some(value);
    }
    Some(candidate)
}

/// What the answer and each of `candidates` lose, by replication, relative to the answer's mean.
fn lose(
    trials: &Trials<'_>,
    answer: &Candidate,
    candidates: &[Option<Candidate>],
) -> Result<Vec<Option<Paired>>, TrialError> {
    let mut all = vec![answer];
    all.extend(candidates.iter().flatten());
    let lived = trials.live(&all, FRESH + 1, REPLICATIONS)?;
    let samples: Vec<Vec<Vec<_>>> = lived
        .iter()
        .map(|outcomes| {
            outcomes
                .iter()
                .map(|outcome| trials.samples(outcome))
                .collect()
        })
        .collect();
    let scale = trials.scale_of(&samples[0]);
    let losses: Vec<Vec<f64>> = samples
        .iter()
        .map(|own| trials.losses_of(own, &scale))
        .collect();
    let (base, others) = losses.split_first().expect("the answer is the first");
    let mut others = others.iter();
    Ok(candidates
        .iter()
        .map(|candidate| {
            candidate.as_ref()?;
            Paired::of(others.next()?, base)
        })
        .collect())
}

/// What each knob does.
///
/// # Errors
/// Where it is stopped.
pub fn sensitivities(
    trials: &Trials<'_>,
    answer: &Candidate,
) -> Result<Vec<Sensitivity>, TrialError> {
    (0..answer.settings.len())
        .map(|knob| {
            let candidates: Vec<Option<Candidate>> = FACTORS
                .iter()
                .map(|&factor| strayed(trials, answer, &[(knob, factor)]))
                .collect();
            let losses = lose(trials, answer, &candidates)?;
            let within = within(&losses);
            Ok(Sensitivity {
                knob,
                losses,
                within,
            })
        })
        .collect()
}

/// From which factor to which less than [`WORTH`] is lost.
fn within(losses: &[Option<Paired>]) -> (f64, f64) {
    let known: Vec<(f64, f64)> = FACTORS
        .iter()
        .zip(losses)
        .filter_map(|(&factor, loss)| Some((factor, loss.as_ref()?.difference)))
        .collect();
    let edge = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut last = (1.0, 0.0);
        for (factor, loss) in points {
            if loss > WORTH {
                let part = (WORTH - last.1) / (loss - last.1);
                return libm::exp(
                    libm::log(last.0) + part * (libm::log(factor) - libm::log(last.0)),
                );
            }
            last = (factor, loss);
        }
        last.0
    };
    let below = known
        .iter()
        .rev()
        .copied()
        .filter(|&(factor, _)| factor < 1.0);
    let above = known.iter().copied().filter(|&(factor, _)| factor > 1.0);
    (edge(&mut { below }), edge(&mut { above }))
}

/// The landscape over the two knobs that matter most; `None` where there are not two that are
/// numbers.
///
/// # Errors
/// Where it is stopped.
pub fn landscape(
    trials: &Trials<'_>,
    answer: &Candidate,
    sensitivities: &[Sensitivity],
) -> Result<Option<Landscape>, TrialError> {
    let mut order: Vec<&Sensitivity> = sensitivities
        .iter()
        .filter(|own| own.losses.iter().any(Option::is_some))
        .collect();
    order.sort_by(|one, other| {
        other
            .weight()
            .total_cmp(&one.weight())
            .then(one.knob.cmp(&other.knob))
    });
    let [first, second, ..] = order[..] else {
        return Ok(None);
    };
    let knobs = [first.knob, second.knob];
    let candidates: Vec<Option<Candidate>> = AXIS
        .iter()
        .flat_map(|&one| AXIS.iter().map(move |&two| (one, two)))
        .map(|(one, two)| strayed(trials, answer, &[(knobs[0], one), (knobs[1], two)]))
        .collect();
    let losses = lose(trials, answer, &candidates)?;
    let rows = losses.chunks(AXIS.len());
    let row = |own: &[Option<Paired>]| {
        own.iter()
            .map(|one| one.map(|paired| paired.difference))
            .collect()
    };
    Ok(Some(Landscape {
        knobs,
        losses: rows.map(row).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straying_ends_where_it_costs_a_hundredth() {
        let loss = |difference: f64| Paired::of(&[1.0 + difference, 1.0 + difference], &[1.0, 1.0]);
        let losses: Vec<Option<Paired>> = [0.08, 0.03, 0.0, 0.005, 0.005, 0.005].map(loss).into();
        let (low, high) = within(&losses);
        assert!((0.7..0.85).contains(&low), "{low}");
        assert_eq!(high, 2.0);
        assert_eq!(within(&vec![None; 6]), (1.0, 1.0));
    }
}
