//! What requirements ask for that no column of `runs.csv` has: any percentile, one cause of losses
//! or failures, a service, a group of clients or some servers alone, requests that arrive in a
//! stretch of time. It is taken down of each replication, for a replication is not kept.

use std::ops::Range;

use super::cell::milliseconds;
use super::comparison::{EACH, Figure};
use super::outcome::VariantOutcome;
use super::services::ServiceOutcome;
use super::withheld::failed;
use crate::model::blueprint::Blueprint;
use crate::observe::{Latency, Tally, Timeline};
use crate::requirement::measure::{EventOf, KnownMeasure, PartCounts, Why};
use crate::requirement::{AskedAt, Measure, Requirement, Subject, Within};
use crate::stats::{Estimate, estimable};
use crate::time::{Span, Time};

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    measure: Measure,
    by: Option<Why>,
    place: AskedAt,
    within: Within,
}

/// What was measured of it.
#[derive(Clone, Debug)]
pub struct AskOutcome {
    /// What is asked for.
    pub(super) ask: Ask,
    /// The servers that are meant, where some are.
    servers: Vec<usize>,
    /// By replication, in what it is counted in; `None` where there was nothing to measure.
    pub(super) values: Vec<Option<f64>>,
    /// Response times that a percentile is read off, by replication.
    times: Vec<u64>,
    /// Of how many that is, of all replications: of requests, of sessions where sessions are
    /// counted, of replications where what is counted is what happened in one.
    pub(super) trials: u64,
}

/// By how much what is read off a timeline may be wrong, as a share of it.
const WITHIN: f64 = 0.01;

impl Ask {
    /// What is asked for of a subject; `None` where a column of `runs.csv` has it.
    pub(super) fn of(subject: &Subject, within: Within) -> Option<Ask> {
        let is_column =
            matches!(subject.measure, Measure::Metric(_)) && within.is_all() && subject.is_of_all();
        (!is_column).then(|| Ask {
            measure: subject.measure,
            by: subject.by,
            place: subject.place.clone(),
            within,
        })
    }

    /// All that requirements ask for, each once.
    pub(super) fn all(requirements: &[Requirement]) -> Vec<Ask> {
        let mut asks: Vec<Ask> = Vec::new();
        for requirement in requirements {
            for subject in requirement.subjects() {
                let ask = Ask::of(subject, requirement.within);
                asks.extend(ask.filter(|ask| !asks.contains(ask)));
            }
        }
        asks
    }

    /// The servers of a world that are meant, by their name or that of their group.
    fn servers(&self, plan: &Blueprint) -> Vec<usize> {
        let AskedAt::Servers(name) = &self.place else {
            return Vec::new();
        };
        let groups = plan.services.iter().flat_map(|service| {
            let servers = service.servers.iter();
            servers.map(|server| service.full_name(&service.groups[server.group].name))
        });
        let named = plan.server_names().zip(groups).enumerate();
        named
            .filter(|(_, (own, group))| own == name || group == name)
            .map(|(server, _)| server)
            .collect()
    }

    /// What one replication says, whose measured window begins at `from`.
    fn value(&self, tally: &Tally, from: Time, servers: &[usize]) -> Taken {
        if let (Some(why), Measure::Metric(own)) = (self.by, self.measure) {
            return self.for_cause(own, why, tally);
        }
        if !self.within.is_all() {
            let numbers = stretches(self.within, &tally.timeline, from);
            let seconds = numbers.len() as f64 * tally.timeline.length().seconds();
            let all = tally.timeline.over(numbers);
            let succeeded = all.succeeded();
            let mean = (succeeded > 0).then(|| all.total() / succeeded as f64);
            let some = PartCounts {
                requests: all.requests(),
                succeeded,
                mean_ms: mean.map(milliseconds),
                seconds,
                ..PartCounts::default()
            };
            return self.read(&some, |q| all.quantile(q));
        }
        let (latency, requests, attempts) = match &self.place {
            AskedAt::Everywhere => (&tally.latency, tally.requests, tally.attempts),
            AskedAt::Service(_, number) => match tally.services.get(*number) {
                Some(count) => (&count.latency, count.requests, count.attempts),
                None => return Taken::default(),
            },
            AskedAt::Clients(_, number) => match tally.parts.get(*number) {
                Some(part) => (&part.latency, part.requests, 0),
                None => return Taken::default(),
            },
            AskedAt::Servers(_) if servers.is_empty() => return Taken::default(),
            AskedAt::Servers(_) => {
                let loads = servers.iter().map(|&server| &tally.load.servers[server]);
                (
                    &tally.latency,
                    tally.requests,
                    loads.map(|load| load.sent).sum(),
                )
            }
        };
        let some = PartCounts {
            requests,
            succeeded: latency.count(),
            mean_ms: latency.mean().map(milliseconds),
            seconds: tally.seconds(),
            attempts,
            of_clients: tally.requests,
            utilization: tally.load.utilization_of(servers),
            sessions: match &self.place {
                AskedAt::Clients(_, number) => tally.sessions.parts.get(*number).copied(),
                _ => None,
            }
            .unwrap_or_default(),
        };
        self.read(&some, |q| latency.quantile(q))
    }

