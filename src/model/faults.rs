//! Faults at work: crashes and repairs, slowdowns, drains, servers that join and leave.

use super::fault::{Effect, InFlight, Schedule, WhileDown};
use super::request::{NOBODY, Phase};
use super::{Event, World};
use crate::balancer::Reason;
use crate::engine::Calendar;
use crate::observe::{Cause, Loss};
use crate::rng::{Domain, Rng, uniform_open};
use crate::time::{Span, Time};

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
        for (index, fault) in self.plan.faults.iter().enumerate() {
            for &server in &fault.servers {
                let strike = self.strikes.len() as u32;
                let mut rng = None;
                match fault.schedule {
                    Schedule::Once(begins, ends) => {
                        calendar.at(begins, Event::Strike(strike));
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
        match fault.effect {
            Effect::Crash(in_flight, while_down) if holds => {
                self.crash(server, in_flight, while_down, calendar)
            }
            Effect::Crash(..) => self.recover(server, calendar),
            Effect::Slowdown(speed) => {
                if holds {
                    self.slowdowns.push((server, speed));
                } else if let Some(at) = self
                    .slowdowns
                    .iter()
                    .position(|&slow| slow == (server, speed))
                {
                    self.slowdowns.remove(at);
                }
                let pace = self
                    .slowdowns
                    .iter()
                    .filter(|slow| slow.0 == server)
                    .map(|slow| slow.1)
                    .product();
                self.set_pace(server, pace, calendar);
            }
            Effect::Drain => self.set_everywhere(server, Reason::Draining, holds, calendar),
        }
    }

    /// A server dies. Its sessions are gone; what it was doing is lost, or finished.
    fn crash(
        &mut self,
        server: u32,
        in_flight: InFlight,
        while_down: WhileDown,
        calendar: &mut Calendar<Event>,
    ) {
        let place = &mut self.servers[server as usize];
        place.down += 1;
        if place.down > 1 {
            return;
        }
        place.while_down = while_down;
        if in_flight == InFlight::Lost {
            self.wipe_sessions(server, calendar.now());
            self.drop_all(server, while_down, calendar);
        }
        self.wake_checks(server, calendar);
    }

    /// A server is back, and knows nothing of those who hung on it.
    fn recover(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let place = &mut self.servers[server as usize];
        place.down -= 1;
        if place.down > 0 {
            return;
        }
        if place.while_down == WhileDown::Hang {
            self.drop_waiting(server, calendar);
        }
        // Those whose work went on while it took nobody new still have their slots.
        self.wake_checks(server, calendar);
    }

    fn wipe_sessions(&mut self, server: u32, now: Time) {
        let mut lost = 0;
        for sessions in self.sessions.iter_mut().flatten() {
            lost += sessions.wipe(server, now);
        }
        self.tally.sessions_lost(now, lost, Loss::Crash);
    }

    /// All that a dying server has is lost. Connections to a dead process break at once; a dead machine says
    /// nothing, so what it had hangs like what comes.
    fn drop_all(&mut self, server: u32, while_down: WhileDown, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
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
        working.extend(shared);
        if while_down == WhileDown::Refuse {
            self.drop_waiting(server, calendar);
        }
        for id in working {
            if while_down == WhileDown::Refuse {
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
