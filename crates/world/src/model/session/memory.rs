//! Which states a server has: a list of them, in the order of their last use where their sizes
//! matter, so that the one that was not used for longest is found at once.

use super::{NOWHERE, Sessions, WITH_CLIENT};
use crate::observe::{Loss, StateMemory, Tally};
use lbsim_engine::time::Time;

/// The states of each server.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// By server: the ends of its list, or [`NOWHERE`].
    lists: Vec<Ends>,
    /// By server: what its states take; empty where states have no sizes.
    used: Vec<Used>,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    latest: u32,
    oldest: u32,
}

/// Bytes in use.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    bytes: u64,
    since: Time,
    /// Bytes times seconds, in the measured window.
    total: f64,
    most: u64,
    /// Where the measured window begins.
    from: Time,
}

impl Used {
    fn change(&mut self, now: Time, more: i64) {
        self.total += self.bytes as f64 * now.since(self.since).seconds();
        self.since = now;
        self.bytes = self.bytes.saturating_add_signed(more);
        self.most = self.most.max(self.bytes);
    }
}

impl Memory {
    pub(super) fn new(servers: usize, has_sizes: bool) -> Memory {
        let empty = Ends {
            latest: NOWHERE,
            oldest: NOWHERE,
        };
        Memory {
            lists: vec![empty; servers],
            used: vec![Used::default(); if has_sizes { servers } else { 0 }],
        }
    }

    /// Whether states have sizes.
    fn weighs(&self) -> bool {
        !self.used.is_empty()
    }

    pub(super) fn bytes(&self, server: u32) -> u64 {
        (self.used.get(server as usize)).map_or(0, |used| used.bytes)
    }

    pub(super) fn begin(&mut self, now: Time) {
        for used in &mut self.used {
            used.change(now, 0);
            (used.total, used.most, used.from) = (0.0, used.bytes, now);
        }
    }

    /// What each server had, in the measured window up to now.
    pub(super) fn measured(&self, now: Time) -> Vec<StateMemory> {
        let of = |used: &Used| {
            let mut used = *used;
            used.change(now, 0);
            let seconds = now.since(used.from).seconds();
            StateMemory {
                mean: if seconds > 0.0 {
                    used.total / seconds
                } else {
                    0.0
                },
                most: used.most,
            }
        };
        self.used.iter().map(of).collect()
    }

    /// A copy of so many bytes comes to a server, or leaves it.
    pub(super) fn copy(&mut self, server: u32, more: i64, now: Time) {
        if let Some(used) = self.used.get_mut(server as usize) {
            used.change(now, more);
        }
    }

    /// All that a server had is gone.
    pub(super) fn clear(&mut self, server: u32, now: Time) {
        self.copy(server, i64::MIN, now);
    }

    /// The session whose state has not been used at a server for longest.
    fn oldest(&self, server: u32) -> Option<u32> {
        Some(self.lists[server as usize].oldest).filter(|&id| id != NOWHERE)
    }

    /// The session whose state came to a server last.
    pub(super) fn latest(&self, server: u32) -> Option<u32> {
        Some(self.lists[server as usize].latest).filter(|&id| id != NOWHERE)
    }
}

impl Sessions<'_> {
    /// The state of a session is nowhere any more.
    pub(super) fn leave(&mut self, id: u32, now: Time) {
        let session = &mut self.table[id as usize];
        let server = std::mem::replace(&mut session.server, NOWHERE);
        if server >= WITH_CLIENT {
            return;
        }
        let (before, after, size) = (session.before, session.after, session.size);
        let ends = &mut self.memory.lists[server as usize];
        match before {
            NOWHERE => ends.oldest = after,
            before => self.table[before as usize].after = after,
        }
        match after {
            NOWHERE => ends.latest = before,
            after => self.table[after as usize].before = before,
        }
        if let Some(used) = self.memory.used.get_mut(server as usize) {
            used.change(now, -i64::from(size));
        }
    }

    /// The state of a session, which was nowhere, is at a server.
    pub(super) fn come(&mut self, id: u32, server: u32, now: Time, tally: &mut Tally) {
        if self.memory.weighs() {
            self.make_room(server, self.table[id as usize].size, now, tally);
        }
        let ends = &mut self.memory.lists[server as usize];
        let before = std::mem::replace(&mut ends.latest, id);
        match before {
            NOWHERE => ends.oldest = id,
            before => self.table[before as usize].after = id,
        }
        let session = &mut self.table[id as usize];
        (session.server, session.before, session.after) = (server, before, NOWHERE);
        if let Some(used) = self.memory.used.get_mut(server as usize) {
            used.change(now, i64::from(session.size));
        }
    }

    /// The state of a session is used where it is.
    #[inline]
    pub(super) fn is_used(&mut self, id: u32, now: Time, tally: &mut Tally) {
        let server = self.table[id as usize].server;
        if self.memory.weighs() && self.memory.lists[server as usize].latest != id {
            self.leave(id, now);
            self.come(id, server, now, tally);
        }
    }

    /// A server forgets what is over, and then whom it has not seen for longest, until so many more
    /// bytes fit.
    fn make_room(&mut self, server: u32, more: u32, now: Time, tally: &mut Tally) {
        let limit = self.keep(server).memory.unwrap_or(u64::MAX);
        while let Some(oldest) = self.memory.oldest(server) {
            let session = &self.table[oldest as usize];
            let idle = self
                .plan(oldest)
                .map_or(lbsim_engine::time::Span::ZERO, |plan| plan.idle);
            if !session.has_state(now, idle) {
                tally.sessions.states.ended += 1;
                self.leave(oldest, now);
                self.drop_copies(oldest, now);
            } else if self.has_ttl(session, now) {
                self.lose(oldest, Loss::Expired, now, tally);
            } else if self.memory.bytes(server) + u64::from(more) > limit {
                self.evict(oldest, now, tally);
            } else {
                break;
            }
        }
    }

    /// A server has no room for a state: it is lost, or only not there any more.
    fn evict(&mut self, id: u32, now: Time, tally: &mut Tally) {
        if self.is_with_client(id) {
            self.leave(id, now);
            self.table[id as usize].server = WITH_CLIENT;
        } else {
            self.lose(id, Loss::Evicted, now, tally);
        }
    }
}
