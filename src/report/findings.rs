//! How sure the figures are, in sentences: what was asked for and what was reached, and which
//! strategy is the best.

use crate::experiment::{
    Analysis, Comparison, Outcome, VariantOutcome, cautions, metric, selection, width,
};
use crate::figures::{percent, with_half_width};
use crate::prose::listed;
use crate::scenario::{Goal, Scenario, Sweep, Target, Warning};
use crate::stats::Verdict;

/// What may be said, a sentence each; with no replication to compare, or a single strategy, there
/// may be nothing to say.
pub(super) fn sentences(
    scenario: &Scenario,
    outcomes: &[Outcome],
    analyses: &[Analysis],
    duels: &[(usize, usize, Option<Comparison>)],
) -> Vec<String> {
    let mut said = Vec::new();
    if scenario.sweep.is_some() {
        let missed = outcomes
            .iter()
            .filter(|outcome| outcome.reached == Some(false))
            .count();
        if missed > 0 {
            said.push(format!(
                "The precision asked for was not reached at {missed} of {} values.",
                outcomes.len()
            ));
        }
        return said;
    }
    let (outcome, analysis) = (&outcomes[0], &analyses[0]);
    if let Some(goal) = &scenario.goal {
        said.extend(reached(goal, scenario, outcome, analysis));
    }
    said.extend(best(scenario, analysis, duels));
    said.extend(strategies(scenario));
    said.extend(parts(scenario));
    said
}

/// What consists of which parts, where that differs: whether something is worth it is also a
/// question of what there is that can fail.
fn parts(scenario: &Scenario) -> Option<String> {
    let by_parts = scenario.by_saying(|variant| variant.blueprint.parts().to_string());
    let each = by_parts.iter().map(|(parts, names)| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("{parts} in {}", names.join(", "))
    });
    let each: Vec<String> = each.collect();
    (each.len() > 1).then(|| format!("Parts: {}.", each.join("; ")))
}

/// Which strategies variants run whose names do not say it, with three settings at most: all of
/// them stand in the manifest.
fn strategies(scenario: &Scenario) -> Option<String> {
    let mut by_strategy: Vec<(String, Vec<String>)> = Vec::new();
    for variant in &scenario.variants {
        let (strategy, whole) = (variant.strategy.brief(), variant.strategy.label());
        if variant.name == whole {
            continue;
        }
        // A name that is the strategy's own, with fewer settings, says whose these are.
        let rest = variant.name.strip_prefix(variant.strategy.name());
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (")) {
            by_strategy.push((strategy, Vec::new()));
            continue;
        }
        let name = format!("`{}`", variant.name);
        match by_strategy
            .iter_mut()
            .find(|(known, names)| *known == strategy && !names.is_empty())
        {
            Some((_, names)) => names.push(name),
            None => by_strategy.push((strategy, vec![name])),
        }
    }
    let each: Vec<String> = by_strategy
        .into_iter()
        .map(|(strategy, names)| match &names[..] {
            [] => strategy,
            all if all.len() == scenario.variants.len() => format!("{strategy} in all"),
            _ => format!("{strategy} in {}", names.join(", ")),
        })
        .collect();
    let services = &scenario.variants[0].blueprint.services;
    let of = match services.len() {
        1 => String::new(),
        _ => format!(" at `{}`", services[scenario.variants[0].service].name),
    };
    (!each.is_empty()).then(|| format!("Strategies{of}: {}.", each.join("; ")))
}

/// What is to be borne in mind: with the scenario, and with what came out.
pub(super) fn warnings(
    scenario: &Scenario,
    outcomes: &[Outcome],
    analyses: &[Analysis],
) -> Vec<Warning> {
    let mut warnings = scenario.warnings.clone();
    match &scenario.sweep {
        None => warnings.extend(cautions(scenario, &outcomes[0], &analyses[0])),
        Some(sweep) => warnings.extend(at_points(sweep, outcomes, analyses)),
    }
    warnings
}

/// What is to be borne in mind at some points of a sweep: what had not settled depends on the
/// length of the run, and where nothing came there is nothing.
fn at_points(sweep: &Sweep, outcomes: &[Outcome], analyses: &[Analysis]) -> Vec<Warning> {
    let mut open: [Vec<String>; 2] = Default::default();
    let codes = ["not-settled", "no-requests"];
    for ((point, outcome), analysis) in sweep.points.iter().zip(outcomes).zip(analyses) {
        if point.is_skipped {
            continue;
        }
        let found = cautions(&point.scenario, outcome, analysis);
        for (code, names) in codes.iter().zip(&mut open) {
            if found.iter().any(|own| own.code == *code) {
                names.push(match &point.and {
                    None => point.value.clone(),
                    Some((and, _)) => format!("{} with {and}", point.value),
                });
            }
        }
    }
    let texts = [
        |at: String| {
            format!(
                "response times had not settled at {at}: under a strategy at least they still climbed or fell when the run ended, and depend on its length"
            )
        },
        |at: String| {
            format!(
                "no request came in the measured window at {at}, under a strategy or of a group of clients at least: there is nothing to say"
            )
        },
    ];
    let found = codes.into_iter().zip(open).zip(texts);
    found
        .filter(|((_, names), _)| !names.is_empty())
        .map(|((code, names), text)| Warning::new(code, text(listed(&names))))
        .collect()
}

