//! Third stage: a request is at its balancer, which sends it on, lets it wait until a member takes
//! it (only products' rules do), or has nobody for it.

use super::fault::WhileDown;
use super::pools::Lined;
use super::request::Whereabouts;
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_strategies::balancer::Reason;
use lbsim_strategies::strategy::{MemberId, Pick};

impl World<'_> {
    /// A request comes to its balancer, or is to be tried again after a pause.
    pub(super) fn come(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        if self.requests[id].whereabouts == Whereabouts::Ended {
            self.requests.remove(id);
            return;
        }
        self.requests[id].whereabouts = Whereabouts::Here;
        self.dispatch(id, calendar);
    }

    /// A request is at its balancer: for the first time, or to be tried again.
    #[inline(always)]
    pub(super) fn dispatch(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        if self.has_outages && !self.is_taken(id, calendar) {
            return;
        }
        if self.limits.is_some() && !self.is_let_in(id, calendar) {
            return;
        }
        let request = &self.requests[id];
        let from = (request.service, request.balancer, request.draft.luck);
        let first = request.attempts == 0;
        let service = &mut self.services[usize::from(from.0)];
        if first && let Some(purse) = service.purses.get_mut(usize::from(from.1)) {
            purse.asked(now);
        }
        let on = service.plan.balancer.retry.on;
        match self.pick(id, on, now) {
            Pick::Member(member) => self.send(id, member, calendar),
            Pick::Wait => self.enqueue(id, None, calendar),
            Pick::WaitFor(member) => self.enqueue(id, Some(member), calendar),
            Pick::Nobody => {
                self.forgo_retry(id);
                self.fail(id, Cause::NoServer, calendar);
            }
            Pick::Refused => {
                self.forgo_retry(id);
                self.fail(id, Cause::Limited, calendar);
            }
        }
        if self.has_probes {
            self.send_probes(from, calendar);
        }
    }

    /// Whether the balancer of a request takes it. One that is dead refuses it, or says nothing.
    #[cold]
    #[inline(never)]
    fn is_taken(&mut self, id: u32, calendar: &mut Calendar<Event>) -> bool {
        let request = &self.requests[id];
        let service = &self.services[usize::from(request.service)];
        match service.answers_while_dead(request.balancer) {
            None => true,
            Some(WhileDown::Hang) => false,
            Some(WhileDown::Refuse) => {
                self.fail(id, Cause::Crash, calendar);
                false
            }
        }
    }

    /// Lets a request wait at its balancer, for `member` or for any.
    #[cold]
    #[inline(never)]
    pub(super) fn enqueue(
        &mut self,
        id: u32,
        member: Option<MemberId>,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let request = &mut self.requests[id];
        request.queued = now;
        let service = &mut self.services[usize::from(request.service)];
        service.balancers[usize::from(request.balancer)].enqueue(id, member);
        if let Some(lane) = service.queue_timeouts {
            calendar.after_lane(lane, Event::QueueTimeout(id));
        }
        if self.flows.is_some() {
            self.line_up(id, Lined::ForMember, calendar);
        }
    }

    /// A request may have waited at its balancer long enough.
    pub(super) fn queue_timed_out(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let request = &self.requests[id];
        let service = &mut self.services[usize::from(request.service)];
        let limit = service.plan.balancer.queue_timeout;
        // The place may hold another request by now, or the same one waiting again.
        if limit.is_none_or(|limit| request.queued + limit != calendar.now()) {
            return;
        }
        if service.balancers[usize::from(request.balancer)].give_up(id) {
            let is_limited = service.plan.balancer.server_limit.is_some();
            let cause = if is_limited {
                Cause::Limited
            } else {
                Cause::NoServer
            };
            self.forgo_retry(id);
            self.fail(id, cause, calendar);
        } else if self.waits_no_more(id, calendar) {
            self.fail(id, Cause::Limited, calendar);
        }
    }

    /// A request finds nobody: if it was to be tried again, that is not done after all.
    #[cold]
    #[inline(never)]
    fn forgo_retry(&mut self, id: u32) {
        let request = &self.requests[id];
        let service = &mut self.services[usize::from(request.service)];
        if request.attempts > 0
            && let Some(purse) = service.purses.get_mut(usize::from(request.balancer))
        {
            purse.forgo();
        }
    }

    /// A member may take those who wait at this balancer.
    #[inline(always)]
    pub(super) fn serve_waiting(
        &mut self,
        service: usize,
        balancer: usize,
        member: MemberId,
        calendar: &mut Calendar<Event>,
    ) {
        while let Some((id, member)) =
            self.services[service].balancers[balancer].dequeue(member, calendar.now())
        {
            self.send(id, member, calendar);
        }
    }

    /// Lets a reason hold for a member at one balancer. Who waited for it is balanced anew, or now
    /// gets it.
    pub(super) fn set_reason(
        &mut self,
        (service, balancer): (usize, usize),
        member: MemberId,
        (reason, holds): (Reason, bool),
        calendar: &mut Calendar<Event>,
    ) {
        let place = &mut self.services[service].balancers[balancer];
        place.set(member, reason, holds, calendar.now());
        if self.has_opinions {
            self.note_opinion((service, balancer), member, calendar.now());
            self.plan_look((service, balancer), calendar);
        }
        let place = &mut self.services[service].balancers[balancer];
        if !holds {
            self.serve_waiting(service, balancer, member, calendar);
        } else if reason != Reason::Draining {
            for id in place.release(member) {
                self.dispatch(id, calendar);
            }
        }
    }
}
