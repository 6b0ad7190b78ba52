//! A plain system whose rule heeds no answers, worked out from one arrival to the next. Where
//! requests go follows from the requests alone; each begins when it has come and a slot is free,
//! and keeps that slot for as long as it takes:
//!
//! > begins = max(arrives, the earliest time at which a slot is free)
//!
//! (Lindley, "The theory of queues with a single server", 1952; for several slots Kiefer and
//! Wolfowitz, "On the theory of queues with many servers", 1955.) There is no calendar, and nothing
//! is under way: what happens to a request is known when it arrives. The results are those of
//! [`Plain`](super::plain) down to the last bit, which a property test compares, in a fraction of
//! the time.
//!
//! When such a run ends is known before all of it has happened: with the last of the measured
//! requests, all of which have arrived when the window ends.

use super::blueprint::{Blueprint, ServicePlan};
use super::live::{Stopped, cutoff};
use super::service::{balancer, has_drawn};
use super::source::Sources;
use crate::observe::{Cause, Presence, Tally};
use lbsim_engine::rng::Seeds;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Balancer;
use lbsim_strategies::strategy::Pick;

/// Requests after which a run's watcher is called: some thousandths of a second.
const TURNS: u64 = 1 << 16;

/// A system at work, whose servers take requests as they come.
pub(super) struct Lindley<'a> {
    service: &'a ServicePlan,
    sources: Sources<'a>,
    balancer: Balancer,
    servers: Vec<SlotRow>,
    tally: Tally,
    seeds: Seeds,
    /// When the window ends, and when the run is cut off.
    end: Time,
    cutoff: Time,
    /// When the last measured request goes; no earlier than the window ends.
    last: Time,
    /// Measured requests that are there when the run is cut off.
    unfinished: u64,
    /// The last time that a measured request came.
    came: Time,
    /// The last time that one went before the run was cut off.
    went: Time,
    /// Arrivals and departures of measured requests added up, in nanoseconds modulo 2^64.
    arrivals: u64,
    departures: u64,
    /// Requests of the warm-up that may be there when the run ends.
    late: Vec<Visit>,
}

/// A server: its group, when it has a slot free, and when each of its other slots is: none
/// earlier, in a heap with the earliest on top.
struct SlotRow {
    group: u32,
    free: Time,
    others: Box<[Time]>,
}

impl SlotRow {
    /// Keeps the slot that is free first until some time.
    #[inline(always)]
    fn occupy(&mut self, until: Time) {
        self.free = if self.others.is_empty() {
            until
        } else {
            replace_least(&mut self.others, until)
        };
    }
}

/// A request at a server.
#[derive(Clone, Copy)]
struct Visit {
    arrived: Time,
    begins: Time,
    ends: Time,
    server: u32,
    stretch: u16,
    source: u16,
    measured: bool,
}

/// What cannot be told here: a request of the warm-up goes at the very instant at which the run
/// ends. Which of the two comes first only a calendar knows.
struct Tie;