    /// What is said of a part, whose quantiles of the response time are known in seconds.
    fn read(&self, part: &PartCounts, quantile: impl Fn(f64) -> Option<f64>) -> Taken {
        let value = match self.measure {
            Measure::Percentile(own) => quantile(own.fraction()).map(milliseconds),
            Measure::Metric(own) => (own.of_part)(part),
        };
        let events = match self.measure {
            Measure::Metric(own) => own.events,
            Measure::Percentile(_) => None,
        };
        Taken {
            value,
            trials: match events {
                Some(EventOf::Sessions) => part.sessions.all,
                Some(EventOf::Replications) => 1,
                _ => part.requests,
            },
            times: part.succeeded,
        }
    }

    /// What one replication says of one cause, of all clients or of one group.
    fn for_cause(&self, own: &KnownMeasure, why: Why, tally: &Tally) -> Taken {
        let all = (tally.sessions.whole(), tally.requests, tally.failed);
        let known = match &self.place {
            AskedAt::Clients(_, number) => tally.parts.get(*number).map(|part| {
                let sessions = tally.sessions.parts.get(*number).copied();
                let ended = part.latency.count() + part.failed.iter().sum::<u64>();
                let all = (sessions.unwrap_or_default(), part.requests, part.failed);
                (all, part.requests - ended)
            }),
            _ => Some((all, tally.unfinished)),
        };
        let Some(((sessions, requests, failed), unfinished)) = known else {
            return Taken::default();
        };
        let (count, of) = match (why, own.column) {
            (Why::Lost(_), _) if sessions.all == 0 => (0, 0),
            // Numbers, of a replication.
            (Why::Lost(loss), "sessions_lost") => (sessions.lost[loss as usize], 1),
            (Why::Lost(loss), "sessions_hurt") => (sessions.hurt[loss as usize], 1),
            (Why::Lost(loss), _) => (sessions.hurt[loss as usize], sessions.all),
            (Why::Failed(cause), _) => (failed[cause as usize], requests),
            (Why::Unfinished, _) => (unfinished, requests),
        };
        Taken {
            value: (of > 0).then(|| count as f64 / of as f64),
            trials: of,
            times: 0,
        }
    }
}

/// What was taken from one replication.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    /// The value; `None` where there was nothing to measure.
    value: Option<f64>,
    /// Of how many it is; see [`AskOutcome::trials`].
    trials: u64,
    /// Response times that a percentile is read off.
    times: u64,
}

impl AskOutcome {
    /// Nothing yet, of such a world.
    pub(super) fn new(ask: Ask, plan: &Blueprint) -> AskOutcome {
        AskOutcome {
            servers: ask.servers(plan),
            ask,
            values: Vec::new(),
            times: Vec::new(),
            trials: 0,
        }
    }

    /// Makes room for so many replications.
    pub(super) fn grow(&mut self, count: usize) {
        self.values.resize(count, None);
        self.times.resize(count, 0);
    }

    /// Whether a quantile can be read off each replication: ten times lie above it.
    pub(super) fn has_tail(&self, q: f64) -> bool {
        self.times
            .iter()
            .all(|&times| times as f64 * (1.0 - q) >= EACH)
    }

    /// Takes what one replication measured, whose measured window begins at `from`.
    pub(super) fn take(&mut self, replication: usize, tally: &Tally, from: Time) {
        let taken = self.ask.value(tally, from, &self.servers);
        self.values[replication] = taken.value;
        self.times[replication] = taken.times;
        self.trials += taken.trials;
    }

