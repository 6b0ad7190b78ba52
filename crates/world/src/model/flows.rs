//! Connections at work: who has one to whom, what it carries, and when it is closed. A balancer of
//! layer 4 hears of a connection when it is opened and when it is closed, and of nothing between.

use super::answer::ending;
use super::blueprint::{Blueprint, ServicePlan};
use super::pools::{Pools, keeps_pools};
use super::request::{Attempt, NOBODY, Slab};
use super::{Event, World};
use lbsim_engine::distribution::Sampler;
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Luck, Seeds, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::affinity::Callers;
use lbsim_strategies::strategy::{self, Answer, MemberId, Outcome};

/// The purpose of a request's luck from which the connection has its own that is opened for it; the
/// number of the attempt is added.
const FLOW: u64 = 0x1000;

/// What is drawn for connections to a service.
#[derive(Clone, Debug, Default)]
pub struct FlowPlan {
    /// How long a caller wants one, in seconds.
    pub lifetime: Option<Sampler>,
    /// How long it takes to open one, in seconds.
    pub opening: Option<Sampler>,
    /// What the server works for a new one at speed 1, in seconds.
    pub handshake: Option<Sampler>,
}

/// Who asks services in a world.
pub(super) fn callers(plan: &Blueprint) -> Callers {
    let clients = plan.sources.iter();
    let servers = plan.services.iter();
    Callers {
        clients: clients
            .map(|source| source.population.popularity.count())
            .collect(),
        servers: servers.map(|service| service.servers.len() as u32).sum(),
    }
}

/// What is still to be done before a connection that was opened ahead takes requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ahead {
    /// Nothing, or it was not opened ahead.
    Done,
    /// It is being opened, and its server has so much work with it then.
    Opening(Span),
    /// Its server is to do, or does, that work.
    Shaking,
}

/// A connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) service: u16,
    pub(super) balancer: u16,
    pub(super) member: MemberId,
    pub(super) caller: u32,
    /// The next of its caller's, or [`NOBODY`].
    next: u32,
    /// The pool that it is in, or [`NOBODY`].
    pub(super) pool: u32,
    pub(super) ahead: Ahead,
    /// Requests under way on it.
    in_use: u32,
    /// Requests that it still takes.
    left: u32,
    /// Whether it takes no more, and is closed when what is under way has ended.
    closing: bool,
    /// Whether it came to nothing, or was broken.
    pub(super) failed: bool,
    opened: Time,
    /// When the first request can leave on it.
    pub(super) ready: Time,
    /// When it was last used.
    pub(super) used: Time,
    /// When it takes no more requests.
    ends: Time,
    /// When it is looked at next; an event that says otherwise is stale.
    pub(super) due: Time,
}

/// All connections of the world.
#[derive(Debug, Default)]
pub(super) struct Flows {
    pub(super) all: Slab<Flow>,
    pub(super) pools: Pools,
    /// The first of each caller's, the latest first, by service and then by caller; none for
    /// services without.
    first: Vec<Vec<u32>>,
    /// By attempt: its connection, and how long it takes until that is open.
    boarded: Vec<(u32, Span)>,
    /// By request: whether a connection was opened for its last attempt.
    opened: Vec<bool>,
}

impl Flows {
    /// None yet; `None` where no service has any.
    pub(super) fn new(plan: &Blueprint, callers: usize, seeds: Seeds) -> Option<Box<Flows>> {
        let has_any = |service: &ServicePlan| service.flows.is_some();
        let first = plan.services.iter().map(|service| {
            let count = if has_any(service) { callers } else { 0 };
            vec![NOBODY; count]
        });
        plan.services.iter().any(has_any).then(|| {
            Box::new(Flows {
                first: first.collect(),
                pools: Pools::new(plan, seeds),
                ..Flows::default()
            })
        })
    }

    /// Those of a caller to a service, the latest first.
    fn of(&self, service: u16, caller: u32) -> impl Iterator<Item = u32> {
        let first = self.first[usize::from(service)][caller as usize];
        let some = |id: u32| (id != NOBODY).then_some(id);
        std::iter::successors(some(first), move |&id| some(self.all[id].next))
    }

