//! `theory.csv`, and the spectra that theory knows.

use serde::{Deserialize, Serialize};

use super::latency::LatencyRow;
use crate::experiment::{Analysis, Estimator, Exact, Flow, Known, Of, Outcome, milliseconds};
use crate::scenario::Scenario;

/// `theory.csv`: what queueing theory says of a strategy, where it is exact, beside the estimate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TheoryRow {
    /// The strategy.
    pub strategy: String,
    /// The model, in Kendall's notation or in words.
    pub model: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// The exact value.
    pub exact: f64,
    /// The estimate; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub half_width_95: Option<f64>,
    /// How far off the estimate is, in standard errors: beyond 4 something is wrong.
    pub standard_errors: Option<f64>,
}

/// `exact-latency.csv`: the percentile spectrum of one strategy as queueing theory has it, where it
/// is exact, at the points of `latency.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExactLatencyRow {
    /// The strategy.
    pub strategy: String,
    /// The percentile, 0 to 100.
    pub percentile: f64,
    /// The exact response time at this percentile.
    pub response_ms: f64,
}

/// A row a strategy and metric of which theory knows the value.
pub(super) fn rows(scenario: &Scenario, outcome: &Outcome, analysis: &Analysis) -> Vec<TheoryRow> {
    let mut found = Vec::new();
    for (at, (variant, measured)) in scenario.variants.iter().zip(&outcome.variants).enumerate() {
        let (exact, flow) = (Exact::of(variant), Flow::beside(variant, measured));
        for metric in analysis.metrics() {
            let of_model = exact.as_ref().and_then(|exact| {
                let seconds = match (metric.of, metric.estimator) {
                    (Of::Answered, Estimator::MeanOfTimes) => Some(exact.mean()),
                    (Of::Answered, Estimator::Quantile(q)) => exact.quantile(q),
                    _ => None,
                };
                Some((exact.model, milliseconds(seconds?)))
            });
            // Known of every steady system, whatever its strategy.
            let of_flow = flow.and_then(|flow| match metric.known {
                Known::Inflow => Some(("flow balance", flow.goodput)),
                Known::Load => Some(("utilization law", flow.utilization?)),
                Known::Nothing | Known::All => None,
            });
            let Some((model, value)) = of_model.or(of_flow) else {
                continue;
            };
            let figure = analysis.figure(at, metric);
            found.push(TheoryRow {
                strategy: variant.name.clone(),
                model: model.to_owned(),
                metric: metric.name.to_owned(),
                exact: value,
                estimate: figure.estimate,
                half_width_95: figure.half_width,
                standard_errors: figure.errors_from(value),
            });
        }
    }
    found
}

/// The spectra of the strategies of which theory knows them, at the points of the simulated ones.
pub(super) fn latency(scenario: &Scenario, latency: &[LatencyRow]) -> Vec<ExactLatencyRow> {
    let known = scenario
        .variants
        .iter()
        .filter_map(|variant| Some((variant, Exact::of(variant)?)));
    known
        .flat_map(|(variant, exact)| {
            let own = latency.iter().filter(|row| row.strategy == variant.name);
            own.filter(|row| row.percentile < 100.0)
                .filter_map(move |row| {
                    Some(ExactLatencyRow {
                        strategy: row.strategy.clone(),
                        percentile: row.percentile,
                        response_ms: milliseconds(exact.quantile(row.percentile / 100.0)?),
                    })
                })
        })
        .collect()
}
