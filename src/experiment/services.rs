//! What each of several services met with: requests of clients, and calls made in their course.

use super::cell::milliseconds;
use super::comparison::Figure;
use crate::observe::{Latency, ServiceCount};
use crate::stats::{Estimate, estimable};
use crate::time::Span;

/// What the replications of one variant measured of one service.
#[derive(Clone, Debug, Default)]
pub struct ServiceOutcome {
    /// By replication.
    runs: Vec<ServiceRun>,
    /// Response times of what was answered well, all replications merged.
    latency: Latency,
}

/// One service in one replication.
#[derive(Clone, Debug, Default)]
struct ServiceRun {
    requests: u64,
    answered: u64,
    attempts: u64,
    failed_attempts: u64,
    clients: u64,
    mean_ms: Option<f64>,
    p99_ms: Option<f64>,
    wait_ms: Option<f64>,
    work_ms: Option<f64>,
    called_ms: Option<f64>,
}

/// What is known of one service, means over replications. Times are milliseconds, of requests that
/// were answered well.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ServiceFigures {
    /// Requests that were made, a replication.
    pub requests: f64,
    /// Attempts made for them, a replication.
    pub attempts: f64,
    /// Of these, failed, a replication.
    pub failed_attempts: f64,
    /// Attempts for each request of a client, whatever service that asks.
    pub amplification: Figure,
    /// Share of those that were answered well.
    pub success_share: Figure,
    /// Mean response time, as whoever asked sees it.
    pub mean_ms: Figure,
    /// Its 99th percentile.
    pub p99_ms: Figure,
    /// Mean time that they waited for a slot, at the server and at the balancer.
    pub wait_ms: Figure,
    /// Mean time that the server worked on them.
    pub work_ms: Figure,
    /// Mean time that they waited for what the server had called in their course.
    pub called_ms: Figure,
}

impl ServiceOutcome {
    /// Response times of what was answered well, all replications merged.
    pub(super) fn latency(&self) -> &Latency {
        &self.latency
    }

    /// Makes room for so many replications in all.
    pub(super) fn grow(&mut self, replications: usize) {
        self.runs.resize(replications, ServiceRun::default());
    }

    /// Takes what one replication measured, in which so many attempts failed, and clients made so
    /// many requests.
    pub(super) fn take(
        &mut self,
        replication: usize,
        count: &ServiceCount,
        (failed_attempts, clients): (u64, u64),
    ) {
        let answered = count.latency.count();
        let each =
            |total: Span| (answered > 0).then(|| milliseconds(total.seconds() / answered as f64));
        self.runs[replication] = ServiceRun {
            requests: count.requests,
            answered,
            attempts: count.attempts,
            failed_attempts,
            clients,
            mean_ms: count.latency.mean().map(milliseconds),
            p99_ms: count.latency.quantile(0.99).map(milliseconds),
            wait_ms: each(count.waited),
            work_ms: each(count.worked),
            called_ms: each(count.called),
        };
        self.latency.merge(&count.latency);
    }

    /// The share of all its requests that failed, 0 where there were none.
    pub(super) fn failed(&self) -> f64 {
        let sum = |of: fn(&ServiceRun) -> u64| self.runs.iter().map(of).sum::<u64>();
        match sum(|run| run.requests) {
            0 => 0.0,
            requests => 1.0 - sum(|run| run.answered) as f64 / requests as f64,
        }
    }

    /// What is known of it; without half-widths where replications are copies of each other.
    pub fn figures(&self, varies: bool) -> ServiceFigures {
        let mean = |value: fn(&ServiceRun) -> u64| {
            let sum: u64 = self.runs.iter().map(value).sum();
            sum as f64 / self.runs.len().max(1) as f64
        };
        let figure = |value: fn(&ServiceRun) -> Option<f64>| {
            let values: Vec<f64> = self.runs.iter().filter_map(value).collect();
            Estimate::of(&values).map_or(Figure::default(), |over_runs| Figure {
                estimate: Some(over_runs.mean),
                half_width: over_runs.half_width.filter(|_| varies),
                n: values.len(),
            })
        };
        let success = |run: &ServiceRun| {
            let share = run.answered as f64 / run.requests as f64;
            (run.requests > 0).then_some(share)
        };
        let amplification = |run: &ServiceRun| {
            let each = run.attempts as f64 / run.clients as f64;
            (run.clients > 0).then_some(each)
        };
        // A quantile is read off all replications together, and not given where too few took
        // longer.
        let mut p99_ms = figure(|run| run.p99_ms);
        p99_ms.estimate = self.latency.quantile(0.99).map(milliseconds);
        if !estimable(self.latency.count(), 0.99) {
            (p99_ms.estimate, p99_ms.half_width) = (None, None);
        }
        ServiceFigures {
            requests: mean(|run| run.requests),
            attempts: mean(|run| run.attempts),
            failed_attempts: mean(|run| run.failed_attempts),
            amplification: figure(amplification),
            success_share: figure(success),
            mean_ms: figure(|run| run.mean_ms),
            p99_ms,
            wait_ms: figure(|run| run.wait_ms),
            work_ms: figure(|run| run.work_ms),
            called_ms: figure(|run| run.called_ms),
        }
    }
}
