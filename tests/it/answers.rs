//! Answers that are not all alike: statuses, errors of one key, servers that are slow or refuse
//! under load, connections. Worlds computed by hand.

use lbsim::model;
use lbsim::observe::{Cause, Ended, Tally, Witness, laws};
use lbsim::scenario::Scenario;

use crate::support::{TRACED, read_in, traced};

/// Requests that arrive at `times`, in milliseconds of a second, at the one server of `web`, which
/// has 100 slots, takes 10 ms and has what `server` says; `rest` says more of the world.
fn world(test: &str, times: &[u32], (clients, server, rest): (&str, &str, &str)) -> Scenario {
    let place = traced(&format!("answers-{test}"), times);
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
slots = 100
service = {{ kind = "constant", value = "10ms" }}
{server}
{rest}
"#
    );
    read_in(&place, &text)
}

/// That world, lived to its end.
fn live(test: &str, times: &[u32], said: (&str, &str, &str)) -> Tally {
    let tally = model::run(&world(test, times, said).variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    assert_eq!(tally.unfinished, 0);
    tally
}

/// The response times of the succeeded add up to so many milliseconds, and so many met with errors,
/// in so many attempts.
#[track_caller]
fn sum(tally: &Tally, (count, sum_ms): (u64, f64), (errors, attempts): (u64, u64)) {
    let found = tally.latency.mean().unwrap_or(0.0) * tally.latency.count() as f64 * 1e3;
    assert_eq!(tally.latency.count(), count);
    assert!((found - sum_ms).abs() < 1e-4, "{found} ms");
    let failed = tally.failed[Cause::Error as usize];
    assert_eq!((failed, tally.attempts), (errors, attempts));
}

const RETRY: &str = r#"[services.balancer]
retry = { max = 1, on = "any", error-answers = true STATUSES }
"#;

/// The server answers with `status` until 15 ms; what comes at 0 is over by 10, and asked again by
/// then would fail again.
fn errors(status: u16, statuses: &str) -> Tally {
    let retry = RETRY.replace("STATUSES", statuses);
    let rest = format!(
        "{retry}\n[[faults]]\nkind = \"errors\"\nservers = \"web\"\nat = \"0s\"\nlasts = \"5ms\"\nstatus = {status}\n"
    );
    let test = format!("status-{status}-{}", statuses.len());
    live(&test, &[0, 100], ("", "", &rest))
}

#[test]
fn which_errors_are_tried_again_may_be_said() {
    // Of themselves those that speak of the server, or of too many requests.
    for status in [429, 500, 503, 599] {
        sum(&errors(status, ""), (2, 20.0 + 10.0), (0, 3));
    }
    for status in [400, 404] {
        sum(&errors(status, ""), (1, 10.0), (1, 2));
    }
    let some = ", statuses = [\"404\", \"50x\"]".replace("50x", "503");
    sum(&errors(404, &some), (2, 30.0), (0, 3));
    sum(&errors(503, &some), (2, 30.0), (0, 3));
    sum(&errors(500, &some), (1, 10.0), (1, 2));
    sum(&errors(500, ", statuses = [\"5xx\"]"), (2, 30.0), (0, 3));
}

#[test]
fn clients_go_by_statuses_too() {
    let fault = "[[faults]]\nkind = \"errors\"\nservers = \"web\"\nat = \"0s\"\nlasts = \"5ms\"\nstatus = 404\n";
    let asks = |statuses: &str| {
        let clients = format!("retry = {{ max = 1, error-answers = true{statuses} }}");
        live(
            &format!("clients-{}", statuses.len()),
            &[0],
            (&clients, "", fault),
        )
    };
    sum(&asks(""), (0, 0.0), (1, 1));
    sum(&asks(", statuses = [\"4xx\"]"), (1, 20.0), (0, 2));
}

#[test]
fn whoever_asked_wrongly_is_not_held_against_the_server() {
    let world = |status: u16| {
        let rest = format!(
            r#"[services.balancer]
ejection = {{ kind = "max-fails", max-fails = 1, fail-timeout = "500ms", against = ["error"] }}
[[services.servers]]
name = "b"
service = {{ kind = "constant", value = "10ms" }}
[[faults]]
kind = "errors"
servers = "web/a"
at = "0s"
lasts = "5ms"
status = {status}
"#
        );
        let tally = live(
            &format!("held-{status}"),
            &[0, 100, 200, 300],
            ("", "", &rest),
        );
        tally.load.servers[0].sent
    };
    assert_eq!([world(404), world(500)], [2, 1]);
}

#[test]
fn errors_may_be_those_of_one_key() {
    let fault = "[[faults]]\nkind = \"errors\"\nservers = \"web\"\nat = \"0s\"\nkey = 1\n";
    let times: Vec<u32> = (0..200).collect();
    let tally = live("key", &times, ("keys = { count = 2 }", "", fault));
    let failed = tally.failed[Cause::Error as usize];
    // 200 at one half: within 4.5 standard deviations of 100.
    assert!((68..=132).contains(&failed), "{failed}");
    assert_eq!(failed + tally.latency.count(), 200);
}

#[test]
fn a_server_slows_down_with_those_that_are_there() {
    // Once as long at none, three times at four: 1.5, 2, 2.5, 3, and 3 again.
    let slows = "under-load = { slows = [{ requests = 4, times = 3.0 }] }";
    let tally = live("slows", &[0, 0, 0, 0, 0], ("", slows, ""));
    sum(&tally, (5, 15.0 + 20.0 + 25.0 + 30.0 + 30.0), (0, 5));
    // At one that shares itself it is more work.
    let shares = format!("{slows}\ndiscipline = {{ kind = \"processor-sharing\" }}");
    let tally = live("slows-shared", &[0, 100], ("", &shares, ""));
    sum(&tally, (2, 15.0 + 15.0), (0, 2));
}

#[test]
fn a_server_refuses_after_its_work_what_is_too_much() {
    let errs = "under-load = { errs-above = 2, status = 503 }";
    // Three are there when the first answer is ready, and two when the next is.
    let tally = live("errs", &[0, 1, 2], ("", errs, ""));
    sum(&tally, (2, 20.0), (1, 3));
    assert_eq!(tally.work.unwrap().wasted, 10_000_000);
    // Asked again at once, the refused are three again each time that one is ready: until the first
    // has failed for good.
    let retry = RETRY.replace("STATUSES", ", statuses = [\"503\"]");
    let tally = live("errs-again", &[0, 1, 2], ("", errs, &retry));
    sum(&tally, (2, 20.0 + 20.0), (1, 6));
    let steps =
        format!("{errs}\nsteps = [{{ work = {{ kind = \"constant\", value = \"5ms\" }} }}]");
    let tally = live("errs-steps", &[0, 1, 2], ("", &steps, ""));
    sum(&tally, (2, 30.0), (1, 3));
}

#[test]
fn slow_answers_are_those_to_what_begins_meanwhile() {
    let fault = "[[faults]]\nkind = \"slow-answers\"\nservers = \"web\"\nat = \"5ms\"\nlasts = \"10ms\"\ntakes = \"50ms\"\n";
    let tally = live("slow", &[0, 6, 14, 16], ("", "", fault));
    sum(&tally, (4, 10.0 + 50.0 + 50.0 + 10.0), (0, 4));
}

#[test]
fn who_has_been_sent_waits_for_a_connection() {
    let fixed = |requests: u32, more: &str| {
        format!(
            "[services.balancer]\nconnections = {{ by = {{ kind = \"fixed\", requests = {requests} }}{more} }}\n"
        )
    };
    let tally = live("connections", &[0, 0, 0], ("", "", &fixed(1, "")));
    sum(&tally, (3, 10.0 + 20.0 + 30.0), (0, 3));
    // Who has waited too long is tried again, and stands behind the others.
    let timeout = format!(
        "{}timeout = \"15ms\"\nretry = {{ max = 1 }}\n",
        fixed(1, "")
    );
    let tally = live("connections-timeout", &[0, 1, 2], ("", "", &timeout));
    // The first until 10; the second from 10 on, given up at 16 and still at work; the third is
    // given up at 17 as it waits.
    assert_eq!(tally.failed[Cause::Timeout as usize], 1);
    assert_eq!((tally.latency.count(), tally.attempts), (2, 5));
    let keys = "keys = { count = 1000 }";
    let tally = live(
        "connections-keys",
        &[0, 0, 0],
        (keys, "", &fixed(1, ", per-key = true")),
    );
    sum(&tally, (3, 30.0), (0, 3));
}

/// How long requests waited that have been answered, in milliseconds, in the order of their ends.
#[derive(Default)]
struct Waits(Vec<f64>);

impl Witness for Waits {
    fn ended(&mut self, one: &Ended) {
        self.0.push(one.waited.seconds() * 1e3);
    }
}

#[test]
fn a_wait_for_a_connection_is_one_at_the_balancer() {
    let rest = "[services.balancer]\nconnections = { by = { kind = \"fixed\", requests = 1 } }\n";
    let scenario = world("connections-waits", &[0, 1, 2], ("", "", rest));
    let mut waits = Waits::default();
    model::run_witnessed(&scenario.variants[0].blueprint, 1, 0, &mut waits);
    assert_eq!(waits.0, [0.0, 9.0, 18.0]);
    // A place that is free is taken by the next, whose wait is another.
    let rest = "[services.balancer]\nlimit = { by = { kind = \"fixed\", requests = 1 }, when-full = \"wait\" }\nconnections = { by = { kind = \"fixed\", requests = 1 } }\n";
    let scenario = world("connections-places", &[0, 1, 2], ("", "", rest));
    let mut waits = Waits::default();
    model::run_witnessed(&scenario.variants[0].blueprint, 1, 0, &mut waits);
    assert_eq!(waits.0, [0.0, 9.0, 18.0]);
}

/// A request and its copies have one connection between them: none that is called off gets it, and
/// no copy of one that has been answered.
#[test]
fn copies_that_are_called_off_get_no_connection() {
    let hedged = |hedge: &str| {
        format!(
            "[services.balancer]\nconnections = {{ by = {{ kind = \"fixed\", requests = 1 }} }}\nhedge = {hedge}\n"
        )
    };
    let two = hedged("{ after = \"3ms\", max = 2 }");
    let tally = live("copies", &[0], ("", "", &two));
    sum(&tally, (1, 10.0), (0, 3));
    assert_eq!(tally.work.unwrap().wasted, 0);
    // The client goes when the first is at work and a copy waits.
    let one = hedged("{ after = \"3ms\", max = 1 }");
    let tally = live("copies-gone", &[0], ("timeout = \"8ms\"", "", &one));
    assert_eq!(tally.failed[Cause::GaveUp as usize], 1);
}

/// Two stations of one server each: a mean of 40 ms at 75 requests a second and 10 ms of work.
/// Within 4.5 standard errors of that mean over two replications of 20 min (false alarm 1e-5).
#[test]
fn each_key_has_its_own_connection_whoever_else_looks_at_keys() {
    let place = traced("answers-per-key", &[0]);
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "20min"
compare = ["round-robin"]
[[clients]]
arrivals = { kind = "poisson", rate = "150/s" }
keys = { count = 2 }
[[services]]
name = "web"
[services.balancer]
connections = { by = { kind = "fixed", requests = 1 }, per-key = true }
[[services.servers]]
slots = 50
service = { kind = "exponential", mean = "10ms" }
"#;
    let scenario = read_in(&place, text);
    let means = [0, 1].map(|replication| {
        let tally = model::run(&scenario.variants[0].blueprint, 1, replication);
        tally.latency.mean().unwrap() * 1e3
    });
    let mean = (means[0] + means[1]) / 2.0;
    assert!((mean - 40.0).abs() < 2.5, "{means:?}");
}

/// Calls whose caller has gone on, or is gone: what they were worked on is for nobody.
#[test]
fn work_on_calls_that_nobody_waits_for_is_wasted() {
    let world = |clients: &str, step: &str| {
        let rest = format!(
            "[[services.steps]]\n{step}\n[[services]]\nname = \"db\"\n[[services.servers]]\nslots = 10\nservice = {{ kind = \"constant\", value = \"20ms\" }}\n"
        );
        let tally = live(
            &format!("nobody-{}", clients.len() + step.len()),
            &[0],
            (clients, "", &rest),
        );
        tally.work.unwrap()
    };
    // 10 ms at the first service, and 20 at the other.
    let gone = world("timeout = \"15ms\"", "call = \"db\"");
    assert_eq!((gone.useful, gone.wasted), (0, 30_000_000));
    let quorum = world("", "call = [\"db\", \"db\", \"db\"]\nwait-for = 1");
    assert_eq!((quorum.useful, quorum.wasted), (30_000_000, 40_000_000));
}

#[test]
fn an_error_is_one_whatever_else_holds() {
    let slow =
        "[[faults]]\nkind = \"slow-answers\"\nservers = \"web\"\nat = \"0s\"\ntakes = \"50ms\"\n";
    let errs = "[[faults]]\nkind = \"errors\"\nservers = \"web\"\nat = \"0s\"\n";
    for (order, faults) in [format!("{slow}{errs}"), format!("{errs}{slow}")]
        .iter()
        .enumerate()
    {
        let tally = live(&format!("both-{order}"), &[0], ("", "", faults));
        sum(&tally, (0, 0.0), (1, 1));
    }
}

/// Of ten slots at once one is used: 100 requests a second can be done.
#[test]
fn limits_that_do_not_change_bound_what_a_server_can_do() {
    let place = traced("answers-capacity", &[0]);
    let capacity = |balancer: &str| {
        let text = format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "10s"
compare = ["round-robin"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "90/s" }}
keys = {{ count = 2 }}
[[services]]
name = "web"
balancer = {{ {balancer} }}
servers = [{{ slots = 10, service = {{ kind = "constant", value = "10ms" }} }}]
"#
        );
        let plan = &read_in(&place, &text).variants[0].blueprint;
        plan.services[0].capacity(1.0, plan.end - lbsim::time::Time::ZERO)
    };
    let fixed = |requests: u32| format!("by = {{ kind = \"fixed\", requests = {requests} }}");
    assert_eq!(capacity(""), 1000.0);
    assert_eq!(
        capacity(&format!("connections = {{ {} }}", fixed(1))),
        100.0
    );
    let per_key = format!("connections = {{ {}, per-key = true }}", fixed(1));
    assert_eq!(capacity(&per_key), 1000.0);
    let two = format!("instances = 2, server-limit = {{ {} }}", fixed(3));
    assert_eq!(capacity(&two), 600.0);
}
