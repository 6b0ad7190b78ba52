//! Sessions and their state, request by request: figures that were worked out by hand, of what was
//! once wrong and of what is easily got wrong.

use std::fs;

use lbsim::Experiment;
use lbsim::model;
use lbsim::observe::{Loss, Tally, laws};
use lbsim::scenario::Scenario;

use crate::support::{read_in, scratch};

/// A world whose clients ask at these times, in milliseconds: 10 ms of work, two servers in turn.
/// `web` says what else there is of the service, `rest` what stands after it.
fn by_hand(test: &str, times: &[(u32, char)], sessions: &str, web: &str, rest: &str) -> Tally {
    let scenario = written(test, times, sessions, web, rest);
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), [], "{test}");
    tally
}

/// The scenario of [`by_hand`].
fn written(test: &str, times: &[(u32, char)], sessions: &str, web: &str, rest: &str) -> Scenario {
    let place = scratch(test);
    let rows: String = times
        .iter()
        .map(|(at, who)| format!("{at},{who}\n"))
        .collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    let servers = if web.contains("[[services.servers]]") {
        ""
    } else {
        "[[services.servers]]\ncount = 2\nslots = 10\nservice = { kind = \"constant\", value = \"10ms\" }"
    };
    let text = format!(
        "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"100s\"\nwarmup = \"0s\"\nreplications = 1\ncompare = [\"round-robin\"]\n\
         [[clients]]\narrivals = {{ kind = \"trace\", file = \"trace.csv\", columns = {{ time = \"at\", time-unit = \"ms\", client = \"client\" }} }}\n\
         sessions = {{ {sessions} }}\n[[services]]\nname = \"web\"\n{web}\n{servers}\n{rest}"
    );
    read_in(&place, &text)
}

fn of_one(seconds: &[u32]) -> Vec<(u32, char)> {
    seconds.iter().map(|&at| (at * 1000, 'a')).collect()
}

fn every_two_seconds() -> Vec<(u32, char)> {
    of_one(&(0..50).map(|step| 2 * step).collect::<Vec<_>>())
}

const STORE: &str = "[[services]]\nname = \"store\"\n[[services.servers]]\nservice = { kind = \"constant\", value = \"1ms\" }";
const ALONE: &str = "[[services.servers]]\nname = \"server-1\"\nslots = 10\nservice = { kind = \"constant\", value = \"10ms\" }";

