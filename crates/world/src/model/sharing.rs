//! Processor sharing: all requests at once, each at an equal share of the slots.
//!
//! Every request in the server is served at the same rate, so the work that each has received since
//! it came is the growth of one clock, and the next to finish is the one whose demand ends first on
//! that clock (virtual time; Zhang, "Virtual clock", SIGCOMM 1990).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::request::{Attempt, Phase, Slab};
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};

/// The requests of a server that shares itself among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    /// Work received by a request that has been here from the beginning, in nanoseconds of full
    /// speed.
    received: f64,
    /// Slot time received by a request that has been here from the beginning, in nanoseconds.
    clock: f64,
    updated: Time,
    /// Those who are here, and some who have left before their end: such a job is stale, and
    /// dropped when its turn comes or when there are as many stale ones as others. The first is not
    /// stale.
    jobs: BinaryHeap<Job>,
    /// How many are here.
    present: u32,
    joined: u64,
    /// When the next request finishes; an event that says otherwise is stale.
    pub(super) next: Time,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Job {
    /// The work received by then at which it finishes.
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
        self.present
    }

    /// The slot time received by a request that has been here from the beginning, in nanoseconds.
    pub(super) fn clock(&self) -> f64 {
        self.clock
    }

    /// Since when the clocks have not been moved.
    pub(super) fn updated(&self) -> Time {
        self.updated
    }

    /// The part of a slot that each has.
    fn share(&self, slots: u32) -> f64 {
        (f64::from(slots) / f64::from(self.present)).min(1.0)
    }

    /// Moves the clocks to `now`; to be called before anything changes.
    pub(super) fn advance(&mut self, now: Time, slots: u32, pace: f64) {
        if self.present > 0 {
            let (passed, share) = ((now - self.updated).nanos() as f64, self.share(slots));
            self.received += passed * (pace * share);
            self.clock += passed * share;
        }
        self.updated = now;
    }

    /// Adds an attempt with this much work, and returns its number.
    pub(super) fn join(&mut self, attempt: u32, work: Span) -> u64 {
        // Where nobody is, the clocks may begin anew: they keep their precision however long the
        // run.
        if self.present == 0 {
            self.received = 0.0;
            self.clock = 0.0;
        }
        self.joined += 1;
        self.present += 1;
        self.jobs.push(Job {
            done_at: self.received + work.nanos() as f64,
            order: self.joined,
            attempt,
        });
        self.joined
    }

    /// Takes out the attempt that finishes first.
    pub(super) fn finish(&mut self, is_here: impl Fn(&Job) -> bool) -> Option<u32> {
        let first = self.jobs.pop()?;
        self.present -= 1;
        self.drop_stale(is_here);
        Some(first.attempt)
    }

    /// One attempt has left before its end.
    pub(super) fn leave(&mut self, is_here: impl Fn(&Job) -> bool) {
        self.present -= 1;
        if self.jobs.len() > 2 * self.present as usize + 8 {
            self.jobs.retain(&is_here);
        }
        self.drop_stale(is_here);
    }

    fn drop_stale(&mut self, is_here: impl Fn(&Job) -> bool) {
        while self.jobs.peek().is_some_and(|job| !is_here(job)) {
            self.jobs.pop();
        }
    }

    /// Takes out all attempts, in the order in which they came.
    pub(super) fn clear(&mut self, is_here: impl Fn(&Job) -> bool) -> Vec<u32> {
        let mut jobs: Vec<Job> = self.jobs.drain().filter(is_here).collect();
        jobs.sort_by_key(|job| job.order);
        self.present = 0;
        jobs.into_iter().map(|job| job.attempt).collect()
    }

    /// Works out when the next request finishes, with the clock moved to `now`.
    pub(super) fn plan(&mut self, now: Time, slots: u32, pace: f64) -> Time {
        self.next = self.jobs.peek().map_or(Time::NEVER, |job| {
            if slots == 0 {
                return Time::NEVER;
            }
            let left = (job.done_at - self.received).max(0.0) / (pace * self.share(slots));
            now + Span::from_nanos(left.ceil() as u64)
        });
        self.next
    }
}

/// Whether the attempt of a job is still at the server.
fn is_here(job: &Job, server: u32, attempts: &Slab<Attempt>) -> bool {
    let attempt = &attempts[job.attempt];
    attempt.server == server
        && matches!(attempt.phase, Phase::Sharing { order, .. } if order == job.order)
}

