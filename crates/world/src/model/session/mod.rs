//! Sessions at work: who holds one, where its state is, and what becomes of it.
//!
//! Two things are told apart. A *state* lies somewhere, and may be lost. A *session* is what its
//! user has: it goes on where its state is lost, and begins another one. How many sessions there
//! are, when they begin and when they end, therefore does not depend on what is lost, and is the
//! same under every strategy; what is lost is a share of that. (Only where sessions are revoked it
//! depends on who sees it how soon, for another one begins then.)
//!
//! A change of the state counts when it has been acknowledged: when the answer is at the balancer.

mod access;
mod cache;
mod copies;
mod memory;
mod peers;
mod stages;
mod token;

use lbsim_engine::distribution::Sampler;
use lbsim_engine::rng::{Domain, Luck, Seeds, mix, uniform};
use lbsim_engine::time::{Span, Time};
use rand::Rng as _;

use super::blueprint::Blueprint;
use super::state::{Home, KeepPlan, SessionPlan};
use crate::observe::{Hurt, Loss, Tally};
use cache::Caches;
use copies::Copies;
use memory::Memory;

use access::Asked;
pub(super) use peers::Peers;
pub(super) use stages::{Asks, is_due, uses_state};

/// All sessions of the world: 96 bytes each, and what their copies take. Those whose state is at
/// one server stand in a list, so that a crash visits these and no others.
#[derive(Clone, Debug)]
pub(super) struct Sessions<'a> {
    /// By group of clients.
    groups: Vec<Group<'a>>,
    /// How the servers of each service keep what they have.
    keeps: Vec<&'a KeepPlan>,
    /// The service of each server.
    service_of: Vec<u16>,
    /// Which servers have left their pool.
    gone: Vec<bool>,
    table: Vec<Session>,
    memory: Memory,
    copies: Option<Copies>,
    caches: Caches,
}

/// The sessions of one group of clients.
#[derive(Clone, Debug)]
struct Group<'a> {
    /// `None` where they hold none.
    plan: Option<&'a SessionPlan>,
    /// The root of the luck of every session.
    luck: u64,
    /// The number of the first among those of all groups.
    first: u32,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    /// Where the state is; [`NOWHERE`] for none, [`WITH_CLIENT`] where no server has it.
    server: u32,
    /// The sessions whose states came to that server before and after, or [`NOWHERE`].
    before: u32,
    after: u32,
    /// States that it has begun.
    states: u32,
    /// When its client last asked for something: idleness is counted from here.
    asked: Time,
    /// When its state was last used where it is.
    used: Time,
    /// When the state ends at the latest; time zero for one that idleness has ended. For a token,
    /// when it ends.
    state_ends: Time,
    /// When the session ends at the latest; time zero as above.
    ends: Time,
    /// When it began.
    began: Time,
    /// When it is revoked; never for most.
    revoked: Time,
    /// Sessions that have begun in this place.
    begun: u32,
    /// Changes of the state that have been acknowledged; its beginning is the first.
    version: u32,
    /// The version that there was when the measured window began.
    before_window: u32,
    /// The last version that its user has seen.
    seen: u32,
    /// Bytes of the state.
    size: u64,
    /// Its group of clients.
    group: u16,
    /// Whether it has lost its state since it began, or since the measured window did.
    hurt: bool,
    /// Whether it is one of those whose fate is followed, and has had its state ever since.
    followed: bool,
    /// Whether it has been counted as revoked.
    stopped: bool,
    /// Whether its state has been lost, and no request has met with that yet.
    missing: bool,
}

const NOWHERE: u32 = u32::MAX;
const WITH_CLIENT: u32 = u32::MAX - 1;

/// Purposes of a session's luck: how long the n-th in its place lasts has the bare number.
const SIZE: u64 = 1 << 32;
const REVOKED: u64 = 2 << 32;