/// Figures worked out by hand, of whatever was once wrong and of what is easily got wrong.
#[test]
fn figures_are_those_worked_out_by_hand() {
    let long = "idle = \"30min\"";
    let rebuild = "rebuild = { kind = \"constant\", value = \"1s\" }";
    // A token of ten seconds that is renewed: one log-in; without renewal two more.
    let times = of_one(&[0, 5, 11, 20, 22, 40]);
    let token =
        |more: &str| format!("state = {{ kind = \"token\", lifetime = \"10s\", {rebuild}{more} }}");
    let tally = by_hand("token", &times, long, &token(""), "");
    assert_eq!((tally.sessions.rebuilt, tally.sessions.states.lost), (1, 0));
    let tally = by_hand("token-once", &times, long, &token(", renews = false"), "");
    assert_eq!(
        (
            tally.sessions.rebuilt,
            tally.sessions.whole.lost[Loss::Expired as usize],
            tally.sessions.whole.met
        ),
        (3, 2, 2)
    );
    // Keys change every 30 s and hold for 5 s more.
    let tally = by_hand(
        "rotation",
        &of_one(&[0, 25, 32, 36, 64, 66]),
        long,
        "state = { kind = \"token\", lifetime = \"1h\", rotation = { every = \"30s\", grace = \"5s\" } }",
        "",
    );
    assert_eq!(tally.sessions.whole.lost[Loss::KeyRotated as usize], 2);
    // A token that is too old is no work of the key's, unless it would be renewed with that.
    let short = |renews: bool| {
        format!(
            "state = {{ kind = \"token\", lifetime = \"5s\", renews = {renews}, rotation = {{ every = \"30s\", grace = \"5s\" }} }}"
        )
    };
    for (renews, expired, rotated) in [(false, 2, 0), (true, 0, 1)] {
        let tally = by_hand(
            "rotation-old",
            &of_one(&[0, 20, 40]),
            long,
            &short(renews),
            "",
        );
        let lost = |loss: Loss| tally.sessions.whole.lost[loss as usize];
        assert_eq!(
            (lost(Loss::Expired), lost(Loss::KeyRotated)),
            (expired, rotated),
            "{renews}"
        );
    }
    // It is good when it is shown, however long the work takes.
    let slow =
        "[[services.servers]]\nslots = 10\nservice = { kind = \"constant\", value = \"3s\" }";
    let tally = by_hand(
        "token-slow",
        &of_one(&[0, 12, 13]),
        long,
        &format!("{}\n{slow}", token(", renews = false")),
        "",
    );
    assert_eq!(tally.sessions.states.lost, 0);
    // A session of 11 s is logged out, and its token with it.
    let length = "idle = \"30min\", length = { kind = \"constant\", value = \"11s\" }";
    let tally = by_hand(
        "token-length",
        &every_two_seconds(),
        length,
        &format!("state = {{ kind = \"token\", lifetime = \"1h\", {rebuild} }}"),
        "",
    );
    assert_eq!(
        (tally.sessions.rebuilt, tally.sessions.states.lost),
        (tally.sessions.whole.all, 0)
    );
    // Revoked after 10 s, and good until the key of its token ends at 30 s.
    let revoked = "idle = \"30min\", revoked = { share = \"100%\", after = { kind = \"constant\", value = \"10s\" } }";
    let tally = by_hand(
        "revoked-rotation",
        &every_two_seconds(),
        revoked,
        "state = { kind = \"token\", lifetime = \"1h\", rotation = { every = \"30s\" } }",
        "",
    );
    let delay = tally.sessions.revocation_delay.seconds() / tally.sessions.revoked as f64;
    assert!((15.0..=20.0).contains(&delay), "{delay}");
    assert_eq!(tally.sessions.states.lost, 0);
    // One that had ended before is not revoked.
    let ended = format!(
        "{length}, revoked = {{ share = \"100%\", after = {{ kind = \"constant\", value = \"20s\" }} }}"
    );
    let tally = by_hand(
        "revoked-ended",
        &of_one(&[0, 25, 30]),
        &ended,
        "state = { kind = \"token\", lifetime = \"1h\" }",
        "",
    );
    assert_eq!(tally.sessions.revoked, 0);
    // Room for two: of a, b, a, c, a, b, c, a four are thrown out, in the order of last use.
    let sized = "idle = \"30min\", size = { kind = \"constant\", value = \"1MiB\" }";
    let times: Vec<(u32, char)> = (0..)
        .zip("abacabca".chars())
        .map(|(at, who)| (at * 1000, who))
        .collect();
    let tally = by_hand(
        "lru",
        &times,
        sized,
        &format!("state = {{ kind = \"server\", memory = \"2MiB\" }}\n{ALONE}"),
        "",
    );
    assert_eq!(
        (
            tally.sessions.whole.lost[Loss::Evicted as usize],
            tally.sessions.whole.met
        ),
        (4, 3)
    );
    // What a server has forgotten is lost, whether its size is known or not, and takes no room.
    let once: Vec<(u32, char)> = (0..)
        .zip("abcdefghij".chars())
        .map(|(at, who)| (at * 1000, who))
        .collect();
    let ttl = format!("state = {{ kind = \"server\", ttl = \"2s\" }}\n{ALONE}");
    for sessions in [long, sized] {
        let tally = by_hand("ttl", &once, sessions, &ttl, "");
        assert_eq!(
            tally.sessions.whole.hurt[Loss::Expired as usize],
            10,
            "{sessions}"
        );
        if let [memory] = &tally.sessions.memory[..] {
            let mib = memory.mean / f64::from(1 << 20);
            assert!((mib - 0.2).abs() < 0.01, "{mib}");
        }
    }
    // After a loss a session of ten seconds ends when it would have; its next one is whole.
    let ten = "idle = \"30min\", length = { kind = \"constant\", value = \"10s\" }";
    let crash =
        "[[faults]]\nkind = \"crash\"\nservers = \"web/server-1\"\nat = \"5s\"\nlasts = \"500ms\"";
    let tally = by_hand(
        "length-crash",
        &of_one(&[0, 4, 6, 12, 15, 17, 20]),
        ten,
        ALONE,
        crash,
    );
    assert_eq!(
        (
            tally.sessions.whole.met,
            tally.sessions.states.lost,
            tally.sessions.whole.all
        ),
        (1, 1, 2)
    );
    // Copies that wait: each change once, and the first request changes, too.
    let copied =
        "state = { kind = \"replicated\", delay = { kind = \"constant\", value = \"5ms\" } }";
    let tally = by_hand(
        "copies",
        &of_one(&[0, 1]),
        "idle = \"30min\", writes = \"0%\"",
        copied,
        "[services.balancer]\nsticky = \"cookie\"",
    );
    assert_eq!(tally.latency.total(), 25_000_000);
}

