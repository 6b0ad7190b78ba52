//! Limits, deadlines and bulkheads: worlds computed by hand.

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};

use crate::support::{TRACED, read_in, traced};

/// Requests that arrive at `times`, in milliseconds of a second, at `web`, whose servers `a` and
/// `b` take 2 ms each and have what `servers` says; `rest` says more of the services' last table
/// and of the world.
fn live(test: &str, times: &[u32], (clients, servers, rest): (&str, &str, &str)) -> Tally {
    let place = traced(&format!("limits-{test}"), times);
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "1s"
warmup = "0s"
compare = [{{ kind = "round-robin", start = "first" }}]
[[clients]]
arrivals = {TRACED}
{clients}
[[services]]
name = "web"
[[services.servers]]
name = "a"
service = {{ kind = "constant", value = "2ms" }}
{servers}
[[services.servers]]
name = "b"
service = {{ kind = "constant", value = "2ms" }}
{servers}
{rest}
"#
    );
    let scenario = read_in(&place, &text);
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    assert_eq!(tally.unfinished, 0);
    tally
}

fn balancer(said: &str) -> String {
    format!("[services.balancer]\n{said}")
}

/// The response times of the succeeded add up to so many milliseconds, and so many were refused by
/// a limit.
#[track_caller]
fn sum(tally: &Tally, (count, sum_ms): (u64, f64), limited: u64) {
    let found = tally.latency.mean().unwrap_or(0.0) * tally.latency.count() as f64 * 1e3;
    assert_eq!(tally.latency.count(), count);
    assert!((found - sum_ms).abs() < 1e-6, "{found} ms");
    assert_eq!(tally.failed[Cause::Limited as usize], limited);
}

#[test]
fn a_balancer_lets_in_so_many_at_once() {
    let world = |more: &str| {
        let limit = format!("limit = {{ by = {{ kind = \"fixed\", requests = 1 }}{more} }}");
        let rest = balancer(&limit);
        live(
            &format!("fixed-{}", more.len()),
            &[0, 0, 0],
            ("", "", &rest),
        )
    };
    sum(&world(""), (1, 2.0), 2);
    // One after the other, though two servers are there.
    sum(&world(", when-full = \"wait\""), (3, 2.0 + 4.0 + 6.0), 0);
    sum(
        &world(", when-full = \"wait\", queue-limit = 1"),
        (2, 2.0 + 4.0),
        1,
    );
}

#[test]
fn who_waits_to_be_let_in_waits_no_longer_than_is_said() {
    let rest = balancer(
        "limit = { by = { kind = \"fixed\", requests = 1 }, when-full = \"wait\" }\nqueue-timeout = \"3ms\"",
    );
    // 2 ms, 4 ms; the third gives up at 3 ms, while the second is served.
    sum(&live("patience", &[0, 0, 0], ("", "", &rest)), (2, 6.0), 1);
    // A client that gives up leaves its place in the line: 0 -> 2, 1 -> given up at 3.5 ... the one
    // that came last is let in at 2, as if the one before had never been there.
    let timeout = live("client", &[0, 0, 0], ("timeout = \"3ms\"", "", &rest));
    assert_eq!(
        timeout.failed[Cause::GaveUp as usize] + timeout.latency.count(),
        3
    );
}

/// A token each 10 ms, and one at the start.
#[test]
fn tokens_come_one_by_one() {
    let world = |more: &str| {
        let limit =
            format!("limit = {{ by = {{ kind = \"token-bucket\", rate = \"100/s\"{more} }}");
        live(
            &format!("tokens-{}", more.len()),
            &[0, 0, 0, 500],
            ("", "", &balancer(&limit)),
        )
    };
    sum(&world(" }"), (2, 4.0), 2);
    sum(
        &world(" }, when-full = \"wait\""),
        (4, 2.0 + 12.0 + 22.0 + 2.0),
        0,
    );
    sum(
        &world(", burst = 2 }, when-full = \"wait\""),
        (4, 2.0 + 2.0 + 12.0 + 2.0),
        0,
    );
}