    /// The estimate, with half of its interval of confidence `level`. A percentile is read off all
    /// replications together, as everywhere; one of a stretch of time within 1%, by which its
    /// interval is wider.
    pub(super) fn figure(&self, measured: &VariantOutcome, level: f64) -> Figure {
        let known: Vec<f64> = self.values.iter().copied().flatten().collect();
        let Some(over_runs) = Estimate::at(&known, level) else {
            return Figure::default();
        };
        let half_width = over_runs.half_width.filter(|_| measured.varies);
        let plain = Figure {
            estimate: Some(over_runs.mean),
            half_width,
            n: over_runs.n,
        };
        let Measure::Percentile(percentile) = self.ask.measure else {
            return plain;
        };
        let q = percentile.fraction();
        let of_all = |latency: &Latency| (latency.quantile(q), latency.count());
        let (quantile, count) = match &self.ask.place {
            _ if !self.ask.within.is_all() => {
                let timeline = &measured.timeline;
                let all = timeline.over(stretches(self.ask.within, timeline, measured.from));
                (all.quantile(q), all.succeeded())
            }
            AskedAt::Everywhere | AskedAt::Servers(_) => of_all(&measured.latency),
            AskedAt::Service(_, number) => match measured.services.get(*number) {
                Some(service) => of_all(service.latency()),
                None => (None, 0),
            },
            AskedAt::Clients(_, number) => match measured.groups.get(*number) {
                Some(group) => of_all(&group.latency),
                None => (None, 0),
            },
        };
        if !estimable(count, q) {
            return Figure::default();
        }
        let estimate = quantile.map(milliseconds);
        let coarse = match self.ask.within.is_all() {
            true => 0.0,
            false => estimate.map_or(0.0, |value| WITHIN * value),
        };
        Figure {
            estimate,
            half_width: half_width.map(|half| half + coarse),
            n: over_runs.n,
        }
    }
}

/// The share that failed of the requests that a subject is of.
pub(super) fn failed_of(subject: &Subject, within: Within, measured: &VariantOutcome) -> f64 {
    if !within.is_all() {
        let timeline = &measured.timeline;
        let all = timeline.over(stretches(within, timeline, measured.from));
        return match all.requests() {
            0 => 0.0,
            requests => 1.0 - all.succeeded() as f64 / requests as f64,
        };
    }
    match &subject.place {
        AskedAt::Service(_, number) => {
            let service = measured.services.get(*number);
            service.map_or(0.0, ServiceOutcome::failed)
        }
        AskedAt::Clients(_, number) => failed(measured.groups.get(*number).unwrap_or(measured)),
        AskedAt::Everywhere | AskedAt::Servers(_) => failed(measured),
    }
}

/// From when to when a stretch of time is that is asked of, where it is not what is written: it is
/// made of whole stretches of the timeline.
pub(super) fn narrowed(within: Within, measured: &VariantOutcome) -> Option<(Span, Span)> {
    let (timeline, from) = (&measured.timeline, measured.from);
    let (length, count) = (timeline.length().nanos(), timeline.stretches().len());
    let numbers = stretches(within, timeline, from);
    let at = |number: usize| Span::from_nanos(number as u64 * length);
    // A run is not cut into whole nanoseconds.
    let is_near = |one: Span, other: Span| one.nanos().abs_diff(other.nanos()) <= count as u64;
    let begins = within.after.unwrap_or(from - Time::ZERO);
    let is_meant = is_near(at(numbers.start), begins)
        && within
            .before
            .is_none_or(|ends| is_near(at(numbers.end), ends));
    (!within.is_all() && !is_meant).then(|| (at(numbers.start), at(numbers.end)))
}

/// The stretches of a timeline that lie within, whole, and in the measured window.
fn stretches(within: Within, timeline: &Timeline, from: Time) -> Range<usize> {
    let (length, count) = (timeline.length().nanos(), timeline.stretches().len());
    let first = (within.after)
        .map_or(0, |after| after.nanos())
        .max(from.nanos());
    let first = first.div_ceil(length) as usize;
    // A run is not cut into whole nanoseconds: a stretch may end a hair late.
    let ended = |before: Span| ((before.nanos() + count as u64) / length) as usize;
    let last = within
        .before
        .map_or(count, |before| ended(before).min(count));
    first..last.max(first)
}
