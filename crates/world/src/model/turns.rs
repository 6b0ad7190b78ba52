//! Rolling restarts whose servers go down as soon as they have nothing left: each turn begins when
//! all of the one before are back, and nobody knows beforehand when that is.

use std::collections::BTreeMap;

use super::fault::{Fault, Stage, Turn};
use super::faults::Target;
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::Time;

/// All rolling restarts of this kind.
#[derive(Debug, Default)]
pub(super) struct Relays {
    /// By the number of the fault in the scenario.
    relays: BTreeMap<usize, Relay>,
    /// Servers that are drained and will go down, each with the strike that takes it down.
    leaving: BTreeMap<u32, u32>,
}

/// A rolling restart.
#[derive(Debug, Default)]
struct Relay {
    /// Of each turn the parts: the drain, the crash, and what is released; of each part the strike
    /// of the first server, which those of the others follow.
    turns: Vec<Vec<u32>>,
    /// Servers of the turn at hand that are not back yet.
    awaited: u32,
}

impl Relays {
    /// Takes note of the first strike of a fault that is a part of a turn.
    pub(super) fn note(&mut self, fault: &Fault, turn: Turn, strike: u32) {
        let relay = self.relays.entry(fault.number).or_default();
        let number = turn.number as usize;
        relay
            .turns
            .resize(relay.turns.len().max(number + 1), Vec::new());
        relay.turns[number].push(strike);
        if number == 0 {
            relay.awaited = fault.servers().len() as u32;
        }
    }
}

impl World<'_> {
    /// A strike that is a part of a turn is due at this time, and no more at another.
    fn set_due(&mut self, strike: u32, at: Time, calendar: &mut Calendar<Event>) {
        self.strikes[strike as usize].due = at;
        calendar.at(at, Event::Strike(strike));
    }

    /// A part of a turn has begun at a server, or has ended: what follows from that.
    pub(super) fn go_on_with_turn(
        &mut self,
        strike: u32,
        turn: Turn,
        calendar: &mut Calendar<Event>,
    ) {
        let (now, plan) = (calendar.now(), self.plan);
        let this = &self.strikes[strike as usize];
        let (holds, fault) = (this.holds, &plan.faults[this.fault as usize]);
        let Target::One(place) = this.target else {
            return;
        };
        let server = fault.servers()[place as usize];
        let parts = self.relays.relays[&fault.number].turns[turn.number as usize].clone();
        match (turn.stage, holds) {
            (Stage::Drain(at_most), true) => {
                let restart = parts[1] + place;
                self.relays.leaving.insert(server, restart);
                self.set_due(restart, now + at_most, calendar);
                self.may_go_down(server, calendar);
            }
            (Stage::Down { lasts, .. }, true) => {
                self.relays.leaving.remove(&server);
                self.set_due(strike, now + lasts, calendar);
            }
            (Stage::Down { pause, before, .. }, false) => {
                self.set_due(parts[0] + place, now, calendar);
                if now < before {
                    for &released in &parts[2..] {
                        self.set_due(released + place, now, calendar);
                    }
                }
                let next = (turn.number as usize + 1, now + pause);
                self.come_back(fault.number, next, before, calendar);
            }
            (Stage::Released(until), true) => self.set_due(strike, until, calendar),
            (Stage::Drain(_) | Stage::Released(_), false) => {}
        }
    }

    /// A server of a turn is back: with the last of them the next turn is due, if it has a time
    /// before this one.
    fn come_back(
        &mut self,
        number: usize,
        (next, at): (usize, Time),
        before: Time,
        calendar: &mut Calendar<Event>,
    ) {
        let Some(relay) = self.relays.relays.get_mut(&number) else {
            return;
        };
        relay.awaited -= 1;
        if relay.awaited > 0 || at >= before {
            return;
        }
        let Some(&first) = relay.turns.get(next).and_then(|parts| parts.first()) else {
            return;
        };
        let fault = self.strikes[first as usize].fault as usize;
        relay.awaited = self.plan.faults[fault].servers().len() as u32;
        for strike in first..first + relay.awaited {
            self.set_due(strike, at, calendar);
        }
    }

    /// A server may have nothing left to do: if it is to go down then, it does.
    pub(super) fn may_go_down(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        if let Some(&restart) = self.relays.leaving.get(&server)
            && self.servers[server as usize].present() == 0
            && self.strikes[restart as usize].due > calendar.now()
        {
            self.set_due(restart, calendar.now(), calendar);
        }
    }
}
