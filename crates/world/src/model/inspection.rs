//! What takes a slot and is no request: health checks, and handshakes of connections that are
//! opened ahead. At the server they wait and are worked on like requests, of which nobody knows but
//! who wants them done.

use super::message::Between;
use super::request::{Attempt, NOBODY, Phase};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::{Span, Time};

/// A health check at its server: its number, between whom, and when it was sent.
pub(super) type Inspection = (u32, Between, Time);

/// What an attempt is that belongs to no request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Errand {
    /// A health check.
    Check(Inspection),
    /// The handshake of a connection.
    Handshake(u32),
}

/// Errands that are at servers, by attempt; as long as the highest that ever was one.
#[derive(Debug, Default)]
pub(super) struct Inspections {
    by_attempt: Vec<Option<Errand>>,
}

impl World<'_> {
    /// An errand with so much work joins those at its server.
    pub(super) fn inspect(
        &mut self,
        server: u32,
        errand: Errand,
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
        inspections.by_attempt[at] = Some(errand);
        if self.oracle {
            self.joined(server, work, now);
        }
        self.join(id, work, calendar);
    }

    /// Whether an attempt is an errand.
    #[inline(always)]
    pub(super) fn is_inspection(&self, attempt: u32) -> bool {
        (self.inspections.as_ref()).is_some_and(|all| all.of(attempt).is_some())
    }

    /// An attempt that belongs to no request has left its server, with its work done or not: where
    /// it is an errand, who wants it done learns of it.
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
        if let Some(errand) = self.forget_inspection(attempt) {
            self.may_go_down(self.attempts[attempt].server, calendar);
            match errand {
                Errand::Check(check) => self.inspected(check, passed, calendar),
                Errand::Handshake(flow) => self.shaken(flow, passed, calendar),
            }
        }
    }

    /// An attempt has left the world: where it was an errand, which is thereby taken, nobody hears
    /// of it.
    pub(super) fn forget_inspection(&mut self, attempt: u32) -> Option<Errand> {
        let all = self.inspections.as_mut()?;
        all.by_attempt.get_mut(attempt as usize)?.take()
    }

    /// Nobody wants the handshake of a connection any more, which its server does not know.
    pub(super) fn forget_handshake(&mut self, flow: u32) {
        let all = (self.inspections.iter_mut()).flat_map(|all| &mut all.by_attempt);
        let is_its = |errand: &Errand| matches!(errand, Errand::Handshake(own) if *own == flow);
        for errand in all.filter(|errand| errand.as_ref().is_some_and(is_its)) {
            *errand = None;
        }
    }
}

impl Inspections {
    fn of(&self, attempt: u32) -> Option<&Errand> {
        self.by_attempt.get(attempt as usize)?.as_ref()
    }
}
