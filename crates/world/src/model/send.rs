//! Fifth stage: the balancer sends an attempt to the member picked.

use super::arrive::NO_STRETCH;
use super::fault::Place;
use super::link::TO_SERVER;
use super::request::{Attempt, NOBODY, Phase};
use super::session::uses_state;
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::Luck;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::retry::On;
use lbsim_strategies::strategy::MemberId;

/// The purpose of a request's luck that delays an attempt on the way to the server; the number of
/// the attempt is added. Service times use the bare number.
const OUT: u64 = 0x100;

impl World<'_> {
    /// The balancer sends a request to a member.
    #[inline(always)]
    pub(super) fn send(&mut self, id: u32, member: MemberId, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        if self.has_bonds {
            self.count_bound(id, member, now);
        }
        if self.has_hostile {
            self.count_hostile(id, member);
        }
        let request = &mut self.requests[id];
        request.attempts = request.attempts.saturating_add(1);
        let number = u64::from(request.attempts);
        let service = &mut self.services[usize::from(request.service)];
        let retry = &service.plan.balancer.retry;
        let may_come_again = retry.max > 0 || service.plan.balancer.hedge.is_some();
        if may_come_again && retry.on != On::Any {
            request.note_tried(member);
        }
        let server = service.first + member;
        let group = self.servers[server as usize].group as usize;
        let plan = &service.plan.groups[group];
        let draft = request.draft;
        let mut demand = draft.demand(plan, number);
        let speed = plan.speed;
        if request.measured {
            match &self.calls {
                None => self.tally.attempts += 1,
                Some(calls) => {
                    self.tally.services[usize::from(request.service)].attempts += 1;
                    self.tally.attempts += u64::from(!calls.is_call(id));
                }
            }
        }
        let stretch = self.tally.timeline.stretch(now);
        let measured = request.measured;
        self.tally.load.sent(server as usize, stretch, measured);
        if number > 1
            && request.stretch != NO_STRETCH
            && !(self.calls.as_ref()).is_some_and(|calls| calls.is_call(id))
        {
            self.tally.timeline.repeated(now);
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
        if let Some(calls) = &mut self.calls {
            let request = &self.requests[id];
            calls.sent(attempt, (id, request), uses_state(self.plan, request));
        }
        self.requests[id].live = attempt;
        if let Some(lane) = service.timeouts {
            self.attempts[attempt].deadline = calendar.after_lane(lane, Event::Timeout(attempt));
        }
        if self.flows.is_none() || service.plan.flows.is_none() {
            service.balancers[usize::from(balancer)].sent(member, now);
        } else {
            let handshake = self.board(attempt, member, calendar);
            demand += Span::from_seconds(handshake.seconds() / speed);
            self.attempts[attempt].phase = Phase::Travelling { work: demand };
        }
        if self.has_policies && !self.heed_sent(attempt, (number as u8, demand), calendar) {
            return;
        }
        self.depart(attempt, (number, demand), calendar);
    }

    /// What the policies of a balancer make of it that an attempt, number `number` of its request
    /// and with so much work, has been sent: says whether it can set out, or waits for a
    /// connection.
    #[cold]
    #[inline(never)]
    fn heed_sent(
        &mut self,
        attempt: u32,
        (number, demand): (u8, Span),
        calendar: &mut Calendar<Event>,
    ) -> bool {
        let now = calendar.now();
        let Attempt {
            request: id,
            server,
            ..
        } = self.attempts[attempt];
        let request = &self.requests[id];
        let (index, balancer) = (usize::from(request.service), usize::from(request.balancer));
        let service = &mut self.services[index];
        let (member, ejects) = (server - service.first, service.balancers[balancer].ejects());
        if let Some(purse) = service.purses.get_mut(balancer) {
            purse.sent();
        }
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.sent(attempt, id);
        }
        if self.limits.is_some() {
            self.count_sent(attempt, now);
        }
        if ejects {
            self.note_opinion((index, balancer), member, now);
            self.plan_look((index, balancer), calendar);
        }
        if self.hedges.is_some() {
            self.plan_hedge(id, calendar);
        }
        self.limits.is_none() || self.connects(attempt, number, demand, now)
    }

    /// An attempt, number `number` of its request and with so much work, sets out for its server.
    #[inline(always)]
    pub(super) fn depart(
        &mut self,
        attempt: u32,
        (number, demand): (u64, Span),
        calendar: &mut Calendar<Event>,
    ) {
        if self.parcels.is_some() {
            self.count_attempt(attempt);
        }
        let Attempt {
            request, server, ..
        } = self.attempts[attempt];
        let request = &self.requests[request];
        let (index, balancer, luck) = (request.service, request.balancer, request.draft.luck);
        let group = self.servers[server as usize].group;
        let (from, to) = (Place::Balancer(index, balancer), Place::Server(server));
        let mut longer = self.passage(from, to, (luck, TO_SERVER + number));
        if let Some(flows) = &self.flows
            && self.has_flows(index)
        {
            longer = longer.map(|longer| longer + flows.opening(attempt));
        }
        let way = self.services[usize::from(index)].legs.out(balancer, group);
        let instant = way.is_instant() && longer == Some(Span::ZERO);
        if !instant {
            match longer {
                Some(longer) => {
                    let luck = Luck::new(luck, OUT + number);
                    way.send(luck, longer, Event::AtServer(attempt), calendar);
                }
                None => {
                    self.attempts[attempt].phase = Phase::Lost;
                    return;
                }
            }
        }
        if self.oracle {
            self.joined(server, demand, calendar.now());
        }
        if instant {
            self.join(attempt, demand, calendar);
        }
    }

    /// An attempt for a client that means harm costs as much as any other.
    #[cold]
    #[inline(never)]
    fn count_hostile(&mut self, id: u32, member: MemberId) {
        let request = self.requests[id];
        let server = self.services[usize::from(request.service)].first + member;
        let is_hostile = self.plan.sources[usize::from(request.source)].hostile;
        if is_hostile && self.tally.measures(request.arrived) {
            let sent = &mut self.tally.hostile.sent;
            sent.resize(self.servers.len(), 0);
            sent[server as usize] += 1;
        }
    }
}
