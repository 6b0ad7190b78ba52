//! What the cells of a scenario measured, put together.

use serde::{Deserialize, Serialize};

use super::asked::{Ask, AskOutcome};
use super::detections::DetectionOutcome;
use super::services::ServiceOutcome;
use crate::model::blueprint::{Blueprint, ServicePlan};
use crate::observe::{Cause, FaultTime, Latency, Load, Loss, Part, PoolCount, Tally, Timeline};
use crate::scenario::Variant;
use crate::time::Time;
use crate::units::Percentile;

/// Servers up to which each replication's share and utilization of each is kept, for intervals.
const DETAILED: usize = 2000;

/// One strategy in one replication, the raw truth for any later analysis: a row of `runs.csv`.
/// Requests are counted by arrival inside the measured window and followed to their end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// Of these, failed because the server or the balancer was dead or died.
    pub failed_crash: u64,
    /// Of these, failed because a server's queue was full.
    pub failed_queue_full: u64,
    /// Of these, failed because the last attempt ran into its timeout.
    pub failed_timeout: u64,
    /// Of these, failed because a server answered with an error.
    pub failed_error: u64,
    /// Of these, failed because their client had waited long enough (`timeout` and `patience` of
    /// clients).
    pub failed_gave_up: u64,
    /// Of these, failed because a limit of the balancer, or of all its servers, was reached
    /// (`limit` and `server-limit`).
    pub failed_limited: u64,
    /// Of these, still under way when the run was cut off.
    pub unfinished: u64,
    /// Times that clients asked for them: more than there are where clients ask again.
    pub tries: u64,
    /// Attempts sent to servers on behalf of these requests.
    pub attempts: u64,
    /// Tries over requests.
    pub tries_per_request: Option<f64>,
    /// Share of hostile requests that were answered; they are counted nowhere else.
    pub hostile_answered_share: Option<f64>,
    /// Connections opened over requests, where balancers are of layer 4.
    pub connections_per_request: Option<f64>,
    /// Attempts over requests; of calls that servers make, `services.csv` tells.
    pub attempts_per_request: Option<f64>,
    /// Requests that arrived in the measured window and succeeded, however late, for each second of
    /// it. Where a queue that grew in the window is worked off after it, this may be more than the
    /// servers can do.
    pub goodput_rps: f64,
    /// Succeeded over all.
    pub success_share: Option<f64>,
    /// Succeeded at the first try, of its balancer and of its client, over all.
    pub first_try_share: Option<f64>,
    /// Share of the work of all servers over the whole run that nobody had an answer of: attempts
    /// that failed, or whose answer nobody waited for any more. Empty where nothing can fail, and
    /// where servers share themselves.
    pub work_wasted_share: Option<f64>,
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
    /// Longest response time of the succeeded in that replication. Its estimate in `summary.csv` is
    /// the mean over replications, and not the longest of all.
    pub max_ms: Option<f64>,
    /// Mean time to the end of all requests that ended, failed ones included.
    pub mean_all_ms: Option<f64>,
    /// 99th percentile of the time to the end of all requests that ended, failed ones included.
    pub p99_all_ms: Option<f64>,
    /// Share of all slot time in use.
    pub utilization_mean: Option<f64>,
    /// Highest less lowest utilization of a server of the service whose strategy is compared.
    pub utilization_spread: Option<f64>,
    /// Highest utilization of a server.
    pub utilization_max: Option<f64>,
    /// What the servers cost an hour, in the scenario's unit; empty where none has a cost. One that
    /// an autoscaler orders and removes costs from its order on, until it has left and finished
    /// what it has.
    pub cost_per_hour: Option<f64>,
    /// What a million answered requests cost.
    pub cost_per_million: Option<f64>,
    /// Servers in the pools of all services on average over the measured window: those that take
    /// requests, and not those that boot or are removed; empty where no autoscaler orders any.
    #[serde(default)]
    pub servers_mean: Option<f64>,
    /// The most at once in the measured window.
    #[serde(default)]
    pub servers_max: Option<u64>,
    /// Times in the measured window that autoscalers ordered servers.
    #[serde(default)]
    pub scale_outs: Option<u64>,
    /// Times in the measured window that autoscalers removed servers.
    #[serde(default)]
    pub scale_ins: Option<u64>,
    /// Sessions in the measured window: on at its beginning, or begun in it. A session whose state
    /// is lost goes on: there are as many whatever is lost. Under strategies that see later that
    /// one is revoked fewer begin.
    pub sessions: u64,
    /// Times that a session lost its state in the measured window, whatever the cause; one that is
    /// sent about may lose it often.
    pub sessions_lost: u64,
    /// Sessions that lost their state in the measured window, each counted once.
    pub sessions_hurt: u64,
    /// Those over all sessions: the share of users who noticed.
    pub sessions_hurt_share: Option<f64>,
    /// Requests that were the first to find the state of their session lost, or were answered
    /// without their store (`optional`), over all.
    pub met_loss_share: Option<f64>,
    /// Acknowledged changes of state made in the measured window that were lost in it, with the
    /// state, because a copy was old, or because no store took them (`optional`), over all.
    pub changes_lost_share: Option<f64>,
    /// States that went on from a copy that was old: to their users, progress that is gone.
    pub sessions_set_back: u64,
    /// How old such a copy was, on average: since the oldest change that it lacked was made.
    pub set_back_by_s: Option<f64>,
    /// Readings of a state that was not the newest, over all.
    pub stale_reads_share: Option<f64>,
    /// Readings of a state that was older than one which the session had seen before, over all.
    pub backward_reads_share: Option<f64>,
    /// Changes of state that overwrote others which their request had not read, over all.
    pub lost_updates_share: Option<f64>,
    /// Times that a server set up a state that was not there (`rebuild`), a session.
    pub rebuilds_per_session: Option<f64>,
    /// How long sessions could be used after they had been revoked, on average over those that were
    /// and asked on.
    pub revocation_delay_s: Option<f64>,
    /// Attempts of clients' requests that were sent where their client was bound, over all
    /// attempts.
    pub bound_share: Option<f64>,
    /// States on the server that had most of them, on average over time, in MiB; copies count.
    /// Empty where no server keeps any.
    pub state_mib_max: Option<f64>,
    /// States on the server that had most less those on the one that had fewest.
    pub state_mib_spread: Option<f64>,
    /// Bytes of states that were sent, over answered requests: in tokens to and from clients, to
    /// and from stores, to each copy and from other servers.
    pub state_bytes_per_request: Option<f64>,
    /// The percentiles that the scenario asks for, in milliseconds; `None` where nothing succeeded.
    /// They stand in `percentiles.csv`.
    #[serde(skip)]
    pub percentiles: Vec<(Percentile, Option<f64>)>,
}

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
    /// What each group of clients met with, where there are several: requests and their response
    /// times, and nothing of servers.
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

