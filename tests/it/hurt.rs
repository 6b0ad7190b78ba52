//! Attempts that were hurt: sent to members that were ill and not yet left out, and without a good
//! answer. Each way in which such an attempt can end, counted by hand.

use std::fs;

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};

use crate::support::{read_in, scratch};

/// Nobody is ever left out: ten checks in a row take ten hours.
const NEVER: &str = r#"health-check = { interval = "1h", fall = 10 }"#;

/// `a` says nothing from the first moment on.
const SILENT: &str = r#"kind = "crash"
servers = "web/a"
answers = "hang"
at = "0s""#;

/// A hundred requests of one client, ten milliseconds apart, the first to `a`, the next to `b`,
/// which take `a_ms` and 2 ms; of clients, of the balancer and of one fault this is said.
fn live(test: &str, clients: &str, a_ms: u32, balancer: &str, fault: &str) -> Tally {
    let place = scratch(&format!("hurt-{test}"));
    let rows: String = (0..100).map(|at| format!("{at}0,one\n")).collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "10s"
warmup = "0s"
compare = [{{ kind = "round-robin", start = "first" }}]
[[clients]]
arrivals = {{ kind = "trace", file = "trace.csv", columns = {{ time = "at", time-unit = "ms", client = "client" }} }}
{clients}
[[services]]
name = "web"
[[services.servers]]
name = "a"
service = {{ kind = "constant", value = "{a_ms}ms" }}
[[services.servers]]
name = "b"
service = {{ kind = "constant", value = "2ms" }}
[services.balancer]
{balancer}
[[faults]]
{fault}
"#
    );
    let scenario = read_in(&place, &text);
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

fn hurt(tally: &Tally) -> u64 {
    tally.detections[0].hurt
}

/// Every other request goes to `a`, and has no answer whoever loses patience.
#[test]
fn whoever_gives_up_an_attempt_it_was_hurt_once() {
    let crash = "kind = \"crash\"\nservers = \"web/a\"\nat = \"0s\"";
    let cut = "kind = \"cut\"\nfrom = \"balancers:web\"\nto = \"web/a\"\nat = \"0s\"";
    let hang = "kind = \"hang\"\nservers = \"web/a\"\nat = \"0s\"";
    let patience = "patience = { kind = \"constant\", value = \"5ms\" }";
    let travels = "timeout = \"5ms\"\ndeadline-travels = true";
    let timeout = "timeout = \"5ms\"";
    let of_balancer = format!("{NEVER}\ntimeout = \"5ms\"");
    let of_another = format!("{NEVER}\ntimeout = \"4ms\"\nretry = {{ max = 1, on = \"another\" }}");
    let cancelled = format!("{NEVER}\nabandoned = \"cancel\"");
    for (test, clients, balancer, fault, cause) in [
        ("refused", "", NEVER, crash, Some(Cause::Crash)),
        ("timed-out", "", &of_balancer, SILENT, Some(Cause::Timeout)),
        ("client", timeout, NEVER, SILENT, Some(Cause::GaveUp)),
        ("patience", patience, NEVER, SILENT, Some(Cause::GaveUp)),
        ("deadline", travels, NEVER, SILENT, Some(Cause::GaveUp)),
        ("cut", timeout, NEVER, cut, Some(Cause::GaveUp)),
        ("hangs", timeout, &cancelled, hang, Some(Cause::GaveUp)),
        // Nobody gives up: they have no end.
        ("stranded", "", NEVER, SILENT, None),
    ] {
        let tally = live(test, clients, 2, balancer, fault);
        assert_eq!(hurt(&tally), 50, "{test}");
        assert_eq!(tally.succeeded_count(), 50, "{test}");
        let failed = cause.map_or(tally.unfinished, |cause| tally.failed[cause as usize]);
        assert_eq!(failed, 50, "{test}");
    }
    // The request is saved, and its first attempt was hurt all the same: each begins at `a`, since
    // the second attempt has had the turn of `b`.
    let saved = live("saved", "", 2, &of_another, SILENT);
    assert_eq!((saved.succeeded_count(), hurt(&saved)), (100, 100));
}

