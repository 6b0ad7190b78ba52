//! Processor sharing: all requests at once, each at an equal share of the slots.
//!
//! Every request in the server is served at the same rate, so the work that each has received since it came
//! is the growth of one clock, and the next to finish is the one whose demand ends first on that clock
//! (virtual time; Zhang, "Virtual clock", SIGCOMM 1990).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::request::{Attempt, Phase};
use super::{Event, World};
use crate::engine::Calendar;
use crate::observe::Cause;
use crate::time::{Span, Time};

/// The requests of a server that shares itself among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    /// Work received by a request that has been here from the beginning, in nanoseconds of full speed.
    received: f64,
    updated: Time,
    jobs: BinaryHeap<Job>,
    joined: u64,
    /// When the next request finishes; an event that says otherwise is stale.
    pub(super) next: Time,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Job {
    /// The clock at which it finishes.
    done_at: f64,
    /// Equal ends go in the order of coming.
    order: u64,
    attempt: u32,
}

impl Eq for Job {}

impl Ord for Job {
    /// The earlier end is the greater, since the heap hands out the greatest.
    fn cmp(&self, other: &Job) -> Ordering {
        other
            .done_at
            .total_cmp(&self.done_at)
            .then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Job) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Sharing {
    /// How many requests are here.
    pub(super) fn len(&self) -> u32 {
        self.jobs.len() as u32
    }

    /// Since when the clock has not been moved.
    pub(super) fn updated(&self) -> Time {
        self.updated
    }

    fn rate(&self, slots: u32, pace: f64) -> f64 {
        pace * (f64::from(slots) / self.jobs.len() as f64).min(1.0)
    }

    /// Moves the clock to `now`; to be called before anything changes.
    pub(super) fn advance(&mut self, now: Time, slots: u32, pace: f64) {
        if !self.jobs.is_empty() {
            self.received += (now - self.updated).nanos() as f64 * self.rate(slots, pace);
        }
        self.updated = now;
    }

    /// Adds an attempt with this much work.
    pub(super) fn join(&mut self, attempt: u32, demand: Span) {
        // Where nobody is, the clock may begin anew: it keeps its precision however long the run.
        if self.jobs.is_empty() {
            self.received = 0.0;
        }
        self.joined += 1;
        self.jobs.push(Job {
            done_at: self.received + demand.nanos() as f64,
            order: self.joined,
            attempt,
        });
    }

    /// Takes out the attempt that finishes first.
    pub(super) fn finish(&mut self) -> Option<u32> {
        self.jobs.pop().map(|job| job.attempt)
    }

    /// Takes out one attempt, finished or not.
    pub(super) fn leave(&mut self, attempt: u32) {
        self.jobs.retain(|job| job.attempt != attempt);
    }

    /// Takes out all attempts, in the order in which they came.
    pub(super) fn clear(&mut self) -> Vec<u32> {
        let mut jobs: Vec<Job> = self.jobs.drain().collect();
        jobs.sort_by_key(|job| job.order);
        jobs.into_iter().map(|job| job.attempt).collect()
    }

    /// Works out when the next request finishes, with the clock moved to `now`.
    pub(super) fn plan(&mut self, now: Time, slots: u32, pace: f64) -> Time {
        self.next = self.jobs.peek().map_or(Time::NEVER, |job| {
            let left = (job.done_at - self.received).max(0.0) / self.rate(slots, pace);
            now + Span::from_nanos(left.ceil() as u64)
        });
        self.next
    }
}

impl World<'_> {
    /// An attempt joins the others at a server that shares itself.
    #[cold]
    #[inline(never)]
    pub(super) fn share(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Attempt { server, demand, .. } = self.attempts[id];
        self.settle_sharing(server, now);
        let place = &mut self.servers[server as usize];
        let limit = place.sharing_is_full();
        let Some(sharing) = &mut place.sharing else {
            return;
        };
        if limit {
            self.refuse(id, Cause::QueueFull, calendar);
            return;
        }
        sharing.join(id, demand);
        self.attempts[id].phase = Phase::Serving;
        self.plan_sharing(server, calendar);
    }

    /// An attempt leaves the others before its work is done.
    pub(super) fn unshare(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let server = self.attempts[id].server;
        self.settle_sharing(server, calendar.now());
        if let Some(sharing) = &mut self.servers[server as usize].sharing {
            sharing.leave(id);
        }
        self.plan_sharing(server, calendar);
    }

    /// At a server that shares itself, the next request finishes.
    pub(super) fn finish_shared(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        if self.servers[server as usize]
            .sharing
            .as_ref()
            .is_none_or(|sharing| sharing.next != now)
        {
            return;
        }
        self.settle_sharing(server, now);
        let done = self.servers[server as usize]
            .sharing
            .as_mut()
            .and_then(|sharing| sharing.finish());
        self.plan_sharing(server, calendar);
        if let Some(id) = done {
            let attempt = self.attempts[id];
            self.served(id, attempt, calendar);
        }
    }

    /// Counts the work of a server that shares itself up to now.
    pub(super) fn settle_sharing(&mut self, server: u32, now: Time) {
        let place = &mut self.servers[server as usize];
        let (slots, pace) = (place.slots, place.pace);
        let Some(sharing) = &mut place.sharing else {
            return;
        };
        let (busy, since) = (sharing.len().min(slots), sharing.updated());
        sharing.advance(now, slots, pace);
        if busy > 0 && now > since {
            place.worked += (now - since).nanos() * u64::from(busy);
            self.tally.load.busy(server as usize, busy, since, now);
        }
    }

    /// Schedules the next end at a server that shares itself, whose work has been counted up to now.
    pub(super) fn plan_sharing(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let place = &mut self.servers[server as usize];
        let (slots, pace) = (place.slots, place.pace);
        let Some(sharing) = &mut place.sharing else {
            return;
        };
        let next = sharing.plan(calendar.now(), slots, pace);
        place.in_service = sharing.len();
        calendar.at(next, Event::Shared(server));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demands 10 and 4 on one slot: shared until the short one has had 4 (at 8), then alone.
    #[test]
    fn two_share_one_slot() {
        let at = Time::from_nanos;
        let mut sharing = Sharing::default();
        sharing.join(7, Span::from_nanos(10));
        sharing.join(8, Span::from_nanos(4));
        assert_eq!(sharing.plan(at(0), 1, 1.0), at(8));
        sharing.advance(at(8), 1, 1.0);
        assert_eq!(sharing.finish(), Some(8));
        assert_eq!(sharing.plan(at(8), 1, 1.0), at(14));
        // Half the speed from 10 on: 4 left at 10 take 8.
        sharing.advance(at(10), 1, 1.0);
        assert_eq!(sharing.plan(at(10), 1, 0.5), at(18));
    }

    #[test]
    fn enough_slots_do_not_slow_anybody() {
        let at = Time::from_nanos;
        let mut sharing = Sharing::default();
        sharing.join(1, Span::from_nanos(10));
        sharing.join(2, Span::from_nanos(20));
        assert_eq!(sharing.plan(at(0), 2, 1.0), at(10));
    }
}
