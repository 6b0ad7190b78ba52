//! Worlds small enough to be computed by hand: a few requests at given times, of given lengths.

use std::fs;
use std::path::PathBuf;

use lbsim::model;
use lbsim::observe::Tally;

use crate::support::{read_in, scratch};

/// Runs requests `(arrives, takes)`, in milliseconds, against one service; `servers` and what
/// follows is the rest of the scenario.
fn live(test: &str, requests: &[(u32, u32)], rest: &str) -> Tally {
    lived(test, requests, rest).swap_remove(0)
}

/// As `live`, of the last variant of the scenario.
fn live_last(test: &str, requests: &[(u32, u32)], rest: &str) -> Tally {
    lived(test, requests, rest).pop().unwrap()
}

fn lived(test: &str, requests: &[(u32, u32)], rest: &str) -> Vec<Tally> {
    let place: PathBuf = scratch(&format!("world-{test}"));
    let rows: String = requests
        .iter()
        .map(|(at, takes)| format!("{at},{takes}\n"))
        .collect();
    fs::write(place.join("trace.csv"), format!("at,takes\n{rows}")).unwrap();
    let scenario = read_in(
        &place,
        &format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "1s"
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
    );
    let variants = scenario.variants.iter();
    variants
        .map(|variant| model::run(&variant.blueprint, 1, 0))
        .collect()
}

/// One group of servers, with more settings.
fn servers(more: &str) -> String {
    format!("[[services.servers]]\nservice = {{ kind = \"constant\", value = \"1s\" }}\n{more}\n")
}

/// Mean and longest response time in milliseconds. A trace's service times are kept with 24 bits:
/// the sum of a few is right within 10 nanoseconds.
#[track_caller]
fn takes(tally: &Tally, mean: f64, longest: f64) {
    let measured = (
        tally.latency.mean().unwrap() * 1e3,
        tally.latency.max().unwrap() * 1e3,
    );
    assert!(
        (measured.0 - mean).abs() < 1e-5 && (measured.1 - longest).abs() < 1e-5,
        "{measured:?}, not {:?}",
        (mean, longest)
    );
}

#[test]
fn first_come_first_served() {
    // 10 at once; 20 waits 9 and takes 20: 29; 5 waits 28: 33.
    let tally = live("fifo", &[(0, 10), (1, 20), (2, 5)], &servers(""));
    takes(&tally, (10.0 + 29.0 + 33.0) / 3.0, 33.0);
    assert_eq!(tally.load.servers[0].answered, 3);
    assert_eq!(tally.load.servers[0].waited.nanos(), (9 + 28) * 1_000_000);
    let waiting = tally.load.over_time().into_iter().map(|row| row[0].waiting);
    let (waiting, stretches) = (waiting.clone().sum::<f64>(), waiting.len() as f64);
    assert!((waiting / stretches - 0.037).abs() < 1e-8, "{waiting}");
}

#[test]
fn last_come_first_served() {
    // 10; then the last, 8 + 5 = 13; then the second, 9 + 5 + 20 = 34.
    let tally = live(
        "lifo",
        &[(0, 10), (1, 20), (2, 5)],
        &servers("discipline = \"lifo\""),
    );
    takes(&tally, (10.0 + 13.0 + 34.0) / 3.0, 34.0);
}

#[test]
fn all_at_once() {
    // 10 and 20 from 0: each at half speed. At 20 the first is done; the second has 10 left,
    // alone: 30.
    let tally = live(
        "ps",
        &[(0, 10), (0, 20)],
        &servers("discipline = \"processor-sharing\""),
    );
    takes(&tally, 25.0, 30.0);
    // The two of three slots do not disturb each other; a fourth request at 0 makes all slower.
    let tally = live(
        "ps-slots",
        &[(0, 10), (0, 20)],
        &servers("discipline = \"processor-sharing\"\nslots = 3"),
    );
    takes(&tally, 15.0, 20.0);
}

#[test]
fn slots_and_speed() {
    // Two slots at half speed: 20 and 40; the third waits for the first slot, until 20, and takes
    // 20: 40 in all.
    let tally = live(
        "slots",
        &[(0, 10), (0, 20), (0, 10)],
        &servers("slots = 2\nspeed = \"50%\""),
    );
    takes(&tally, (20.0 + 40.0 + 40.0) / 3.0, 40.0);
    // Two slots of 1 s are 2,000 slot-milliseconds; 80 were worked.
    assert!((tally.load.utilization()[0] - 0.04).abs() < 1e-8);
}

