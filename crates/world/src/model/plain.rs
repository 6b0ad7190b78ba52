//! A plain system, as textbooks draw it: one service behind one balancer, requests that go straight
//! to a server and wait there for a slot, and nothing that goes wrong. Most of what a
//! [`World`](super::World) can do is not asked for then, and this one does not look for it: the
//! same results down to the last bit (a property test compares them), in 30% fewer instructions and
//! less than half the memory.

use super::blueprint::{Blueprint, ServicePlan};
use super::discipline::Standing;
use super::service::{balancer, has_drawn};
use super::source::Sources;
use super::{Cell, NOBODY};
use crate::observe::{Cause, Tally};
use lbsim_engine::events::{Calendar, Model};
use lbsim_engine::prefetch::prefetch;
use lbsim_engine::rng::Seeds;
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Balancer;
use lbsim_strategies::strategy::{Answer, Outcome, Pick, Truth};

/// A plain system at work. Its events are jobs whose service ends, and [`NOBODY`] for the end of
/// the measured window.
pub(super) struct Plain<'a> {
    service: &'a ServicePlan,
    sources: Sources<'a>,
    balancer: Balancer,
    servers: Vec<PlainServer>,
    jobs: Vec<PlainJob>,
    /// The first free place among `jobs`, or [`NOBODY`].
    free: u32,
    tally: Tally,
    seeds: Seeds,
    ended: bool,
}

/// A server: slots, and a line in front of them.
struct PlainServer {
    idle: u32,
    group: u32,
    /// The first and the last job in line; [`NOBODY`] first where the line is empty.
    head: u32,
    tail: u32,
}

/// A request at a server.
struct PlainJob {
    arrived: Time,
    /// Since when it has been served; never while it waits.
    begun: Time,
    demand: Span,
    server: u32,
    /// The next in line behind it, or the next free place.
    next: u32,
    stretch: u16,
    /// Its group of clients.
    source: u16,
}

impl<'a> Plain<'a> {
    /// The system of a blueprint that is plain (see
    /// [`Features::is_plain`](super::features::Features::is_plain)), empty.
    pub(super) fn new(
        plan: &'a Blueprint,
        seeds: Seeds,
        calendar: &mut Calendar<u32>,
    ) -> Plain<'a> {
        let service = &plan.services[0];
        let slots: Vec<u32> = (0..service.servers.len())
            .map(|server| service.group(server).slots)
            .collect();
        calendar.at(plan.end, NOBODY);
        Plain {
            service,
            sources: Sources::new(plan, seeds).seen_by_rules(plan),
            balancer: balancer(service, 0, (0, 0), (seeds, &plan.ways)),
            servers: service
                .servers
                .iter()
                .zip(&slots)
                .map(|(server, &slots)| PlainServer {
                    idle: slots,
                    group: server.group as u32,
                    head: NOBODY,
                    tail: NOBODY,
                })
                .collect(),
            jobs: Vec::new(),
            free: NOBODY,
            tally: Tally::new(plan.warmup, plan.end, plan.stretches, &[&slots])
                .for_groups(plan.sources.len()),
            seeds,
            ended: false,
        }
    }

    #[inline(always)]
    fn insert(&mut self, job: PlainJob) -> u32 {
        let id = self.free;
        if let Some(place) = self.jobs.get_mut(id as usize) {
            self.free = place.next;
            *place = job;
            id
        } else {
            self.jobs.push(job);
            self.jobs.len() as u32 - 1
        }
    }

    #[cold]
    #[inline(never)]
    fn fail(&mut self, source: u16, stretch: u16, measured: bool, now: Time) {
        self.tally
            .failed(stretch, Span::ZERO, Cause::NoServer, measured);
        if measured {
            self.tally.presence.leave(now, Span::ZERO);
            if let Some(part) = self.tally.part(source) {
                part.failed[Cause::NoServer as usize] += 1;
                part.failures.record(Span::ZERO);
            }
        }
    }
}

