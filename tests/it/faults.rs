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

/// Turns with grace: `server-1` is drained at 100 ms and works until 120 ms, is back at 140 ms, and
/// ten milliseconds later `server-2`, which has nothing to do, goes down at once, until 170 ms.
const GRACE: &str = "[[faults]]\nkind = \"rolling\"\nservers = \"web\"\nat = \"100ms\"\ngrace = \"50ms\"\ndown = \"20ms\"\npause = \"10ms\"\n";

/// Two requests at 0, one of this length at 90 ms, and a short one each 5 ms from 112.5 ms on.
fn stream(long: f64) -> Vec<(f64, f64)> {
    let others = (0..12).map(|at| (112.5 + 5.0 * f64::from(at), 1.0));
    [FIRST, FIRST, (90.0, long)]
        .into_iter()
        .chain(others)
        .collect()
}

fn sent(tally: &Tally) -> Vec<u64> {
    (tally.load.servers.iter())
        .map(|server| server.sent)
        .collect()
}

#[test]
fn a_server_goes_down_when_it_has_nothing_left() {
    let two = servers("count = 2");
    let tally = live("grace", &stream(30.0), &(two.clone() + GRACE));
    // Six while the first is away, one each at 142.5 and 147.5 ms, four while the second is.
    assert_eq!(sent(&tally), [2 + 1 + 4, 1 + 6 + 1]);
    sum(&tally, 15, 30.0 + 12.0);
    // Of one that never ends it is no longer drained than 50 ms: down from 150 to 170 ms.
    let tally = live("grace-over", &stream(80.0), &(two.clone() + GRACE));
    assert_eq!(sent(&tally), [2, 13]);
    assert_eq!(tally.failed[Cause::Crash as usize], 1);
    // So it is with a server that shares itself, and one whose request times out and is stopped.
    let shared = servers("count = 2\ndiscipline = \"processor-sharing\"");
    let tally = live("grace-shared", &stream(30.0), &(shared + GRACE));
    assert_eq!(sent(&tally), [7, 8]);
    let cancel = "[services.balancer]\ntimeout = \"30ms\"\nabandoned = \"cancel\"\n";
    let tally = live("grace-cancel", &stream(80.0), &(two + cancel + GRACE));
    assert_eq!(sent(&tally), [7, 8]);
}

/// What is released errs. The first is back with it at 140 ms, the second would be at 170 ms.
#[test]
fn with_grace_a_release_reaches_those_who_are_back() {
    let live = |test: &str, back: u32| {
        let release = format!("release = {{ errors = \"100%\", rolled-back = \"{back}ms\" }}\n");
        let rest = servers("count = 2") + GRACE + &release;
        let tally = live(test, &stream(30.0), &rest);
        (sent(&tally), tally.failed[Cause::Error as usize])
    };
    // Taken back at 160 ms: at 142.5 or 147.5 ms, at 152.5 and 157.5 ms.
    assert_eq!(live("grace-release", 160), (vec![7, 8], 3));
    // At 145 ms: the second has no turn.
    let (sent, failed) = live("grace-taken-back", 145);
    assert_eq!((sent.iter().sum::<u64>(), failed <= 1), (15, true));
    assert!(sent[1] >= 1 + 6 + 2, "{sent:?}");
}

const HANG: &str = "[[faults]]\nkind = \"hang\"\nservers = \"web/server-1\"\nat = \"100ms\"\n";

#[test]
fn what_hangs_keeps_its_slot_until_it_is_let_go() {
    let one = |more: &str| servers(more) + &HANG.replace("/server-1", "") + "lasts = \"100ms\"\n";
    // At 150 ms one hangs until 200 ms, and takes ten; that at 160 ms waits for it.
    let requests = [FIRST, (50.0, 10.0), (150.0, 10.0), (160.0, 10.0)];
    sum(&live("hang", &requests, &one("")), 4, 10.0 + 60.0 + 60.0);
    // In a server that shares itself those who hang have no part of it; from 205 ms on both share.
    let requests = [FIRST, (195.0, 10.0), (205.0, 10.0)];
    let shared = one("discipline = \"processor-sharing\"");
    sum(&live("hang-shared", &requests, &shared), 3, 20.0 + 15.0);
    // It stands still from 190 to 220 ms: what is let go at 200 ms begins at 220 ms.
    let pause =
        "[[faults]]\nkind = \"pause\"\nservers = \"web\"\nat = \"190ms\"\nlasts = \"30ms\"\n";
    sum(
        &live("hang-pause", &[FIRST, (150.0, 10.0)], &(one("") + pause)),
        2,
        80.0,
    );
}

