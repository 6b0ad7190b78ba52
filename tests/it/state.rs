//! Sessions and their state: against closed forms, by hand, and at the ends of what may be asked.
//!
//! A share of sessions is held against its probability: over all replications together it must lie
//! within five standard deviations of a binomial count (one false alarm in 1.7 million; the seeds
//! are fixed), which must be small. Where a balancer spreads sessions more evenly than chance, that
//! is wide.

use std::fmt::Write as _;
use std::fs;

use lbsim::model;
use lbsim::observe::{Loss, Tally, laws};
use lbsim::rng::mix;
use lbsim::scenario::Scenario;
use serde_json::Value;

use crate::support::{read_in, scratch};

/// A world of 2,000 users who each ask once in ten seconds.
fn world(run: &str, clients: &str, servers: &str, rest: &str) -> Scenario {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
{run}
compare = ["random"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "200/s" }}
population = {{ kind = "generated", count = 2000 }}
{clients}
[[services]]
name = "web"
{servers}
{rest}
"#
    );
    Scenario::from_text("state.toml", &text).unwrap_or_else(|rejected| panic!("{rejected}"))
}

const RUN: &str = "duration = \"160s\"\nwarmup = \"100s\"";
const SESSIONS: &str = "sessions = { idle = \"1h\" }";
const COOKIE: &str = "[services.balancer]\nsticky = \"cookie\"\nretry = { max = 3 }\n\
                      health-check = { interval = \"1s\", timeout = \"500ms\", fall = 1, rise = 1 }";

fn servers(count: u32) -> String {
    format!(
        "[[services.servers]]\ncount = {count}\nslots = 100\nservice = {{ kind = \"constant\", value = \"1ms\" }}"
    )
}

/// The first of so many crash at 120 s, all at the same time, and are back at 130 s.
fn crashes(count: u32) -> String {
    let mut text = String::new();
    for server in 1..=count {
        writeln!(
            text,
            "[[faults]]\nkind = \"crash\"\nservers = \"web/server-{server}\"\nat = \"120s\"\nlasts = \"10s\""
        )
        .unwrap();
    }
    text
}

fn runs(scenario: &Scenario, replications: u32) -> Vec<Tally> {
    let plan = &scenario.variants[0].blueprint;
    (0..replications)
        .map(|replication| {
            let tally = model::run(plan, 29, replication);
            assert_eq!(laws::violations(&tally), []);
            tally
        })
        .collect()
}

fn sum(runs: &[Tally], count: impl Fn(&Tally) -> u64) -> u64 {
    runs.iter().map(count).sum()
}

#[track_caller]
fn is_share(part: u64, all: u64, expected: f64) {
    let (part, all) = (part as f64, all as f64);
    let deviation = (expected * (1.0 - expected) / all).sqrt();
    assert!(deviation < 0.1 * expected, "too few to tell: {all}");
    assert!(
        (part / all - expected).abs() <= 5.0 * deviation,
        "{part} of {all} are {}, not {expected}",
        part / all
    );
}

/// Theory's `sticky-*`: of n servers k crash, and so many sessions die.
#[test]
fn a_crash_loses_the_sessions_of_its_servers() {
    for (count, crashed) in [(10, 1), (10, 2), (5, 1)] {
        let scenario = world(
            RUN,
            SESSIONS,
            &servers(count),
            &format!("{COOKIE}\n{}", crashes(crashed)),
        );
        let runs = runs(&scenario, 6);
        let lost = sum(&runs, |tally| {
            tally.sessions.whole.lost[Loss::Crash as usize]
        });
        let all = sum(&runs, |tally| tally.sessions.whole.all);
        is_share(lost, all, f64::from(crashed) / f64::from(count));
        // Nobody else loses anything.
        assert_eq!(
            lost,
            sum(&runs, |tally| tally.sessions.whole.lost.iter().sum())
        );
    }
}

