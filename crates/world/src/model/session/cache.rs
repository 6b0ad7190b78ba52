//! What servers believe of states that live in a store: each has read them at some time.

use std::collections::{BTreeMap, VecDeque};

use super::Sessions;
use lbsim_engine::time::Time;

/// What servers have read, by session and server, and until when they believe it.
#[derive(Clone, Debug, Default)]
pub(super) struct Caches {
    known: BTreeMap<(u32, u32), (Time, u32)>,
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
            if self
                .caches
                .known
                .get(&key)
                .is_some_and(|known| known.0 == until)
            {
                self.caches.known.remove(&key);
            }
        }
        let until = now + cache;
        let version = self.table[id as usize].version;
        self.caches.known.insert((id, server), (until, version));
        self.caches.order.push_back((until, (id, server)));
    }

    /// The version of a session's state that a server believes to be the newest, if it does.
    pub(in crate::model) fn believed(&self, id: u32, server: u32, now: Time) -> Option<u32> {
        let &(until, version) = self.caches.known.get(&(id, server))?;
        (now <= until).then_some(version)
    }
}
