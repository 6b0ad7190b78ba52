//! Servers that die: what they were doing is lost or finished, their sessions are gone.

use super::blueprint::Callers;
use super::fault::{InFlight, WhileDown};
use super::request::{NOBODY, Phase};
use super::server::State;
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_engine::time::Span;

impl World<'_> {
    /// The server is up, or dead in this way, from now on; a crash that begins says what becomes of
    /// what it has.
    pub(super) fn set_state(
        &mut self,
        server: u32,
        state: State,
        crash: Option<InFlight>,
        calendar: &mut Calendar<Event>,
    ) {
        let before = std::mem::replace(&mut self.servers[server as usize].state, state);
        // A dead process breaks its connections at once; of those to a dead machine that nobody has
        // given up it knows nothing when it is back.
        if self.flows.is_some() && before != state && state != State::Hanging {
            self.close_flows_to(server, calendar);
        }
        if let Some(in_flight) = crash {
            self.crash(server, in_flight, calendar);
        } else if before == State::Hanging && state != State::Hanging {
            // It knows nothing of those who hung on it.
            self.drop_waiting(server, calendar);
        }
        if before != state && self.flows.is_some() {
            self.caller_changed(server, state == State::Up, calendar);
        }
        if before != state {
            let (place, now) = (server as usize, calendar.now());
            if state == State::Up {
                self.tally.load.revives(place, now);
                self.start_cold(server, calendar);
            } else {
                self.tally.load.dies(place, now);
            }
            self.wake_checks(server, calendar);
            if self.has_outages {
                self.strike_own_balancers(server, (before, state), calendar);
            }
        }
    }

    /// Balancers that are a server's own die with it, and are back with it.
    fn strike_own_balancers(
        &mut self,
        server: u32,
        (before, state): (State, State),
        calendar: &mut Calendar<Event>,
    ) {
        let (was_up, is_up) = (before == State::Up, state == State::Up);
        if was_up == is_up {
            return;
        }
        for index in 0..self.services.len() {
            let callers = self.services[index].plan.callers.as_ref();
            let own = callers.map_or(Callers::NONE, |callers| callers.of_server[server as usize]);
            if own != Callers::NONE {
                let balancer = (index as u16, own);
                self.strike_balancer(balancer, WhileDown::Refuse, was_up, calendar);
            }
        }
    }

    /// A server dies. Its sessions are gone; what it was doing is lost, or finished.
    fn crash(&mut self, server: u32, in_flight: InFlight, calendar: &mut Calendar<Event>) {
        self.lose_states(server, false, calendar.now());
        if in_flight == InFlight::Lost {
            self.drop_all(server, calendar);
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
                self.count_wasted(now - begun);
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
                self.wait(id, (0, Span::FOREVER), now);
            }
        }
    }

    fn drop_waiting(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let mut waiting = Vec::new();
        let place = &mut self.servers[server as usize];
        while let Some(id) = place.dequeue(&self.attempts) {
            waiting.push(id);
        }
        while let Some(id) = place.dequeue_own(calendar.now(), &mut waiting) {
            waiting.push(id);
        }
        for id in waiting {
            self.refuse(id, Cause::Crash, calendar);
        }
    }
}
