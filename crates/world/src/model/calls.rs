//! Requests that servers make: a server that has done its own work on a request takes its steps in
//! turn, and where one is a call, waits for the answers.
//!
//! A call is a request like a client's: it passes a balancer, may be tried again, and ends. What
//! differs is who hears of its end. It is told by an event, never by a call of one stage by
//! another, so that tiers may be as many as one likes.

mod returns;
mod state;

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::{host, unnamed};
use super::blueprint::Blueprint;
use super::enter::Asker;
use super::fault::Place;
use super::link::TO_BALANCER;
use super::request::{NOBODY, Phase, Request, Whereabouts};
use super::session::{Asks, Peers, is_due};
use super::state::Access;
use super::step::{CallPlan, Only, Pause, StepKind, StepPlan};
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::distribution::Sampler;
use lbsim_engine::events::{Calendar, Lane};
use lbsim_engine::rng::{Luck, mix, uniform};
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};

pub(super) use state::WentWithout;

/// Purposes of the luck of an attempt's steps, to which the step, the repetition and the number of
/// the call are added.
const TAKEN: u64 = 1 << 60;
const WORK: u64 = 2 << 60;
const CALL: u64 = 3 << 60;
/// The purpose of a call's luck that delays it on the way to its balancer.
const WAY: u64 = 0x900;
/// The purpose of a request's luck from which the steps of an attempt have theirs; the number of
/// the attempt is added.
const STEPS: u64 = 0x800_0000;

/// Who made which request, and where attempts at servers with steps stand.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// By request.
    callers: Vec<Caller>,
    /// By attempt.
    progress: Vec<Progress>,
    /// Where each server calls from.
    addresses: Vec<IpAddr>,
    /// Rounds of calls under way by server and step, where a step makes only so many at once.
    at_once: BTreeMap<(u32, u32), u32>,
    /// Where the ends of rounds wait that take too long, by how long they may take.
    timeouts: BTreeMap<Span, Lane>,
}

/// Who made a request.
#[derive(Clone, Copy, Debug)]
struct Caller {
    /// The attempt in whose course it was made, or [`NOBODY`] for a client's.
    attempt: u32,
    /// Which of that attempt's rounds of calls; where it is in another one by now, nobody waits for
    /// this one.
    serial: u32,
    /// The server that made it.
    server: u32,
    /// Whether it was answered well, once it has ended.
    good: bool,
    /// How long it was worked on, where it was.
    worked: Span,
    /// What it does with the state of its session.
    access: Option<Access>,
    /// Whether that may be refused.
    compares: bool,
    /// Whether it was.
    is_refused: bool,
}

/// Where an attempt stands among the steps of its server.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// The request as it was sent: its calls are made of it.
    request: Request,
    luck: u64,
    /// Changes with each round of calls, and with each attempt that has this place.
    serial: u32,
    /// Calls of this round that have not ended.
    pending: u32,
    /// Good answers that this round still needs.
    missing: u32,
    /// The step at hand.
    step: u32,
    /// How often it has been done.
    round: u32,
    /// Whether the server's own work has begun.
    begun: bool,
    /// The work for the request itself, where other steps come before it.
    own: Span,
    /// What the request does with the state of its session, where it is the call of a server and
    /// at no service that uses that: `Some(None)` for one that has nothing to do with it.
    call: Option<Option<Access>>,
    /// The version of its session's state that it has read; 0 where there was none, `None` where
    /// nobody has said.
    version: Option<u32>,
    went_without: WentWithout,
    /// When what it waits for is there that is no call, or when it waits for calls no longer; an
    /// event that says otherwise is stale.
    resumes: Time,
    /// What the answer will say, once all steps are done.
    status: Status,
    spent: Spent,
}

/// How an attempt has spent its time at its server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Without a slot, while it needed one.
    pub(super) waited: Span,
    /// Being worked on.
    pub(super) worked: Span,
    /// Waiting for what it had called.
    pub(super) called: Span,
}

impl Calls {
    /// None yet; `None` where no server makes any.
    pub(super) fn new(plan: &Blueprint) -> Option<Box<Calls>> {
        plan.features().steps.then(|| {
            let members = plan
                .services
                .iter()
                .flat_map(|service| service.members.iter());
            let addresses = (0u32..)
                .zip(members)
                .map(|(number, member)| host(&member.address).unwrap_or(unnamed(number)));
            Box::new(Calls {
                addresses: addresses.collect(),
                ..Calls::default()
            })
        })
    }

    /// Whether a request is the call of a server.
    pub(super) fn is_call(&self, request: u32) -> bool {
        self.callers[request as usize].attempt != NOBODY
    }

