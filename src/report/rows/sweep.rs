//! The rows of a sweep: those of its files.

use serde::{Deserialize, Serialize};

use super::SweepTables;
use super::paired;
use crate::experiment::{Analysis, Outcome, Run};
use crate::scenario::{Point, Scenario};

/// `sweep.csv`: one estimate of one strategy at one value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepRow {
    /// The value, as the scenario writes it.
    pub value: String,
    /// The second value, where two are swept.
    pub value_2: Option<String>,
    /// Where it stands on an axis.
    pub at: f64,
    /// Where the second value stands on its axis.
    pub at_2: Option<f64>,
    /// The strategy.
    pub strategy: String,
    /// The column of `runs.csv` that is estimated.
    pub metric: String,
    /// The estimate; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% interval; empty with one replication.
    pub half_width_95: Option<f64>,
    /// Replications that had a value.
    pub n: u32,
}

/// `paired.csv` of a sweep: a difference to the baseline at one value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepPairedRow {
    /// The value, as the scenario writes it.
    pub value: String,
    /// The second value, where two are swept.
    pub value_2: Option<String>,
    /// The strategy.
    pub strategy: String,
    /// What it is compared with.
    pub baseline: String,
    /// The column of `runs.csv` that is compared.
    pub metric: String,
    /// Mean difference; empty where the runs cannot tell.
    pub difference: Option<f64>,
    /// Half the width of its 95% interval.
    pub half_width_95: Option<f64>,
    /// Better, worse, or not shown.
    pub verdict: String,
}

/// `runs.csv` of a sweep: a replication of one strategy at one value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepRun {
    /// The value, as the scenario writes it.
    pub value: String,
    /// The second value, where two are swept.
    pub value_2: Option<String>,
    /// The strategy.
    pub strategy: String,
    /// The replication, from 0.
    pub replication: u32,
    /// Requests that arrived in the measured window.
    pub requests: u64,
    /// Of these, answered in full.
    pub succeeded: u64,
    /// Requests that arrived in the measured window and succeeded, however late, for each second of
    /// it. Where a queue that grew in the window is worked off after it, this may be more than the
    /// servers can do.
    pub goodput_rps: f64,
    /// Mean response time of the succeeded.
    pub mean_ms: Option<f64>,
    /// Median response time of the succeeded.
    pub p50_ms: Option<f64>,
    /// 90th percentile of the succeeded.
    pub p90_ms: Option<f64>,
    /// 99th percentile of the succeeded.
    pub p99_ms: Option<f64>,
    /// 99.9th percentile of the succeeded.
    pub p999_ms: Option<f64>,
    /// Share of all slot time in use.
    pub utilization_mean: Option<f64>,
    /// Highest less lowest utilization of a server.
    pub utilization_spread: Option<f64>,
    /// Sessions lost in the measured window.
    pub sessions_lost: u64,
}

/// The rows of all files; none where the scenario has no sweep.
pub(super) fn rows(
    scenario: &Scenario,
    outcomes: &[Outcome],
    analyses: &[Analysis],
) -> SweepTables {
    let mut rows = SweepTables::default();
    let points = scenario.sweep.iter().flat_map(|sweep| &sweep.points);
    for ((point, outcome), analysis) in points.zip(outcomes).zip(analyses) {
        let paired = paired::rows(scenario, analysis).into_iter();
        rows.paired.extend(paired.map(|pair| SweepPairedRow {
            value: point.value.clone(),
            value_2: second(point),
            strategy: pair.strategy,
            baseline: pair.baseline,
            metric: pair.metric,
            difference: pair.difference,
            half_width_95: pair.half_width_95,
            verdict: pair.verdict,
        }));
        for (at, (variant, measured)) in scenario.variants.iter().zip(&outcome.variants).enumerate()
        {
            rows.runs
                .extend(measured.runs.iter().map(|run| row(point, run)));
            rows.sweep.extend(analysis.metrics().iter().map(|metric| {
                let figure = analysis.figure(at, metric);
                SweepRow {
                    value: point.value.clone(),
                    value_2: second(point),
                    at: point.at,
                    at_2: point.and.as_ref().map(|and| and.1),
                    strategy: variant.name.clone(),
                    metric: metric.name.to_owned(),
                    estimate: figure.estimate,
                    half_width_95: figure.half_width,
                    n: figure.n as u32,
                }
            }));
        }
    }
    rows
}

/// The second value of a point.
fn second(point: &Point) -> Option<String> {
    point.and.as_ref().map(|and| and.0.clone())
}

impl SweepRun {
    /// The metrics that it holds, by name: as in `runs.csv` without a sweep, and what follows from
    /// that.
    pub(in crate::report) const METRICS: &'static [&'static str] = &[
        "requests",
        "goodput_rps",
        "success_share",
        "mean_ms",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "p999_ms",
        "utilization_mean",
        "utilization_spread",
        "sessions_lost",
    ];

    /// The replication that it was made of, as far as it is known.
    pub(in crate::report) fn run(&self) -> Run {
        let share = self.succeeded as f64 / self.requests as f64;
        Run {
            strategy: self.strategy.clone(),
            replication: self.replication,
            requests: self.requests,
            succeeded: self.succeeded,
            success_share: (self.requests > 0).then_some(share),
            goodput_rps: self.goodput_rps,
            mean_ms: self.mean_ms,
            p50_ms: self.p50_ms,
            p90_ms: self.p90_ms,
            p99_ms: self.p99_ms,
            p999_ms: self.p999_ms,
            utilization_mean: self.utilization_mean,
            utilization_spread: self.utilization_spread,
            sessions_lost: self.sessions_lost,
            ..Run::default()
        }
    }
}

fn row(point: &Point, run: &Run) -> SweepRun {
    SweepRun {
        value: point.value.clone(),
        value_2: second(point),
        strategy: run.strategy.clone(),
        replication: run.replication,
        requests: run.requests,
        succeeded: run.succeeded,
        goodput_rps: run.goodput_rps,
        mean_ms: run.mean_ms,
        p50_ms: run.p50_ms,
        p90_ms: run.p90_ms,
        p99_ms: run.p99_ms,
        p999_ms: run.p999_ms,
        utilization_mean: run.utilization_mean,
        utilization_spread: run.utilization_spread,
        sessions_lost: run.sessions_lost,
    }
}
