//! Simulated against exact values of queueing theory.
//!
//! A run's mean is compared with the exact one over independent replications: it may be off by 4.5
//! standard errors (a false alarm in 150,000 for a normal mean; with 15 degrees of freedom, one in
//! 2,300), and by 2% at most, so that a run which says nothing cannot pass. Seeds are fixed: a test
//! that passes keeps passing.

use std::path::Path;

use lbsim::model;

use crate::support::read_in;

struct Setting<'a> {
    strategy: &'a str,
    arrivals: &'a str,
    servers: &'a str,
    duration: &'a str,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Setting {
            strategy: "\"random\"",
            arrivals: r#"{ kind = "poisson", rate = "80/s" }"#,
            servers: "",
            duration: "4000s",
        }
    }
}

/// Compares the mean response time with `due`, in milliseconds.
#[track_caller]
fn agrees(due: f64, setting: Setting<'_>) {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "{}"
warmup = "200s"
compare = [{}]
[[clients]]
arrivals = {}
[[services]]
name = "web"
[[services.servers]]
{}
"#,
        setting.duration, setting.strategy, setting.arrivals, setting.servers
    );
    let scenario = read_in(Path::new("."), &text);
    let means: Vec<f64> = (0..16)
        .map(|replication| {
            let tally = model::run(&scenario.variants[0].blueprint, 20, replication);
            tally.latency.mean().unwrap() * 1e3
        })
        .collect();
    let mean = means.iter().sum::<f64>() / 16.0;
    let variance = means.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / 15.0;
    let error = (variance / 16.0).sqrt();
    let off = (mean - due).abs();
    assert!(
        off <= 4.5 * error && off <= 0.02 * due,
        "{mean:.4} ± {error:.4} ms, not {due:.4} ms"
    );
}

const EXPONENTIAL: &str = r#"service = { kind = "exponential", mean = "10ms" }"#;

/// M/M/1: 1 / (μ − λ).
#[test]
fn one_server() {
    agrees(
        50.0,
        Setting {
            servers: EXPONENTIAL,
            ..Setting::default()
        },
    );
}

/// M/G/1 by Pollaczek and Khinchine: E[S] + ρ E[S] (1 + cv²) / (2 (1 − ρ)).
#[test]
fn one_server_of_other_service_times() {
    for (service, cv2) in [
        (r#"{ kind = "constant", value = "10ms" }"#, 0.0),
        (r#"{ kind = "erlang", mean = "10ms", stages = 4 }"#, 0.25),
        (r#"{ kind = "lognormal", mean = "10ms", cv = 1.5 }"#, 2.25),
        (
            r#"{ kind = "uniform", min = "5ms", max = "15ms" }"#,
            1.0 / 12.0,
        ),
    ] {
        let due = 10.0 + 0.8 * 10.0 * (1.0 + cv2) / (2.0 * 0.2);
        let servers = format!("service = {service}");
        agrees(
            due,
            Setting {
                servers: &servers,
                ..Setting::default()
            },
        );
    }
}

/// A server that shares itself: 1 / (μ − λ), whatever the distribution (Kleinrock, "Queueing
/// Systems" II, 1976, 4.4).
#[test]
fn sharing_does_not_mind_the_distribution() {
    let servers = "discipline = \"processor-sharing\"\nservice = { kind = \"lognormal\", mean = \"10ms\", cv = 1.5 }";
    agrees(
        50.0,
        Setting {
            servers,
            ..Setting::default()
        },
    );
}

/// The order of service does not change the mean (Little), as long as it does not look at sizes.
#[test]
fn the_order_does_not_change_the_mean() {
    let servers = format!("discipline = \"lifo\"\n{EXPONENTIAL}");
    agrees(
        50.0,
        Setting {
            servers: &servers,
            ..Setting::default()
        },
    );
}

/// M/M/10 (Erlang C), as ten slots of one server: 12.046 ms.
#[test]
fn many_slots() {
    let servers = format!("slots = 10\n{EXPONENTIAL}");
    agrees(
        12.046,
        Setting {
            arrivals: r#"{ kind = "poisson", rate = "800/s" }"#,
            servers: &servers,
            duration: "1000s",
            ..Setting::default()
        },
    );
}

/// Round robin over ten: each is an E10/M/1 queue, 29.22 ms; at random: ten M/M/1 queues.
#[test]
fn turns_and_chance() {
    for (strategy, due) in [
        ("\"round-robin\"", 29.22),
        ("\"random\"", 50.0),
        ("\"least-connections\"", 13.56),
    ] {
        let servers = format!("count = 10\n{EXPONENTIAL}");
        agrees(
            due,
            Setting {
                strategy,
                arrivals: r#"{ kind = "poisson", rate = "800/s" }"#,
                servers: &servers,
                duration: "1500s",
            },
        );
    }
}

/// A closed loop of N users and one server is the machine-repair model: with R = N / X − Z and
/// X = μ (1 − p₀), where 1 / p₀ = Σ N! / (N − k)! (Z μ)⁻ᵏ.
#[test]
fn a_closed_loop() {
    let (users, think, mu) = (20, 0.25, 100.0);
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 0..users {
        term *= f64::from(users - k) / (think * mu);
        sum += term;
    }
    let throughput = mu * (1.0 - 1.0 / sum);
    let due = (f64::from(users) / throughput - think) * 1e3;
    agrees(
        due,
        Setting {
            arrivals: r#"{ kind = "closed", users = 20, think = { kind = "exponential", mean = "250ms" } }"#,
            servers: EXPONENTIAL,
            ..Setting::default()
        },
    );
}

/// What stands beside the estimates in `theory.csv`: unlike queues behind a random split (one
/// M/G/1, one M/M/2, one shared), and what is known of a strategy without theory. No estimate is
/// off by more than 4.5 standard errors, as above.
#[test]
fn theory_stands_beside_its_estimates() {
    use lbsim::experiment::{self, Progress};
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "1000s"
replications = 16
compare = ["weighted-random", "least-connections"]
[[clients]]
arrivals = { kind = "poisson", rate = "160/s" }
[[services]]
name = "web"
servers = [
    { name = "a", weight = 2, service = { kind = "lognormal", mean = "10ms", cv = 1.5 } },
    { name = "b", weight = 3, slots = 2, speed = "50%", service = { kind = "exponential", mean = "10ms" } },
    { name = "c", weight = 3, discipline = "processor-sharing", service = { kind = "gamma", mean = "10ms", cv = 2 } },
]
"#;
    let scenario = read_in(Path::new("."), text);
    let outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    let rows = lbsim::Report::new(&scenario, &outcomes).tables.theory;
    let names: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.strategy.as_str(), row.metric.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("weighted-random", "goodput_rps"),
            ("weighted-random", "mean_ms"),
            ("least-connections", "goodput_rps"),
        ]
    );
    for row in &rows {
        assert!(row.standard_errors.unwrap().abs() < 4.5, "{row:?}");
        assert!(row.half_width_95.unwrap() < 0.03 * row.exact, "{row:?}");
    }
}
