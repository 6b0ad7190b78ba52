//! Seventh stage: what becomes of an attempt, as its balancer learns it: an answer, a refusal, or
//! nothing in time.

use super::balancer::Abandoned;
use super::calls::Spent;
use super::message::{Between, News};
use super::request::{Attempt, NOBODY, Phase, Request};
use super::server::State;
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Luck, below};
use lbsim_engine::status::Status;
use lbsim_engine::time::Time;
use lbsim_strategies::strategy::{Answer, Feedback, MemberId, Outcome};

/// Purpose of a request's luck: which balancer an idle server tells.
const IDLE: u64 = 0x700;

/// What is to be done after a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duty {
    /// The balancer hears of this attempt's refusal, and of the status of an error.
    Hear(u32, Cause, Status),
    /// A member takes whom it can of those who wait: service, balancer, member.
    Serve(u16, u16, MemberId),
    /// A request is tried again, or fails.
    Retry(u32, Cause, Status),
}

/// Whose doing it may be that no good answer has come to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// Its member's: it has failed, or was not there in the time that somebody waited.
    Member,
    /// Nobody's: a good answer came, or the answer came to be of no use before it was due.
    Nobody,
}

/// How an attempt has ended that was not answered well, as its balancer sees it.
fn outcome(cause: Cause, status: Status) -> Outcome {
    if cause == Cause::Error {
        Outcome::of(status)
    } else {
        cause.outcome()
    }
}

/// An attempt that ended so, without an answer.
pub(super) fn ending(outcome: Outcome) -> (Outcome, Status) {
    (outcome, outcome.status())
}