impl<'a> Sessions<'a> {
    /// No sessions yet; `None` where nobody holds any. `sessions` says how many places each group
    /// of clients has.
    pub(super) fn new(plan: &'a Blueprint, sessions: &[u32], seeds: Seeds) -> Option<Box<Self>> {
        if !plan.features().sessions {
            return None;
        }
        let group = |(index, source): (usize, &'a super::blueprint::SourcePlan)| Group {
            plan: source.sessions.as_ref(),
            luck: seeds.stream(Domain::Session, index as u64).next_u64(),
            first: sessions[..index].iter().sum(),
        };
        let mut table = Vec::with_capacity(sessions.iter().map(|&count| count as usize).sum());
        for (group, &count) in sessions.iter().enumerate() {
            let none = Session {
                server: NOWHERE,
                before: NOWHERE,
                after: NOWHERE,
                states: 0,
                asked: Time::ZERO,
                used: Time::ZERO,
                state_ends: Time::ZERO,
                ends: Time::ZERO,
                began: Time::ZERO,
                revoked: Time::NEVER,
                begun: 0,
                version: 0,
                before_window: 0,
                seen: 0,
                size: 0,
                group: group as u16,
                hurt: false,
                followed: false,
                stopped: false,
                missing: false,
            };
            table.extend((0..count).map(|_| none));
        }
        let keeps: Vec<&KeepPlan> = plan.services.iter().map(|service| &service.keeps).collect();
        let service_of: Vec<u16> = (0u16..)
            .zip(&plan.services)
            .flat_map(|(index, service)| service.servers.iter().map(move |_| index))
            .collect();
        let has_sizes = (plan
            .sources
            .iter()
            .filter_map(|source| source.sessions.as_ref()))
        .any(|sessions| sessions.size.is_some());
        Some(Box::new(Sessions {
            groups: plan.sources.iter().enumerate().map(group).collect(),
            memory: Memory::new(
                service_of.len(),
                has_sizes,
                keeps.iter().any(|keep| keep.ttl.is_some()),
            ),
            copies: Copies::new(plan, table.len()),
            caches: Caches::default(),
            keeps,
            gone: vec![false; service_of.len()],
            service_of,
            table,
        }))
    }

