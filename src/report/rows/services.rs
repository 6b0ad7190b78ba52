//! `services.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{ServiceOutcome, VariantOutcome};
use crate::model::blueprint::ServicePlan;
use crate::scenario::Variant;

/// `services.csv`: one of several services under one strategy, where servers call services or work
/// in steps. What is counted are requests that clients sent in the measured window, and the calls
/// made in their course. Times are of those that were answered well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceRow {
    /// The strategy.
    pub strategy: String,
    /// The service.
    pub service: String,
    /// Requests to it, a replication.
    pub requests: f64,
    /// Attempts that its balancers sent for them, a replication.
    pub attempts: f64,
    /// Of these, failed, a replication: each once, when its balancer learned of it.
    pub failed_attempts: f64,
    /// Attempts for each request of a client, whichever service that asked: retries at several
    /// services, and several calls for one request, multiply.
    pub attempts_per_client_request: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub attempts_per_client_request_half_width_95: Option<f64>,
    /// Share of these requests that were answered well.
    pub success_share: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub success_share_half_width_95: Option<f64>,
    /// Mean response time, as the client or server sees it that asked.
    pub mean_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub mean_half_width_95: Option<f64>,
    /// 99th percentile of the response time; empty with fewer than 100 above it.
    pub p99_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub p99_half_width_95: Option<f64>,
    /// Mean time that a request waited for a slot, at the server and at the balancer.
    pub wait_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub wait_half_width_95: Option<f64>,
    /// Mean time that the server worked on a request.
    pub work_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub work_half_width_95: Option<f64>,
    /// Mean time that a request waited for what its server had called in its course.
    pub called_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub called_half_width_95: Option<f64>,
    /// What is left of the mean response time: the network, pauses before retries, and attempts
    /// before the last.
    #[serde(default)]
    pub rest_ms: Option<f64>,
}

/// What is left of a time of which these are the parts: nothing where it is rounding.
fn rest(all: Option<f64>, parts: [Option<f64>; 3]) -> Option<f64> {
    let all = all?;
    let parts: f64 = parts.into_iter().sum::<Option<f64>>()?;
    let rest = all - parts;
    Some(if rest < 1e-6 * all { 0.0 } else { rest })
}

/// A row a service; none where no server has steps.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome) -> Vec<ServiceRow> {
    let named = variant.blueprint.services.iter().zip(&measured.services);
    let row = |(service, outcome): (&ServicePlan, &ServiceOutcome)| {
        let figures = outcome.figures(measured.varies);
        ServiceRow {
            strategy: variant.name.clone(),
            service: service.name.clone(),
            requests: figures.requests,
            attempts: figures.attempts,
            failed_attempts: figures.failed_attempts,
            attempts_per_client_request: figures.amplification.estimate,
            attempts_per_client_request_half_width_95: figures.amplification.half_width,
            success_share: figures.success_share.estimate,
            success_share_half_width_95: figures.success_share.half_width,
            mean_ms: figures.mean_ms.estimate,
            mean_half_width_95: figures.mean_ms.half_width,
            p99_ms: figures.p99_ms.estimate,
            p99_half_width_95: figures.p99_ms.half_width,
            wait_ms: figures.wait_ms.estimate,
            wait_half_width_95: figures.wait_ms.half_width,
            work_ms: figures.work_ms.estimate,
            work_half_width_95: figures.work_ms.half_width,
            called_ms: figures.called_ms.estimate,
            called_half_width_95: figures.called_ms.half_width,
            rest_ms: rest(
                figures.mean_ms.estimate,
                [&figures.wait_ms, &figures.work_ms, &figures.called_ms].map(|part| part.estimate),
            ),
        }
    };
    named.map(row).collect()
}
