//! `failures.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{Outcome, Run};
use crate::scenario::Scenario;
use crate::stats::Estimate;

/// `failures.csv`: requests that failed for one cause under one strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureRow {
    /// The strategy.
    pub strategy: String,
    /// Why, as in the columns of `runs.csv`: `failed_crash`, `failed_timeout` and so on, or
    /// `unfinished`.
    pub cause: String,
    /// Requests that failed so, a replication.
    pub failed: f64,
    /// Half the width of the 95% confidence interval of `failed`.
    pub failed_half_width_95: Option<f64>,
    /// Those over all requests, of all replications together; empty where none came.
    pub failed_share: Option<f64>,
}

/// Why requests fail: the column, what it is called in tables, and how many did so.
type FailureCause = (&'static str, &'static str, fn(&Run) -> u64);

pub(in crate::report) const CAUSES: [FailureCause; 8] = [
    ("failed_no_server", "no server\nto pick", |run| {
        run.failed_no_server
    }),
    ("failed_crash", "dead", |run| run.failed_crash),
    ("failed_queue_full", "queue\nfull", |run| {
        run.failed_queue_full
    }),
    ("failed_timeout", "timeout", |run| run.failed_timeout),
    ("failed_error", "error\nanswer", |run| run.failed_error),
    ("failed_gave_up", "client\ngave up", |run| {
        run.failed_gave_up
    }),
    ("failed_limited", "over a\nlimit", |run| run.failed_limited),
    ("unfinished", "not\nended", |run| run.unfinished),
];

/// A row a strategy and cause, of the causes that there were under any; none where nothing failed.
pub(super) fn rows(scenario: &Scenario, outcome: &Outcome) -> Vec<FailureRow> {
    let runs = || outcome.variants.iter().flat_map(|variant| &variant.runs);
    let mut causes = CAUSES.to_vec();
    causes.retain(|(.., count)| runs().any(|run| count(run) > 0));
    let mut found = Vec::new();
    for (variant, measured) in scenario.variants.iter().zip(&outcome.variants) {
        let all: u64 = measured.runs.iter().map(|run| run.requests).sum();
        for (cause, _, count) in &causes {
            let counts: Vec<f64> = measured.runs.iter().map(|run| count(run) as f64).collect();
            let Some(failed) = Estimate::of(&counts) else {
                continue;
            };
            found.push(FailureRow {
                strategy: variant.name.clone(),
                cause: (*cause).to_owned(),
                failed: failed.mean,
                failed_half_width_95: failed.half_width,
                failed_share: (all > 0).then(|| counts.iter().sum::<f64>() / all as f64),
            });
        }
    }
    found
}