    /// How the server keeps what it has.
    fn keep(&self, server: u32) -> &'a KeepPlan {
        self.keeps[usize::from(self.service_of[server as usize])]
    }

    /// A server has left its pool, or has come.
    pub(super) fn set_gone(&mut self, server: u32, gone: bool) {
        self.gone[server as usize] = gone;
    }

    /// Whether a server keeps states: one that is down, or only finishes what it had, does not.
    fn keeps_states(&self, server: u32, peers: Peers<'_>) -> bool {
        peers.is_up(server) && !self.gone[server as usize]
    }

    /// The plan of a session, whose group holds some.
    #[inline]
    fn plan(&self, id: u32) -> Option<&'a SessionPlan> {
        self.groups[usize::from(self.table[id as usize].group)].plan
    }

    /// Luck of a session, for one purpose: the same under every strategy.
    fn luck(&self, id: u32, purpose: u64) -> Luck {
        let group = &self.groups[usize::from(self.table[id as usize].group)];
        Luck::new(group.luck ^ mix(u64::from(id - group.first)), purpose)
    }

    /// How long the session of this number lasts.
    fn length(&self, id: u32, length: Option<&Sampler>, number: u32) -> Span {
        length.map_or(Span::FOREVER, |length| {
            Span::from_seconds(length.sample(&mut self.luck(id, u64::from(number))))
        })
    }

    /// A client asks for something, whatever comes of it: its session is not idle, unless it has
    /// been for too long already.
    #[inline]
    pub(super) fn ask(&mut self, id: u32, now: Time, tally: &mut Tally) {
        let Some(plan) = self.plan(id) else { return };
        let session = &self.table[id as usize];
        if now > session.asked + plan.idle || now > session.ends {
            self.end(id, now, tally);
        } else if now >= session.revoked {
            self.revoke(id, plan, now, tally);
        } else if self.is_forgotten(session, now) {
            self.lose(id, Loss::Expired, now, tally);
        }
        self.table[id as usize].asked = now;
    }

    /// Whether the server has forgotten the state of a session that goes on.
    #[inline]
    fn is_forgotten(&self, session: &Session, now: Time) -> bool {
        if session.server >= WITH_CLIENT {
            return false;
        }
        let ttl = self.keep(session.server).ttl;
        ttl.is_some_and(|ttl| now > session.used + ttl && now <= session.state_ends)
    }

    /// A session has been revoked, and its client asks all the same: it ends where that is seen.
    #[cold]
    fn revoke(&mut self, id: u32, plan: &SessionPlan, now: Time, tally: &mut Tally) {
        let session = &mut self.table[id as usize];
        let until = match &plan.home {
            Home::Token(token) if !token.looked_up => {
                token.holds_until(session.state_ends).min(session.ends)
            }
            _ => (self.caches.until(id, session.begun).unwrap_or(Time::ZERO))
                .clamp(session.revoked, session.ends.max(session.revoked)),
        };
        if !std::mem::replace(&mut session.stopped, true) {
            let delay = until.since(session.revoked.min(until));
            tally.sessions.revoked(tally.measures(now), delay);
        }
        if now > until || until == session.revoked {
            self.end(id, now, tally);
        } else if matches!(plan.home, Home::Token(_)) {
            let measured = tally.measures(now);
            tally.sessions.used_after_revocation += u64::from(measured);
        }
    }

    /// A store is asked for the state of a session that has been revoked, and that its client goes
    /// on with since servers believed what they had read before: it ends here.
    #[cold]
    fn find_revoked(&mut self, id: u32, now: Time, tally: &mut Tally) {
        if self.table[id as usize].stopped {
            self.end(id, now, tally);
        }
    }

    /// A session has ended.
    pub(super) fn end(&mut self, id: u32, now: Time, tally: &mut Tally) {
        self.end_state(id, now, tally);
        let session = &mut self.table[id as usize];
        (session.state_ends, session.ends) = (Time::ZERO, Time::ZERO);
        session.revoked = Time::NEVER;
    }

    /// A state has ended, if there is one.
    fn end_state(&mut self, id: u32, now: Time, tally: &mut Tally) {
        if self.table[id as usize].server != NOWHERE {
            tally.sessions.states.ended += 1;
            self.leave(id, now);
            self.drop_copies(id, now);
        }
    }

    /// The state of a session is gone, for this cause.
    fn lose(&mut self, id: u32, loss: Loss, now: Time, tally: &mut Tally) {
        self.leave(id, now);
        self.drop_copies(id, now);
        let idle = self.plan(id).map_or(Span::ZERO, |plan| plan.idle);
        let session = &mut self.table[id as usize];
        let hurt = session.hurt(session.is_on(now, idle));
        let version = std::mem::take(&mut session.version);
        let lost = version.saturating_sub(std::mem::take(&mut session.before_window));
        (session.seen, session.missing) = (0, true);
        tally.session_lost((session.group, now), loss, hurt, u64::from(lost));
    }

    /// Whether the last session of a client has ended, as far as client and balancer know: by
    /// idleness or age. That its state died with a server, they learn only there.
    pub(super) fn is_over(&self, id: u32, now: Time) -> bool {
        let session = &self.table[id as usize];
        let Some(plan) = self.plan(id) else {
            return false;
        };
        now > session.asked + plan.idle || now > session.ends
    }

    /// The measured window begins: what was lost before does not count, and the sessions that are
    /// on do.
    pub(super) fn begin(&mut self, now: Time, tally: &mut Tally) {
        for id in 0..self.table.len() as u32 {
            let Some(plan) = self.plan(id) else { continue };
            let session = &mut self.table[id as usize];
            session.hurt = false;
            session.before_window = session.version;
            let is_on = session.is_on(now, plan.idle);
            tally.sessions.on(session.group, u64::from(is_on));
        }
        self.memory.begin(now);
    }

    /// The fate of the sessions that are on now is followed, whatever they have lost before. Says
    /// how many these are.
    pub(super) fn follow(&mut self, now: Time) -> u64 {
        let Sessions { table, groups, .. } = self;
        let mut followed = 0;
        for session in table {
            let plan = groups[usize::from(session.group)].plan;
            session.followed = plan.is_some_and(|plan| session.is_on(now, plan.idle));
            followed += u64::from(session.followed);
        }
        followed
    }

    /// The run is over: who still has a state, and whose had ended without a word.
    pub(super) fn close(&self, now: Time, tally: &mut Tally) {
        for session in &self.table {
            let plan = self.groups[usize::from(session.group)].plan;
            if let Some(plan) = plan.filter(|_| session.server != NOWHERE) {
                let states = &mut tally.sessions.states;
                if session.has_state(now, plan.idle) {
                    states.alive += 1;
                } else {
                    states.ended += 1;
                }
            }
        }
    }

    /// The measured window ends: what servers have forgotten by then counts as lost in it, though
    /// nobody has asked for it.
    pub(super) fn finish(&mut self, now: Time, tally: &mut Tally) {
        for server in 0..self.service_of.len() as u32 {
            self.forget_what_is_over(server, now, tally);
        }
        tally.sessions.memory = self.memory.measured(now);
    }

    /// The bytes of states that a server has.
    pub(super) fn bytes(&self, server: u32) -> u64 {
        self.memory.bytes(server)
    }
}

impl Session {
    fn has_state(&self, now: Time, idle: Span) -> bool {
        self.server != NOWHERE && now <= self.asked + idle && now <= self.state_ends
    }

    fn is_on(&self, now: Time, idle: Span) -> bool {
        self.begun > 0 && now <= self.asked + idle && now <= self.ends
    }

    /// It loses its state, while it is on or not.
    fn hurt(&mut self, is_on: bool) -> Hurt {
        let first = !std::mem::replace(&mut self.hurt, true);
        let followed = std::mem::replace(&mut self.followed, false);
        Hurt {
            first: is_on && first,
            followed: is_on && followed,
        }
    }
}

/// Whether a request changes the state of its session, of which `share` do.
fn changes(luck: u64, share: f64) -> bool {
    /// The purpose of a request's luck for that.
    const CHANGES: u64 = 0xa00;
    share >= 1.0 || uniform(&mut Luck::new(luck, CHANGES)) < share
}
