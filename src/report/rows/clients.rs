//! `clients.csv`.

use serde::{Deserialize, Serialize};

use super::paired::verdict;
use crate::experiment::{Analysis, Metric, Outcome, groups};
use crate::scenario::Scenario;

/// `clients.csv`: one metric of one strategy for one of several groups of clients, and how it
/// differs from the baseline's: what its requests met with and, where it holds sessions, what these
/// lost. What servers are, and what the state of sessions costs, is known of all clients together
/// alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientsRow {
    /// The strategy.
    pub strategy: String,
    /// The group of clients.
    pub clients: String,
    /// The metric: the name of a column of `runs.csv`, of this group's requests or sessions alone.
    pub metric: String,
    /// The estimate; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% confidence interval (Student's t over replications).
    pub half_width_95: Option<f64>,
    /// Replications that had a value.
    pub n: u32,
    /// Mean of the differences, strategy less baseline, in the metric's unit; empty for the
    /// baseline.
    pub difference: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub difference_half_width_95: Option<f64>,
    /// The difference over the baseline's mean: -0.25 is a quarter less.
    pub relative: Option<f64>,
    /// The p-value of "there is no difference", made larger for its being one of as many
    /// comparisons as there are strategies beside the baseline (Holm 1979); each group and metric
    /// by itself.
    pub p_adjusted: Option<f64>,
    /// As in `paired.csv`.
    pub verdict: String,
}

/// A row a group, metric and strategy; none where there is one group.
pub(super) fn rows(scenario: &Scenario, outcome: &Outcome) -> Vec<ClientsRow> {
    let mut found = Vec::new();
    for (name, measured) in groups(scenario, outcome) {
        let analysis = Analysis::over(scenario, &measured);
        let mut runs = measured.iter().flat_map(|own| &own.runs);
        let holds = runs.any(|run| run.sessions > 0);
        // What is known of requests or of sessions, and not of servers.
        let is_known = |metric: &&&Metric| metric.is_of_requests() || (metric.of_groups && holds);
        for metric in analysis.metrics().iter().filter(is_known) {
            for (at, variant) in scenario.variants.iter().enumerate() {
                let figure = analysis.figure(at, metric);
                let comparison = analysis.comparison(at, metric);
                let paired = comparison.map(|comparison| comparison.paired);
                found.push(ClientsRow {
                    strategy: variant.name.clone(),
                    clients: name.clone(),
                    metric: metric.name.to_owned(),
                    estimate: figure.estimate,
                    half_width_95: figure.half_width,
                    n: figure.n as u32,
                    difference: paired.map(|paired| paired.difference),
                    difference_half_width_95: paired.and_then(|paired| paired.half_width),
                    relative: paired.and_then(|paired| paired.relative),
                    p_adjusted: comparison.and_then(|comparison| comparison.p_adjusted),
                    verdict: verdict(comparison, metric).to_owned(),
                });
            }
        }
    }
    found
}
