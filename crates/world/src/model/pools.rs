//! The connections of one caller through one balancer of layer 4: how many there are, and who of
//! its requests waits for one.
//!
//! Whoever waits for a new connection, at a limit of the balancer or because its caller has no
//! more, goes on one that its caller has as soon as that is free.

use std::collections::{BTreeMap, VecDeque};

use super::ahead::{BACKOFF, ahead};
use super::answer::ending;
use super::blueprint::{Blueprint, ServicePlan};
use super::enter::Asker;
use super::flows::{Ahead, Flow};
use super::request::{NOBODY, Request};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Domain, Seeds};
use lbsim_engine::time::Time;
use lbsim_strategies::strategy::{MemberId, Outcome};
use rand::Rng as _;

/// Whether callers of a service open connections ahead, or may have to wait for one.
pub(super) fn keeps_pools(plan: &ServicePlan) -> bool {
    let balancer = &plan.balancer;
    let limited = balancer.limit.is_some() || balancer.server_limit.is_some();
    let own = balancer.sticky.connection();
    own.is_some_and(|own| limited || own.preconnect.is_some() || own.max_connections.is_some())
}

/// What a request comes to that wants a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boarding {
    /// It goes on one that its caller has.
    Has,
    /// It wants a new one.
    Opens,
    /// It waits until its caller has one free.
    Waits,
}

/// What a request waits for that has no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lined {
    /// One of its caller's own, which has as many as it may.
    ForOwn,
    /// That its balancer lets in a new one.
    AtGate,
    /// That a member takes a new one.
    ForMember,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    ticket: u64,
    pool: u32,
    lined: Lined,
}

/// All pools of a world.
#[derive(Debug, Default)]
pub(super) struct Pools {
    pub(super) all: Vec<CallerPool>,
    /// By service, balancer and caller.
    places: BTreeMap<(u16, u16, u32), u32>,
    /// By request: what it waits for.
    waits: Vec<Option<Wait>>,
    /// Tickets given out.
    tickets: u64,
    /// The request whose turn it is, whoever else waits.
    called: Option<u32>,
    /// By service: from which connections have their luck that are opened ahead.
    pub(super) words: Vec<u64>,
}

/// The connections of a caller through a balancer.
#[derive(Debug)]
pub(super) struct CallerPool {
    pub(super) place: (u16, u16),
    pub(super) caller: u32,
    pub(super) asker: Asker,
    /// Connections.
    pub(super) count: u32,
    /// Who waits, with their tickets; some may have gone by now.
    pub(super) line: VecDeque<(u64, u32)>,
    /// How many of them are still there.
    pub(super) lined: u32,
    /// How many of these wait for anything but a connection of the caller's own.
    pub(super) elsewhere: u32,
    /// Connections opened ahead so far.
    pub(super) opened: u64,
    /// Members to whom a connection has been closed, where that may make room for others.
    pub(super) left: Vec<MemberId>,
    /// When it opens connections ahead again.
    pub(super) retry: Time,
    /// When it is looked at next; an event that says otherwise is stale.
    pub(super) due: Time,
}

impl Pools {
    pub(super) fn new(plan: &Blueprint, seeds: Seeds) -> Pools {
        let words = plan.services.iter().zip(0..).map(|(service, index)| {
            let is_opened_ahead = ahead(service).is_some();
            is_opened_ahead.then(|| seeds.stream(Domain::Ahead, index).next_u64())
        });
        Pools {
            words: words.map(Option::unwrap_or_default).collect(),
            ..Pools::default()
        }
    }

    /// The pool of a caller through a balancer, empty at first.
    pub(super) fn of(&mut self, place: (u16, u16), caller: u32, asker: Asker) -> u32 {
        let next = self.all.len() as u32;
        let index = *(self.places.entry((place.0, place.1, caller))).or_insert(next);
        if index == next {
            self.all.push(CallerPool {
                place,
                caller,
                asker,
                count: 0,
                line: VecDeque::new(),
                lined: 0,
                elsewhere: 0,
                opened: 0,
                left: Vec::new(),
                retry: Time::ZERO,
                due: Time::NEVER,
            });
        }
        index
    }

    /// Whether a pool has no connection more than it keeps open ahead.
    pub(super) fn is_short(&self, pool: u32, plan: &Blueprint) -> bool {
        let pool = self.all.get(pool as usize);
        pool.is_some_and(|pool| {
            let service = &plan.services[usize::from(pool.place.0)];
            ahead(service).is_some_and(|ahead| pool.count <= ahead)
        })
    }

