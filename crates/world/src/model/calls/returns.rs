//! Calls that come back, with a good answer or without: whoever made them goes on, or is answered
//! with an error.

use crate::model::request::{NOBODY, Phase};
use crate::model::step::StepKind;
use crate::model::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::status::Status;
use lbsim_engine::time::Time;

impl World<'_> {
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
        // What is still under way is done for nobody.
        progress.serial = progress.serial.wrapping_add(1);
        let Phase::Calling { found, since, held } = self.attempts[id].phase else {
            return;
        };
        progress.spent.called += calendar.now() - since;
        self.end_round(id);
        self.end_stay(server, (since, held), calendar.now());
        let Some(calls) = &mut self.calls else { return };
        calls.goes_on(id, access, is_met);
        if caller.is_refused {
            let progress = &mut calls.progress[id as usize];
            (progress.step, progress.round) = (0, 0);
        }
        self.go_without(id, is_met || is_optional, (found, held), calendar);
    }

    /// What an attempt waited for is there, where it was no call: it goes on.
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
        progress.resumes = Time::NEVER;
        progress.spent.called += calendar.now() - since;
        self.end_stay(self.attempts[id].server, (since, held), calendar.now());
        self.proceed(id, (found, held), calendar);
    }

    /// An attempt has what it called, or not: it goes on, or is answered with an error.
    pub(super) fn go_without(
        &mut self,
        id: u32,
        goes_on: bool,
        (found, holds): (u16, bool),
        calendar: &mut Calendar<Event>,
    ) {
        if goes_on {
            self.proceed(id, (found, holds), calendar);
        } else {
            self.leave(id, holds, calendar);
            self.err_back(id, Status::ERROR, calendar);
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
