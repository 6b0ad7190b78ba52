//! Servers that break down, against closed forms: how often they are there, when all are gone, and
//! how long it takes until somebody notices.
//!
//! Figures and tolerances are as in `resilience.rs`.

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};
use lbsim::scenario::Scenario;
use lbsim::theory::HealthCheck;
use lbsim::theory::availability::{at_least_up, mean_time_to_all_down};
use lbsim::theory::health::requests_lost;

use crate::resilience::{near, near_values, runs, success, world};
use crate::support::{TRACED, read_in, traced};

/// A server that is up for 300 ms and down for 50 ms on average is up for 6/7 of the time; of four
/// that are up for 4/5 each one is up for 1 - (1/5)^4, which retries on the others find.
#[test]
fn availability_of_one_and_of_four() {
    let crashes = |up: u32, down: u32| {
        format!(
            "[[faults]]\nkind = \"random-crashes\"\nservers = \"web\"\nmtbf = \"{up}ms\"\nmttr = \"{down}ms\"\n"
        )
    };
    let quick = "service = { kind = \"constant\", value = \"1us\" }\nslots = 100";
    let one = runs(&world(100.0, "", quick, &crashes(300, 50)));
    near(&one, 6.0 / 7.0, success);
    let rest = format!(
        "[services.balancer]\nretry = {{ max = 4 }}\n{}",
        crashes(80, 20)
    );
    // Three of those tried are remembered: a fourth retry may meet one of them again.
    let four = runs(&world(100.0, "", &format!("count = 4\n{quick}"), &rest));
    near(&four, at_least_up(4, 1, 0.8), success);
}

/// `n` services of one server each that is up for this share of the time, up and down for
/// exponential times; a request asks them all, and is answered where `k` of them are up: as often
/// as they are, since requests of a Poisson process see averages over time (Wolff, "Poisson
/// arrivals see time averages", Operations Research 30(2), 1982).
fn quorum(n: u32, k: u32, up: f64) -> Scenario {
    let names: Vec<String> = (1..=n).map(|number| format!("part-{number}")).collect();
    let service = |name: &String| {
        format!(
            "[[services]]\nname = \"{name}\"\n[[services.servers]]\nslots = 1000\nservice = {{ kind = \"constant\", value = \"1us\" }}\n"
        )
    };
    let services: String = names.iter().map(service).collect();
    let rest = format!(
        r#"
slots = 1000
service = {{ kind = "constant", value = "1us" }}
steps = [{{ call = {names:?}, wait-for = {k} }}]
{services}
[[faults]]
kind = "random-crashes"
servers = "part-*"
mtbf = "{}ms"
mttr = "{}ms"
"#,
        (1000.0 * up).round(),
        (1000.0 * (1.0 - up)).round(),
    );
    world(10.0, "", "", &rest)
}

#[test]
fn as_many_are_up_as_the_binomial_distribution_says() {
    for (n, k, up) in [(10, 8, 0.9), (5, 3, 0.8)] {
        near(&runs(&quorum(n, k, up)), at_least_up(n, k, up), success);
    }
}

/// A request that never ends stays with a server that is up, and moves on when that one dies: it
/// fails at the moment at which all are dead, from all alive. 10,000 worlds, of which each lives
/// until then: a standard error of 1% or less.
#[test]
fn all_are_down_when_theory_says() {
    let place = traced("outages-all-down", &[0]);
    for (servers, repair, mean) in [(2, 10.0, 6.5), (3, 1.0, 10.0 / 3.0)] {
        assert!((mean_time_to_all_down(servers, 1.0, repair) - mean).abs() < 1e-9);
        let scenario = read_in(
            &place,
            &format!(
                r#"
question = "?"
expect = "!"
[run]
duration = "65s"
warmup = "0s"
compare = ["random"]
[[clients]]
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
count = {servers}
service = {{ kind = "constant", value = "1000h" }}
[services.balancer]
retry = {{ max = 100, on = "any" }}
[[faults]]
kind = "random-crashes"
servers = "web"
mtbf = "1s"
mttr = "{}ms"
"#,
                1000.0 / repair
            ),
        );
        let plan = &scenario.variants[0].blueprint;
        let times: Vec<f64> = (0..10_000)
            .map(|replication| {
                let tally = model::run(plan, 29, replication);
                assert_eq!(tally.failed[Cause::Crash as usize], 1);
                tally.failures.mean().unwrap()
            })
            .collect();
        near_values(&times, mean);
    }
}

/// One server of ten is dead for 12.5 s, and gets a tenth of 100 requests a second.
#[test]
fn what_is_sent_to_the_dead_is_lost() {
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"web/server-1\"\nat = \"5s\"\nlasts = \"12500ms\"\n";
    let all = short(&world(100.0, "", TEN, crash), 20);
    near(&all, requests_lost(100.0, 10, 12.5), |tally| {
        tally.failed[Cause::Crash as usize] as f64
    });
}

const TEN: &str = "count = 10\nslots = 1000\nservice = { kind = \"constant\", value = \"1ms\" }";

/// Runs of this many seconds, the first of which is warm-up.
fn short(scenario: &Scenario, end: u64) -> Vec<Tally> {
    let mut plan = scenario.variants[0].blueprint.clone();
    let seconds = |s: u64| lbsim::time::Time::from_nanos(s * 1_000_000_000);
    (plan.warmup, plan.end) = (seconds(1), seconds(end));
    (0..200)
        .map(|replication| {
            let tally = model::run(&plan, 5, replication);
            assert_eq!(laws::violations(&tally), []);
            tally
        })
        .collect()
}

/// A server of ten dies without a word. Checks each second that wait half a second find out after
/// the third: after half an interval on average, two more, and the timeout, so 3 s. Checks every
/// 10 s that wait for 2 s, of which two must fail: 17 s. Until then a tenth of all requests goes
/// there. The phase of the checks is uniform, so that it is half an interval less or more.
#[test]
fn detection_takes_as_long_as_it_should() {
    for (interval, threshold, timeout, rate, crashes, end) in
        [(1.0, 3, 0.5, 1000.0, 5, 12), (10.0, 2, 2.0, 100.0, 12, 40)]
    {
        let rest = format!(
            r#"
[services.balancer]
timeout = "100ms"
health-check = {{ interval = "{interval}s", timeout = "{}ms", fall = {threshold} }}
[[faults]]
kind = "crash"
servers = "web/server-1"
answers = "hang"
at = "{crashes}s"
"#,
            1000.0 * timeout
        );
        let check = HealthCheck {
            interval,
            threshold,
            timeout,
        };
        let failed = |tally: &Tally| tally.failed[Cause::Timeout as usize] as f64;
        let all = short(&world(rate, "", TEN, &rest), end);
        near(&all, check.requests_lost(rate, 10), failed);
        // By chance fewer or more than that many are sent there: five standard deviations.
        let lost = |delay: f64| requests_lost(rate, 10, delay);
        let [least, most] = [check.earliest(), check.latest()].map(lost);
        for found in all.iter().map(failed) {
            assert!(
                found > least - 5.0 * least.sqrt() && found < most + 5.0 * most.sqrt(),
                "{found}"
            );
        }
    }
}
