//! What a request costs in systems that people simulate, and how far that is from what it could
//! cost.
//!
//! * `cargo bench --bench workloads`: a table of ten workloads, beside prototypes that do nothing
//!   else, a bound, and a textbook simulator. The figures are also left in `target/workloads.csv`.
//! * `cargo bench --bench workloads -- W2 W8`: these rows of it alone.
//! * `cargo bench --bench workloads -- cells`: what the set-up of a cell costs, and two threads.
//! * `cargo bench --bench workloads -- one W2 1000000`: runs one workload once, for about so many
//!   requests, and prints how many they were; for tools that count instructions.
//!
//! The bound is what no simulator can do without: drawing when a request comes and how long it
//! takes, and recording its response time. A machine that is slow today is slow for both, so the
//! ratio says more than the time. All are measured in turn, round by round, since a busy machine
//! then slows all of them alike. Times are of this thread's CPU.

#![allow(clippy::print_stdout, reason = "tables are what a bench is for")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use cpu_time::ThreadTime;
use lbsim::distribution::{Dist, Sampler, exponential::Exponential};
use lbsim::model;
use lbsim::observe::Latency;
use lbsim::rng::{Domain, Seeds};
use lbsim::scenario::Scenario;
use lbsim::time::Span;

#[path = "workloads/crashes.rs"]
mod crashes;
#[path = "workloads/prototype.rs"]
mod prototype;
#[path = "workloads/systems.rs"]
mod systems;
#[path = "workloads/textbook.rs"]
mod textbook;

use systems::{WORKLOADS, Workload};
use textbook::Rule;

const SEED: u64 = 1;
const ROUNDS: u32 = 5;
const BOUND_REQUESTS: u64 = 4_000_000;

/// The workloads that the textbook simulates too, with their mean response times in milliseconds:
/// the first by queueing theory (E10/M/1), the second as simulated at length.
const TEXTBOOK: [(usize, Rule, f64); 2] = [
    (0, Rule::RoundRobin, 29.2),
    (1, Rule::LeastConnections, 13.56),
];

/// The workloads that there is a prototype of.
const PROTOTYPES: [(usize, Prototype); 7] = [
    (0, plain(10, 800.0, prototype::Rule::RoundRobin)),
    (1, plain(10, 800.0, prototype::Rule::LeastConnections)),
    (2, plain(1_000, 80_000.0, prototype::Rule::LeastConnections)),
    (3, plain(100_000, 8e6, prototype::Rule::LeastConnections)),
    (4, plain(10, 1_200.0, prototype::Rule::WeightedRandom)),
    (5, plain(10, 800.0, prototype::Rule::PowerOfTwo)),
    (7, Prototype::Crashes),
];

/// A simulator that does nothing else.
#[derive(Clone, Copy, Debug)]
enum Prototype {
    Plain(prototype::System),
    Crashes,
}

impl Prototype {
    fn run(self, requests: u64, seed: u64) -> (u64, f64) {
        match self {
            Prototype::Plain(system) => prototype::run(system, requests, seed),
            Prototype::Crashes => crashes::run(requests, seed),
        }
    }
}

