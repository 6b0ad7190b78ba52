//! `percentiles.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::VariantOutcome;
use crate::scenario::Variant;

/// `percentiles.csv`: one percentile that the scenario asks for (`run.percentiles`, `judge-by`) of
/// one strategy in one replication, beside those of `runs.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PercentileRow {
    /// The strategy.
    pub strategy: String,
    /// The replication, from 0.
    pub replication: u32,
    /// Which, as `summary.csv` calls it: `p95_ms`.
    pub metric: String,
    /// The percentile of the response time of the succeeded; empty where none did.
    pub ms: Option<f64>,
}

/// A row a replication and percentile; none where none is asked for.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome) -> Vec<PercentileRow> {
    let all = measured.runs.iter();
    all.flat_map(|run| {
        run.percentiles
            .iter()
            .map(|(percentile, ms)| PercentileRow {
                strategy: variant.name.clone(),
                replication: run.replication,
                metric: format!("{percentile}_ms"),
                ms: *ms,
            })
    })
    .collect()
}
