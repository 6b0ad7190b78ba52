//! What the cells of a scenario measured, put together.

use super::asked::{Ask, AskOutcome};
use super::cell::{Run, milliseconds};
use super::detections::DetectionOutcome;
use super::services::ServiceOutcome;
use crate::model::blueprint::{Blueprint, ServicePlan};
use crate::observe::{FaultTime, Latency, Load, Loss, Tally, Timeline};
use crate::scenario::Variant;
use crate::time::Time;
use crate::units::Percentile;

/// Servers up to which each replication's share and utilization of each is kept, for intervals.
const DETAILED: usize = 2000;

/// What one scenario's cells measured: one entry a variant, in the scenario's order.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct VariantOutcome {
    /// By replication.
    pub runs: Vec<Run>,
    /// Times that sessions lost their state, by replication and [`crate::observe::Loss`].
    pub losses: Vec<[u64; Loss::COUNT]>,
    /// Sessions that lost their state, by replication and the [`crate::observe::Loss`] that was the
    /// first.
    pub hurt: Vec<[u64; Loss::COUNT]>,
    /// Sessions that were on when the first thing happened to servers, over all replications.
    pub cohort: u64,
    /// Those of them that lost their state for the first time, by stretch of time, over all
    /// replications; empty where no client holds any.
    pub cohort_hurt: Vec<u64>,
    /// Share of its service's attempts that went to each server: by server, then replication. Empty
    /// where there are very many servers.
    pub shares: Vec<Vec<f64>>,
    /// Utilization of each server: by server, then replication. Empty where there are very many
    /// servers.
    pub utilization: Vec<Vec<f64>>,
    /// Response times of the succeeded, all replications merged.
    pub latency: Latency,
    /// Percentiles that the scenario asks for.
    pub percentiles: Vec<Percentile>,
    /// What requirements ask for that `runs` does not have; none where nobody asks.
    pub asked: Vec<AskOutcome>,
    /// Times to the end of the failed, all replications merged.
    pub failures: Latency,
    /// Stretches of time, all replications merged.
    pub timeline: Timeline,
    /// Load of servers, all replications merged.
    pub load: Load,
    /// Where the measured window begins.
    pub from: Time,
    /// Requests simulated, warm-up included.
    pub simulated: u64,
    /// Whether anything at all was drawn anew in each replication. Where nothing was, replications
    /// are copies of each other: an interval of ±0 over them is no evidence.
    pub varies: bool,
    /// Whether any request can fail at all.
    pub may_fail: bool,
    /// What each group of clients met with, where there are several: requests, their response times
    /// and what its sessions lost, and nothing of servers.
    pub groups: Vec<VariantOutcome>,
    /// What each service met with, in the order of the blueprint; empty where no server has steps.
    pub services: Vec<ServiceOutcome>,
    /// What the balancers of each service noticed of failures, in the order of the blueprint; empty
    /// where nothing could be noticed.
    pub detections: Vec<DetectionOutcome>,
    /// For how long the faults held whose times are drawn, all replications merged.
    pub faults: Vec<FaultTime>,
    /// Server-nanoseconds in the pools by stretch of time, over all replications; empty where no
    /// autoscaler orders servers.
    pub servers_over_time: Vec<u64>,
}

/// What differences are made of: the replications of one variant, the first first, and whether
/// chance was repeated in them. Results that were written hold this much, so that a difference of
/// what was read back is the same to the digit.
#[derive(Clone, Copy, Debug)]
pub struct Replicated<'a> {
    /// By replication.
    pub runs: &'a [Run],
    /// As [`VariantOutcome::varies`].
    pub varies: bool,
}

impl Replicated<'_> {
    /// The share of the requests of all replications that did not succeed.
    pub fn failed(self) -> f64 {
        let requests: u64 = self.runs.iter().map(|run| run.requests).sum();
        let succeeded: u64 = self.runs.iter().map(|run| run.succeeded).sum();
        (requests - succeeded.min(requests)) as f64 / requests.max(1) as f64
    }
}

