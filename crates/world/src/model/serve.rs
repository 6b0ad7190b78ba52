//! Sixth stage: at a server, an attempt comes, waits for a slot, is worked on, and its answer
//! begins its way back.

use super::balancer::Abandoned;
use super::discipline::Waiting;
use super::fault::Place;
use super::link::FROM_SERVER;
use super::network::Leg;
use super::request::{Attempt, NOBODY, Phase};
use super::server::State;
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::Luck;
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::Outcome;

/// Purpose of a request's luck: the way back; the number of the attempt is added.
const BACK: u64 = 0x200;

impl World<'_> {
    /// An attempt has come to its server.
    #[inline(always)]
    pub(super) fn reach(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let attempt = &self.attempts[id];
        let Phase::Travelling { work } = attempt.phase else {
            return;
        };
        let service = self.servers[attempt.server as usize].service;
        let abandoned = self.services[service as usize].plan.balancer.abandoned;
        if attempt.request == NOBODY && abandoned == Abandoned::Cancel {
            self.forget(id, calendar.now());
        } else {
            self.join(id, work, calendar);
        }
    }

    /// An attempt with this much work joins those at its server.
    #[inline(always)]
    pub(super) fn join(&mut self, id: u32, work: Span, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        if self.errs_at_once(id) {
            let status = self.err(id).map_or(Status::ERROR, |(_, status)| status);
            self.refuse_with(id, (Cause::Error, status), calendar);
            return;
        }
        if self.is_too_late(id, now) {
            self.drop_late(id, calendar);
            return;
        }
        let attempt = &mut self.attempts[id];
        let server = &mut self.servers[attempt.server as usize];
        let found = server.present().min(u32::from(u16::MAX)) as u16;
        let is_up = server.state == State::Up;
        if is_up && self.limits.is_some() && !self.server_takes(id, now) {
            self.refuse(id, Cause::QueueFull, calendar);
            return;
        }
        let server = &mut self.servers[self.attempts[id].server as usize];
        if server.state == State::Refusing {
            self.refuse(id, Cause::Crash, calendar);
        } else if server.state == State::Hanging {
            // It stands in the queue until it times out, or the server is back and drops it.
            self.wait(id, (found, work), now);
        } else if server.shares() {
            self.share(id, (found, work), calendar);
        } else if server.has_free_slot() {
            self.start(id, (found, Span::ZERO, work), calendar);
        } else if server.is_full() {
            self.turn_away(id, (found, work), calendar);
        } else {
            self.wait(id, (found, work), now);
        }
    }

    /// An attempt that found so many and has this much work waits at its server.
    #[inline(always)]
    pub(super) fn wait(&mut self, id: u32, (found, work): (u16, Span), now: Time) {
        let since = now;
        let attempt = &mut self.attempts[id];
        attempt.phase = Phase::Waiting { found, since, work };
        let server = attempt.server as usize;
        if self.servers[server].has_own_queue() {
            let one = self.waiting(id, work, now);
            self.servers[server].enqueue_own(one, now);
        } else {
            self.servers[server].enqueue(id, &mut self.attempts);
        }
    }

    /// Counts how long an attempt has waited that does so no more, or that the run leaves.
    #[inline(always)]
    pub(super) fn stops_waiting(&mut self, id: u32, now: Time) {
        let Attempt { phase, server, .. } = self.attempts[id];
        if let Phase::Waiting { since, .. } = phase {
            self.tally.load.waited(server as usize, since, now);
        }
    }

    /// An attempt as its server's discipline sees it.
    #[cold]
    fn waiting(&self, id: u32, work: Span, since: Time) -> Waiting {
        let priority = match self.attempts[id].request {
            NOBODY if self.is_inspection(id) => 0,
            NOBODY => u8::MAX,
            request => {
                let source = usize::from(self.requests[request].source);
                self.plan.sources[source].priority
            }
        };
        Waiting {
            id,
            since,
            work,
            priority,
        }
    }

    /// A queue is full: someone is turned away, the one who comes or, as the discipline has it,
    /// another.
    #[cold]
    #[inline(never)]
    fn turn_away(&mut self, id: u32, (found, work): (u16, Span), calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let one = self.waiting(id, work, now);
        let server = self.attempts[id].server as usize;
        match self.servers[server].make_room(&one) {
            None => self.refuse(id, Cause::QueueFull, calendar),
            Some(other) => {
                self.wait(id, (found, work), now);
                self.refuse(other, Cause::QueueFull, calendar);
            }
        }
    }

    /// Whether the answer to an attempt is an error that takes no time: it needs no slot, and waits
    /// for none.
    #[inline(always)]
    fn errs_at_once(&self, id: u32) -> bool {
        let server = &self.servers[self.attempts[id].server as usize];
        server.irregular
            && server.is_up()
            && matches!(self.err(id), Some((Some(Span::ZERO), status)) if status.is_error())
            && !self.hangs(id)
    }

    /// An attempt gets a slot. It found so many at the server, has waited, and has this much work.
    #[inline(always)]
    pub(super) fn start(
        &mut self,
        id: u32,
        (found, waited, mut work): (u16, Span, Span),
        calendar: &mut Calendar<Event>,
    ) {
        let begun = calendar.now();
        let mut irregular = self.servers[self.attempts[id].server as usize].irregular;
        let mut status = Status::OK;
        // Whether it errs is decided once, when its work begins.
        let mut is_first = false;
        if !self.is_inspection(id)
            && let Some(calls) = &mut self.calls
        {
            is_first = !calls.begin(id);
            irregular &= is_first;
        }
        if irregular {
            if self.hangs(id) {
                self.hang(id, (found, waited, work), begun);
                return;
            }
            (work, status) = self.work_with_errors(id, work);
        }
        if is_first && !status.is_error() {
            work = self.first_piece(id, work);
        }
        let attempt = &mut self.attempts[id];
        let server = &mut self.servers[attempt.server as usize];
        let ends = begun + server.takes(work);
        attempt.phase = Phase::Serving {
            found,
            status,
            begun,
            waited,
            ends,
        };
        server.occupy(id, &mut self.attempts);
        calendar.at(ends, Event::Finish(id));
    }

    /// The service of an attempt ends.
    #[inline(always)]
    pub(super) fn finish(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let attempt = self.attempts[id];
        let Phase::Serving {
            found,
            mut status,
            begun,
            waited,
            ends,
        } = attempt.phase
        else {
            return;
        };
        if ends != now || self.servers[attempt.server as usize].stands {
            return;
        }
        if self.calls.is_some() && !status.is_error() && !self.is_inspection(id) {
            self.count_work(attempt.server, begun, now);
            self.end_piece(id, (waited, now - begun), (found, true), calendar);
            return;
        }
        self.free_slot(id, &attempt, begun, now);
        if self.servers[attempt.server as usize].irregular && !status.is_error() {
            status = self.status_under_load(id, 0, now);
        }
        self.start_next(attempt.server, calendar);
        if status.is_error() {
            self.count_wasted(now - begun);
            self.err_back(id, status, calendar);
            return;
        }
        self.count_answer(&attempt, waited);
        self.served(id, (attempt, found), (waited, now - begun), calendar);
    }

    /// Counts the good answer of a server to an attempt that had to wait so long.
    #[inline(always)]
    pub(super) fn count_answer(&mut self, attempt: &Attempt, waited: Span) {
        if attempt.request != NOBODY && self.requests[attempt.request].measured {
            let load = &mut self.tally.load.servers[attempt.server as usize];
            load.answered += 1;
            load.waited += waited;
        }
    }

    /// Takes an attempt off the slot that it has had since `begun`, and counts the work done.
    #[inline(always)]
    pub(super) fn free_slot(&mut self, id: u32, attempt: &Attempt, begun: Time, now: Time) {
        self.servers[attempt.server as usize].vacate(attempt, &mut self.attempts);
        self.count_work(attempt.server, begun, now);
        self.attempts[id].phase = Phase::Gone;
    }

    /// Counts what a slot of a server has worked since then.
    #[inline(always)]
    fn count_work(&mut self, server: u32, begun: Time, now: Time) {
        self.servers[server as usize].worked += (now - begun).nanos();
        self.tally.load.busy(server as usize, 1, begun, now);
    }

    /// Gives free slots to those who wait, unless the server is down.
    #[inline(always)]
    pub(super) fn start_next(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let place = &mut self.servers[server as usize];
        if place.has_own_queue() || self.deadlines.is_some() {
            self.start_next_own(server, calendar);
        } else if place.has_free_slot()
            && let Some(next) = place.dequeue(&self.attempts)
            && let Phase::Waiting { found, since, work } = self.attempts[next].phase
        {
            self.stops_waiting(next, calendar.now());
            self.start(next, (found, calendar.now() - since, work), calendar);
        }
    }

    /// Gives a free slot to whom the discipline has next, and turns away whom it drops.
    #[cold]
    #[inline(never)]
    fn start_next_own(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let place = &mut self.servers[server as usize];
        if !place.has_free_slot() {
            return;
        }
        let (mut dropped, mut late) = (Vec::new(), Vec::new());
        while let place = &mut self.servers[server as usize]
            && let Some(next) = match place.has_own_queue() {
                true => place.dequeue_own(now, &mut dropped),
                false => place.dequeue(&self.attempts),
            }
        {
            if self.is_too_late(next, now) {
                late.push(next);
            } else if let Phase::Waiting { found, since, work } = self.attempts[next].phase {
                self.stops_waiting(next, now);
                self.start(next, (found, now - since, work), calendar);
                break;
            }
        }
        for id in dropped {
            self.refuse(id, Cause::QueueFull, calendar);
        }
        for id in late {
            self.drop_late(id, calendar);
        }
    }

    /// A server drops what comes too late.
    #[cold]
    #[inline(never)]
    fn drop_late(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        self.refuse(id, Cause::Timeout, calendar);
    }

    /// A server has done the work of an attempt, which found so many there, waited and was worked
    /// on: the answer goes back.
    #[inline(always)]
    pub(super) fn served(
        &mut self,
        id: u32,
        (mut attempt, found): (Attempt, u16),
        (waited, worked): (Span, Span),
        calendar: &mut Calendar<Event>,
    ) {
        if self.limits.is_some() {
            self.leave_server(id, (Outcome::Success, Status::OK), calendar.now());
        }
        if self.oracle {
            self.left(attempt.server, calendar.now());
        }
        if self.parcels.is_some() && !self.is_inspection(id) {
            self.count_answer_sent(id, attempt.server);
        }
        if self.watched && !self.is_inspection(id) {
            let called = (self.calls.as_ref()).map_or(Span::ZERO, |calls| calls.spent(id).called);
            self.note_served(&attempt, found, waited + worked + called, calendar);
        }
        if attempt.request == NOBODY {
            if self.is_inspection(id) {
                self.count_useful(worked);
            } else {
                self.count_wasted(worked);
            }
            self.attempts.remove(id);
            self.end_inspection(id, true, calendar);
            return;
        }
        let left_behind = self.servers[attempt.server as usize].present();
        attempt.phase = Phase::Returning {
            left_behind: left_behind.min(u32::from(u16::MAX)) as u16,
            waited,
            worked,
        };
        if self.answers_at_once(attempt.server, attempt.request) {
            self.conclude(id, attempt, calendar);
        } else {
            self.attempts[id].phase = attempt.phase;
            self.send_back(id, attempt, calendar);
        }
    }

    /// A server has worked on an attempt, and answers with an error.
    #[cold]
    #[inline(never)]
    pub(super) fn err_back(&mut self, id: u32, status: Status, calendar: &mut Calendar<Event>) {
        let Attempt {
            request, server, ..
        } = self.attempts[id];
        if self.hears_idle && request != NOBODY && self.servers[server as usize].present() == 0 {
            self.tell_idle(server, self.requests[request].draft.luck, calendar);
        }
        self.refuse_with(id, (Cause::Error, status), calendar);
    }

    /// The way from a server to the balancer of a request.
    #[inline(always)]
    pub(super) fn back(&self, server: u32, request: u32) -> &Leg {
        let place = &self.servers[server as usize];
        let legs = &self.services[place.service as usize].legs;
        legs.back(self.requests[request].balancer, place.group)
    }

    /// Whether what a server answers to a request is at its balancer at once.
    #[inline(always)]
    pub(super) fn answers_at_once(&self, server: u32, request: u32) -> bool {
        self.disturbed.is_empty() && self.back(server, request).is_instant()
    }

    /// An answer, good or bad, begins its way back.
    #[inline(always)]
    pub(super) fn send_back(&mut self, id: u32, attempt: Attempt, calendar: &mut Calendar<Event>) {
        let Attempt {
            request: asked,
            server,
            ..
        } = attempt;
        let (from, to) = (Place::Server(server), self.balancer_of(asked));
        let request = &self.requests[asked];
        let number = u64::from(request.attempts);
        let luck = Luck::new(request.draft.luck, BACK + number);
        match self.passage(from, to, (request.draft.luck, FROM_SERVER + number)) {
            None => {
                if let Phase::Returning { worked, .. } = self.attempts[id].phase {
                    self.count_wasted(worked);
                }
                self.attempts[id].phase = Phase::Lost;
            }
            Some(longer) => {
                self.back(server, asked)
                    .send(luck, longer, Event::Answer(id), calendar)
            }
        }
    }
}
