//! Requests that read and change the state of their session, and servers that lose all they have.

use super::peers::Peers;
use super::token::Verdict;
use super::{SIZE, Sessions, WITH_CLIENT, changes};
use crate::model::calls::WentWithout;
use crate::model::state::{Access, Home};
use crate::observe::{Loss, Tally};
use lbsim_engine::time::{Span, Time};

/// What a request does, and what it knows.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Asked {
    pub(in crate::model) access: Access,
    /// The version that it has read before and changes now; `None` where reading and changing are
    /// one.
    pub(in crate::model) based_on: Option<u32>,
    /// Whether it changes nothing where that is not the newest any more.
    pub(in crate::model) compares: bool,
    /// When its client sent it, with what it had to show then.
    pub(in crate::model) shown: Time,
    /// Why the state is lost, where it lies on a server that this one does not hear from.
    pub(in crate::model) loss: Option<Loss>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::model) struct Accessed {
    /// The version that was read; 0 where there was no state.
    pub(in crate::model) version: u32,
    /// Whether nothing was changed, since another request has changed the state meanwhile.
    pub(in crate::model) is_refused: bool,
}

impl Sessions<'_> {
    /// A request of a session has been answered by `server`.
    #[inline]
    pub(in crate::model) fn access(
        &mut self,
        (id, server): (u32, u32),
        asked: Asked,
        peers: Peers<'_>,
        now: Time,
        tally: &mut Tally,
    ) -> Accessed {
        let Some(plan) = self.plan(id) else {
            return Accessed::default();
        };
        let mut access = asked.access;
        // Servers may have believed longer than its store that it had not been revoked.
        if matches!(plan.home, Home::Servers(_)) && now >= self.table[id as usize].revoked {
            self.find_revoked(id, now, tally);
        }
        self.go_on(id, now, tally);
        let idle = plan.idle;
        let session = &self.table[id as usize];
        let has_state = session.has_state(now, idle);
        // A state comes from its store where there is one.
        if access == Access::Read && has_state {
            self.send(id, now, tally);
        }
        if let Home::Token(token) = &plan.home {
            // It comes with each request, where its client has one.
            if session.server == WITH_CLIENT {
                self.send(id, now, tally);
            }
            match self.show(id, token, asked.shown) {
                Verdict::Holds => {}
                Verdict::Missing => {
                    self.issue(id, token, now, tally);
                    access = Access::Look;
                }
                Verdict::Renewed => self.renew(id, token, now, tally),
                Verdict::Lost(loss) => {
                    self.lose(id, loss, now, tally);
                    self.issue(id, token, now, tally);
                    access = Access::Look;
                }
            }
            self.meet(id, now, tally);
            return self.note(id, access, now, tally);
        }
        let version = if has_state { session.version } else { 0 };
        if asked.based_on.is_some_and(|based_on| based_on != version) {
            if asked.compares {
                // It was sent all the same.
                self.send(id, now, tally);
                return Accessed {
                    version,
                    is_refused: true,
                };
            }
            // Where there is none any more, nobody's change is overwritten.
            let is_newer = asked.based_on.is_some_and(|based_on| version > based_on);
            tally.sessions.lost_updates += u64::from(is_newer && tally.measures(now));
        }
        let session = &self.table[id as usize];
        let mut is_here = has_state && session.server == server;
        if has_state && !is_here {
            if matches!(plan.home, Home::Client) {
                self.leave(id, now);
                self.come(id, server, now, tally);
                self.send(id, now, tally);
                is_here = true;
            } else if self.copies.is_some() && self.copied(server) {
                // A client's request that only reads is content with it as a store's call is.
                if !access.changes()
                    && let Some(version) = self.version_at(id, server, now)
                {
                    self.read(id, version, now, tally);
                    return Accessed {
                        version,
                        is_refused: false,
                    };
                }
                is_here = self.obtains(id, server, peers, now, tally);
            } else {
                self.lose(id, asked.loss.unwrap_or(Loss::Moved), now, tally);
            }
        } else if is_here {
            self.is_used(id, now, tally);
        }
        self.meet(id, now, tally);
        if !is_here && access.makes() {
            self.end_state(id, now, tally);
            self.begin_state(id, now, tally);
            self.come(id, server, now, tally);
            // To its store it goes, or comes from its client.
            if access == Access::Write || matches!(plan.home, Home::Client) {
                self.send(id, now, tally);
            }
            self.ship(id, peers, now, tally);
            // To make it was the change.
            if access == Access::Write {
                return Accessed {
                    version: 1,
                    is_refused: false,
                };
            }
            (is_here, access) = (true, Access::Look);
        }
        if !is_here {
            return Accessed::default();
        }
        self.table[id as usize].used = now;
        let accessed = self.note(id, access, now, tally);
        if access == Access::Write {
            self.send(id, now, tally);
        }
        if access.changes() {
            self.ship(id, peers, now, tally);
        }
        accessed
    }

    /// A server gets the state of a session from where it is, or from the newest copy that it hears
    /// of. Where there is neither, the state is lost.
    #[cold]
    fn obtains(
        &mut self,
        id: u32,
        server: u32,
        peers: Peers<'_>,
        now: Time,
        tally: &mut Tally,
    ) -> bool {
        let hears = peers.hear(self.table[id as usize].server, server);
        if !hears && !self.falls_back(id, Some(server), peers, now, tally) {
            self.lose(id, Loss::Unreachable, now, tally);
            return false;
        }
        if self.table[id as usize].server != server {
            self.fetch(id, server, peers, now, tally);
        }
        true
    }

    /// The state of a session is sent somewhere.
    pub(super) fn send(&self, id: u32, now: Time, tally: &mut Tally) {
        if tally.measures(now) {
            tally.sessions.bytes += self.table[id as usize].size;
        }
    }

    /// A request finds that the state of its session was lost: the first to do so.
    #[inline]
    fn meet(&mut self, id: u32, now: Time, tally: &mut Tally) {
        let session = &mut self.table[id as usize];
        if std::mem::take(&mut session.missing) {
            tally.sessions.met(session.group, tally.measures(now));
        }
    }

    /// A session goes on; or it is over, with its state, and another one begins.
    #[inline]
    fn go_on(&mut self, id: u32, now: Time, tally: &mut Tally) {
        let Some(plan) = self.plan(id) else { return };
        let session = &self.table[id as usize];
        if session.is_on(now, plan.idle) {
            return;
        }
        let number = session.begun + 1;
        self.end(id, now, tally);
        let length = self.length(id, plan.length.as_ref(), number);
        let revoked = self.revoked_after(id, number);
        let session = &mut self.table[id as usize];
        (session.begun, session.began) = (number, now);
        session.ends = now + length;
        session.revoked = revoked.map_or(Time::NEVER, |after| now + after);
        // Whoever begins is there, however long the answer took.
        session.asked = now;
        (session.hurt, session.followed) = (false, false);
        (session.stopped, session.missing) = (false, false);
        tally.session_begun(session.group, now);
    }

    /// A state begins, and lasts as long as its session may; nobody has it yet.
    pub(super) fn begin_state(&mut self, id: u32, now: Time, tally: &mut Tally) {
        let Some(plan) = self.plan(id) else { return };
        let states = self.table[id as usize].states + 1;
        let size = plan.size.as_ref().map_or(0, |size| {
            size.sample(&mut self.luck(id, SIZE | u64::from(states))) as u64
        });
        let session = &mut self.table[id as usize];
        session.states = states;
        session.state_ends = session.ends;
        session.used = now;
        session.size = size;
        (session.version, session.seen, session.before_window) = (1, 1, 0);
        tally.sessions.states.begun += 1;
        tally.sessions.wrote(session.group, tally.measures(now));
    }

    /// A request has read the newest state of its session, and changed it.
    #[inline]
    fn note(&mut self, id: u32, access: Access, now: Time, tally: &mut Tally) -> Accessed {
        let version = self.table[id as usize].version;
        if access.reads() {
            self.read(id, version, now, tally);
        }
        if access.changes() {
            let session = &mut self.table[id as usize];
            session.version += 1;
            session.seen = session.version;
            tally.sessions.wrote(session.group, tally.measures(now));
        }
        Accessed {
            version,
            is_refused: false,
        }
    }

    /// A request has read this version of the state of its session.
    #[inline]
    pub(in crate::model) fn read(&mut self, id: u32, version: u32, now: Time, tally: &mut Tally) {
        let session = &mut self.table[id as usize];
        if tally.measures(now) {
            tally.sessions.reads += 1;
            tally.sessions.stale += u64::from(version < session.version);
            tally.sessions.backwards += u64::from(version < session.seen);
        }
        session.seen = version;
    }

    /// The server that has the state of a session, where it is another than this one.
    pub(in crate::model) fn elsewhere(&self, id: u32, server: u32, now: Time) -> Option<u32> {
        let plan = self.plan(id)?;
        let session = &self.table[id as usize];
        (session.server != server && session.server < WITH_CLIENT)
            .then_some(session.server)
            .filter(|_| session.has_state(now, plan.idle))
    }

    /// Whether a request of this luck changes the state of its session.
    pub(in crate::model) fn is_changed_by(&self, id: u32, luck: u64) -> bool {
        (self.plan(id)).is_some_and(|plan| changes(luck, plan.writes))
    }

    /// Whether the state of a session lives in a store, and not at servers like this one.
    pub(in crate::model) fn is_in_store(&self, id: u32, server: u32) -> bool {
        let home = self.plan(id).map(|plan| &plan.home);
        let own = usize::from(self.service_of[server as usize]);
        matches!(home, Some(Home::Servers(home)) if *home != own)
    }

    /// A request of a session has been answered, whose store had not.
    pub(in crate::model) fn goes_without(
        &mut self,
        id: u32,
        went_without: WentWithout,
        now: Time,
        tally: &mut Tally,
    ) {
        let Some(plan) = self.plan(id) else { return };
        let session = &mut self.table[id as usize];
        if went_without.change && tally.measures(now) {
            tally.sessions.wrote(session.group, true);
            tally.sessions.unwritten(session.group, 1);
        }
        if went_without.state && session.is_on(now, plan.idle) {
            let hurt = session.hurt(true);
            tally.session_unknown((session.group, now), hurt);
        }
    }

    /// Whether a server has the state of a session, or can get at it; a token is as it was shown.
    pub(in crate::model) fn can_be_had(
        &self,
        id: u32,
        server: u32,
        (shown, now): (Time, Time),
        peers: Peers<'_>,
    ) -> bool {
        let Some(plan) = self.plan(id) else {
            return false;
        };
        match &plan.home {
            Home::Token(token) => {
                matches!(
                    self.show(id, token, shown),
                    Verdict::Holds | Verdict::Renewed
                )
            }
            Home::Client => self.is_at(id, server, now),
            Home::Servers(_) => {
                self.is_at(id, server, now)
                    || (self.has_state(id, now) && self.can_be_fetched(id, server, peers))
            }
        }
    }

    /// Whether a server has the state of a session.
    pub(in crate::model) fn is_at(&self, id: u32, server: u32, now: Time) -> bool {
        let Some(plan) = self.plan(id) else {
            return false;
        };
        let session = &self.table[id as usize];
        session.has_state(now, plan.idle) && session.server == server
    }

    /// Whether a session has a state, wherever that is.
    pub(in crate::model) fn has_state(&self, id: u32, now: Time) -> bool {
        let Some(plan) = self.plan(id) else {
            return false;
        };
        self.table[id as usize].has_state(now, plan.idle)
    }

    /// Whether the state of a session is with its client, and servers have but what they were told.
    pub(super) fn is_with_client(&self, id: u32) -> bool {
        matches!(self.plan(id).map(|plan| &plan.home), Some(Home::Client))
    }

    /// A server has lost all states, for this cause.
    pub(in crate::model) fn wipe(
        &mut self,
        server: u32,
        loss: Loss,
        peers: Peers<'_>,
        now: Time,
        tally: &mut Tally,
    ) {
        if let Some(copies) = &mut self.copies {
            copies.lose(server);
        }
        while let Some(id) = self.memory.latest(server) {
            let idle = self.plan(id).map_or(Span::ZERO, |plan| plan.idle);
            if !self.table[id as usize].has_state(now, idle) {
                tally.sessions.states.ended += 1;
                self.leave(id, now);
                self.drop_copies(id, now);
            } else if self.is_with_client(id) {
                self.leave(id, now);
                self.table[id as usize].server = WITH_CLIENT;
            } else if loss == Loss::ScaleIn && self.hands_over(id, peers, now, tally) {
                // It has left by plan.
            } else if !self.falls_back(id, None, peers, now, tally) {
                self.lose(id, loss, now, tally);
            }
        }
        self.memory.clear(server, now);
        self.caches.lose(server);
    }
}
