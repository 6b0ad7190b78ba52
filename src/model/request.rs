//! Requests and their attempts: what is under way. Memory follows what is in flight, never what was served.

use crate::observe::Cause;
use crate::strategy::MemberId;
use crate::time::{Span, Time};

/// What a client asks for: the same under every strategy.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    /// The client, within its source's population.
    pub client: u32,
    /// What is asked for.
    pub key: u64,
    /// The request's own random word: its service times and delays follow from it.
    pub luck: u64,
    /// How large it is, in the scenario's unit of size.
    pub size: f32,
    /// How long it takes at a server of speed 1, in seconds, where the trace says so; else negative.
    pub service: f32,
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What it is.
    pub draft: Draft,
    /// When its client sent it.
    pub arrived: Time,
    /// Where it came from.
    pub source: u16,
    /// The balancer instance it came through.
    pub balancer: u16,
    /// Attempts made.
    pub attempts: u8,
    /// How many of `tried` hold.
    pub tried_count: u8,
    /// Whether it arrived in the measured window.
    pub measured: bool,
    /// The members tried last.
    pub tried: [MemberId; 3],
    /// From the client to the balancer: the answer takes as long.
    pub to_balancer: Span,
}

impl Request {
    /// The members tried last, in no order.
    pub fn tried(&self) -> &[MemberId] {
        &self.tried[..usize::from(self.tried_count)]
    }

    /// Notes that `member` has been tried.
    pub fn note_tried(&mut self, member: MemberId) {
        if !self.tried().contains(&member) {
            self.tried.rotate_right(1);
            self.tried[0] = member;
            self.tried_count = (self.tried_count + 1).min(3);
        }
    }
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between balancer and server.
    Travelling,
    /// In the server's queue.
    Waiting,
    /// Being worked on.
    Serving,
    /// Its answer travels back.
    Returning,
}

/// One try of a request at one server.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The request, or [`NOBODY`] where it has given up waiting.
    pub request: u32,
    /// The server, among all servers of the world.
    pub server: u32,
    /// Neighbours in the server's list, [`NOBODY`] at its ends.
    pub next: u32,
    /// See `next`.
    pub prev: u32,
    /// Where it is.
    pub phase: Phase,
    /// Why it failed, on the way back.
    pub failed: Option<Cause>,
    /// When the balancer sent it.
    pub sent: Time,
    /// When it joined the server's queue; from when it is worked on, once it is.
    pub since: Time,
    /// When its service ends; an event that says otherwise is stale.
    pub finish: Time,
    /// When its timeout strikes; an event that says otherwise is stale.
    pub deadline: Time,
    /// How long it takes at the server's configured speed.
    pub demand: Span,
}

/// No request, no attempt.
pub const NOBODY: u32 = u32::MAX;

/// Numbered places that are used again: the last one freed first, so that few stay warm.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts a thing in a free place.
    #[inline]
    pub fn insert(&mut self, thing: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = thing;
            place
        } else {
            self.places.push(thing);
            self.places.len() as u32 - 1
        }
    }

    /// Frees a place; what is in it stays to be read until it is used again.
    #[inline]
    pub fn remove(&mut self, place: u32) {
        self.free.push(place);
    }

    /// How many places are in use.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether no place is in use.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        assert!(size_of::<Request>() + size_of::<Attempt>() <= 168, "{} + {}", size_of::<Request>(), size_of::<Attempt>());
    }

    #[test]
    fn places_are_used_again() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        slab.remove(a);
        assert_eq!((slab.insert('c'), slab.len(), slab[b]), (a, 2, 'b'));
    }
}
