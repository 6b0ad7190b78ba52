//! Last stage, what becomes of a request: it is tried again, succeeds or fails, and leaves the
//! world.

use super::blueprint::When;
use super::calls::Spent;
use super::fault::Place;
use super::link::FROM_BALANCER;
use super::request::{Attempt, NOBODY, Phase, Request, Whereabouts};
use super::{Event, World};
use crate::observe::{Cause, Ended};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::Luck;
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::Outcome;

/// Purpose of a request's luck: the pause before it is tried again; the number of the attempt is
/// added.
const PAUSE: u64 = 0x400;

impl World<'_> {
    /// Tries a request again after a failed attempt, or gives up.
    #[cold]
    #[inline(never)]
    pub(super) fn retry(
        &mut self,
        id: u32,
        (cause, status): (Cause, Status),
        calendar: &mut Calendar<Event>,
    ) {
        let request = &self.requests[id];
        let service = &self.services[usize::from(request.service)];
        let retry = &service.plan.balancer.retry;
        let hedges = self.hedges.as_ref().map_or(0, |hedges| hedges.made(id));
        let (service, balancer) = (usize::from(request.service), usize::from(request.balancer));
        if request.attempts.saturating_sub(hedges) > retry.max
            || self.is_of_no_use(id, calendar.now())
            || (self.has_flows(service as u16) && !self.may_be_sent_again(id))
            || (cause == Cause::Error && !retry.repeats(status))
            || !(self.services[service].purses.get_mut(balancer))
                .is_none_or(|purse| purse.allows(calendar.now()))
        {
            self.fail_with(id, (cause, status), calendar);
            return;
        }
        let request = &self.requests[id];
        let luck = Luck::new(request.draft.luck, PAUSE + u64::from(request.attempts));
        match retry.pause(request.attempts, luck) {
            Span::ZERO => self.dispatch(id, calendar),
            pause => {
                self.requests[id].whereabouts = Whereabouts::Pausing;
                calendar.after(pause, Event::Retry(id));
            }
        }
    }

    /// A request is answered.
    #[inline(always)]
    pub(super) fn succeed(
        &mut self,
        id: u32,
        request: &Request,
        (attempt, spent): (&Attempt, Spent),
        calendar: &mut Calendar<Event>,
    ) {
        let server = attempt.server;
        if self.limits.is_some() {
            self.leave_gate(id, (Outcome::Success, Status::OK), calendar);
        }
        if self.has_bonds {
            self.bind(id, request, server, calendar.now());
        }
        if self.parcels.is_some() {
            self.count_answer_handed_on(id, request);
        }
        let Some(longer) = self.way_to_client(id, calendar.now()) else {
            return;
        };
        if self.calls.is_some() {
            let at_balancer = waited_at_balancer(request, attempt);
            if self.settle_call(id, (request, at_balancer), Ok(spent), calendar) {
                return;
            }
        }
        if self.has_hostile && self.plan.sources[usize::from(request.source)].hostile {
            let came_in_time = self.tally.measures(request.arrived);
            self.tally.hostile.answered += u64::from(came_in_time);
        }
        let response_time = calendar.now() + request.from_balancer + longer - request.arrived;
        if self.witness.is_some() {
            self.testify((id, request), Some(attempt), None, response_time);
        }
        if request.attempts > 1 || self.clients.is_some() {
            self.count_again(id, request);
        }
        self.tally
            .succeeded(request.stretch, response_time, request.measured);
        if request.measured
            && let Some(part) = self.tally.part(request.source)
        {
            part.latency.record(response_time);
        }
        self.end((id, request), request.from_balancer + longer, calendar);
    }

    /// A request is answered, perhaps not at the first try.
    #[cold]
    #[inline(never)]
    fn count_again(&mut self, id: u32, request: &Request) {
        let asked = match self.clients.is_some() {
            true => self.has_answer(id, request),
            false => 1,
        };
        if request.attempts > 1 || asked > 1 {
            self.tally.answered_again += u64::from(request.measured);
        }
    }

    /// A request has failed.
    #[cold]
    #[inline(never)]
    pub(super) fn fail(&mut self, id: u32, cause: Cause, calendar: &mut Calendar<Event>) {
        self.fail_with(id, (cause, cause.outcome().status()), calendar);
    }

    /// A request has failed, and who asked is told so with this status.
    fn fail_with(
        &mut self,
        id: u32,
        (cause, status): (Cause, Status),
        calendar: &mut Calendar<Event>,
    ) {
        let request = self.requests[id];
        if self.limits.is_some() {
            self.leave_gate(id, (cause.outcome(), status), calendar);
        }
        let Some(longer) = self.way_to_client(id, calendar.now()) else {
            return;
        };
        if self.calls.is_some()
            && self.settle_call(id, (&request, Span::ZERO), Err(cause), calendar)
        {
            return;
        }
        let way = request.from_balancer + longer;
        self.has_failed((id, &request), (cause, status), way, calendar);
    }

    /// The request of a client has failed, who hears so after some time: it asks again, or that is
    /// the end of it.
    pub(super) fn has_failed(
        &mut self,
        (id, request): (u32, &Request),
        (cause, status): (Cause, Status),
        way: Span,
        calendar: &mut Calendar<Event>,
    ) {
        if self.clients.is_some() && self.ask_again((id, request), (cause, status), way, calendar) {
            return;
        }
        let after = calendar.now() + way - request.arrived;
        self.testify((id, request), None, Some(cause), after);
        self.tally
            .failed(request.stretch, after, cause, request.measured);
        if request.measured
            && let Some(part) = self.tally.part(request.source)
        {
            part.failed[cause as usize] += 1;
            part.failures.record(after);
        }
        self.end((id, request), way, calendar);
    }

    /// How much longer than usual the outcome of a request takes to its client; `None` where it is
    /// lost on the way, or comes when the client has given up, who waits until then. Of what a
    /// server has called it is nothing: see `settle_call`.
    #[inline(always)]
    fn way_to_client(&mut self, id: u32, now: Time) -> Option<Span> {
        if self.disturbed.is_empty() && self.clients.is_none() {
            return Some(Span::ZERO);
        }
        self.way_to_impatient_client(id, now)
    }

    #[cold]
    #[inline(never)]
    fn way_to_impatient_client(&mut self, id: u32, now: Time) -> Option<Span> {
        if self.is_call(id) {
            return Some(Span::ZERO);
        }
        let request = &self.requests[id];
        let (from, to) = (self.balancer_of(id), Place::Clients(request.source));
        let way = request.from_balancer;
        let longer = self.passage(from, to, (request.draft.luck, FROM_BALANCER));
        let longer = longer.filter(|&longer| self.waits_until(id) > now + way + longer);
        if longer.is_none() {
            self.requests[id].whereabouts = Whereabouts::Lost;
        }
        longer
    }

    /// The place of a request is free: at once, or when the event has come that is still to come.
    #[inline(always)]
    pub(super) fn release(&mut self, id: u32) {
        if let Some(hedges) = &mut self.hedges {
            hedges.forget(id);
        }
        if let Some(clients) = &mut self.clients {
            clients.forget(id);
        }
        if let Some(limits) = &mut self.limits {
            limits.forget(id);
        }
        let whereabouts = &mut self.requests[id].whereabouts;
        if matches!(whereabouts, Whereabouts::Pausing | Whereabouts::Coming) {
            *whereabouts = Whereabouts::Ended;
        } else {
            self.requests.remove(id);
        }
    }

    /// Tells the witness, if there is one, of a request that has ended.
    #[cold]
    #[inline(never)]
    fn testify(
        &mut self,
        (id, request): (u32, &Request),
        answered: Option<&Attempt>,
        failed: Option<Cause>,
        response_time: Span,
    ) {
        let (waited, worked) = match answered.map(|attempt| attempt.phase) {
            Some(Phase::Returning { waited, worked, .. }) => (waited, worked),
            _ => (Span::ZERO, Span::ZERO),
        };
        let at_balancer =
            answered.map_or(Span::ZERO, |attempt| waited_at_balancer(request, attempt));
        let holds_sessions = self.plan.sources[usize::from(request.source)]
            .sessions
            .is_some();
        if let Some(witness) = &mut self.witness {
            let clients = self.clients.as_mut();
            witness.ended(&Ended {
                session: holds_sessions.then_some(request.session),
                tries: clients.map_or(1, |clients| clients.asked(id)),
                arrived: request.arrived,
                client: request.client,
                group: request.source,
                key: request.draft.key,
                size: request.draft.size,
                server: answered.map(|attempt| attempt.server),
                attempts: request.attempts,
                service_time: worked,
                waited: waited + at_balancer,
                response_time,
                failed,
                measured: request.measured,
            });
        }
    }

    #[inline(always)]
    fn end(&mut self, (id, request): (u32, &Request), way: Span, calendar: &mut Calendar<Event>) {
        if request.measured {
            self.tally.presence.leave(calendar.now(), way);
        }
        self.release(id);
        if self.has_users {
            self.ask_next(request, way, calendar);
        }
    }

    /// Whoever asked, and waited for this, thinks and asks again; or that was all.
    #[inline(never)]
    fn ask_next(&mut self, request: &Request, way: Span, calendar: &mut Calendar<Event>) {
        let source = usize::from(request.source);
        if request.visit != NOBODY {
            match self.sources.think_in_visit(request.visit) {
                Some(pause) => calendar.after(way + pause, Event::Visit(request.visit)),
                None if self.sources[source].logs_out() => {
                    if let Some(sessions) = &mut self.sessions {
                        sessions.end(request.session, calendar.now(), &mut self.tally);
                    }
                }
                None => {}
            }
        } else if matches!(self.plan.sources[source].when, When::Closed(_)) {
            let pause = way + self.sources[source].think(request.draft.client);
            calendar.after(pause, Event::Ask(request.client));
        }
    }
}

/// How long a request waited at its balancer before this attempt was sent.
fn waited_at_balancer(request: &Request, attempt: &Attempt) -> Span {
    attempt.sent.since(request.queued.min(attempt.sent))
}
