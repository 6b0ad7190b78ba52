//! Connections that callers open ahead, before any request wants them: from their start on, and
//! again when one closes.

use std::net::IpAddr;

use super::blueprint::ServicePlan;
use super::draft::Draft;
use super::enter::Asker;
use super::fault::Place;
use super::flows::Ahead;
use super::inspection::Errand;
use super::link::TO_SERVER;
use super::pools::CallerPool;
use super::server::State;
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Luck, mix};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;
use lbsim_strategies::balancer::affinity::Callers;
use lbsim_strategies::strategy::{self, Key, MemberId, Pick, Truth};

/// How long a caller waits until it tries again to open a connection ahead that came to nothing
/// (gRPC's connection backoff: `INITIAL_BACKOFF`).
pub(super) const BACKOFF: Span = Span::from_secs(1);

/// How many connections callers of a service open ahead.
pub(super) fn ahead(plan: &ServicePlan) -> Option<u32> {
    plan.balancer.sticky.connection()?.preconnect
}

impl World<'_> {
    /// All who call a service whose connections are opened ahead begin to do so at the start.
    pub(super) fn open_pools(&mut self, callers: &Callers, calendar: &mut Calendar<Event>) {
        for (index, plan) in self.plan.services.iter().enumerate() {
            if ahead(plan).is_none() {
                continue;
            }
            let mut askers = Vec::new();
            let mut first = 0;
            for (number, source) in self.plan.sources.iter().enumerate() {
                let count = callers.clients[number];
                if source.service == index {
                    let all = first..first + count;
                    askers.extend(all.map(|own| (own, Asker::Client(number as u16, own))));
                }
                first += count;
            }
            for server in 0..callers.servers {
                let group = self.servers[server as usize].group_in(self.plan);
                if group.calls(index) {
                    askers.push((first + server, Asker::Server(server)));
                }
            }
            let Some(flows) = &mut self.flows else { return };
            for (caller, asker) in askers {
                for balancer in self.services[index].instances(asker) {
                    let pool = flows.pools.of((index as u16, balancer), caller, asker);
                    flows.pools.plan_look(pool, Time::ZERO, calendar);
                }
            }
        }
    }

    /// Opens as many connections as a caller keeps open ahead.
    pub(super) fn keep_ahead(&mut self, index: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        while let Some(flows) = &mut self.flows {
            let pool = &flows.pools.all[index as usize];
            let (place, caller, asker) = (pool.place, pool.caller, pool.asker);
            let ahead = ahead(&self.plan.services[usize::from(place.0)]);
            if ahead.is_none_or(|ahead| pool.count + pool.elsewhere >= ahead) {
                return;
            }
            if now < pool.retry {
                let retry = pool.retry;
                flows.pools.plan_look(index, retry, calendar);
                return;
            }
            if let Asker::Server(server) = asker
                && !self.is_at_work(server)
            {
                return;
            }
            if !self.open_ahead((index, place), (caller, asker), calendar)
                && let Some(flows) = &mut self.flows
            {
                flows.pools.all[index as usize].retry = now + BACKOFF;
            }
        }
    }

    /// Whether a server is up and in its pool.
    fn is_at_work(&self, server: u32) -> bool {
        let place = &self.servers[server as usize];
        let service = &self.services[usize::from(place.service)];
        let member = server - service.first;
        let mut balancers = service.balancers.iter();
        place.state == State::Up && !balancers.any(|own| own.holds(member, Reason::Absent))
    }

    /// A caller opens a connection ahead; says whether there is anybody to whom it could.
    fn open_ahead(
        &mut self,
        (index, place): (u32, (u16, u16)),
        (caller, asker): (u32, Asker),
        calendar: &mut Calendar<Event>,
    ) -> bool {
        let now = calendar.now();
        let (service, balancer) = (usize::from(place.0), usize::from(place.1));
        let Some(flows) = &mut self.flows else {
            return false;
        };
        let pool = &mut flows.pools.all[index as usize];
        pool.opened += 1;
        let own = mix(u64::from(place.1) << 32 | u64::from(caller));
        let luck = mix(flows.pools.words[service] ^ own) ^ mix(pool.opened);
        let address = self.address(asker);
        if self.services[service].is_dead(place.1)
            || !self.lets_in_ahead(place, (caller, address), now)
        {
            return false;
        }
        let Some(member) = self.pick_ahead(place, (caller, asker), luck, now) else {
            return false;
        };
        let server = self.services[service].first + member;
        let (from, to) = (Place::Balancer(place.0, place.1), Place::Server(server));
        let Some(longer) = self.passage(from, to, (luck, TO_SERVER)) else {
            return false;
        };
        let Some((id, handshake)) = self.open(place, (caller, member), Luck::new(luck, 0), now)
        else {
            return false;
        };
        if let Some(flows) = &mut self.flows {
            let flow = &mut flows.all[id];
            flow.ahead = Ahead::Opening(handshake);
            flow.ready += longer;
            flow.due = flow.ready;
            calendar.at(flow.due, Event::Flow(id));
        }
        self.join_caller_pool(id, asker, calendar);
        if self.tally.measures(now) {
            self.tally.connections = self.tally.connections.map(|count| count + 1);
        }
        self.services[service].balancers[balancer].sent(member, now);
        self.enter_ahead(id, (caller, address), now);
        true
    }

    /// Where who asks connects from.
    fn address(&self, asker: Asker) -> IpAddr {
        match (asker, &self.calls) {
            (Asker::Client(source, client), _) => {
                let source = &self.sources[usize::from(source)];
                source.address(source.within(client))
            }
            (Asker::Server(server), Some(calls)) => *calls.address_of(server),
            (Asker::Server(_), None) => *strategy::Request::UNSEEN.address,
        }
    }

    /// The member to which a connection is opened ahead.
    fn pick_ahead(
        &mut self,
        (service, balancer): (u16, u16),
        (caller, asker): (u32, Asker),
        luck: u64,
        now: Time,
    ) -> Option<MemberId> {
        let address = self.address(asker);
        let key = Key::Number(u64::from(caller));
        let seen = match asker {
            Asker::Client(source, client) => {
                let source = &self.sources[usize::from(source)];
                let draft = Draft {
                    client: source.within(client),
                    key: 0,
                    luck,
                    size: 1.0,
                    service: -1.0,
                };
                World::seen_at_layer_4(source.seen(&draft, &[]))
            }
            Asker::Server(_) => strategy::Request {
                client: key,
                key,
                address: &address,
                port: super::source::port(luck),
                ..*strategy::Request::UNSEEN
            },
        };
        let service = &mut self.services[usize::from(service)];
        let truth = if self.oracle {
            let first = service.first as usize;
            self.known.of((first, first + service.plan.servers.len()))
        } else {
            Truth::default()
        };
        match service.balancers[usize::from(balancer)].pick(&seen, truth, now) {
            Pick::Member(member) => Some(member),
            _ => None,
        }
    }

    /// A connection that is opened ahead is open: its server has so much work with it.
    pub(super) fn shake(&mut self, id: u32, handshake: Span, calendar: &mut Calendar<Event>) {
        let Some(flows) = &mut self.flows else { return };
        let flow = &mut flows.all[id];
        (flow.ahead, flow.due) = (Ahead::Shaking, Time::NEVER);
        let server = self.services[usize::from(flow.service)].first + flow.member;
        let place = &self.servers[server as usize];
        if !handshake.is_zero() {
            let speed = place.group_in(self.plan).speed;
            let work = Span::from_seconds(handshake.seconds() / speed);
            self.inspect(server, Errand::Handshake(id), work, calendar);
            return;
        }
        match place.state {
            State::Up => self.shaken(id, true, calendar),
            State::Refusing => self.shaken(id, false, calendar),
            // When it is back it knows nothing of it: then it is closed.
            State::Hanging => {}
        }
    }

    /// The server has done its work with a connection that was opened ahead, or will not do it.
    pub(super) fn shaken(&mut self, id: u32, passed: bool, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(flows) = &mut self.flows else { return };
        let flow = &mut flows.all[id];
        if !passed {
            flow.failed = true;
            self.close_flow(id, calendar);
            return;
        }
        (flow.ahead, flow.ready, flow.used) = (Ahead::Done, now, now);
        let pool = flow.pool;
        self.look_after(id, calendar);
        self.wake_line(pool, calendar);
    }

    /// A server is at work from now on, or no longer: its connections that it opens ahead are there
    /// and gone with it.
    pub(super) fn caller_changed(
        &mut self,
        server: u32,
        is_there: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let Some(flows) = &mut self.flows else { return };
        let pools = &flows.pools;
        let is_its = |pool: &CallerPool| {
            let plan = &self.plan.services[usize::from(pool.place.0)];
            matches!(pool.asker, Asker::Server(own) if own == server) && ahead(plan).is_some()
        };
        let all = pools.all.iter().zip(0..);
        let own: Vec<u32> = (all.filter(|(pool, _)| is_its(pool)))
            .map(|(_, index)| index)
            .collect();
        if is_there {
            for index in own {
                flows.pools.plan_look(index, now, calendar);
            }
        } else if !own.is_empty() {
            self.close_all(|flow| own.contains(&flow.pool), calendar);
        }
    }
}
