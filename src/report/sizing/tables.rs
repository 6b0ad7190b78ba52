//! An answer as rows.

use super::rows::{SizeRow, TriedRow};
use crate::experiment::Figure;
use crate::report::rows::tables;
use crate::scenario::Scenario;
use crate::scenario::sizing::Sizing;
use crate::size::{Sizes, Strategy};

tables! {
    /// The rows of all files.
    pub struct SizeTables {
        /// The answers.
        sizes: SizeRow => "sizes.csv",
        /// What was tried.
        tried: TriedRow => "tried.csv",
    }
}

impl SizeTables {
    /// The rows of an answer.
    pub fn new(base: &Scenario, sizing: &Sizing, sizes: &Sizes) -> SizeTables {
        let strategies = || sizes.strategies.iter();
        SizeTables {
            sizes: strategies()
                .map(|strategy| answer(base, sizing, strategy))
                .collect(),
            tried: strategies()
                .flat_map(|strategy| tried(base, sizing, sizes.level, strategy))
                .collect(),
        }
    }
}

fn answer(base: &Scenario, sizing: &Sizing, strategy: &Strategy) -> SizeRow {
    let verge = &strategy.verge;
    let written =
        |ease: Option<usize>| ease.map_or(String::new(), |ease| sizing.value(ease).written.clone());
    let step = strategy.last_step().filter(|_| strategy.is_decided);
    let undecided: Vec<&str> = (verge.undecided.iter())
        .map(|&ease| sizing.value(ease).written.as_str())
        .collect();
    let cost = match strategy.is_decided {
        true => strategy.cost(),
        false => Figure::default(),
    };
    SizeRow {
        strategy: base.variants[strategy.variant].name.clone(),
        value: written(verge.holds),
        fails: written(verge.fails),
        undecided: undecided.join(" "),
        verdict: match (strategy.is_decided, verge.holds) {
            (false, _) => "not decided",
            (true, None) => "none",
            (true, Some(0)) => "the end holds",
            (true, Some(_)) => "found",
        }
        .to_owned(),
        requirement: step.map_or(String::new(), |(at, _)| sizing.objective[at].to_string()),
        step_difference: step.map(|(_, paired)| paired.difference),
        step_half_width_95: step.and_then(|(_, paired)| paired.half_width),
        cost_per_hour: cost.estimate,
        cost_per_hour_half_width_95: cost.estimate.and(cost.half_width),
    }
}

fn tried(base: &Scenario, sizing: &Sizing, level: f64, strategy: &Strategy) -> Vec<TriedRow> {
    let mut rows = Vec::new();
    for sounding in &strategy.soundings {
        let value = sizing.value(sounding.ease);
        for situated in &sounding.situations {
            for (at, judged) in &situated.judged {
                let requirement = &sizing.objective[*at];
                rows.push(TriedRow {
                    strategy: base.variants[strategy.variant].name.clone(),
                    value: value.written.clone(),
                    at: value.at,
                    situation: situated.name.clone(),
                    requirement: requirement.to_string(),
                    estimate: judged.figure.estimate,
                    half_width: judged.figure.half_width,
                    level,
                    limit: requirement.value().unwrap_or(f64::NAN),
                    replications: situated.replications,
                    verdict: judged.decision.name().to_owned(),
                });
            }
        }
    }
    rows
}