    /// The server that made a request, where one did.
    pub(super) fn server(&self, request: u32) -> Option<u32> {
        let caller = &self.callers[request as usize];
        (caller.attempt != NOBODY).then_some(caller.server)
    }

    /// Where a request comes from, where a server made it.
    pub(super) fn address(&self, request: u32) -> Option<&IpAddr> {
        let caller = &self.callers[request as usize];
        (caller.attempt != NOBODY).then(|| self.address_of(caller.server))
    }

    /// Where what a server makes comes from.
    pub(super) fn address_of(&self, server: u32) -> &IpAddr {
        &self.addresses[server as usize]
    }

    /// A client has made a request.
    pub(super) fn of_client(&mut self, request: u32) {
        self.made_by(
            request,
            Caller {
                attempt: NOBODY,
                serial: 0,
                server: NOBODY,
                good: false,
                worked: Span::ZERO,
                access: None,
                compares: false,
                is_refused: false,
            },
        );
    }

    fn made_by(&mut self, request: u32, caller: Caller) {
        let place = request as usize;
        if self.callers.len() <= place {
            self.callers.resize(place + 1, caller);
        }
        self.callers[place] = caller;
    }

    /// An attempt of this request has been sent, which uses the state of its session or does not.
    pub(super) fn sent(&mut self, attempt: u32, (id, request): (u32, &Request), uses_state: bool) {
        let caller = &self.callers[id as usize];
        let is_other = caller.attempt != NOBODY && (caller.access.is_some() || !uses_state);
        let call = is_other.then_some(caller.access);
        let number = STEPS + u64::from(request.attempts);
        let fresh = Progress {
            request: *request,
            luck: mix(request.draft.luck ^ mix(number)),
            serial: 0,
            pending: 0,
            missing: 0,
            step: 0,
            round: 0,
            begun: false,
            own: Span::ZERO,
            call,
            version: None,
            went_without: WentWithout::default(),
            resumes: Time::NEVER,
            status: Status::OK,
            spent: Spent::default(),
        };
        let place = attempt as usize;
        if self.progress.len() <= place {
            self.progress.resize(place + 1, fresh);
        }
        // What was called in the course of the attempt that had this place before finds nobody.
        let serial = self.progress[place].serial.wrapping_add(1);
        self.progress[place] = Progress { serial, ..fresh };
    }

    /// Whether its server has begun to work on an attempt; from now on it has.
    pub(super) fn begin(&mut self, attempt: u32) -> bool {
        std::mem::replace(&mut self.progress[attempt as usize].begun, true)
    }

    /// The answer to an attempt will say this, once all steps are done.
    pub(super) fn will_say(&mut self, attempt: u32, status: Status) {
        self.progress[attempt as usize].status = status;
    }

    /// Nobody waits for the calls of an attempt any more.
    pub(super) fn give_up(&mut self, attempt: u32) {
        let serial = &mut self.progress[attempt as usize].serial;
        *serial = serial.wrapping_add(1);
    }

    /// How an attempt has spent its time at its server.
    pub(super) fn spent(&self, attempt: u32) -> Spent {
        self.progress[attempt as usize].spent
    }

    /// All places of attempts.
    pub(super) fn places(&self) -> std::ops::Range<u32> {
        0..self.progress.len() as u32
    }

    /// An attempt has been worked on, after some waiting.
    fn worked(&mut self, attempt: u32, (waited, worked): (Span, Span)) {
        let spent = &mut self.progress[attempt as usize].spent;
        spent.waited += waited;
        spent.worked += worked;
    }
}

/// Names what a step of an attempt draws: its place, its repetition, the number of the call.
fn purpose(kind: u64, step: u32, round: u32, call: u32) -> u64 {
    kind | u64::from(step) << 44 | u64::from(round) << 24 | u64::from(call)
}

