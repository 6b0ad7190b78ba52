//! Health checks that take a slot: at the server they wait and are worked on like requests, of
//! which nobody knows but the balancer that checks.

use super::message::Between;
use super::request::{Attempt, NOBODY, Phase};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::{Span, Time};

/// A health check at its server: its number, between whom, and when it was sent.
pub(super) type Inspection = (u32, Between, Time);

/// Health checks that are at servers, by attempt; as long as the highest that ever was one.
#[derive(Debug, Default)]
pub(super) struct Inspections {
    by_attempt: Vec<Option<Inspection>>,
}

impl World<'_> {
    /// A health check with so much work joins those at its server.
    pub(super) fn inspect(
        &mut self,
        server: u32,
        check: Inspection,
        work: Span,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let id = self.attempts.insert(Attempt {
            request: NOBODY,
            server,
            next: NOBODY,
            prev: NOBODY,
            sent: now,
            deadline: Time::NEVER,
            phase: Phase::Travelling { work },
        });
        let inspections = self.inspections.get_or_insert_default();
        let at = id as usize;
        if inspections.by_attempt.len() <= at {
            inspections.by_attempt.resize(at + 1, None);
        }
        inspections.by_attempt[at] = Some(check);
        if self.oracle {
            self.joined(server, work, now);
        }
        self.join(id, work, calendar);
    }

    /// Whether an attempt is a health check.
    #[inline(always)]
    pub(super) fn is_inspection(&self, attempt: u32) -> bool {
        (self.inspections.as_ref()).is_some_and(|all| all.of(attempt).is_some())
    }

    /// An attempt that nobody waits for has left its server, with its work done or not: where it is
    /// a health check, its balancer learns of it.
    #[inline(always)]
    pub(super) fn end_inspection(
        &mut self,
        attempt: u32,
        passed: bool,
        calendar: &mut Calendar<Event>,
    ) {
        if self.inspections.is_some() {
            self.end_inspection_of(attempt, passed, calendar);
        }
    }

    #[cold]
    fn end_inspection_of(&mut self, attempt: u32, passed: bool, calendar: &mut Calendar<Event>) {
        if let Some(check) = self.forget_inspection(attempt) {
            self.may_go_down(self.attempts[attempt].server, calendar);
            self.inspected(check, passed, calendar);
        }
    }

    /// An attempt has left the world: where it was a health check, which is thereby taken, nobody
    /// hears of it.
    pub(super) fn forget_inspection(&mut self, attempt: u32) -> Option<Inspection> {
        let all = self.inspections.as_mut()?;
        all.by_attempt.get_mut(attempt as usize)?.take()
    }
}

impl Inspections {
    fn of(&self, attempt: u32) -> Option<&Inspection> {
        self.by_attempt.get(attempt as usize)?.as_ref()
    }
}
