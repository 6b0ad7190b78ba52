//! Faults at work: they begin and end, and what a server is like follows from all that hold.

use super::blueprint::Blueprint;
use super::fault::{Effect, Fault, Schedule, Stage, Strikes, WhileDown};
use super::held::Held;
use super::request::Phase;
use super::server::{Server, State};
use super::{Event, World};
use crate::observe::FaultTime;
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Domain, Rng, below};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;

/// A fault at one of its targets, or at all: it holds, or does not.
#[derive(Clone, Debug)]
pub(super) struct Strike {
    pub(super) fault: u32,
    /// Which of its targets.
    pub(super) target: Target,
    pub(super) holds: bool,
    /// Where it is a part of a turn, when it begins or ends next; an event that says otherwise is
    /// stale.
    pub(super) due: Time,
    /// When it began or ended last.
    since: Time,
    /// For faults that come again.
    rng: Option<Rng>,
}

/// Which of a fault's targets are struck.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// All at once.
    All,
    /// This one.
    One(u32),
    /// These at once.
    Some(Vec<u32>),
}

/// In place of a server, in the names of a fault's streams: all of them; and the draw of those that
/// are struck.
const TOGETHER: u32 = u32::MAX;
const PART: u32 = u32::MAX - 1;

impl World<'_> {
    pub(super) fn schedule_faults(&mut self, calendar: &mut Calendar<Event>) {
        let plan = self.plan;
        if plan.faults.iter().any(|fault| !fault.servers().is_empty()) {
            self.effects = vec![Vec::new(); self.servers.len()];
        }
        let mut at_once = Vec::new();
        for (index, fault) in (0u32..).zip(&plan.faults) {
            let together = matches!(fault.schedule, Schedule::Again { together: true, .. });
            let each = |count: usize| (0..count as u32).map(Target::One).collect();
            let targets: Vec<Target> = match (&fault.strikes, self.drawn(index, fault)) {
                (Strikes::Servers(..), Some(drawn)) if together => vec![Target::Some(drawn)],
                (Strikes::Servers(..), Some(drawn)) => drawn.into_iter().map(Target::One).collect(),
                (Strikes::Servers(servers, _), None) if !together => each(servers.len()),
                (Strikes::Balancers(balancers, _), _) if !together => each(balancers.len()),
                _ => vec![Target::All],
            };
            let first = self.strikes.len() as u32;
            if let Schedule::Turn(turn) = fault.schedule {
                self.relays.note(fault, turn, first);
            }
            for target in targets {
                let strike = self.strikes.len() as u32;
                let (mut rng, mut due) = (None, Time::NEVER);
                // What holds from the beginning holds before the first request.
                let mut begin = |at: Time, calendar: &mut Calendar<Event>| {
                    if at == Time::ZERO {
                        at_once.push(strike);
                    } else {
                        calendar.at(at, Event::Strike(strike));
                    }
                };
                match &fault.schedule {
                    Schedule::Once(begins, ends) => {
                        begin(*begins, calendar);
                        calendar.at(*ends, Event::Strike(strike));
                    }
                    Schedule::Turn(turn) => {
                        if let (0, Stage::Drain(_)) = (turn.number, turn.stage) {
                            begin(turn.earliest, calendar);
                            due = turn.earliest;
                        }
                    }
                    Schedule::Again { from, well, .. } => {
                        // A server has a stream of its own, whoever else is struck.
                        let entity = match (&fault.strikes, &target) {
                            (Strikes::Servers(servers, _), Target::One(at)) => {
                                servers[*at as usize]
                            }
                            (_, Target::One(at)) => *at,
                            (_, Target::All | Target::Some(_)) => TOGETHER,
                        };
                        let mut own = self.fault_stream(index, entity);
                        calendar.at(*from + well.draw(&mut own), Event::Strike(strike));
                        rng = Some(own);
                    }
                }
                self.strikes.push(Strike {
                    fault: index,
                    target,
                    holds: false,
                    due,
                    since: Time::ZERO,
                    rng,
                });
            }
        }
        for strike in at_once {
            self.strike(strike, calendar);
        }
    }

    /// The stream of a fault at a server.
    fn fault_stream(&self, fault: u32, server: u32) -> Rng {
        self.stream(Domain::Fault, u64::from(fault) << 32 | u64::from(server))
    }

    /// Which of its servers a fault strikes that strikes a part of them, by their places among
    /// them, in order: any so many are as likely as any others (Fisher and Yates, 1938).
    fn drawn(&self, index: u32, fault: &Fault) -> Option<Vec<u32>> {
        let mut places: Vec<u32> = (0..fault.servers().len() as u32).collect();
        let only = (fault.only? as usize).min(places.len());
        let mut rng = self.fault_stream(index, PART);
        for at in 0..only {
            let other = at + below(&mut rng, places.len() - at);
            places.swap(at, other);
        }
        places.truncate(only);
        places.sort_unstable();
        Some(places)
    }

    /// A fault begins, or ends.
    pub(super) fn strike(&mut self, index: u32, calendar: &mut Calendar<Event>) {
        let strike = &mut self.strikes[index as usize];
        let schedule = &self.plan.faults[strike.fault as usize].schedule;
        if matches!(schedule, Schedule::Turn(_)) {
            if strike.due != calendar.now() {
                return;
            }
            strike.due = Time::NEVER;
        }
        strike.holds = !strike.holds;
        let since = std::mem::replace(&mut strike.since, calendar.now());
        let (number, target, holds) = (strike.fault, strike.target.clone(), strike.holds);
        let fault = &self.plan.faults[number as usize];
        if let (Schedule::Again { well, ill, .. }, Some(rng)) = (&fault.schedule, &mut strike.rng) {
            let pause = if holds { ill } else { well }.draw(rng);
            calendar.after(pause, Event::Strike(index));
        }
        if !holds {
            self.count_held(number, since, calendar.now());
        }
        match &fault.strikes {
            Strikes::Servers(servers, effect) => {
                for server in struck(servers, &target) {
                    self.strike_server(server, (index, *effect), holds, calendar);
                }
            }
            Strikes::Balancers(balancers, answers) => {
                for balancer in struck(balancers, &target) {
                    self.strike_balancer(balancer, *answers, holds, calendar);
                }
            }
            Strikes::Ways(ways, _) => {
                if holds {
                    self.disturbed.push(number);
                } else {
                    self.disturbed.retain(|&other| other != number);
                }
                self.note_ways(ways, holds, calendar.now());
            }
        }
        if let Schedule::Turn(turn) = fault.schedule {
            self.go_on_with_turn(index, turn, calendar);
        }
    }

    /// A fault held for one of its targets, or for all, which counts where its times are drawn.
    fn count_held(&mut self, fault: u32, since: Time, until: Time) {
        let mut counted = self.tally.faults.iter_mut();
        if let Some(held) = counted.find(|held| held.fault == fault) {
            held.add(since, until);
        }
    }

    /// Counts the faults that still hold when the run is over.
    pub(super) fn close_faults(&mut self, reached: Time) {
        let holding: Vec<(u32, Time)> = (self.strikes.iter())
            .filter(|strike| strike.holds)
            .map(|strike| (strike.fault, strike.since))
            .collect();
        for (fault, since) in holding {
            self.count_held(fault, since, reached);
        }
    }

    /// A fault begins at a server, or ends. Faults may overlap: what a server is like follows from
    /// all that hold.
    fn strike_server(
        &mut self,
        server: u32,
        (strike, effect): (u32, Effect),
        holds: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        if effect.is_failure() {
            self.note_illness(server, holds, now);
        }
        let held = &mut self.effects[server as usize];
        match held.iter().position(|held| held.strike == strike) {
            None if holds => held.push(Held::new(effect, strike, now)),
            // It was going, and has not gone.
            Some(at) if holds => held[at].come(now),
            Some(at) if !held[at].go(now) => {
                held.remove(at);
            }
            _ => {}
        }
        let held = held.as_slice();
        let any = |kind: fn(&Effect) -> bool| held.iter().any(|held| kind(&held.effect));
        match effect {
            Effect::Crash(in_flight, _) => {
                let state = if any(|effect| matches!(effect, Effect::Crash(_, WhileDown::Hang))) {
                    State::Hanging
                } else if any(|effect| matches!(effect, Effect::Crash(..))) {
                    State::Refusing
                } else {
                    State::Up
                };
                self.set_state(server, state, holds.then_some(in_flight), calendar);
            }
            Effect::Slowdown { .. } => self.change_pace(server, calendar),
            Effect::Pause | Effect::Slots(_) => {
                let own = self.servers[server as usize].group_in(self.plan).slots;
                let slots = held.iter().fold(own, |slots, held| match held.effect {
                    Effect::Slots(most) => slots.min(most),
                    _ => slots,
                });
                let stands = any(|effect| *effect == Effect::Pause);
                self.set_slots(server, (slots, stands), calendar);
            }
            Effect::Drain => {
                let drained = self.is_drained(server);
                self.set_everywhere(server, Reason::Draining, drained, calendar);
            }
            Effect::Answers { .. } | Effect::Hang(_) => {
                let hang = any(|effect| matches!(effect, Effect::Hang(_)));
                let answers = any(|effect| matches!(effect, Effect::Answers { .. }));
                let place = &mut self.servers[server as usize];
                let by_load = place.group_in(self.plan).under_load.is_some();
                place.irregular = answers || hang || by_load;
                if !hang {
                    self.let_go(server, calendar);
                }
            }
        }
    }

    /// Whether a server is being drained: by a fault, or by an autoscaler that removes it.
    pub(super) fn is_drained(&self, server: u32) -> bool {
        let held = self.effects.get(server as usize);
        let by_fault = held.is_some_and(|all| all.iter().any(|one| one.effect == Effect::Drain));
        by_fault || self.is_removed(server)
    }

    /// A server works at another pace from now on.
    pub(super) fn set_pace(&mut self, server: u32, pace: f64, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        self.settle_sharing(server, now);
        // What stands still has been worked on until then.
        let since = self.stopped.get(&server).copied().unwrap_or(now);
        let old = std::mem::replace(&mut self.servers[server as usize].pace, pace);
        self.plan_sharing(server, calendar);
        let working: Vec<u32> = self.servers[server as usize]
            .serving(&self.attempts)
            .collect();
        for id in working {
            if let Phase::Serving { ends, .. } = &mut self.attempts[id].phase {
                let left = Span::from_seconds((*ends - since).seconds() * old / pace);
                *ends = since + left;
                calendar.at((*ends).max(now), Event::Finish(id));
            }
        }
    }

    /// A server has so many slots from now on, or stands still.
    fn set_slots(
        &mut self,
        server: u32,
        (slots, stands): (u32, bool),
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        self.settle_sharing(server, now);
        let place = &mut self.servers[server as usize];
        let stood = place.stands;
        place.stands = stands;
        place.slots = if stands { 0 } else { slots };
        if stands && !stood {
            self.stopped.insert(server, now);
        } else if stood && !stands {
            let since = self.stopped.remove(&server).unwrap_or(now);
            self.go_on(server, now - since, calendar);
        }
        self.plan_sharing(server, calendar);
        let may_begin = |place: &Server| {
            // Who waits at a dead machine, or shares one, waits for no slot.
            place.state != State::Hanging
                && !place.shares()
                && place.has_free_slot()
                && place.waiting > 0
        };
        while may_begin(&self.servers[server as usize]) {
            self.start_next(server, calendar);
        }
    }

    /// What a server had begun ends so much later.
    fn go_on(&mut self, server: u32, later: Span, calendar: &mut Calendar<Event>) {
        let working: Vec<u32> = self.servers[server as usize]
            .serving(&self.attempts)
            .collect();
        for id in working {
            if let Phase::Serving { ends, .. } = &mut self.attempts[id].phase {
                *ends += later;
                calendar.at(*ends, Event::Finish(id));
            }
        }
    }
}

impl Blueprint {
    /// The faults at drawn times that can begin in the run, none of which has held yet.
    pub fn drawn_faults(&self) -> Vec<FaultTime> {
        let drawn = (0u32..).zip(&self.faults);
        drawn
            .filter(|(_, fault)| fault.schedule.is_random() && fault.happens_before(self.end))
            .map(|(at, fault)| {
                FaultTime::new(at, fault.each().unwrap_or(1), self.end, self.stretches)
            })
            .collect()
    }
}

/// The targets that a strike concerns.
fn struck<T: Copy>(targets: &[T], target: &Target) -> Vec<T> {
    match target {
        Target::All => targets.to_vec(),
        Target::One(at) => vec![targets[*at as usize]],
        Target::Some(places) => places.iter().map(|&at| targets[at as usize]).collect(),
    }
}