/// Checks pass, so that every other request goes there, times out, and is tried again.
#[test]
fn a_server_that_hangs_passes_its_checks() {
    let rest = servers("count = 2")
        + "[services.balancer]\ntimeout = \"20ms\"\nabandoned = \"cancel\"\nretry = { max = 1 }\n\
           health-check = { interval = \"10ms\", fall = 1 }\n"
        + HANG;
    let requests = (0..10).map(|at| (150.0 + 50.0 * f64::from(at), 10.0));
    let requests: Vec<(f64, f64)> = [FIRST, FIRST].into_iter().chain(requests).collect();
    let tally = live("hang-checks", &requests, &rest);
    // The first goes to the first, and then to the second; so does the next.
    sum(&tally, 12, 10.0 * 30.0);
    assert_eq!(sent(&tally), [11, 11]);
    // A server that dies has nothing that hangs.
    let crash =
        "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"200ms\"\nlasts = \"10ms\"\n";
    for discipline in ["fifo", "processor-sharing"] {
        let rest = servers(&format!(
            "name = \"server-1\"\ndiscipline = \"{discipline}\""
        )) + HANG
            + crash;
        let tally = live(
            &format!("hang-{discipline}"),
            &[FIRST, (150.0, 10.0)],
            &rest,
        );
        assert_eq!(tally.failed[Cause::Crash as usize], 1);
    }
}

/// Half of 400 hang for ever: a standard deviation of 10, and five of them (a false alarm in two
/// million; the seed is fixed).
#[test]
fn a_share_of_the_requests_hangs() {
    let rest = servers("name = \"server-1\"\nslots = 1000") + HANG + "share = \"50%\"\n";
    let requests = (0..400).map(|at| (150.0 + f64::from(at), 1.0));
    let requests: Vec<(f64, f64)> = std::iter::once(FIRST).chain(requests).collect();
    let tally = live("hang-share", &requests, &rest);
    assert!(
        (150..=250).contains(&tally.unfinished),
        "{}",
        tally.unfinished
    );
    sum(
        &tally,
        401 - tally.unfinished,
        (400 - tally.unfinished) as f64,
    );
}

/// What is wrong with all of them is said at once.
#[test]
fn settings_that_may_not_be_so_are_refused() {
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "1s"
compare = ["round-robin"]
[[clients]]
arrivals = { kind = "poisson", rate = "10/s" }
[[services]]
name = "web"
[[services.servers]]
service = { kind = "constant", value = "2ms" }
cold = { speed = "120%" }
[[services.servers]]
name = "other"
service = { kind = "constant", value = "2ms" }
cold = { speed = "20%", lasts = "1s", requests = 5 }
[[faults]]
kind = "slowdown"
servers = "web"
at = "0s"
speed = "50%"
recovers-over = "1s"
part = "0%"
[[faults]]
kind = "rolling"
servers = "web"
at = "1s"
drain = "1s"
grace = "1s"
release = { rolled-back = "1s" }
[[faults]]
kind = "hang"
servers = "web"
share = "101%"
"#;
    let said = match Scenario::from_text("scenario.toml", text) {
        Ok(_) => panic!("not refused"),
        Err(rejected) => rejected.to_string(),
    };
    for part in [
        "`speed` is 120%; it must be 0.0001% to 100%",
        "nothing says when a server is warm; give `lasts` or `requests`",
        "when a server is warm is said twice",
        "a slowdown that never ends does not recover",
        "`part` is 0%; it must be more than 0%, and 100% at most",
        "how long servers are drained is said twice",
        "then do not go down; give `down`",
        "nothing says what is bad about it",
        "`rolled-back` is 1s, which is not after `at`, 1s",
        "`share` must be at most 100%",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
}