    /// The connection of a caller through a balancer that takes one more request.
    pub(super) fn find(
        &self,
        (service, balancer): (u16, u16),
        caller: u32,
        at_once: u32,
    ) -> Option<u32> {
        self.of(service, caller).find(|&id| {
            let flow = &self.all[id];
            let is_open = flow.ahead == Ahead::Done && !flow.closing;
            flow.balancer == balancer && is_open && flow.left > 0 && flow.in_use < at_once
        })
    }

    /// How long it takes from now until the connection of an attempt is open.
    pub(super) fn opening(&self, attempt: u32) -> Span {
        let boarded = self.boarded.get(attempt as usize);
        boarded.map_or(Span::ZERO, |&(_, opening)| opening)
    }

    /// Takes a connection out of its caller's list.
    fn unlink(&mut self, id: u32) {
        let Flow {
            service,
            caller,
            next,
            ..
        } = self.all[id];
        let first = &mut self.first[usize::from(service)][caller as usize];
        if *first == id {
            *first = next;
            return;
        }
        let mut at = *first;
        while self.all[at].next != id {
            at = self.all[at].next;
        }
        self.all[at].next = next;
    }
}

impl World<'_> {
    /// Whether a service is reached by connections.
    #[inline]
    pub(super) fn has_flows(&self, service: u16) -> bool {
        self.flows.is_some() && self.plan.services[usize::from(service)].flows.is_some()
    }

    pub(super) fn at_once(&self, service: u16) -> u32 {
        let plan = &self.plan.services[usize::from(service)].balancer.sticky;
        plan.connection().map_or(1, |plan| plan.at_once)
    }

    /// The member to which a request goes on a connection that its caller has.
    pub(super) fn find_flow(&self, id: u32) -> Option<MemberId> {
        let request = &self.requests[id];
        let place = (request.service, request.balancer);
        let caller = self.caller(id, request);
        let flows = self.flows.as_ref()?;
        let flow = flows.find(place, caller, self.at_once(request.service))?;
        Some(flows.all[flow].member)
    }

    /// An attempt of a request goes on a connection to a member, which is opened if there is none.
    /// Returns the work that the server has with that.
    #[inline(never)]
    pub(super) fn board(
        &mut self,
        attempt: u32,
        member: MemberId,
        calendar: &mut Calendar<Event>,
    ) -> Span {
        let now = calendar.now();
        let id = self.attempts[attempt].request;
        let request = self.requests[id];
        let (service, balancer) = (request.service, request.balancer);
        let caller = self.caller(id, &request);
        let at_once = self.at_once(service);
        self.lines_no_more(id, calendar);
        let Some(flows) = &mut self.flows else {
            return Span::ZERO;
        };
        let known = flows.find((service, balancer), caller, at_once);
        let known = known.filter(|&flow| flows.all[flow].member == member);
        if flows.opened.len() <= id as usize {
            flows.opened.resize(id as usize + 1, false);
        }
        flows.opened[id as usize] = known.is_none();
        if flows.boarded.len() <= attempt as usize {
            flows
                .boarded
                .resize(attempt as usize + 1, (NOBODY, Span::ZERO));
        }
        if let Some(flow) = known {
            let known = &mut flows.all[flow];
            known.in_use += 1;
            known.left -= 1;
            known.used = now;
            flows.boarded[attempt as usize] = (flow, known.ready.since(now));
            if self.limits.is_some() {
                self.leave_gate(id, ending(Outcome::Cancelled), calendar);
            }
            return Span::ZERO;
        }
        let luck = Luck::new(request.draft.luck, FLOW + u64::from(request.attempts));
        let Some((own, handshake)) = self.open((service, balancer), (caller, member), luck, now)
        else {
            return Span::ZERO;
        };
        let Some(flows) = &mut self.flows else {
            return Span::ZERO;
        };
        let flow = &mut flows.all[own];
        flow.in_use = 1;
        flow.left -= 1;
        flows.boarded[attempt as usize] = (own, flow.ready - now);
        if request.measured {
            self.tally.connections = self.tally.connections.map(|count| count + 1);
        }
        self.look_after(own, calendar);
        if keeps_pools(&self.plan.services[usize::from(service)]) {
            let asker = self.asker(id, &request);
            self.join_caller_pool(own, asker, calendar);
        }
        let balancers = &mut self.services[usize::from(service)].balancers;
        balancers[usize::from(balancer)].sent(member, now);
        if self.limits.is_some() {
            self.hand_places_to(own, id, now);
        }
        handshake
    }

    /// A connection of a caller through a balancer to a member is opened, with nothing on it yet.
    /// Returns it, and the work that the server has with it.
    pub(super) fn open(
        &mut self,
        (service, balancer): (u16, u16),
        (caller, member): (u32, MemberId),
        mut luck: Luck,
        now: Time,
    ) -> Option<(u32, Span)> {
        let plan = &self.plan.services[usize::from(service)];
        let flows = self.flows.as_mut()?;
        let (config, drawn) = (plan.balancer.sticky.connection()?, plan.flows.as_ref()?);
        let luck = &mut luck;
        let aged = 1.0 + config.jitter.value() * (2.0 * uniform(luck) - 1.0);
        let age = config
            .max_age
            .map(|age| Span::from_seconds(age.seconds() * aged));
        let mut draw =
            |law: &Option<Sampler>| (law.as_ref()).map(|law| Span::from_seconds(law.sample(luck)));
        let lifetime = draw(&drawn.lifetime);
        let opening = draw(&drawn.opening).unwrap_or(Span::ZERO);
        let handshake = draw(&drawn.handshake).unwrap_or(Span::ZERO);
        let resumes = config.resumed.value() > 0.0 && uniform(luck) < config.resumed.value();
        let lasts = [age, lifetime].into_iter().flatten().min();
        let ends = lasts.map_or(Time::NEVER, |lasts| now + lasts);
        let flow = Flow {
            service,
            balancer,
            member,
            caller,
            next: flows.first[usize::from(service)][caller as usize],
            pool: NOBODY,
            ahead: Ahead::Done,
            in_use: 0,
            left: config.requests.unwrap_or(u32::MAX),
            closing: false,
            failed: false,
            opened: now,
            ready: now + opening,
            used: now,
            ends,
            due: Time::NEVER,
        };
        let id = flows.all.insert(flow);
        flows.first[usize::from(service)][caller as usize] = id;
        Some((id, if resumes { Span::ZERO } else { handshake }))
    }

    /// Whether a balancer may send a request to another member that has failed: it may where the
    /// connection came to nothing that was opened for it. What goes over one that is open it does
    /// not know.
    pub(super) fn may_be_sent_again(&self, id: u32) -> bool {
        let flows = self.flows.as_ref();
        flows.is_none_or(|flows| flows.opened.get(id as usize) == Some(&true))
    }

    /// When a connection is looked at next: when its time is over, or it may have been idle for
    /// long enough.
    pub(super) fn look_after(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(flows) = &mut self.flows else { return };
        let flow = &mut flows.all[id];
        let plan = &self.plan.services[usize::from(flow.service)]
            .balancer
            .sticky;
        let idle = plan.connection().and_then(|plan| plan.idle);
        // While it is in use it is not idle.
        let from = if flow.in_use > 0 { now } else { flow.used };
        let due = idle.map_or(Time::NEVER, |idle| from + idle);
        let due = if flow.closing {
            due
        } else {
            due.min(flow.ends)
        };
        flow.due = due;
        if due != Time::NEVER {
            calendar.at(due, Event::Flow(id));
        }
    }

    /// A connection may be old enough, or may have been idle for long enough, to be closed.
    pub(super) fn flow_due(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(flows) = &mut self.flows else { return };
        let flow = &mut flows.all[id];
        if flow.due != now {
            return;
        }
        if let Ahead::Opening(handshake) = flow.ahead {
            self.shake(id, handshake, calendar);
            return;
        }
        let (pool, is_unused) = (flow.pool, flow.in_use == 0);
        // Those that are kept open ahead are never idle for too long.
        if is_unused && flows.pools.is_short(pool, self.plan) {
            flow.used = now;
        }
        let plan = &self.plan.services[usize::from(flow.service)]
            .balancer
            .sticky;
        let idle = plan.connection().and_then(|plan| plan.idle);
        let is_idle = flow.in_use == 0 && idle.is_some_and(|idle| now >= flow.used + idle);
        flow.closing |= now >= flow.ends;
        if is_idle || (flow.closing && flow.in_use == 0) {
            self.close_flow(id, calendar);
        } else {
            self.look_after(id, calendar);
        }
    }

    /// An attempt has ended: its connection is free for another request, or is closed.
    #[inline(never)]
    pub(super) fn alight(
        &mut self,
        (id, attempt): (u32, &Attempt),
        answer: &Answer,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let Some(flows) = &mut self.flows else { return };
        let (own, _) = flows.boarded[id as usize];
        let flow = &mut flows.all[own];
        flow.in_use -= 1;
        flow.used = now;
        let service = usize::from(flow.service);
        let Some(plan) = self.plan.services[service].balancer.sticky.connection() else {
            return;
        };
        let waited_in_vain = match answer.outcome {
            Outcome::Timeout | Outcome::Cancelled => match plan.keepalive {
                Some(keepalive) => now - attempt.sent >= keepalive,
                None => plan.at_once == 1,
            },
            _ => false,
        };
        // It broke, or was never open: nobody was there.
        let is_broken = answer.outcome == Outcome::Failure;
        flow.failed |= is_broken;
        flow.closing |= waited_in_vain || is_broken || flow.left == 0;
        let (closes, pool) = (flow.closing && flow.in_use == 0, flow.pool);
        if closes {
            self.close_flow(own, calendar);
        } else {
            self.wake_line(pool, calendar);
        }
    }

    /// A connection is closed: its balancer hears of it.
    pub(super) fn close_flow(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(flows) = &mut self.flows else { return };
        flows.unlink(id);
        let flow = flows.all[id];
        flows.all[id].due = Time::NEVER;
        flows.all.remove(id);
        let outcome = if flow.failed {
            Outcome::Failure
        } else {
            Outcome::Success
        };
        let answer = Answer {
            member: flow.member,
            outcome,
            status: outcome.status(),
            response_time: now - flow.opened,
            feedback: None,
        };
        let balancers = &mut self.services[usize::from(flow.service)].balancers;
        balancers[usize::from(flow.balancer)].answered(&answer, now);
        if self.limits.is_some() {
            self.give_places_back((id, &flow), &answer, calendar);
        }
        self.leave_caller_pool((id, &flow), calendar);
    }

    /// All connections of some kind take no more requests, and are closed when what they carry has
    /// ended.
    pub(super) fn close_all(
        &mut self,
        which: impl Fn(&Flow) -> bool,
        calendar: &mut Calendar<Event>,
    ) {
        let Some(flows) = &mut self.flows else { return };
        let all = flows.all.all().filter(|(_, flow)| which(flow));
        let all: Vec<u32> = all.map(|(id, _)| id).collect();
        for id in all {
            let Some(flows) = &mut self.flows else { return };
            flows.all[id].closing = true;
            if flows.all[id].in_use == 0 {
                self.close_flow(id, calendar);
            }
        }
    }

    /// All connections to a server are closed: it is gone, knows nothing of them, or wants to be
    /// rid of them.
    pub(super) fn close_flows_to(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let service = self.servers[server as usize].service;
        if self.has_flows(service) {
            let member = server - self.services[usize::from(service)].first;
            let to = |flow: &Flow| (flow.service, flow.member) == (service, member);
            self.close_all(to, calendar);
        }
    }

    /// All connections through a balancer that is gone are broken. It is not told: what it counts
    /// is forgotten with it.
    pub(super) fn break_flows_through(
        &mut self,
        balancer: (u16, u16),
        calendar: &mut Calendar<Event>,
    ) {
        let Some(flows) = &mut self.flows else { return };
        let of = |flow: &Flow| (flow.service, flow.balancer) == balancer;
        let all: Vec<u32> = (flows.all.all().filter(|(_, flow)| of(flow)))
            .map(|(id, _)| id)
            .collect();
        for id in all {
            let Some(flows) = &mut self.flows else { return };
            flows.unlink(id);
            let flow = flows.all[id];
            flows.all[id].due = Time::NEVER;
            flows.all.remove(id);
            if let Some(limits) = &mut self.limits {
                limits.forget_flow(id);
            }
            self.leave_caller_pool((id, &flow), calendar);
        }
    }

    /// What a balancer of layer 4 sees of a request: where it comes from.
    pub(super) fn seen_at_layer_4(seen: strategy::Request<'_>) -> strategy::Request<'_> {
        strategy::Request {
            key: seen.client,
            labels: strategy::UNLABELLED,
            size: 1.0,
            ..seen
        }
    }
}
