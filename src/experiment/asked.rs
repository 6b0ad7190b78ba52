//! What requirements ask for that no column of `runs.csv` has: any percentile, of a service or a
//! group of clients alone, of requests that arrive in a stretch of time. It is taken down of each
//! replication, for a replication is not kept.

use std::ops::Range;

use super::comparison::Figure;
use super::outcome::{VariantOutcome, milliseconds};
use crate::observe::{Latency, Stretch, Tally, Timeline};
use crate::requirement::measure::KnownMeasure;
use crate::requirement::{AskedAt, Measure, Requirement, Subject, Within};
use crate::stats::{Estimate, estimable};
use crate::time::Time;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    measure: Measure,
    place: AskedAt,
    within: Within,
}

/// What was measured of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is asked for.
    pub(super) ask: Ask,
    /// By replication, in what it is counted in; `None` where there was nothing to measure.
    pub(super) values: Vec<Option<f64>>,
}

/// By how much what is read off a timeline may be wrong, as a share of it.
const WITHIN: f64 = 0.01;

impl Ask {
    /// What is asked for of a subject; `None` where a column of `runs.csv` has it, of all requests
    /// or of those of a group of clients.
    pub(super) fn of(subject: &Subject, within: Within) -> Option<Ask> {
        let is_column = matches!(subject.measure, Measure::Metric(_))
            && within.is_all()
            && !matches!(subject.place, AskedAt::Service(..));
        (!is_column).then(|| Ask {
            measure: subject.measure,
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

    /// What one replication says, whose measured window begins at `from`.
    pub(super) fn value(&self, tally: &Tally, from: Time) -> Option<f64> {
        if !self.within.is_all() {
            let stretches = stretches(self.within, &tally.timeline, from);
            let seconds = stretches.len() as f64 * tally.timeline.length().seconds();
            return self.in_stretch(&tally.timeline.over(stretches), seconds);
        }
        let (latency, requests) = match &self.place {
            AskedAt::Everywhere => (&tally.latency, tally.requests),
            AskedAt::Service(_, number) => {
                let count = tally.services.get(*number)?;
                (&count.latency, count.requests)
            }
            AskedAt::Clients(_, number) => {
                let part = tally.parts.get(*number)?;
                (&part.latency, part.requests)
            }
        };
        match self.measure {
            Measure::Percentile(q) => latency.quantile(q).map(milliseconds),
            Measure::Metric(own) if own.column == "mean_ms" => latency.mean().map(milliseconds),
            Measure::Metric(own) => share(own, latency.count(), requests),
        }
    }

    fn in_stretch(&self, all: &Stretch, seconds: f64) -> Option<f64> {
        let succeeded = all.succeeded();
        match self.measure {
            Measure::Percentile(q) => all.quantile(q).map(milliseconds),
            Measure::Metric(own) => match own.column {
                "mean_ms" => (succeeded > 0).then(|| milliseconds(all.total() / succeeded as f64)),
                "goodput_rps" => Some(succeeded as f64 / seconds),
                "requests" => Some(all.requests() as f64),
                _ => share(own, succeeded, all.requests()),
            },
        }
    }
}

impl Asked {
    /// Nothing yet.
    pub(super) fn new(ask: Ask) -> Asked {
        Asked {
            ask,
            values: Vec::new(),
        }
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
        let Measure::Percentile(q) = self.ask.measure else {
            return plain;
        };
        let of_all = |latency: &Latency| (latency.quantile(q), latency.count());
        let (quantile, count) = match &self.ask.place {
            _ if !self.ask.within.is_all() => {
                let timeline = &measured.timeline;
                let all = timeline.over(stretches(self.ask.within, timeline, measured.from));
                (all.quantile(q), all.succeeded())
            }
            AskedAt::Everywhere => of_all(&measured.latency),
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

/// The stretches of a timeline that lie within, whole.
fn stretches(within: Within, timeline: &Timeline, from: Time) -> Range<usize> {
    let length = timeline.length().nanos();
    let (first, last) = (
        within.after.map_or(from.nanos(), |after| after.nanos()),
        within.before.map_or(u64::MAX, |before| before.nanos()),
    );
    let first = first.div_ceil(length) as usize;
    // The last one may end a hair late: the run is not cut into whole nanoseconds.
    let last = match within.before {
        None => timeline.stretches().len(),
        Some(_) => (((last as u128 + timeline.stretches().len() as u128) / u128::from(length))
            as usize)
            .min(timeline.stretches().len()),
    };
    first..last.max(first)
}

/// A share of requests that succeeded, or of those that did not.
fn share(own: &KnownMeasure, succeeded: u64, requests: u64) -> Option<f64> {
    let share = succeeded as f64 / requests as f64;
    (requests > 0).then_some(if own.is_rest { 1.0 - share } else { share })
}