impl Model for Plain<'_> {
    type Event = u32;

    /// The service of a job ends.
    #[inline]
    fn handle(&mut self, id: u32, calendar: &mut Calendar<u32>) {
        let now = calendar.now();
        if id == NOBODY {
            self.ended = true;
            return;
        }
        let job = &mut self.jobs[id as usize];
        let (arrived, begun, member, stretch) = (job.arrived, job.begun, job.server, job.stretch);
        let source = job.source;
        // The place is free from here on: whoever takes it next is served later.
        job.next = self.free;
        job.begun = Time::NEVER;
        self.free = id;
        let index = member as usize;
        let server = &mut self.servers[index];
        let next = server.head;
        if let Some(waiting) = self.jobs.get_mut(next as usize) {
            server.head = waiting.next;
            waiting.begun = now;
            self.tally.load.waited(index, waiting.arrived, now);
            calendar.at(now + waiting.demand, next);
        } else {
            server.idle += 1;
        }
        let response_time = now - arrived;
        let answer = Answer {
            member,
            outcome: Outcome::Success,
            status: Status::OK,
            response_time,
            feedback: None,
        };
        self.balancer.answered(&answer, now);
        let measured = self.tally.measures(arrived);
        self.tally.succeeded(stretch, response_time, measured);
        let waited = measured.then(|| begun - arrived);
        self.tally.load.served(index, begun, now, waited);
        if measured {
            self.tally.presence.leave(now, Span::ZERO);
            if let Some(part) = self.tally.part(source) {
                part.latency.record(response_time);
            }
        }
    }

    #[inline]
    fn foresee(&self, id: u32, next: bool) {
        if !next {
            prefetch(&self.jobs, id as usize);
        } else if let Some(job) = self.jobs.get(id as usize) {
            prefetch(&self.servers, job.server as usize);
            prefetch(&self.tally.load.servers, job.server as usize);
            self.balancer.foresee(job.server);
        }
    }

    #[inline]
    fn next_input(&self) -> Time {
        self.sources.next_time()
    }

    /// A request comes, and is sent to a server.
    #[inline]
    fn input(&mut self, calendar: &mut Calendar<u32>) {
        let now = calendar.now();
        let (source, draft) = self.sources.take();
        self.tally.simulated += 1;
        let measured = self.tally.measures(now);
        if measured {
            self.tally.requests += 1;
            self.tally.tries += 1;
            self.tally.presence.enter(now);
            if let Some(part) = self.tally.part(source as u16) {
                part.requests += 1;
            }
        }
        let stretch = self.tally.timeline.stretch(now);
        let pick = match self.sources[source].unseen() {
            Some(seen) => self.balancer.pick(seen, Truth::default(), now),
            None => {
                let seen = self.sources[source].seen(&draft, &[]);
                self.balancer.pick(&seen, Truth::default(), now)
            }
        };
        let member = match pick {
            Pick::Member(member) => member,
            Pick::Nobody | Pick::Refused => {
                return self.fail(source as u16, stretch, measured, now);
            }
            Pick::Wait | Pick::WaitFor(_) => unreachable!("only limited servers let requests wait"),
        };
        let place = &mut self.servers[member as usize];
        let group = &self.service.groups[place.group as usize];
        let demand = draft.demand(group, 1);
        if measured {
            self.tally.attempts += 1;
        }
        self.tally.load.sent(member as usize, stretch, measured);
        self.balancer.sent(member, now);
        let at_once = place.idle > 0;
        let job = PlainJob {
            arrived: now,
            begun: if at_once { now } else { Time::NEVER },
            demand,
            server: member,
            next: NOBODY,
            stretch,
            source: source as u16,
        };
        let latest_first = group.discipline.standing() == Standing::AtTheHead;
        let id = self.insert(job);
        let place = &mut self.servers[member as usize];
        if at_once {
            place.idle -= 1;
            calendar.at(now + demand, id);
        } else if place.head == NOBODY {
            (place.head, place.tail) = (id, id);
        } else if latest_first {
            self.jobs[id as usize].next = place.head;
            place.head = id;
        } else {
            self.jobs[place.tail as usize].next = id;
            place.tail = id;
        }
    }

    #[inline]
    fn is_done(&self) -> bool {
        self.ended && self.tally.presence.count() == 0
    }
}

impl Cell for Plain<'_> {
    fn simulated(&self) -> u64 {
        self.tally.simulated
    }

    fn present(&self) -> usize {
        self.jobs.len()
    }

    fn close(mut self, reached: Time) -> Tally {
        self.tally.unfinished = self.tally.presence.count();
        self.tally.drew = has_drawn(&self.balancer, 0, 0, self.seeds);
        let place = |id: u32| self.jobs.get(id as usize);
        let waiting = self
            .servers
            .iter()
            .flat_map(|server| std::iter::successors(place(server.head), |job| place(job.next)));
        let serving = self.jobs.iter().filter(|job| job.begun != Time::NEVER);
        for job in serving.chain(waiting) {
            self.tally.timeline.unfinished(job.stretch);
            if job.begun == Time::NEVER {
                let server = job.server as usize;
                self.tally.load.waited(server, job.arrived, reached);
            }
        }
        for job in self.jobs.iter().filter(|job| job.begun != Time::NEVER) {
            self.tally
                .load
                .busy(job.server as usize, 1, job.begun, reached);
        }
        self.tally
    }
}