/// What was asked for, and what was reached.
fn reached(
    goal: &Goal,
    scenario: &Scenario,
    outcome: &Outcome,
    analysis: &Analysis,
) -> Option<String> {
    let variants: Vec<&VariantOutcome> = outcome.variants.iter().collect();
    let count = outcome.replications();
    let spent = if outcome.reached == Some(true) {
        format!("after {count} replications")
    } else {
        format!("NOT reached after {count} replications, the most that the budget allows")
    };
    Some(match goal.target {
        Target::Metric(of, asked) | Target::Difference(of, asked) => {
            let what = match goal.target {
                Target::Difference(..) => format!("the difference in {}", metric(of).name),
                _ => metric(of).name.to_owned(),
            };
            let widest = width(goal, scenario, &variants, analysis)?.widest;
            let widest = widest.map_or("not known".to_owned(), |share| {
                format!("±{}", percent(share))
            });
            format!(
                "Precision: the widest 95% interval of {what} is {widest} (asked: ±{}), {spent}.",
                percent(asked)
            )
        }
        Target::Decided(level) => format!(
            "Whether what is required holds is known, by intervals of {}, {spent}.",
            percent(level)
        ),
        Target::Best(zone) => {
            let selection = selection(goal, scenario, &variants)?;
            let best = &scenario.variants[selection.best].name;
            let judge = metric(scenario.judge_by).name;
            if selection.decided {
                format!(
                    "Selected by {judge} with 95% confidence, where less than {} does not matter: {best}, {spent}.",
                    percent(zone)
                )
            } else {
                format!("Which strategy is the best by {judge} is {spent}; so far it is {best}.")
            }
        }
    })
}

/// The best strategy by the metric that decides, and whether it is shown to be.
fn best(
    scenario: &Scenario,
    analysis: &Analysis,
    duels: &[(usize, usize, Option<Comparison>)],
) -> Option<String> {
    let judge = metric(scenario.judge_by);
    let best = analysis.best(judge)?;
    let eligible = analysis.eligible();
    let mut rivals = Vec::new();
    let mut unsure = false;
    for (one, other, duel) in duels {
        if *one != best && *other != best {
            continue;
        }
        let rival = if *one == best { *other } else { *one };
        if !eligible.contains(&rival) {
            continue;
        }
        let Some(verdict) = duel.and_then(|duel| duel.verdict(judge.better)) else {
            unsure = true;
            continue;
        };
        let won = if *one == best {
            Verdict::Better
        } else {
            Verdict::Worse
        };
        if verdict != won {
            rivals.push(scenario.variants[rival].name.as_str());
        }
    }
    let name = &scenario.variants[best].name;
    let figure = analysis.figure(best, judge);
    let scale = judge.unit.scale();
    let half_width = figure.half_width.map(|half| half * scale);
    let value = with_half_width(figure.estimate? * scale, half_width);
    let value = judge.unit.with_sign(&value);
    let pairs = duels.len();
    if unsure {
        return None;
    }
    let left_out: Vec<&str> = (0..scenario.variants.len())
        .filter(|at| !eligible.contains(at))
        .map(|at| scenario.variants[at].name.as_str())
        .collect();
    if let ([_], false) = (eligible, left_out.is_empty()) {
        return Some(format!(
            "Best by {}: none is named. {name} ({value}) fails least; left out, as they fail more: {}.",
            judge.name,
            left_out.join(", ")
        ));
    }
    let said = match (pairs, rivals.as_slice()) {
        (0, _) => None,
        (1, []) => Some(format!(
            "Best by {}: {name} ({value}), with 95% confidence.",
            judge.name
        )),
        (_, []) => Some(format!(
            "Best by {}: {name} ({value}), better than every other with 95% confidence (Holm, {pairs} pairs).",
            judge.name
        )),
        (_, rivals) => Some(format!(
            "Best by {}: {name} ({value}); not shown to be worse: {} (95%, Holm, {pairs} pairs).",
            judge.name,
            rivals.join(", ")
        )),
    };
    said.map(|said| match left_out.as_slice() {
        [] => said,
        names => format!("{said} Left out, as they fail more: {}.", names.join(", ")),
    })
}