impl Run {
    fn new(variant: &Variant, replication: u32, tally: &Tally) -> Run {
        let all = Part {
            requests: tally.requests,
            failed: tally.failed,
            latency: tally.latency.clone(),
            failures: tally.failures.clone(),
        };
        let utilization = tally.load.utilization();
        let highest = utilization.iter().copied().reduce(f64::max);
        let sessions = &tally.sessions;
        let hurt: u64 = sessions.hurt.iter().sum();
        let holds = sessions.all > 0;
        let share = |part: u64, all: u64| (all > 0).then(|| part as f64 / all as f64);
        let answered = tally.latency.count();
        // Where no server keeps states, there is none that has most.
        let mib = |of: fn(f64, f64) -> f64| {
            let own = variant.blueprint.states_at();
            let means =
                (sessions.memory.get(own)?.iter()).map(|memory| memory.mean / f64::from(1 << 20));
            means.reduce(of)
        };
        let (most, least) = (mib(f64::max), mib(f64::min));
        let own = variant.blueprint.servers_of(variant.service);
        let own = own.filter(|&server| tally.load.was_there(server));
        let own: Vec<f64> = own.map(|server| utilization[server]).collect();
        let busiest = own.iter().copied().reduce(f64::max);
        let idlest = own.iter().copied().reduce(f64::min);
        let pools = tally.pools.as_deref();
        let mut sent: Vec<u64> = tally.load.servers.iter().map(|load| load.sent).collect();
        // Who floods a service makes it cost as much as anybody else.
        for (sent, more) in sent.iter_mut().zip(&tally.hostile.sent) {
            *sent += more;
        }
        let paid = pools.map(|pools| pools.paid.as_slice());
        let cost = variant.blueprint.cost_per_hour(paid, &sent);
        let each = |made: u64| (tally.requests > 0).then(|| made as f64 / tally.requests as f64);
        Run {
            tries: tally.tries,
            attempts: tally.attempts,
            tries_per_request: each(tally.tries),
            hostile_answered_share: share(tally.hostile.answered, tally.hostile.requests),
            connections_per_request: tally.connections.and_then(each),
            attempts_per_request: each(tally.attempts),
            utilization_mean: Some(tally.load.mean_utilization()),
            utilization_spread: busiest.zip(idlest).map(|(most, least)| most - least),
            utilization_max: highest,
            cost_per_hour: cost,
            cost_per_million: (cost.filter(|_| answered > 0)).map(|cost| {
                let hours = tally.seconds() / 3600.0;
                cost * hours / answered as f64 * 1e6
            }),
            servers_mean: pools.map(PoolCount::mean),
            servers_max: pools.map(|pools| u64::from(pools.most)),
            scale_outs: pools.map(|pools| pools.outs),
            scale_ins: pools.map(|pools| pools.ins),
            first_try_share: (tally.requests > 0).then(|| {
                let first = tally.latency.count() - tally.answered_again;
                first as f64 / tally.requests as f64
            }),
            work_wasted_share: tally.work.and_then(|work| {
                let ended = work.useful + work.wasted;
                (ended > 0).then(|| work.wasted as f64 / ended as f64)
            }),
            sessions: sessions.all,
            sessions_lost: sessions.lost.iter().sum(),
            sessions_hurt: hurt,
            sessions_hurt_share: share(hurt, sessions.all),
            met_loss_share: share(sessions.met, tally.requests).filter(|_| holds),
            changes_lost_share: share(sessions.writes_lost, sessions.writes),
            sessions_set_back: sessions.set_back,
            set_back_by_s: (sessions.set_back > 0)
                .then(|| sessions.set_back_by.seconds() / sessions.set_back as f64),
            stale_reads_share: share(sessions.stale, sessions.reads),
            backward_reads_share: share(sessions.backwards, sessions.reads),
            lost_updates_share: share(sessions.lost_updates, sessions.writes),
            rebuilds_per_session: share(sessions.rebuilt, sessions.all)
                .filter(|_| variant.blueprint.rebuilds()),
            revocation_delay_s: (sessions.revoked > 0)
                .then(|| sessions.revocation_delay.seconds() / sessions.revoked as f64),
            bound_share: share(sessions.bound, tally.attempts)
                .filter(|_| variant.blueprint.features().cookies),
            state_mib_max: most,
            state_mib_spread: most.zip(least).map(|(most, least)| most - least),
            state_bytes_per_request: share(sessions.bytes, answered)
                .filter(|_| !sessions.memory.is_empty()),
            ..Run::of(&all, &variant.name, replication, tally.seconds())
        }
    }