/// Theory's `sticky-rep-*`: all copies of a session are on servers that crash, C(k,c) / C(n,c).
#[test]
fn copies_are_lost_together_as_often_as_combinatorics_says() {
    for (count, crashed, copies, expected) in [
        (10, 3, 2, 0.066_666_666_666_666_67),
        (12, 4, 3, 0.018_181_818_181_818_18),
    ] {
        let state = format!(
            "state = {{ kind = \"replicated\", copies = {copies}, placement = \"random\" }}\n{}",
            servers(count)
        );
        let scenario = world(
            RUN,
            SESSIONS,
            &state,
            &format!("{COOKIE}\n{}", crashes(crashed)),
        );
        let runs = runs(&scenario, 12);
        let lost = sum(&runs, |tally| {
            tally.sessions.whole.lost[Loss::Crash as usize]
        });
        is_share(lost, sum(&runs, |tally| tally.sessions.whole.all), expected);
        // Whoever is left has all that was acknowledged.
        assert_eq!(sum(&runs, |tally| tally.sessions.whole.set_back), 0);
    }
}

/// Theory's `repl-*` and `replexp-*`: the last change is lost that was on its way. A share of the
/// sessions of the server that crashes are set back: those of one in ten.
#[test]
fn what_was_on_its_way_to_a_copy_is_lost() {
    let constant = |seconds: f64| format!("{{ kind = \"constant\", value = \"{seconds}s\" }}");
    let exponential = |seconds: f64| format!("{{ kind = \"exponential\", mean = \"{seconds}s\" }}");
    // Changes of one session a second are 0.1; 0.01 where one in ten requests changes anything.
    for (lag, writes, expected) in [
        (constant(2.0), "100%", 0.181_269_246_922_018_2),
        (exponential(2.0), "100%", 0.166_666_666_666_666_7),
        (exponential(5.0), "100%", 1.0 / 3.0),
        (constant(30.0), "10%", 0.259_181_779_318_282),
    ] {
        let state = format!(
            "state = {{ kind = \"replicated\", shipping = {{ kind = \"asynchronous\", lag = {lag} }} }}\n{}",
            servers(10)
        );
        let clients = format!("sessions = {{ idle = \"1h\", writes = \"{writes}\" }}");
        let run = "duration = \"460s\"\nwarmup = \"200s\"";
        let crash = crashes(1).replace("120s", "400s");
        let scenario = world(run, &clients, &state, &format!("{COOKIE}\n{crash}"));
        let runs = runs(&scenario, 16);
        // A tenth of the sessions are on it: it is not known how many, so that the share of all is
        // asked.
        let set_back = sum(&runs, |tally| tally.sessions.whole.set_back);
        is_share(
            set_back,
            sum(&runs, |tally| tally.sessions.whole.all),
            expected / 10.0,
        );
        let lost = sum(&runs, |tally| tally.sessions.whole.writes_lost);
        assert!(lost >= set_back);
    }
}

/// Copies that are sent every ten seconds lack what was done since: the crash comes 5 s after the
/// last, and those are set back who have changed something in these 5 s, 1 - exp(-0.5).
#[test]
fn copies_at_intervals_are_as_old_as_the_last() {
    let state = format!(
        "state = {{ kind = \"replicated\", shipping = {{ kind = \"interval\", every = \"10s\" }} }}\n{}",
        servers(10)
    );
    let crash = crashes(1).replace("at = \"120s\"", "at = \"125s\"");
    let scenario = world(RUN, SESSIONS, &state, &format!("{COOKIE}\n{crash}"));
    let runs = runs(&scenario, 8);
    let all = sum(&runs, |tally| tally.sessions.whole.all);
    let expected = 0.1 * (1.0 - (-0.5f64).exp());
    let set_back = sum(&runs, |tally| tally.sessions.whole.set_back);
    is_share(set_back, all, expected);
    // Half a change each is lost of those on the server, and the oldest of them is at most 5 s old.
    let lost = sum(&runs, |tally| tally.sessions.whole.writes_lost);
    let each = lost as f64 / (all as f64 / 10.0);
    assert!((each - 0.5).abs() < 0.06, "{each}");
    let age: f64 = runs
        .iter()
        .map(|tally| tally.sessions.whole.set_back_by.seconds())
        .sum::<f64>()
        / set_back as f64;
    // The first of the changes in 5 s, given that there is one: by integration 2.7 s before the
    // crash.
    let none = (-0.5f64).exp();
    let due = 5.0 - (10.0 - 5.0 * none / (1.0 - none));
    assert!((age - due).abs() < 0.25, "{age} and not {due}");
}