/// `a` and `b` have one each, and nobody queues there.
#[test]
fn each_server_has_so_many_at_once_from_a_balancer() {
    let world = |more: &str| {
        let limit = format!("server-limit = {{ by = {{ kind = \"fixed\", requests = 1 }}{more} }}");
        let times = [0, 0, 0, 0, 1];
        live(
            &format!("server-{}", more.len()),
            &times,
            ("", "", &balancer(&limit)),
        )
    };
    sum(&world(""), (2, 4.0), 3);
    // Two at 2 ms, two at 4 ms, and the last, that came at 1 ms, at 6 ms.
    sum(
        &world(", when-full = \"wait\""),
        (5, 2.0 + 2.0 + 4.0 + 4.0 + 5.0),
        0,
    );
    sum(
        &world(", when-full = \"wait\", queue-limit = 2"),
        (4, 12.0),
        1,
    );
}

/// Rules of products may name a member again that is full: another gets the request, or it is
/// refused.
#[test]
fn a_rule_that_names_a_full_server_again_is_not_asked_for_ever() {
    for rule in [
        "ipvs-wlc",
        "grpc-pick-first",
        "envoy-round-robin",
        "aws-nlb-flow-hash",
    ] {
        let limit = "server-limit = { by = { kind = \"fixed\", requests = 1 } }";
        let place = traced(&format!("limits-again-{rule}"), &[0, 0, 0, 5]);
        let text = format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "1s"
warmup = "0s"
compare = ["{rule}"]
[[clients]]
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
count = 2
service = {{ kind = "constant", value = "2ms" }}
[services.balancer]
{limit}
"#
        );
        let scenario = read_in(&place, &text);
        let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
        sum(&tally, (3, 6.0), 1);
    }
}

/// Each server takes one and refuses whoever comes meanwhile.
#[test]
fn a_server_takes_so_many_by_itself() {
    let limit = "limit = { by = { kind = \"fixed\", requests = 1 } }";
    let tally = live("own", &[0, 0, 0, 0, 10], ("", limit, ""));
    sum(&tally, (3, 6.0), 0);
    assert_eq!(tally.failed[Cause::QueueFull as usize], 2);
}

/// Ten come at once, five to each server, whose clients wait 5 ms. Served at 2 and 4 ms; the third
/// begins at 4 ms and is of no use; the others are worked on for nobody, or dropped where the
/// deadline travels.
#[test]
fn nobody_begins_what_comes_too_late() {
    let world = |clients: &str| {
        let tally = live(
            &format!("late-{}", clients.len()),
            &[0; 10],
            (clients, "", ""),
        );
        sum(&tally, (4, 12.0), 0);
        assert_eq!(tally.failed[Cause::GaveUp as usize], 6);
        tally.load.mean_utilization() * 1000.0
    };
    let plain = world("timeout = \"5ms\"");
    assert!((plain - 10.0).abs() < 1e-9, "{plain} ms each");
    let travels = world("timeout = \"5ms\"\ndeadline-travels = true");
    assert!((travels - 6.0).abs() < 1e-9, "{travels} ms each");
}

/// A call takes 10 ms, and each of the two servers may be in the midst of one at once: whoever
/// comes meanwhile goes without, or fails. Each server has three at 0 ms and ten slots, and works 2
/// ms.
#[test]
fn a_bulkhead_keeps_calls_from_taking_all_slots() {
    let world = |more: &str| {
        let rest = format!(
            r#"
[[services.steps]]
call = "db"
at-once = 1
{more}
[[services]]
name = "db"
[[services.servers]]
slots = 10
service = {{ kind = "constant", value = "10ms" }}
"#
        );
        let times = [0, 0, 0, 0, 0, 0, 30];
        live(
            &format!("bulkhead-{}", more.len()),
            &times,
            ("", "slots = 10", &rest),
        )
    };
    let optional = world("optional = true");
    sum(&optional, (7, 3.0 * 12.0 + 4.0 * 2.0), 0);
    assert_eq!(optional.services[1].requests, 3);
    let strict = world("");
    sum(&strict, (3, 36.0), 0);
    assert_eq!(strict.failed[Cause::Error as usize], 4);
}