/// Who gives up on a member that is well was not hurt, though that falls ill later.
#[test]
fn who_is_slow_is_not_ill() {
    let crash = "kind = \"crash\"\nservers = \"web/a\"\nat = \"9s\"";
    let tally = live("well", "timeout = \"5ms\"", 20, NEVER, crash);
    assert_eq!(tally.failed[Cause::GaveUp as usize], 50);
    assert_eq!(hurt(&tally), 0);
}

/// A hedge that overtakes an attempt at an ill member shows that it was hurt. One that is called
/// off at an ill member, because the attempt before it was answered, would have been at any.
#[test]
fn hedges_are_hurt_where_they_are_overtaken() {
    let hedge = format!("{NEVER}\nhedge = {{ after = \"5ms\" }}");
    let overtaken = live("overtaken", "", 2, &hedge, SILENT);
    assert_eq!(
        (overtaken.succeeded_count(), overtaken.attempts),
        (100, 200)
    );
    assert_eq!(hurt(&overtaken), 100);
    let other = SILENT.replace("web/a", "web/b");
    let called_off = live("called-off", "", 8, &hedge, &other);
    assert_eq!(
        (called_off.succeeded_count(), called_off.attempts),
        (100, 200)
    );
    assert_eq!(hurt(&called_off), 0);
}

/// What a balancer had when it died is lost with it, and not by the member: `a` had those of the
/// first half second, and what comes later finds no balancer.
#[test]
fn a_balancer_that_dies_is_not_its_members_doing() {
    let both = format!(
        "{SILENT}\n[[faults]]\nkind = \"balancer-crash\"\nbalancers = \"web\"\nat = \"495ms\""
    );
    let tally = live("balancer", "", 2, NEVER, &both);
    assert_eq!(tally.load.servers[0].sent, 25);
    assert_eq!(tally.failed[Cause::Crash as usize], 75);
    assert_eq!(hurt(&tally), 0);
}

/// That the illness is over when an attempt comes to nothing does not make it well: a machine that
/// is back knows nothing of those who hung on it, and what a cut has swallowed is given up later.
#[test]
fn an_illness_that_is_over_has_hurt() {
    let back = live("back", "", 2, NEVER, &format!("{SILENT}\nlasts = \"5s\""));
    assert_eq!(back.failed[Cause::Crash as usize], 50);
    assert_eq!(hurt(&back), 50);
    let cut =
        "kind = \"cut\"\nfrom = \"balancers:web\"\nto = \"web/a\"\nat = \"0s\"\nlasts = \"495ms\"";
    let later = live("later", "timeout = \"2s\"", 2, NEVER, cut);
    assert_eq!(later.failed[Cause::GaveUp as usize], 25);
    assert_eq!(hurt(&later), 25);
}

/// Two checks fail within 210 ms, and `a` is left out; those who had been sent before are given up
/// long after that. All of them were hurt. Where `a` gets requests all the same, since all do where
/// too few are well, these are not victims of slow notice.
#[test]
fn when_it_was_sent_decides_whether_its_member_was_left_out() {
    let checks = "health-check = { interval = \"100ms\", timeout = \"10ms\", fall = 2 }";
    let timeout = "timeout = \"3s\"";
    let tally = live("noticed", timeout, 2, checks, SILENT);
    let sent = tally.load.servers[0].sent;
    assert!((5..=11).contains(&sent), "{sent}");
    assert_eq!(
        (hurt(&tally), tally.failed[Cause::GaveUp as usize]),
        (sent, sent)
    );
    let panics = format!("{checks}\npanic-threshold = \"60%\"");
    let all = live("panic", timeout, 2, &panics, SILENT);
    assert_eq!(all.failed[Cause::GaveUp as usize], 50);
    assert_eq!(hurt(&all), sent);
}

/// A connection of layer 4 to `a` hangs: its request is given up, and with it the connection. The
/// next is opened to `b` and kept.
#[test]
fn a_connection_that_hangs_hurts_what_it_carries() {
    let flow = format!("{NEVER}\nsticky = {{ kind = \"connection\" }}");
    let one = "timeout = \"5ms\"";
    let tally = live("layer-4", one, 2, &flow, SILENT);
    assert_eq!(tally.load.servers[0].sent, 1);
    assert_eq!((hurt(&tally), tally.failed[Cause::GaveUp as usize]), (1, 1));
}
