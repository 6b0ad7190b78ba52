//! Faults of the ways between places, and of balancers: worlds computed by hand, and what is
//! refused.

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};
use lbsim::scenario::Scenario;

use crate::support::{TRACED, read_in, traced};

/// Requests that arrive at `times`, in milliseconds of a second, at `web`, whose servers `a` and
/// `b` take 2 ms each; `rest` says more of the services' last table and of the world.
fn world(test: &str, times: &[u32], rest: &str) -> Scenario {
    let place = traced(&format!("links-{test}"), times);
    read_in(
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
zone = "home"
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
name = "a"
zone = "east"
service = {{ kind = "constant", value = "2ms" }}
[[services.servers]]
name = "b"
zone = "west"
service = {{ kind = "constant", value = "2ms" }}
{rest}
"#
        ),
    )
}

fn live(test: &str, times: &[u32], rest: &str) -> Tally {
    let scenario = world(test, times, rest);
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// The response times of the succeeded add up to so many milliseconds.
#[track_caller]
fn sum(tally: &Tally, count: u64, sum_ms: f64) {
    let found = tally.latency.mean().unwrap_or(0.0) * tally.latency.count() as f64 * 1e3;
    assert_eq!(tally.latency.count(), count);
    assert!((found - sum_ms).abs() < 1e-6, "{found} ms");
}

/// a, b, a, b: between 100 and 300 ms all that goes to or from `b` takes 10 ms longer.
#[test]
fn a_slow_link_delays_both_ways_or_one() {
    let slow = "[[faults]]\nkind = \"slow-link\"\nfrom = \"balancers:web\"\nto = \"web/b\"\nat = \"100ms\"\nlasts = \"200ms\"\nadds = \"10ms\"";
    let both = live("slow", &[0, 50, 150, 200], slow);
    sum(&both, 4, 2.0 * 4.0 + 20.0);
    let one_way = live(
        "slow-one",
        &[0, 50, 150, 200],
        &format!("{slow}\none-way = true"),
    );
    sum(&one_way, 4, 2.0 * 4.0 + 10.0);
    // A message that has set out before is not caught up with: the answer alone is.
    let late = live("slow-late", &[0, 99], slow);
    sum(&late, 2, 2.0 * 2.0 + 10.0);
}

/// What is sent over a cut is gone: the balancer waits for its timeout of 20 ms and tries the next.
#[test]
fn a_cut_is_found_out_by_timeouts() {
    let rest = r#"
[services.balancer]
timeout = "20ms"
retry = { max = 1, on = "another" }
[[faults]]
kind = "cut"
from = "balancers:web/1"
to = "zone:west"
at = "100ms"
lasts = "200ms"
"#;
    // a, b (at 50 ms), a, b: cut, 20 ms later a again.
    let tally = live("cut", &[0, 50, 150, 200], rest);
    sum(&tally, 4, 2.0 * 4.0 + 20.0);
    assert_eq!((tally.attempts, tally.unfinished), (5, 0));
    // The answer of what is under way is lost, too: sent at 99 ms, cut at 100 ms.
    let tally = live("cut-answer", &[0, 99], rest);
    sum(&tally, 2, 2.0 * 2.0 + 20.0);
    assert_eq!(tally.load.servers[1].answered, 1);
}

/// Nobody waits for an answer but the client, who has no timeout: it waits for ever.
#[test]
fn what_a_cut_swallows_has_no_end() {
    let cut = "[[faults]]\nkind = \"cut\"\nfrom = \"clients:*\"\nto = \"balancers:web\"\nat = \"100ms\"\nlasts = \"100ms\"";
    let tally = live("cut-clients", &[0, 99, 150, 250], cut);
    // 99: the answer would come at 101.
    sum(&tally, 2, 4.0);
    assert_eq!(tally.unfinished, 2);
    let one_way = format!("{cut}\none-way = true");
    let tally = live("cut-clients-one", &[0, 99, 150, 250], &one_way);
    sum(&tally, 3, 6.0);
    assert_eq!(tally.unfinished, 1);
}

/// Checks go over the same link: with 10 ms to a server and 10 ms back, one that waits 15 ms for an
/// answer never gets it.
#[test]
fn checks_take_the_way_that_requests_take() {
    let rest = |timeout: u32, fall: u32| {
        format!(
            r#"
[services.balancer.health-check]
interval = "50ms"
timeout = "{timeout}ms"
fall = {fall}
[network.zones.east]
[network.zones.west]
balancer-to-server = {{ kind = "constant", value = "10ms" }}
[network.zones.home]
[[faults]]
kind = "crash"
servers = "web/a"
at = "10s"
"#
        )
    };
    let times: Vec<u32> = (0..10).map(|at| at * 100).collect();
    let sent = |tally: &Tally| [0, 1].map(|server| tally.load.servers[server].sent);
    // No check matters while nothing fails.
    let tally = live("checks-in-time", &times, &rest(25, 1));
    assert_eq!(sent(&tally), [5, 5]);
    // A slow link makes them late, from 500 ms on: the second check then, at 600 ms at the latest.
    let slow = "[[faults]]\nkind = \"slow-link\"\nfrom = \"web/b\"\nto = \"balancers:*\"\nat = \"500ms\"\nadds = \"30ms\"";
    let tally = live("checks-late", &times, &format!("{}{slow}", rest(25, 2)));
    // 0 a, 100 b, ... 500 b; 600 a; 700 a, 800 a, 900 a.
    assert_eq!(sent(&tally), [7, 3]);
}

/// Two balancers that disagree: the link of one alone is cut.
#[test]
fn each_balancer_has_its_own_opinion() {
    let rest = r#"
[services.balancer]
instances = 2
timeout = "20ms"
health-check = { interval = "50ms", timeout = "10ms", fall = 1 }
[[faults]]
kind = "cut"
from = "balancers:web/2"
to = "web/b"
at = "100ms"
"#;
    let times: Vec<u32> = [0]
        .into_iter()
        .chain((0..199).map(|at| 200 + 4 * at))
        .collect();
    let tally = live("disagree", &times, rest);
    // From 200 ms on the second balancer knows, and nobody fails; the first sends every other one
    // to b: of 200 requests, drawn by halves, about 50 (standard deviation of the half: 7).
    assert_eq!(tally.failed, [0; Cause::COUNT]);
    let at_b = tally.load.servers[1].sent;
    assert!((34..66).contains(&at_b), "{at_b}");
}

/// The balancer is dead from 100 to 200 ms. What it has fails at once, as does what comes.
#[test]
fn a_balancer_that_is_dead_refuses() {
    let crash = "[[faults]]\nkind = \"balancer-crash\"\nbalancers = \"web\"\nat = \"100ms\"\nlasts = \"100ms\"";
    // 99: its server answers at 101, and nobody is there.
    let tally = live("balancer", &[0, 99, 150, 250, 300], crash);
    sum(&tally, 3, 6.0);
    assert_eq!(tally.failed[Cause::Crash as usize], 2);
    // It is back as at the start: round robin begins at a again. a, b, then a, b.
    let sent = [0, 1].map(|server| tally.load.servers[server].sent);
    assert_eq!(sent, [2, 2]);
    // Those at 99 and 150 fail when it is back: 1 ms before the crash and 101 ms, 50 ms.
    let hangs = live(
        "balancer-hangs",
        &[0, 99, 150, 250, 300],
        &format!("{crash}\nanswers = \"hang\""),
    );
    assert_eq!(hangs.failed[Cause::Crash as usize], 2);
    let after = hangs.failures.mean().unwrap() * 2e3;
    assert!((after - 151.0).abs() < 1e-6, "{after} ms");
}

/// A retry whose pause outlasts its balancer is not made, and its place is free again.
#[test]
fn a_pause_ends_with_its_balancer() {
    let rest = r#"
[services.balancer]
retry = { max = 3, backoff = "60ms", jitter = "none" }
[[faults]]
kind = "crash"
servers = "web"
at = "20ms"
lasts = "70ms"
[[faults]]
kind = "balancer-crash"
balancers = "web/1"
at = "70ms"
lasts = "10ms"
"#;
    // 50: refused, to be tried again at 110; the balancer dies at 70. 100 takes its place.
    let tally = live("pause", &[0, 50, 100, 200], rest);
    sum(&tally, 3, 6.0);
    assert_eq!(tally.failed[Cause::Crash as usize], 1);
    assert_eq!(tally.attempts, 4);
}

/// A fault that comes again: well for 150 ms, ill for 50 ms; each server on its own or both
/// together make no difference where nothing is drawn.
#[test]
fn a_fault_comes_again() {
    let rest = |together: bool| {
        format!(
            r#"
[[faults]]
kind = "crash"
servers = "web"
at = "0s"
lasts = "50ms"
again = {{ after = {{ kind = "constant", value = "150ms" }}, together = {together} }}
"#
        )
    };
    let times: Vec<u32> = [0]
        .into_iter()
        .chain((0..100).map(|at| at * 10 + 5))
        .collect();
    for together in [false, true] {
        let tally = live("again", &times, &rest(together));
        assert_eq!(tally.failed[Cause::Crash as usize], 25);
    }
}

/// With drawn times, servers that fail together fail at the same times. Both are dead for half of
/// the time: on its own each a server is, so that both are for a quarter of it.
#[test]
fn faults_may_be_correlated() {
    let rest = |together: bool| {
        format!(
            r#"
[services.balancer]
retry = {{ max = 1, on = "another" }}
[[faults]]
kind = "crash"
servers = "web"
at = "0s"
again = {{ after = {{ kind = "exponential", mean = "20ms" }}, lasts = {{ kind = "exponential", mean = "20ms" }}, together = {together} }}
"#
        )
    };
    let times: Vec<u32> = (0..500).map(|at| 2 * at).collect();
    // A state is forgotten after 10 ms (half of 20), two after 5: the share of time in which all
    // are dead has a standard deviation of 0.07 or less, and what is under way at a crash adds to
    // it; fixed seed.
    let own = live("own", &times, &rest(false));
    let share = |tally: &Tally| tally.failed.iter().sum::<u64>() as f64 / 500.0;
    assert!((share(&own) - 0.25).abs() < 0.2, "{}", share(&own));
    let all = live("together", &times, &rest(true));
    assert!((share(&all) - 0.5).abs() < 0.2, "{}", share(&all));
    assert!(share(&all) > share(&own) + 0.1);
}

/// Half of the messages are lost each way, and sent again after 10 ms, 20 ms, ...: each way takes
/// 10 * (0.1 + 2 * 0.01 + 4 * 0.001 + ...) = 10 * 0.1 / (1 - 0.2) = 1.25 ms longer at 10%.
#[test]
fn lost_messages_are_sent_again() {
    let rest = r#"
[[faults]]
kind = "lossy-link"
from = "balancers:web"
to = "web"
at = "0s"
share = "10%"
retransmit = "10ms"
"#;
    let times: Vec<u32> = (0..330).map(|at| 3 * at).collect();
    let tally = live("lossy", &times, rest);
    assert_eq!(tally.latency.count() + tally.unfinished, 330);
    // The time lost on one way has a standard deviation of 6.1 ms, so the mean of 330 of two ways
    // one of 0.47 ms: four of them, and what waits behind others adds to it.
    let mean = tally.latency.mean().unwrap() * 1e3;
    assert!(mean > 4.5 - 1.9 && mean < 4.5 + 1.9 + 0.6, "{mean}");
}

fn refused(faults: &str) -> String {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "1s"
compare = ["round-robin"]
[[clients]]
name = "mobile"
arrivals = {{ kind = "poisson", rate = "10/s" }}
[[services]]
name = "web"
[[services.servers]]
name = "a"
zone = "east"
service = {{ kind = "constant", value = "2ms" }}
{faults}
"#
    );
    match Scenario::from_text("scenario.toml", &text) {
        Ok(_) => panic!("not refused"),
        Err(rejected) => rejected.to_string(),
    }
}

#[test]
fn places_that_nobody_knows_are_named_all_at_once() {
    let said = refused(
        r#"
[[faults]]
kind = "cut"
from = "clients:mobil"
to = "zone:est"
at = "0s"
[[faults]]
kind = "balancer-crash"
balancers = "web/2"
at = "0s"
[[faults]]
kind = "crash"
servers = "zone:west"
at = "0s"
[[faults]]
kind = "slowdown"
servers = "web"
at = "0s"
speed = "50%"
again = { after = { kind = "constant", value = "1s" } }
"#,
    );
    for part in [
        "there is no place `clients:mobil`",
        "did you mean `clients:mobile`?",
        "did you mean `zone:east`?",
        "there is no balancer `web/2`",
        "did you mean `web/1`?",
        "there is no server `zone:west`",
        "did you mean `zone:east`? there is `zone:east`\n",
        "a fault that comes again must end",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
}
