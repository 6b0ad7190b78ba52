//! What servers believe of states that live in a store: each has read them at some time.

use std::collections::{BTreeMap, VecDeque};

use super::Sessions;
use lbsim_engine::time::Time;

/// What a server has read.
#[derive(Clone, Copy, Debug)]
struct Belief {
    /// Until when it believes that.
    until: Time,
    version: u32,
    /// Which of the session's states that was.
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
}

impl Sessions<'_> {
    /// A server has read or changed the state of a session, which is of this version by now.
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
        let session = &self.table[id as usize];
        let known = Belief {
            until,
            version: session.version,
            state: session.states,
        };
        self.caches.known.insert((id, server), known);
        self.caches.order.push_back((until, (id, server)));
    }

    /// A server learns that what it believed is old.
    pub(in crate::model) fn disbelieve(&mut self, id: u32, server: u32) {
        self.caches.known.remove(&(id, server));
    }

    /// The version of a session's state that a server believes to be the newest, if it does.
    /// Another session, or one that has begun another state, is not known by what was read of the
    /// one before.
    pub(in crate::model) fn believed(&self, id: u32, server: u32, now: Time) -> Option<u32> {
        let known = self.caches.known.get(&(id, server))?;
        let session = &self.table[id as usize];
        let is_on = session.is_on(now, self.plan(id)?.idle);
        (is_on && now <= known.until && known.state == session.states).then_some(known.version)
    }
}
