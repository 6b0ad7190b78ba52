//! How fast a simulator of these systems can be: one that does nothing else. A core for each rule
//! and each list of events, whole nanoseconds, the next arrival outside the list, a ring of arrival
//! times for each server, a histogram within 1%, busy time and counts by server. It knows one
//! client, no streams of its own for each purpose, no percentiles over time, no network and no
//! faults. It shares no code with lbsim, so that what makes lbsim slower does not hide here.
//!
//! With a handful of servers the event list is one time for each, looked through; with more, a
//! 4-ary heap of words that hold time and server. Least connections keeps all servers sorted by
//! count, so that a pick costs the same whatever their number.

use std::collections::VecDeque;

use rand::{Rng as _, SeedableRng as _};
use rand_distr::{Distribution as _, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;

/// How servers are picked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    RoundRobin,
    LeastConnections,
    /// In proportion to speed, where the second half of the servers is twice as fast.
    WeightedRandom,
    PowerOfTwo,
}

/// A system of servers of 10 ms on average.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System {
    pub(crate) servers: usize,
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) rule: Rule,
}

/// As many servers are looked through.
const FEW: usize = 16;

/// How many requests there were, and their mean response time in seconds.
pub(crate) fn run(system: System, requests: u64, seed: u64) -> (u64, f64) {
    let n = system.servers;
    match (system.rule, n <= FEW) {
        (Rule::RoundRobin, true) => simulate(system, Turns(0), Row::new(n), requests, seed),
        (Rule::RoundRobin, false) => simulate(system, Turns(0), Heap::new(n), requests, seed),
        (Rule::LeastConnections, true) => {
            simulate(system, Counts::new(n), Row::new(n), requests, seed)
        }
        (Rule::LeastConnections, false) => {
            simulate(system, Counts::new(n), Heap::new(n), requests, seed)
        }
        (Rule::WeightedRandom, true) => simulate(system, Lots, Row::new(n), requests, seed),
        (Rule::WeightedRandom, false) => simulate(system, Lots, Heap::new(n), requests, seed),
        (Rule::PowerOfTwo, true) => simulate(system, Two(vec![0; n]), Row::new(n), requests, seed),
        (Rule::PowerOfTwo, false) => {
            simulate(system, Two(vec![0; n]), Heap::new(n), requests, seed)
        }
    }
}

/// A rule at work.
trait Picks {
    fn pick(&mut self, servers: usize, rng: &mut Xoshiro256PlusPlus) -> usize;
    fn sent(&mut self, _server: usize) {}
    fn ended(&mut self, _server: usize) {}
}

/// The times at which servers finish, each at most one.
pub(crate) trait List {
    /// The earliest time; `u64::MAX` where there is none.
    fn first(&self) -> u64;
    /// The server of the earliest time.
    fn server(&self) -> usize;
    fn begin(&mut self, server: usize, ends: u64);
    /// The server that is first begins anew, or is idle.
    fn replace_first(&mut self, ends: Option<u64>);
}

#[derive(Default)]
struct Server {
    /// When those came who are there, the one that is served first.
    arrived: VecDeque<u64>,
    /// Nanoseconds.
    busy: u64,
    answered: u64,
}

fn simulate<P: Picks, L: List>(
    system: System,
    mut rule: P,
    mut list: L,
    requests: u64,
    seed: u64,
) -> (u64, f64) {
    let n = system.servers;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let exponential = move |mean: f64, rng: &mut Xoshiro256PlusPlus| -> u64 {
        let unit: f64 = Exp1.sample(rng);
        (unit * mean) as u64
    };
    let gap = 1e9 / system.rate;
    let weighted = matches!(system.rule, Rule::WeightedRandom);
    let means: Vec<f64> = (0..n)
        .map(|server| {
            if weighted && 2 * server >= n {
                5e6
            } else {
                1e7
            }
        })
        .collect();
    let mut servers: Vec<Server> = (0..n).map(|_| Server::default()).collect();
    let mut histogram = Histogram::new();
    let (mut came, mut next) = (0, exponential(gap, &mut rng));
    loop {
        let first = list.first();
        if next <= first {
            if came == requests {
                break;
            }
            came += 1;
            let at = rule.pick(n, &mut rng);
            rule.sent(at);
            let server = &mut servers[at];
            server.arrived.push_back(next);
            if server.arrived.len() == 1 {
                let work = exponential(means[at], &mut rng);
                server.busy += work;
                list.begin(at, next + work);
            }
            next += exponential(gap, &mut rng);
        } else {
            let at = list.server();
            rule.ended(at);
            let server = &mut servers[at];
            let arrived = server.arrived.pop_front().unwrap_or(first);
            server.answered += 1;
            histogram.record(first - arrived);
            let work = (!server.arrived.is_empty()).then(|| {
                let work = exponential(means[at], &mut rng);
                server.busy += work;
                first + work
            });
            list.replace_first(work);
        }
    }
    std::hint::black_box(servers);
    (came, histogram.mean())
}

struct Turns(usize);

impl Picks for Turns {
    fn pick(&mut self, servers: usize, _: &mut Xoshiro256PlusPlus) -> usize {
        self.0 = if self.0 + 1 == servers { 0 } else { self.0 + 1 };
        self.0
    }
}

/// A whole number below `n`.
pub(crate) fn below(n: usize, rng: &mut Xoshiro256PlusPlus) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

struct Lots;

impl Picks for Lots {
    fn pick(&mut self, servers: usize, rng: &mut Xoshiro256PlusPlus) -> usize {
        // The second half has two lots each.
        let half = servers / 2;
        let lot = below(half + 2 * (servers - half), rng);
        if lot < half {
            lot
        } else {
            half + (lot - half) / 2
        }
    }
}