/// What comes next.
enum Next<'a> {
    Work(&'a Sampler),
    /// A slot, for the call after it.
    Slot,
    Call(&'a CallPlan),
    Pause(&'a Pause),
    Own(Span),
    Answer,
}

impl<'a> World<'a> {
    /// Whether a request is the call of a server.
    #[inline(always)]
    pub(super) fn is_call(&self, request: u32) -> bool {
        (self.calls.as_ref()).is_some_and(|calls| calls.is_call(request))
    }

    /// What a server does for a request after its own work.
    fn steps(&self, server: u32) -> &'a [StepPlan] {
        &self.servers[server as usize].group_in(self.plan).steps
    }

    /// A server has done a piece of work on an attempt, which waited before, and has its slot if
    /// `holds`: it takes its next step.
    #[inline(never)]
    pub(super) fn end_piece(
        &mut self,
        id: u32,
        (waited, worked): (Span, Span),
        (found, holds): (u16, bool),
        calendar: &mut Calendar<Event>,
    ) {
        if let Some(calls) = &mut self.calls {
            calls.worked(id, (waited, worked));
        }
        self.proceed(id, (found, holds), calendar);
    }

    /// The next step of an attempt: on its slot, or without one.
    fn proceed(&mut self, id: u32, (found, holds): (u16, bool), calendar: &mut Calendar<Event>) {
        let server = self.attempts[id].server;
        if self.is_too_late(id, calendar.now()) {
            self.leave(id, holds, calendar);
            self.refuse(id, Cause::Timeout, calendar);
            return;
        }
        let steps = self.steps(server);
        let shares = self.servers[server as usize].shares();
        let Some(calls) = &mut self.calls else { return };
        let progress = &mut calls.progress[id as usize];
        let next = loop {
            let Some(step) = steps.get(progress.step as usize) else {
                break Next::Answer;
            };
            let is_taken = progress.round > 0
                || match step.only {
                    _ if !step.is_of(usize::from(progress.request.source)) => false,
                    Only::Drawn if step.probability >= 1.0 => true,
                    Only::Drawn => {
                        let purpose = purpose(TAKEN, progress.step, 0, 0);
                        uniform(&mut Luck::new(progress.luck, purpose)) < step.probability
                    }
                    only => {
                        let place = (server, calendar.now());
                        let asks = Asks {
                            request: &progress.request,
                            call: progress.call,
                            known: &mut progress.version,
                            peers: Peers::new(&self.servers, self.plan, &self.disturbed),
                        };
                        is_due(only, &mut self.sessions, asks, place, &mut self.tally)
                    }
                };
            if !is_taken || progress.round == step.repeat {
                progress.step += 1;
                progress.round = 0;
                continue;
            }
            match &step.kind {
                StepKind::Call(call) if call.blocking && !holds && !shares => break Next::Slot,
                StepKind::Pause(pause) if pause.blocking && !holds && !shares => break Next::Slot,
                StepKind::Call(call) => break Next::Call(call),
                StepKind::Work(work) => break Next::Work(work),
                StepKind::Pause(pause) => break Next::Pause(pause),
                StepKind::Own => break Next::Own(progress.own),
            }
        };
        let (step, round) = (progress.step, progress.round);
        match next {
            Next::Answer => self.complete(id, (found, holds), calendar),
            Next::Slot => self.work_on(id, Span::ZERO, (found, holds), calendar),
            Next::Work(work) => {
                progress.round += 1;
                let luck = &mut Luck::new(progress.luck, purpose(WORK, step, round, 0));
                let speed = self.servers[server as usize].group_in(self.plan).speed;
                let work = Span::from_seconds(work.sample(luck) / speed);
                self.work_on(id, work, (found, holds), calendar);
            }
            Next::Own(work) => {
                progress.round += 1;
                self.work_on(id, work, (found, holds), calendar);
            }
            Next::Pause(pause) => {
                progress.round += 1;
                let luck = &mut Luck::new(progress.luck, purpose(WORK, step, round, 0));
                let takes = Span::from_seconds(pause.takes.sample(luck));
                progress.resumes = calendar.now() + takes;
                self.go_away(id, pause.blocking, (found, holds), calendar);
                calendar.after(takes, Event::Resumed(id));
            }
            Next::Call(call) => {
                progress.round += 1;
                self.call_all(id, (step, round), call, (found, holds), calendar);
            }
        }
    }

    /// A server works on an attempt again: at once where that has its slot, else when it gets one.
    fn work_on(
        &mut self,
        id: u32,
        work: Span,
        (found, holds): (u16, bool),
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let place = &mut self.servers[self.attempts[id].server as usize];
        if holds {
            let ends = now + place.takes(work);
            self.attempts[id].phase = Phase::Serving {
                found,
                status: Status::OK,
                begun: now,
                waited: Span::ZERO,
                ends,
            };
            calendar.at(ends, Event::Finish(id));
        } else if place.shares() {
            self.share_on(id, (found, Status::OK, work), calendar);
        } else if place.has_free_slot() {
            self.start(id, (found, Span::ZERO, work), calendar);
        } else {
            self.wait(id, (found, work), now);
        }
    }

    /// All steps of an attempt are done: it is answered.
    fn complete(&mut self, id: u32, (found, holds): (u16, bool), calendar: &mut Calendar<Event>) {
        let attempt = self.attempts[id];
        let Some(calls) = &self.calls else { return };
        let mut status = calls.progress[id as usize].status;
        if self.servers[attempt.server as usize].irregular && !status.is_error() {
            // Its own slot is to be given back yet.
            let own = u32::from(holds);
            status = self.status_under_load(id, own, calendar.now());
        }
        self.leave(id, holds, calendar);
        if status.is_error() {
            self.err_back(id, status, calendar);
            return;
        }
        let Some(calls) = &self.calls else { return };
        let Spent { waited, worked, .. } = calls.spent(id);
        self.count_answer(&attempt, waited);
        self.served(id, (attempt, found), (waited, worked), calendar);
    }

    /// An attempt leaves its server, whose slot it has if `holds`.
    fn leave(&mut self, id: u32, holds: bool, calendar: &mut Calendar<Event>) {
        let attempt = self.attempts[id];
        self.attempts[id].phase = Phase::Gone;
        if holds {
            self.servers[attempt.server as usize].vacate(&attempt, &mut self.attempts);
            self.start_next(attempt.server, calendar);
        }
    }

    /// A server makes the calls of a step in the course of an attempt, which keeps its slot or
    /// gives it back.
    fn call_all(
        &mut self,
        id: u32,
        (step, round): (u32, u32),
        plan: &'a CallPlan,
        (found, holds): (u16, bool),
        calendar: &mut Calendar<Event>,
    ) {
        let attempt = self.attempts[id];
        if let (Some(most), Some(calls)) = (plan.at_once, &mut self.calls) {
            let under_way = calls.at_once.entry((attempt.server, step)).or_default();
            if *under_way >= most {
                let error = (!plan.optional).then_some(Status::ERROR);
                self.go_without(id, error, (found, holds), calendar);
                return;
            }
            *under_way += 1;
        }
        self.go_away(id, plan.blocking, (found, holds), calendar);
        let Some(calls) = &mut self.calls else { return };
        let progress = &mut calls.progress[id as usize];
        progress.serial = progress.serial.wrapping_add(1);
        progress.pending = plan.services.len() as u32;
        progress.missing = plan.wait_for;
        progress.resumes = plan.timeout.map_or(Time::NEVER, |timeout| {
            let lane = calls.timeouts.entry(timeout);
            let lane = lane.or_insert_with(|| calendar.lane(timeout));
            calendar.after_lane(*lane, Event::Resumed(id))
        });
        let Progress {
            request,
            luck,
            serial,
            ..
        } = *progress;
        let caller = Caller {
            attempt: id,
            serial,
            server: attempt.server,
            good: false,
            worked: Span::ZERO,
            access: plan.access,
            compares: plan.compares,
            is_refused: false,
        };
        for (number, &service) in plan.services.iter().enumerate() {
            let purpose = purpose(CALL, step, round, number as u32);
            let luck = mix(luck ^ mix(purpose));
            self.call(caller, (&request, luck), (service, plan), calendar);
        }
    }

    /// An attempt waits for something that is not at its server, and keeps its slot meanwhile or
    /// gives it back.
    fn go_away(
        &mut self,
        id: u32,
        blocking: bool,
        (found, holds): (u16, bool),
        calendar: &mut Calendar<Event>,
    ) {
        let since = calendar.now();
        let attempt = self.attempts[id];
        let held = holds && blocking;
        self.attempts[id].phase = Phase::Calling { found, since, held };
        if !held {
            self.servers[attempt.server as usize].away += 1;
        }
        if holds && !held {
            self.servers[attempt.server as usize].vacate(&attempt, &mut self.attempts);
            self.start_next(attempt.server, calendar);
        }
    }

    /// A server calls a service.
    fn call(
        &mut self,
        caller: Caller,
        (cause, luck): (&Request, u64),
        (service, plan): (usize, &CallPlan),
        calendar: &mut Calendar<Event>,
    ) {
        let mut draft = cause.draft;
        (draft.luck, draft.service) = (luck, -1.0);
        let balancer = self.services[service].instance(&draft, Asker::Server(caller.server));
        let (to_balancer, from_balancer) = self.ways_from_server(
            (caller.server, &plan.to_balancer),
            (service, balancer),
            Luck::new(luck, WAY),
        );
        let request = self.requests.insert(Request {
            draft,
            arrived: calendar.now(),
            service: service as u16,
            balancer,
            attempts: 0,
            whereabouts: Whereabouts::Here,
            live: NOBODY,
            tried_count: 0,
            tried: [0; 3],
            queued: Time::NEVER,
            from_balancer,
            ..*cause
        });
        if cause.measured {
            self.tally.services[service].requests += 1;
        }
        if let Some(calls) = &mut self.calls {
            calls.made_by(request, caller);
        }
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.called(request, caller.attempt);
        }
        let (from, to) = (Place::Server(caller.server), self.balancer_of(request));
        let longer = self.passage(from, to, (luck, TO_BALANCER));
        self.set_out(request, to_balancer, longer, calendar);
    }
}
