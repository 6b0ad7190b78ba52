//! Calls that come back, with a good answer or without: whoever made them goes on, or is answered
//! with an error.

use super::Spent;
use crate::model::fault::Place;
use crate::model::link::FROM_BALANCER;
use crate::model::request::{NOBODY, Phase, Request, Whereabouts};
use crate::model::state::Access;
use crate::model::step::StepKind;
use crate::model::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};

impl World<'_> {
    /// Counts a request that has ended for the service that it asked, and tells the server that
    /// made it, if one did. Says whether that is so.
    #[cold]
    #[inline(never)]
    pub(in crate::model) fn settle_call(
        &mut self,
        id: u32,
        (request, at_balancer): (&Request, Span),
        spent: Result<Spent, Cause>,
        calendar: &mut Calendar<Event>,
    ) -> bool {
        let now = calendar.now();
        if request.measured
            && let Some(count) = self.tally.services.get_mut(usize::from(request.service))
        {
            let after = now + request.from_balancer - request.arrived;
            match spent {
                Ok(spent) => {
                    count.latency.record(after);
                    count.waited += spent.waited + at_balancer;
                    count.worked += spent.worked;
                    count.called += spent.called;
                }
                Err(cause) => count.failed[cause as usize] += 1,
            }
        }
        let Some(calls) = &mut self.calls else {
            return false;
        };
        let caller = &mut calls.callers[id as usize];
        if caller.attempt == NOBODY {
            return false;
        }
        caller.good = spent.is_ok();
        let worked = spent.map_or(Span::ZERO, |spent| spent.worked);
        caller.worked = worked;
        let to = Place::Server(caller.server);
        let from = self.balancer_of(id);
        match self.passage(from, to, (request.draft.luck, FROM_BALANCER)) {
            Some(longer) => {
                self.requests[id].whereabouts = Whereabouts::Answered;
                calendar.after(request.from_balancer + longer, Event::Returned(id));
            }
            None => {
                self.release(id);
                self.count_for_nobody(worked);
            }
        }
        true
    }

    /// The outcome of a call is at the server that made it.
    pub(in crate::model) fn returned(&mut self, call: u32, calendar: &mut Calendar<Event>) {
        self.release(call);
        let Some(calls) = &mut self.calls else { return };
        let caller = calls.callers[call as usize];
        let id = caller.attempt;
        let progress = &mut calls.progress[id as usize];
        // The step may have had all that it needs without this one, or the attempt may be gone.
        if progress.serial != caller.serial {
            self.count_for_nobody(caller.worked);
            return;
        }
        if self.attempts[id].request == NOBODY {
            // Its server goes on, but nobody waits for that one.
            self.count_for_nobody(caller.worked);
        }
        let Some(calls) = &mut self.calls else { return };
        let progress = &mut calls.progress[id as usize];
        progress.pending -= 1;
        progress.missing -= u32::from(caller.good);
        let step = progress.step as usize;
        let server = self.attempts[id].server;
        let is_met = progress.missing == 0;
        let (is_optional, access) =
            match &self.servers[server as usize].group_in(self.plan).steps[step].kind {
                StepKind::Call(plan) => (plan.optional, plan.access),
                _ => (false, None),
            };
        // What cannot be met any more fails at once, unless it may: then all that comes is taken.
        let is_lost = if is_optional {
            progress.pending == 0
        } else {
            progress.pending < progress.missing
        };
        if !is_met && !is_lost {
            return;
        }
        let error = (!is_met && !is_optional).then_some(Status::ERROR);
        let Some(stay) = self.end_calling(id, access, is_met, calendar.now()) else {
            return;
        };
        if caller.is_refused
            && let Some(calls) = &mut self.calls
        {
            let progress = &mut calls.progress[id as usize];
            (progress.step, progress.round) = (0, 0);
        }
        self.go_without(id, error, stay, calendar);
    }

    /// A round of calls is over: what is still under way of it is done for nobody. Returns what
    /// the attempt found when it came, and whether it has its slot.
    fn end_calling(
        &mut self,
        id: u32,
        access: Option<Access>,
        is_met: bool,
        now: Time,
    ) -> Option<(u16, bool)> {
        let Phase::Calling { found, since, held } = self.attempts[id].phase else {
            return None;
        };
        let calls = self.calls.as_mut()?;
        let progress = &mut calls.progress[id as usize];
        progress.serial = progress.serial.wrapping_add(1);
        progress.resumes = Time::NEVER;
        progress.spent.called += now - since;
        calls.goes_on(id, access, is_met);
        self.end_round(id);
        self.end_stay(self.attempts[id].server, (since, held), now);
        Some((found, held))
    }

    /// What an attempt waited for is there, where it was no call: it goes on. Where it was, it has
    /// waited long enough.
    pub(in crate::model) fn resume(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let Some(calls) = &mut self.calls else { return };
        let Some(progress) = calls.progress.get_mut(id as usize) else {
            return;
        };
        // The attempt may be gone, and another one in its place.
        let Phase::Calling { found, since, held } = self.attempts[id].phase else {
            return;
        };
        if progress.resumes != calendar.now() {
            return;
        }
        let server = self.attempts[id].server;
        let step = progress.step as usize;
        if let StepKind::Call(plan) =
            &self.servers[server as usize].group_in(self.plan).steps[step].kind
        {
            let error = (!plan.optional).then_some(Status::GATEWAY_TIMEOUT);
            if let Some(stay) = self.end_calling(id, plan.access, false, calendar.now()) {
                self.go_without(id, error, stay, calendar);
            }
            return;
        }
        progress.resumes = Time::NEVER;
        progress.spent.called += calendar.now() - since;
        self.end_stay(server, (since, held), calendar.now());
        self.proceed(id, (found, held), calendar);
    }

    /// An attempt has what it called, or not: it goes on, or is answered with an error.
    pub(super) fn go_without(
        &mut self,
        id: u32,
        error: Option<Status>,
        (found, holds): (u16, bool),
        calendar: &mut Calendar<Event>,
    ) {
        match error {
            None => self.proceed(id, (found, holds), calendar),
            Some(status) => {
                self.leave(id, holds, calendar);
                self.err_back(id, status, calendar);
            }
        }
    }

    /// A round of calls is over, of those that a step may make at once.
    fn end_round(&mut self, id: u32) {
        let server = self.attempts[id].server;
        if let Some(calls) = &mut self.calls {
            let step = calls.progress[id as usize].step;
            if let Some(under_way) = calls.at_once.get_mut(&(server, step)) {
                *under_way -= 1;
            }
        }
    }

    /// An attempt that has waited for calls since then, or hung, on its slot or not, does so no
    /// longer.
    fn end_stay(&mut self, server: u32, (since, held): (Time, bool), now: Time) {
        if held {
            self.tally.load.busy(server as usize, 1, since, now);
        } else {
            self.servers[server as usize].away -= 1;
        }
    }

    /// An attempt that waits for calls, or hangs, is dropped.
    pub(in crate::model) fn drop_calling(&mut self, id: u32, now: Time) {
        let attempt = self.attempts[id];
        let Phase::Calling { since, held, .. } = attempt.phase else {
            return;
        };
        self.attempts[id].phase = Phase::Gone;
        if self.hung.remove(&id).is_none() {
            self.end_round(id);
        }
        self.end_stay(attempt.server, (since, held), now);
        if held {
            self.servers[attempt.server as usize].vacate(&attempt, &mut self.attempts);
        }
        if let Some(calls) = &mut self.calls {
            calls.give_up(id);
        }
    }
}
