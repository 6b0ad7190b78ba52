//! What servers believe of states that live in a store: each has read them at some time.

use std::collections::{BTreeMap, VecDeque};

use super::Sessions;
use crate::observe::Tally;
use lbsim_engine::time::Time;

/// What a server has read.
#[derive(Clone, Copy, Debug)]
struct Belief {
    /// Until when it believes that.
    until: Time,
    version: u32,
    /// Which of the sessions in its place that was, and which of their states.
    session: u32,
    state: u32,
}

/// What servers have read, by session and server.
#[derive(Clone, Debug, Default)]
pub(super) struct Caches {
    known: BTreeMap<(u32, u32), Belief>,
    /// The same in the order in which it was read, which is that in which it is forgotten.
    order: VecDeque<(Time, (u32, u32))>,
}

impl Caches {
    /// A server has died: it knows nothing. (What it knew is looked up by nobody until then, so
    /// that this need not be quick.)
    pub(super) fn lose(&mut self, server: u32) {
        self.known.retain(|&(_, other), _| other != server);
    }

    /// Until when a server believes what it has read of a session, at the longest.
    pub(super) fn until(&self, id: u32, session: u32) -> Option<Time> {
        let known = self.known.range((id, 0)..=(id, u32::MAX));
        let of_this = known.filter(|(_, known)| known.session == session && known.version > 0);
        of_this.map(|(_, known)| known.until).max()
    }
}

impl Sessions<'_> {
    /// A server has read or changed the state of a session, or found none.
    pub(in crate::model) fn remember(&mut self, id: u32, server: u32, now: Time) {
        let Some(cache) = self.keep(server).cache else {
            return;
        };
        while let Some(&(until, key)) = self.caches.order.front()
            && until < now
        {
            self.caches.order.pop_front();
            let known = self.caches.known.get(&key);
            if known.is_some_and(|known| known.until == until) {
                self.caches.known.remove(&key);
            }
        }
        let until = now + cache;
        let has_state = self.has_state(id, now);
        let session = &self.table[id as usize];
        let known = Belief {
            until,
            version: if has_state { session.version } else { 0 },
            session: session.begun,
            state: session.states,
        };
        self.caches.known.insert((id, server), known);
        self.caches.order.push_back((until, (id, server)));
    }

    /// A server learns that what it believed is old.
    pub(in crate::model) fn disbelieve(&mut self, id: u32, server: u32) {
        self.caches.known.remove(&(id, server));
    }

    /// The version of a session's state that a server believes to be the newest, if it does: a
    /// request reads that, whatever has become of the state since, and of the session. Another
    /// session is not known by what was read of the one before.
    pub(super) fn believe(
        &mut self,
        id: u32,
        server: u32,
        now: Time,
        tally: &mut Tally,
    ) -> Option<u32> {
        let known = *self.caches.known.get(&(id, server))?;
        let session = &self.table[id as usize];
        let is_on = session.is_on(now, self.plan(id)?.idle);
        if !is_on || now > known.until || known.session != session.begun {
            return None;
        }
        let measured = u64::from(tally.measures(now));
        tally.sessions.used_after_revocation += if now < session.revoked { 0 } else { measured };
        if known.state == session.states {
            self.read(id, known.version, now, tally);
        } else {
            // The state that it has read is no more, and its versions are none of this one's.
            tally.sessions.reads += measured;
            tally.sessions.stale += measured;
        }
        Some(known.version)
    }
}
