//! Requests and their attempts: what is under way. Memory follows what is in flight, never what was
//! served.

use super::draft::Draft;
use crate::observe::Cause;
use lbsim_engine::prefetch::prefetch;
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::MemberId;

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// What it is.
    pub(super) draft: Draft,
    /// When its client sent it.
    pub(super) arrived: Time,
    /// Its client, among all clients of the world.
    pub(super) client: u32,
    /// Its session among all of the world; its client's place where it holds none.
    pub(super) session: u32,
    /// The visit that it is part of, or [`NOBODY`].
    pub(super) visit: u32,
    /// Where it came from.
    pub(super) source: u16,
    /// The service it asks.
    pub(super) service: u16,
    /// The balancer instance it came through.
    pub(super) balancer: u16,
    /// Attempts made.
    pub(super) attempts: u8,
    /// Where it is, as its balancer sees it.
    pub(super) whereabouts: Whereabouts,
    /// The attempt whose answer is awaited, or [`NOBODY`].
    pub(super) live: u32,
    /// How many of `tried` hold.
    pub(super) tried_count: u8,
    /// Whether it arrived in the measured window.
    pub(super) measured: bool,
    /// The stretch of the timeline in which it arrived.
    pub(super) stretch: u16,
    /// The members tried last, the latest first.
    pub(super) tried: [MemberId; 3],
    /// When it began to wait at its balancer.
    pub(super) queued: Time,
    /// How long the answer takes from the balancer to who made it, where nothing is wrong.
    pub(super) from_balancer: Span,
}

/// Where a request is, as its balancer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// On its way to the balancer.
    Coming,
    /// At the balancer, which has sent it on or lets it wait.
    Here,
    /// At the balancer, which will try it again after a pause.
    Pausing,
    /// Lost on its way to the balancer, or its answer on the way back: nothing comes of it any
    /// more.
    Lost,
    /// Its outcome is on the way back: the balancer has done with it.
    Answered,
    /// Nowhere: it has ended on its way or in its pause, and its place is free when that is over.
    Ended,
}

impl Request {
    /// The last three different members tried, the latest first.
    pub(super) fn tried(&self) -> &[MemberId] {
        &self.tried[..usize::from(self.tried_count)]
    }

    /// Notes that `member` has been tried.
    pub(super) fn note_tried(&mut self, member: MemberId) {
        self.tried_count += remember(&mut self.tried, self.tried_count, member);
    }
}

/// Puts `member` before the first `count` places, each different, where it may stand already; the
/// last is forgotten where there is no room. Says how many more places are taken.
fn remember(tried: &mut [MemberId; 3], count: u8, member: MemberId) -> u8 {
    let known = &tried[..usize::from(count)];
    let again = known.iter().position(|&other| other == member);
    let moved = again.unwrap_or(known.len().min(tried.len() - 1));
    tried[..=moved].rotate_right(1);
    tried[0] = member;
    u8::from(again.is_none() && usize::from(count) < tried.len())
}

/// Where an attempt is, and what only matters there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    /// Between balancer and server.
    Travelling {
        /// How long it takes at the server's configured speed.
        work: Span,
    },
    /// In the server's queue.
    Waiting {
        /// Requests that it found at the server.
        found: u16,
        /// When it joined the queue.
        since: Time,
        /// How long it takes at the server's configured speed.
        work: Span,
    },
    /// On a slot of the server.
    Serving {
        /// Requests that it found at the server.
        found: u16,
        /// What the answer will say.
        status: Status,
        /// When it got the slot.
        begun: Time,
        /// How long it waited for the slot.
        waited: Span,
        /// When its service ends; an event that says otherwise is stale.
        ends: Time,
    },
    /// At its server, which waits for the answers to calls that it has made in its course, or for
    /// nothing at all.
    Calling {
        /// Requests that it found at the server.
        found: u16,
        /// When these calls were made.
        since: Time,
        /// Whether it has its slot meanwhile.
        held: bool,
    },
    /// At a server that shares itself among all who are there.
    Sharing {
        /// Requests that it found at the server.
        found: u16,
        /// What the answer will say.
        status: Status,
        /// When it came.
        since: Time,
        /// Its number among those who came to this server.
        order: u64,
        /// What the server's clock of slot time said when it came.
        clock: f64,
    },
    /// Served: the answer is on its way back, or there.
    Returning {
        /// Requests that it left behind at the server.
        left_behind: u16,
        /// How long it had no slot, of the time at the server.
        waited: Span,
        /// How long it had one.
        worked: Span,
    },
    /// Turned away, dropped, or answered with an error of this status: that is on its way back, or
    /// there.
    Refused(Cause, Status),
    /// It waits at its balancer for a connection to its server.
    Lining {
        /// Its place in the line.
        ticket: u64,
        /// How long it takes at the server's configured speed.
        work: Span,
        /// Which of its request's attempts it is, from 1.
        number: u8,
    },
    /// Lost on the way to its server, or its answer on the way back.
    Lost,
    /// Nowhere any more; an event that speaks of it is stale.
    Gone,
}

