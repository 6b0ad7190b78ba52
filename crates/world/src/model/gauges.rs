//! What autoscalers measure: sums of what the servers of a fleet have done since the start of the
//! run, from which the mean over any window is a difference. A server is measured while it takes
//! requests: not while it boots, and no longer once it is removed.

use std::collections::VecDeque;

use super::World;
use super::autoscale::LoadMetric;
use super::request::Phase;
use lbsim_engine::time::{Span, Time};

/// What the measured servers of a fleet have done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Slot-nanoseconds that they worked.
    worked: u64,
    /// Server-nanoseconds that they were measured.
    servers: u128,
    /// Requests times nanoseconds that these were at them, or on their way.
    present: u128,
    /// Requests that were sent to them.
    sent: u64,
    /// Attempts that they answered well.
    answered: u64,
    /// How many nanoseconds those took.
    took: u128,
}

impl Totals {
    /// The figure of what has been done since `before`, at servers of so many slots; `None` where
    /// there was nobody to measure, or nothing.
    fn figure(&self, before: &Totals, metric: &LoadMetric, slots: u32) -> Option<f64> {
        let over = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let servers = (self.servers - before.servers) as f64;
        match metric {
            LoadMetric::Utilization { .. } => {
                let worked = self.worked.saturating_sub(before.worked) as f64;
                over(worked, servers * f64::from(slots))
            }
            LoadMetric::InFlight { .. } => over((self.present - before.present) as f64, servers),
            LoadMetric::ResponseTime { .. } => over(
                (self.took - before.took) as f64 / 1e9,
                (self.answered - before.answered) as f64,
            ),
            LoadMetric::Rate { .. } => over((self.sent - before.sent) as f64, servers / 1e9),
        }
    }
}

/// The measuring of one fleet.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Up to `since`, but for the work of those that are measured at present.
    totals: Totals,
    since: Time,
    /// Servers that are measured at present.
    servers: u32,
    /// Requests at them.
    present: u32,
    /// What had been done when the windows began that have not been looked at yet, the first first.
    opened: VecDeque<Totals>,
    /// What had been done when they ended, where figures are late.
    closed: VecDeque<Totals>,
}

impl Gauge {
    fn advance(&mut self, now: Time) {
        let passed = u128::from((now - self.since).nanos());
        self.totals.servers += passed * u128::from(self.servers);
        self.totals.present += passed * u128::from(self.present);
        self.since = now;
    }

    /// A server that has so many requests is measured from now on.
    pub(super) fn include(&mut self, present: u32, now: Time) {
        self.advance(now);
        self.servers += 1;
        self.present += present;
    }

    /// A server that has so many requests, and has worked so much while it was measured, is
    /// measured no longer.
    pub(super) fn exclude(&mut self, present: u32, worked: u64, now: Time) {
        self.advance(now);
        self.servers -= 1;
        self.present -= present;
        self.totals.worked += worked;
    }

    /// A request sets out for a server that is measured.
    pub(super) fn came(&mut self, now: Time) {
        self.advance(now);
        self.present += 1;
        self.totals.sent += 1;
    }

    /// A request has left a server that is measured.
    pub(super) fn went(&mut self, now: Time) {
        self.advance(now);
        self.present -= 1;
    }

    /// An attempt was answered well after so long.
    pub(super) fn answered(&mut self, took: Span) {
        self.totals.answered += 1;
        self.totals.took += u128::from(took.nanos());
    }

    /// What has been done, where those that are measured at present have worked so much.
    pub(super) fn read(&mut self, worked: u64, now: Time) -> Totals {
        self.advance(now);
        Totals {
            worked: self.totals.worked + worked,
            ..self.totals
        }
    }

    /// A window begins.
    pub(super) fn open(&mut self, totals: Totals) {
        self.opened.push_back(totals);
    }

    /// A window ends whose figure will be late.
    pub(super) fn close(&mut self, totals: Totals) {
        self.closed.push_back(totals);
    }

    /// The figure of the first window that has not been looked at: it ended with `totals`, or,
    /// where that is not said, some time ago. `None` where nothing has been measured.
    pub(super) fn look(
        &mut self,
        totals: Option<Totals>,
        (metric, slots): (&LoadMetric, u32),
    ) -> Option<f64> {
        let before = self.opened.pop_front()?;
        let totals = totals.or_else(|| self.closed.pop_front())?;
        totals.figure(&before, metric, slots)
    }

    /// A window ends before the run began: there is no figure.
    pub(super) fn look_away(&mut self) {
        self.opened.pop_front();
    }
}

impl World<'_> {
    /// Slot-nanoseconds that a server has worked so far: services that are still under way count up
    /// to now.
    pub(super) fn slot_time_worked(&mut self, index: u32, now: Time) -> u64 {
        self.settle_sharing(index, now);
        let server = &self.servers[index as usize];
        let underway: u64 = server
            .serving(&self.attempts)
            .map(|id| match self.attempts[id].phase {
                Phase::Serving { begun, .. } => (now - begun).nanos(),
                _ => 0,
            })
            .sum();
        server.worked + underway
    }
}
