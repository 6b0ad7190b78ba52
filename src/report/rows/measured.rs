//! `measured.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{Estimator, Of, metrics};
use crate::scenario::Scenario;
use crate::stats::estimable;

/// `measured.csv`: one metric of response times that were measured at the real system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeasuredRow {
    /// The name of the measurement.
    pub measurement: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// Its value; empty for a quantile with fewer than 100 requests above it.
    pub value: Option<f64>,
    /// Requests that were measured.
    pub requests: u64,
}

/// A row a measurement and metric that response times alone tell.
pub(super) fn rows(scenario: &Scenario) -> Vec<MeasuredRow> {
    let mut found = Vec::new();
    for measurement in &scenario.measured {
        for metric in metrics(scenario)
            .iter()
            .filter(|metric| metric.of == Of::Answered)
        {
            let value = match metric.estimator {
                Estimator::MeanOfTimes => Some(measurement.mean_ms()),
                Estimator::Quantile(q) => {
                    let is_known = estimable(measurement.sorted_ms.len() as u64, q);
                    is_known.then(|| measurement.quantile_ms(q))
                }
                Estimator::Mean => continue,
            };
            found.push(MeasuredRow {
                measurement: measurement.name.clone(),
                metric: metric.name.to_owned(),
                value,
                requests: measurement.sorted_ms.len() as u64,
            });
        }
    }
    found
}
