//! Which states a server has: a list of them, in the order of their last use where their sizes
//! matter, so that the one that was not used for longest is found at once.

use super::{NOWHERE, Sessions, WITH_CLIENT};
use crate::observe::{Loss, StateMemory, Tally};
use lbsim_engine::time::{Span, Time};

/// The states of each server.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// By server: the ends of its list, or [`NOWHERE`].
    lists: Vec<ListEnds>,
    /// By server: what its states take; empty where states have no sizes.
    used: Vec<Used>,
    /// Whether the lists are in the order of the last use.
    in_order: bool,
}

#[derive(Clone, Copy, Debug)]
struct ListEnds {
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

    /// So many bytes were not there any more since then, though nobody had looked.
    fn gone_since(&mut self, since: Time, now: Time, bytes: u64) {
        self.total -= bytes as f64 * now.since(since.max(self.from)).seconds();
    }
}

impl Memory {
    pub(super) fn new(servers: usize, has_sizes: bool, expires: bool) -> Memory {
        let empty = ListEnds {
            latest: NOWHERE,
            oldest: NOWHERE,
        };
        Memory {
            lists: vec![empty; servers],
            used: vec![Used::default(); if has_sizes { servers } else { 0 }],
            in_order: has_sizes || expires,
        }
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
        let server = self.table[id as usize].server;
        if server >= WITH_CLIENT {
            self.table[id as usize].server = NOWHERE;
            return;
        }
        let over = self.over_at(id, server);
        let session = &mut self.table[id as usize];
        session.server = NOWHERE;
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
            used.change(now, -(size as i64));
            if over < now {
                used.gone_since(over, now, size);
            }
        }
    }

    /// The state of a session, which was nowhere, is at a server.
    pub(super) fn come(&mut self, id: u32, server: u32, now: Time, tally: &mut Tally) {
        if self.memory.in_order {
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
            used.change(now, session.size as i64);
        }
    }

    /// The state of a session is used where it is.
    #[inline]
    pub(super) fn is_used(&mut self, id: u32, now: Time, tally: &mut Tally) {
        let server = self.table[id as usize].server;
        if self.memory.in_order && self.memory.lists[server as usize].latest != id {
            self.leave(id, now);
            self.come(id, server, now, tally);
        }
    }

    /// A server forgets what is over, and then whom it has not seen for longest, until so many more
    /// bytes fit.
    pub(super) fn make_room(&mut self, server: u32, more: u64, now: Time, tally: &mut Tally) {
        self.forget_what_is_over(server, now, tally);
        let Some(limit) = self.keep(server).memory else {
            return;
        };
        while self.memory.bytes(server) + more > limit
            && let Some(oldest) = self.memory.oldest(server)
        {
            self.evict(oldest, now, tally);
        }
    }

    /// When the state of a session that is at a server is over, if nobody uses it before.
    fn over_at(&self, id: u32, server: u32) -> Time {
        let session = &self.table[id as usize];
        let idle = self.plan(id).map_or(Span::ZERO, |plan| plan.idle);
        let ttl = self.keep(server).ttl.unwrap_or(Span::FOREVER);
        (session.asked + idle)
            .min(session.used + ttl)
            .min(session.state_ends)
    }

    /// A server forgets what is over, beginning with what was not used for longest.
    pub(super) fn forget_what_is_over(&mut self, server: u32, now: Time, tally: &mut Tally) {
        while self.memory.in_order
            && let Some(oldest) = self.memory.oldest(server)
            && self.over_at(oldest, server) < now
        {
            if self.is_forgotten(&self.table[oldest as usize], now) {
                self.lose(oldest, Loss::Expired, now, tally);
            } else {
                self.end_state(oldest, now, tally);
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
