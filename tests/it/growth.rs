//! Servers that autoscalers order and remove: by hand, against `joins` and `leaves`, and within
//! their bounds whatever happens.

use std::fs;

use lbsim::model;
use lbsim::observe::{PoolCount, Tally, laws};
use lbsim::scenario::Scenario;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::support::{TRACED, files, lbsim, read_in, scratch, stderr, traced};

fn world(run: &str, arrivals: &str, servers: &str, rest: &str) -> String {
    format!(
        r#"
question = "?"
expect = "!"
[run]
{run}
compare = ["round-robin"]
[[clients]]
arrivals = {arrivals}
[[services]]
name = "web"
[[services.servers]]
{servers}
{rest}
"#
    )
}

#[track_caller]
fn read(text: &str) -> Scenario {
    Scenario::from_text("growth.toml", text).unwrap_or_else(|rejected| panic!("{rejected}"))
}

#[track_caller]
fn live(scenario: &Scenario) -> Tally {
    let tally = model::run(&scenario.variants[0].blueprint, scenario.seed, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

fn pools(tally: &Tally) -> &PoolCount {
    tally.pools.as_deref().expect("an autoscaler")
}

/// Seconds that each server cost something.
fn paid(tally: &Tally) -> Vec<f64> {
    pools(tally)
        .paid
        .iter()
        .map(|&nanos| nanos as f64 / 1e9)
        .collect()
}

/// Requests of 100 ms come every 200 ms, and from 100 s on every 125 ms: 50% of a server, then 80%.
fn a_step() -> Vec<u32> {
    let before = (0..500).map(|at| at * 200);
    before
        .chain((0..800).map(|at| 100_000 + at * 125))
        .collect()
}

/// Figures are means over 20 s that ended 4 s ago, and looks come every 10 s. At 110 s the window
/// is that from 86 s to 106 s, and 6 s of it are busier: 59%, of 60% that are meant. At 120 s it is
/// 74%: 1.23 servers are needed, and the second comes when it has booted for 7.05 s. What is
/// measured does not know of it for some time, and would have a third but for the `cooldown-out`.
#[test]
fn a_server_joins_after_delay_look_and_boot() {
    let place = traced("growth-step", &a_step());
    let servers = r#"slots = 1
service = { kind = "constant", value = "100ms" }
[services.servers.autoscale]
least = 1
most = 4
by = { kind = "target-tracking", metric = { kind = "utilization", target = "60%" }, out-after = 1 }
interval = "10s"
window = "20s"
delay = "4s"
cooldown-out = "30s"
boot = { kind = "constant", value = "7050ms" }"#;
    let text = world(
        "duration = \"200s\"\nwarmup = \"0s\"\nreplications = 1",
        TRACED,
        servers,
        "",
    );
    let tally = live(&read_in(&place, &text));
    assert_eq!(paid(&tally), [200.0, 80.0, 0.0, 0.0]);
    assert_eq!(pools(&tally).mean(), (200.0 + 72.95) / 200.0);
    assert_eq!(
        (pools(&tally).most, pools(&tally).outs, pools(&tally).ins),
        (2, 1, 0)
    );
    // Two servers in turn from 127.05 s on: half of the 583 that come then.
    let sent = tally.load.servers[1].sent;
    assert!((291..=292).contains(&sent), "{sent}");
    assert_eq!(tally.requests, tally.succeeded_count());
    // All 130 s of work are done, each server's in the time that it is there.
    let utilization = tally.load.utilization();
    let second = sent as f64 * 0.1;
    assert!(
        (utilization[1] - second / 72.95).abs() < 1e-9,
        "{utilization:?}"
    );
    assert!(
        (utilization[0] - (130.0 - second) / 200.0).abs() < 1e-9,
        "{utilization:?}"
    );
    assert_eq!(utilization[2], 0.0);
}

/// The other figures at a steady load: 8 requests of 100 ms a second at one server. 0.8 of them are
/// there, each is answered within 100 ms, and one server is looked at.
#[test]
fn each_metric_is_what_it_says() {
    let times: Vec<u32> = (0..400).map(|at| at * 125).collect();
    let place = traced("growth-metrics", &times);
    let desired = |metric: &str| {
        let servers = format!(
            r#"slots = 1
service = {{ kind = "constant", value = "100ms" }}
[services.servers.autoscale]
least = 1
most = 9
by = {{ kind = "hpa", metric = {metric}, tolerance = "0%", out-policies = [] }}
interval = "30s"
window = "10s"
boot = {{ kind = "constant", value = "1h" }}"#
        );
        let text = world(
            "duration = \"40s\"\nwarmup = \"0s\"\nreplications = 1",
            TRACED,
            &servers,
            "",
        );
        let tally = live(&read_in(&place, &text));
        paid(&tally).iter().filter(|paid| **paid > 0.0).count()
    };
    for (metric, due) in [
        (r#"{ kind = "utilization", target = "16%" }"#, 5),
        (r#"{ kind = "utilization", target = "15%" }"#, 6),
        (r#"{ kind = "in-flight", target = 0.2 }"#, 4),
        (r#"{ kind = "in-flight", target = 0.199 }"#, 5),
        (r#"{ kind = "response-time", target = "50ms" }"#, 2),
        (r#"{ kind = "response-time", target = "49ms" }"#, 3),
        (r#"{ kind = "rate", target = "2/s" }"#, 4),
        (r#"{ kind = "rate", target = "1.9/s" }"#, 5),
    ] {
        assert_eq!(desired(metric), due, "{metric}");
    }
}

/// Two are ordered at 10 s and boot for 2 s; at 20 s the last two are removed, and leave at 25 s.
#[test]
fn a_schedule_orders_and_drains() {
    let servers = r#"slots = 2
service = { kind = "constant", value = "10ms" }
cost = 3.6
[services.servers.autoscale]
least = 1
most = 3
by = { kind = "schedule", plan = [{ at = "10s", count = 3 }, { at = "20s", count = 1 }] }
boot = { kind = "constant", value = "2s" }
drain = "5s""#;
    let arrivals = r#"{ kind = "constant", rate = "50/s" }"#;
    let text = world(
        "duration = \"40s\"\nwarmup = \"5s\"\nreplications = 2",
        arrivals,
        servers,
        "",
    );
    let scenario = read(&text);
    let tally = live(&scenario);
    assert_eq!(paid(&tally), [35.0, 15.0, 15.0]);
    assert_eq!(pools(&tally).mean(), (35.0 + 8.0 + 8.0) / 35.0);
    assert_eq!(
        (pools(&tally).most, pools(&tally).outs, pools(&tally).ins),
        (3, 1, 1)
    );
    // In the pool for 8 s, a third of 50 requests a second.
    assert!((132..=135).contains(&tally.load.servers[1].sent));
    let cost = scenario.variants[0]
        .blueprint
        .bill(Some(&pools(&tally).paid), &[0; 100], None);
    assert!((cost.unwrap().total() - 3.6 * 65.0 / 35.0).abs() < 1e-9);
}

/// What is there is taken to be counted: the same run with and without it.
fn without_counts(tally: &Tally) -> Value {
    let mut value = serde_json::to_value(tally).unwrap();
    value["pools"] = Value::Null;
    value["load"]["stays"] = Value::Null;
    value
}

/// The keys under which two values differ.
fn differences(one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().filter(|key| one[*key] != other[*key]);
            keys.flat_map(|key| {
                let below = differences(&one[key], &other[key]);
                below.into_iter().map(move |path| format!("{key}.{path}"))
            })
            .collect()
        }
        _ => vec![String::new()],
    }
}

/// A schedule without boot and drain says what `joins` and `leaves` say, and the same follows, in
/// a world with bonds, sessions, checks, retries and crashes.
#[test]
fn a_schedule_is_as_joining_and_leaving() {
    let like = "slots = 2\nservice = { kind = \"exponential\", mean = \"30ms\" }\ncold = { speed = \"50%\", lasts = \"2s\" }\n";
    let by_hand = format!(
        "name = \"a\"\ncount = 3\n{like}[[services.servers]]\nname = \"b\"\ncount = 2\njoins = \"4s\"\nleaves = \"9s\"\n{like}"
    );
    let by_plan = format!(
        "name = \"a\"\ncount = 3\n{like}autoscale = {{ least = 3, most = 5, by = {{ kind = \"schedule\", plan = [{{ at = \"4s\", count = 5 }}, {{ at = \"9s\", count = 3 }}] }} }}\n"
    );
    let rest = r#"
[services.balancer]
instances = 2
sticky = "cookie"
timeout = "300ms"
retry = { max = 2 }
health-check = { interval = "500ms" }
[network]
balancer-to-server = { kind = "exponential", mean = "2ms" }
[[faults]]
kind = "crash"
servers = "web/a-2"
at = "6s"
lasts = "2s"
"#;
    let arrivals = "{ kind = \"poisson\", rate = \"150/s\" }\npopulation = { kind = \"generated\", count = 100 }\nsessions = { idle = \"3s\" }";
    let run = "duration = \"14s\"\nwarmup = \"1s\"\nreplications = 2";
    for strategy in [
        "round-robin",
        "least-connections",
        "consistent-hashing",
        "envoy-maglev",
    ] {
        let live = |servers: &str| {
            let text = world(run, arrivals, servers, rest).replace("round-robin", strategy);
            live(&read(&text))
        };
        let (hand, plan) = (live(&by_hand), live(&by_plan));
        assert!(hand.pools.is_none());
        assert!(pools(&plan).most == 5 && hand.load.servers[4].sent > 50);
        let different = differences(&without_counts(&hand), &without_counts(&plan));
        assert_eq!(different, [""; 0], "{strategy}");
    }
}

const FOLLOWS: &str = r#"count = 2
slots = 2
service = { kind = "exponential", mean = "20ms" }
[services.servers.autoscale]
least = 2
most = 8
by = { kind = "hpa", metric = { kind = "in-flight", target = 1.5 }, in-stabilization = "3s" }
interval = "1s"
window = "2s"
delay = "500ms"
boot = { kind = "exponential", mean = "1s" }
drain = "500ms""#;

#[test]
fn threads_change_no_byte_of_growth() {
    let place = scratch("growth-jobs");
    let arrivals = r#"{ kind = "spike", rate = "100/s", peak = "400/s", at = "4s", lasts = "5s" }"#;
    let run = "duration = \"20s\"\nwarmup = \"1s\"\nreplications = 3";
    fs::write(place.join("test.toml"), world(run, arrivals, FOLLOWS, "")).unwrap();
    let runs = ["1", "2"].map(|jobs| {
        let done = lbsim(&place, &["run", "test.toml", "--jobs", jobs, "--out", jobs]);
        assert!(done.status.success(), "{}", stderr(&done));
        files(&place.join(jobs))
    });
    assert!(runs[0] == runs[1]);
    let read = |file: &str| fs::read_to_string(place.join("1/test").join(file)).unwrap();
    let timeline = read("timeline.csv");
    assert!(timeline.lines().next().unwrap().ends_with(",servers"));
    let servers: Vec<f64> = timeline
        .lines()
        .skip(1)
        .map(|row| row.rsplit(',').next().unwrap().parse().unwrap())
        .collect();
    assert!(
        servers[0] == 2.0 && servers.iter().any(|&count| count > 4.0),
        "{servers:?}"
    );
    assert!(read("summary.csv").contains("servers_mean"));
    assert!(read("charts/timeline.svg").contains("in the pool"));
}

#[test]
fn what_cannot_be_is_said_with_its_place() {
    let arrivals = r#"{ kind = "poisson", rate = "100/s" }"#;
    let said = |servers: &str| {
        let text = world("duration = \"9s\"", arrivals, servers, "");
        let rejected = Scenario::from_text("growth.toml", &text);
        format!("{}", rejected.expect_err("it is refused"))
    };
    let like = "service = { kind = \"exponential\", mean = \"20ms\" }";
    let by = r#"by = { kind = "hpa", metric = { kind = "utilization", target = "60%" } }"#;
    let of = |more: &str| said(&format!("{like}\n{more}"));
    let unbounded = of(&format!("autoscale = {{ {by} }}"));
    assert!(
        unbounded.contains("lacks `most`") || unbounded.contains("`most`"),
        "{unbounded}"
    );
    let twisted = of(&format!("autoscale = {{ least = 5, most = 2, {by} }}"));
    assert!(twisted.contains("less than `least`, 5"), "{twisted}");
    let outside = of(&format!(
        "count = 9\nautoscale = {{ least = 2, most = 5, {by} }}"
    ));
    assert!(outside.contains("9 servers at the start"), "{outside}");
    let twice = of(&format!(
        "joins = \"1s\"\nautoscale = {{ least = 1, most = 5, {by} }}"
    ));
    assert!(
        twice.contains("`joins`") && twice.contains("schedule"),
        "{twice}"
    );
    let late = of(
        "autoscale = { least = 1, most = 5, by = { kind = \"schedule\", plan = [{ at = \"2s\", count = 9 }, { at = \"1s\", count = 2 }] } }",
    );
    assert!(
        late.contains("`count` is 9") && late.contains("not after the one before"),
        "{late}"
    );
    let target = of(
        "autoscale = { least = 1, most = 5, by = { kind = \"target-tracking\", metric = { kind = \"utilization\", target = \"160%\" } } }",
    );
    assert!(target.contains("160%"), "{target}");
    let negative = of(&format!(
        "autoscale = {{ least = 1, most = 5, {by}, boot = {{ kind = \"uniform\", min = \"5s\", max = \"1s\" }} }}"
    ));
    assert!(negative.contains("max"), "{negative}");
}

/// Worlds with an autoscaler of any kind, in which anything may happen.
fn worlds() -> impl Strategy<Value = String> {
    let metric = select(vec![
        r#"{ kind = "utilization", target = "50%" }"#,
        r#"{ kind = "in-flight", target = 2.0 }"#,
        r#"{ kind = "response-time", target = "25ms" }"#,
        r#"{ kind = "rate", target = "60/s" }"#,
    ]);
    let rule = select(vec![
        "kind = \"target-tracking\", out-after = 1, in-after = 2",
        "kind = \"target-tracking\", in-after = 1, in-step = 1",
        "kind = \"hpa\", in-stabilization = \"300ms\"",
        "kind = \"hpa\", in-stabilization = \"0s\", out-policies = []",
        "kind = \"steps\", out = [{ above = \"100%\", servers = 1 }, { above = \"200%\", share = \"100%\" }], in = [{ below = \"60%\", share = \"50%\" }]",
        "kind = \"schedule\", plan = [{ at = \"500ms\", count = 4 }, { at = \"900ms\", count = 2 }, { at = \"950ms\", count = 4 }]",
    ]);
    let times = (
        select(vec!["50ms", "130ms"]),
        select(vec!["40ms", "400ms"]),
        select(vec!["0s", "70ms", "300ms"]),
        select(vec![
            "",
            "cooldown-out = \"200ms\"",
            "cooldown-in = \"300ms\"",
        ]),
        select(vec![
            "",
            "boot = { kind = \"constant\", value = \"100ms\" }",
            "boot = { kind = \"exponential\", mean = \"200ms\" }",
        ]),
        select(vec!["0s", "80ms", "1s"]),
    );
    let service = (
        select(vec![
            "exponential\", mean = \"20ms",
            "constant\", value = \"15ms",
        ]),
        select(vec!["fifo", "lifo", "processor-sharing"]),
        select(vec![
            "",
            "queue-limit = 3",
            "cold = { speed = \"20%\", requests = 9 }",
            "cold = { speed = \"20%\", lasts = \"100ms\" }",
        ]),
    );
    let rest = select(vec![
        "",
        "[services.balancer]\nsticky = \"cookie\"\ntimeout = \"60ms\"\nabandoned = \"cancel\"\n",
        "[services.balancer]\ninstances = 2\nhealth-check = { interval = \"60ms\" }\nretry = { max = 2 }\n",
        "[services.balancer]\nconnections = { by = { kind = \"fixed\", requests = 2 } }\ntimeout = \"90ms\"\n[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"700ms\"\nlasts = \"200ms\"\n",
        "[[faults]]\nkind = \"drain\"\nservers = \"web\"\nat = \"600ms\"\nlasts = \"300ms\"\n[[faults]]\nkind = \"balancer-crash\"\nbalancers = \"web\"\nat = \"1s\"\nlasts = \"100ms\"\n",
        "[network]\nbalancer-to-server = { kind = \"exponential\", mean = \"9ms\" }\n[[faults]]\nkind = \"lossy-link\"\nfrom = \"balancers:web\"\nto = \"web\"\nat = \"300ms\"\nshare = \"20%\"\n[[faults]]\nkind = \"hang\"\nservers = \"web\"\nat = \"500ms\"\nlasts = \"100ms\"\nshare = \"10%\"\n",
    ]);
    let strategy = select(vec![
        "round-robin",
        "least-connections",
        "envoy-maglev",
        "least-work-left",
        "power-of-d",
        "consistent-hashing",
    ]);
    (metric, rule, times, service, rest, strategy, 2u32..5, any::<u32>()).prop_map(
        |(metric, rule, times, service, rest, strategy, count, seed)| {
            let (interval, window, delay, cooldown, boot, drain) = times;
            let (takes, discipline, more) = service;
            let metric = if rule.contains("schedule") { String::new() } else { format!(", metric = {metric}") };
            format!(
                "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"2s\"\nwarmup = \"0s\"\nseed = {seed}\ncompare = [\"{strategy}\"]\n\
                 [[clients]]\narrivals = {{ kind = \"spike\", rate = \"80/s\", peak = \"600/s\", at = \"400ms\", lasts = \"500ms\" }}\n\
                 population = {{ kind = \"generated\", count = 30 }}\nsessions = {{ idle = \"200ms\" }}\n\
                 [[services]]\nname = \"web\"\n[[services.servers]]\ncount = {count}\nslots = 2\nservice = {{ kind = \"{takes}\" }}\n\
                 discipline = \"{discipline}\"\n{more}\n[services.servers.autoscale]\nleast = 2\nmost = 5\n\
                 by = {{ {rule}{metric} }}\ninterval = \"{interval}\"\nwindow = \"{window}\"\ndelay = \"{delay}\"\n{cooldown}\n{boot}\ndrain = \"{drain}\"\n{rest}"
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn there_are_never_fewer_than_least_nor_more_than_most(text in worlds()) {
        let scenario = Scenario::from_text("any.toml", &text);
        let scenario = scenario.unwrap_or_else(|rejected| panic!("{rejected}\n{text}"));
        let plan = &scenario.variants[0].blueprint;
        let tally = model::run(plan, scenario.seed, 0);
        prop_assert_eq!(laws::violations(&tally), []);
        prop_assert_eq!(tally.requests, tally.succeeded_count() + tally.failed.iter().sum::<u64>() + tally.unfinished);
        let length = tally.timeline.length().nanos();
        let pools = tally.pools.as_deref().unwrap();
        // The last stretch may reach beyond the end of the run.
        let (_, whole) = pools.over_time().split_last().unwrap();
        for &nanos in whole {
            prop_assert!((2 * length..=5 * length).contains(&nanos), "{nanos} of {length}");
        }
        prop_assert!(pools.most <= 5 && pools.mean() >= 2.0);
        // Whoever serves costs something.
        prop_assert!(pools.paid.iter().sum::<u64>() as f64 >= pools.mean() * 2e9 - 1.0);
        for share in tally.load.utilization() {
            prop_assert!((0.0..=1.0).contains(&share));
        }
        for one in tally.load.over_time().into_iter().flatten() {
            let shares = [one.utilization, one.there, one.dead];
            prop_assert!(shares.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share)), "{one:?}");
        }
        let again = model::run(plan, scenario.seed, 0);
        prop_assert!(serde_json::to_string(&tally).unwrap() == serde_json::to_string(&again).unwrap());
    }
}