#[test]
fn stores_are_read_and_written_as_worked_out_by_hand() {
    let long = "idle = \"30min\"";
    let store = |more: &str| format!("state = {{ kind = \"store\", service = \"store\"{more} }}");
    // Read, work, write: 12 ms.
    let tally = by_hand("store", &of_one(&[0, 1]), long, &store(""), STORE);
    assert_eq!(tally.latency.total(), 24_000_000);
    // Two at once: one overwrites the other; or does it again.
    let twice = [(0, 'a'), (1000, 'a'), (1000, 'a')];
    let tally = by_hand("store-twice", &twice, long, &store(""), STORE);
    assert_eq!(tally.sessions.lost_updates, 1);
    let tally = by_hand(
        "store-compares",
        &twice,
        long,
        &store(", on-conflict = \"repeat\""),
        STORE,
    );
    assert_eq!(
        (tally.sessions.lost_updates, tally.sessions.conflicts),
        (0, 1)
    );
    // Six at once begin one session, and nobody loses anything.
    let tally = by_hand("store-first", &[(0, 'a'); 6], long, &store(""), STORE);
    assert_eq!((tally.sessions.whole.met, tally.sessions.whole.all), (0, 1));
    // Whoever is told that a cached state is old reads the new one.
    let cached = store(", cache = \"1h\", on-conflict = \"repeat\"");
    let tally = by_hand("store-cache", &of_one(&[0, 1, 2, 3]), long, &cached, STORE);
    assert!(
        tally.latency.max().unwrap() < 0.03,
        "{:?}",
        tally.latency.max()
    );
    // A session's cache is not the next one's.
    let tally = by_hand(
        "store-idle",
        &of_one(&[0, 20, 21]),
        "idle = \"10s\"",
        &format!("{cached}\n{ALONE}"),
        STORE,
    );
    assert_eq!(
        (
            tally.unfinished,
            tally.sessions.whole.all,
            tally.sessions.conflicts
        ),
        (0, 2, 0)
    );
    // The store dies: what is cached is of no use to a change, which begins anew.
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"store\"\nat = \"10s\"\nlasts = \"1s\"";
    let tally = by_hand(
        "store-crash",
        &of_one(&[0, 20]),
        long,
        &format!("{cached}\n{ALONE}"),
        &format!("{STORE}\n{crash}"),
    );
    assert_eq!(
        (
            tally.unfinished,
            tally.sessions.lost_updates,
            tally.sessions.whole.lost[Loss::StoreLost as usize]
        ),
        (0, 0, 1)
    );
    // An answer that takes longer than a session may be silent begins no session more than one.
    let slow =
        "[[services.servers]]\nslots = 10\nservice = { kind = \"constant\", value = \"5s\" }";
    let tally = by_hand(
        "store-slow",
        &of_one(&[0, 1, 2]),
        "idle = \"2s\"",
        &format!("{}\n{slow}", store("")),
        STORE,
    );
    assert!(tally.sessions.whole.all <= 3 && tally.sessions.whole.met == 0);
}

/// A health check is no request: what a server does first for those it does not do for it.
#[test]
fn a_check_that_takes_a_slot_has_no_session() {
    for discipline in ["fifo", "processor-sharing"] {
        let web = format!(
            "state = {{ kind = \"server\", rebuild = {{ kind = \"constant\", value = \"1ms\" }} }}\n{ALONE}\ndiscipline = \"{discipline}\"\n\
             [services.balancer]\nhealth-check = {{ interval = \"200ms\", timeout = \"100ms\", answered-by = \"slot\" }}"
        );
        let tally = by_hand("checks", &every_two_seconds(), "idle = \"30min\"", &web, "");
        assert_eq!(tally.succeeded_count(), 50);
    }
}

/// Where no server keeps states, none has more of them than another.
#[test]
fn tokens_take_no_room_on_servers() {
    let sized = "idle = \"30min\", size = { kind = \"constant\", value = \"1MiB\" }";
    let token = "state = { kind = \"token\", lifetime = \"1h\" }";
    // By hand: 10 s at the first server, which the second request leaves, and 90 s at the other.
    for (web, room) in [(token, None), ("", Some((0.9, 0.8)))] {
        let scenario = written("no-room", &of_one(&[0, 10]), sized, web, "");
        let report = Experiment::new(scenario).run().unwrap();
        let [run] = &report.tables.runs[..] else {
            panic!("one run");
        };
        let found = run.state_mib_max.zip(run.state_mib_spread);
        assert_eq!(found.is_some(), room.is_some(), "{web}: {found:?}");
        for ((most, spread), (all, more)) in found.into_iter().zip(room) {
            assert!((most - all).abs() < 0.001, "{most}");
            assert!((spread - more).abs() < 0.001, "{spread}");
        }
    }
}

