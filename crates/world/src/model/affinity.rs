//! How clients come back to their servers, and why states were not found there.

use super::World;
use super::request::Request;
use super::session::{self, Asked, Sessions};
use super::state::{Access, Home};
use super::step::Only;
use crate::observe::{Loss, Tally};
use lbsim_engine::rng::{Luck, uniform};
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::affinity::{Bond, Who};
use lbsim_strategies::balancer::{Balancer, Reason};
use lbsim_strategies::strategy::{MemberId, Pick};

/// The purpose of a client's luck that says whether it drops cookies.
const DROPS: u64 = 0xd09;

impl World<'_> {
    /// Who asks, as affinity tells clients from each other. To a service that is called it is the
    /// client in whose course it is: its name goes with the call, its address does not.
    fn who(&self, id: u32, request: &Request) -> Who {
        let address = (self.calls.as_ref()).and_then(|calls| calls.address(id).copied());
        let source = &self.sources[usize::from(request.source)];
        Who {
            session: request.session,
            address: address.unwrap_or_else(|| source.address(request.draft.client)),
        }
    }

    /// Whether a client keeps no cookie.
    fn drops_cookies(&self, request: &Request) -> bool {
        let share = self.plan.sources[usize::from(request.source)].drops_cookies;
        let word = Luck::new(self.messages, u64::from(request.client) << 12 | DROPS);
        share > 0.0 && uniform(&mut { word }) < share
    }

    /// Where a request goes by what binds its client; `None` where the strategy is to pick.
    #[inline(never)]
    pub(super) fn follow_bond(&mut self, id: u32, tried: bool, now: Time) -> Option<Pick> {
        let request = &self.requests[id];
        let who = self.who(id, request);
        let service = &mut self.services[usize::from(request.service)];
        let Bond::To(bound) = service.bonds.as_ref()?.find(who, request.balancer, now) else {
            return None;
        };
        if tried && request.tried().contains(&bound) {
            return None;
        }
        let sessions = self.sessions.as_ref();
        let over = sessions.is_some_and(|sessions| sessions.is_over(request.session, now));
        let breaking = service.plan.balancer.sticky.breaking();
        let balancer = &mut service.balancers[usize::from(request.balancer)];
        balancer.follow(bound, breaking, over, now)
    }

    /// Counts an attempt of a client's request that is sent where its client is bound.
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
        if let Some(bonds) = &mut service.bonds {
            bonds.bind(who, request.balancer, server - service.first, now);
        }
    }

    /// An answer that somebody waited for: the state of its session is read and changed, where the
    /// service keeps it or the call was for that.
    #[inline(never)]
    pub(super) fn access_state(&mut self, id: u32, request: &Request, server: u32, now: Time) {
        let Some(access) = self.access_of(id, request) else {
            return;
        };
        // A server that has died meanwhile, or only finishes what it had, keeps no state.
        if !self.servers[server as usize].is_up() {
            return;
        }
        let elsewhere = (self.sessions.as_ref())
            .and_then(|sessions| sessions.elsewhere(request.session, server, now));
        let asked = Asked {
            access,
            based_on: None,
            compares: false,
            shown: request.arrived,
            loss: elsewhere.map(|old| self.why_not_there(id, request, old, now)),
        };
        let World {
            sessions: Some(sessions),
            servers,
            tally,
            calls,
            ..
        } = self
        else {
            return;
        };
        let place = (request.session, server);
        let Some(call) = calls.as_mut().and_then(|calls| calls.state_call(id)) else {
            sessions.access(place, asked, servers, now, tally);
            return;
        };
        let asked = Asked {
            based_on: (call.version.as_deref().copied()).filter(|_| access == Access::Write),
            compares: call.compares,
            ..asked
        };
        let accessed = sessions.access(place, asked, servers, now, tally);
        if access.reads()
            && let Some(version) = call.version
        {
            *version = accessed.version;
        }
        *call.is_refused = accessed.is_refused;
        if accessed.is_refused {
            sessions.disbelieve(request.session, call.server);
            tally.sessions.conflicts += u64::from(tally.measures(now));
        } else {
            sessions.remember(request.session, call.server, now);
        }
    }

    /// What an answered request does with the state of its session.
    #[inline]
    fn access_of(&self, id: u32, request: &Request) -> Option<Access> {
        if let Some(calls) = &self.calls
            && calls.is_call(id)
        {
            return calls.access(id);
        }
        let plan = self.plan.sources[usize::from(request.source)]
            .sessions
            .as_ref()?;
        if matches!(plan.home, Home::Servers(home) if home != usize::from(request.service)) {
            return None;
        }
        Some(if session::changes(request.draft.luck, plan.writes) {
            Access::Change
        } else {
            Access::Look
        })
    }

    /// Why a request was not answered by the server that had the state of its session.
    #[cold]
    fn why_not_there(&self, id: u32, request: &Request, old: u32, now: Time) -> Loss {
        let service = &self.services[usize::from(request.service)];
        let balancer: &Balancer = &service.balancers[usize::from(request.balancer)];
        let member: MemberId = old - service.first;
        if balancer.holds(member, Reason::Absent) {
            return Loss::ScaleIn;
        } else if balancer.holds(member, Reason::Draining) {
            return Loss::Drained;
        } else if !balancer.pool().is_eligible(member) {
            return Loss::Unreachable;
        }
        let Some(bonds) = &service.bonds else {
            return Loss::Moved;
        };
        match bonds.find(self.who(id, request), request.balancer, now) {
            Bond::To(_) => Loss::Moved,
            Bond::Expired => Loss::Expired,
            Bond::None if bonds.was_lost(self.who(id, request)) => Loss::TableLost,
            Bond::None if self.drops_cookies(request) => Loss::CookieDropped,
            Bond::None => Loss::Moved,
        }
    }

    /// A server has lost all states of sessions that it had: it has crashed, or left its pool.
    pub(super) fn lose_states(&mut self, server: u32, left: bool, now: Time) {
        if self.sessions.is_none() {
            return;
        }
        let index = usize::from(self.servers[server as usize].service);
        let service = &self.services[index];
        let member = server - service.first;
        let mut balancers = service.balancers.iter();
        let is_store = !(self.plan.sources.iter()).any(|source| source.service == index);
        let loss = if left {
            Loss::ScaleIn
        } else if balancers.any(|balancer| balancer.holds(member, Reason::Draining)) {
            Loss::Drained
        } else if is_store {
            Loss::StoreLost
        } else {
            Loss::Crash
        };
        if let World {
            sessions: Some(sessions),
            servers,
            tally,
            ..
        } = self
        {
            sessions.wipe(server, loss, servers, now, tally);
        }
    }
}

/// Whether an attempt, of this request as it was sent, takes a step that not all take by chance. A
/// server that believes to know a state has read it then, and `known` says the version.
pub(super) fn is_due(
    only: Only,
    sessions: &mut Option<Box<Sessions<'_>>>,
    (request, known): (&Request, &mut u32),
    (server, now): (u32, Time),
    tally: &mut Tally,
) -> bool {
    let Some(sessions) = sessions else {
        return false;
    };
    let id = request.session;
    let is_changed = || sessions.is_changed_by(id, request.draft.luck);
    match only {
        Only::Drawn => true,
        Only::Changing => is_changed(),
        Only::ChangingOrNew => is_changed() || !sessions.has_state(id, now),
        Only::New => {
            let is_new = !sessions.can_be_had(id, server, (request.arrived, now));
            tally.sessions.rebuilt += u64::from(is_new && tally.measures(now));
            is_new
        }
        Only::Elsewhere => {
            sessions.can_be_had(id, server, (now, now)) && !sessions.is_at(id, server, now)
        }
        Only::Unknown => match sessions.believed(id, server, now) {
            None => true,
            Some(version) => {
                sessions.read(id, version, now, tally);
                *known = version;
                false
            }
        },
    }
}