/// Theory's `ch-add-*` and `mod-add-*`: a server joins, and so many users are sent elsewhere.
#[test]
fn a_server_that_joins_moves_the_share_of_theory() {
    let fleet = |count: u32| {
        format!(
            "{}\n[[services.servers]]\nname = \"more\"\nslots = 100\njoins = \"120s\"\n\
             service = {{ kind = \"constant\", value = \"1ms\" }}",
            servers(count)
        )
    };
    let ring = "{ kind = \"consistent-hashing\", on = \"client\" }";
    for (strategy, count, expected) in [
        (ring, 4, 0.2),
        ("\"ip-hash\"", 4, 0.8),
        (ring, 50, 1.0 / 51.0),
        ("\"ip-hash\"", 50, 50.0 / 51.0),
    ] {
        let scenario = {
            let file = format!(
                "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"240s\"\nwarmup = \"100s\"\ncompare = [{strategy}]\n\
                 [[clients]]\narrivals = {{ kind = \"poisson\", rate = \"200/s\" }}\n\
                 population = {{ kind = \"generated\", count = 2000 }}\n{SESSIONS}\n[[services]]\nname = \"web\"\n{}",
                fleet(count)
            );
            Scenario::from_text("state.toml", &file).unwrap_or_else(|rejected| panic!("{rejected}"))
        };
        let runs = runs(&scenario, 10);
        let moved = sum(&runs, |tally| {
            tally.sessions.whole.hurt[Loss::Moved as usize]
        });
        let all = sum(&runs, |tally| tally.sessions.whole.all) as f64;
        let share = moved as f64 / all;
        // A ring's new part varies by its points from run to run: by a tenth of itself.
        assert!(
            (share / expected - 1.0).abs() < 0.15,
            "{strategy}, {count}: {share}, not {expected}"
        );
    }
}

/// Where a state lives, drawn; `crash` says what the next two tests ask of it.
fn drawn_state(number: u64) -> (String, bool, bool) {
    let word = mix(number);
    let of = |shift: u32, count: u64| (mix(word ^ u64::from(shift)) % count) as usize;
    let memory = ["", ", memory = \"200KiB\"", ", ttl = \"15s\""][of(1, 3)];
    let rebuild = ["", ", rebuild = { kind = \"constant\", value = \"2ms\" }"][of(2, 2)];
    let copies = 2 + of(3, 2);
    let placement = ["next", "random", "same-zone", "other-zone"][of(4, 4)];
    let read = ["", ", read-copies = true"][of(5, 2)];
    let lag = "{ kind = \"asynchronous\", lag = { kind = \"exponential\", mean = \"3s\" } }";
    let shipping = [
        "\"synchronous\"",
        lag,
        "{ kind = \"interval\", every = \"7s\" }",
    ][of(6, 3)];
    match of(0, 5) {
        0 => (
            format!("{{ kind = \"server\"{memory}{rebuild} }}"),
            false,
            false,
        ),
        1 => (
            format!(
                "{{ kind = \"replicated\", copies = {copies}, placement = \"{placement}\", shipping = {shipping}{read}{memory}{rebuild} }}"
            ),
            false,
            of(6, 3) == 0 && memory.is_empty() && of(4, 4) < 2,
        ),
        2 => (
            format!("{{ kind = \"store\", service = \"store\"{rebuild} }}"),
            false,
            false,
        ),
        3 => (
            format!("{{ kind = \"token\", lifetime = \"20s\"{rebuild} }}"),
            true,
            true,
        ),
        _ => (format!("{{ kind = \"client\"{rebuild} }}"), true, true),
    }
}

