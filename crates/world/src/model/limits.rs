//! Limits of what is let in: at balancers, at each server by its balancers, at servers themselves.

mod of_flows;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::blueprint::Blueprint;
use super::connections::Bundles;
use super::pools::{Boarding, Lined};
use super::request::NOBODY;
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_engine::status::Status;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::affinity::By;
use lbsim_strategies::balancer::limit::{Among, ClientLimit, Limit, Limiter};
use lbsim_strategies::strategy::{Answer, Outcome};
use of_flows::FlowPlaces;

/// A place behind a balancer's `limit`: since when it is taken, and among how many.
type GatePlace = (Time, Among);

/// A place of a client's own: whose, since when it is taken, and among how many.
type ClientPlace = (u128, Time, Among);

/// What is kept where there are limits.
#[derive(Debug, Default)]
pub(super) struct Limits<'a> {
    /// By service and balancer; none where the service has no limit of its balancers.
    gates: Vec<Vec<Gate<'a>>>,
    by_request: Vec<Admission>,
    /// What each client has at each balancer that limits it: by service, balancer and client.
    of_clients: BTreeMap<(u16, u16, u128), Limiter>,
    /// By request: when it was let in as one of its client's, and among how many.
    as_ones_of: Vec<Option<ClientPlace>>,
    /// By server; `None` where it has no limit of its own, and empty where none has.
    servers: Vec<Option<Limiter>>,
    /// By attempt: among how many it was sent, by the counting of its balancer.
    sent_among: Vec<Among>,
    /// By attempt: when it was let in at its server, and among how many; `None` where it was not.
    at_server: Vec<Option<(Time, Among)>>,
    /// Connections from balancers to servers.
    pub(super) connections: Bundles,
    /// By connection of layer 4: the places that it has.
    of_flows: Vec<FlowPlaces>,
}

/// The limit of one balancer.
#[derive(Clone, Debug)]
struct Gate<'a> {
    plan: &'a Limit,
    limiter: Limiter,
    /// Who waits, the first first; some may have gone by now.
    waiting: VecDeque<(u64, u32)>,
    /// How many of them are still there.
    count: u32,
    /// Numbers those who wait.
    serial: u64,
    /// When the next may come in by time alone; an event that says otherwise is stale.
    due: Time,
}

/// Where a request stands at the limit of its balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Admission {
    /// Not there, or not let in.
    #[default]
    Outside,
    /// It waits, with this number.
    Waiting(u64),
    /// It was let in then, among so many.
    In(Time, Among),
}

fn place<T: Clone + Default>(all: &mut Vec<T>, at: u32) -> &mut T {
    let at = at as usize;
    if all.len() <= at {
        all.resize(at + 1, T::default());
    }
    &mut all[at]
}

