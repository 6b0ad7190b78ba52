//! Faults at work: crashes and repairs, slowdowns, drains, servers that join and leave.

use super::fault::{Effect, InFlight, Schedule, WhileDown};
use super::request::{Attempt, NOBODY, Phase};
use super::server::State;
use super::{Event, World};
use crate::observe::{Cause, Loss};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Domain, Luck, Rng, uniform, uniform_open};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;

/// The purpose of a request's luck that decides whether it is answered with an error; the number of
/// the attempt is added.
const ERROR: u64 = 0x800;

/// One fault at one server: it holds, or does not.
#[derive(Clone, Debug)]
pub(super) struct Strike {
    fault: u32,
    server: u32,
    holds: bool,
    /// For faults at random times.
    rng: Option<Rng>,
}

fn exponential(mean: f64, rng: &mut Rng) -> Span {
    Span::from_seconds(-libm::log(uniform_open(rng)) * mean)
}

impl World<'_> {
    pub(super) fn schedule_faults(&mut self, calendar: &mut Calendar<Event>) {
        if !self.plan.faults.is_empty() {
            self.effects = vec![Vec::new(); self.servers.len()];
        }
        let mut at_once = Vec::new();
        for (index, fault) in self.plan.faults.iter().enumerate() {
            for &server in &fault.servers {
                let strike = self.strikes.len() as u32;
                let mut rng = None;
                match fault.schedule {
                    Schedule::Once(begins, ends) => {
                        // What holds from the beginning holds before the first request.
                        if begins == Time::ZERO {
                            at_once.push(strike);
                        } else {
                            calendar.at(begins, Event::Strike(strike));
                        }
                        calendar.at(ends, Event::Strike(strike));
                    }
                    Schedule::Random(mtbf, _) => {
                        let mut own =
                            self.stream(Domain::Fault, (index as u64) << 32 | u64::from(server));
                        calendar.after(exponential(mtbf, &mut own), Event::Strike(strike));
                        rng = Some(own);
                    }
                }
                self.strikes.push(Strike {
                    fault: index as u32,
                    server,
                    holds: false,
                    rng,
                });
            }
        }
        for strike in at_once {
            self.strike(strike, calendar);
        }
    }

    /// A fault begins at a server, or ends.
    pub(super) fn strike(&mut self, index: u32, calendar: &mut Calendar<Event>) {
        let strike = &mut self.strikes[index as usize];
        strike.holds = !strike.holds;
        let (server, holds) = (strike.server, strike.holds);
        let fault = &self.plan.faults[strike.fault as usize];
        if let (Schedule::Random(mtbf, mttr), Some(rng)) = (fault.schedule, &mut strike.rng) {
            let pause = exponential(if holds { mttr } else { mtbf }, rng);
            calendar.after(pause, Event::Strike(index));
        }
        let effects = &mut self.effects[server as usize];
        if holds {
            effects.push(fault.effect);
        } else if let Some(at) = effects.iter().position(|&effect| effect == fault.effect) {
            effects.remove(at);
        }
        // Faults may overlap: what a server is like follows from all that hold.
        let effects = effects.as_slice();
        let any = |kind: fn(&Effect) -> bool| effects.iter().any(kind);
        match fault.effect {
            Effect::Crash(in_flight, _) => {
                let state = if any(|effect| matches!(effect, Effect::Crash(_, WhileDown::Hang))) {
                    State::Hanging
                } else if any(|effect| matches!(effect, Effect::Crash(..))) {
                    State::Refusing
                } else {
                    State::Up
                };
                let before = std::mem::replace(&mut self.servers[server as usize].state, state);
                if holds {
                    self.crash(server, in_flight, calendar);
                } else if before == State::Hanging && state != State::Hanging {
                    // It knows nothing of those who hung on it.
                    self.drop_waiting(server, calendar);
                }
                if before != state {
                    self.wake_checks(server, calendar);
                }
            }
            Effect::Slowdown(_) => {
                let pace = (effects.iter())
                    .map(|effect| match effect {
                        Effect::Slowdown(speed) => *speed,
                        _ => 1.0,
                    })
                    .product();
                self.set_pace(server, pace, calendar);
            }
            Effect::Drain => {
                let drained = any(|effect| *effect == Effect::Drain);
                self.set_everywhere(server, Reason::Draining, drained, calendar);
            }
            Effect::Errors(..) => {
                let errs = any(|effect| matches!(effect, Effect::Errors(..)));
                self.servers[server as usize].errs = errs;
            }
        }
    }

    /// A server dies. Its sessions are gone; what it was doing is lost, or finished.
    fn crash(&mut self, server: u32, in_flight: InFlight, calendar: &mut Calendar<Event>) {
        self.wipe_sessions(server, calendar.now());
        if in_flight == InFlight::Lost {
            self.drop_all(server, calendar);
        }
    }

    /// Whether a server answers an attempt of a request with an error: after so much work, where
    /// the fault says so, else after all that any request takes.
    #[cold]
    #[inline(never)]
    pub(super) fn err(&self, attempt: u32) -> Option<Option<Span>> {
        let Attempt {
            request, server, ..
        } = self.attempts[attempt];
        if request == NOBODY {
            return None;
        }
        let request = &self.requests[request];
        let number = u64::from(request.attempts);
        let mut luck = Luck::new(request.draft.luck, ERROR + number);
        let errs = |effect: &Effect| match *effect {
            Effect::Errors(share, takes) => (uniform(&mut luck) < share).then_some(takes),
            _ => None,
        };
        self.effects[server as usize].iter().find_map(errs)
    }

    /// How much work an attempt is at a server that errs, and whether its answer is an error as
    /// soon as that is done.
    #[cold]
    #[inline(never)]
    pub(super) fn work_with_errors(&mut self, attempt: u32, work: Span) -> (Span, bool) {
        match (self.err(attempt), &mut self.calls) {
            (None, _) => (work, false),
            (Some(Some(takes)), _) => (takes, true),
            (Some(None), None) => (work, true),
            // As long as any other: with all its steps.
            (Some(None), Some(calls)) => {
                calls.will_err(attempt);
                (work, false)
            }
        }
    }

    fn wipe_sessions(&mut self, server: u32, now: Time) {
        for sessions in self.sessions.iter_mut().flatten() {
            let wiped = sessions.wipe(server, now);
            self.tally
                .sessions_lost(now, Loss::Crash, wiped.lost, wiped.hurt);
        }
    }

    /// All that a dying server has is lost. Connections to a dead process break at once; a dead
    /// machine says nothing, so what it had hangs like what comes.
    fn drop_all(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let refuses = self.servers[server as usize].state == State::Refusing;
        let shared = self.clear_sharing(server, calendar);
        let mut working: Vec<u32> = self.servers[server as usize]
            .serving(&self.attempts)
            .collect();
        for &id in &working {
            let attempt = self.attempts[id];
            if let Phase::Serving { begun, .. } = attempt.phase {
                self.free_slot(id, &attempt, begun, now);
            }
        }
        working.extend(self.away(server));
        for &id in &working {
            self.drop_calling(id, now);
        }
        working.extend(shared);
        if refuses {
            self.drop_waiting(server, calendar);
        }
        for id in working {
            if refuses {
                self.refuse(id, Cause::Crash, calendar);
            } else if self.attempts[id].request == NOBODY {
                self.forget(id, now);
            } else {
                self.attempts[id].phase = Phase::Waiting {
                    found: 0,
                    since: now,
                    work: Span::FOREVER,
                };
                self.servers[server as usize].enqueue(id, &mut self.attempts);
            }
        }
    }

    fn drop_waiting(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let mut waiting = Vec::new();
        while let Some(id) = self.servers[server as usize].dequeue(&self.attempts) {
            waiting.push(id);
        }
        for id in waiting {
            self.refuse(id, Cause::Crash, calendar);
        }
    }

    /// A server works at another pace from now on.
    fn set_pace(&mut self, server: u32, pace: f64, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        self.settle_sharing(server, now);
        let old = std::mem::replace(&mut self.servers[server as usize].pace, pace);
        self.plan_sharing(server, calendar);
        let working: Vec<u32> = self.servers[server as usize]
            .serving(&self.attempts)
            .collect();
        for id in working {
            if let Phase::Serving { ends, .. } = &mut self.attempts[id].phase {
                let left = Span::from_seconds((*ends - now).seconds() * old / pace);
                *ends = now + left;
                calendar.at(*ends, Event::Finish(id));
            }
        }
    }

    /// Lets a reason hold for a server at all balancers of its service.
    fn set_everywhere(
        &mut self,
        server: u32,
        reason: Reason,
        holds: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let index = usize::from(self.servers[server as usize].service);
        let service = &self.services[index];
        let member = server - service.first;
        for balancer in 0..service.balancers.len() {
            self.set_reason((index, balancer), member, (reason, holds), calendar);
        }
    }

    pub(super) fn schedule_membership(&mut self, calendar: &mut Calendar<Event>) {
        for server in 0..self.servers.len() as u32 {
            let (joins, leaves) = self.membership(server);
            if joins > Time::ZERO {
                self.set_everywhere(server, Reason::Absent, true, calendar);
                calendar.at(joins, Event::Membership(server));
            }
            calendar.at(leaves, Event::Membership(server));
        }
    }

    fn membership(&self, server: u32) -> (Time, Time) {
        let place = &self.servers[server as usize];
        let group = &self.plan.services[place.service as usize].groups[place.group as usize];
        (group.joins, group.leaves)
    }

    /// A server joins or leaves its pool.
    pub(super) fn update_membership(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let (joins, leaves) = self.membership(server);
        self.set_everywhere(
            server,
            Reason::Absent,
            now < joins || now >= leaves,
            calendar,
        );
    }
}