#[test]
fn the_round_goes_on() {
    let tally = live(
        "round",
        &[(0, 10), (0, 20), (0, 30), (0, 40)],
        &servers("count = 2"),
    );
    // server-1: 10, then 30 until 40. server-2: 20, then 40 until 60.
    takes(&tally, (10.0 + 40.0 + 20.0 + 60.0) / 4.0, 60.0);
    assert_eq!(
        tally
            .load
            .servers
            .iter()
            .map(|s| s.sent)
            .collect::<Vec<_>>(),
        [2, 2]
    );
}

#[test]
fn a_full_queue_refuses() {
    let tally = live(
        "full",
        &[(0, 10), (1, 10), (2, 10)],
        &servers("queue-limit = 1"),
    );
    takes(&tally, (10.0 + 19.0) / 2.0, 19.0);
    assert_eq!((tally.requests, tally.failed), (3, [0, 0, 1, 0, 0, 0, 0]));
    let tally = live(
        "no-queue",
        &[(0, 10), (1, 10), (12, 10)],
        &servers("queue-limit = 0"),
    );
    takes(&tally, 10.0, 10.0);
    assert_eq!(tally.failed, [0, 0, 1, 0, 0, 0, 0]);
}

#[test]
fn the_network_takes_its_time() {
    let network = "[network]\nclient-to-balancer = { kind = \"constant\", value = \"3ms\" }\nbalancer-to-server = { kind = \"constant\", value = \"2ms\" }\n";
    // 2 × 3 + 2 × 2 + 10; the second reaches the server at 6 and starts at 15: 25 + 5 − 1.
    let tally = live("network", &[(0, 10), (1, 10)], &(servers("") + network));
    takes(&tally, (20.0 + 29.0) / 2.0, 29.0);
}

#[test]
fn a_timeout_and_another_server() {
    let balancer = "[services.balancer]\ntimeout = \"15ms\"\nretry = { max = 1 }\n";
    // The first and the third go to server-1, the second to server-2. The third would wait until
    // 30: at 16 it is tried on server-2, idle since 6, where it takes 10: 26 − 1.
    let requests = [(0, 30), (0, 6), (1, 10)];
    let tally = live("timeout", &requests, &(servers("count = 2") + balancer));
    // The first itself times out at 15 and takes 30 on server-2 again: it fails at 30, and the
    // third waits behind it, times out at 31, and fails.
    assert_eq!((tally.requests, tally.attempts), (3, 5));
    assert_eq!(tally.failed, [0, 0, 0, 2, 0, 0, 0]);
    takes(&tally, 6.0, 6.0);
    let cancel = balancer.replace("retry", "abandoned = \"cancel\"\nretry");
    let tally = live("cancel", &requests, &(servers("count = 2") + &cancel));
    // Work that nobody waits for is stopped: at 15 server-1 begins the third (until 25: too late
    // for its deadline at 16), which moves to server-2 behind the first; that is stopped at 30, and
    // the third done at 40: too late.
    assert_eq!(tally.failed, [0, 0, 0, 2, 0, 0, 0]);
    assert!(
        tally.load.utilization()[0] < 0.0161,
        "{:?}",
        tally.load.utilization()
    );
}

#[test]
fn a_crash_loses_or_finishes_what_is_there() {
    let crash = |how: &str| {
        format!(
            "[[faults]]\nkind = \"crash\"\nservers = \"web/server\"\nat = \"5ms\"\nlasts = \"10ms\"\n{how}\n"
        )
    };
    let requests = [(0, 10), (1, 10), (7, 10), (20, 10)];
    // At 5 both that are there are lost; the one at 7 is refused; the server is back at 15.
    let tally = live("crash", &requests, &(servers("") + &crash("")));
    assert_eq!(tally.failed, [0, 3, 0, 0, 0, 0, 0]);
    takes(&tally, 10.0, 10.0);
    // Those in flight finish all the same: at 10 and at 20, and the last comes at 20 and waits for
    // nobody.
    let tally = live(
        "finish",
        &requests,
        &(servers("") + &crash("in-flight = \"finish\"")),
    );
    assert_eq!(tally.failed, [0, 1, 0, 0, 0, 0, 0]);
    takes(&tally, (10.0 + 19.0 + 10.0) / 3.0, 19.0);
    // A dead machine says nothing: all three hang until it is back at 15, and then know that they
    // are lost.
    let tally = live(
        "hang",
        &requests,
        &(servers("") + &crash("answers = \"hang\"")),
    );
    assert_eq!(tally.failed, [0, 3, 0, 0, 0, 0, 0]);
}

