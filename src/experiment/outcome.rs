//! What the cells of a scenario measured, put together.

use serde::{Deserialize, Serialize};

use crate::observe::{Cause, Latency, Load, Tally, Timeline};
use crate::scenario::Variant;
use crate::time::Time;

/// Servers up to which each replication's share and utilization of each is kept, for intervals.
const DETAILED: usize = 2000;

/// One strategy in one replication, the raw truth for any later analysis: a row of `runs.csv`. Requests are counted
/// by arrival inside the measured window and followed to their end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The strategy, or the variant.
    pub strategy: String,
    /// The replication, from 0.
    pub replication: u32,
    /// Requests that arrived in the measured window.
    pub requests: u64,
    /// Of these, answered in full.
    pub succeeded: u64,
    /// Of these, failed because no member could be picked.
    pub failed_no_server: u64,
    /// Of these, failed because the server was dead or died.
    pub failed_crash: u64,
    /// Of these, failed because a server's queue was full.
    pub failed_queue_full: u64,
    /// Of these, failed because the last attempt ran into its timeout.
    pub failed_timeout: u64,
    /// Of these, failed because a server answered with an error.
    pub failed_error: u64,
    /// Of these, still under way when the run was cut off.
    pub unfinished: u64,
    /// Attempts sent to servers on behalf of these requests.
    pub attempts: u64,
    /// Succeeded requests a second of measured time.
    pub goodput_rps: f64,
    /// Succeeded over all.
    pub success_share: Option<f64>,
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
    /// Longest response time of the succeeded.
    pub max_ms: Option<f64>,
    /// Mean time to the end of all requests that ended, failed ones included.
    pub mean_all_ms: Option<f64>,
    /// 99th percentile of the time to the end of all requests that ended, failed ones included.
    pub p99_all_ms: Option<f64>,
    /// Share of all slot time in use.
    pub utilization_mean: Option<f64>,
    /// Highest less lowest utilization of a server.
    pub utilization_spread: Option<f64>,
    /// Highest utilization of a server.
    pub utilization_max: Option<f64>,
    /// What the servers cost an hour, in the scenario's unit; empty where none has a cost.
    pub cost_per_hour: Option<f64>,
    /// Sessions held in the measured window: alive at its beginning, or begun in it.
    pub sessions: u64,
    /// Sessions lost in the measured window, whatever the cause.
    pub sessions_lost: u64,
}

/// What one scenario's cells measured: one entry a variant, in the scenario's order.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// By variant.
    pub variants: Vec<VariantOutcome>,
    /// Whether the goal of the scenario was reached; none where it has no goal.
    pub reached: Option<bool>,
}

impl Outcome {
    /// How many replications were run.
    pub fn replications(&self) -> u32 {
        self.variants
            .first()
            .map_or(0, |variant| variant.runs.len() as u32)
    }

