//! When is enough? A pilot says how much figures vary, and so how many replications it takes until
//! they are as sure as they are asked to be; what is reported is the half-width that was reached,
//! never the one that was wished for.
//!
//! The rule is that of two stages repeated (Stein 1945; Chow and Robbins, "On the asymptotic theory
//! of fixed-width sequential confidence intervals for the mean", Annals of Mathematical
//! Statistics 36, 1965): replications in proportion to the square of what the half-width is too
//! wide by, and a tenth more. Law, *Simulation Modeling and Analysis*, section 9.4.1, has the
//! method and what it costs in coverage.

use super::analysis::Analysis;
use super::comparison::{Figure, difference, estimate};
use super::judged;
use super::metric::{self, Better, Metric};
use super::outcome::VariantOutcome;
use super::withheld::eligible;
use crate::requirement::Decision;
use crate::scenario::{Goal, Scenario, Target};
use crate::stats::{DEFAULT_LEVEL, Paired, Selection, kim_nelson};

/// What a round leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The goal is reached.
    Reached,
    /// So many replications in all are needed, as far as is known by now.
    Replications(u32),
}

/// How wide intervals are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Width {
    /// The widest half-width of all strategies, as a share of the value that the goal names; `None`
    /// where one is not known.
    pub widest: Option<f64>,
    /// The share that was asked for.
    pub asked: f64,
}

/// A round grows at most so much: the variance that a pilot saw may be far off.
const GROWTH: f64 = 4.0;

pub(super) fn next(goal: &Goal, scenario: &Scenario, variants: &[&VariantOutcome]) -> Next {
    let done = variants[0].runs.len() as u32;
    if let Target::Decided(level) = goal.target {
        let decided = variants
            .iter()
            .zip(&scenario.variants)
            .all(|(measured, variant)| {
                judged::decision(&scenario.requirements, variant, measured, level)
                    != Decision::NotShown
            });
        return match decided {
            true => Next::Reached,
            // Each look is one of a few, which the level takes into account.
            false => Next::Replications(done.saturating_mul(2)),
        };
    }
    let known = |at: usize, metric: &Metric| estimate(variants[at], metric);
    let apart =
        |at: usize, metric: &Metric| difference(variants[at], variants[scenario.baseline], metric);
    let more = match widest(goal, scenario, variants, (&known, &apart)) {
        Some(Width {
            widest: Some(widest),
            asked,
        }) => {
            if widest <= asked {
                return Next::Reached;
            }
            (widest / asked).powi(2) * 1.1
        }
        // Nothing can be said yet: twice as many may tell.
        Some(Width { widest: None, .. }) => 2.0,
        None => match selection(goal, scenario, variants) {
            Some(selection) if selection.decided => return Next::Reached,
            _ => 1.25,
        },
    };
    Next::Replications(
        (f64::from(done) * more.min(GROWTH))
            .ceil()
            .max(f64::from(done + 1)) as u32,
    )
}

/// How wide the intervals are that a goal looks at; `None` where it does not look at their width.
pub fn width(
    goal: &Goal,
    scenario: &Scenario,
    variants: &[&VariantOutcome],
    analysis: &Analysis,
) -> Option<Width> {
    let known = |at: usize, metric: &Metric| analysis.figure(at, metric);
    let apart = |at: usize, metric: &Metric| Some(analysis.comparison(at, metric)?.paired);
    widest(goal, scenario, variants, (&known, &apart))
}

/// What is known of a metric of a variant, and how far it is from the baseline.
type Said<'a> = (
    &'a dyn Fn(usize, &Metric) -> Figure,
    &'a dyn Fn(usize, &Metric) -> Option<Paired>,
);

fn widest(
    goal: &Goal,
    scenario: &Scenario,
    variants: &[&VariantOutcome],
    (known, apart): Said<'_>,
) -> Option<Width> {
    if variants.iter().all(|variant| !variant.varies) {
        // More copies of one replication would not make anything surer.
        let asked = match goal.target {
            Target::Best(_) | Target::Decided(_) => return None,
            Target::Metric(_, asked) | Target::Difference(_, asked) => asked,
        };
        return Some(Width {
            widest: Some(0.0),
            asked,
        });
    }
    let share = |half_width: Option<f64>, of: Option<f64>| match (half_width?, of?.abs()) {
        (0.0, _) => Some(0.0),
        (_, 0.0) => None,
        (half_width, of) => Some(half_width / of),
    };
    let (asked, shares): (f64, Vec<Option<f64>>) = match goal.target {
        Target::Best(_) | Target::Decided(_) => return None,
        Target::Metric(metric, asked) => {
            let metric = metric::metric(metric);
            let each = (0..variants.len()).map(|at| {
                let figure = known(at, metric);
                share(figure.half_width, figure.estimate)
            });
            (asked, each.collect())
        }
        Target::Difference(metric, asked) => {
            let metric = metric::metric(metric);
            let base = known(scenario.baseline, metric).estimate;
            let others = (0..variants.len()).filter(|&at| at != scenario.baseline);
            let each = others.map(|at| {
                let paired = apart(at, metric);
                share(paired.and_then(|paired| paired.half_width), base)
            });
            (asked, each.collect())
        }
    };
    let widest = shares
        .into_iter()
        .try_fold(0.0, |widest: f64, share| Some(widest.max(share?)));
    Some(Width { widest, asked })
}

/// Which strategy is the best by the metric that the scenario is judged by, where the goal is to
/// know that. By a response time, it is one of those that fail least ([`eligible`]).
pub fn selection(
    goal: &Goal,
    scenario: &Scenario,
    variants: &[&VariantOutcome],
) -> Option<Selection> {
    let Target::Best(indifference) = goal.target else {
        return None;
    };
    let metric = metric::metric(scenario.judge_by);
    let pilot = scenario.replications as usize;
    let places = eligible(variants, metric);
    let values: Vec<Vec<f64>> = places
        .iter()
        .map(|&at| losses(variants[at], metric))
        .collect();
    let slices: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
    // The zone is a share of the least that the pilot saw, so that it does not change from round to
    // round.
    let mean = |list: &[f64]| list.iter().take(pilot).sum::<f64>() / pilot as f64;
    let least = slices
        .iter()
        .map(|list| mean(list).abs())
        .fold(f64::INFINITY, f64::min);
    let found = kim_nelson(&slices, pilot, indifference * least, DEFAULT_LEVEL)?;
    Some(Selection {
        best: places[found.best],
        ..found
    })
}

/// The metric by replication, turned so that less is better.
fn losses(variant: &VariantOutcome, metric: &Metric) -> Vec<f64> {
    let sign = if metric.better == Better::More {
        -1.0
    } else {
        1.0
    };
    let values = variant.runs.iter().filter_map(|run| metric.value(run));
    values.map(|value| sign * value).collect()
}
