//! What can be asked for: the metrics of `summary.csv`, by the names that `judge-by` has for them
//! or by those of their columns, and any percentile of the response time.

use std::fmt;

use super::{AskedAt, Within};
use crate::observe::{Cause, Loss, SessionPart};
use crate::units::Percentile;

/// In what a measure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A time, in milliseconds.
    Milliseconds,
    /// A time, in seconds.
    Seconds,
    /// A fraction of 1, written in percent.
    Share,
    /// So many a second.
    Rate,
    /// A number.
    Number,
}

/// What was counted of a part of a run: a [`MeasuredPart`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PartCounts {
    /// How many there were.
    pub requests: u64,
    /// Of these, answered well.
    pub succeeded: u64,
    /// Mean response time of those, in milliseconds; `None` where there is none.
    pub mean_ms: Option<f64>,
    /// In how many seconds they came.
    pub seconds: f64,
    /// Attempts that were made for them.
    pub attempts: u64,
    /// Requests of clients in whose course they came.
    pub of_clients: u64,
    /// Of servers: the share of their slot time that was in use; `None` where none was there.
    pub utilization: Option<f64>,
    /// Of a group of clients: what became of its sessions; none where it holds none.
    pub sessions: SessionPart,
}

/// A part of what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredPart {
    /// Requests to a service, and calls.
    Service,
    /// Requests of a group of clients.
    Clients,
    /// What some servers did.
    Servers,
    /// Requests that arrive in a stretch of time.
    Stretch,
}

impl MeasuredPart {
    /// All of them.
    pub const ALL: [MeasuredPart; 4] = [
        MeasuredPart::Service,
        MeasuredPart::Clients,
        MeasuredPart::Servers,
        MeasuredPart::Stretch,
    ];

    /// What it is called in sentences.
    pub fn name(self) -> &'static str {
        match self {
            MeasuredPart::Service => "a service",
            MeasuredPart::Clients => "a group of clients",
            MeasuredPart::Servers => "some servers",
            MeasuredPart::Stretch => "a stretch of time",
        }
    }
}

/// The parts of which any response time is known.
const TIMED: &[MeasuredPart] = &[
    MeasuredPart::Service,
    MeasuredPart::Clients,
    MeasuredPart::Stretch,
];

/// The parts of which it is known what sessions lost.
const HELD: &[MeasuredPart] = &[MeasuredPart::Clients];

/// Why something went wrong, where it is told apart by causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A session lost its state.
    Lost(Loss),
    /// A request failed.
    Failed(Cause),
    /// A request had not ended when the run did.
    Unfinished,
}

/// What is told apart by causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CausesOf {
    /// The causes of `sessions.csv`.
    Losses,
    /// Those of `failures.csv`.
    Failures,
}

impl Why {
    /// The name in files and requirements.
    pub fn name(self) -> &'static str {
        match self {
            Why::Lost(loss) => loss.name(),
            Why::Failed(cause) => cause.name(),
            Why::Unfinished => "unfinished",
        }
    }
}

impl CausesOf {
    /// All causes.
    pub fn all(self) -> Vec<Why> {
        match self {
            CausesOf::Losses => Loss::ALL.map(Why::Lost).to_vec(),
            CausesOf::Failures => {
                let failed = Cause::ALL.map(Why::Failed);
                failed.into_iter().chain([Why::Unfinished]).collect()
            }
        }
    }
}

impl PartCounts {
    /// What is said of sessions; `None` where there was none.
    fn held(&self, value: impl Fn(&SessionPart) -> f64) -> Option<f64> {
        (self.sessions.all > 0).then(|| value(&self.sessions))
    }

    /// Succeeded over all; `None` where none came.
    fn success(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.succeeded as f64 / self.requests as f64)
    }
}

/// Of what an event is one, at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOf {
    /// Of requests, or of what they do with the state of their session, about as often.
    Requests,
    /// Of sessions.
    Sessions,
    /// A number of them, a replication.
    Replications,
}