const KIB: &str = "idle = \"30min\", size = { kind = \"constant\", value = \"1KiB\" }";

/// What is sent is counted where it is sent: to a store and to copies, with its first write, and in
/// tokens.
#[test]
fn bytes_are_those_counted_by_hand() {
    let copies =
        |shipping: &str| format!("state = {{ kind = \"replicated\", shipping = {shipping} }}\n");
    let lag = "{ kind = \"asynchronous\", lag = { kind = \"constant\", value = \"1s\" } }";
    let interval = "{ kind = \"interval\", every = \"10s\" }";
    let cookie = "[services.balancer]\nsticky = \"cookie\"";
    let store = "state = { kind = \"store\", service = \"store\" }";
    let copied = format!(
        "{STORE}\nname = \"server-1\"\n[[services.servers]]\nname = \"server-2\"\n\
         service = {{ kind = \"constant\", value = \"1ms\" }}\n[services.balancer]\n\
         strategy = {{ kind = \"consistent-hashing\", on = \"client\" }}"
    )
    .replacen(
        "[[services.servers]]",
        "state = \"replicated\"\n[[services.servers]]",
        1,
    );
    let token = "state = { kind = \"token\", lifetime = \"10s\" }";
    let cases = [
        // A change each, the first of which begins the state; those of an interval go together.
        (
            "synchronous",
            copies("\"synchronous\""),
            cookie,
            &[0, 1, 2, 12][..],
            4,
        ),
        ("asynchronous", copies(lag), cookie, &[0, 1, 2, 12], 4),
        ("interval", copies(interval), cookie, &[0, 1, 2, 12], 2),
        // There is nothing to read yet when the first comes.
        ("store-1", store.to_owned(), STORE, &[0], 1),
        ("store-2", store.to_owned(), STORE, &[0, 1], 1 + 2),
        ("store-copied", store.to_owned(), &copied, &[0, 1], 2 + 3),
        // One is given at first and when the last is too old, and each other request shows one.
        ("token-2", token.to_owned(), "", &[0, 1], 1 + 1),
        ("token-renewed", token.to_owned(), "", &[0, 11], 1 + 2),
    ];
    for (name, web, rest, times, sent) in cases {
        let test = format!("bytes-{name}");
        let tally = by_hand(&test, &of_one(times), KIB, &web, rest);
        assert_eq!(tally.sessions.bytes, sent << 10, "{name}");
    }
}

/// A store with copies spends on a change what servers do that keep states themselves, and on
/// finding a state what they do.
#[test]
fn a_store_pays_for_its_copies() {
    let store = |more: &str| {
        format!(
            "[[services]]\nname = \"store\"\nstate = {{ kind = \"replicated\", {more} }}\n[[services.servers]]\ncount = 2\n\
             service = {{ kind = \"constant\", value = \"1ms\" }}\n[services.balancer]\nstrategy = \"round-robin\""
        )
    };
    let takes =
        |key: &str, ms: u32| format!("{key} = {{ kind = \"constant\", value = \"{ms}ms\" }}");
    let web = "state = { kind = \"store\", service = \"store\" }";
    let cases = [
        // Read 1 ms, own work 10 ms, write 1 ms: only the first writes.
        ("nothing", "copies = 2".to_owned(), &[0, 1][..], 12 + 11),
        ("delay", takes("delay", 4), &[0, 1], 16 + 11),
        ("work", takes("work", 3), &[0, 1], 15 + 11),
        ("rebuild", takes("rebuild", 5), &[0, 1], 17 + 11),
        // It is written at the second, and then read at the first and at the second.
        ("fetch", takes("fetch", 4), &[0, 1, 2], 12 + 15 + 15),
        (
            "read-copies",
            takes("fetch", 4) + ", read-copies = true",
            &[0, 1, 2],
            12 + 11 + 11,
        ),
    ];
    for (name, more, times, ms) in cases {
        let test = format!("store-{name}");
        let sessions = "idle = \"30min\", writes = \"0%\"";
        let tally = by_hand(&test, &of_one(times), sessions, web, &store(&more));
        assert_eq!(tally.latency.total(), ms * 1_000_000, "{name}");
    }
}