impl VariantOutcome {
    /// What differences to others are made of.
    pub fn replicated(&self) -> Replicated<'_> {
        Replicated {
            runs: &self.runs,
            varies: self.varies,
        }
    }

    /// Nothing yet, for a variant of a scenario; `asks` are what requirements ask for.
    pub(super) fn new(
        variant: &Variant,
        percentiles: &[Percentile],
        asks: &[Ask],
    ) -> VariantOutcome {
        let plan = &variant.blueprint;
        let slots = |service: &ServicePlan| -> Vec<u32> {
            let servers = 0..service.servers.len();
            servers.map(|server| service.group(server).slots).collect()
        };
        let slots: Vec<Vec<u32>> = plan.services.iter().map(slots).collect();
        let slots: Vec<&[u32]> = slots.iter().map(Vec::as_slice).collect();
        let mut load = Load::new(plan.warmup, plan.end, plan.stretches, &slots);
        load.clear();
        if plan.features().autoscalers {
            load.keep_stays();
        }
        let mut faults = plan.drawn_faults();
        faults.iter_mut().for_each(FaultTime::clear);
        let servers = load.servers.len();
        let detailed = if servers <= DETAILED { servers } else { 0 };
        VariantOutcome {
            runs: Vec::new(),
            losses: Vec::new(),
            hurt: Vec::new(),
            cohort: 0,
            cohort_hurt: Vec::new(),
            shares: vec![Vec::new(); detailed],
            utilization: vec![Vec::new(); detailed],
            latency: Latency::default(),
            percentiles: percentiles.to_vec(),
            asked: asks
                .iter()
                .cloned()
                .map(|ask| AskOutcome::new(ask, plan))
                .collect(),
            failures: Latency::default(),
            timeline: Timeline::new(plan.end, plan.stretches),
            load,
            from: plan.warmup,
            simulated: 0,
            varies: plan.varies(),
            may_fail: plan.features().may_fail(),
            groups: match &plan.sources[..] {
                [_] => Vec::new(),
                several => several
                    .iter()
                    .map(|_| VariantOutcome::of_group(plan, percentiles))
                    .collect(),
            },
            services: if plan.features().steps {
                vec![ServiceOutcome::default(); plan.services.len()]
            } else {
                Vec::new()
            },
            detections: if plan.features().detections() {
                vec![DetectionOutcome::default(); plan.services.len()]
            } else {
                Vec::new()
            },
            faults,
            servers_over_time: Vec::new(),
        }
    }

    /// Nothing yet, for one of several groups of clients.
    fn of_group(plan: &Blueprint, percentiles: &[Percentile]) -> VariantOutcome {
        VariantOutcome {
            runs: Vec::new(),
            losses: Vec::new(),
            hurt: Vec::new(),
            cohort: 0,
            cohort_hurt: Vec::new(),
            shares: Vec::new(),
            utilization: Vec::new(),
            latency: Latency::default(),
            percentiles: percentiles.to_vec(),
            asked: Vec::new(),
            failures: Latency::default(),
            timeline: Timeline::new(plan.end, 1),
            load: Load::new(plan.warmup, plan.end, 1, &[]),
            from: plan.warmup,
            simulated: 0,
            varies: plan.varies(),
            may_fail: plan.features().may_fail(),
            groups: Vec::new(),
            services: Vec::new(),
            detections: Vec::new(),
            faults: Vec::new(),
            servers_over_time: Vec::new(),
        }
    }

    /// Makes room for so many replications in all.
    pub(super) fn grow(&mut self, replications: u32) {
        let count = replications as usize;
        self.runs.resize(count, Run::default());
        self.losses.resize(count, [0; Loss::COUNT]);
        self.hurt.resize(count, [0; Loss::COUNT]);
        let by_server = self.shares.iter_mut().chain(&mut self.utilization);
        by_server.for_each(|list| list.resize(count, 0.0));
        for asked in &mut self.asked {
            asked.grow(count);
        }
        self.groups
            .iter_mut()
            .for_each(|group| group.grow(replications));
        self.services
            .iter_mut()
            .for_each(|service| service.grow(count));
        self.detections
            .iter_mut()
            .for_each(|service| service.grow(count));
    }

    /// Takes what one replication measured; in any order.
    pub(super) fn take(&mut self, variant: &Variant, replication: u32, tally: &Tally) {
        let at = replication as usize;
        self.runs[at] = Run::new(variant, replication, tally);
        self.runs[at].percentiles = percentiles(&self.percentiles, &tally.latency);
        self.losses[at] = tally.sessions.lost;
        self.hurt[at] = tally.sessions.hurt;
        self.cohort += tally.sessions.cohort;
        let over_time = &tally.sessions.cohort_hurt;
        self.cohort_hurt.resize(over_time.len(), 0);
        for (sum, count) in self.cohort_hurt.iter_mut().zip(over_time) {
            *sum += count;
        }
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
        for asked in &mut self.asked {
            asked.take(at, tally, self.from);
        }
        self.latency.merge(&tally.latency);
        self.failures.merge(&tally.failures);
        self.timeline.merge(&tally.timeline);
        self.load.merge(&tally.load);
        if let Some(pools) = &tally.pools {
            let over_time = pools.over_time();
            self.servers_over_time.resize(over_time.len(), 0);
            for (sum, more) in self.servers_over_time.iter_mut().zip(over_time) {
                *sum += more;
            }
        }
        self.simulated += tally.simulated;
        self.varies |= tally.drew;
        for (sum, held) in self.faults.iter_mut().zip(&tally.faults) {
            sum.merge(held);
        }
        for (number, count) in tally.services.iter().enumerate() {
            let loads = &tally.load.servers[variant.blueprint.servers_of(number)];
            let failed = loads.iter().map(|load| load.failed).sum();
            self.services[number].take(at, count, (failed, tally.requests));
        }
        for (service, detection) in self.detections.iter_mut().zip(&tally.detections) {
            service.take(at, detection);
        }
        for (number, (group, part)) in self.groups.iter_mut().zip(&tally.parts).enumerate() {
            let mut run = Run::of(part, &variant.name, replication, tally.seconds());
            if let Some(sessions) = tally.sessions.parts.get(number) {
                run = run.with_sessions(sessions);
            }
            group.runs[at] = run;
            group.runs[at].percentiles = percentiles(&group.percentiles, &part.latency);
            group.latency.merge(&part.latency);
            group.failures.merge(&part.failures);
            group.varies = self.varies;
        }
    }
}

/// Percentiles of one replication.
fn percentiles(asked: &[Percentile], latency: &Latency) -> Vec<(Percentile, Option<f64>)> {
    let value = |own: Percentile| latency.quantile(own.fraction()).map(milliseconds);
    asked.iter().map(|&own| (own, value(own))).collect()
}