const fn plain(servers: usize, rate: f64, rule: prototype::Rule) -> Prototype {
    Prototype::Plain(prototype::System {
        servers,
        rate,
        rule,
    })
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => table(&|_| true),
        ["cells"] => cells(),
        ["one", name, requests] => one(name, requests),
        names if names.iter().all(|name| is_workload(name)) => {
            table(&|workload: &Workload| names.contains(&workload.name))
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    println!("usage: cargo bench --bench workloads [-- NAMES | cells | one NAME REQUESTS]");
    ExitCode::from(2)
}

fn is_workload(name: &str) -> bool {
    WORKLOADS.iter().any(|workload| workload.name == name)
}

fn one(name: &str, requests: &str) -> ExitCode {
    let workload = WORKLOADS.iter().find(|workload| workload.name == name);
    let (Some(workload), Ok(requests)) = (workload, requests.parse()) else {
        return usage();
    };
    let scenario = workload.scenario(requests);
    let tally = model::run(&scenario.variants[0].blueprint, SEED, 0);
    println!("{}", tally.simulated);
    ExitCode::SUCCESS
}

/// Nanoseconds a request of each round, and mean response times in seconds.
#[derive(Default)]
struct Measured {
    costs: Vec<f64>,
    means: Vec<f64>,
}

impl Measured {
    /// Times `run`, which gives how many requests there were and their mean response time.
    fn round(&mut self, run: impl FnOnce() -> (u64, f64)) {
        let start = ThreadTime::now();
        let (requests, mean) = run();
        let took = start.elapsed();
        self.costs.push(took.as_secs_f64() * 1e9 / requests as f64);
        self.means.push(mean);
    }

    /// The cost when nothing else got in the way.
    fn best(&self) -> f64 {
        self.costs.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut costs = self.costs.clone();
        costs.sort_by(f64::total_cmp);
        costs[costs.len() / 2]
    }

    fn mean_ms(&self) -> f64 {
        1e3 * self.means.iter().sum::<f64>() / self.means.len() as f64
    }
}

fn exponential(mean: Span) -> Sampler {
    match Dist::Exponential(Exponential { mean }).sampler() {
        Ok(sampler) => sampler,
        Err(fault) => panic!("{fault}"),
    }
}

fn bound(replication: u32) -> (u64, f64) {
    let gap = exponential(Span::from_nanos(1_250_000));
    let service = exponential(Span::from_millis(10));
    let mut rng = Seeds::new(SEED, u64::from(replication)).stream(Domain::Luck, 0);
    let mut latency = Latency::default();
    for _ in 0..BOUND_REQUESTS {
        let time = gap.sample(&mut rng) + service.sample(&mut rng);
        latency.record(Span::from_seconds(time));
    }
    let latency = black_box(latency);
    (BOUND_REQUESTS, latency.mean().unwrap_or(f64::NAN))
}

fn simulate(scenario: &Scenario, replication: u32) -> (u64, f64) {
    let tally = model::run(&scenario.variants[0].blueprint, SEED, replication);
    (tally.simulated, tally.latency.mean().unwrap_or(f64::NAN))
}

/// The table of the workloads that are wanted.
fn table(wanted: &dyn Fn(&Workload) -> bool) -> ExitCode {
    let scenarios = WORKLOADS.map(|workload| workload.scenario(workload.requests));
    let mut least = Measured::default();
    let mut ours = WORKLOADS.map(|_| Measured::default());
    let mut prototypes = PROTOTYPES.map(|_| Measured::default());
    let mut textbooks = TEXTBOOK.map(|_| Measured::default());
    for round in 0..ROUNDS {
        least.round(|| bound(round));
        for (measured, (of, prototype)) in prototypes.iter_mut().zip(PROTOTYPES) {
            if wanted(&WORKLOADS[of]) {
                let requests = WORKLOADS[of].requests;
                measured.round(|| prototype.run(requests, u64::from(round) + 1));
            }
        }
        for (measured, (workload, scenario)) in
            ours.iter_mut().zip(WORKLOADS.iter().zip(&scenarios))
        {
            if wanted(workload) {
                measured.round(|| simulate(scenario, round));
            }
        }
        for (measured, (of, rule, _)) in textbooks.iter_mut().zip(TEXTBOOK) {
            if wanted(&WORKLOADS[of]) {
                let requests = WORKLOADS[of].requests;
                measured.round(|| (requests, textbook::run(rule, requests, round.into())));
            }
        }
    }
    print_costs(&least, &prototypes, &ours);
    print_textbook(&ours, &textbooks);
    match leave(&least, &ours) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{FILE}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_costs(least: &Measured, prototypes: &[Measured], ours: &[Measured]) {
    println!("ns a request in {ROUNDS} rounds; the bound and the prototypes by their best too");
    println!(
        "| {:38} | {:>6} | {:>6} | {:>8} | {:>9} | {:>8} | {:>12} | {:>9} | {:>12} |",
        "workload",
        "best",
        "median",
        "mean, ms",
        "prototype",
        "its mean",
        "to prototype",
        "to bound",
        "requests/s"
    );
    println!(
        "|{:-<40}|{:->8}|{:->8}|{:->10}|{:->11}|{:->10}|{:->14}|{:->11}|{:->14}|",
        "", ":", ":", ":", ":", ":", ":", ":", ":"
    );
    let row = |name: &str, measured: &Measured, prototype: Option<&Measured>| {
        let known = |figure: Option<f64>, digits: usize| {
            figure.map_or_else(String::new, |figure| format!("{figure:.digits$}"))
        };
        let mean = known(prototype.map(Measured::mean_ms), 2);
        let prototype = prototype.map(Measured::best);
        println!(
            "| {:38} | {:6.1} | {:6.1} | {:8.2} | {:>9} | {mean:>8} | {:>12} | {:9.2} | {:>12} |",
            name,
            measured.best(),
            measured.median(),
            measured.mean_ms(),
            known(prototype, 1),
            known(prototype.map(|its| measured.best() / its), 2),
            measured.best() / least.best(),
            format!("{:.2} M", 1e3 / measured.best())
        );
    };
    row("bound", least, None);
    for (at, (Workload { name, about, .. }, measured)) in WORKLOADS.iter().zip(ours).enumerate() {
        if measured.costs.is_empty() {
            continue;
        }
        let of = PROTOTYPES.iter().position(|&(of, _)| of == at);
        let prototype = of.map(|of| &prototypes[of]);
        row(&format!("{name} {about}"), measured, prototype);
    }
}

/// A thousand short cells against one as long as all, and two threads against one.
fn cells() -> ExitCode {
    const CELLS: u32 = 1_000;
    const REQUESTS: u64 = 4_000;
    println!(
        "ns a request, best of {ROUNDS} rounds: {CELLS} cells of {REQUESTS} requests, and one of all"
    );
    for workload in &WORKLOADS[..2] {
        let short = workload.scenario(REQUESTS);
        let long = workload.scenario(REQUESTS * u64::from(CELLS));
        let (mut many, mut one) = (Measured::default(), Measured::default());
        for round in 0..ROUNDS {
            one.round(|| simulate(&long, round));
            many.round(|| {
                let cells = (0..CELLS).map(|cell| simulate(&short, cell).0);
                (cells.sum(), f64::NAN)
            });
        }
        let ratio = many.best() / one.best();
        println!(
            "{} {:6.1} {:6.1} {ratio:5.2}",
            workload.name,
            many.best(),
            one.best()
        );
        let took = |threads: u32| {
            let start = Instant::now();
            thread::scope(|scope| {
                for first in 0..threads {
                    let own = (first..16).step_by(threads as usize);
                    let long = &long;
                    scope.spawn(move || {
                        own.for_each(|cell| {
                            black_box(simulate(long, cell));
                        })
                    });
                }
            });
            start.elapsed().as_secs_f64()
        };
        println!(
            "{} two threads are {:.2} times one",
            workload.name,
            took(1) / took(2)
        );
    }
    ExitCode::SUCCESS
}

fn print_textbook(ours: &[Measured], textbooks: &[Measured]) {
    println!(
        "\nns a request of a textbook simulator, and the mean response times in ms as a check"
    );
    println!(
        "| {:38} | {:>6} | {:>6} | {:>9} | {:>7} | {:>7} | {:>8} |",
        "workload", "best", "median", "to lbsim", "mean", "lbsim's", "expected"
    );
    println!(
        "|{:-<40}|{:->8}|{:->8}|{:->11}|{:->9}|{:->9}|{:->10}|",
        "", ":", ":", ":", ":", ":", ":"
    );
    for ((of, _, expected), measured) in TEXTBOOK.iter().zip(textbooks) {
        if measured.costs.is_empty() {
            continue;
        }
        println!(
            "| {:38} | {:6.1} | {:6.1} | {:9.2} | {:7.2} | {:7.2} | {:8} |",
            format!("textbook {}", WORKLOADS[*of].name),
            measured.best(),
            measured.median(),
            measured.best() / ours[*of].best(),
            measured.mean_ms(),
            ours[*of].mean_ms(),
            expected,
        );
    }
}

const FILE: &str = "target/workloads.csv";

/// Leaves the figures for the comparison with other simulators.
fn leave(least: &Measured, ours: &[Measured]) -> std::io::Result<()> {
    let mut text = "workload,best_ns,median_ns,bound_ns\n".to_owned();
    let measured = |measured: &&Measured| !measured.costs.is_empty();
    for (workload, measured) in WORKLOADS.iter().zip(ours).filter(|(_, own)| measured(own)) {
        let _ = writeln!(
            text,
            "{},{:.2},{:.2},{:.2}",
            workload.name,
            measured.best(),
            measured.median(),
            least.best()
        );
    }
    fs::create_dir_all("target")?;
    fs::write(FILE, text)
}
