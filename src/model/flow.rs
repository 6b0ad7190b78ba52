//! The way of a request: client, balancer, server, and back.

use super::blueprint::{Abandoned, When};
use super::draft::Draft;
use super::network::Leg;
use super::request::{Attempt, NOBODY, Phase, Request};
use super::server::State;
use super::{Event, World};
use crate::balancer::retry::On;
use crate::engine::Calendar;
use crate::observe::{Cause, Ended, Loss};
use crate::rng::{Luck, below};
use crate::strategy::{Answer, Feedback, MemberId, Outcome, Pick, Truth};
use crate::time::{Span, Time};

/// Purposes of a request's luck; the number of the attempt is added. Service times use the bare number.
const OUT: u64 = 0x100;
const BACK: u64 = 0x200;
const CLIENT: u64 = 0x300;
const PAUSE: u64 = 0x400;
const IDLE: u64 = 0x700;

/// What is to be done after a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duty {
    /// The balancer hears of this attempt's refusal.
    Hear(u32, Cause),
    /// A member takes whom it can of those who wait: service, balancer, member.
    Serve(u16, u16, MemberId),
    /// A request is tried again, or fails.
    Retry(u32, Cause),
}

impl World<'_> {
    /// A client sends a request.
    #[inline(always)]
    pub(super) fn arrive(&mut self, source: usize, draft: Draft, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let plan = &self.plan.sources[source];
        let measured = self.tally.measures(now);
        self.tally.simulated += 1;
        if measured {
            self.tally.requests += 1;
            self.tally.presence.enter(now);
            if let Some(part) = self.tally.part(source as u16) {
                part.requests += 1;
            }
        }
        let to_balancer = plan.to_balancer.draw(Luck::new(draft.luck, CLIENT));
        if self.has_sessions
            && let Some(sessions) = &mut self.sessions[source]
        {
            sessions.ask(draft.client, now);
        }
        let client = self.sources[source].client(&draft);
        let balancer = self.services[plan.service].instance(&draft, client);
        let request = self.requests.insert(Request {
            draft,
            arrived: now,
            client,
            source: source as u16,
            service: plan.service as u16,
            balancer,
            attempts: 0,
            tried_count: 0,
            measured,
            stretch: self.tally.timeline.stretch(now),
            tried: [0; 3],
            queued: Time::NEVER,
            to_balancer,
        });
        if to_balancer.is_zero() {
            self.dispatch(request, calendar);
        } else {
            calendar.after(to_balancer, Event::AtBalancer(request));
        }
    }

    /// A user of a closed loop asks.
    pub(super) fn ask(&mut self, user: u32, calendar: &mut Calendar<Event>) {
        let (source, draft) = self.sources.ask(user);
        self.arrive(source, draft, calendar);
    }

    /// A request is at its balancer: for the first time, or to be tried again.
    #[inline(always)]
    pub(super) fn dispatch(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let request = &self.requests[id];
        let from = (request.service, request.balancer, request.draft.luck);
        match self.pick(id, now) {
            Pick::Member(member) => self.send(id, member, calendar),
            Pick::Wait => self.enqueue(id, None, calendar),
            Pick::WaitFor(member) => self.enqueue(id, Some(member), calendar),
            Pick::Nobody => self.fail(id, Cause::NoServer, calendar),
        }
        if self.has_probes {
            self.send_probes(from, calendar);
        }
    }

    /// The member that the request's balancer sends it to.
    #[inline(always)]
    fn pick(&mut self, id: u32, now: Time) -> Pick {
        if self.oracle {
            self.foresee_completion(id);
        }
        let request = &self.requests[id];
        let index = usize::from(request.source);
        let service = &mut self.services[usize::from(request.service)];
        let balancer = &mut service.balancers[usize::from(request.balancer)];
        let retry = &service.plan.balancer.retry;
        if request.attempts > 0
            && retry.on == On::Same
            && let Some(&last) = request.tried().first()
            && balancer.pool().is_eligible(last)
        {
            return Pick::Member(last);
        }
        let tried = if retry.on == On::Another {
            request.tried()
        } else {
            &[]
        };
        if let Some(cookies) = &service.cookies
            && let Some(bound) = cookies.get(request.client)
            && balancer.takes_bound(bound)
            && !tried.contains(&bound)
        {
            // A draining member keeps its clients until their sessions end, or it would never be empty.
            let over = self.sessions[index]
                .as_ref()
                .is_some_and(|sessions| sessions.is_over(request.draft.client, now));
            if balancer.pool().is_eligible(bound) || !over {
                return Pick::Member(bound);
            }
        }
        let seen = self.sources[index].seen(&request.draft, tried);
        let truth = if self.oracle {
            let first = service.first as usize;
            self.known.of((first, first + service.plan.servers.len()))
        } else {
            Truth::default()
        };
        balancer.pick(&seen, truth, now)
    }

    /// The balancer sends a request to a member.
    #[inline(always)]
    pub(super) fn send(&mut self, id: u32, member: MemberId, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let request = &mut self.requests[id];
        request.attempts = request.attempts.saturating_add(1);
        let number = u64::from(request.attempts);
        let service = &mut self.services[usize::from(request.service)];
        let retry = &service.plan.balancer.retry;
        if retry.max > 0 && retry.on != On::Any {
            request.note_tried(member);
        }
        let server = service.first + member;
        let group = self.servers[server as usize].group as usize;
        let plan = &service.plan.groups[group];
        let draft = request.draft;
        let demand = draft.demand(plan, number);
        if request.measured {
            self.tally.attempts += 1;
            self.tally.load.servers[server as usize].sent += 1;
        }
        let balancer = request.balancer;
        let attempt = self.attempts.insert(Attempt {
            request: id,
            server,
            next: NOBODY,
            prev: NOBODY,
            sent: now,
            deadline: Time::NEVER,
            phase: Phase::Travelling { work: demand },
        });
        if let Some(lane) = service.timeouts {
            self.attempts[attempt].deadline = calendar.after_lane(lane, Event::Timeout(attempt));
        }
        service.balancers[usize::from(balancer)].sent(member, now);
        let instant = service.out[group].is_instant();
        if !instant {
            service.out[group].send(
                Luck::new(draft.luck, OUT + number),
                Event::AtServer(attempt),
                calendar,
            );
        }
        if self.oracle {
            self.joined(server, demand, now);
        }
        if instant {
            self.join(attempt, demand, calendar);
        }
    }

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
    fn join(&mut self, id: u32, work: Span, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let attempt = &mut self.attempts[id];
        let server = &mut self.servers[attempt.server as usize];
        let found = server.present().min(u32::from(u16::MAX)) as u16;
        if server.state == State::Refusing {
            self.refuse(id, Cause::Crash, calendar);
        } else if server.state == State::Hanging {
            // It stands in the queue until it times out, or the server is back and drops it.
            let since = now;
            attempt.phase = Phase::Waiting { found, since, work };
            server.enqueue(id, &mut self.attempts);
        } else if server.sharing.is_some() {
            self.share(id, (found, work), calendar);
        } else if server.has_free_slot() {
            self.start(id, (found, Span::ZERO, work), calendar);
        } else if server.is_full() {
            self.refuse(id, Cause::QueueFull, calendar);
        } else {
            let since = now;
            attempt.phase = Phase::Waiting { found, since, work };
            server.enqueue(id, &mut self.attempts);
        }
    }

    /// An attempt gets a slot. It found so many at the server, has waited, and has this much work.
    #[inline(always)]
    fn start(
        &mut self,
        id: u32,
        (found, waited, mut work): (u16, Span, Span),
        calendar: &mut Calendar<Event>,
    ) {
        let begun = calendar.now();
        let mut errs = self.servers[self.attempts[id].server as usize].errs;
        if errs {
            (work, errs) = self.err(id, work);
        }
        let attempt = &mut self.attempts[id];
        let server = &mut self.servers[attempt.server as usize];
        let ends = begun + server.takes(work);
        attempt.phase = Phase::Serving {
            found,
            errs,
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
            errs,
            begun,
            waited,
            ends,
        } = attempt.phase
        else {
            return;
        };
        if ends != now {
            return;
        }
        self.free_slot(id, &attempt, begun, now);
        self.start_next(attempt.server, calendar);
        if errs {
            self.err_back(id, calendar);
            return;
        }
        if attempt.request != NOBODY && self.requests[attempt.request].measured {
            let load = &mut self.tally.load.servers[attempt.server as usize];
            load.answered += 1;
            load.waited += waited;
        }
        self.served(id, (attempt, found), (waited, now - begun), calendar);
    }

    /// Takes an attempt off the slot that it has had since `begun`, and counts the work done.
    #[inline(always)]
    pub(super) fn free_slot(&mut self, id: u32, attempt: &Attempt, begun: Time, now: Time) {
        let index = attempt.server as usize;
        let server = &mut self.servers[index];
        server.vacate(attempt, &mut self.attempts);
        server.worked += (now - begun).nanos();
        self.tally.load.busy(index, 1, begun, now);
        self.attempts[id].phase = Phase::Gone;
    }

    /// Gives free slots to those who wait, unless the server is down.
    #[inline(always)]
    pub(super) fn start_next(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let place = &mut self.servers[server as usize];
        if place.has_free_slot()
            && let Some(next) = place.dequeue(&self.attempts)
        {
            if let Phase::Waiting { found, since, work } = self.attempts[next].phase {
                self.start(next, (found, calendar.now() - since, work), calendar);
            }
        }
    }

    /// A server has done the work of an attempt, which found so many there, waited and was worked on: the answer goes
    /// back.
    #[inline(always)]
    pub(super) fn served(
        &mut self,
        id: u32,
        (mut attempt, found): (Attempt, u16),
        (waited, worked): (Span, Span),
        calendar: &mut Calendar<Event>,
    ) {
        if self.oracle {
            self.left(attempt.server, calendar.now());
        }
        if self.watched {
            self.note_served(&attempt, found, waited + worked, calendar);
        }
        if attempt.request == NOBODY {
            self.attempts.remove(id);
            return;
        }
        let left_behind = self.servers[attempt.server as usize].present();
        attempt.phase = Phase::Returning {
            left_behind: left_behind.min(u32::from(u16::MAX)) as u16,
            waited,
            worked,
        };
        if self.back(attempt.server).is_instant() {
            self.conclude(id, attempt, calendar);
        } else {
            self.attempts[id].phase = attempt.phase;
            self.send_back(id, attempt, calendar);
        }
    }

    /// A server has worked on an attempt, and answers with an error.
    #[cold]
    #[inline(never)]
    pub(super) fn err_back(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let Attempt {
            request, server, ..
        } = self.attempts[id];
        if self.hears_idle && request != NOBODY && self.servers[server as usize].present() == 0 {
            self.tell_idle(server, self.requests[request].draft.luck, calendar.now());
        }
        self.refuse(id, Cause::Error, calendar);
    }

    /// The way from a server to its balancers.
    #[inline(always)]
    fn back(&self, server: u32) -> &Leg {
        let place = &self.servers[server as usize];
        &self.services[place.service as usize].back[place.group as usize]
    }

    /// An answer, good or bad, begins its way back.
    #[inline(always)]
    fn send_back(&self, id: u32, attempt: Attempt, calendar: &mut Calendar<Event>) {
        let request = &self.requests[attempt.request];
        let luck = Luck::new(request.draft.luck, BACK + u64::from(request.attempts));
        self.back(attempt.server)
            .send(luck, Event::Answer(id), calendar);
    }

    /// The client has its answer: its session goes on, begins, or turns out to be lost. A server that has died meanwhile, or
    /// only finishes what it had, keeps no state.
    #[inline(always)]
    fn touch_session(&mut self, request: &Request, server: u32, now: Time) {
        let source = usize::from(request.source);
        if !self.servers[server as usize].is_up() {
            return;
        }
        let Some(sessions) = &mut self.sessions[source] else {
            return;
        };
        let touch = sessions.touch(request.draft.client, server, now);
        if touch.began {
            self.tally.session_begun(now);
        }
        if let Some(old) = touch.lost {
            let service = &self.services[usize::from(request.service)];
            let balancer = &service.balancers[usize::from(request.balancer)];
            let loss = if balancer.pool().is_eligible(old - service.first) {
                Loss::Moved
            } else {
                Loss::Unreachable
            };
            self.tally
                .sessions_lost(now, loss, 1, u64::from(touch.hurt));
        }
    }

    /// A server turns an attempt away, or drops it. What follows may come to a refusal again (whoever waits at the balancer
    /// is sent, to a server that is dead): it is worked off from a list, so that no stage calls itself.
    #[cold]
    #[inline(never)]
    pub(super) fn refuse(&mut self, id: u32, cause: Cause, calendar: &mut Calendar<Event>) {
        let Attempt {
            request, server, ..
        } = self.attempts[id];
        if self.oracle {
            self.left(server, calendar.now());
        }
        if let Some(reported) = self.reported.get_mut(server as usize) {
            reported.answered += 1;
            reported.refused += 1;
        }
        if request == NOBODY {
            self.attempts[id].phase = Phase::Gone;
            self.attempts.remove(id);
            return;
        }
        self.attempts[id].phase = Phase::Refused(cause);
        if self.back(server).is_instant() {
            self.after_refusal(Duty::Hear(id, cause), calendar);
        } else {
            self.send_back(id, self.attempts[id], calendar);
        }
    }

    /// Does what follows a refusal, and what follows from that: the latest first, as if each called the next. Where this is
    /// being done already, it only notes the duty.
    fn after_refusal(&mut self, duty: Duty, calendar: &mut Calendar<Event>) {
        self.duties.push(duty);
        if self.on_duty {
            return;
        }
        self.on_duty = true;
        while let Some(duty) = self.duties.pop() {
            match duty {
                Duty::Hear(attempt, cause) => self.hear_refusal(attempt, cause, calendar),
                Duty::Serve(service, balancer, member) => {
                    let place = &mut self.services[usize::from(service)];
                    let place = &mut place.balancers[usize::from(balancer)];
                    if let Some(next) = place.dequeue(member, calendar.now()) {
                        self.duties.push(duty);
                        self.send(next, member, calendar);
                    }
                }
                Duty::Retry(request, cause) => self.retry(request, cause, calendar),
            }
        }
        self.on_duty = false;
    }

    /// The balancer hears that an attempt has been refused: a place may be free at the member, and the request is tried
    /// again or fails.
    fn hear_refusal(&mut self, id: u32, cause: Cause, calendar: &mut Calendar<Event>) {
        let attempt = self.attempts[id];
        self.attempts[id].deadline = Time::NEVER;
        self.attempts.remove(id);
        let outcome = match cause {
            Cause::QueueFull => Outcome::Rejected,
            Cause::Error => Outcome::Error,
            _ => Outcome::Failure,
        };
        let request = self.requests[attempt.request];
        self.count_failure(&request, attempt.server);
        let member = self.tell_balancer(&request, &attempt, outcome, calendar.now());
        self.duties.push(Duty::Retry(attempt.request, cause));
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
            _ if attempt.request == NOBODY => self.attempts.remove(id),
            Phase::Refused(cause) => self.after_refusal(Duty::Hear(id, cause), calendar),
            _ => self.conclude(id, attempt, calendar),
        }
    }

    /// A good answer that somebody waits for is at the balancer.
    #[inline(always)]
    fn conclude(&mut self, id: u32, attempt: Attempt, calendar: &mut Calendar<Event>) {
        self.attempts[id].deadline = Time::NEVER;
        self.attempts.remove(id);
        let request = self.requests[attempt.request];
        if self.has_sessions {
            self.touch_session(&request, attempt.server, calendar.now());
        }
        let member = self.tell_balancer(&request, &attempt, Outcome::Success, calendar.now());
        let (service, balancer) = (usize::from(request.service), usize::from(request.balancer));
        self.serve_waiting(service, balancer, member, calendar);
        self.succeed(attempt.request, &request, &attempt, calendar);
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
        self.attempts[id].deadline = Time::NEVER;
        self.attempts[id].request = NOBODY;
        let asked = self.requests[request];
        self.count_failure(&asked, server);
        let member = self.tell_balancer(&asked, &attempt, Outcome::Timeout, now);
        let (service, balancer) = (usize::from(asked.service), usize::from(asked.balancer));
        self.serve_waiting(service, balancer, member, calendar);
        let place = &self.servers[server as usize];
        let cancel = self.services[service].plan.balancer.abandoned == Abandoned::Cancel;
        match attempt.phase {
            Phase::Waiting { .. } if cancel || place.state == State::Hanging => {
                self.servers[server as usize].unqueue(id, &mut self.attempts);
                self.forget(id, now);
            }
            Phase::Serving { begun, .. } if cancel => {
                // Not as it was above: its neighbours may have come and gone.
                let attempt = self.attempts[id];
                self.free_slot(id, &attempt, begun, now);
                self.start_next(server, calendar);
                self.forget(id, now);
            }
            Phase::Sharing { .. } if cancel => {
                self.unshare(id, calendar);
                self.forget(id, now);
            }
            _ => {}
        }
        self.retry(request, Cause::Timeout, calendar);
    }

    /// An attempt that nobody waits for leaves the world.
    #[inline(never)]
    pub(super) fn forget(&mut self, id: u32, now: Time) {
        if self.oracle {
            self.left(self.attempts[id].server, now);
        }
        let attempt = &mut self.attempts[id];
        (attempt.deadline, attempt.phase) = (Time::NEVER, Phase::Gone);
        self.attempts.remove(id);
    }

    /// Tells the balancer how an attempt ended, and returns the member.
    #[inline(always)]
    fn tell_balancer(
        &mut self,
        request: &Request,
        attempt: &Attempt,
        outcome: Outcome,
        now: Time,
    ) -> MemberId {
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
            response_time: now - attempt.sent,
            feedback,
        };
        service.balancers[usize::from(request.balancer)].answered(&answer, now);
        member
    }

    /// A server that has become idle tells one of its balancers, drawn at random.
    pub(super) fn tell_idle(&mut self, server: u32, luck: u64, now: Time) {
        let service = &mut self.services[usize::from(self.servers[server as usize].service)];
        let balancer = below(&mut Luck::new(luck, IDLE), service.balancers.len());
        service.balancers[balancer].idle(server - service.first, now);
    }

    /// Tries a request again after a failed attempt, or gives up.
    #[cold]
    #[inline(never)]
    fn retry(&mut self, id: u32, cause: Cause, calendar: &mut Calendar<Event>) {
        let request = &self.requests[id];
        let service = &self.services[usize::from(request.service)];
        let retry = &service.plan.balancer.retry;
        if request.attempts > retry.max || (cause == Cause::Error && !retry.error_answers) {
            self.fail(id, cause, calendar);
            return;
        }
        let luck = Luck::new(request.draft.luck, PAUSE + u64::from(request.attempts));
        match retry.pause(request.attempts, luck) {
            Span::ZERO => self.dispatch(id, calendar),
            pause => calendar.after(pause, Event::Retry(id)),
        }
    }

    /// A request is answered.
    #[inline(always)]
    fn succeed(
        &mut self,
        id: u32,
        request: &Request,
        attempt: &Attempt,
        calendar: &mut Calendar<Event>,
    ) {
        let server = attempt.server;
        let response_time = calendar.now() + request.to_balancer - request.arrived;
        if self.witness.is_some() {
            self.testify(request, Some(attempt), None, response_time);
        }
        self.tally
            .succeeded(request.stretch, response_time, request.measured);
        if request.measured
            && let Some(part) = self.tally.part(request.source)
        {
            part.latency.record(response_time);
        }
        if self.has_cookies {
            let service = &mut self.services[usize::from(request.service)];
            if let Some(cookies) = &mut service.cookies {
                cookies.set(request.client, server - service.first);
            }
        }
        self.end(id, request, calendar);
    }

    /// A request has failed.
    #[cold]
    #[inline(never)]
    pub(super) fn fail(&mut self, id: u32, cause: Cause, calendar: &mut Calendar<Event>) {
        let request = self.requests[id];
        let after = calendar.now() + request.to_balancer - request.arrived;
        self.testify(&request, None, Some(cause), after);
        self.tally
            .failed(request.stretch, after, cause, request.measured);
        if request.measured
            && let Some(part) = self.tally.part(request.source)
        {
            part.failed[cause as usize] += 1;
            part.failures.record(after);
        }
        self.end(id, &request, calendar);
    }

    /// Tells the witness, if there is one, of a request that has ended.
    #[cold]
    #[inline(never)]
    fn testify(
        &mut self,
        request: &Request,
        answered: Option<&Attempt>,
        failed: Option<Cause>,
        response_time: Span,
    ) {
        let (waited, worked) = match answered.map(|attempt| attempt.phase) {
            Some(Phase::Returning { waited, worked, .. }) => (waited, worked),
            _ => (Span::ZERO, Span::ZERO),
        };
        let at_balancer = answered.map_or(Span::ZERO, |attempt| {
            attempt.sent.since(request.queued.min(attempt.sent))
        });
        if let Some(witness) = &mut self.witness {
            witness.ended(&Ended {
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
    fn end(&mut self, id: u32, request: &Request, calendar: &mut Calendar<Event>) {
        if request.measured {
            self.tally
                .presence
                .leave(calendar.now(), request.to_balancer);
        }
        self.requests.remove(id);
        let source = usize::from(request.source);
        if self.has_users && matches!(self.plan.sources[source].when, When::Closed(_)) {
            let pause = request.to_balancer + self.sources[source].think(request.draft.client);
            calendar.after(pause, Event::Ask(request.client));
        }
    }
}