impl World<'_> {
    /// An attempt that found so many joins the others at a server that shares itself.
    #[cold]
    #[inline(never)]
    pub(super) fn share(
        &mut self,
        id: u32,
        (found, work): (u16, Span),
        calendar: &mut Calendar<Event>,
    ) {
        let since = calendar.now();
        let server = self.attempts[id].server;
        self.settle_sharing(server, since);
        let irregular = self.servers[server as usize].irregular;
        let is_full = self.servers[server as usize].sharing_is_full();
        if is_full {
            self.refuse(id, Cause::QueueFull, calendar);
            return;
        }
        if irregular && self.hangs(id) {
            self.hang(id, (found, Span::ZERO, work), since);
            return;
        }
        let (work, status) = if irregular {
            self.work_with_errors(id, work)
        } else {
            (work, Status::OK)
        };
        let work = if self.calls.is_some() && !status.is_error() && !self.is_inspection(id) {
            self.first_piece(id, work)
        } else {
            work
        };
        self.share_on(id, (found, status, work), calendar);
    }

    /// An attempt with this much work joins the others at a server that shares itself, or does so
    /// again after calls.
    pub(super) fn share_on(
        &mut self,
        id: u32,
        (found, status, work): (u16, Status, Span),
        calendar: &mut Calendar<Event>,
    ) {
        let since = calendar.now();
        let server = self.attempts[id].server;
        self.settle_sharing(server, since);
        let Some(sharing) = self.servers[server as usize].sharing_mut() else {
            return;
        };
        let order = sharing.join(id, work);
        self.attempts[id].phase = Phase::Sharing {
            found,
            status,
            since,
            order,
            clock: sharing.clock(),
        };
        self.plan_sharing(server, calendar);
    }

    /// An attempt leaves the others before its work is done.
    pub(super) fn unshare(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let server = self.attempts[id].server;
        self.settle_sharing(server, calendar.now());
        self.attempts[id].phase = Phase::Gone;
        if let Some(sharing) = self.servers[server as usize].sharing_mut() {
            sharing.leave(|job| is_here(job, server, &self.attempts));
        }
        self.plan_sharing(server, calendar);
    }

    /// All leave a server that shares itself; in the order in which they came.
    pub(super) fn clear_sharing(
        &mut self,
        server: u32,
        calendar: &mut Calendar<Event>,
    ) -> Vec<u32> {
        self.settle_sharing(server, calendar.now());
        let Some(sharing) = self.servers[server as usize].sharing_mut() else {
            return Vec::new();
        };
        let all = sharing.clear(|job| is_here(job, server, &self.attempts));
        for &id in &all {
            self.attempts[id].phase = Phase::Gone;
        }
        self.plan_sharing(server, calendar);
        all
    }

    /// At a server that shares itself, the next request finishes.
    pub(super) fn finish_shared(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let next = |sharing: &Sharing| sharing.next;
        if self.servers[server as usize].sharing().map(next) != Some(now) {
            return;
        }
        self.settle_sharing(server, now);
        let Some(sharing) = self.servers[server as usize].sharing_mut() else {
            return;
        };
        let done = sharing.finish(|job| is_here(job, server, &self.attempts));
        let clock_now = sharing.clock();
        self.plan_sharing(server, calendar);
        let Some(id) = done else { return };
        let attempt = self.attempts[id];
        if let Phase::Sharing {
            found,
            mut status,
            since,
            clock,
            ..
        } = attempt.phase
        {
            self.attempts[id].phase = Phase::Gone;
            let has_steps = self.calls.is_some() && !self.is_inspection(id);
            if self.servers[server as usize].irregular && !status.is_error() && !has_steps {
                status = self.status_under_load(id, 0, now);
            }
            if status.is_error() {
                self.err_back(id, status, calendar);
                return;
            }
            let stayed = now - since;
            // What the server gave it is rounded to whole nanoseconds, as the time of its end is.
            let worked = Span::from_nanos((clock_now - clock).round() as u64).min(stayed);
            if has_steps {
                self.end_piece(id, (stayed - worked, worked), (found, false), calendar);
                return;
            }
            self.served(id, (attempt, found), (stayed - worked, worked), calendar);
        }
    }

    /// Counts the work of a server that shares itself up to now.
    pub(super) fn settle_sharing(&mut self, server: u32, now: Time) {
        let place = &mut self.servers[server as usize];
        let (slots, pace) = (place.slots, place.pace);
        let Some(sharing) = place.sharing_mut() else {
            return;
        };
        let (busy, since) = (sharing.len().min(slots), sharing.updated());
        sharing.advance(now, slots, pace);
        if busy > 0 && now > since {
            place.worked += (now - since).nanos() * u64::from(busy);
            self.tally.load.busy(server as usize, busy, since, now);
        }
    }

    /// Schedules the next end at a server that shares itself, whose work has been counted up to
    /// now.
    pub(super) fn plan_sharing(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let place = &mut self.servers[server as usize];
        let (slots, pace) = (place.slots, place.pace);
        let Some(sharing) = place.sharing_mut() else {
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
        assert_eq!(sharing.finish(|_| true), Some(8));
        assert_eq!(sharing.plan(at(8), 1, 1.0), at(14));
        // Half the speed from 10 on: 4 left at 10 take 8.
        sharing.advance(at(10), 1, 1.0);
        assert_eq!(sharing.plan(at(10), 1, 0.5), at(18));
    }

    /// Of a thousand that leave before their end, in any order, few are kept, and the first is
    /// never one of them.
    #[test]
    fn those_who_leave_are_forgotten() {
        let mut sharing = Sharing::default();
        let mut here: Vec<u32> = (0..1000).collect();
        for &attempt in &here {
            sharing.join(attempt, Span::from_nanos(1 + u64::from(attempt)));
        }
        while here.len() > 1 {
            here.swap_remove((here.len() * 7919) % here.len().max(1));
            sharing.leave(|job| here.contains(&job.attempt));
            assert_eq!(sharing.len() as usize, here.len());
            assert!(sharing.jobs.len() <= 2 * here.len() + 8);
            let first = sharing.jobs.peek().map(|job| job.attempt);
            assert_eq!(first, here.iter().min().copied());
        }
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
