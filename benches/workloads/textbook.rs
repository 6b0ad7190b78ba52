//! The simulator that one would write in a lesson: a binary heap of events, a queue for each
//! server, times as floats, a look at every server for the least connections, and a list of all
//! response times. It leaves out what lbsim also does (percentiles, load of servers, stretches of
//! time), so the comparison is in its favour.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use lbsim::rng::{Domain, Rng, Seeds, uniform_open};

/// How the servers are picked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    RoundRobin,
    LeastConnections,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Arrival,
    Departure(usize),
}

#[derive(Clone, Copy, Debug)]
struct Event {
    time: f64,
    what: What,
}

impl Ord for Event {
    /// The earliest is the greatest, since the heap gives the greatest first.
    fn cmp(&self, other: &Event) -> Ordering {
        other.time.total_cmp(&self.time)
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Event) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Event) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Event {}

fn exponential(mean: f64, rng: &mut Rng) -> f64 {
    -mean * uniform_open(rng).ln()
}

/// The mean response time in seconds of so many requests at ten exponential servers, at load 0.8.
pub(crate) fn run(rule: Rule, requests: u64, replication: u64) -> f64 {
    const SERVERS: usize = 10;
    const SERVICE: f64 = 0.010;
    const GAP: f64 = SERVICE / (0.8 * SERVERS as f64);
    let mut rng = Seeds::new(1, replication).stream(Domain::Luck, 0);
    // When the requests at each server arrived; the first is the one that is served.
    let mut queues: Vec<VecDeque<f64>> = vec![VecDeque::new(); SERVERS];
    let mut events = BinaryHeap::new();
    let mut response_times = Vec::new();
    let (mut arrived, mut turn) = (0, 0);
    events.push(Event {
        time: exponential(GAP, &mut rng),
        what: What::Arrival,
    });
    while let Some(Event { time, what }) = events.pop() {
        match what {
            What::Arrival => {
                let server = match rule {
                    Rule::RoundRobin => {
                        turn = (turn + 1) % SERVERS;
                        turn
                    }
                    Rule::LeastConnections => (0..SERVERS)
                        .min_by_key(|&server| queues[server].len())
                        .unwrap_or(0),
                };
                queues[server].push_back(time);
                if queues[server].len() == 1 {
                    events.push(Event {
                        time: time + exponential(SERVICE, &mut rng),
                        what: What::Departure(server),
                    });
                }
                arrived += 1;
                if arrived < requests {
                    events.push(Event {
                        time: time + exponential(GAP, &mut rng),
                        what: What::Arrival,
                    });
                }
            }
            What::Departure(server) => {
                if let Some(since) = queues[server].pop_front() {
                    response_times.push(time - since);
                }
                if !queues[server].is_empty() {
                    events.push(Event {
                        time: time + exponential(SERVICE, &mut rng),
                        what: What::Departure(server),
                    });
                }
            }
        }
    }
    response_times.iter().sum::<f64>() / response_times.len() as f64
}