#[test]
fn a_slow_spell_slows_what_it_meets() {
    let slow = "[[faults]]\nkind = \"slowdown\"\nservers = \"web/server\"\nat = \"5ms\"\nlasts = \"20ms\"\nspeed = \"50%\"\n";
    // 10 of work: 5 done by 5, the rest at half speed: 15. The next begins at 15, has 5 done by 25,
    // ends at 30.
    let tally = live("slowdown", &[(0, 10), (1, 10)], &(servers("") + slow));
    takes(&tally, (15.0 + 29.0) / 2.0, 29.0);
}

#[test]
fn those_who_leave_and_join_get_nothing_meanwhile() {
    let requests: Vec<(u32, u32)> = (0..10).map(|i| (i * 100, 1)).collect();
    let pool =
        servers("name = \"a\"") + &servers("name = \"b\"\njoins = \"250ms\"\nleaves = \"650ms\"");
    let tally = live("members", &requests, &pool);
    let sent: Vec<u64> = tally
        .load
        .servers
        .iter()
        .map(|server| server.sent)
        .collect();
    // b is there for the requests at 300, 400, 500, 600: half of them.
    assert_eq!(sent, [8, 2]);
}

#[test]
fn a_drained_server_finishes_and_gets_nothing_new() {
    let drain = "[[faults]]\nkind = \"drain\"\nservers = \"web/server-1\"\nat = \"5ms\"\n";
    let tally = live(
        "drain",
        &[(0, 10), (0, 10), (6, 10), (7, 10)],
        &(servers("count = 2") + drain),
    );
    assert_eq!(tally.succeeded_count(), 4);
    let sent: Vec<u64> = tally
        .load
        .servers
        .iter()
        .map(|server| server.sent)
        .collect();
    assert_eq!(sent, [1, 3]);
}

#[test]
fn checks_find_out_after_their_time() {
    // server-1 dies at 100 and refuses. Checks every 100 ms with a random phase, three in a row: it
    // is out between 300 and 400. Round robin sends it every other request until then: those
    // at 100, 120 … fail.
    let requests: Vec<(u32, u32)> = (0..50).map(|i| (i * 20, 1)).collect();
    let crash = "[services.balancer]\nhealth-check = { interval = \"100ms\" }\n[[faults]]\nkind = \"crash\"\nservers = \"web/server-1\"\nat = \"99ms\"\n";
    let tally = live("checks", &requests, &(servers("count = 2") + crash));
    let failed = tally.failed[1];
    // In 200 to 300 ms there are 10 to 15 requests, every other on server-1.
    assert!((5..=8).contains(&failed), "{failed}");
    assert_eq!(tally.failed[0], 0);
}

#[test]
fn nobody_left_is_a_refusal() {
    let crash = "[services.balancer]\nhealth-check = { interval = \"10ms\", fall = 1 }\n[[faults]]\nkind = \"crash\"\nservers = \"web/server\"\nat = \"100ms\"\n";
    let tally = live(
        "nobody",
        &[(0, 1), (500, 1), (600, 1)],
        &(servers("") + crash),
    );
    assert_eq!(tally.failed, [2, 0, 0, 0, 0, 0, 0]);
}

/// As `live`, of an oracle that foresees; the groups are `a` and `b`.
fn foreseen(test: &str, requests: &[(u32, u32)], a: &str, b: &str) -> Tally {
    let group = |name: &str, more: &str| servers(&format!("name = \"{name}\"\n{more}"));
    let variant = "[[variants]]\nname = \"foreseen\"\nstrategy = \"earliest-completion\"\n";
    live_last(test, requests, &(group("a", a) + &group("b", b) + variant))
}

