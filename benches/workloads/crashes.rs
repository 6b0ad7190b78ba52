//! How fast a simulator of W8 can be: one that does nothing else. Ten servers, least connections
//! for clients that are bound to none, a timeout, two retries on servers that have not been tried,
//! checks each second, servers that crash at random. As in `prototype.rs`, with which it shares
//! histogram and list, a core of its own: timeouts wait in a ring, for all take as long; what has
//! become of an attempt is known by a count of its place, so that stale timeouts, and those who
//! have left a queue, are passed over; crashes, repairs and checks stand apart from what happens
//! all the time.

use std::collections::VecDeque;

use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::prototype::{Histogram, List as _, Row, below};

const SERVERS: usize = 10;
const CLIENTS: usize = 100_000;
/// Nanoseconds.
const GAP: f64 = 2e6;
const SERVICE: f64 = 1e7;
const TIMEOUT: u64 = 100_000_000;
const CHECK: u64 = 1_000_000_000;
const UP: f64 = 60e9;
const DOWN: f64 = 5e9;
const ATTEMPTS: u8 = 3;
/// Checks in a row that change an opinion: when they fail, when they pass.
const FALL: u8 = 3;
const RISE: u8 = 2;
const NOBODY: u32 = u32::MAX;

/// A request, at the server that it was sent to last.
#[derive(Clone, Copy, Default)]
struct Place {
    arrived: u64,
    client: u32,
    /// Changes with each attempt that ends here.
    serial: u32,
    server: u8,
    attempts: u8,
    /// A bit for each server that it was sent to.
    tried: u16,
}

struct Machine {
    /// The request that is worked on, or [`NOBODY`], and until when.
    current: u32,
    ends: u64,
    /// Those who wait, each with its serial.
    waiting: VecDeque<(u32, u32)>,
    alive: bool,
    /// When it dies or comes back.
    turns: u64,
    /// When it is checked, what is thought of it, and checks in a row that spoke against that.
    checked: u64,
    healthy: bool,
    against: u8,
    /// Nanoseconds.
    busy: u64,
    answered: u64,
}

struct World {
    rng: Xoshiro256PlusPlus,
    machines: Vec<Machine>,
    /// Attempts under way, by server.
    counts: [u32; SERVERS],
    row: Row,
    places: Vec<Place>,
    free: Vec<u32>,
    timeouts: VecDeque<(u64, u32, u32)>,
    bound: Vec<u8>,
    histogram: Histogram,
    failed: u64,
}

/// How many requests there were, and the mean response time of those that succeeded, in seconds.
pub(crate) fn run(requests: u64, seed: u64) -> (u64, f64) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let machines: Vec<Machine> = (0..SERVERS)
        .map(|_| Machine {
            current: NOBODY,
            ends: u64::MAX,
            waiting: VecDeque::new(),
            alive: true,
            turns: exponential(UP, &mut rng),
            checked: below(CHECK as usize, &mut rng) as u64,
            healthy: true,
            against: 0,
            busy: 0,
            answered: 0,
        })
        .collect();
    let mut next = exponential(GAP, &mut rng);
    let mut world = World {
        rng,
        machines,
        counts: [0; SERVERS],
        row: Row::new(SERVERS),
        places: Vec::new(),
        free: Vec::new(),
        timeouts: VecDeque::new(),
        bound: vec![u8::MAX; CLIENTS],
        histogram: Histogram::new(),
        failed: 0,
    };
    let (mut came, mut rare) = (0, world.next_rare());
    while came < requests {
        let ends = world.row.first();
        let soon = next.min(ends).min(world.next_timeout()).min(rare);
        if soon == ends {
            world.finish(ends);
        } else if soon == next {
            came += 1;
            world.arrive(next);
            next += exponential(GAP, &mut world.rng);
        } else if soon == rare {
            world.turn(rare);
            rare = world.next_rare();
        } else {
            world.time_out(soon);
        }
    }
    std::hint::black_box((world.failed, &world.machines));
    (came, world.histogram.mean())
}

fn exponential(mean: f64, rng: &mut Xoshiro256PlusPlus) -> u64 {
    let unit: f64 = Exp1.sample(rng);
    (unit * mean) as u64
}

impl World {
    /// When the first timeout strikes that is not stale.
    fn next_timeout(&mut self) -> u64 {
        while let Some(&(due, id, serial)) = self.timeouts.front() {
            if self.places[id as usize].serial == serial {
                return due;
            }
            self.timeouts.pop_front();
        }
        u64::MAX
    }

    fn next_rare(&self) -> u64 {
        let each = self.machines.iter();
        each.map(|machine| machine.turns.min(machine.checked))
            .min()
            .unwrap_or(u64::MAX)
    }

    fn arrive(&mut self, now: u64) {
        let place = Place {
            arrived: now,
            client: below(CLIENTS, &mut self.rng) as u32,
            ..Place::default()
        };
        let id = match self.free.pop() {
            Some(id) => {
                let serial = self.places[id as usize].serial;
                self.places[id as usize] = Place { serial, ..place };
                id
            }
            None => {
                self.places.push(place);
                self.places.len() as u32 - 1
            }
        };
        self.dispatch(id, now);
    }

