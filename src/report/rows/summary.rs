//! `summary.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{Analysis, Outcome, controlled};
use crate::scenario::Scenario;

/// `summary.csv`: one metric of one strategy over all replications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SummaryRow {
    /// The strategy.
    pub strategy: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// The estimate; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% confidence interval (Student's t over replications).
    pub half_width_95: Option<f64>,
    /// Replications that had a value.
    pub n: u32,
    /// The estimate with the luck taken out of how much work happened to come (a control variate:
    /// the utilization, whose mean is known); empty where it is not known, for quantiles, and where
    /// it does not help.
    pub controlled_estimate: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub controlled_half_width_95: Option<f64>,
    /// How many times as many replications would have been needed for that half-width without the
    /// control.
    pub controlled_gain: Option<f64>,
}

/// A row a strategy and metric.
pub(super) fn rows(scenario: &Scenario, outcome: &Outcome, analysis: &Analysis) -> Vec<SummaryRow> {
    let both = scenario.variants.iter().zip(&outcome.variants).enumerate();
    both.flat_map(|(at, (variant, measured))| {
        analysis.metrics().iter().map(move |metric| {
            let figure = analysis.figure(at, metric);
            let controlled = controlled(variant, measured, metric);
            SummaryRow {
                strategy: variant.name.clone(),
                metric: metric.name.to_owned(),
                estimate: figure.estimate,
                half_width_95: figure.half_width,
                n: figure.n as u32,
                controlled_estimate: controlled.map(|found| found.estimate),
                controlled_half_width_95: controlled.map(|found| found.half_width),
                controlled_gain: controlled.map(|found| found.gain),
            }
        })
    })
    .collect()
}