/// Lives a cell of a blueprint that is [foregone](super::features::Features::is_foregone); `None`
/// where it does not know how the run ends.
///
/// # Errors
/// Where `watch` gives the run up.
pub(super) fn live(
    plan: &Blueprint,
    seeds: Seeds,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Tally>, Stopped> {
    let mut system = Lindley::new(plan, seeds);
    // Each measured request comes before the window ends: then it is known when the last one goes.
    let before = |time: Time| time < plan.end;
    system.take_all(before, Lindley::while_open, watch)?;
    let reached = system.reached();
    let mut tied = false;
    for visit in std::mem::take(&mut system.late) {
        tied |= system.settle(visit, reached).is_err();
    }
    system.take_all(
        |time| time <= reached,
        |system, visit| tied |= system.settle(visit, reached).is_err(),
        watch,
    )?;
    Ok((!tied).then(|| system.close()))
}

impl<'a> Lindley<'a> {
    fn new(plan: &'a Blueprint, seeds: Seeds) -> Lindley<'a> {
        let service = &plan.services[0];
        let slots: Vec<u32> = (0..service.servers.len())
            .map(|server| service.group(server).slots)
            .collect();
        let servers = service.servers.iter().zip(&slots);
        let servers = servers.map(|(server, &slots)| SlotRow {
            group: server.group as u32,
            free: Time::ZERO,
            others: vec![Time::ZERO; slots as usize - 1].into(),
        });
        Lindley {
            servers: servers.collect(),
            service,
            sources: Sources::new(plan, seeds).seen_by_rules(plan),
            balancer: balancer(service, 0, (0, 0), (seeds, &plan.ways)),
            tally: Tally::new(plan.warmup, plan.end, plan.stretches, &[&slots])
                .for_groups(plan.sources.len()),
            seeds,
            end: plan.end,
            cutoff: cutoff(plan),
            last: plan.end,
            unfinished: 0,
            came: Time::ZERO,
            went: Time::ZERO,
            arrivals: 0,
            departures: 0,
            late: Vec::new(),
        }
    }

    /// When the run ends.
    fn reached(&self) -> Time {
        self.last.min(self.cutoff)
    }

    /// Takes all requests that come within some time, and hands on each that goes to a server.
    fn take_all(
        &mut self,
        within: impl Fn(Time) -> bool,
        mut take: impl FnMut(&mut Self, Visit),
        watch: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), Stopped> {
        let mut told = self.tally.simulated;
        while within(self.sources.next_time()) {
            if let Some(visit) = self.arrive() {
                take(self, visit);
            }
            if self.tally.simulated - told == TURNS {
                if !watch(TURNS) {
                    return Err(Stopped::Interrupted);
                }
                told = self.tally.simulated;
            }
        }
        if !watch(self.tally.simulated - told) {
            return Err(Stopped::Interrupted);
        }
        Ok(())
    }

    /// A request comes, and is sent to a server.
    #[inline(always)]
    fn arrive(&mut self) -> Option<Visit> {
        let now = self.sources.next_time();
        let (source, draft) = self.sources.take();
        self.tally.simulated += 1;
        let measured = self.tally.measures(now);
        if measured {
            self.tally.requests += 1;
            self.tally.tries += 1;
            self.came = now;
            if let Some(part) = self.tally.part(source as u16) {
                part.requests += 1;
            }
        }
        let stretch = self.tally.timeline.stretch(now);
        let pick = match self.sources[source].unseen() {
            Some(seen) => self.balancer.pick_and_forget(seen, now),
            None => {
                let seen = self.sources[source].seen(&draft, &[]);
                self.balancer.pick_and_forget(&seen, now)
            }
        };
        let Pick::Member(member) = pick else {
            self.fail(source as u16, stretch, measured);
            return None;
        };
        if measured {
            self.tally.attempts += 1;
        }
        self.tally.load.sent(member as usize, stretch, measured);
        let server = &mut self.servers[member as usize];
        let demand = draft.demand(&self.service.groups[server.group as usize], 1);
        let begins = now.max(server.free);
        let ends = begins + demand;
        server.occupy(ends);
        Some(Visit {
            arrived: now,
            begins,
            ends,
            server: member,
            stretch,
            source: source as u16,
            measured,
        })
    }

    /// What becomes of a request that comes before the window ends.
    #[inline(always)]
    fn while_open(&mut self, visit: Visit) {
        if visit.measured {
            self.last = self.last.max(visit.ends);
            if visit.ends <= self.cutoff {
                self.finish(visit);
            } else {
                self.unfinished += 1;
                self.arrivals = self.arrivals.wrapping_add(visit.arrived.nanos());
                self.leave_behind(visit, self.cutoff);
            }
        } else if visit.ends < self.end {
            self.finish(visit);
        } else {
            self.late.push(visit);
        }
    }

    /// What becomes of a request that is not measured, where the run ends at `reached`.
    fn settle(&mut self, visit: Visit, reached: Time) -> Result<(), Tie> {
        // Where the run is cut off, all happens that is due by then.
        let cut = self.last > reached;
        if visit.ends < reached || visit.ends == reached && cut {
            self.finish(visit);
        } else {
            if visit.ends == reached && self.tally.timeline.has(visit.stretch) {
                return Err(Tie);
            }
            self.leave_behind(visit, reached);
        }
        Ok(())
    }

    /// A request has been answered when it should.
    #[inline(always)]
    fn finish(&mut self, visit: Visit) {
        let Visit {
            arrived,
            begins,
            ends,
            server,
            stretch,
            source,
            measured,
        } = visit;
        let response_time = ends - arrived;
        let waited = measured.then(|| begins - arrived);
        let load = &mut self.tally.load;
        load.waited(server as usize, arrived, begins);
        load.served(server as usize, begins, ends, waited);
        self.tally.succeeded(stretch, response_time, measured);
        if measured {
            self.went = self.went.max(ends);
            self.arrivals = self.arrivals.wrapping_add(arrived.nanos());
            self.departures = self.departures.wrapping_add(ends.nanos());
            if let Some(part) = self.tally.part(source) {
                part.latency.record(response_time);
            }
        }
    }

    /// A request is still there when the run ends.
    #[cold]
    fn leave_behind(&mut self, visit: Visit, reached: Time) {
        self.tally.timeline.unfinished(visit.stretch);
        let server = visit.server as usize;
        let until = visit.begins.min(reached);
        self.tally.load.waited(server, visit.arrived, until);
        if visit.begins < reached {
            self.tally.load.busy(server, 1, visit.begins, reached);
        }
    }

    #[cold]
    #[inline(never)]
    fn fail(&mut self, source: u16, stretch: u16, measured: bool) {
        self.tally
            .failed(stretch, Span::ZERO, Cause::NoServer, measured);
        if measured && let Some(part) = self.tally.part(source) {
            part.failed[Cause::NoServer as usize] += 1;
            part.failures.record(Span::ZERO);
        }
    }

    fn close(mut self) -> Tally {
        self.tally.unfinished = self.unfinished;
        self.tally.drew = has_drawn(&self.balancer, 0, 0, self.seeds);
        self.tally.presence = Presence::in_the_end(
            self.unfinished,
            self.came.max(self.went),
            self.arrivals,
            self.departures,
        );
        self.tally
    }
}

/// Adds `time` to a heap whose least is on top, and takes the least out of it.
fn replace_least(heap: &mut [Time], time: Time) -> Time {
    let first = heap[0];
    if time <= first {
        return time;
    }
    let mut at = 0;
    loop {
        let child = 2 * at + 1;
        let Some(&left) = heap.get(child) else { break };
        let (least, other) = match heap.get(child + 1) {
            Some(&right) if right < left => (child + 1, right),
            _ => (child, left),
        };
        if time <= other {
            break;
        }
        heap[at] = other;
        at = least;
    }
    heap[at] = time;
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a search through all slots.
        #[test]
        fn the_slot_that_is_free_first_is_taken(slots in 1usize..9, times in prop::collection::vec(0u64..50, 0..60)) {
            let others = vec![Time::ZERO; slots - 1].into();
            let mut server = SlotRow { group: 0, free: Time::ZERO, others };
            let mut plain = vec![Time::ZERO; slots];
            for later in times {
                let least = (0..slots).min_by_key(|&slot| plain[slot]).unwrap();
                prop_assert_eq!(server.free, plain[least]);
                plain[least] = server.free + Span::from_nanos(later);
                server.occupy(plain[least]);
            }
        }
    }
}
