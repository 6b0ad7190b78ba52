//! Sessions whose requests come to the servers of their state through others (`at`), the fate of
//! sessions from the first fault on, and copies across a cut.

use std::fs;

use lbsim::model;
use lbsim::observe::{SessionCount, Tally, laws};

use crate::support::{read_in, scratch};

/// One client who asks at these seconds, of the service `to`: 10 ms of work at one of two servers
/// in turn, with this state. Before them may stand `lb`, of 1 ms, and behind them `store`, of 1 ms.
fn asked_of(
    (test, to): (&str, &str),
    seconds: &[u32],
    (sessions, state): (&str, &str),
    rest: &str,
) -> Tally {
    let place = scratch(test);
    let rows: String = seconds.iter().map(|at| format!("{at},a\n")).collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    let one = |name: &str, more: &str| {
        format!(
            "[[services]]\nname = \"{name}\"\n{more}[[services.servers]]\nservice = {{ kind = \"constant\", value = \"1ms\" }}\n"
        )
    };
    let before = if to == "lb" {
        one("lb", "routes = [{ to = \"web\" }]\n")
    } else {
        String::new()
    };
    let store = if state.contains("service = \"store\"") {
        one("store", "")
    } else {
        String::new()
    };
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "100s"
warmup = "0s"
replications = 1
compare = [{{ kind = "round-robin", start = "first" }}]
[[clients]]
service = "{to}"
arrivals = {{ kind = "trace", file = "trace.csv", columns = {{ time = "at", client = "client" }} }}
sessions = {{ {sessions} }}
{before}[[services]]
name = "web"
state = {{ {state} }}
[[services.servers]]
count = 2
slots = 10
service = {{ kind = "constant", value = "10ms" }}
{store}{rest}
"#
    );
    let scenario = read_in(&place, &text);
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), [], "{to}: {state}");
    tally
}

/// A service before the one that uses the state costs its own time, and nothing else changes: what
/// is read, written, rebuilt, fetched, lost and sent.
#[test]
fn a_service_before_the_state_costs_only_its_own_time() {
    let counts = |sessions: &SessionCount| {
        (
            (sessions.whole, sessions.states),
            (sessions.reads, sessions.stale, sessions.lost_updates),
            (sessions.rebuilt, sessions.fetched, sessions.bytes),
        )
    };
    let seconds = [0, 5, 11, 20, 22, 40, 41, 42];
    let rebuild = "rebuild = { kind = \"constant\", value = \"100ms\" }";
    for state in [
        format!("kind = \"server\", {rebuild}"),
        format!("kind = \"token\", lifetime = \"10s\", {rebuild}"),
        "kind = \"store\", service = \"store\"".to_owned(),
        "kind = \"store\", service = \"store\", optional = true".to_owned(),
        "kind = \"store\", service = \"store\", cache = \"10s\"".to_owned(),
        format!("kind = \"replicated\", shipping = \"synchronous\", {rebuild}"),
    ] {
        let size = "size = { kind = \"constant\", value = \"1KiB\" }";
        let run = |to: &str, at: &str| {
            let sessions = format!("idle = \"30min\", {size}{at}");
            asked_of(("state-behind", to), &seconds, (&sessions, &state), "")
        };
        let (direct, through) = (run("web", ""), run("lb", ", at = \"web\""));
        assert_eq!(direct.latency.count(), 8);
        // The state has its price at all, and the service before takes 1 ms of each.
        assert!(direct.latency.total() > 8 * 10_000_000, "{state}");
        assert_eq!(
            through.latency.total() - direct.latency.total(),
            8 * 1_000_000,
            "{state}"
        );
        assert_eq!(
            counts(&through.sessions),
            counts(&direct.sessions),
            "{state}"
        );
    }
}

/// A session that has lost its state before the first fault, and has begun another one, is followed
/// as any other.
#[test]
fn a_session_that_was_hurt_before_is_followed_too() {
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"50s\"\nlasts = \"5s\"";
    let state = ("idle = \"30min\"", "kind = \"server\"");
    // In turn at both servers: each request misses its state, before the crash as well.
    let tally = asked_of(
        ("state-followed", "web"),
        &[0, 10, 20, 60, 70],
        state,
        crash,
    );
    let sessions = &tally.sessions;
    assert_eq!((sessions.whole.all, sessions.cohort), (1, 1));
    assert_eq!(sessions.whole.hurt.iter().sum::<u64>(), 1);
    assert_eq!(sessions.cohort_hurt.iter().sum::<u64>(), 1);
    // Nothing is lost from then on: the session is kept, whatever was before.
    let tally = asked_of(
        ("state-followed", "web"),
        &[0, 10, 20],
        state,
        &crash.replace("crash", "pause"),
    );
    let sessions = &tally.sessions;
    assert_eq!(sessions.whole.hurt.iter().sum::<u64>(), 1);
    assert_eq!(
        (sessions.cohort, sessions.cohort_hurt.iter().sum::<u64>()),
        (1, 0)
    );
}

