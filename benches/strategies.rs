//! What strategies cost, and whether they hold under everything that can happen to a pool.
//!
//! * `cargo bench --bench strategies`: a table of the cost of a pick with 10, 1,000 and 10,000
//!   members, and of a whole run with each strategy relative to `random`.
//! * `cargo bench --bench strategies -- soak [PICKS]`: so many picks (100 million unless said) of
//!   each strategy over random pools whose members come, go, drain and change weight; a pick of one
//!   that is not eligible ends it.
//!
//! Each takes the name of a strategy, or the beginning of one, to look at no others. Times are of
//! this thread's CPU.

#![allow(clippy::print_stdout, reason = "tables are what a bench is for")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use lbsim::balancer::{Balancer, Reason};
use lbsim::model;
use lbsim::rng::{Domain, Rng, Seeds, below};
use lbsim::scenario::Scenario;
use lbsim::strategy::{
    Answer, CATALOGUE, Entry, Feedback, Key, Member, MemberId, Outcome, Pick, Pool, Probe, Report,
    Request, Sight, Truth, UNLABELLED,
};
use lbsim::time::{Span, Time};
use rand::Rng as _;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let first = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    if first == "soak" {
        let picks = rest.iter().find_map(|word| word.parse().ok());
        let name = rest.iter().find(|word| word.parse::<u64>().is_err());
        return soak(
            picks.unwrap_or(100_000_000),
            name.map_or("", String::as_str),
        );
    }
    costs(&first);
    ExitCode::SUCCESS
}

fn chosen(name: &str) -> impl Iterator<Item = &'static Entry> {
    CATALOGUE
        .iter()
        .filter(move |entry| entry.name.starts_with(name))
}

/// A balancer driven without a world around it.
struct Driven {
    balancer: Balancer,
    rng: Rng,
    now: Time,
    /// Where each open request is, in no order.
    open: Vec<MemberId>,
    in_system: Vec<u32>,
    free_at: Vec<Time>,
    takes: Vec<Span>,
    oracle: bool,
}

impl Driven {
    fn new(entry: &Entry, weights: &[u32], seed: u64) -> Driven {
        let members: Arc<[Member]> = (0..)
            .zip(weights)
            .map(|(position, &weight)| Member::new(position, weight))
            .collect();
        let seeds = Seeds::new(seed, 0);
        let count = members.len();
        let rng = seeds.stream(Domain::Strategy, 0);
        Driven {
            balancer: Balancer::new(0, &(entry.default)(), Pool::new(members), rng),
            rng: seeds.stream(Domain::Luck, 0),
            now: Time::ZERO,
            open: Vec::new(),
            in_system: vec![0; count],
            free_at: vec![Time::ZERO; count],
            takes: vec![Span::from_millis(1); count],
            oracle: entry.sight == Sight::Oracle,
        }
    }

    /// One request; with more than `most` open, a random one ends first.
    fn request(&mut self, most: usize) -> Pick {
        if self.open.len() >= most {
            let at = below(&mut self.rng, self.open.len());
            let member = self.open.swap_remove(at);
            self.end(member, Outcome::Success);
        }
        self.now += Span::from_nanos(100_000);
        let word = self.rng.next_u64();
        let address = IpAddr::V4(Ipv4Addr::from_bits(word as u32));
        let request = Request {
            client: Key::Number((word >> 32) % 10_000),
            address: &address,
            port: word as u16,
            key: Key::Number(word % 100_000),
            size: 1.0 + (word % 64) as f32,
            labels: UNLABELLED,
            tried: &[],
        };
        let truth = Truth {
            in_system: &self.in_system,
            free_at: &self.free_at,
            starts_at: &self.free_at,
            takes: &self.takes,
        };
        let pick = self.balancer.pick(&request, truth, self.now);
        if let Pick::Member(member) = pick {
            self.balancer.sent(member, self.now);
            self.open.push(member);
            self.truth(member, 1);
        }
        for member in self.balancer.take_probes() {
            let probe = Probe {
                in_flight: self.balancer.pool().in_flight(member),
                latency: Span::from_nanos(word >> 40),
            };
            self.balancer.probed(member, &probe, self.now);
        }
        pick
    }

    fn end(&mut self, member: MemberId, outcome: Outcome) {
        let took = Span::from_nanos(1_000_000 + (self.rng.next_u64() >> 44));
        let answer = Answer {
            member,
            outcome,
            status: outcome.status(),
            response_time: took,
            feedback: Some(Feedback {
                in_flight: self.balancer.pool().in_flight(member) - 1,
                service_time: took,
            }),
        };
        self.balancer.answered(&answer, self.now);
        self.truth(member, -1);
        if self.balancer.pool().in_flight(member) == 0 {
            self.balancer.idle(member, self.now);
        }
    }

    fn truth(&mut self, member: MemberId, change: i32) {
        let at = member as usize;
        self.in_system[at] = self.in_system[at].saturating_add_signed(change);
        if self.oracle {
            self.free_at[at] = self.now + Span::from_millis(u64::from(self.in_system[at]));
            let truth = Truth {
                in_system: &self.in_system,
                free_at: &self.free_at,
                starts_at: &self.free_at,
                takes: &[],
            };
            self.balancer.truth_changed(member, truth, self.now);
        }
    }

