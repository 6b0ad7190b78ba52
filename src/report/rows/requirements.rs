//! `requirements.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{Outcome, Ruling, rulings};
use crate::requirement::{Amount, Decision};
use crate::scenario::{Point, Scenario};

/// `requirements.csv`: what is decided of one requirement (`[[require]]`) for one strategy, by a
/// 95% interval; of a comparison, for one that it is compared with; of a sweep, at one value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequirementRow {
    /// In a sweep: the value, as the scenario writes it.
    pub value: Option<String>,
    /// In a sweep over two: the second value.
    pub value_2: Option<String>,
    /// What must hold, as it was understood.
    pub requirement: String,
    /// The strategy.
    pub strategy: String,
    /// What it is compared with; empty where the limit is a value.
    pub against: Option<String>,
    /// What is asked for.
    pub metric: String,
    /// In what it is counted: `ms`, `s`, `share`, `/s`, or empty for a number.
    pub unit: String,
    /// What was measured; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// The lower end of its 95% interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The limit, in the same unit; of a comparison what was measured there, so many times.
    pub limit: Option<f64>,
    /// By how much it is on the right side of the limit; less than 0 where it is on the wrong one.
    /// Of a comparison the mean of the differences of replications.
    pub margin: Option<f64>,
    /// The lower end of the 95% interval of that, which decides.
    pub margin_low: Option<f64>,
    /// The upper end.
    pub margin_high: Option<f64>,
    /// `holds`, `fails` or `not shown`.
    pub decision: String,
    /// Why nothing is shown, or what is to be borne in mind; empty where there is nothing to say.
    pub note: String,
}

impl RequirementRow {
    /// What is decided.
    pub fn decision(&self) -> Decision {
        let all = [Decision::Holds, Decision::Fails];
        let own = all.into_iter().find(|own| own.name() == self.decision);
        own.unwrap_or(Decision::NotShown)
    }
}

/// The rows of a scenario, in the order of its requirements; of a sweep those of all its points.
pub(super) fn rows(scenario: &Scenario, outcomes: &[Outcome]) -> Vec<RequirementRow> {
    let Some(sweep) = &scenario.sweep else {
        let all = rulings(scenario, &outcomes[0]);
        return all.iter().map(|own| row(scenario, None, own)).collect();
    };
    let mut found: Vec<(String, RequirementRow)> = Vec::new();
    for (point, outcome) in sweep.points.iter().zip(outcomes) {
        let own = &point.scenario;
        for mut ruling in rulings(own, outcome) {
            if point.is_skipped {
                ruling.judged.note =
                    "more is asked for than the servers can do: not run".to_owned();
            }
            found.push((
                own.requirements[ruling.requirement].to_string(),
                row(own, Some(point), &ruling),
            ));
        }
    }
    // In the order of the requirements, then of the values.
    let place = |text: &str| {
        let mut all = scenario.requirements.iter();
        all.position(|own| own.to_string() == text)
    };
    found.sort_by_key(|(text, _)| place(text));
    found.into_iter().map(|(_, row)| row).collect()
}

fn row(scenario: &Scenario, point: Option<&Point>, ruling: &Ruling) -> RequirementRow {
    let requirement = &scenario.requirements[ruling.requirement];
    let judged = &ruling.judged;
    let measure = requirement.measure();
    let within = |value: Option<f64>, half: Option<f64>, sign: f64| {
        value.zip(half).map(|(value, half)| value + sign * half)
    };
    let (estimate, half) = (judged.figure.estimate, judged.figure.half_width);
    // Nothing that is measured is less than nothing, and no share more than all.
    let possible = |end: f64| match measure.amount() {
        Amount::Share => end.clamp(0.0, 1.0),
        _ => end.max(0.0),
    };
    let (margin, apart) = (judged.margin, judged.margin_half_width);
    let name = |at: usize| scenario.variants[at].name.clone();
    RequirementRow {
        value: point.map(|point| point.value.clone()),
        value_2: point.and_then(|point| Some(point.and.as_ref()?.0.clone())),
        requirement: requirement.to_string(),
        strategy: name(ruling.variant),
        against: ruling.against.map(name),
        metric: requirement.subject.metric(),
        unit: match measure.amount() {
            Amount::Milliseconds => "ms",
            Amount::Seconds => "s",
            Amount::Share => "share",
            Amount::Rate => "/s",
            Amount::Number => "",
        }
        .to_owned(),
        estimate,
        low: within(estimate, half, -1.0).map(possible),
        high: within(estimate, half, 1.0).map(possible),
        limit: judged.limit,
        margin,
        margin_low: within(margin, apart, -1.0),
        margin_high: within(margin, apart, 1.0),
        decision: judged.decision.name().to_owned(),
        note: judged.note.clone(),
    }
}
