//! What a careful colleague would say of results.

use super::analysis::Analysis;
use super::metric::{Of, metric};
use super::outcome::{Outcome, VariantOutcome};
use super::withheld::failed;
use crate::figures;
use crate::scenario::warning::some_of;
use crate::scenario::{Scenario, Variant, Warning};
use crate::stats::{EXCEEDANCES, Warmup, mser5};

/// Failures beyond this share hide what response times say.
const MANY: f64 = 0.01;

/// How much the response time must climb or fall in the measured window to be said not to have
/// settled.
const CHANGE: f64 = 1.25;

/// What is to be borne in mind with an outcome.
pub fn cautions(scenario: &Scenario, outcome: &Outcome, analysis: &Analysis) -> Vec<Warning> {
    let mut found = Vec::new();
    let judge = metric(scenario.judge_by);
    let both = scenario.variants.iter().zip(&outcome.variants);
    for (at, (variant, measured)) in both.enumerate() {
        let mut warn = |code, text| found.push(Warning::new(code, text));
        if measured.runs.is_empty() || came(measured) == 0 {
            continue;
        }
        if judge.quantile().is_some() && analysis.figure(at, judge).estimate.is_none() {
            warn(
                "too-few-above",
                format!(
                    "{} of {} is not known: fewer than {EXCEEDANCES} requests took longer",
                    judge.name, variant.name
                ),
            );
        }
        let failed = failed(measured);
        let of_the_succeeded = judge.is_response_time() && judge.of == Of::Answered;
        if failed > MANY && of_the_succeeded {
            warn(
                "failures-hidden",
                format!(
                    "{} of the requests under {} failed or had no end, and do not count in {}",
                    figures::percent(failed),
                    variant.name,
                    judge.name
                ),
            );
        }
        if let Some((before, after)) = unsettled(variant, measured) {
            warn(
                "not-settled",
                format!(
                    "{} had not settled: its 90th percentile of the response time went from {} ms at the beginning of the measured window to {} ms at its end",
                    variant.name,
                    figures::number(before),
                    figures::number(after)
                ),
            );
        }
    }
    found.extend(without_chance(scenario, outcome));
    found.extend(without_requests(scenario, outcome));
    found
}

/// The requests of all replications.
fn came(measured: &VariantOutcome) -> u64 {
    measured.runs.iter().map(|run| run.requests).sum()
}

/// Under which variants nothing came, or nothing from a group of clients.
fn without_requests(scenario: &Scenario, outcome: &Outcome) -> Vec<Warning> {
    let run: Vec<_> = (scenario.variants.iter().zip(&outcome.variants))
        .filter(|(_, measured)| !measured.runs.is_empty())
        .collect();
    let warn = |what: String, nothing: &dyn Fn(&Variant, &VariantOutcome) -> bool| {
        let none = run.iter().filter(|(variant, own)| nothing(variant, own));
        let names: Vec<&str> = none.map(|(variant, _)| variant.name.as_str()).collect();
        let under = match (names.len(), names.len() == run.len()) {
            (0, _) => return None,
            (_, true) => String::new(),
            (_, false) => format!(" under {}", some_of(&names)),
        };
        let text = format!("{what} came in the measured window{under}: there is nothing to say");
        Some(Warning::new("no-requests", text))
    };
    let all = warn("no request".to_owned(), &|_, own| came(own) == 0);
    if all.is_some() {
        return all.into_iter().collect();
    }
    let mut groups: Vec<&str> = Vec::new();
    // What hostile clients send is counted elsewhere.
    let sources = run.iter().flat_map(|(own, _)| &own.blueprint.sources);
    for source in sources.filter(|source| !source.hostile) {
        if !groups.contains(&source.name.as_str()) {
            groups.push(&source.name);
        }
    }
    let of = |name: &str| {
        warn(
            format!("no request of clients `{name}`"),
            &|variant, own| {
                let mut sources = variant.blueprint.sources.iter();
                let at = sources.position(|source| source.name == name);
                at.and_then(|at| own.groups.get(at))
                    .is_some_and(|group| came(group) == 0)
            },
        )
    };
    groups.into_iter().filter_map(of).collect()
}

/// Of which variants each replication is a copy of the first.
fn without_chance(scenario: &Scenario, outcome: &Outcome) -> Option<Warning> {
    let repeated: Vec<_> = (scenario.variants.iter().zip(&outcome.variants))
        .filter(|(_, measured)| measured.runs.len() > 1)
        .collect();
    let copies = repeated.iter().filter(|(_, measured)| !measured.varies);
    let names: Vec<&str> = copies.map(|(variant, _)| variant.name.as_str()).collect();
    let text = match (names.len(), names.len() == repeated.len()) {
        (0, _) => return None,
        (_, true) => "nothing is drawn anew in each replication, so that there are no intervals and no verdicts: one replication tells as much".to_owned(),
        (1, false) => format!(
            "nothing under {} is drawn anew in each replication, so that it has no intervals: one replication of it tells as much",
            names[0]
        ),
        (_, false) => format!(
            "nothing under {} is drawn anew in each replication, so that these have no intervals, and there are no verdicts between them",
            some_of(&names)
        ),
    };
    Some(Warning::new("chance-not-repeated", text))
}

/// The 90th percentile of the response time in the first and of the last quarter of the measured
/// window, in milliseconds, where it had not settled; by MSER-5 over its stretches.
fn unsettled(variant: &Variant, measured: &VariantOutcome) -> Option<(f64, f64)> {
    let plan = &variant.blueprint;
    if !plan.features().is_steady() {
        return None;
    }
    let length = measured.timeline.length();
    let first = (plan.warmup.nanos()).div_ceil(length.nanos()) as usize;
    let tails: Vec<f64> = measured
        .timeline
        .stretches()
        .get(first..)?
        .iter()
        .filter_map(|stretch| Some(stretch.quantile(0.9)? * 1e3))
        .collect();
    let quarter = tails.len() / 4;
    if quarter < 5 || mser5(&tails) != Warmup::NotSettled {
        return None;
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (before, after) = (
        mean(&tails[..quarter]),
        mean(&tails[tails.len() - quarter..]),
    );
    let change = if before < after {
        after / before
    } else {
        before / after
    };
    (change > CHANGE).then_some((before, after))
}