    /// Something happens to a member.
    fn disturb(&mut self) {
        let count = self.in_system.len();
        let member = below(&mut self.rng, count) as MemberId;
        let word = self.rng.next_u64();
        // Back more often than away, or nobody would be left.
        let holds = word.is_multiple_of(3);
        let reason = match (word >> 8) % 8 {
            0 | 1 => Reason::Down,
            2 => Reason::Draining,
            3 => Reason::Absent,
            4 => {
                let report = Report {
                    cpu: (word >> 16 & 0xff) as f64 / 255.0,
                    memory: 0.5,
                    in_flight: (word >> 24 & 0xf) as u32,
                    rate: (word >> 32 & 0xfff) as f64,
                    errors: 0.0,
                };
                self.balancer.reported(member, &report, self.now);
                return;
            }
            _ => {
                if let Some(at) = self.open.iter().position(|&open| open == member) {
                    self.open.swap_remove(at);
                    let outcome = [Outcome::Failure, Outcome::Timeout, Outcome::Rejected];
                    self.end(member, outcome[(word >> 16) as usize % 3]);
                }
                return;
            }
        };
        self.balancer.set(member, reason, holds, self.now);
    }
}

/// The least of several measurements, in nanoseconds each.
fn least(times: impl Iterator<Item = Duration>, count: u64) -> f64 {
    let least = times.min().unwrap_or_default();
    least.as_secs_f64() * 1e9 / count as f64
}

/// Nanoseconds a request: pick, count, and answer, with half as many open as there are members.
fn cost_of_a_pick(entry: &Entry, members: usize, even: bool) -> f64 {
    const PICKS: u64 = 20_000;
    let weights: Vec<u32> = (0..members)
        .map(|at| if even { 1 } else { 1 + at as u32 % 5 })
        .collect();
    let mut driven = Driven::new(entry, &weights, 1);
    let open = (members / 2).max(2);
    for _ in 0..2 * open as u64 + 1000 {
        driven.request(open);
    }
    let times = (0..5).map(|_| {
        let start = ThreadTime::now();
        for _ in 0..PICKS {
            black_box(driven.request(open));
        }
        start.elapsed()
    });
    least(times, PICKS)
}

/// Nanoseconds a request of a whole run: ten exponential servers at load 0.8.
fn cost_of_a_run(entry: &Entry) -> f64 {
    let text = format!(
        r#"
        question = "What does the strategy itself cost?"
        expect = "-"
        [run]
        duration = "250s"
        compare = ["{}"]
        [[clients]]
        arrivals = {{ kind = "poisson", rate = "800/s" }}
        [[services]]
        name = "web"
        [[services.servers]]
        count = 10
        service = {{ kind = "exponential", mean = "10ms" }}
        "#,
        entry.name
    );
    let scenario = match Scenario::from_text("overhead.toml", &text) {
        Ok(scenario) => scenario,
        Err(faults) => panic!("{faults}"),
    };
    let mut simulated = 0;
    let times = (0..5).map(|replication| {
        let start = ThreadTime::now();
        simulated = model::run(&scenario.variants[0].blueprint, 1, replication).simulated;
        start.elapsed()
    });
    let least = times.min().unwrap_or_default();
    least.as_secs_f64() * 1e9 / simulated as f64
}

fn costs(name: &str) {
    let random = CATALOGUE.iter().find(|entry| entry.name == "random");
    let base = random.map_or(f64::NAN, cost_of_a_run);
    println!(
        "ns for a pick with its news, by members; equal weights, weights 1 to 5; and for a whole request"
    );
    println!(
        "| {:34} | {:>7} | {:>7} | {:>7} | {:>9} | {:>7} | {:>9} |",
        "strategy", "10", "1,000", "10,000", "10,000 w.", "run", "to random"
    );
    println!(
        "|{:-<36}|{:->9}|{:->9}|{:->9}|{:->11}|{:->9}|{:->11}|",
        "", ":", ":", ":", ":", ":", ":"
    );
    for entry in chosen(name) {
        let run = cost_of_a_run(entry);
        println!(
            "| {:34} | {:7.0} | {:7.0} | {:7.0} | {:9.0} | {:7.0} | {:9.2} |",
            entry.name,
            cost_of_a_pick(entry, 10, true),
            cost_of_a_pick(entry, 1_000, true),
            cost_of_a_pick(entry, 10_000, true),
            cost_of_a_pick(entry, 10_000, false),
            run,
            run / base
        );
    }
}

/// Whether a strategy turns to members that are not eligible where too few are.
fn fails_open(entry: &Entry) -> bool {
    ["envoy-", "aws-", "finagle-"]
        .iter()
        .any(|family| entry.name.starts_with(family))
}

fn soak(picks: u64, name: &str) -> ExitCode {
    const POOL: u64 = 100_000;
    let mut faults = 0;
    for entry in chosen(name) {
        let start = ThreadTime::now();
        let (mut done, mut pool, mut nobody, mut wrong) = (0, 0u64, 0u64, 0u64);
        while done < picks {
            let mut rng = Seeds::new(7, pool).stream(Domain::Size, 0);
            // As many small pools as large ones.
            let size = 2f64.powf(below(&mut rng, 1100) as f64 / 100.0) as usize;
            let weights: Vec<u32> = (0..size.min(2000))
                .map(|_| 1 + below(&mut rng, 20) as u32)
                .collect();
            let mut driven = Driven::new(entry, &weights, pool);
            let most = 1 + below(&mut rng, 3 * size);
            for step in 0..POOL.min(picks - done) {
                if step % 16 == 0 {
                    driven.disturb();
                }
                match driven.request(most) {
                    Pick::Member(member) => {
                        let eligible = driven.balancer.pool().is_eligible(member);
                        wrong += u64::from(!eligible && !fails_open(entry));
                    }
                    _ => nobody += 1,
                }
            }
            done += POOL.min(picks - done);
            pool += 1;
        }
        println!(
            "{:34} {done} picks over {pool} pools, {nobody} of nobody, {wrong} wrong, {:.1} s",
            entry.name,
            start.elapsed().as_secs_f64()
        );
        faults += wrong;
    }
    ExitCode::from(u8::from(faults > 0))
}
