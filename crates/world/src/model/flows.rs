//! Connections at work: who has one to whom, what it carries, and when it is closed. A balancer of
//! layer 4 hears of a connection when it is opened and when it is closed, and of nothing between.

use super::blueprint::{Blueprint, ServicePlan};
use super::request::{Attempt, NOBODY, Slab};
use super::{Event, World};
use lbsim_engine::distribution::Sampler;
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Luck, uniform};
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

/// A connection.
#[derive(Clone, Copy, Debug)]
struct Flow {
    service: u16,
    balancer: u16,
    member: MemberId,
    caller: u32,
    /// The next of its caller's, or [`NOBODY`].
    next: u32,
    /// Requests under way on it.
    in_use: u32,
    /// Requests that it still takes.
    left: u32,
    /// Whether it takes no more, and is closed when what is under way has ended.
    closing: bool,
    /// Whether it came to nothing, or was broken.
    failed: bool,
    opened: Time,
    /// When the first request can leave on it.
    ready: Time,
    /// When it was last used.
    used: Time,
    /// When it takes no more requests.
    ends: Time,
    /// When it is looked at next; an event that says otherwise is stale.
    due: Time,
}

/// All connections of the world.
#[derive(Debug, Default)]
pub(super) struct Flows {
    all: Slab<Flow>,
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
    pub(super) fn new(plan: &Blueprint, callers: usize) -> Option<Box<Flows>> {
        let has_any = |service: &ServicePlan| service.flows.is_some();
        let first = plan.services.iter().map(|service| {
            let count = if has_any(service) { callers } else { 0 };
            vec![NOBODY; count]
        });
        plan.services.iter().any(has_any).then(|| {
            Box::new(Flows {
                first: first.collect(),
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
    fn find(&self, (service, balancer): (u16, u16), caller: u32, at_once: u32) -> Option<u32> {
        self.of(service, caller).find(|&id| {
            let flow = &self.all[id];
            flow.balancer == balancer && !flow.closing && flow.left > 0 && flow.in_use < at_once
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

    fn at_once(&self, service: u16) -> u32 {
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
        if let Some(id) = known {
            let flow = &mut flows.all[id];
            flow.in_use += 1;
            flow.left -= 1;
            flow.used = now;
            flows.boarded[attempt as usize] = (id, flow.ready.since(now));
            return Span::ZERO;
        }
        let plan = &self.plan.services[usize::from(service)];
        let (Some(config), Some(drawn)) = (plan.balancer.sticky.connection(), &plan.flows) else {
            return Span::ZERO;
        };
        let luck = &mut Luck::new(request.draft.luck, FLOW + u64::from(request.attempts));
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
            in_use: 1,
            left: config.requests.map_or(u32::MAX, |requests| requests - 1),
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
        flows.boarded[attempt as usize] = (id, opening);
        if request.measured {
            self.tally.connections = self.tally.connections.map(|count| count + 1);
        }
        self.look_after(id, calendar);
        let balancers = &mut self.services[usize::from(service)].balancers;
        balancers[usize::from(balancer)].sent(member, now);
        if resumes { Span::ZERO } else { handshake }
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
    fn look_after(&mut self, id: u32, calendar: &mut Calendar<Event>) {
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
        let plan = &self.plan.services[usize::from(flow.service)]
            .balancer
            .sticky;
        let idle = plan.connection().and_then(|plan| plan.idle);
        let is_idle = flow.in_use == 0 && idle.is_some_and(|idle| now >= flow.used + idle);
        flow.closing |= now >= flow.ends;
        if is_idle || (flow.closing && flow.in_use == 0) {
            self.close_flow(id, now);
        } else {
            self.look_after(id, calendar);
        }
    }

    /// An attempt has ended: its connection is free for another request, or is closed.
    #[inline(never)]
    pub(super) fn alight(&mut self, (id, attempt): (u32, &Attempt), answer: &Answer, now: Time) {
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
        if flow.closing && flow.in_use == 0 {
            self.close_flow(own, now);
        }
    }

    /// A connection is closed: its balancer hears of it.
    fn close_flow(&mut self, id: u32, now: Time) {
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
    }

    /// All connections of some kind take no more requests, and are closed when what they carry has
    /// ended.
    fn close_all(&mut self, which: impl Fn(&Flow) -> bool, now: Time) {
        let Some(flows) = &mut self.flows else { return };
        let all = flows.all.all().filter(|(_, flow)| which(flow));
        let all: Vec<u32> = all.map(|(id, _)| id).collect();
        for id in all {
            let Some(flows) = &mut self.flows else { return };
            flows.all[id].closing = true;
            if flows.all[id].in_use == 0 {
                self.close_flow(id, now);
            }
        }
    }

    /// All connections to a server are closed: it is gone, knows nothing of them, or wants to be
    /// rid of them.
    pub(super) fn close_flows_to(&mut self, server: u32, now: Time) {
        let service = self.servers[server as usize].service;
        if self.has_flows(service) {
            let member = server - self.services[usize::from(service)].first;
            self.close_all(|flow| (flow.service, flow.member) == (service, member), now);
        }
    }

    /// All connections through a balancer that is gone are broken. It is not told: what it counts
    /// is forgotten with it.
    pub(super) fn break_flows_through(&mut self, balancer: (u16, u16)) {
        let Some(flows) = &mut self.flows else { return };
        let of = |flow: &Flow| (flow.service, flow.balancer) == balancer;
        let all: Vec<u32> = (flows.all.all().filter(|(_, flow)| of(flow)))
            .map(|(id, _)| id)
            .collect();
        for id in all {
            flows.unlink(id);
            flows.all[id].due = Time::NEVER;
            flows.all.remove(id);
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