    /// A pool is looked at then, or earlier.
    pub(super) fn plan_look(&mut self, pool: u32, at: Time, calendar: &mut Calendar<Event>) {
        let own = &mut self.all[pool as usize];
        if at < own.due {
            own.due = at;
            calendar.at(at, Event::Pool(pool));
        }
    }
}

impl World<'_> {
    /// Who makes a request.
    pub(super) fn asker(&self, id: u32, request: &Request) -> Asker {
        let server = (self.calls.as_ref()).and_then(|calls| calls.server(id));
        server.map_or(Asker::Client(request.source, request.client), Asker::Server)
    }

    /// What a request comes to at a balancer of layer 4, which sees no more of it than whether a
    /// connection is opened for it.
    pub(super) fn boarding(&mut self, id: u32, calendar: &mut Calendar<Event>) -> Boarding {
        let request = self.requests[id];
        let plan = &self.plan.services[usize::from(request.service)];
        let has = self.find_flow(id).is_some();
        if !keeps_pools(plan) {
            return if has { Boarding::Has } else { Boarding::Opens };
        }
        self.lines_no_more(id, calendar);
        let (caller, asker) = (self.caller(id, &request), self.asker(id, &request));
        let most = plan.balancer.sticky.connection();
        let most = most.and_then(|own| own.max_connections);
        let Some(flows) = &mut self.flows else {
            return Boarding::Opens;
        };
        let index = (flows.pools).of((request.service, request.balancer), caller, asker);
        let pool = &flows.pools.all[index as usize];
        // Nobody overtakes who waits.
        if has && (pool.lined == 0 || flows.pools.called == Some(id)) {
            return Boarding::Has;
        }
        if !has && most.is_none_or(|most| pool.count + pool.elsewhere < most) {
            return Boarding::Opens;
        }
        self.leave_gate(id, ending(Outcome::Cancelled), calendar);
        self.requests[id].queued = calendar.now();
        if let Some(lane) = self.services[usize::from(request.service)].queue_timeouts {
            calendar.after_lane(lane, Event::QueueTimeout(id));
        }
        self.line_up(id, Lined::ForOwn, calendar);
        if has {
            self.wake_line(index, calendar);
        }
        Boarding::Waits
    }

    /// A request waits, and goes on a connection of its caller when one is free.
    pub(super) fn line_up(&mut self, id: u32, lined: Lined, calendar: &mut Calendar<Event>) {
        let request = self.requests[id];
        let plan = &self.plan.services[usize::from(request.service)];
        if self.limits.is_none() || !keeps_pools(plan) {
            return;
        }
        self.lines_no_more(id, calendar);
        let (caller, asker) = (self.caller(id, &request), self.asker(id, &request));
        let Some(flows) = &mut self.flows else { return };
        let pools = &mut flows.pools;
        let index = pools.of((request.service, request.balancer), caller, asker);
        pools.tickets += 1;
        if pools.waits.len() <= id as usize {
            pools.waits.resize(id as usize + 1, None);
        }
        pools.waits[id as usize] = Some(Wait {
            ticket: pools.tickets,
            pool: index,
            lined,
        });
        let pool = &mut pools.all[index as usize];
        pool.line.push_back((pools.tickets, id));
        pool.lined += 1;
        pool.elsewhere += u32::from(lined != Lined::ForOwn);
    }

    /// A request waits for no connection any more; says for what it did.
    pub(super) fn lines_no_more(
        &mut self,
        id: u32,
        calendar: &mut Calendar<Event>,
    ) -> Option<Lined> {
        let pools = &mut self.flows.as_mut()?.pools;
        let wait = pools.waits.get_mut(id as usize)?.take()?;
        let pool = &mut pools.all[wait.pool as usize];
        pool.lined -= 1;
        if wait.lined != Lined::ForOwn {
            pool.elsewhere -= 1;
            self.wake_line(wait.pool, calendar);
        }
        Some(wait.lined)
    }

    /// Those who wait in a pool, if any do, may have a connection now.
    pub(super) fn wake_line(&mut self, pool: u32, calendar: &mut Calendar<Event>) {
        let Some(flows) = &mut self.flows else { return };
        let own = flows.pools.all.get(pool as usize);
        if own.is_some_and(|own| own.lined > 0) {
            flows.pools.plan_look(pool, calendar.now(), calendar);
        }
    }

    /// A connection is one of its caller's.
    pub(super) fn join_caller_pool(
        &mut self,
        id: u32,
        asker: Asker,
        calendar: &mut Calendar<Event>,
    ) {
        let Some(flows) = &mut self.flows else { return };
        let flow = &mut flows.all[id];
        let place = (flow.service, flow.balancer);
        flow.pool = flows.pools.of(place, flow.caller, asker);
        let pool = flow.pool;
        flows.pools.all[pool as usize].count += 1;
        self.wake_line(pool, calendar);
    }

    /// A connection is closed, and one of its caller's no longer.
    pub(super) fn leave_caller_pool(
        &mut self,
        (id, flow): (u32, &Flow),
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        if flow.ahead == Ahead::Shaking {
            self.forget_handshake(id);
        }
        let plan = &self.plan.services[usize::from(flow.service)];
        let Some(flows) = self.flows.as_mut().filter(|_| flow.pool != NOBODY) else {
            return;
        };
        let pool = &mut flows.pools.all[flow.pool as usize];
        pool.count -= 1;
        if plan.balancer.server_limit.is_some() {
            pool.left.push(flow.member);
        }
        if flow.failed && flow.ahead != Ahead::Done {
            pool.retry = now + BACKOFF;
        }
        let is_short = ahead(plan).is_some_and(|ahead| pool.count < ahead);
        if pool.lined > 0 || !pool.left.is_empty() || is_short {
            flows.pools.plan_look(flow.pool, now, calendar);
        }
    }

    /// A caller looks at its connections: who waits for one has it, as far as there are any, and
    /// those are opened that it opens ahead.
    pub(super) fn serve_line(&mut self, index: u32, calendar: &mut Calendar<Event>) {
        let Some(flows) = &mut self.flows else { return };
        let pool = &mut flows.pools.all[index as usize];
        if pool.due != calendar.now() {
            return;
        }
        pool.due = Time::NEVER;
        let (service, balancer) = (usize::from(pool.place.0), usize::from(pool.place.1));
        for member in std::mem::take(&mut pool.left) {
            self.serve_waiting(service, balancer, member, calendar);
        }
        while let Some(id) = self.next_in_line(index) {
            match self.lines_no_more(id, calendar) {
                Some(Lined::AtGate) => {
                    self.waits_no_more(id, calendar);
                }
                Some(Lined::ForMember) => {
                    self.services[service].balancers[balancer].give_up(id);
                }
                Some(Lined::ForOwn) | None => {}
            }
            if let Some(flows) = &mut self.flows {
                flows.pools.called = Some(id);
            }
            self.dispatch(id, calendar);
            if let Some(flows) = &mut self.flows {
                flows.pools.called = None;
            }
        }
        self.keep_ahead(index, calendar);
    }

    /// Who waits in a pool and can go on: the first, where a connection is free; else the first
    /// that may open one.
    fn next_in_line(&mut self, index: u32) -> Option<u32> {
        let CallerPool { place, caller, .. } =
            *self.flows.as_ref()?.pools.all.get(index as usize)?;
        let at_once = self.at_once(place.0);
        let plan = self.plan.services[usize::from(place.0)]
            .balancer
            .sticky
            .connection()?;
        let flows = self.flows.as_mut()?;
        let is_free = flows.find(place, caller, at_once).is_some();
        let Pools { all, waits, .. } = &mut flows.pools;
        let pool = &mut all[index as usize];
        let lined = |&(ticket, id): &(u64, u32)| {
            let wait = waits.get(id as usize).copied().flatten();
            wait.filter(|wait| wait.ticket == ticket)
                .map(|wait| wait.lined)
        };
        while pool
            .line
            .front()
            .is_some_and(|first| lined(first).is_none())
        {
            pool.line.pop_front();
        }
        if is_free {
            return pool.line.front().map(|&(_, id)| id);
        }
        let most = plan.max_connections.unwrap_or(u32::MAX);
        let has_room = pool.lined > pool.elsewhere && pool.count + pool.elsewhere < most;
        let mut line = pool.line.iter().filter(|_| has_room);
        let next = line.find(|one| lined(one) == Some(Lined::ForOwn));
        next.map(|&(_, id)| id)
    }
}