    /// What is known of the requests of a part, over so many seconds.
    fn of(part: &Part, strategy: &str, replication: u32, seconds: f64) -> Run {
        let latency = &part.latency;
        let mut all = latency.clone();
        all.merge(&part.failures);
        let ms = |seconds: Option<f64>| seconds.map(milliseconds);
        let failed = |cause: Cause| part.failed[cause as usize];
        let succeeded = latency.count();
        Run {
            strategy: strategy.to_owned(),
            replication,
            requests: part.requests,
            succeeded,
            failed_no_server: failed(Cause::NoServer),
            failed_crash: failed(Cause::Crash),
            failed_queue_full: failed(Cause::QueueFull),
            failed_timeout: failed(Cause::Timeout),
            failed_error: failed(Cause::Error),
            failed_gave_up: failed(Cause::GaveUp),
            failed_limited: failed(Cause::Limited),
            unfinished: part.requests - succeeded - part.failed.iter().sum::<u64>(),
            goodput_rps: succeeded as f64 / seconds,
            success_share: (part.requests > 0).then(|| succeeded as f64 / part.requests as f64),
            mean_ms: ms(latency.mean()),
            p50_ms: ms(latency.quantile(0.5)),
            p90_ms: ms(latency.quantile(0.9)),
            p99_ms: ms(latency.quantile(0.99)),
            p999_ms: ms(latency.quantile(0.999)),
            max_ms: ms(latency.max()),
            mean_all_ms: ms(all.mean()),
            p99_all_ms: ms(all.quantile(0.99)),
            ..Run::default()
        }
    }
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
            asked: asks.iter().cloned().map(AskOutcome::new).collect(),
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
            asked.values.resize(count, None);
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
        for (group, part) in self.groups.iter_mut().zip(&tally.parts) {
            group.runs[at] = Run::of(part, &variant.name, replication, tally.seconds());
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

/// Seconds as milliseconds to the nanosecond: no digits of rounding errors in the files.
pub(crate) fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e6
}