/// Requests that clients make are content with the copy of their server, where they only read.
#[test]
fn clients_read_copies_too() {
    let web = |more: &str| {
        format!(
            "state = {{ kind = \"replicated\", fetch = {{ kind = \"constant\", value = \"40ms\" }}, \
             shipping = {{ kind = \"asynchronous\", lag = {{ kind = \"constant\", value = \"5s\" }} }}{more} }}"
        )
    };
    // The second comes before the copy does; the others find one at their server.
    for (more, ms) in [
        ("", 10 + 3 * 50),
        (", read-copies = true", 10 + 50 + 2 * 10),
    ] {
        let sessions = "idle = \"30min\", writes = \"0%\"";
        let tally = by_hand(
            "client-copies",
            &of_one(&[0, 2, 3, 4]),
            sessions,
            &web(more),
            "",
        );
        assert_eq!(tally.latency.total(), ms * 1_000_000, "{more}");
    }
}

/// What a server has read it believes until that is too old, whatever becomes of the store and of
/// the session meanwhile.
#[test]
fn a_cache_knows_nothing_of_what_its_store_has_lost() {
    let reads = "idle = \"30min\", writes = \"0%\"";
    let cached = |cache: &str, servers: &str| {
        format!(
            "state = {{ kind = \"store\", service = \"store\", cache = \"{cache}\" }}\n{servers}"
        )
    };
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"store\"\nat = \"10s\"\nlasts = \"20s\"";
    // (succeeded, met, all response times in ms): the third fails where it has to ask, and the
    // fourth finds nothing.
    for (cache, found) in [("1h", (4, 0, 12 + 3 * 10)), ("15s", (3, 1, 2 * 12 + 10))] {
        let tally = by_hand(
            "cache-crash",
            &of_one(&[0, 5, 20, 40]),
            reads,
            &cached(cache, ALONE),
            &format!("{STORE}\n{crash}"),
        );
        let sessions = &tally.sessions;
        let ms = tally.latency.total() / 1_000_000;
        assert_eq!(
            (tally.latency.count(), sessions.whole.met, ms),
            found,
            "{cache}"
        );
        assert_eq!(sessions.whole.lost[Loss::StoreLost as usize], 1);
    }
    // Revoked after 10 s. One server believes what it has read up to 20 s; of two the second up to
    // 25 s, and the first asks at 22 s.
    let revoked = format!(
        "{reads}, revoked = {{ share = \"100%\", after = {{ kind = \"constant\", value = \"10s\" }} }}"
    );
    for (servers, times, delay) in [
        (ALONE, [0, 5, 12, 18, 25], 10.0),
        ("", [0, 5, 12, 18, 22], 15.0),
    ] {
        let tally = by_hand(
            "cache-revoked",
            &of_one(&times),
            &revoked,
            &cached("20s", servers),
            STORE,
        );
        let sessions = &tally.sessions;
        assert_eq!(tally.latency.count(), 5);
        assert_eq!(
            (
                sessions.revoked,
                sessions.used_after_revocation,
                sessions.whole.all
            ),
            (1, 2, 2),
            "{servers}"
        );
        let found = sessions.revocation_delay.seconds();
        assert!((found - delay).abs() < 0.05, "{found}");
        assert_eq!(sessions.states.lost, 0);
    }
}

/// A request that goes on without its store is one of a stranger, and its change is kept nowhere.
#[test]
fn to_do_without_a_store_has_its_price() {
    let errors =
        "[[faults]]\nkind = \"errors\"\nservers = \"store\"\nat = \"10s\"\nlasts = \"20s\"";
    let web =
        format!("state = {{ kind = \"store\", service = \"store\", optional = true }}\n{ALONE}");
    let tally = by_hand(
        "optional",
        &of_one(&[0, 5, 15, 25, 40]),
        "idle = \"30min\"",
        &web,
        &format!("{STORE}\n{errors}"),
    );
    let sessions = &tally.sessions;
    let away = Loss::StoreAway as usize;
    assert_eq!(tally.latency.count(), 5);
    assert_eq!(
        (
            sessions.whole.met,
            sessions.whole.lost[away],
            sessions.whole.hurt[away]
        ),
        (2, 2, 1)
    );
    assert_eq!((sessions.whole.writes, sessions.whole.writes_lost), (5, 2));
    assert_eq!((sessions.states.lost, sessions.lost_updates), (0, 0));
}
