//! What one cell measured: a row of `runs.csv`.

use serde::{Deserialize, Serialize};

use crate::observe::{Cause, Detection, Part, PoolCount, SessionPart, Tally, Traffic};
use crate::scenario::Variant;
use crate::units::Percentile;

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
    /// Times that a server was ill and well again before its balancer had left it out, of all
    /// services together (`detection.csv` tells them apart). Empty where nothing fails by plan, and
    /// where nobody looks.
    pub failures_missed: Option<f64>,
    /// How long servers were left out while they were well, in all: by health checks and by
    /// ejection.
    pub left_out_wrongly_s: Option<f64>,
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
    /// What all costs an hour, in the scenario's unit; empty where nothing has a price. A server
    /// that an autoscaler orders and removes costs from its order on, until it has left and
    /// finished what it has.
    pub cost_per_hour: Option<f64>,
    /// What a million answered requests cost.
    pub cost_per_million: Option<f64>,
    /// The part of the cost an hour that servers have.
    pub servers_cost_per_hour: Option<f64>,
    /// The part that balancers have: by the hour, by requests and by bytes.
    pub balancers_cost_per_hour: Option<f64>,
    /// The part that traffic from zone to zone has.
    pub traffic_cost_per_hour: Option<f64>,
    /// Of the bytes that went from a place in one zone to a place in any, those that left their
    /// zone, 0 to 1; empty where no such way has a price, or nothing is said to be carried.
    pub cross_zone_share: Option<f64>,
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
    /// Clients' requests that went to another server than the strategy would have picked at that
    /// moment, because their client was bound, over all that were sent to one: how far affinity
    /// takes the balancing out of the strategy's hands. Empty without affinity, under oracles, and
    /// where requests may wait at the balancer for a server or are kept from one that the strategy
    /// has picked: `server-limit`, `when` of `sticky` with `wait`, `max-connections` under rules of
    /// HAProxy, `rate-control` of `c3`, `slow-start` under a rule without weights, `own-zone` that
    /// spills in proportion.
    #[serde(default)]
    pub sent_elsewhere_share: Option<f64>,
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

impl Run {
    pub(super) fn new(variant: &Variant, replication: u32, tally: &Tally) -> Run {
        let all = Part {
            requests: tally.requests,
            failed: tally.failed,
            latency: tally.latency.clone(),
            failures: tally.failures.clone(),
        };
        let utilization = tally.load.utilization();
        let highest = utilization.iter().copied().reduce(f64::max);
        let sessions = &tally.sessions;
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
        let traffic = tally.traffic.as_deref();
        let bill = variant.blueprint.bill(paid, &sent, traffic);
        let cost = bill.map(|bill| bill.total());
        let noticed = |of: &dyn Fn(&Detection) -> f64| {
            let all = tally.detections.iter().map(of);
            (!tally.detections.is_empty()).then(|| all.sum())
        };
        let each = |made: u64| (tally.requests > 0).then(|| made as f64 / tally.requests as f64);
        Run {
            tries: tally.tries,
            attempts: tally.attempts,
            tries_per_request: each(tally.tries),
            hostile_answered_share: share(tally.hostile.answered, tally.hostile.requests),
            connections_per_request: tally.connections.and_then(each),
            attempts_per_request: each(tally.attempts),
            failures_missed: noticed(&|own| own.missed as f64)
                .filter(|_| !variant.blueprint.faults.is_empty()),
            left_out_wrongly_s: noticed(&|own| {
                own.wrong_time.iter().map(|time| time.seconds()).sum()
            }),
            utilization_mean: Some(tally.load.mean_utilization()),
            utilization_spread: busiest.zip(idlest).map(|(most, least)| most - least),
            utilization_max: highest,
            cost_per_hour: cost,
            cost_per_million: (cost.filter(|_| answered > 0)).map(|cost| {
                let hours = tally.seconds() / 3600.0;
                cost * hours / answered as f64 * 1e6
            }),
            servers_cost_per_hour: bill.map(|bill| bill.servers),
            balancers_cost_per_hour: bill.map(|bill| bill.balancers),
            traffic_cost_per_hour: bill.map(|bill| bill.traffic),
            cross_zone_share: traffic.and_then(Traffic::cross_zone_share),
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
            stale_reads_share: share(sessions.stale, sessions.reads),
            backward_reads_share: share(sessions.backwards, sessions.reads),
            lost_updates_share: share(sessions.lost_updates, sessions.writes),
            rebuilds_per_session: share(sessions.rebuilt, sessions.all)
                .filter(|_| variant.blueprint.rebuilds()),
            revocation_delay_s: (sessions.revoked > 0)
                .then(|| sessions.revocation_delay.seconds() / sessions.revoked as f64),
            bound_share: share(sessions.bound, tally.attempts)
                .filter(|_| variant.blueprint.features().cookies),
            sent_elsewhere_share: share(sessions.elsewhere, sessions.placed),
            state_mib_max: most,
            state_mib_spread: most.zip(least).map(|(most, least)| most - least),
            state_bytes_per_request: share(sessions.bytes, answered)
                .filter(|_| !sessions.memory.is_empty()),
            ..Run::of(&all, &variant.name, replication, tally.seconds())
                .with_sessions(&sessions.whole())
        }
    }

    /// The same, with what became of the sessions of those who made its requests.
    pub(super) fn with_sessions(self, part: &SessionPart) -> Run {
        let hurt: u64 = part.hurt.iter().sum();
        Run {
            sessions: part.all,
            sessions_lost: part.lost.iter().sum(),
            sessions_hurt: hurt,
            sessions_hurt_share: share(hurt, part.all),
            met_loss_share: share(part.met, self.requests).filter(|_| part.all > 0),
            changes_lost_share: share(part.writes_lost, part.writes),
            sessions_set_back: part.set_back,
            set_back_by_s: (part.set_back > 0)
                .then(|| part.set_back_by.seconds() / part.set_back as f64),
            ..self
        }
    }

    /// What is known of the requests of a part, over so many seconds.
    pub(super) fn of(part: &Part, strategy: &str, replication: u32, seconds: f64) -> Run {
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

/// A part over all; `None` of nothing.
fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// Seconds as milliseconds to the nanosecond: no digits of rounding errors in the files.
pub(crate) fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e6
}