    fn pick(&mut self, place: &Place) -> Option<usize> {
        let bound = usize::from(self.bound[place.client as usize]);
        if bound < SERVERS && self.machines[bound].healthy && place.tried & (1 << bound) == 0 {
            return Some(bound);
        }
        let first = below(SERVERS, &mut self.rng);
        let mut least = (u32::MAX, None);
        for tried in [place.tried, 0] {
            for at in (first..SERVERS).chain(0..first) {
                let fits = self.machines[at].healthy && tried & (1 << at) == 0;
                if fits && self.counts[at] < least.0 {
                    least = (self.counts[at], Some(at));
                }
            }
            if least.1.is_some() {
                break;
            }
        }
        least.1
    }

    fn dispatch(&mut self, id: u32, now: u64) {
        loop {
            let mut place = self.places[id as usize];
            let at = match self.pick(&place) {
                Some(at) if place.attempts < ATTEMPTS => at,
                _ => {
                    self.failed += 1;
                    self.free.push(id);
                    return;
                }
            };
            place.attempts += 1;
            place.tried |= 1 << at;
            place.server = at as u8;
            let machine = &mut self.machines[at];
            if !machine.alive {
                self.places[id as usize] = place;
                continue;
            }
            self.places[id as usize] = place;
            self.counts[at] += 1;
            self.timeouts.push_back((now + TIMEOUT, id, place.serial));
            if machine.current == NOBODY {
                let ends = self.take(at, id, now);
                self.row.begin(at, ends);
            } else {
                machine.waiting.push_back((id, place.serial));
            }
            return;
        }
    }

    /// A server begins with a request; when that ends.
    fn take(&mut self, at: usize, id: u32, now: u64) -> u64 {
        let ends = now + exponential(SERVICE, &mut self.rng);
        let machine = &mut self.machines[at];
        machine.busy += ends - now;
        (machine.current, machine.ends) = (id, ends);
        ends
    }

    /// A server has nobody, and takes the next who waits.
    fn go_on(&mut self, at: usize, now: u64) {
        while let Some((id, serial)) = self.machines[at].waiting.pop_front() {
            if self.places[id as usize].serial == serial {
                let ends = self.take(at, id, now);
                self.row.set(at, ends);
                return;
            }
        }
        self.machines[at].current = NOBODY;
        self.row.set(at, u64::MAX);
    }

    fn finish(&mut self, now: u64) {
        let at = self.row.server();
        let id = self.machines[at].current;
        self.machines[at].answered += 1;
        self.counts[at] -= 1;
        let place = &mut self.places[id as usize];
        place.serial = place.serial.wrapping_add(1);
        self.bound[place.client as usize] = at as u8;
        self.histogram.record(now - place.arrived);
        self.free.push(id);
        self.go_on(at, now);
    }

    fn time_out(&mut self, now: u64) {
        let Some((_, id, _)) = self.timeouts.pop_front() else {
            return;
        };
        let place = &mut self.places[id as usize];
        place.serial = place.serial.wrapping_add(1);
        let at = usize::from(place.server);
        self.counts[at] -= 1;
        if self.machines[at].current == id {
            self.machines[at].busy -= self.machines[at].ends - now;
            self.go_on(at, now);
        }
        self.dispatch(id, now);
    }

    /// A server dies or comes back, or is checked.
    fn turn(&mut self, now: u64) {
        let due = |machine: &Machine| machine.turns.min(machine.checked) == now;
        let Some(at) = self.machines.iter().position(due) else {
            return;
        };
        let machine = &mut self.machines[at];
        if machine.checked == now {
            machine.checked += CHECK;
            let needed = if machine.healthy { FALL } else { RISE };
            machine.against = if machine.alive == machine.healthy {
                0
            } else {
                machine.against + 1
            };
            if machine.against == needed {
                (machine.healthy, machine.against) = (!machine.healthy, 0);
            }
            return;
        }
        machine.alive = !machine.alive;
        let mean = if machine.alive { UP } else { DOWN };
        machine.turns = now + exponential(mean, &mut self.rng);
        if machine.alive {
            return;
        }
        let mut lost: Vec<u32> = Vec::new();
        if machine.current != NOBODY {
            machine.busy -= machine.ends - now;
            lost.push(machine.current);
        }
        for (id, serial) in std::mem::take(&mut machine.waiting) {
            if self.places[id as usize].serial == serial {
                lost.push(id);
            }
        }
        machine.current = NOBODY;
        self.row.set(at, u64::MAX);
        self.counts[at] = 0;
        for &id in &lost {
            let place = &mut self.places[id as usize];
            place.serial = place.serial.wrapping_add(1);
        }
        for id in lost {
            self.dispatch(id, now);
        }
    }
}
