//! Where the life of a request, or of a server, touches the state of sessions.

use super::peers::Peers;
use super::{Asked, Sessions, changes};
use crate::model::World;
use crate::model::blueprint::Blueprint;
use crate::model::request::Request;
use crate::model::state::{Access, Home};
use crate::model::step::Only;
use crate::observe::{Loss, Tally};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;
use lbsim_strategies::balancer::affinity::Bond;

impl World<'_> {
    /// Counts the sessions that are on when the measured window begins.
    pub(in crate::model) fn count_sessions(&mut self, now: Time) {
        if let Some(sessions) = &mut self.sessions {
            sessions.begin(now, &mut self.tally);
        }
    }

    /// The measured window ends.
    pub(in crate::model) fn end_window(&mut self, now: Time) {
        if let Some(sessions) = &mut self.sessions {
            // The last moment of it.
            let last = Time::ZERO + Span::from_nanos(now.nanos() - 1);
            sessions.finish(last, &mut self.tally);
        }
        self.ended = true;
    }

    /// Counts the sessions that are on when the first thing happens to their servers.
    pub(in crate::model) fn follow_sessions(&mut self, now: Time) {
        if let Some(sessions) = &mut self.sessions {
            self.tally.sessions.cohort = sessions.follow(now);
        }
    }

    /// An answer that somebody waited for: the state of its session is read and changed, where the
    /// service keeps it or the call was for that.
    #[inline(never)]
    pub(in crate::model) fn access_state(
        &mut self,
        (id, attempt): (u32, u32),
        request: &Request,
        server: u32,
        now: Time,
    ) {
        if let (Some(calls), Some(sessions)) = (&self.calls, &mut self.sessions)
            && calls.access(id).is_none()
        {
            let went_without = calls.went_without(attempt);
            sessions.goes_without(request.session, went_without, now, &mut self.tally);
        }
        let Some(access) = self.access_of(id, request) else {
            return;
        };
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
            plan,
            disturbed,
            tally,
            calls,
            ..
        } = self
        else {
            return;
        };
        let peers = Peers::new(servers, plan, disturbed);
        // It has died meanwhile, or left.
        if !sessions.keeps_states(server, peers) {
            return;
        }
        let place = (request.session, server);
        let Some(call) = calls.as_mut().and_then(|calls| calls.state_call(id)) else {
            sessions.access(place, asked, peers, now, tally);
            return;
        };
        let based_on = (call.version.as_deref()).map(|version| version.unwrap_or(0));
        let asked = Asked {
            based_on: based_on.filter(|_| access == Access::Write),
            compares: call.compares,
            ..asked
        };
        let accessed = sessions.access(place, asked, peers, now, tally);
        if access.reads()
            && let Some(version) = call.version
        {
            *version = Some(accessed.version);
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
        let plan = self.plan.sources[usize::from(request.source)]
            .sessions
            .as_ref()?;
        // What lives elsewhere is none of this service's.
        if matches!(plan.home, Home::Servers(home) if home != usize::from(request.service)) {
            return None;
        }
        if let Some(calls) = &self.calls
            && let Some(access) = calls.access(id)
        {
            return Some(access);
        }
        if !uses_state(self.plan, request) {
            return None;
        }
        Some(if changes(request.draft.luck, plan.writes) {
            Access::Change
        } else {
            Access::Look
        })
    }

    /// Why a request was not answered by the server that had the state of its session.
    #[cold]
    fn why_not_there(&self, id: u32, request: &Request, old: u32, now: Time) -> Loss {
        let service = &self.services[usize::from(request.service)];
        let balancer = &service.balancers[usize::from(request.balancer)];
        let member = old - service.first;
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
    pub(in crate::model) fn lose_states(&mut self, server: u32, left: bool, now: Time) {
        if self.sessions.is_none() {
            return;
        }
        let index = usize::from(self.servers[server as usize].service);
        let service = &self.services[index];
        let member = server - service.first;
        let mut balancers = service.balancers.iter();
        let mut plans = (self.plan.sources.iter()).filter_map(|source| source.sessions.as_ref());
        let is_store = !plans.any(|plan| plan.used_by == index);
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
            plan,
            disturbed,
            tally,
            ..
        } = self
        {
            let peers = Peers::new(servers, plan, disturbed);
            sessions.wipe(server, loss, peers, now, tally);
        }
    }
}

/// Whether a request is at the service whose servers read and change the state of its session: a
/// client's own, or what a service before it hands on (`at`).
#[inline]
pub(in crate::model) fn uses_state(plan: &Blueprint, request: &Request) -> bool {
    let sessions = plan.sources[usize::from(request.source)].sessions.as_ref();
    sessions.is_some_and(|own| own.used_by == usize::from(request.service))
}

/// Who asks whether to take a step.
pub(in crate::model) struct Asks<'p> {
    /// The request as it was sent.
    pub(in crate::model) request: &'p Request,
    /// What it does with the state of its session, where a server makes it that does not only hand
    /// on what it was asked.
    pub(in crate::model) call: Option<Option<Access>>,
    /// The version of the state that it has read in a store; 0 where there was none, `None` where
    /// nobody has said.
    pub(in crate::model) known: &'p mut Option<u32>,
    /// The servers as they see each other now.
    pub(in crate::model) peers: Peers<'p>,
}

/// Whether an attempt takes a step that not all take by chance. A server that believes to know a
/// state has read it then, and `known` says the version. A store does nothing for what its callers
/// know: it has a state or not, and its calls write it or not.
pub(in crate::model) fn is_due(
    only: Only,
    sessions: &mut Option<Box<Sessions<'_>>>,
    Asks {
        request,
        call,
        known,
        peers,
    }: Asks<'_>,
    (server, now): (u32, Time),
    tally: &mut Tally,
) -> bool {
    let Some(sessions) = sessions else {
        return false;
    };
    let id = request.session;
    let writes = match call {
        None => sessions.is_changed_by(id, request.draft.luck),
        Some(access) => access == Some(Access::Write),
    };
    match only {
        Only::Drawn => true,
        Only::ChangingOrNew => {
            let is_new = match *known {
                Some(version) => version == 0,
                None => call.is_none() && !sessions.has_state(id, now),
            };
            writes || is_new
        }
        Only::New => {
            let is_new = if call.is_some_and(|_| !writes) {
                false
            } else if sessions.is_in_store(id, server) {
                known.unwrap_or(0) == 0
            } else {
                !sessions.can_be_had(id, server, (request.arrived, now), peers)
            };
            tally.sessions.rebuilt += u64::from(is_new && tally.measures(now));
            is_new
        }
        Only::Elsewhere => {
            call != Some(None)
                && sessions.can_be_had(id, server, (now, now), peers)
                && !sessions.is_at(id, server, now)
                && (writes || sessions.version_at(id, server, now).is_none())
        }
        Only::Unknown => {
            *known = sessions.believe(id, server, now, tally);
            known.is_none()
        }
    }
}
