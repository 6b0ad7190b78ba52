//! Disciplines of servers against theory, and worlds computed by hand.

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};

use crate::support::{TRACED, mean_and_error, read_in, scratch, traced};

/// One server of exponential service times of 10 ms, asked by classes 0 and 1 at these rates.
fn mm1(test: &str, discipline: &str, rates: [f64; 2], replication: u32) -> Tally {
    let clients: String = (rates.iter().enumerate())
        .map(|(class, rate)| {
            format!(
                "[[clients]]\nname = \"class-{class}\"\npriority = {class}\narrivals = {{ kind = \"poisson\", rate = \"{rate}/s\" }}\n"
            )
        })
        .collect();
    let scenario = read_in(
        &scratch(&format!("disciplines-{test}")),
        &format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "4000s"
warmup = "100s"
compare = ["round-robin"]
{clients}
[[services]]
name = "web"
[[services.servers]]
service = {{ kind = "exponential", mean = "10ms" }}
discipline = {discipline}
"#
        ),
    );
    let tally = model::run(&scenario.variants[0].blueprint, 11, replication);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// Within 5 standard errors of 6 replications: with Student's t of 5 degrees of freedom one false
/// alarm in 240, and the seeds are fixed.
#[track_caller]
fn near(found: &[f64], expected: f64) {
    let (mean, error) = mean_and_error(found);
    assert!(
        (mean - expected).abs() < 5.0 * error && error < 0.05 * expected,
        "{mean} +- {error}, expected {expected}"
    );
}

/// Two classes without interruption (Cobham, "Priority assignment in waiting line problems",
/// Operations Research 2, 1954): with R = load * mean service for exponential service times, the
/// first waits R / (1 - load of the first), the second R / ((1 - load of the first) (1 - load)).
#[test]
fn priorities_wait_as_cobham_says() {
    let runs: Vec<Tally> = (0..6)
        .map(|replication| mm1("priority", "\"priority\"", [30.0, 50.0], replication))
        .collect();
    let response = |class: usize| -> Vec<f64> {
        let of = |tally: &Tally| tally.parts[class].latency.mean().unwrap();
        runs.iter().map(of).collect()
    };
    let rest = 0.8 * 0.010;
    near(&response(0), 0.010 + rest / 0.7);
    near(&response(1), 0.010 + rest / (0.7 * 0.2));
}

/// The shortest first (Phipps, "Machine repair as a priority waiting-line problem", Operations
/// Research 4, 1956): who takes x waits R / (1 - load of those who take up to x)^2.
#[test]
fn the_shortest_first_wait_as_phipps_says() {
    let load = 0.8;
    let step = 0.001;
    let wait: f64 = (0..40_000)
        .map(|cell| {
            let x = (f64::from(cell) + 0.5) * step;
            let up_to = load * (1.0 - (-x).exp() * (1.0 + x));
            (-x).exp() * step * load / (1.0 - up_to).powi(2)
        })
        .sum();
    let response: Vec<f64> = (0..6)
        .map(|replication| {
            let tally = mm1("shortest", "\"shortest-first\"", [40.0, 40.0], replication);
            tally.latency.mean().unwrap()
        })
        .collect();
    near(&response, 0.010 * (1.0 + wait));
}

/// Requests that arrive at these times, in milliseconds, and take 10 ms each at one server.
fn live(test: &str, times: &[u32], server: &str) -> Tally {
    let place = traced(&format!("disciplines-{test}"), times);
    let scenario = read_in(
        &place,
        &format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "2s"
warmup = "0s"
compare = ["round-robin"]
[[clients]]
name = "low"
priority = 1
arrivals = {TRACED}
[[clients]]
name = "high"
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
service = {{ kind = "constant", value = "10ms" }}
{server}
"#
        ),
    );
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// At 0, 1 and 2 ms one of each class: the first of the low class is served, one may wait. The high
/// one of 0 ms waits; the low ones of 1 and 2 ms are refused; so are the high ones, who find one of
/// their class. Had the low one of 0 ms not been served, it would have made room.
#[test]
fn a_full_queue_has_room_for_who_is_more_important() {
    let server = "queue-limit = 1\ndiscipline = \"priority\"";
    let tally = live("room", &[0, 1, 2], server);
    let failed = |class: usize| tally.parts[class].failed[Cause::QueueFull as usize];
    assert_eq!((failed(0), failed(1)), (2, 2));
    // At 15 ms the high one of 0 ms is served, and nobody waits: the low one of 15 ms waits, and
    // makes room for the high one of 15 ms.
    let tally = live("room-made", &[0, 15], server);
    let failed = |class: usize| tally.parts[class].failed[Cause::QueueFull as usize];
    assert_eq!((failed(0), failed(1)), (1, 0));
    // Low 0-10, high 10-20 (response 20), high of 15: 20-30 (response 15).
    let high = tally.parts[1].latency.mean().unwrap() * 1e3;
    assert!((high - 17.5).abs() < 1e-9, "{high}");
}

/// Two of 10 ms each 10 ms, for 2 s: half too many. Who is served under controlled delay has waited
/// a little more than the target when all is done; first come, first served, the last waits 2 s.
#[test]
fn controlled_delay_keeps_the_queue_short() {
    let times: Vec<u32> = (0..200).map(|at| 10 * at).collect();
    let all = live("fifo", &times, "");
    let p99 = |tally: &Tally| tally.latency.quantile(0.99).unwrap();
    assert!(p99(&all) > 1.9);
    let codel = "discipline = { kind = \"codel\", target = \"50ms\", interval = \"100ms\" }";
    let some = live("codel", &times, codel);
    assert!(some.failed[Cause::QueueFull as usize] > 20);
    let mean = |tally: &Tally| tally.latency.mean().unwrap();
    assert!(
        mean(&some) < 0.8 * mean(&all),
        "{} {}",
        mean(&some),
        mean(&all)
    );
    // Nobody is dropped where there is time enough.
    let few: Vec<u32> = (0..100).map(|at| 20 * at).collect();
    assert_eq!(live("codel-idle", &few, codel).failed, [0; Cause::COUNT]);
}

/// A server that is given up on, hangs or dies gives its queue back whatever its discipline.
#[test]
fn own_queues_are_left_anywhere() {
    for discipline in ["priority", "shortest-first", "adaptive-lifo", "codel"] {
        let server = format!(
            r#"discipline = "{discipline}"
[services.balancer]
timeout = "35ms"
abandoned = "cancel"
[[faults]]
kind = "crash"
servers = "web"
at = "200ms"
lasts = "50ms"
answers = "hang"
[[faults]]
kind = "crash"
servers = "web"
at = "400ms"
lasts = "50ms"
"#
        );
        let times: Vec<u32> = (0..150).map(|at| 5 * at).collect();
        let tally = live(&format!("left-{discipline}"), &times, &server);
        assert_eq!(tally.unfinished, 0, "{discipline}");
        let ended = tally.latency.count() + tally.failed.iter().sum::<u64>();
        assert_eq!(ended, 300, "{discipline}");
        assert!(tally.latency.count() > 0, "{discipline}");
    }
}
