//! From a client to a server: a request arrives at its balancer, which picks a member and sends an
//! attempt.

use super::draft::Draft;
use super::request::{Attempt, NOBODY, Phase, Request};
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::Luck;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::retry::On;
use lbsim_strategies::strategy::{MemberId, Pick, Truth};

/// Purposes of a request's luck: the way to the balancer, and, the number of the attempt added, the
/// way to the server. Service times use the bare number.
const CLIENT: u64 = 0x300;
const OUT: u64 = 0x100;

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
        let stretch = self.tally.timeline.stretch(now);
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
            stretch,
            tried: [0; 3],
            queued: Time::NEVER,
            to_balancer,
        });
        if let Some(calls) = &mut self.calls {
            calls.of_client(request);
            self.tally.services[plan.service].requests += u64::from(measured);
        }
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
            // A draining member keeps its clients until their sessions end, or it would never be
            // empty.
            let over = self.sessions[index]
                .as_ref()
                .is_some_and(|sessions| sessions.is_over(request.draft.client, now));
            if balancer.pool().is_eligible(bound) || !over {
                return Pick::Member(bound);
            }
        }
        let mut seen = self.sources[index].seen(&request.draft, tried);
        if let Some(calls) = &self.calls
            && let Some(address) = calls.address(id)
        {
            seen.address = address;
        }
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
            match &self.calls {
                None => self.tally.attempts += 1,
                Some(calls) => {
                    self.tally.services[usize::from(request.service)].attempts += 1;
                    self.tally.attempts += u64::from(!calls.is_call(id));
                }
            }
            self.tally.load.servers[server as usize].sent += 1;
        }
        let (balancer, sent) = (request.balancer, *request);
        let attempt = self.attempts.insert(Attempt {
            request: id,
            server,
            next: NOBODY,
            prev: NOBODY,
            sent: now,
            deadline: Time::NEVER,
            phase: Phase::Travelling { work: demand },
        });
        if let Some(calls) = &mut self.calls {
            calls.sent(attempt, &sent);
        }
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
}