    /// How many replications were run, the least and the most of several outcomes.
    pub fn span(outcomes: &[Outcome]) -> (u32, u32) {
        // Points of a sweep that are left empty were not meant to be run.
        let counts = || {
            outcomes
                .iter()
                .map(Outcome::replications)
                .filter(|&count| count > 0)
        };
        (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
    }
}

/// What the replications of one variant measured.
#[derive(Clone, Debug)]
pub struct VariantOutcome {
    /// By replication.
    pub runs: Vec<Run>,
    /// Sessions lost, by replication and [`crate::observe::Loss`].
    pub losses: Vec<[u64; 3]>,
    /// Share of its service's attempts that went to each server: by server, then replication. Empty where there are
    /// very many servers.
    pub shares: Vec<Vec<f64>>,
    /// Utilization of each server: by server, then replication. Empty where there are very many servers.
    pub utilization: Vec<Vec<f64>>,
    /// Response times of the succeeded, all replications merged.
    pub latency: Latency,
    /// Stretches of time, all replications merged.
    pub timeline: Timeline,
    /// Load of servers, all replications merged.
    pub load: Load,
    /// Where the measured window begins.
    pub from: Time,
    /// Requests simulated, warm-up included.
    pub simulated: u64,
    /// Whether anything at all was drawn anew in each replication. Where nothing was, replications are copies of each other:
    /// an interval of ±0 over them is no evidence.
    pub varies: bool,
}

impl Run {
    fn new(strategy: &str, replication: u32, tally: &Tally, cost_per_hour: Option<f64>) -> Run {
        let mut all = tally.latency.clone();
        all.merge(&tally.failures);
        let ms = |seconds: Option<f64>| seconds.map(milliseconds);
        let latency = &tally.latency;
        let failed = |cause: Cause| tally.failed[cause as usize];
        let utilization = tally.load.utilization();
        let highest = utilization.iter().copied().fold(f64::MIN, f64::max);
        let lowest = utilization.iter().copied().fold(f64::MAX, f64::min);
        Run {
            strategy: strategy.to_owned(),
            replication,
            requests: tally.requests,
            succeeded: tally.succeeded_count(),
            failed_no_server: failed(Cause::NoServer),
            failed_crash: failed(Cause::Crash),
            failed_queue_full: failed(Cause::QueueFull),
            failed_timeout: failed(Cause::Timeout),
            failed_error: failed(Cause::Error),
            unfinished: tally.unfinished,
            attempts: tally.attempts,
            goodput_rps: tally.succeeded_count() as f64 / tally.seconds(),
            success_share: (tally.requests > 0)
                .then(|| tally.succeeded_count() as f64 / tally.requests as f64),
            mean_ms: ms(latency.mean()),
            p50_ms: ms(latency.quantile(0.5)),
            p90_ms: ms(latency.quantile(0.9)),
            p99_ms: ms(latency.quantile(0.99)),
            p999_ms: ms(latency.quantile(0.999)),
            max_ms: ms(latency.max()),
            mean_all_ms: ms(all.mean()),
            p99_all_ms: ms(all.quantile(0.99)),
            utilization_mean: Some(tally.load.mean_utilization()),
            utilization_spread: Some(highest - lowest),
            utilization_max: Some(highest),
            cost_per_hour,
            sessions: tally.sessions,
            sessions_lost: tally.sessions_lost.iter().sum(),
        }
    }
}

impl VariantOutcome {
    /// Nothing yet, for a variant of a scenario.
    pub(super) fn new(variant: &Variant) -> VariantOutcome {
        let plan = &variant.blueprint;
        let slots: Vec<u32> = plan
            .services
            .iter()
            .flat_map(|service| {
                (0..service.servers.len()).map(|server| service.group(server).slots)
            })
            .collect();
        let mut load = Load::new(plan.warmup, plan.end, plan.stretches, &slots);
        load.clear();
        let detailed = if slots.len() <= DETAILED {
            slots.len()
        } else {
            0
        };
        VariantOutcome {
            runs: Vec::new(),
            losses: Vec::new(),
            shares: vec![Vec::new(); detailed],
            utilization: vec![Vec::new(); detailed],
            latency: Latency::default(),
            timeline: Timeline::new(plan.end, plan.stretches),
            load,
            from: plan.warmup,
            simulated: 0,
            varies: plan.varies(),
        }
    }

    /// Makes room for so many replications in all.
    pub(super) fn grow(&mut self, replications: u32) {
        let count = replications as usize;
        self.runs.resize(count, Run::default());
        self.losses.resize(count, [0; 3]);
        let by_server = self.shares.iter_mut().chain(&mut self.utilization);
        by_server.for_each(|list| list.resize(count, 0.0));
    }

    /// Takes what one replication measured; in any order.
    pub(super) fn take(&mut self, variant: &Variant, replication: u32, tally: &Tally) {
        let at = replication as usize;
        self.runs[at] = Run::new(
            &variant.name,
            replication,
            tally,
            variant.blueprint.cost_per_hour(),
        );
        self.losses[at] = tally.sessions_lost;
        if !self.utilization.is_empty() {
            for (server, share) in tally.load.utilization().into_iter().enumerate() {
                self.utilization[server][at] = share;
            }
            let mut first = 0;
            for service in &variant.blueprint.services {
                let servers = first..first + service.servers.len();
                let loads = &tally.load.servers;
                let total: u64 = loads[servers.clone()].iter().map(|load| load.sent).sum();
                for server in servers.clone() {
                    self.shares[server][at] = loads[server].sent as f64 / total.max(1) as f64;
                }
                first = servers.end;
            }
        }
        self.latency.merge(&tally.latency);
        self.timeline.merge(&tally.timeline);
        self.load.merge(&tally.load);
        self.simulated += tally.simulated;
        self.varies |= tally.drew;
    }
}

/// Seconds as milliseconds to the nanosecond: no digits of rounding errors in the files.
pub(crate) fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e6
}