/// What a limit of each client knows a caller by: its number, or its address.
fn client_of(plan: &ClientLimit, (caller, address): (u32, IpAddr)) -> u128 {
    match (plan.per, address) {
        (By::Client, _) => u128::from(caller),
        (By::Address, IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
        (By::Address, IpAddr::V6(address)) => address.to_bits(),
    }
}

impl<'a> Gate<'a> {
    fn new(plan: &'a Limit) -> Gate<'a> {
        Gate {
            plan,
            limiter: Limiter::new(plan),
            waiting: VecDeque::new(),
            count: 0,
            serial: 0,
            due: Time::NEVER,
        }
    }
}

impl<'a> Limits<'a> {
    /// Those of a world; `None` where it has none.
    pub(super) fn new(plan: &'a Blueprint) -> Option<Box<Limits<'a>>> {
        plan.features().limits.then(|| {
            let gates = plan.services.iter().map(|service| {
                let count = usize::from(service.balancer.instances);
                let limit = service.balancer.limit.as_ref();
                limit.map_or(Vec::new(), |limit| vec![Gate::new(limit); count])
            });
            let servers = plan.server_groups();
            let servers = servers.map(|group| group.limit.as_ref().map(Limiter::new));
            Box::new(Limits {
                gates: gates.collect(),
                servers: servers.collect(),
                ..Limits::default()
            })
        })
    }

    /// A request has ended.
    pub(super) fn forget(&mut self, request: u32) {
        if let Some(admission) = self.by_request.get_mut(request as usize) {
            *admission = Admission::Outside;
        }
    }
}

impl World<'_> {
    fn class_of(&self, request: u32) -> u8 {
        let source = usize::from(self.requests[request].source);
        self.plan.sources[source].priority
    }

    /// Whether a request that is at its balancer is let in, or has been. Whoever is not waits, or
    /// fails.
    #[cold]
    #[inline(never)]
    pub(super) fn is_let_in(&mut self, id: u32, calendar: &mut Calendar<Event>) -> bool {
        let now = calendar.now();
        // What a balancer of layer 4 lets in are connections.
        let is_of_flows = self.has_flows(self.requests[id].service);
        if is_of_flows {
            match self.boarding(id, calendar) {
                Boarding::Has => return true,
                Boarding::Waits => return false,
                Boarding::Opens => {}
            }
        }
        if !self.client_may_enter(id, now) {
            self.fail(id, Cause::Limited, calendar);
            return false;
        }
        let class = self.class_of(id);
        let request = &self.requests[id];
        let (service, balancer) = (usize::from(request.service), usize::from(request.balancer));
        let Some(limits) = &mut self.limits else {
            return true;
        };
        let admission = place(&mut limits.by_request, id);
        let Some(gate) = limits.gates[service].get_mut(balancer) else {
            return true;
        };
        if matches!(admission, Admission::In(..)) {
            return true;
        }
        // Nobody overtakes who waits.
        if gate.count == 0 && gate.limiter.may_enter(class, now) {
            *admission = Admission::In(now, gate.limiter.enter(now));
            return true;
        }
        if !gate.plan.lets_wait(gate.count) {
            self.fail(id, Cause::Limited, calendar);
            return false;
        }
        gate.serial += 1;
        gate.count += 1;
        gate.waiting.push_back((gate.serial, id));
        *admission = Admission::Waiting(gate.serial);
        self.requests[id].queued = now;
        if is_of_flows {
            self.line_up(id, Lined::AtGate, calendar);
        }
        if let Some(lane) = self.services[service].queue_timeouts {
            calendar.after_lane(lane, Event::QueueTimeout(id));
        }
        self.plan_admission((service, balancer), calendar);
        false
    }

    /// Whether a request is let in as one of its client's, or has been.
    fn client_may_enter(&mut self, id: u32, now: Time) -> bool {
        let request = &self.requests[id];
        let (service, balancer) = (request.service, request.balancer);
        let plan = self.services[usize::from(service)].plan;
        let Some(plan) = &plan.balancer.client_limit else {
            return true;
        };
        let who = self.who(id, request);
        let client = client_of(plan, (who.caller, who.address));
        let Some(limits) = &mut self.limits else {
            return true;
        };
        let let_in = place(&mut limits.as_ones_of, id);
        if let_in.is_some() {
            return true;
        }
        let limiter = limits.of_clients.entry((service, balancer, client));
        let limiter = limiter.or_insert_with(|| Limiter::by(&plan.by));
        if !limiter.may_enter(0, now) {
            return false;
        }
        *let_in = Some((client, now, limiter.enter(now)));
        true
    }

    /// A request is no longer one of those of its client that were let in, if it was.
    fn leave_client_limit(&mut self, id: u32, ended: (Outcome, Status), now: Time) {
        let request = &self.requests[id];
        let (service, balancer) = (request.service, request.balancer);
        let Some(limits) = &mut self.limits else {
            return;
        };
        let let_in = limits.as_ones_of.get_mut(id as usize);
        if let Some((client, since, among)) = let_in.and_then(Option::take)
            && let Some(limiter) = limits.of_clients.get_mut(&(service, balancer, client))
        {
            limiter.leave(ended, now - since, among);
        }
    }

    /// A request waits at the limit of its balancer, or for a connection of its caller, no longer,
    /// if it did; says whether it did.
    pub(super) fn waits_no_more(&mut self, id: u32, calendar: &mut Calendar<Event>) -> bool {
        if self.lines_no_more(id, calendar) == Some(Lined::ForOwn) {
            return true;
        }
        let request = &self.requests[id];
        let (service, balancer) = (usize::from(request.service), usize::from(request.balancer));
        let Some(limits) = &mut self.limits else {
            return false;
        };
        let admission = place(&mut limits.by_request, id);
        if !matches!(admission, Admission::Waiting(_)) {
            return false;
        }
        *admission = Admission::Outside;
        limits.gates[service][balancer].count -= 1;
        true
    }

    /// A balancer has done with a request, which has come to this.
    #[cold]
    #[inline(never)]
    pub(super) fn leave_gate(
        &mut self,
        id: u32,
        ended: (Outcome, Status),
        calendar: &mut Calendar<Event>,
    ) {
        self.leave_client_limit(id, ended, calendar.now());
        if self.waits_no_more(id, calendar) {
            return;
        }
        let now = calendar.now();
        let request = &self.requests[id];
        let at = (usize::from(request.service), usize::from(request.balancer));
        let Some(limits) = &mut self.limits else {
            return;
        };
        let admission = place(&mut limits.by_request, id);
        let (Admission::In(since, among), Some(gate)) =
            (*admission, limits.gates[at.0].get_mut(at.1))
        else {
            return;
        };
        *admission = Admission::Outside;
        gate.limiter.leave(ended, now - since, among);
        if gate.count > 0 {
            self.plan_admission_at(at, now, calendar);
        }
    }

    /// Somebody who waits at a balancer may come in when its limit says so, whoever leaves.
    fn plan_admission(&mut self, at: (usize, usize), calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(limits) = &self.limits else { return };
        if let Some(next) = limits.gates[at.0][at.1].limiter.next(now) {
            self.plan_admission_at(at, next, calendar);
        }
    }

    fn plan_admission_at(
        &mut self,
        (service, balancer): (usize, usize),
        due: Time,
        calendar: &mut Calendar<Event>,
    ) {
        let Some(limits) = &mut self.limits else {
            return;
        };
        let gate = &mut limits.gates[service][balancer];
        if due < gate.due {
            gate.due = due;
            let number = (service as u32) << 16 | balancer as u32;
            calendar.at(due, Event::Admit(number));
        }
    }

    /// Those who wait at a balancer are let in, as far as its limit has it.
    pub(super) fn admit(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let at = ((number >> 16) as usize, (number & 0xffff) as usize);
        let Some(limits) = &mut self.limits else {
            return;
        };
        let gate = &mut limits.gates[at.0][at.1];
        if gate.due != now {
            return;
        }
        gate.due = Time::NEVER;
        while let Some(limits) = &mut self.limits
            && let Some(gate) = limits.gates[at.0].get_mut(at.1)
            && let Some(&(serial, id)) = gate.waiting.front()
        {
            if limits.by_request[id as usize] != Admission::Waiting(serial) {
                gate.waiting.pop_front();
                continue;
            }
            let source = usize::from(self.requests[id].source);
            let class = self.plan.sources[source].priority;
            if !gate.limiter.may_enter(class, now) {
                break;
            }
            gate.waiting.pop_front();
            gate.count -= 1;
            limits.by_request[id as usize] = Admission::In(now, gate.limiter.enter(now));
            self.dispatch(id, calendar);
        }
        let waits = (self.limits.as_ref()).is_some_and(|limits| limits.gates[at.0][at.1].count > 0);
        if waits {
            self.plan_admission(at, calendar);
        }
    }

    /// A balancer begins anew, with nobody let in.
    pub(super) fn restart_gate(&mut self, (service, balancer): (usize, usize)) {
        let Some(limits) = &mut self.limits else {
            return;
        };
        let own = (service as u16, balancer as u16);
        limits
            .of_clients
            .retain(|&(service, balancer, _), _| (service, balancer) != own);
        if let Some(gate) = limits.gates[service].get_mut(balancer) {
            *gate = Gate::new(gate.plan);
        }
        limits
            .connections
            .restart((service as u16, balancer as u16));
    }

    /// An attempt is sent: its balancer counts it against the limit of its server.
    #[cold]
    #[inline(never)]
    pub(super) fn count_sent(&mut self, attempt: u32, now: Time) {
        let sent = self.attempts[attempt];
        let request = &self.requests[sent.request];
        if self.has_flows(request.service) {
            return;
        }
        let service = &mut self.services[usize::from(request.service)];
        let balancer = &mut service.balancers[usize::from(request.balancer)];
        let among = balancer.enter_limit(sent.server - service.first, now);
        if let Some(limits) = &mut self.limits {
            *place(&mut limits.sent_among, attempt) = among;
        }
    }

    /// An attempt has ended: its balancer counts it no more.
    #[cold]
    #[inline(never)]
    pub(super) fn count_left(
        &mut self,
        (service, balancer): (usize, usize),
        attempt: u32,
        answer: &Answer,
        calendar: &mut Calendar<Event>,
    ) {
        let is_of_flows = self.has_flows(service as u16);
        let Some(limits) = self.limits.as_mut().filter(|_| !is_of_flows) else {
            return;
        };
        let among = *place(&mut limits.sent_among, attempt);
        self.services[service].balancers[balancer].leave_limit(answer, among);
        self.leave_connection(attempt, answer, calendar);
    }

    /// Whether a server with a limit of its own takes an attempt, which it has then.
    #[cold]
    #[inline(never)]
    pub(super) fn server_takes(&mut self, attempt: u32, now: Time) -> bool {
        let server = self.attempts[attempt].server as usize;
        let request = self.attempts[attempt].request;
        let class = match request {
            NOBODY => 0,
            request => self.class_of(request),
        };
        let Some(limits) = &mut self.limits else {
            return true;
        };
        let Some(Some(limiter)) = limits.servers.get_mut(server) else {
            return true;
        };
        let takes = limiter.may_enter(class, now);
        if takes {
            let among = limiter.enter(now);
            *place(&mut limits.at_server, attempt) = Some((now, among));
        }
        takes
    }

    /// An attempt leaves its server, which counts it no more.
    #[cold]
    #[inline(never)]
    pub(super) fn leave_server(&mut self, attempt: u32, ended: (Outcome, Status), now: Time) {
        let server = self.attempts[attempt].server as usize;
        let Some(limits) = &mut self.limits else {
            return;
        };
        let let_in = limits
            .at_server
            .get_mut(attempt as usize)
            .and_then(Option::take);
        if let (Some((since, among)), Some(Some(limiter))) =
            (let_in, limits.servers.get_mut(server))
        {
            limiter.leave(ended, now - since, among);
        }
    }
}
