//! Faults of servers: worlds computed by hand, and what is refused.

use std::fs;

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};
use lbsim::scenario::Scenario;

use crate::support::{read_in, scratch};

/// The time of a trace begins with its first request. This one takes no time to speak of.
const FIRST: (f64, f64) = (0.0, 0.0001);

/// Requests `(arrives, takes)`, in milliseconds of two seconds, at `web`; `rest` says what its
/// servers are like, and more of the world.
fn world(test: &str, requests: &[(f64, f64)], rest: &str) -> Scenario {
    let place = scratch(&format!("faults-{test}"));
    let rows: String = requests
        .iter()
        .map(|(at, takes)| format!("{at},{takes}\n"))
        .collect();
    fs::write(place.join("trace.csv"), format!("at,takes\n{rows}")).unwrap();
    read_in(
        &place,
        &format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "2s"
warmup = "0s"
compare = [{{ kind = "round-robin", start = "first" }}]
[[clients]]
[clients.arrivals]
kind = "trace"
file = "trace.csv"
columns = {{ time = "at", time-unit = "ms", service = "takes", service-unit = "ms" }}
[[services]]
name = "web"
{rest}
"#
        ),
    )
}

fn live(test: &str, requests: &[(f64, f64)], rest: &str) -> Tally {
    let tally = model::run(&world(test, requests, rest).variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// One group of servers, with more settings.
fn servers(more: &str) -> String {
    format!("[[services.servers]]\nservice = {{ kind = \"constant\", value = \"1s\" }}\n{more}\n")
}

/// The response times of the succeeded add up to so many milliseconds. A trace's service times are
/// kept with 24 bits, and at another speed ends are rounded to whole nanoseconds each time that it
/// changes: the sum of a few is right within a microsecond, and each [`FIRST`] takes a tenth of it.
#[track_caller]
fn sum(tally: &Tally, count: u64, sum_ms: f64) {
    let found = tally.latency.mean().unwrap_or(0.0) * tally.latency.count() as f64 * 1e3;
    assert_eq!(tally.latency.count(), count);
    assert!((found - sum_ms).abs() < 1e-3, "{found} ms, not {sum_ms} ms");
}

/// From 100 ms on the speed falls to 36% in 640 ms: in 64 stretches of 10 ms to 99.5%, 98.5%,
/// 97.5% ..., the last of them 36.5%.
const CREEPING: &str = "[[faults]]\nkind = \"slowdown\"\nservers = \"web\"\nat = \"100ms\"\nspeed = \"36%\"\nover = \"640ms\"\n";

#[test]
fn a_slowdown_comes_little_by_little() {
    // 9.95 + 9.85 of work are done in the first 20 ms; before it comes all is as usual, and at 740
    // ms it is there: 7.2 of work take 20 ms.
    let requests = [FIRST, (50.0, 50.0), (100.0, 19.8), (740.0, 7.2)];
    let tally = live("creeping", &requests, &(servers("") + CREEPING));
    sum(&tally, 4, 50.0 + 20.0 + 20.0);
    // What is under way feels each step: in the 640 ms there are 640 * 68% of work.
    let tally = live(
        "through",
        &[FIRST, (90.0, 10.0 + 435.2)],
        &(servers("") + CREEPING),
    );
    sum(&tally, 2, 650.0);
    // In a server that shares itself two have half of that each.
    let shared = servers("discipline = \"processor-sharing\"") + CREEPING;
    let tally = live("shared", &[FIRST, (100.0, 9.9), (100.0, 9.9)], &shared);
    sum(&tally, 3, 20.0 + 20.0);
}

#[test]
fn a_slowdown_goes_little_by_little() {
    let goes = |lasts: u32| {
        format!(
            "{}{CREEPING}lasts = \"{lasts}ms\"\nrecovers-over = \"640ms\"\n",
            servers("")
        )
    };
    // At 740 ms it is there, and goes: 36.5%, 37.5% ...; from 1380 ms on all is as usual.
    let requests = [FIRST, (740.0, 7.4), (1370.0, 9.95), (1380.0, 10.0)];
    sum(&live("goes", &requests, &goes(640)), 4, 20.0 + 10.0 + 10.0);
    // Halfway down, at 420 ms, the speed is 68%, and rises again for 320 ms: 68.5%, 69.5% ...
    let requests = [
        FIRST,
        (410.0, 6.85),
        (420.0, 13.8),
        (730.0, 9.95),
        (740.0, 10.0),
    ];
    sum(
        &live("halfway", &requests, &goes(320)),
        5,
        10.0 + 20.0 + 10.0 + 10.0,
    );
}

/// Two slowdowns multiply, wherever each of them is.
#[test]
fn slowdowns_that_creep_multiply() {
    let other =
        "[[faults]]\nkind = \"slowdown\"\nservers = \"web\"\nat = \"0s\"\nspeed = \"50%\"\n";
    let rest = servers("") + CREEPING + other;
    sum(&live("both", &[FIRST, (100.0, 9.9)], &rest), 2, 20.0);
}

/// One that comes again while it still goes comes from where it is: well for 100 ms, ill for 640
/// ms.
#[test]
fn a_slowdown_turns_round() {
    let rest = servers("")
        + "[[faults]]\nkind = \"slowdown\"\nservers = \"web\"\nat = \"0s\"\nspeed = \"36%\"\nover = \"640ms\"\n\
           recovers-over = \"640ms\"\nlasts = \"640ms\"\nagain = { after = { kind = \"constant\", value = \"100ms\" } }\n";
    // First from 100 to 740 ms; then at 840 ms, when it has gone for 100 ms: ten of 64 stretches,
    // the speed 46%: 45.5%, 44.5% ...
    sum(&live("turns", &[FIRST, (840.0, 9.0)], &rest), 2, 20.0);
}

/// Down from 90 to 95 ms; from then on at 20%, and as much quicker with each request served: 40%,
/// 60%, 80%, and after four as usual.
#[test]
fn a_server_that_restarts_gets_warm_with_what_it_serves() {
    let rest = |cold: &str| {
        servers(cold)
            + "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"90ms\"\nlasts = \"5ms\"\n"
    };
    let at = |times: &[f64]| -> Vec<(f64, f64)> { times.iter().map(|&at| (at, 10.0)).collect() };
    let times = at(&[0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0]);
    let tally = live(
        "warms",
        &times,
        &rest("cold = { speed = \"20%\", requests = 4 }"),
    );
    let cold = 50.0 + 25.0 + 10.0 / 0.6 + 12.5;
    sum(&tally, 7, 10.0 + cold + 10.0 + 10.0);
    // One of two that are worked on at once feels that the other one is done: at 50% the first
    // takes 20 ms, in which 10 of 25 are done, and 15 take 20 ms at 75%.
    let two = rest("slots = 2\ncold = { speed = \"50%\", requests = 2 }");
    let tally = live(
        "warms-two",
        &[FIRST, (100.0, 10.0), (100.0, 25.0), (200.0, 10.0)],
        &two,
    );
    sum(&tally, 4, 20.0 + 40.0 + 10.0);
    // Of 128 requests, two are a stretch: the speed is the middle of those that its requests would
    // have.
    let many = rest("cold = { speed = \"50%\", requests = 128 }");
    let tally = live("warms-many", &at(&[0.0, 100.0, 200.0, 300.0]), &many);
    let pace = |served: f64| 1.0 - 0.5 * (1.0 - served / 128.0);
    sum(&tally, 4, 10.0 + 20.0 / pace(0.5) + 10.0 / pace(2.5));
}

/// Cold with time, from 36% in 640 ms: 36.5% for 10 ms, 37.5% ...; anew after each start.
#[test]
fn a_server_that_restarts_or_joins_gets_warm_with_time() {
    let cold = "cold = { speed = \"36%\", lasts = \"640ms\" }\n";
    // Down from 400 to 410 ms, and from 720 to 730 ms.
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"90ms\"\nlasts = \"10ms\"\n\
                 again = { after = { kind = \"constant\", value = \"310ms\" } }\n";
    // At 420 ms 37.5% and 38.5%, at 500 ms 45.5%.
    let requests = [(0.0, 10.0), (420.0, 7.6), (500.0, 4.55), (740.0, 7.6)];
    let tally = live("cold", &requests, &(servers(cold) + crash));
    sum(&tally, 4, 10.0 + 20.0 + 10.0 + 20.0);
    let joins = servers(&format!("joins = \"90ms\"\n{cold}"));
    let tally = live("joins", &[FIRST, (100.0, 7.6), (1000.0, 10.0)], &joins);
    sum(&tally, 2, 20.0 + 10.0);
}

/// Where nobody starts, that a server would be cold costs nothing.
#[test]
fn what_never_starts_is_never_cold() {
    let rest = servers("cold = { speed = \"36%\", requests = 10 }");
    let scenario = world("never-cold", &[(0.0, 10.0)], &rest);
    let features = scenario.variants[0].blueprint.features();
    assert!(features.cold_starts && features.warming && features.is_foregone());
}

/// Of ten servers three are dead, others in each replication, and as many whatever the schedule.
#[test]
fn a_part_of_the_servers_is_struck() {
    let rest = |more: &str| {
        servers("count = 10")
            + "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"50ms\"\npart = \"30%\"\n"
            + more
    };
    let requests = (0..10).map(|at| (100.0 + f64::from(at), 0.1));
    let requests: Vec<(f64, f64)> = [FIRST; 10].into_iter().chain(requests).collect();
    let again = |together: bool| {
        format!(
            "again = {{ after = {{ kind = \"constant\", value = \"40ms\" }}, lasts = {{ kind = \"constant\", value = \"100ms\" }}, together = {together} }}\n"
        )
    };
    let mut drawn = Vec::new();
    for (number, more) in ["", &again(false), &again(true)].into_iter().enumerate() {
        let scenario = world(&format!("part-{number}"), &requests, &rest(more));
        let plan = &scenario.variants[0].blueprint;
        assert!(plan.varies());
        let struck: Vec<Vec<usize>> = (0..20)
            .map(|replication| {
                let tally = model::run(plan, 1, replication);
                assert_eq!(laws::violations(&tally), []);
                let servers = tally.load.servers.iter().enumerate();
                let dead: Vec<usize> = servers
                    .filter_map(|(at, server)| (server.failed > 0).then_some(at))
                    .collect();
                assert_eq!(dead.len(), 3);
                dead
            })
            .collect();
        drawn.push(struck);
    }
    assert!(drawn.windows(2).all(|pair| pair[0] == pair[1]));
    // Of 60 that are struck, six at each server; the standard deviation is 2.2 or less.
    let mut counts = [0; 10];
    drawn[0].iter().flatten().for_each(|&at| counts[at] += 1);
    assert!(
        counts.iter().all(|count| (1..=15).contains(count)),
        "{counts:?}"
    );
    drawn[0].dedup();
    assert!(drawn[0].len() > 15);
}

/// Back at 150 ms with what is released, which is taken back at 400 ms.
#[test]
fn a_bad_release_is_slow_or_errs_until_it_is_taken_back() {
    let rest = |release: &str| {
        servers("")
            + "[[faults]]\nkind = \"rolling\"\nservers = \"web\"\nat = \"100ms\"\ndown = \"50ms\"\n"
            + release
    };
    let requests = [
        FIRST,
        (50.0, 10.0),
        (200.0, 10.0),
        (390.0, 10.0),
        (500.0, 10.0),
    ];
    let slow = rest("release = { speed = \"50%\", rolled-back = \"400ms\" }");
    // At 390 ms five of ten are done in 10 ms at half the speed.
    sum(
        &live("release-slow", &requests, &slow),
        5,
        10.0 + 20.0 + 15.0 + 10.0,
    );
    let errs = rest("release = { errors = \"100%\", rolled-back = \"400ms\" }");
    let tally = live("release-errs", &requests, &errs);
    sum(&tally, 3, 10.0 + 10.0);
    assert_eq!(tally.failed[Cause::Error as usize], 2);
    // Never taken back, and rolled out to those who go on working meanwhile.
    let stays = rest("release = { speed = \"50%\" }").replace("down = \"50ms\"\n", "");
    sum(
        &live("release-stays", &requests, &stays),
        5,
        10.0 + 20.0 + 20.0 + 20.0,
    );
}