/// States begun are those that ended, were lost, and are there, each once, whatever happens; what
/// is in tokens or with clients no crash takes, and where two servers have acknowledged a change,
/// the crash of one takes none of it. (`laws::violations` has the sum.)
#[test]
fn no_state_is_lost_twice_and_what_is_safe_is_never_lost() {
    let sticky = [
        "\"no\"",
        "\"cookie\"",
        "{ kind = \"table\", size = 40 }",
        "{ kind = \"table\", by = \"client\", shared = true }",
    ];
    let mut seen = [0u64; Loss::COUNT];
    for number in 0..120u64 {
        let (state, no_loss, no_change_lost) = drawn_state(number);
        let sticky = sticky[(mix(number ^ 0x51) % 4) as usize];
        let store = if state.contains("store") {
            "[[services]]\nname = \"store\"\n[[services.servers]]\ncount = 2\nservice = { kind = \"constant\", value = \"1ms\" }\n\
             [services.balancer]\nstrategy = \"random\""
        } else {
            ""
        };
        let faults = match mix(number ^ 0x77) % 3 {
            _ if no_change_lost && !no_loss => crashes(1),
            0 => crashes(2),
            1 => {
                crashes(1)
                    + "[[faults]]\nkind = \"rolling\"\nservers = \"web\"\nat = \"135s\"\ndrain = \"2s\"\ndown = \"1s\"\n"
            }
            _ => {
                crashes(1)
                    + "[[faults]]\nkind = \"balancer-crash\"\nbalancers = \"web/1\"\nat = \"125s\"\nlasts = \"1s\"\n"
            }
        };
        let clients = "drops-cookies = \"5%\"\nsessions = { idle = \"40s\", writes = \"60%\", per-client = 2, size = { kind = \"constant\", value = \"1KiB\" } }";
        let balancer = format!(
            "[services.balancer]\ninstances = 2\nsticky = {sticky}\nretry = {{ max = 3 }}\n\
             health-check = {{ interval = \"1s\", timeout = \"500ms\", fall = 1, rise = 1 }}\n{store}"
        );
        let servers = format!("state = {state}\n{}", servers(4));
        let scenario = world(
            "duration = \"150s\"\nwarmup = \"60s\"",
            clients,
            &servers,
            &format!("{balancer}\n{faults}"),
        );
        let [tally] = &runs(&scenario, 1)[..] else {
            unreachable!()
        };
        let sessions = &tally.sessions;
        assert!(sessions.states.begun > 0, "{number}: {state}");
        for (all, lost) in seen.iter_mut().zip(sessions.whole.lost) {
            *all += lost;
        }
        if no_loss {
            assert_eq!(
                sessions.whole.lost[Loss::Crash as usize],
                0,
                "{number}: {state}"
            );
        }
        if no_change_lost {
            assert_eq!(
                (
                    sessions.whole.set_back,
                    sessions.whole.lost[Loss::Crash as usize]
                ),
                (0, 0),
                "{number}: {state}"
            );
        }
        for (hurt, lost) in sessions.whole.hurt.iter().zip(&sessions.whole.lost) {
            assert!(hurt <= lost);
        }
    }
    // All that may happen here has happened.
    for loss in [
        Loss::Crash,
        Loss::Moved,
        Loss::Drained,
        Loss::Evicted,
        Loss::Expired,
        Loss::TableLost,
        Loss::CookieDropped,
    ] {
        assert!(seen[loss as usize] > 0, "{}", loss.name());
    }
}

