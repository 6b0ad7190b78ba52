//! What a report is about: what was run, what was found in a sentence each, what is to be borne in
//! mind. It is what the manifest holds.

mod events;

use serde::{Deserialize, Serialize};

pub use events::{Event, EventKind};

use super::findings;
use super::manifest::{PROGRAM, SCHEMA};
use crate::experiment::{Analysis, Comparison, Metric, Outcome, metric};
use crate::scenario::{Point, Scenario, Sweep, Warning};
use crate::time::Span;

/// What was run, so that it can be run again, and what is said of it in words. It holds no time of
/// day and no name of a machine: the same run gives the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct About {
    /// The number of the schema of the files.
    pub schema: u32,
    /// The program that computed it, with its version.
    pub program: String,
    /// What was done: `run`.
    pub kind: String,
    /// The name of the scenario's file.
    pub scenario_file: String,
    /// What was changed in it by `--set`, `--seed` and `--replications`, in order.
    #[serde(default)]
    pub changes: Vec<String>,
    /// The scenario's question.
    pub question: String,
    /// What it expects.
    pub expect: String,
    /// Root of all random streams.
    pub seed: u64,
    /// Replications that were run; of a sweep the most at a value.
    pub replications: u32,
    /// Whether the precision asked for was reached; `None` where none was.
    pub precision_reached: Option<bool>,
    /// The length of a replication.
    pub duration: Span,
    /// How much of it is not measured.
    pub warmup: Span,
    /// The name of what the others are compared with.
    pub baseline: String,
    /// What is compared, in order.
    pub variants: Vec<AboutVariant>,
    /// What should be known before the figures are believed.
    pub warnings: Vec<Warning>,
    /// The name of the results folder.
    pub name: String,
    /// What was run, in a line.
    pub caption: String,
    /// The metric that decides: the name of a column of `runs.csv`.
    pub judge_by: String,
    /// The percentiles that the table has in place of the usual ones, where the scenario names
    /// some: names of rows of `summary.csv`.
    pub percentiles: Vec<String>,
    /// How sure the figures are and which strategy is the best, a sentence each.
    pub findings: Vec<String>,
    /// Whether there is a table for each group of clients.
    pub by_clients: bool,
    /// What happens to servers at known times.
    pub events: Vec<Event>,
    /// Whether clients ask at rates that change by plan.
    pub rates_change: bool,
    /// What is swept, if anything.
    pub sweep: Option<AboutSweep>,
    /// The scenario with every default filled in.
    pub scenario: serde_json::Value,
}

/// One of the things compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AboutVariant {
    /// Its name in tables and charts.
    pub name: String,
    /// Its strategy with all settings.
    pub strategy: serde_json::Value,
    /// Whether that sees what no balancer can see.
    pub oracle: bool,
    /// Requests simulated, warm-up included.
    pub requests_simulated: u64,
    /// Whether anything was drawn anew in each replication; said where nothing was, and
    /// replications are copies of each other.
    #[serde(default = "usual", skip_serializing_if = "is_usual")]
    pub varies: bool,
    /// Its place by the metric that decides, from 1: those that may be called the best first.
    /// `None` in a sweep.
    pub rank: Option<u32>,
    /// Whether it may be called the best: by a response time, whether it fails no more than the one
    /// that fails least. `None` in a sweep.
    pub eligible: Option<bool>,
}

/// What is swept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AboutSweep {
    /// What it is called.
    pub label: String,
    /// In what its places on an axis are counted, where that is to be said.
    pub unit: String,
    /// What the second value is called, where two are swept.
    pub and: Option<String>,
    /// The values, in order.
    pub points: Vec<AboutPoint>,
}

/// One value of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AboutPoint {
    /// The value, as the scenario writes it.
    pub value: String,
    /// The second value, where two are swept.
    pub value_2: Option<String>,
    /// Whether it was left out, for more is asked for than the servers can do.
    pub overloaded: bool,
}

/// Nearly everywhere something is left to chance.
fn usual() -> bool {
    true
}

fn is_usual(varies: &bool) -> bool {
    *varies
}

impl About {
    /// What is said of outcomes; `duels` are none for a sweep.
    pub(super) fn new(
        scenario: &Scenario,
        outcomes: &[Outcome],
        analyses: &[Analysis],
        duels: &[(usize, usize, Option<Comparison>)],
    ) -> About {
        let one = match (&scenario.sweep, analyses) {
            (None, [only]) => Some(only),
            _ => None,
        };
        let variants = scenario.variants.iter().enumerate();
        let compared = variants.map(|(at, variant)| {
            let simulated = |outcome: &Outcome| outcome.variants[at].simulated;
            let place = |order: &[usize]| order.iter().position(|&own| own == at);
            AboutVariant {
                name: variant.name.clone(),
                strategy: serde_json::to_value(&variant.strategy).unwrap_or_default(),
                oracle: variant.is_oracle(),
                requests_simulated: outcomes.iter().map(simulated).sum(),
                varies: outcomes.iter().any(|outcome| outcome.variants[at].varies),
                rank: one
                    .and_then(|one| place(one.order()))
                    .map(|place| place as u32 + 1),
                eligible: one.map(|one| one.eligible().contains(&at)),
            }
        });
        About {
            schema: SCHEMA,
            program: PROGRAM.to_owned(),
            kind: "run".to_owned(),
            scenario_file: scenario.file_name.clone(),
            changes: scenario.changes.clone(),
            question: scenario.question.clone(),
            expect: scenario.expect.clone(),
            seed: scenario.seed,
            replications: Outcome::span(outcomes).1,
            precision_reached: outcomes
                .iter()
                .filter_map(|outcome| outcome.reached)
                .reduce(|all, one| all && one),
            duration: scenario.duration(),
            warmup: scenario.warmup(),
            baseline: scenario.variants[scenario.baseline].name.clone(),
            variants: compared.collect(),
            warnings: findings::warnings(scenario, outcomes, analyses),
            name: scenario.name.clone(),
            caption: scenario.caption(Outcome::span(outcomes)),
            judge_by: metric(scenario.judge_by).name.to_owned(),
            percentiles: (scenario.shown_percentiles.iter())
                .map(|percentile| format!("{percentile}_ms"))
                .collect(),
            findings: findings::sentences(scenario, outcomes, analyses, duels),
            by_clients: scenario.by_clients,
            events: events::of(scenario),
            rates_change: (scenario.variants.iter())
                .any(|variant| variant.blueprint.features().changing_rates),
            sweep: scenario.sweep.as_ref().map(AboutSweep::of),
            scenario: scenario.resolved.clone(),
        }
    }

    /// The metric that decides.
    pub fn judge(&self) -> Option<&'static Metric> {
        Metric::named(&self.judge_by)
    }
}

impl AboutSweep {
    fn of(sweep: &Sweep) -> AboutSweep {
        let point = |point: &Point| AboutPoint {
            value: point.value.clone(),
            value_2: point.and.as_ref().map(|and| and.0.clone()),
            overloaded: point.is_skipped,
        };
        AboutSweep {
            label: sweep.label.clone(),
            unit: sweep.unit.clone(),
            and: sweep.and.clone(),
            points: sweep.points.iter().map(point).collect(),
        }
    }
}
