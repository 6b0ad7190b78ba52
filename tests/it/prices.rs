//! What is paid for besides servers: balancers, and what goes from zone to zone. All cases are of
//! constant times, so that each figure is known to the last digit.

use lbsim::{Report, Scenario};

/// Ten requests a second for 100 s, of 1 MiB each and answered with 3: 1,000 requests, or 36,000 an
/// hour. Clients are in zone x, balancers in a, servers in b.
const SHOP: &str = r#"
question = "?"
expect = "-"
[run]
duration = "100s"
warmup = "0s"
replications = 2
compare = ["round-robin"]
[network]
cost-per-gib = 1
[[clients]]
zone = "x"
arrivals = { kind = "constant", rate = "10/s" }
[[services]]
name = "web"
carries = { request = "1MiB", answer = "3MiB" }
balancer = { zones = ["a"], cost = 2, cost-per-million = 100, cost-per-gib = 0.5 }
servers = [{ name = "web", count = 2, slots = 99, zone = "b", cost = 0.25, service = { kind = "constant", value = "1ms" } }]
"#;

/// GiB an hour of so many MiB a request.
fn gib(mib: f64) -> f64 {
    36_000.0 * mib / 1024.0
}

fn run(changes: &[(&str, &str)]) -> Report {
    let text = changes.iter().fold(SHOP.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let scenario = Scenario::from_text("shop.toml", &text).unwrap_or_else(|why| panic!("{why}"));
    lbsim::Experiment::new(scenario).run().unwrap()
}

fn assert_costs(report: &Report, name: &str, expected: f64) {
    let found = report.estimate("round-robin", name).unwrap();
    assert!(
        (found - expected).abs() < 1e-9 * expected.max(1.0),
        "{name}: {found}, not {expected}"
    );
}

fn assert_traffic(changes: &[(&str, &str)], mib: f64) {
    assert_costs(&run(changes), "traffic_cost_per_hour", gib(mib));
}

#[test]
fn a_bill_has_servers_balancers_and_traffic() {
    let report = run(&[]);
    assert_costs(&report, "servers_cost_per_hour", 0.5);
    let balancers = 2.0 + 0.036 * 100.0 + 0.5 * gib(4.0);
    assert_costs(&report, "balancers_cost_per_hour", balancers);
    // Four ways, each over the border of a zone.
    assert_costs(&report, "traffic_cost_per_hour", gib(8.0));
    assert_costs(&report, "cross_zone_share", 1.0);
    let all = 0.5 + balancers + gib(8.0);
    assert_costs(&report, "cost_per_hour", all);
    assert_costs(&report, "cost_per_million", all / 36_000.0 * 1e6);
}

#[test]
fn who_is_in_no_zone_or_in_the_same_pays_nothing() {
    assert_traffic(&[("zone = \"x\"\n", "")], 4.0);
    assert_traffic(&[("zone = \"x\"\n", "zone = \"a\"\n")], 4.0);
    let report = run(&[("zone = \"b\", ", "zone = \"a\", ")]);
    assert_costs(&report, "traffic_cost_per_hour", gib(4.0));
    assert_costs(&report, "cross_zone_share", 0.5);
}

/// The way back costs as much, unless it is listed too.
#[test]
fn ways_have_prices_of_their_own() {
    let way = |from: &str, to: &str, cost: &str| {
        format!(
            "[[network.ways]]\nfrom = \"{from}\"\nto = \"{to}\"\ntakes = {{ kind = \"constant\", value = \"1ms\" }}\n{cost}\n[[clients]]"
        )
    };
    let with = |ways: &str| run(&[("[[clients]]", ways)]);
    let free = way("x", "a", "cost-per-gib = 0");
    assert_costs(&with(&free), "traffic_cost_per_hour", gib(4.0));
    let said_by_none = way("x", "a", "");
    assert_costs(&with(&said_by_none), "traffic_cost_per_hour", gib(8.0));
    let back = way("a", "x", "cost-per-gib = 10");
    let both = free.replace("[[clients]]", "") + &back;
    assert_costs(&with(&both), "traffic_cost_per_hour", gib(4.0 + 30.0));
}

/// A dead server is sent every second request, and answers none.
#[test]
fn each_attempt_is_paid_for_and_errors_are_not() {
    let changes = [
        ("zones = [\"a\"],", "zones = [\"a\"], retry = { max = 1 },"),
        (
            "[[services]]",
            "[[faults]]\nkind = \"crash\"\nservers = \"web/web-1\"\nat = \"0s\"\nlasts = \"200s\"\n[[services]]",
        ),
    ];
    let report = run(&changes);
    let attempts = report
        .estimate("round-robin", "attempts_per_request")
        .unwrap();
    assert!(attempts > 1.3, "{attempts}");
    assert_costs(&report, "success_share", 1.0);
    assert_costs(
        &report,
        "traffic_cost_per_hour",
        gib(1.0 + attempts + 3.0 + 3.0),
    );
}

/// Nobody waits for these answers, and they are sent nevertheless; no client has one. The run ends
/// with the last timeout: of 1,000 answers 990 have been sent by then.
#[test]
fn answers_for_nobody_are_paid_for() {
    let slow = ("value = \"1ms\"", "value = \"2s\"");
    let timeout = ("zones = [\"a\"],", "zones = [\"a\"], timeout = \"1s\",");
    assert_traffic(&[slow, timeout], 1.0 + 1.0 + 3.0 * 0.99);
    let stops = (
        "zones = [\"a\"],",
        "zones = [\"a\"], timeout = \"1s\", abandoned = \"cancel\",",
    );
    assert_traffic(&[slow, stops], 1.0 + 1.0);
}

/// Each request changes the state of the one session, which goes to its copy in another zone.
#[test]
fn copies_of_states_are_paid_for() {
    let changes = [
        ("carries = { request = \"1MiB\", answer = \"3MiB\" }\n", ""),
        (
            "arrivals",
            "sessions = { writes = \"100%\", size = { kind = \"constant\", value = \"2MiB\" } }\narrivals",
        ),
        (
            "balancer = {",
            "state = { kind = \"replicated\", copies = 2, placement = \"other-zone\", shipping = \"synchronous\" }\nbalancer = { sticky = \"cookie\",",
        ),
        (
            "servers = [{ name = \"web\", count = 2,",
            "servers = [{ name = \"other\", zone = \"c\", slots = 99, service = { kind = \"constant\", value = \"1ms\" } }, { name = \"web\",",
        ),
    ];
    let report = run(&changes);
    assert_costs(&report, "traffic_cost_per_hour", gib(2.0));
    assert_costs(&report, "cross_zone_share", 1.0);
}

/// What servers call is paid for as what clients ask: from the zone of the caller.
#[test]
fn calls_are_paid_for() {
    let store = "[[services]]\nname = \"store\"\ncarries = { request = \"2MiB\", answer = \"5MiB\" }\n\
        balancer = { zones = [\"b\"], cost-per-million = 10 }\n\
        servers = [{ name = \"store\", slots = 99, zone = \"c\", service = { kind = \"constant\", value = \"1ms\" } }]\n\
        [[services]]\nname = \"web\"\nsteps = [{ call = \"store\", repeat = 3 }]\n";
    let report = run(&[
        ("[run]\n", "[run]\nservice = \"web\"\n"),
        ("arrivals", "service = \"web\"\narrivals"),
        ("[[services]]\nname = \"web\"\n", store),
    ]);
    assert_costs(&report, "traffic_cost_per_hour", gib(8.0 + 3.0 * 7.0));
    let balancers = 2.0 + 3.6 + 0.5 * gib(4.0) + 3.0 * 0.36;
    assert_costs(&report, "balancers_cost_per_hour", balancers);
}

/// The balancer of a server is there while that server is, and no way leads to it.
#[test]
fn balancers_of_callers_cost_as_long_as_these_are_there() {
    let store = "[[services]]\nname = \"store\"\nbalancer = { spread = \"caller\", cost = 3 }\n\
        servers = [{ name = \"store\", slots = 99, zone = \"c\", service = { kind = \"constant\", value = \"1ms\" } }]\n\
        [[services]]\nname = \"web\"\nsteps = [{ call = \"store\" }]\n";
    let base = [
        ("[run]\n", "[run]\nservice = \"web\"\n"),
        ("arrivals", "service = \"web\"\narrivals"),
        (", cost = 2, cost-per-million = 100, cost-per-gib = 0.5", ""),
        ("[[services]]\nname = \"web\"\n", store),
    ];
    let with = |more: &[(&str, &str)]| {
        let report = run(&[&base[..], more].concat());
        assert_costs(&report, "success_share", 1.0);
        report
            .estimate("round-robin", "balancers_cost_per_hour")
            .unwrap()
    };
    assert_eq!(with(&[]), 6.0);
    // One goes when the other comes: there is always one.
    let half = "zone = \"b\", leaves = \"50s\"";
    let other = "{ name = \"late\", joins = \"50s\", slots = 99, service = { kind = \"constant\", value = \"1ms\" } }, { name = \"web\"";
    let found = with(&[
        ("count = 2, ", ""),
        ("zone = \"b\"", half),
        ("{ name = \"web\"", other),
    ]);
    assert!((found - 3.0).abs() < 1e-9, "{found}");
    // One for the first half, three for the second.
    let grows = "autoscale = { least = 1, most = 3, by = { kind = \"schedule\", plan = [{ at = \"50s\", count = 3 }] } }, zone";
    let found = with(&[
        ("count = 2, ", ""),
        ("zone = \"b\"", grows_in_b(grows).as_str()),
    ]);
    assert!((found - 6.0).abs() < 1e-9, "{found}");
}

fn grows_in_b(grows: &str) -> String {
    format!("{grows} = \"b\"")
}

/// All that travels goes from a to b: what a client asks of its own balancer goes nowhere.
#[test]
fn there_is_no_way_to_a_balancer_of_ones_own() {
    let own = ("zones = [\"a\"]", "spread = \"caller\"");
    let report = run(&[own]);
    assert_costs(&report, "cross_zone_share", 1.0);
    assert_costs(&report, "traffic_cost_per_hour", gib(4.0));
}

/// What costs nothing is 0, and no hole: it can be compared.
#[test]
fn nothing_is_paid_where_prices_are_zero() {
    let free = [
        ("cost-per-gib = 1\n", "cost-per-gib = 0\n"),
        (
            "cost = 2, cost-per-million = 100, cost-per-gib = 0.5",
            "cost = 0",
        ),
        ("cost = 0.25, ", ""),
    ];
    let report = run(&free);
    assert_costs(&report, "cost_per_hour", 0.0);
    assert_costs(&report, "cross_zone_share", 1.0);
    let here = [
        ("zone = \"x\"", "zone = \"b\""),
        ("zones = [\"a\"]", "zones = [\"b\"]"),
    ];
    let report = run(&here);
    assert_costs(&report, "cross_zone_share", 0.0);
    assert_costs(&report, "traffic_cost_per_hour", 0.0);
}

/// A dead balancer lets nothing through.
#[test]
fn who_is_dead_is_paid_by_the_hour_alone() {
    let dead = (
        "[[services]]",
        "[[faults]]\nkind = \"balancer-crash\"\nbalancers = \"web\"\nat = \"0s\"\nlasts = \"200s\"\n[[services]]",
    );
    let report = run(&[dead]);
    assert_costs(&report, "balancers_cost_per_hour", 2.0);
}
