//! `timeline.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{VariantOutcome, milliseconds};
use crate::scenario::Variant;
use crate::time::{Span, Time};

/// `timeline.csv`: one stretch of simulated time under one strategy, all replications merged.
/// Requests stand in the stretch in which they arrived.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimelineRow {
    /// The strategy.
    pub strategy: String,
    /// Where the stretch begins.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// Requests that arrived in it, a replication.
    pub requests: f64,
    /// Of these, failed, a replication.
    pub failed: f64,
    /// Of these, still under way when the run was cut off, a replication.
    pub unfinished: f64,
    /// Times that a request was asked or sent again in this stretch, whenever it arrived: by its
    /// client, or by the balancer that it asked, hedges included, a replication.
    #[serde(default)]
    pub repeats: f64,
    /// Median response time of the succeeded.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the succeeded; empty with fewer than 10 above it.
    pub p99_ms: Option<f64>,
    /// Of the sessions that were on when the first thing happened to servers in the measured window
    /// (a fault began at a known time, a server joined or left; where nothing did, when the window
    /// began), the share that had not lost its state at the end of the stretch; empty before, and
    /// where no client holds sessions.
    pub sessions_kept_share: Option<f64>,
    /// Servers in the pools of all services on average over the stretch: those that take requests,
    /// and not those that boot or are removed; empty where no autoscaler orders any under any
    /// strategy.
    #[serde(default)]
    pub servers: Option<f64>,
}

/// A p99 with fewer above it would be a single request's luck.
const TIMELINE_EXCEEDANCES: f64 = 10.0;

/// How many servers are in the pools by stretch of so many nanoseconds, by what happened or, where
/// nothing is left to an autoscaler, by the plan.
fn servers(variant: &Variant, measured: &VariantOutcome, length: u64) -> Vec<f64> {
    let replications = measured.runs.len().max(1) as f64;
    if !measured.servers_over_time.is_empty() {
        let each = measured.servers_over_time.iter();
        return each
            .map(|&nanos| nanos as f64 / (length as f64 * replications))
            .collect();
    }
    let stretches = measured.timeline.stretches().len() as u64;
    let services = variant.blueprint.services.iter();
    let groups: Vec<_> = services
        .flat_map(|service| (0..service.servers.len()).map(|server| service.group(server)))
        .collect();
    let in_one = |at: u64| {
        let (begins, ends) = (at * length, (at + 1) * length);
        let there = groups.iter().map(|group| {
            let (joins, leaves) = (group.joins.nanos(), group.leaves.nanos());
            leaves.min(ends).saturating_sub(joins.max(begins)) as f64
        });
        there.sum::<f64>() / length as f64
    };
    (0..stretches).map(in_one).collect()
}

/// A row a stretch of time; with the number of servers where `scales` says so.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome, scales: bool) -> Vec<TimelineRow> {
    let length = measured.timeline.length();
    let at_s = |stretch: usize| (length.nanos() * stretch as u64) as f64 / 1e9;
    let replications = measured.runs.len() as f64;
    let from = variant.blueprint.cohort_from();
    let servers = if scales {
        servers(variant, measured, length.nanos())
    } else {
        Vec::new()
    };
    let kept = |at: usize| {
        let hurt = measured.cohort_hurt.get(..=at)?.iter().sum::<u64>() as f64;
        let ends = Time::ZERO + Span::from_nanos(length.nanos() * (at as u64 + 1));
        (measured.cohort > 0 && ends > from).then(|| 1.0 - hurt / measured.cohort as f64)
    };
    measured
        .timeline
        .stretches()
        .iter()
        .enumerate()
        .map(|(at, stretch)| {
            let succeeded = stretch.succeeded();
            let enough = succeeded as f64 * 0.01 >= TIMELINE_EXCEEDANCES;
            TimelineRow {
                strategy: variant.name.clone(),
                from_s: at_s(at),
                to_s: at_s(at + 1),
                requests: stretch.requests() as f64 / replications,
                failed: stretch.failed as f64 / replications,
                unfinished: stretch.unfinished as f64 / replications,
                repeats: stretch.repeats as f64 / replications,
                p50_ms: stretch.quantile(0.5).map(milliseconds),
                sessions_kept_share: kept(at),
                servers: servers.get(at).copied(),
                p99_ms: stretch.quantile(0.99).filter(|_| enough).map(milliseconds),
            }
        })
        .collect()
}