/// Synchronous copies across a cut, by hand. The state is at the first server, its copy at the
/// second; the client asks every two seconds, and each request changes the state.
#[test]
fn a_cut_keeps_changes_from_copies() {
    let cut = |at: u32, lasts: u32| {
        format!(
            "[[faults]]\nkind = \"cut\"\nfrom = \"web/server-1\"\nto = \"web/server-2\"\nat = \"{at}s\"\nlasts = \"{lasts}s\"\n"
        )
    };
    let crash =
        "[[faults]]\nkind = \"crash\"\nservers = \"web/server-1\"\nat = \"21s\"\nlasts = \"5s\"\n";
    let sticky = "kind = \"replicated\" }\nbalancer = { retry = { max = 2 }, sticky = \"cookie\"";
    let seconds: Vec<u32> = (0..15).map(|step| 2 * step).collect();
    // (changes lost, set back, by how many seconds)
    for (faults, found) in [
        (crash.to_owned(), (0, 0, 0.0)),
        // Those of 10, 12 ... 20 s.
        (cut(9, 20) + crash, (6, 1, 11.0)),
        // The change of 16 s brings along what was swallowed.
        (cut(9, 6) + crash, (0, 0, 0.0)),
    ] {
        let tally = asked_of(
            ("state-cut", "web"),
            &seconds,
            ("idle = \"30min\"", sticky),
            &faults,
        );
        let whole = &tally.sessions.whole;
        assert_eq!(tally.latency.count(), 15);
        assert_eq!(
            (whole.writes_lost, whole.set_back),
            (found.0, found.1),
            "{faults}"
        );
        let by = whole.set_back_by.seconds();
        assert!((by - found.2).abs() < 0.02, "{by}: {faults}");
        assert_eq!(whole.lost.iter().sum::<u64>(), 0);
    }
    // In turn at both, which do not hear of each other from 3 s to 9 s. At 4 s the first has a copy
    // that is new; what it changes the second does not know at 6 s, nor the first at 8 s what that
    // has changed. At 10 s the state is fetched.
    let state = ("idle = \"30min\"", "kind = \"replicated\"");
    let tally = asked_of(
        ("state-cut", "web"),
        &[0, 2, 4, 6, 8, 10],
        state,
        &cut(3, 6),
    );
    let sessions = &tally.sessions;
    assert_eq!(
        (sessions.whole.writes_lost, sessions.whole.set_back),
        (2, 2)
    );
    assert!((sessions.whole.set_back_by.seconds() - 4.0).abs() < 0.02);
    assert_eq!(
        (sessions.fetched, sessions.whole.lost.iter().sum::<u64>()),
        (2, 0)
    );
}

/// Copies that are sent every ten seconds lack what was changed since, from what a cut has
/// swallowed on: at 10 s the changes of 0 to 8 s are there, the next would come at 20 s.
#[test]
fn a_cut_keeps_changes_from_copies_sent_at_intervals() {
    let state = "kind = \"replicated\", shipping = { kind = \"interval\", every = \"10s\" } }\nbalancer = { retry = { max = 2 }, sticky = \"cookie\"";
    let faults = "[[faults]]\nkind = \"cut\"\nfrom = \"web/server-1\"\nto = \"web/server-2\"\nat = \"9s\"\nlasts = \"4s\"\n\
                  [[faults]]\nkind = \"crash\"\nservers = \"web/server-1\"\nat = \"19s\"\nlasts = \"5s\"\n";
    let seconds: Vec<u32> = (0..15).map(|step| 2 * step).collect();
    let tally = asked_of(
        ("state-cut-intervals", "web"),
        &seconds,
        ("idle = \"30min\"", state),
        faults,
    );
    let whole = &tally.sessions.whole;
    // Those of 10, 12, 14, 16 and 18 s.
    assert_eq!((whole.writes_lost, whole.set_back), (5, 1));
    let by = whole.set_back_by.seconds();
    assert!((by - 9.0).abs() < 0.02, "{by}");
}

/// Of a request that is answered by a server which has left meanwhile nothing is kept there.
#[test]
fn who_has_left_keeps_no_state() {
    let state = ("idle = \"30min\"", "kind = \"server\"");
    for (leaves, begun) in [("5ms", 0), ("15ms", 1)] {
        let more = format!("leaves = \"{leaves}\"");
        let tally = asked_of(("state-left", "web"), &[0], state, &more);
        assert_eq!(tally.latency.count(), 1);
        assert_eq!(tally.sessions.states.begun, begun, "{leaves}");
    }
}
