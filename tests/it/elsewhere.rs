//! How far affinity takes requests elsewhere than the strategy would: by hand, by chance, and where
//! nothing is said.

use std::fs;

use lbsim::model;
use lbsim::observe::{Tally, laws};
use lbsim::scenario::Scenario;
use lbsim::strategy::{CATALOGUE, Sight};

use crate::support::{read_in, scratch};

/// One client that asks ten times, once a second, of two servers that take 10 ms.
fn alone(test: &str, strategy: &str, balancer: &str) -> Tally {
    let place = scratch(&format!("elsewhere-{test}"));
    let rows: String = (0..10).map(|at| format!("{at}000,one\n")).collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "10s"
warmup = "0s"
compare = [{strategy}]
[[clients]]
arrivals = {{ kind = "trace", file = "trace.csv", columns = {{ time = "at", time-unit = "ms", client = "client" }} }}
[[services]]
name = "web"
servers = [{{ name = "s", count = 2, service = {{ kind = "constant", value = "10ms" }} }}]
[services.balancer]
{balancer}
"#
    );
    live(&read_in(&place, &text), 0)
}

fn live(scenario: &Scenario, replication: u32) -> Tally {
    let tally = model::run(&scenario.variants[0].blueprint, 7, replication);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// `clients` people ask 400 times a second in all for 20 s, after a warm-up of as long.
fn many(strategy: &str, clients: u32, more: &str) -> Scenario {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "40s"
warmup = "20s"
compare = [{strategy}]
[[clients]]
arrivals = {{ kind = "poisson", rate = "400/s" }}
population = {{ kind = "generated", count = {clients} }}
[[services]]
name = "web"
servers = [{{ name = "s", count = 4, slots = 9, service = {{ kind = "constant", value = "5ms" }} }}]
{more}
"#
    );
    Scenario::from_text("many.toml", &text).unwrap_or_else(|fault| panic!("{fault}"))
}

fn found(tally: &Tally) -> (u64, u64) {
    (tally.sessions.placed, tally.sessions.elsewhere)
}

const COOKIE: &str = "[services.balancer]\nsticky = \"cookie\"";

/// A round would send the client to one and the other in turn, and it stays where it began: every
/// second request goes elsewhere, whatever binds it.
#[test]
fn of_a_round_of_two_every_second_goes_elsewhere() {
    for (test, sticky) in [
        ("cookie", "\"cookie\""),
        ("table", "{ kind = \"table\" }"),
        ("dns", "{ kind = \"dns\", ttl = \"1h\" }"),
        ("connection", "{ kind = \"connection\" }"),
    ] {
        let tally = alone(test, "\"round-robin\"", &format!("sticky = {sticky}"));
        assert_eq!(found(&tally), (10, 5), "{test}");
    }
    // A cookie that has expired decides nothing.
    let short = "sticky = { kind = \"cookie\", max-idle = \"500ms\" }";
    let tally = alone("expired", "\"round-robin\"", short);
    assert_eq!(found(&tally), (10, 0));
}

/// A hash of the client binds it by itself: the cookie changes nothing.
#[test]
fn what_a_hash_says_of_a_client_a_cookie_says_too() {
    for strategy in ["consistent-hashing", "ip-hash", "rendezvous-hashing"] {
        let scenario = many(&format!("\"{strategy}\""), 300, COOKIE);
        let (placed, elsewhere) = found(&live(&scenario, 0));
        assert!(placed > 7000 && elsewhere == 0, "{strategy}: {elsewhere}");
    }
}

/// A draw of four is another than the bond in three cases of four: of some 8,000 requests with a
/// standard deviation of 0.5%. 2.5% are five of them (one false alarm in 1.7 million).
#[test]
fn of_a_draw_of_four_three_in_four_go_elsewhere() {
    let (placed, elsewhere) = found(&live(&many("\"random\"", 50, COOKIE), 0));
    let share = elsewhere as f64 / placed as f64;
    assert!((share - 0.75).abs() < 0.025, "{elsewhere} of {placed}");
    // Whoever comes once is not bound: the strategy places all.
    let strangers = many("\"random\"", 10_000_000, COOKIE);
    let (placed, elsewhere) = found(&live(&strangers, 0));
    assert!(placed > 7000 && elsewhere <= 10, "{elsewhere} of {placed}");
}

/// Nothing is said without affinity, of an oracle, and where a request may wait for a server or is
/// kept from one.
#[test]
fn where_the_strategy_alone_does_not_decide_nothing_is_said() {
    let with = |more: &str| format!("{COOKIE}\n{more}");
    let limited = with("server-limit = { by = { kind = \"fixed\", requests = 5 } }");
    let slow = with("slow-start = { lasts = \"5s\" }\nhealth-check = {}");
    for (strategy, more) in [
        ("\"random\"", String::new()),
        ("\"join-shortest-queue\"", with("")),
        ("\"random\"", limited),
        ("\"random\"", slow.clone()),
        ("{ kind = \"c3\", rate-control = true }", with("")),
    ] {
        let tally = live(&many(strategy, 50, &more), 0);
        assert_eq!(found(&tally), (0, 0), "{strategy} {more}");
    }
    let (placed, _) = found(&live(&many("\"weighted-random\"", 50, &slow), 0));
    assert!(
        placed > 7000,
        "by its weights it is the strategy that spares them"
    );
}

/// Under every rule with a server that dies and comes back, and retries at another.
#[test]
fn every_strategy_can_be_asked_beside_affinity() {
    let more = format!(
        "{COOKIE}\ntimeout = \"20ms\"\nretry = {{ max = 2, on = \"another\" }}\nhealth-check = {{ interval = \"1s\" }}\n\
         [[faults]]\nkind = \"crash\"\nservers = \"web/s-2\"\nat = \"25s\"\nlasts = \"5s\"\n"
    );
    for entry in CATALOGUE {
        let scenario = many(&format!("\"{}\"", entry.name), 100, &more);
        let (placed, elsewhere) = found(&live(&scenario, 0));
        let is_known = scenario.variants[0].blueprint.services[0].has_shadows();
        assert_eq!(placed > 0, is_known, "{}", entry.name);
        assert!(elsewhere <= placed, "{}", entry.name);
        assert_eq!(is_known, entry.sight != Sight::Oracle && entry.name != "c3");
    }
}