struct Two(Vec<u32>);

impl Picks for Two {
    fn pick(&mut self, servers: usize, rng: &mut Xoshiro256PlusPlus) -> usize {
        let one = below(servers, rng);
        let other = below(servers - 1, rng);
        let other = other + usize::from(other >= one);
        if self.0[other] < self.0[one] {
            other
        } else {
            one
        }
    }
    fn sent(&mut self, server: usize) {
        self.0[server] += 1;
    }
    fn ended(&mut self, server: usize) {
        self.0[server] -= 1;
    }
}

/// Servers sorted by how many requests they have.
struct Counts {
    counts: Vec<u32>,
    sorted: Vec<u32>,
    place: Vec<u32>,
    /// Where those of each count begin.
    begins: Vec<u32>,
}

impl Counts {
    fn new(n: usize) -> Counts {
        let all: Vec<u32> = (0..n as u32).collect();
        Counts {
            counts: vec![0; n],
            sorted: all.clone(),
            place: all,
            begins: vec![0, n as u32],
        }
    }

    fn swap(&mut self, server: usize, to: u32) {
        let from = self.place[server];
        let other = self.sorted[to as usize];
        self.sorted.swap(from as usize, to as usize);
        self.place[server] = to;
        self.place[other as usize] = from;
    }
}

impl Picks for Counts {
    fn pick(&mut self, _: usize, _: &mut Xoshiro256PlusPlus) -> usize {
        self.sorted[0] as usize
    }
    fn sent(&mut self, server: usize) {
        let count = self.counts[server] as usize;
        if count + 2 > self.begins.len() {
            self.begins.push(self.counts.len() as u32);
        }
        self.begins[count + 1] -= 1;
        self.swap(server, self.begins[count + 1]);
        self.counts[server] += 1;
        if count + 2 == self.begins.len() {
            self.begins.push(self.counts.len() as u32);
        }
    }
    fn ended(&mut self, server: usize) {
        let count = self.counts[server] as usize;
        self.swap(server, self.begins[count]);
        self.begins[count] += 1;
        self.counts[server] -= 1;
    }
}

/// A time for each server, looked through.
pub(crate) struct Row {
    ends: Vec<u64>,
    first: usize,
}

impl Row {
    pub(crate) fn new(n: usize) -> Row {
        Row {
            ends: vec![u64::MAX; n],
            first: 0,
        }
    }

    fn find(&mut self) {
        let mut first = 0;
        for (server, &ends) in self.ends.iter().enumerate() {
            first = if ends < self.ends[first] {
                server
            } else {
                first
            };
        }
        self.first = first;
    }

    /// Any server begins anew, or is idle.
    pub(crate) fn set(&mut self, server: usize, ends: u64) {
        self.ends[server] = ends;
        self.find();
    }
}

impl List for Row {
    fn first(&self) -> u64 {
        self.ends[self.first]
    }
    fn server(&self) -> usize {
        self.first
    }
    fn begin(&mut self, server: usize, ends: u64) {
        self.ends[server] = ends;
        if ends < self.ends[self.first] {
            self.first = server;
        }
    }
    fn replace_first(&mut self, ends: Option<u64>) {
        self.ends[self.first] = ends.unwrap_or(u64::MAX);
        self.find();
    }
}

/// A 4-ary heap of words: a time, and in the lowest bits a server.
struct Heap {
    words: Vec<u64>,
    bits: u32,
}

impl Heap {
    fn new(n: usize) -> Heap {
        Heap {
            words: Vec::with_capacity(n),
            bits: usize::BITS - (n - 1).leading_zeros(),
        }
    }

    fn sink(&mut self, word: u64) {
        let words = self.words.as_mut_slice();
        let mut at = 0;
        loop {
            let begin = 4 * at + 1;
            let Some(children) = words.get(begin..(begin + 4).min(words.len())) else {
                break;
            };
            let mut least = (u64::MAX, 0);
            for (child, &other) in children.iter().enumerate() {
                least = if other < least.0 {
                    (other, child)
                } else {
                    least
                };
            }
            if word <= least.0 {
                break;
            }
            words[at] = least.0;
            at = begin + least.1;
        }
        words[at] = word;
    }
}

impl List for Heap {
    fn first(&self) -> u64 {
        self.words
            .first()
            .map_or(u64::MAX, |word| word >> self.bits)
    }
    fn server(&self) -> usize {
        (self.words[0] & ((1 << self.bits) - 1)) as usize
    }
    fn begin(&mut self, server: usize, ends: u64) {
        let word = ends << self.bits | server as u64;
        let mut at = self.words.len();
        self.words.push(word);
        while at > 0 {
            let parent = (at - 1) / 4;
            if word >= self.words[parent] {
                break;
            }
            self.words[at] = self.words[parent];
            at = parent;
        }
        self.words[at] = word;
    }
    fn replace_first(&mut self, ends: Option<u64>) {
        match ends {
            Some(ends) => self.sink(ends << self.bits | self.server() as u64),
            None => {
                if let Some(last) = self.words.pop()
                    && !self.words.is_empty()
                {
                    self.sink(last);
                }
            }
        }
    }
}

/// Counts by size: 64 cells for each doubling.
pub(crate) struct Histogram {
    cells: Vec<u64>,
    total: u64,
    count: u64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram {
            cells: vec![0; 64 * 64],
            total: 0,
            count: 0,
        }
    }

    pub(crate) fn record(&mut self, value: u64) {
        let shift = 57 - (value | 64).leading_zeros();
        self.cells[((shift << 6) as u64 + (value >> shift)) as usize] += 1;
        self.total += value;
        self.count += 1;
    }

    pub(crate) fn mean(&self) -> f64 {
        self.total as f64 / self.count as f64 / 1e9
    }
}
