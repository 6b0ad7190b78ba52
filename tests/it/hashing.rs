//! Hashing against closed forms, in the world: what servers were sent, and which sessions moved.
//!
//! Shares vary with where a replication puts its points. A mean over replications must lie within
//! five standard errors of those replications (one false alarm in thousands; the seeds are fixed),
//! or within what is said beside it.

use lbsim::model;
use lbsim::observe::{Loss, Tally};
use lbsim::scenario::Scenario;

use crate::support::mean_and_error;

/// So many servers that are never full; requests of 1,000 s from so many clients.
fn fleet(strategy: &str, servers: u32, clients: u32, rate: u32, more: &str) -> Scenario {
    let text = format!(
        "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"10s\"\nwarmup = \"0s\"\ncompare = [{strategy}]\n\
         [[clients]]\narrivals = {{ kind = \"constant\", rate = \"{rate}/s\" }}\n\
         population = {{ kind = \"generated\", count = {clients} }}\n{more}\n[[services]]\nname = \"web\"\n[[services.servers]]\n\
         count = {servers}\nslots = 100000\nservice = {{ kind = \"constant\", value = \"1000s\" }}"
    );
    Scenario::from_text("hashing.toml", &text).unwrap_or_else(|rejected| panic!("{rejected}"))
}

fn runs(scenario: &Scenario, replications: u32) -> Vec<Tally> {
    let plan = &scenario.variants[0].blueprint;
    (0..replications)
        .map(|replication| model::run(plan, 31, replication))
        .collect()
}

/// Requests that each server was sent.
fn sent(tally: &Tally) -> Vec<f64> {
    tally
        .load
        .servers
        .iter()
        .map(|server| server.sent as f64)
        .collect()
}

#[track_caller]
fn near(values: &[f64], expected: f64, more: f64) {
    let (mean, error) = mean_and_error(values);
    assert!(error < 0.1 * expected, "too few to tell: {error}");
    assert!(
        (mean - expected).abs() <= 5.0 * error + more,
        "{mean} ±{error}, not {expected}"
    );
}

/// Theory's `ring-cv-*`: a server's share of a ring of n servers with V points each is Beta(V,
/// V(n-1)), so that the squared coefficient of variation of shares is (n-1)/(nV+1); what it is sent
/// of m requests varies by chance besides, by about n/m.
#[test]
fn shares_of_a_ring_vary_as_beta_says() {
    for (servers, points) in [(10, 100), (3, 160)] {
        let strategy =
            format!("{{ kind = \"consistent-hashing\", on = \"client\", points = {points} }}");
        let scenario = fleet(&strategy, servers, 10_000_000, 4_000, "");
        let (n, v) = (f64::from(servers), f64::from(points));
        let squares: Vec<f64> = runs(&scenario, 120)
            .iter()
            .map(|tally| {
                let sent = sent(tally);
                let mean = sent.iter().sum::<f64>() / n;
                let chance = 1.0 / mean;
                sent.iter()
                    .map(|own| (own / mean - 1.0).powi(2))
                    .sum::<f64>()
                    / n
                    - chance
            })
            .collect();
        near(&squares, (n - 1.0) / (n * v + 1.0), 0.0);
    }
}

/// Theory's `ring-peak-10-1`: the greatest of n random parts is on average H(n)/n, the n-th
/// harmonic number.
#[test]
fn the_greatest_part_of_a_ring_is_harmonic() {
    let strategy = "{ kind = \"consistent-hashing\", on = \"client\", points = 1 }";
    let scenario = fleet(strategy, 10, 10_000_000, 1_000, "");
    let peaks: Vec<f64> = runs(&scenario, 120)
        .iter()
        .map(|tally| {
            let sent = sent(tally);
            let mean = sent.iter().sum::<f64>() / 10.0;
            sent.iter().copied().fold(0.0, f64::max) / mean
        })
        .collect();
    near(&peaks, (1..=10).map(|k| 1.0 / f64::from(k)).sum(), 0.0);
}

/// Theory's `chbl-10000-100`: no server has more than 125 of 10,000 requests, however they hash.
#[test]
fn bounded_loads_are_bounded() {
    let strategy = "{ kind = \"consistent-hashing-bounded-loads\", c = 1.25 }";
    let scenario = fleet(strategy, 100, 1_000_000, 1_000, "");
    for tally in runs(&scenario, 3) {
        let sent = sent(&tally);
        assert!(sent.iter().all(|&own| own <= 126.0), "{sent:?}");
    }
}

/// Theory's `balls-256-1`, `balls-256-2` and `balls-4096-2`: the fullest of n servers that hold n
/// requests, by 400 or 120 runs of its own (within 0.15).
#[test]
fn two_choices_keep_the_fullest_server_low() {
    for (strategy, servers, rate, expected) in [
        ("\"random\"", 256, 256, 4.7925),
        ("{ kind = \"power-of-d\", d = 2 }", 256, 256, 2.9),
        ("{ kind = \"power-of-d\", d = 2 }", 4096, 4096, 3.025),
    ] {
        // So many in the first second, and nobody after it.
        let scenario = fleet(strategy, servers, 1000, rate, "");
        let mut plan = scenario.variants[0].blueprint.clone();
        plan.end = lbsim::time::Time::ZERO + lbsim::time::Span::from_secs(1);
        let fullest: Vec<f64> = (0..40)
            .map(|replication| {
                let tally = model::run(&plan, 31, replication);
                sent(&tally).into_iter().fold(0.0, f64::max)
            })
            .collect();
        near(&fullest, expected, 0.15);
    }
}

/// Theory's `maglev-dis-*`: with a server out of ten gone, two keys of a thousand move that had
/// nothing to do with it; of a hundred, six. (By one table each, and here of
/// Envoy's, whose order of filling is another: within a factor of 2.)
#[test]
fn maglev_moves_few_that_it_need_not() {
    for (servers, expected) in [(9, 0.001_98), (99, 0.005_86)] {
        let text = format!(
            "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"20s\"\nwarmup = \"10s\"\ncompare = [\"envoy-maglev\"]\n\
             [[clients]]\narrivals = {{ kind = \"poisson\", rate = \"20000/s\" }}\nsessions = {{ idle = \"1h\" }}\n\
             population = {{ kind = \"generated\", count = 20000 }}\n[[services]]\nname = \"web\"\n\
             [[services.servers]]\ncount = {servers}\nslots = 1000\nservice = {{ kind = \"constant\", value = \"1ms\" }}\n\
             [[services.servers]]\nname = \"last\"\nslots = 1000\nservice = {{ kind = \"constant\", value = \"1ms\" }}\nleaves = \"10s\""
        );
        let scenario = Scenario::from_text("maglev.toml", &text)
            .unwrap_or_else(|rejected| panic!("{rejected}"));
        let runs = runs(&scenario, 2);
        let moved: u64 = runs
            .iter()
            .map(|tally| tally.sessions.whole.hurt[Loss::Moved as usize])
            .sum();
        let all: u64 = runs.iter().map(|tally| tally.sessions.whole.all).sum();
        let share = moved as f64 / all as f64;
        assert!(
            (expected / 2.0..expected * 2.0).contains(&share),
            "{share}, not {expected}"
        );
    }
}