/// At 0 a request of 10 is done by a, twice as fast, after 5. At 1 one of 10: a from 5 to 10, b
/// from 1 to 11: a, after 9. At 2 one of 2: a would be done at 11, b at 4: b, after 2. At 3 one of
/// 30: a from 10 to 25, b from 4 to 34: a, after 22.
#[test]
fn what_is_completed_first_counts_work_and_speed() {
    let requests = [(0, 10), (1, 10), (2, 2), (3, 30)];
    let tally = foreseen("foreseen-speeds", &requests, "speed = \"200%\"", "");
    takes(&tally, (5.0 + 9.0 + 2.0 + 22.0) / 4.0, 22.0);
    let sent = [0, 1].map(|server| tally.load.servers[server].sent);
    assert_eq!(sent, [3, 1]);
}

/// Two slots at a; b has half the speed. 10 at 0: a to 10. 20 at 1: a's other slot, to 21. 5 at 2:
/// a would begin at 10 and be done at 15; b from 2 to 12: b, after 10. 4 at 3: a from 10 to 14, b
/// from 12 to 20: a, after 11. 1 at 4: a from 14 to 15, b from 12 to 14: b, after 10.
#[test]
fn what_is_completed_first_counts_slots() {
    let requests = [(0, 10), (1, 20), (2, 5), (3, 4), (4, 1)];
    let tally = foreseen("foreseen-slots", &requests, "slots = 2", "speed = \"50%\"");
    takes(&tally, (10.0 + 20.0 + 10.0 + 11.0 + 10.0) / 5.0, 20.0);
    let sent = [0, 1].map(|server| tally.load.servers[server].sent);
    assert_eq!(sent, [3, 2]);
}

/// A server of four hangs from 2 s to the end. Its first victims time out after 500 ms; then its
/// estimate is half a second, which takes some 30 s to fade to what the others need. That the retry
/// must go elsewhere is no reason to forget that: a few requests in flight at once are lost to it,
/// and not one attempt in three.
#[test]
fn a_retry_makes_no_rule_forget_a_dead_server() {
    let place = scratch("world-dead-server");
    let failed = |retry: &str| {
        let text = format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "20s"
warmup = "1s"
compare = ["linkerd-peak-ewma"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "200/s" }}
[[services]]
name = "web"
[[services.servers]]
count = 4
service = {{ kind = "exponential", mean = "10ms" }}
[services.balancer]
timeout = "500ms"
retry = {retry}
[[faults]]
kind = "crash"
servers = "web/server-1"
at = "2s"
answers = "hang"
"#
        );
        let scenario = read_in(&place, &text);
        let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
        tally.load.servers[0].failed
    };
    let (another, any) = (failed("{ max = 1 }"), failed("{ max = 1, on = \"any\" }"));
    assert!((1..60).contains(&any), "{any}");
    assert!(another < 60, "{another}, and {any} where it goes anywhere");
}

/// Both servers are dead from 99 ms on. The first is checked every 10 ms and soon out; the second
/// has checks of its own: none at all, so that it gets the rest; or rarer ones, the first of them
/// within a second, so that it gets what comes before that.
#[test]
fn servers_may_have_health_checks_of_their_own() {
    let requests: Vec<(u32, u32)> = (0..18).map(|at| (at * 50, 1)).collect();
    let failed = |test: &str, own: &str| {
        let group = |name: &str, more: &str| servers(&format!("name = \"{name}\"\n{more}"));
        let tally = live(
            test,
            &requests,
            &(group("a", "")
                + &group("b", own)
                + "[services.balancer]\nhealth-check = { interval = \"10ms\", fall = 1 }\n"
                + "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"99ms\"\n"),
        );
        let at: Vec<u64> = (tally.load.servers.iter().map(|server| server.failed)).collect();
        (at[0], at[1])
    };
    // Requests 3 to 18 find the one or the other; the first check after 99 ms comes by 109 ms,
    // before any of them but that at 100 ms, which finds the first server.
    let (first, second) = failed("own-checks-off", "health-check = { enabled = false }");
    assert_eq!((first <= 1, first + second), (true, 16));
    let (first, second) = failed("own-checks-rare", "health-check = { interval = \"800ms\" }");
    assert!(first <= 1 && (1..16).contains(&second), "{first}, {second}");
    let (first, second) = failed("own-checks-none", "");
    assert!(first + second <= 2, "{first}, {second}");
}