impl World<'_> {
    /// A server turns an attempt away, or drops it. What follows may come to a refusal again
    /// (whoever waits at the balancer is sent, to a server that is dead): it is worked off from a
    /// list, so that no stage calls itself.
    #[cold]
    #[inline(never)]
    pub(super) fn refuse(&mut self, id: u32, cause: Cause, calendar: &mut Calendar<Event>) {
        self.refuse_with(id, (cause, cause.outcome().status()), calendar);
    }

    /// As [`World::refuse`], with an answer of this status.
    pub(super) fn refuse_with(
        &mut self,
        id: u32,
        (cause, status): (Cause, Status),
        calendar: &mut Calendar<Event>,
    ) {
        let Attempt {
            request, server, ..
        } = self.attempts[id];
        self.count_in_vain(id);
        self.stops_waiting(id, calendar.now());
        if self.limits.is_some() {
            self.leave_server(id, (outcome(cause, status), status), calendar.now());
        }
        if self.oracle {
            self.left(server, calendar.now());
        }
        if let Some(reported) = self.reported.get_mut(server as usize)
            && !(request == NOBODY && self.inspections.is_some())
        {
            reported.answered += 1;
            reported.refused += 1;
        }
        self.may_go_down(server, calendar);
        if request == NOBODY {
            self.attempts[id].phase = Phase::Gone;
            self.attempts.remove(id);
            self.end_inspection(id, false, calendar);
            return;
        }
        self.attempts[id].phase = Phase::Refused(cause, status);
        if self.answers_at_once(server, request) {
            self.after_refusal(Duty::Hear(id, cause, status), calendar);
        } else {
            self.send_back(id, self.attempts[id], calendar);
        }
    }

    /// Does what follows a refusal, and what follows from that: the latest first, as if each called
    /// the next. Where this is being done already, it only notes the duty.
    fn after_refusal(&mut self, duty: Duty, calendar: &mut Calendar<Event>) {
        self.duties.push(duty);
        if self.on_duty {
            return;
        }
        self.on_duty = true;
        while let Some(duty) = self.duties.pop() {
            match duty {
                Duty::Hear(attempt, cause, status) => {
                    self.hear_refusal(attempt, (cause, status), calendar);
                }
                Duty::Serve(service, balancer, member) => {
                    let place = &mut self.services[usize::from(service)];
                    let place = &mut place.balancers[usize::from(balancer)];
                    if let Some((next, to)) = place.dequeue(member, calendar.now()) {
                        self.duties.push(duty);
                        self.send(next, to, calendar);
                    }
                }
                Duty::Retry(request, cause, status) => {
                    self.retry(request, (cause, status), calendar);
                }
            }
        }
        self.on_duty = false;
    }

    /// The balancer hears that an attempt has been refused: a place may be free at the member, and
    /// the request is tried again or fails.
    fn hear_refusal(
        &mut self,
        id: u32,
        (cause, status): (Cause, Status),
        calendar: &mut Calendar<Event>,
    ) {
        let attempt = self.attempts[id];
        self.attempts[id].deadline = Time::NEVER;
        self.attempts.remove(id);
        let has_others = self.remove_live(attempt.request, id);
        let request = self.requests[attempt.request];
        self.count_failure(&request, attempt.server);
        if self.has_bonds && cause == Cause::Crash {
            self.turn_to_next_name(attempt.request, attempt.server, calendar.now());
        }
        let member = self.count_end(
            &request,
            (id, &attempt),
            (outcome(cause, status), status, Doing::Member),
            calendar,
        );
        if !has_others {
            self.duties
                .push(Duty::Retry(attempt.request, cause, status));
        }
        self.duties
            .push(Duty::Serve(request.service, request.balancer, member));
    }

    /// An attempt of a request has failed at a server, as its balancer knows by now.
    fn count_failure(&mut self, request: &Request, server: u32) {
        self.tally.load.servers[server as usize].failed += u64::from(request.measured);
    }

    /// The answer to an attempt, good or bad, is at the balancer.
    pub(super) fn answered(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let attempt = self.attempts[id];
        match attempt.phase {
            _ if attempt.request == NOBODY => {
                if let Phase::Returning { worked, .. } = attempt.phase {
                    self.count_wasted(worked);
                }
                self.attempts.remove(id);
            }
            Phase::Refused(cause, status) => {
                self.after_refusal(Duty::Hear(id, cause, status), calendar);
            }
            _ => self.conclude(id, attempt, calendar),
        }
    }

    /// A good answer that somebody waits for is at the balancer.
    #[inline(always)]
    pub(super) fn conclude(
        &mut self,
        id: u32,
        mut attempt: Attempt,
        calendar: &mut Calendar<Event>,
    ) {
        self.attempts[id].deadline = Time::NEVER;
        self.attempts.remove(id);
        // Its place may be taken before the end of this.
        let mut spent = (self.calls.as_ref()).map_or(Spent::default(), |calls| calls.spent(id));
        if let Some(limits) = &self.limits {
            let waited_longer = limits.connections.waited(id);
            spent.waited += waited_longer;
            if let Phase::Returning { waited, .. } = &mut attempt.phase {
                *waited += waited_longer;
            }
        }
        if let Phase::Returning { worked, .. } = attempt.phase {
            self.count_useful(worked);
        }
        let request = self.requests[attempt.request];
        if self.sessions.is_some() {
            let who = (attempt.request, id);
            self.access_state(who, &request, attempt.server, calendar.now());
        }
        let member = self.count_end(
            &request,
            (id, &attempt),
            (Outcome::Success, Status::OK, Doing::Nobody),
            calendar,
        );
        let (service, balancer) = (usize::from(request.service), usize::from(request.balancer));
        if self.hedges.is_some() {
            self.win(id, &attempt, calendar);
        } else {
            self.requests[attempt.request].live = NOBODY;
        }
        self.serve_waiting(service, balancer, member, calendar);
        self.succeed(attempt.request, &request, (&attempt, spent), calendar);
    }

    /// The balancer has waited long enough for an attempt.
    #[inline(never)]
    pub(super) fn time_out(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let attempt = self.attempts[id];
        let Attempt {
            request, server, ..
        } = attempt;
        if attempt.deadline != now {
            return;
        }
        self.disown(id);
        let has_others = self.remove_live(request, id);
        let asked = self.requests[request];
        self.count_failure(&asked, server);
        if self.has_bonds {
            self.turn_to_next_name(request, server, now);
        }
        let (outcome, status) = ending(Outcome::Timeout);
        let how = (outcome, status, Doing::Member);
        let member = self.count_end(&asked, (id, &attempt), how, calendar);
        let (service, balancer) = (usize::from(asked.service), usize::from(asked.balancer));
        self.serve_waiting(service, balancer, member, calendar);
        self.abandon(id, calendar);
        if !has_others {
            self.retry(
                request,
                (Cause::Timeout, Outcome::Timeout.status()),
                calendar,
            );
        }
    }

    /// Nobody waits for an attempt any more: its server is told and stops, or works on for nobody.
    pub(super) fn abandon(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let attempt = self.attempts[id];
        let server = attempt.server;
        self.disown(id);
        let service = usize::from(self.servers[server as usize].service);
        let place = &self.servers[server as usize];
        let cancel = self.services[service].plan.balancer.abandoned == Abandoned::Cancel;
        match attempt.phase {
            Phase::Waiting { .. } if cancel || place.state == State::Hanging => {
                self.servers[server as usize].unqueue(id, &mut self.attempts);
                self.stops_waiting(id, now);
                self.forget(id, now);
            }
            Phase::Serving { begun, .. } if cancel => {
                // Not as it was above: its neighbours may have come and gone.
                let attempt = self.attempts[id];
                self.free_slot(id, &attempt, begun, now);
                self.count_wasted(now - begun);
                self.start_next(server, calendar);
                self.forget(id, now);
            }
            Phase::Calling { .. } if cancel => {
                self.drop_calling(id, now);
                self.start_next(server, calendar);
                self.forget(id, now);
            }
            Phase::Sharing { .. } if cancel => {
                self.unshare(id, calendar);
                self.forget(id, now);
            }
            // It is not at the server: not yet, or no longer.
            Phase::Lost | Phase::Lining { .. } => {
                self.attempts[id].phase = Phase::Gone;
                self.attempts.remove(id);
            }
            _ => {}
        }
        self.may_go_down(server, calendar);
    }

    /// An attempt that nobody waits for leaves the world.
    #[inline(never)]
    pub(super) fn forget(&mut self, id: u32, now: Time) {
        self.count_in_vain(id);
        if self.limits.is_some() {
            self.leave_server(id, ending(Outcome::Cancelled), now);
        }
        if self.oracle {
            self.left(self.attempts[id].server, now);
        }
        let attempt = &mut self.attempts[id];
        (attempt.deadline, attempt.phase) = (Time::NEVER, Phase::Gone);
        self.attempts.remove(id);
        self.forget_inspection(id);
    }

    /// Tells the balancer how an attempt ended, and returns the member.
    #[inline(always)]
    pub(super) fn count_end(
        &mut self,
        request: &Request,
        (id, attempt): (u32, &Attempt),
        (outcome, status, doing): (Outcome, Status, Doing),
        calendar: &mut Calendar<Event>,
    ) -> MemberId {
        let now = calendar.now();
        // Before anybody learns of it, and perhaps leaves out the member.
        if doing == Doing::Member && request.measured && self.detections.is_some() {
            self.note_hurt(request, attempt);
        }
        let service = &mut self.services[usize::from(request.service)];
        let member = attempt.server - service.first;
        let feedback = match attempt.phase {
            Phase::Returning {
                left_behind,
                worked,
                ..
            } if service.reads_feedback => Some(Feedback {
                in_flight: u32::from(left_behind),
                service_time: worked,
            }),
            _ => None,
        };
        let answer = Answer {
            member,
            outcome,
            status,
            response_time: now - attempt.sent,
            feedback,
        };
        if self.flows.is_none() || service.plan.flows.is_none() {
            service.balancers[usize::from(request.balancer)].answered(&answer, now);
        } else {
            self.alight((id, attempt), &answer, calendar);
        }
        if self.has_policies {
            self.heed_end(request, (id, &answer), calendar);
        }
        member
    }

    /// What the policies of a balancer make of the end of an attempt.
    #[cold]
    #[inline(never)]
    fn heed_end(
        &mut self,
        request: &Request,
        (id, answer): (u32, &Answer),
        calendar: &mut Calendar<Event>,
    ) {
        let place = (usize::from(request.service), usize::from(request.balancer));
        let service = &mut self.services[place.0];
        if let Some(purse) = service.purses.get_mut(place.1) {
            purse.ended(answer.outcome, request.attempts > 1);
        }
        let ejects = service.balancers[place.1].ejects();
        if let Some(growth) = &mut self.growth
            && answer.outcome == Outcome::Success
        {
            growth.answered(service.first + answer.member, answer.response_time);
        }
        if self.limits.is_some() {
            self.count_left(place, id, answer, calendar);
        }
        if ejects {
            self.judge(place, answer, calendar);
        }
        if self.rules_notice {
            self.heed_rule(place, calendar.now());
        }
    }

    /// A server that has become idle tells one of its balancers, drawn at random.
    pub(super) fn tell_idle(&mut self, server: u32, luck: u64, calendar: &mut Calendar<Event>) {
        let index = self.servers[server as usize].service;
        let service = &self.services[usize::from(index)];
        let between = Between {
            service: index,
            balancer: below(&mut Luck::new(luck, IDLE), service.balancers.len()) as u16,
            member: server - service.first,
            luck,
        };
        self.tell_balancer(between, News::Idle, calendar);
    }
}