/// One try of a request at one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// The request, or [`NOBODY`] where it has given up waiting.
    pub(super) request: u32,
    /// The server, among all servers of the world.
    pub(super) server: u32,
    /// The next in the server's list, [`NOBODY`] at its end.
    pub(super) next: u32,
    /// The one before in the server's list; at the head it says nothing.
    pub(super) prev: u32,
    /// When the balancer sent it.
    pub(super) sent: Time,
    /// When its timeout strikes; an event that says otherwise is stale.
    pub(super) deadline: Time,
    /// Where it is.
    pub(super) phase: Phase,
}

/// No request, no attempt.
pub(super) const NOBODY: u32 = u32::MAX;

/// Numbered places that are used again: the last one freed first, so that few stay warm.
#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            places: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// Puts a thing in a free place.
    #[inline]
    pub(super) fn insert(&mut self, thing: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = thing;
            place
        } else {
            self.places.push(thing);
            self.places.len() as u32 - 1
        }
    }

    /// How many things there are.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// All of them with their places, in the order of these.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &T)> {
        let mut is_free = vec![false; self.places.len()];
        for &place in &self.free {
            is_free[place as usize] = true;
        }
        (0..)
            .zip(&self.places)
            .zip(is_free)
            .filter_map(|(numbered, is_free)| (!is_free).then_some(numbered))
    }

    /// Begins to fetch what is in a place.
    #[inline(always)]
    pub(super) fn prefetch(&self, place: u32) {
        prefetch(&self.places, place as usize);
    }

    /// Frees a place; what is in it stays to be read until it is used again.
    #[inline]
    pub(super) fn remove(&mut self, place: u32) {
        self.free.push(place);
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, place: u32) -> &T {
        &self.places[place as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, place: u32) -> &mut T {
        &mut self.places[place as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_flight_is_small() {
        assert_eq!(size_of::<Attempt>(), 64);
        assert!(
            size_of::<Request>() + size_of::<Attempt>() <= 168,
            "{} + {}",
            size_of::<Request>(),
            size_of::<Attempt>()
        );
    }

    #[test]
    fn the_last_three_tried_are_remembered_the_latest_first() {
        let (mut tried, mut count) = ([0; 3], 0);
        let [a, b, c, d] = [10, 11, 12, 13];
        let mut after = |member| {
            count += remember(&mut tried, count, member);
            tried[..usize::from(count)].to_vec()
        };
        assert_eq!(after(a), [a]);
        assert_eq!(after(a), [a]);
        assert_eq!(after(b), [b, a]);
        assert_eq!(after(a), [a, b]);
        assert_eq!(after(c), [c, a, b]);
        assert_eq!(after(d), [d, c, a]);
        assert_eq!(after(a), [a, d, c]);
    }

    #[test]
    fn places_are_used_again() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        slab.remove(a);
        assert_eq!((slab.len(), slab.all().next()), (1, Some((b, &'b'))));
        assert_eq!((slab.insert('c'), slab[b]), (a, 'b'));
    }
}