/// A recording of a real balancer, with and without its second server: the session of each key that
/// it sends elsewhere is lost in the world, and no other; those of the server that leaves with it.
#[test]
fn sessions_that_move_are_the_keys_that_real_balancers_move() {
    let haproxy = |more: &str| format!("{{ kind = \"haproxy-hash\", {more} }}");
    let cases = [
        (
            "envoy_maglev_1009_1-1-1-1-1",
            "{ kind = \"envoy-maglev\", table-size = 1009 }".to_owned(),
        ),
        (
            "envoy_maglev_65537_5-4-3-2-1",
            "\"envoy-maglev\"".to_owned(),
        ),
        (
            "envoy_ring_hash_1024_1-1-1-1-1",
            "\"envoy-ring-hash\"".to_owned(),
        ),
        (
            "envoy_ring_hash_min4096_5-4-3-2-1",
            "{ kind = \"envoy-ring-hash\", minimum-ring-size = 4096 }".to_owned(),
        ),
        (
            "haproxy_hash_consistent_sdbm-avalanche_5-4-3-2-1",
            haproxy("hash-type = \"consistent\", hash-function = \"sdbm\", avalanche = true"),
        ),
        (
            "haproxy_hash_consistent_wt6-avalanche_5-4-3-2-1",
            haproxy("hash-type = \"consistent\", hash-function = \"wt6\", avalanche = true"),
        ),
        (
            "haproxy_hash_mapbased_crc32_5-4-3-2-1",
            haproxy("hash-function = \"crc32\""),
        ),
        (
            "nginx_hash_consistent_5-4-3-2-1",
            "{ kind = \"nginx-hash\", consistent = true }".to_owned(),
        ),
    ];
    let place = scratch("moved-keys");
    for (name, strategy) in cases {
        let read = |name: &str| -> Value {
            let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        let (whole, removed) = (read(name), read(&format!("{name}_s2removed")));
        assert_eq!(whole["keys"], removed["keys"], "{name}");
        let keys = whole["keys"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        // Each asks once before the second server leaves, and once after.
        let mut trace = "at,key\n".to_owned();
        for round in [0, 10_000] {
            for (number, key) in keys.iter().enumerate() {
                writeln!(trace, "{},{}", round + number, text(key)).unwrap();
            }
        }
        fs::write(place.join("trace.csv"), trace).unwrap();
        let mut servers = String::new();
        for server in whole["servers"].as_array().unwrap() {
            let name = text(&server["name"]);
            let leaves = if name == "s2" {
                "leaves = \"5s\"\n"
            } else {
                ""
            };
            write!(
                servers,
                "[[services.servers]]\nname = \"{name}\"\naddress = \"{}\"\nweight = {}\nslots = 100\n{leaves}\
                 service = {{ kind = \"constant\", value = \"1us\" }}\n",
                text(&server["addr"]),
                server["weight"]
            )
            .unwrap();
        }
        let file = format!(
            "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"12s\"\nreplications = 1\ncompare = [{strategy}]\n\
             [[clients]]\narrivals = {{ kind = \"trace\", file = \"trace.csv\", columns = {{ time = \"at\", time-unit = \"ms\", key = \"key\", client = \"key\" }} }}\n\
             {SESSIONS}\n[[services]]\nname = \"web\"\n{servers}"
        );
        let scenario = read_in(&place, &file);
        let [tally] = &runs(&scenario, 1)[..] else {
            unreachable!()
        };
        let both = whole["picks"]
            .as_array()
            .unwrap()
            .iter()
            .zip(removed["picks"].as_array().unwrap());
        let (mut left, mut moved) = (0, 0);
        for (before, after) in both {
            if before == "s2" {
                left += 1;
            } else if before != after {
                moved += 1;
            }
        }
        let lost = |loss: Loss| tally.sessions.whole.lost[loss as usize];
        assert!(left > 0, "{name}");
        assert_eq!(
            (lost(Loss::ScaleIn), lost(Loss::Moved)),
            (left, moved),
            "{name}"
        );
        assert_eq!(
            tally.sessions.whole.lost.iter().sum::<u64>(),
            left + moved,
            "{name}"
        );
    }
}