/// A metric that can be asked for.
#[derive(Debug)]
pub struct KnownMeasure {
    /// What it is called.
    pub name: &'static str,
    /// What else it is called.
    pub also: &'static str,
    /// Its column in `runs.csv`.
    pub column: &'static str,
    /// In what it is counted.
    pub amount: Amount,
    /// Whether more of it is better.
    pub more_is_better: bool,
    /// Whether it is what is left of 1, beside its column.
    pub is_rest: bool,
    /// Where it counts events, or is their share: of what each is one. That none was seen is no
    /// proof then that there can be none.
    pub events: Option<EventOf>,
    /// The causes by which it is told apart, of the run as a whole or of a group of clients.
    pub causes: Option<CausesOf>,
    /// The parts of which it is known alone.
    pub parts: &'static [MeasuredPart],
    /// What it is of such a part.
    pub of_part: fn(&PartCounts) -> Option<f64>,
}

impl PartialEq for KnownMeasure {
    fn eq(&self, other: &KnownMeasure) -> bool {
        self.name == other.name
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// A percentile of the response time of the succeeded.
    Percentile(Percentile),
    /// A metric.
    Metric(&'static KnownMeasure),
}

const fn named(
    name: &'static str,
    also: &'static str,
    column: &'static str,
    amount: Amount,
) -> KnownMeasure {
    KnownMeasure {
        name,
        also,
        column,
        amount,
        more_is_better: false,
        is_rest: false,
        events: None,
        causes: None,
        parts: &[],
        of_part: |_| None,
    }
}

const fn events(of: EventOf, named: KnownMeasure) -> KnownMeasure {
    KnownMeasure {
        events: Some(of),
        ..named
    }
}

const fn of(
    parts: &'static [MeasuredPart],
    of_part: fn(&PartCounts) -> Option<f64>,
    named: KnownMeasure,
) -> KnownMeasure {
    KnownMeasure {
        parts,
        of_part,
        ..named
    }
}

const fn by(causes: CausesOf, named: KnownMeasure) -> KnownMeasure {
    KnownMeasure {
        causes: Some(causes),
        ..named
    }
}

const fn more(named: KnownMeasure) -> KnownMeasure {
    KnownMeasure {
        more_is_better: true,
        ..named
    }
}

use Amount::{Milliseconds, Number, Rate, Seconds, Share};

/// All that can be asked for beside percentiles.
pub const MEASURES: &[KnownMeasure] = &[
    of(
        TIMED,
        |some| some.mean_ms,
        named("mean", "", "mean_ms", Milliseconds),
    ),
    named("max", "", "max_ms", Milliseconds),
    named("mean-all", "", "mean_all_ms", Milliseconds),
    named("p99-all", "", "p99_all_ms", Milliseconds),
    KnownMeasure {
        is_rest: true,
        events: Some(EventOf::Requests),
        causes: Some(CausesOf::Failures),
        parts: TIMED,
        of_part: |some| some.success().map(|share| 1.0 - share),
        ..named("errors", "error-share", "success_share", Share)
    },
    of(
        TIMED,
        PartCounts::success,
        events(
            EventOf::Requests,
            more(named("success", "success-share", "success_share", Share)),
        ),
    ),
    of(
        TIMED,
        |some| Some(some.succeeded as f64 / some.seconds),
        more(named("goodput", "", "goodput_rps", Rate)),
    ),
    of(
        &[MeasuredPart::Servers],
        |some| some.utilization,
        named("utilization", "utilization-mean", "utilization_mean", Share),
    ),
    named("utilization-max", "", "utilization_max", Share),
    named("utilization-spread", "", "utilization_spread", Share),
    named("cost", "cost-per-hour", "cost_per_hour", Number),
    named("cost-per-million", "", "cost_per_million", Number),
    named("cost-of-servers", "", "servers_cost_per_hour", Number),
    named("cost-of-balancers", "", "balancers_cost_per_hour", Number),
    named("cost-of-traffic", "", "traffic_cost_per_hour", Number),
    named("cross-zone", "", "cross_zone_share", Share),
    named("servers-mean", "", "servers_mean", Number),
    named("servers-max", "", "servers_max", Number),
    named("scale-outs", "", "scale_outs", Number),
    named("scale-ins", "", "scale_ins", Number),
    events(
        EventOf::Replications,
        named("hostile-answered", "", "hostile_answered_share", Share),
    ),
    of(
        TIMED,
        |some| Some(some.requests as f64),
        named("requests", "", "requests", Number),
    ),
    of(
        &[MeasuredPart::Service, MeasuredPart::Servers],
        |some| Some(some.attempts as f64),
        named("attempts", "", "attempts", Number),
    ),
    named("tries-per-request", "", "tries_per_request", Number),
    named(
        "connections-per-request",
        "",
        "connections_per_request",
        Number,
    ),
    of(
        &[MeasuredPart::Service],
        |some| (some.requests > 0).then(|| some.attempts as f64 / some.requests as f64),
        named("attempts-per-request", "", "attempts_per_request", Number),
    ),
    of(
        &[MeasuredPart::Service, MeasuredPart::Servers],
        |some| (some.of_clients > 0).then(|| some.attempts as f64 / some.of_clients as f64),
        named(
            "attempts-per-client-request",
            "",
            "attempts_per_request",
            Number,
        ),
    ),
    events(
        EventOf::Replications,
        named("failures-missed", "", "failures_missed", Number),
    ),
    named("left-out-wrongly", "", "left_out_wrongly_s", Seconds),
    of(
        HELD,
        |some| some.held(|own| own.all as f64),
        named("sessions", "", "sessions", Number),
    ),
    by(
        CausesOf::Losses,
        events(
            EventOf::Replications,
            of(
                HELD,
                |some| some.held(|own| own.lost.iter().sum::<u64>() as f64),
                named("sessions-lost", "", "sessions_lost", Number),
            ),
        ),
    ),
    by(
        CausesOf::Losses,
        events(
            EventOf::Sessions,
            of(
                HELD,
                |some| some.held(|own| own.hurt.iter().sum::<u64>() as f64 / own.all as f64),
                named("sessions-hurt", "", "sessions_hurt_share", Share),
            ),
        ),
    ),
    by(
        CausesOf::Losses,
        events(
            EventOf::Replications,
            of(
                HELD,
                |some| some.held(|own| own.hurt.iter().sum::<u64>() as f64),
                named("sessions-hurt-count", "", "sessions_hurt", Number),
            ),
        ),
    ),
    events(
        EventOf::Requests,
        of(
            HELD,
            |some| some.held(|own| own.met as f64 / some.requests.max(1) as f64),
            named("met-loss", "", "met_loss_share", Share),
        ),
    ),
    events(
        EventOf::Requests,
        of(
            HELD,
            |some| {
                (some.sessions.writes > 0)
                    .then(|| some.sessions.writes_lost as f64 / some.sessions.writes as f64)
            },
            named("changes-lost", "", "changes_lost_share", Share),
        ),
    ),
    events(
        EventOf::Replications,
        of(
            HELD,
            |some| some.held(|own| own.set_back as f64),
            named("sessions-set-back", "", "sessions_set_back", Number),
        ),
    ),
    of(
        HELD,
        |some| {
            (some.sessions.set_back > 0)
                .then(|| some.sessions.set_back_by.seconds() / some.sessions.set_back as f64)
        },
        named("set-back-by", "", "set_back_by_s", Seconds),
    ),
    events(
        EventOf::Requests,
        named("stale-reads", "", "stale_reads_share", Share),
    ),
    events(
        EventOf::Requests,
        named("backward-reads", "", "backward_reads_share", Share),
    ),
    events(
        EventOf::Requests,
        named("lost-updates", "", "lost_updates_share", Share),
    ),
    named("rebuilds-per-session", "", "rebuilds_per_session", Number),
    named("revocation-delay", "", "revocation_delay_s", Seconds),
    named("bound", "", "bound_share", Share),
    events(
        EventOf::Requests,
        named("sent-elsewhere", "", "sent_elsewhere_share", Share),
    ),
    named("state-mib-max", "", "state_mib_max", Number),
    named("state-mib-spread", "", "state_mib_spread", Number),
    named(
        "state-bytes-per-request",
        "",
        "state_bytes_per_request",
        Number,
    ),
];

impl Measure {
    /// The measure of a name, as `judge-by` or a column of results has it; `None` where there is
    /// none.
    pub fn named(name: &str) -> Option<Measure> {
        let own = |one: &&KnownMeasure| {
            name == one.name
                || (!one.also.is_empty() && name == one.also)
                || (!one.is_rest && name == one.column)
        };
        let found = MEASURES.iter().find(own).map(Measure::Metric);
        found.or_else(|| percentile(name).map(Measure::Percentile))
    }

    /// Measures of the same things that are shares: of `sessions-lost` `sessions-hurt`. Empty where
    /// there is none.
    pub fn shares_like(self) -> Vec<&'static str> {
        let Measure::Metric(own) = self else {
            return Vec::new();
        };
        let things = own.name.split('-').next();
        (MEASURES.iter())
            .filter(|one| one.amount == Share && one.name.split('-').next() == things)
            .map(|one| one.name)
            .collect()
    }

    /// In what it is counted.
    pub fn amount(self) -> Amount {
        match self {
            Measure::Percentile(_) => Milliseconds,
            Measure::Metric(own) => own.amount,
        }
    }

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Measure::Metric(own) if own.more_is_better)
    }

    /// The parts of a run of which it is known alone.
    pub fn parts(self) -> &'static [MeasuredPart] {
        match self {
            Measure::Percentile(_) => TIMED,
            Measure::Metric(own) => own.parts,
        }
    }

    /// The part of a run that is meant and of which it is not known; `None` where it is.
    pub fn unknown_part(self, place: &AskedAt, within: Within) -> Option<MeasuredPart> {
        let stretch = (!within.is_all()).then_some(MeasuredPart::Stretch);
        let mut meant = place.part().into_iter().chain(stretch);
        meant.find(|part| !self.parts().contains(part))
    }

    /// Whether it is a response time of requests that succeeded: where none does it has no value.
    pub fn is_of_succeeded(self) -> bool {
        match self {
            Measure::Percentile(_) => true,
            Measure::Metric(own) => matches!(own.column, "mean_ms" | "max_ms"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measure::Percentile(percentile) => write!(f, "{percentile}"),
            Measure::Metric(own) => f.write_str(own.name),
        }
    }
}

/// The percentile of a name; `p999` and `p99_ms` are how `judge-by` and the columns of results
/// write it.
fn percentile(name: &str) -> Option<Percentile> {
    match name.strip_suffix("_ms").unwrap_or(name) {
        "p999" => Percentile::of_hundred(99.9),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_percentile_has_a_name() {
        for (name, q, written) in [
            ("p50", 0.5, "p50"),
            ("p99.9", 0.999, "p99.9"),
            ("p999", 0.999, "p99.9"),
            ("p99_ms", 0.99, "p99"),
            ("p99.99", 0.9999, "p99.99"),
        ] {
            let Some(Measure::Percentile(found)) = Measure::named(name) else {
                panic!("{name}");
            };
            assert_eq!(found.fraction(), q, "{name}");
            assert_eq!(Measure::Percentile(found).to_string(), written);
        }
        for name in ["p", "p0", "p100", "p1e1", "p-5", "q99", "p9.9.9"] {
            assert_eq!(Measure::named(name), None, "{name}");
        }
    }
}
