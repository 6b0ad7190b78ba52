//! How clients come back to their servers: what binds them is looked up before the strategy is
//! asked.

use super::World;
use super::request::Request;
use lbsim_engine::rng::{Domain, Luck, Seeds, mix, uniform};
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::Reason;
use lbsim_strategies::balancer::affinity::{Bond, Who};
use lbsim_strategies::strategy::{MemberId, Pick, Truth};

/// What tells the word for other names in an answer from that of a service's balancers.
const OTHERS: u64 = 0x07e2;

/// The purpose of a client's luck that says whether it drops cookies.
const DROPS: u64 = 0xd09;

impl World<'_> {
    /// Who asks, as affinity tells clients from each other. To a service that is called it is the
    /// client in whose course it is: its name goes with the call, its address does not.
    pub(super) fn who(&self, id: u32, request: &Request) -> Who {
        let address = (self.calls.as_ref()).and_then(|calls| calls.address(id).copied());
        let source = &self.sources[usize::from(request.source)];
        Who {
            session: request.session,
            address: address.unwrap_or_else(|| source.address(request.draft.client)),
            caller: self.caller(id, request),
        }
    }

    /// The number of who makes a request among all callers: clients, and then servers.
    pub(super) fn caller(&self, id: u32, request: &Request) -> u32 {
        let server = (self.calls.as_ref()).and_then(|calls| calls.server(id));
        server.map_or(request.client, |server| self.sources.clients() + server)
    }

    /// Whether a client keeps no cookie.
    pub(super) fn drops_cookies(&self, request: &Request) -> bool {
        let share = self.plan.sources[usize::from(request.source)].drops_cookies;
        let own = u64::from(request.client) << 12 | DROPS;
        share > 0.0 && uniform(&mut Luck::new(self.messages, own)) < share
    }

    /// Where a request goes by what binds its client; `None` where the strategy is to pick.
    #[inline(never)]
    pub(super) fn follow_bond(&mut self, id: u32, tried: bool, now: Time) -> Option<Pick> {
        let request = &self.requests[id];
        if self.has_flows(request.service) {
            return self.find_flow(id).map(Pick::Member);
        }
        let who = self.who(id, request);
        let service = &mut self.services[usize::from(request.service)];
        let bonds = service.bonds.as_mut()?;
        let Bond::To(mut bound) = bonds.find(who, request.balancer, now) else {
            return None;
        };
        if tried && request.tried().contains(&bound) {
            bound = bonds.instead(who, request.tried())?;
        }
        // A name that stands for nobody any more: whoever has it finds nobody there.
        let binds_at_once = service.plan.balancer.sticky.binds_at_once();
        let there = &service.balancers[usize::from(request.balancer)];
        if binds_at_once && there.holds(bound, Reason::Absent) {
            bonds.failed(who, bound, now);
            return Some(Pick::Nobody);
        }
        let sessions = self.sessions.as_ref();
        let over = sessions.is_some_and(|sessions| sessions.is_over(request.session, now));
        let breaking = service.plan.balancer.sticky.breaking();
        let balancer = &mut service.balancers[usize::from(request.balancer)];
        balancer.follow(bound, breaking, over, now)
    }

    /// Counts an attempt of a client's request that is sent where its client is bound, or binds it
    /// now.
    #[inline(never)]
    pub(super) fn count_bound(&mut self, id: u32, member: MemberId, now: Time) {
        let request = &self.requests[id];
        let who = self.who(id, request);
        let bonds = self.services[usize::from(request.service)].bonds.as_ref();
        let is_bound =
            bonds.is_some_and(|bonds| bonds.find(who, request.balancer, now) == Bond::To(member));
        if is_bound && request.measured && !self.is_call(id) {
            self.tally.sessions.bound += 1;
        }
        let service = &mut self.services[usize::from(request.service)];
        if service.plan.balancer.sticky.binds_at_once()
            && let Some(bonds) = &mut service.bonds
        {
            let room = bonds.room(who, now);
            bonds.bind(who, request.balancer, member, now);
            if room > 0 {
                self.name_others(id, who, (member, room), now);
            }
        }
    }

    /// A client has been sent to a member by an answer that has room for more: names them.
    #[cold]
    fn name_others(&mut self, id: u32, who: Who, (member, room): (MemberId, usize), now: Time) {
        let request = &self.requests[id];
        let mut seen = (self.sources[usize::from(request.source)]).seen(&request.draft, &[]);
        if let Some(address) = self.calls.as_ref().and_then(|calls| calls.address(id)) {
            seen.address = address;
        }
        let index = usize::from(request.service);
        let service = &mut self.services[index];
        let truth = if self.oracle {
            let first = service.first as usize;
            self.known.of((first, first + service.plan.servers.len()))
        } else {
            Truth::default()
        };
        let draws = Seeds::new(mix(service.route ^ OTHERS), u64::from(who.caller))
            .stream(Domain::Route, now.nanos());
        let balancer = &service.balancers[usize::from(request.balancer)];
        let others = balancer.others(&seen, truth, (member, room), (draws, now));
        if let Some(bonds) = &mut service.bonds {
            bonds.name_others(who, &others);
        }
    }

    /// A client could not reach a server, or had no answer in time: where it has been told of
    /// others, it goes there from now on.
    #[inline(never)]
    pub(super) fn turn_to_next_name(&mut self, id: u32, server: u32, now: Time) {
        let request = &self.requests[id];
        let who = self.who(id, request);
        let service = &mut self.services[usize::from(request.service)];
        if service.plan.balancer.sticky.names_several()
            && let Some(bonds) = &mut service.bonds
        {
            bonds.failed(who, server - service.first, now);
        }
    }

    /// A client has been answered, and is bound to who did.
    #[inline(never)]
    pub(super) fn bind(&mut self, id: u32, request: &Request, server: u32, now: Time) {
        let who = self.who(id, request);
        let index = usize::from(request.service);
        if self.services[index].plan.balancer.sticky.needs_cookies() && self.drops_cookies(request)
        {
            return;
        }
        let service = &mut self.services[index];
        if !service.plan.balancer.sticky.binds_at_once()
            && let Some(bonds) = &mut service.bonds
        {
            bonds.bind(who, request.balancer, server - service.first, now);
        }
    }
}
