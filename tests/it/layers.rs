//! Layers of balancers, worked out by hand: ways between zones, routes, a balancer for each caller,
//! answers of name servers that are kept, connections that carry several requests.

use std::fs;

use lbsim::model;
use lbsim::observe::{Ended, Tally, Witness, laws};
use lbsim::scenario::Scenario;
use lbsim::time::{Span, Time};

use crate::support::{read_in, scratch};

/// Requests of one client.
const TRACED: &str = r#"{ kind = "trace", file = "trace.csv", columns = { time = "at", time-unit = "ms", client = "client" } }"#;

/// Each request that has ended: when it came, its client, its server, its response time in
/// milliseconds.
#[derive(Default)]
struct Seen(Vec<(Time, u32, Option<u32>, f64)>);

impl Witness for Seen {
    fn ended(&mut self, ended: &Ended) {
        let took = ended.response_time.seconds() * 1e3;
        self.0
            .push((ended.arrived, ended.client, ended.server, took));
    }
}

fn live(scenario: &Scenario, replication: u32) -> (Tally, Seen) {
    let mut seen = Seen::default();
    let blueprint = &scenario.variants[0].blueprint;
    let tally = model::run_witnessed(blueprint, 3, replication, &mut seen);
    assert_eq!(laws::violations(&tally), []);
    seen.0
        .sort_by_key(|&(arrived, client, ..)| (arrived, client));
    (tally, seen)
}

/// What is run.
const VARIANT: &str = "\n[[variants]]\nname = \"it\"\n";

fn scenario(test: &str, times: &[u32], text: &str) -> Scenario {
    let place = scratch(&format!("layers-{test}"));
    let rows: String = times.iter().map(|at| format!("{at},one\n")).collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    let head = "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"10s\"\nwarmup = \"0s\"\n";
    let text = text.replace("TRACED", TRACED);
    read_in(&place, &format!("{head}{text}{VARIANT}"))
}

fn took(seen: &Seen) -> Vec<f64> {
    let rounded = |took: f64| (took * 1e6).round() / 1e6;
    seen.0.iter().map(|&(.., took)| rounded(took)).collect()
}

fn servers(seen: &Seen) -> Vec<u32> {
    seen.0
        .iter()
        .map(|&(_, _, server, _)| server.unwrap())
        .collect()
}

/// Clients in `a`, 3 ms from the balancer in `b`; servers in `b`, 1 ms away, and in `a`: 3 ms. The
/// database is asked by each over its own way: from `b` 1 ms, from `a` 5 ms there and 7 ms back.
#[test]
fn ways_are_as_long_as_zones_are_apart() {
    let text = r#"
[[clients]]
arrivals = TRACED
zone = "a"
[network]
client-to-balancer = { kind = "constant", value = "100ms" }
server-to-balancer = { kind = "constant", value = "100ms" }
[[network.ways]]
from = "a"
to = "b"
takes = { kind = "constant", value = "3ms" }
[[network.ways]]
from = "b"
to = "b"
takes = { kind = "constant", value = "1ms" }
[[network.ways]]
from = "a"
to = "c"
takes = { kind = "constant", value = "5ms" }
[[network.ways]]
from = "c"
to = "a"
takes = { kind = "constant", value = "7ms" }
[[network.ways]]
from = "b"
to = "c"
takes = { kind = "constant", value = "1ms" }
[[services]]
name = "web"
steps = [{ call = "db" }]
balancer = { strategy = { kind = "round-robin", start = "first" }, zones = ["b"] }
servers = [
    { name = "b", zone = "b", service = { kind = "constant", value = "2ms" } },
    { name = "a", zone = "a", service = { kind = "constant", value = "2ms" } },
]
[[services]]
name = "db"
balancer = { zones = ["c"] }
servers = [{ zone = "d", service = { kind = "constant", value = "10ms" } }]
"#;
    let (_, seen) = live(&scenario("ways", &[0, 1000], text), 0);
    // 3 + 1 + 2 + (1 + 10 + 1) + 1 + 3, and 3 + 3 + 2 + (5 + 10 + 7) + 3 + 3.
    assert_eq!(took(&seen), [22.0, 36.0]);
}

/// Pages to the one, pictures to the other, all else to the last.
#[test]
fn the_first_route_that_fits_takes_a_request() {
    let clients = |name: &str, label: &str| {
        format!(
            "[[clients]]\nname = \"{name}\"\nlabels = {{ path = \"{label}\" }}\narrivals = TRACED\n"
        )
    };
    let service = |name: &str, takes: &str| {
        format!(
            "[[services]]\nname = \"{name}\"\nservers = [{{ service = {{ kind = \"constant\", value = \"{takes}\" }} }}]\n"
        )
    };
    let text = clients("pages", "/page/1")
        + &clients("pictures", "/picture/1")
        + &clients("rest", "/")
        + &service("alb", "1ms")
        + "routes = [{ to = \"a\", labels = { path = \"/page*\" } }, { to = \"b\", labels = { path = \"/picture/1\" } }, { to = \"c\" }]\n"
        + &service("a", "10ms")
        + &service("b", "20ms")
        + &service("c", "30ms");
    let scenario = scenario("routes", &[0], &text);
    let (tally, seen) = live(&scenario, 0);
    // All come at once, and wait at the balancer for each other: 1, 2 and 3 ms.
    assert_eq!(took(&seen), [11.0, 22.0, 33.0]);
    let asked: Vec<u64> = tally.services.iter().map(|count| count.requests).collect();
    assert_eq!(asked, [3, 1, 1, 1]);
    // What each is asked for a second is known beforehand.
    let plan = &scenario.variants[0].blueprint;
    assert!((plan.rate(1).unwrap() - 0.1).abs() < 1e-9);
    assert!((plan.rate(0).unwrap() - 0.3).abs() < 1e-9);
}

const TWO_FRONTS: &str = r#"
[[clients]]
arrivals = TRACED
[[services]]
name = "front"
routes = [{ to = "web" }]
balancer = { strategy = { kind = "round-robin", start = "first" } }
servers = [{ name = "front", count = 2, service = { kind = "constant", value = "0ms" } }]
[[services]]
name = "web"
balancer = { strategy = { kind = "round-robin", start = "first" }, spread = "caller" }
servers = [{ name = "web", count = 2, service = { kind = "constant", value = "10ms" } }]
"#;

/// Each front has a round of its own: the first and the second request go to the first server, the
/// third and the fourth to the second.
#[test]
fn each_caller_has_its_own_balancer() {
    let own = scenario("own", &[0, 100, 200, 300], TWO_FRONTS);
    let (tally, _) = live(&own, 0);
    let sent = |tally: &Tally| -> Vec<u64> {
        tally
            .load
            .servers
            .iter()
            .map(|server| server.sent)
            .collect()
    };
    assert_eq!(sent(&tally), [2, 2, 2, 2]);
    let both = scenario("own-two", &[0, 100], TWO_FRONTS);
    assert_eq!(sent(&live(&both, 0).0), [1, 1, 2, 0]);
    let shared = TWO_FRONTS.replace(", spread = \"caller\"", "");
    let shared = scenario("shared", &[0, 100], &shared);
    assert_eq!(sent(&live(&shared, 0).0), [1, 1, 1, 1]);
}

/// The balancer of the first front dies with it, and begins its round anew: the first, the third
/// and the fifth request are of the first front. What would have gone to the second server, and
/// then to the first, goes to the first after the crash.
#[test]
fn a_balancer_dies_with_its_server() {
    let crash = format!(
        "{TWO_FRONTS}\n[[faults]]\nkind = \"crash\"\nservers = \"front/front-1\"\nat = \"150ms\"\nlasts = \"10ms\"\n"
    );
    let (tally, _) = live(&scenario("dies", &[0, 100, 200, 300], &crash), 0);
    let sent: Vec<u64> = (tally.load.servers.iter())
        .map(|server| server.sent)
        .collect();
    assert_eq!(sent, [2, 2, 3, 1]);
}

/// The share of requests that go to the first of two servers, by seconds after that is drained,
/// where the name that stands for it is kept so.
fn after_a_drain((rate, clients): (u32, u32), dns: &str, at: u32) -> impl Fn(f64, f64) -> f64 {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "{}s"
warmup = "0s"
[[clients]]
arrivals = {{ kind = "poisson", rate = "{rate}/s" }}
population = {{ kind = "generated", count = {clients} }}
[[services]]
name = "dns"
servers = [
    {{ name = "a", slots = 1000, service = {{ kind = "constant", value = "1ms" }} }},
    {{ name = "b", slots = 1000, service = {{ kind = "constant", value = "1ms" }} }},
]
[services.balancer]
strategy = "failover"
sticky = {{ kind = "dns", ttl = "60s"{dns} }}
[[faults]]
kind = "drain"
servers = "dns/a"
at = "{at}s"
{VARIANT}"#,
        at + 120
    );
    let scenario = read_in(std::path::Path::new("."), &text);
    let (_, seen) = live(&scenario, 0);
    move |from: f64, to: f64| {
        let time = |after: f64| Time::ZERO + Span::from_seconds(f64::from(at) + after);
        let within = (seen.0.iter()).filter(|own| own.0 >= time(from) && own.0 < time(to));
        let old: Vec<bool> = within.map(|own| own.2 == Some(0)).collect();
        old.iter().filter(|&&old| old).count() as f64 / old.len() as f64
    }
}

/// Resolvers that are asked all the time have answers of any age: t seconds after the drain 1 -
/// t/60 of the traffic still comes (theory.json: dns-60-15), over the minute half of it. Each is
/// asked four times a second, so that it is without an answer for 0.4% of the time. Of 500 uniform
/// ages the mean has a standard deviation of 0.013, and a share of a quarter one of 0.019: five of
/// them are allowed (false alarms: one in a million; the seed is fixed).
#[test]
fn traffic_decays_as_answers_run_out() {
    let share = after_a_drain((2000, 20_000), ", resolvers = 500", 100);
    assert_eq!(share(-60.0, 0.0), 1.0);
    assert!((share(0.0, 60.0) - 0.5).abs() < 0.07);
    assert!((share(14.0, 16.0) - 0.75).abs() < 0.1);
    assert_eq!(share(60.5, 120.0), 0.0);
    // Who has been told of both begins with the first all the same: a drained one fails nobody.
    let share = after_a_drain((2000, 20_000), ", resolvers = 500, answers = 2", 100);
    assert_eq!(share(-60.0, 0.0), 1.0);
    assert!((share(0.0, 60.0) - 0.5).abs() < 0.07);
    assert!((share(14.0, 16.0) - 0.75).abs() < 0.1);
    assert_eq!(share(60.5, 120.0), 0.0);
}

/// Clients that keep answers themselves, from the request on for which they had none, and ask every
/// ten seconds: in a cycle of TTL + 1/r they have a valid one for TTL. So (60 - t) / 70 have one t
/// seconds after the drain (theory.json: dns-demand-60-0.1-0 and -30), once all have been through
/// so many cycles that nobody knows where they are. A request finds a valid answer as often as a
/// client has one; shares of some 1,000 requests: standard deviations of 0.012 and 0.016, five of
/// them.
#[test]
fn clients_that_ask_seldom_have_answers_less_often() {
    let share = after_a_drain((200, 2000), "", 1500);
    assert!((share(0.0, 5.0) - 57.5 / 70.0).abs() < 0.06);
    assert!((share(27.5, 32.5) - 30.0 / 70.0).abs() < 0.08);
    assert_eq!(share(60.5, 120.0), 0.0);
}

/// One client, one request after the other, at a balancer of layer 4 that picks in turn.
fn on_connections(test: &str, times: &[u32], sticky: &str, more: &str) -> (Tally, Vec<u32>) {
    let text = format!(
        r#"
[[clients]]
arrivals = TRACED
[[services]]
name = "web"
servers = [{{ name = "web", count = 3, slots = 5, service = {{ kind = "constant", value = "10ms" }} }}]
[services.balancer]
strategy = {{ kind = "round-robin", start = "first" }}
sticky = {{ kind = "connection"{sticky} }}
{more}
"#
    );
    let (tally, seen) = live(&scenario(test, times, &text), 0);
    let servers = servers(&seen);
    (tally, servers)
}

#[test]
fn a_connection_carries_so_many_requests() {
    let times: Vec<u32> = (0..7).map(|number| number * 20).collect();
    let (tally, servers) = on_connections("carries", &times, ", requests = 3", "");
    assert_eq!(servers, [0, 0, 0, 1, 1, 1, 2]);
    assert_eq!(tally.connections, Some(3));
    let (tally, servers) = on_connections("for-ever", &times, "", "");
    assert_eq!((servers, tally.connections), (vec![0; 7], Some(1)));
}

/// The second request finds the connection in use, and opens another, on which the third goes too:
/// the one opened last is used first. Where two go on one at once, one connection does for all.
#[test]
fn who_finds_its_connections_in_use_opens_another() {
    let times = [0, 5, 30, 31];
    let (tally, servers) = on_connections("in-use", &times, "", "");
    assert_eq!((servers, tally.connections), (vec![0, 1, 1, 0], Some(2)));
    let (tally, servers) = on_connections("multiplexed", &times, ", at-once = 2", "");
    assert_eq!((servers, tally.connections), (vec![0; 4], Some(1)));
}

/// Idle from 10 on, used again at 100 and idle from 110 on: 150 ms later, at 260, it is closed.
#[test]
fn idle_and_old_connections_are_closed() {
    let (_, servers) = on_connections("idle", &[0, 100, 255, 500], ", idle = \"150ms\"", "");
    assert_eq!(servers, [0, 0, 0, 1]);
    // At 95 it is in use, and takes no more: the next one opens another.
    let old = ", max-age = \"95ms\", jitter = \"0%\"";
    let (_, servers) = on_connections("old", &[0, 90, 96, 180, 200], old, "");
    assert_eq!(servers, [0, 0, 1, 1, 2]);
}

/// A new connection takes 4 ms to open, and 6 ms of the server's work at speed 100%: 12 at 50%.
#[test]
fn opening_takes_time_and_work() {
    let text = r#"
[[clients]]
arrivals = TRACED
[[services]]
name = "web"
servers = [{ speed = "50%", service = { kind = "constant", value = "10ms" } }]
[services.balancer]
sticky = { kind = "connection", opening = { kind = "constant", value = "4ms" }, handshake = { kind = "constant", value = "6ms" } }
"#;
    let (_, seen) = live(&scenario("opening", &[0, 100], text), 0);
    assert_eq!(took(&seen), [4.0 + 12.0 + 20.0, 20.0]);
    let resumed = text.replace("sticky = { ", "sticky = { resumed = \"100%\", ");
    let (_, seen) = live(&scenario("resumed", &[0, 100], &resumed), 0);
    assert_eq!(took(&seen), [24.0, 20.0]);
}

/// Of the attempts at the program, which is reached without a connection, none takes as long as
/// that at the database whose place it has: each time 1 ms of its own, 4 until a connection is
/// open, and 10 there.
#[test]
fn who_needs_no_connection_waits_for_none() {
    let text = r#"
[[clients]]
arrivals = TRACED
[[services]]
name = "api"
servers = [{ slots = 9, service = { kind = "constant", value = "1ms" }, steps = [{ call = "db" }] }]
[[services]]
name = "db"
servers = [{ slots = 9, service = { kind = "constant", value = "10ms" } }]
[services.balancer]
sticky = { kind = "connection", requests = 1, opening = { kind = "constant", value = "4ms" } }
"#;
    let (_, seen) = live(&scenario("needs-none", &[0, 100, 110, 200], text), 0);
    assert_eq!(took(&seen), [15.0; 4]);
}

/// The connection to the first server breaks when that dies: the request on it fails, for a
/// balancer of layer 4 does not know it. The next opens another; the one after a crash while nobody
/// asked, too: what comes to nothing may be tried elsewhere.
#[test]
fn connections_break_with_their_server() {
    let crash = |at: &str| {
        format!(
            "retry = {{ max = 2 }}\n[[faults]]\nkind = \"crash\"\nservers = \"web/web-1\"\nat = \"{at}\"\nlasts = \"1s\"\n"
        )
    };
    let text = |at: &str| {
        format!(
            "[[clients]]\narrivals = TRACED\n[[services]]\nname = \"web\"\nservers = [{{ name = \"web\", count = 3, service = {{ kind = \"constant\", value = \"10ms\" }} }}]\n\
             [services.balancer]\nstrategy = \"failover\"\nsticky = {{ kind = \"connection\" }}\n{}",
            crash(at)
        )
    };
    let (tally, seen) = live(&scenario("broken", &[0, 20, 50], &text("25ms")), 0);
    let servers: Vec<Option<u32>> = seen.0.iter().map(|own| own.2).collect();
    assert_eq!(servers, [Some(0), None, Some(1)]);
    assert_eq!(tally.failed.iter().sum::<u64>(), 1);
    let (tally, seen) = live(&scenario("broken-idle", &[0, 20, 50], &text("15ms")), 0);
    let servers: Vec<Option<u32>> = seen.0.iter().map(|own| own.2).collect();
    assert_eq!(servers, [Some(0), Some(1), Some(1)]);
    // The first to it came to nothing.
    assert_eq!((tally.connections, tally.attempts), (Some(3), 4));
}

/// What a balancer of layer 4 counts are connections: of two clients the first has one to the first
/// server, and the second opens one to the second, though nothing is under way.
#[test]
fn connections_are_counted() {
    let text = r#"
[[clients]]
name = "one"
arrivals = TRACED
[[clients]]
name = "two"
arrivals = TRACED
[[services]]
name = "web"
servers = [{ name = "web", count = 2, slots = 2, service = { kind = "constant", value = "10ms" } }]
[services.balancer]
strategy = "least-connections"
sticky = { kind = "connection" }
"#;
    let (tally, _) = live(&scenario("counted", &[0, 100, 200], text), 0);
    let sent: Vec<u64> = (tally.load.servers.iter())
        .map(|server| server.sent)
        .collect();
    assert_eq!((sent, tally.connections), (vec![3, 3], Some(2)));
}

/// The second request goes on the connection that is being opened, and cannot leave before it is
/// open, at 100: 50 ms after that it is answered.
#[test]
fn who_boards_a_connection_waits_until_it_is_open() {
    let text = r#"
[[clients]]
arrivals = TRACED
[[services]]
name = "web"
servers = [{ slots = 9, service = { kind = "constant", value = "50ms" } }]
[services.balancer]
sticky = { kind = "connection", at-once = 100, opening = { kind = "constant", value = "100ms" } }
"#;
    let (_, seen) = live(&scenario("boards", &[0, 10, 120], text), 0);
    assert_eq!(took(&seen), [150.0, 140.0, 50.0]);
}

/// Eight of ten servers join at 5 s: until then each balancer's two are those that are there, and
/// nobody is refused.
#[test]
fn subsets_are_of_those_who_are_there() {
    let times: Vec<u32> = (0..40).map(|number| number * 200).collect();
    let text = r#"
[[clients]]
arrivals = TRACED
[[services]]
name = "web"
servers = [
    { name = "old", count = 2, slots = 9, service = { kind = "constant", value = "10ms" } },
    { name = "new", count = 8, slots = 9, joins = "5s", service = { kind = "constant", value = "10ms" } },
]
[services.balancer]
strategy = "random"
instances = 4
subset = { size = 2 }
"#;
    for replication in 0..5 {
        let (tally, _) = live(&scenario("there", &times, text), replication);
        assert_eq!(tally.failed.iter().sum::<u64>(), 0);
    }
}

/// The name of a server that has left: whoever has it finds nobody there until its answer has run
/// out, at 4 s; new answers are of the other.
#[test]
fn a_name_outlives_the_server_that_it_stood_for() {
    let text = r#"
[[clients]]
arrivals = TRACED
[[services]]
name = "dns"
servers = [
    { name = "a", leaves = "2s", service = { kind = "constant", value = "10ms" } },
    { name = "b", service = { kind = "constant", value = "10ms" } },
]
[services.balancer]
strategy = "failover"
sticky = { kind = "dns", ttl = "4s" }
"#;
    let (_, seen) = live(&scenario("outlives", &[0, 1000, 3000, 4100, 5000], text), 0);
    let servers: Vec<Option<u32>> = seen.0.iter().map(|own| own.2).collect();
    assert_eq!(servers, [Some(0), Some(0), None, Some(1), Some(1)]);
}

/// Who asks whom where the nearest is picked is known beforehand: 200 a second go to the one
/// region, and 10 to the other.
#[test]
fn what_regions_are_asked_follows_from_who_is_near() {
    let clients = |zone: &str, rate: u32| {
        format!(
            "[[clients]]\nname = \"{zone}\"\nzone = \"{zone}\"\narrivals = {{ kind = \"poisson\", rate = \"{rate}/s\" }}\n"
        )
    };
    let region = |zone: &str| {
        format!(
            "{{ name = \"{zone}\", zone = \"{zone}\", service = {{ kind = \"constant\", value = \"0ms\" }}, routes = [{{ to = \"web-{zone}\" }}] }},\n"
        )
    };
    let web = |zone: &str| {
        format!(
            "[[services]]\nname = \"web-{zone}\"\nservers = [{{ slots = 9, service = {{ kind = \"constant\", value = \"10ms\" }} }}]\n"
        )
    };
    let text = format!(
        "[[network.ways]]\nfrom = \"a\"\nto = \"b\"\ntakes = {{ kind = \"constant\", value = \"40ms\" }}\n{}{}[[services]]\nname = \"dns\"\nservers = [\n{}{}]\n[services.balancer]\nstrategy = \"nearest\"\nspread = \"caller\"\n{}{}",
        clients("a", 200),
        clients("b", 10),
        region("a"),
        region("b"),
        web("a"),
        web("b"),
    );
    let scenario = scenario("near", &[0], &text);
    let plan = &scenario.variants[0].blueprint;
    assert_eq!((plan.rate(1), plan.rate(2)), (Some(200.0), Some(10.0)));
}

/// There by one way and back by another: 1000 + 10 + 40 ms for a client; and the same for what a
/// server calls.
#[test]
fn an_answer_takes_its_own_way_back() {
    let ways = "[[network.ways]]\nfrom = 'eu'\nto = 'us'\ntakes = { kind = 'constant', value = '40ms' }\n\
        [[network.ways]]\nfrom = 'us'\nto = 'eu'\ntakes = { kind = 'constant', value = '1s' }\n";
    let run = "question = '?'\nexpect = '!'\n[run]\nduration = '100s'\nreplications = 2\ncompare = ['random']\n";
    let work = "service = { kind = 'constant', value = '10ms' }";
    let client = format!(
        "{run}{ways}[[clients]]\nzone = 'us'\narrivals = {{ kind = 'poisson', rate = '1/s' }}\n\
         [[services]]\nname = 'web'\nbalancer = {{ zones = ['eu'] }}\nservers = [{{ slots = 99, {work} }}]\n"
    );
    let server = format!(
        "{run}{ways}[[clients]]\narrivals = {{ kind = 'poisson', rate = '1/s' }}\n\
         [[services]]\nname = 'web'\nservers = [{{ slots = 99, zone = 'us', service = {{ kind = 'constant', value = '0s' }} }}]\n\
         steps = [{{ call = 'db' }}]\n\
         [[services]]\nname = 'db'\nbalancer = {{ zones = ['eu'] }}\nservers = [{{ slots = 99, {work} }}]\n"
    );
    for text in [client, server] {
        let scenario = Scenario::from_text("ways.toml", &text).unwrap();
        let report = lbsim::Experiment::new(scenario).run().unwrap();
        let mean = report.estimate("random", "mean_ms").unwrap();
        assert!((mean - 1050.0).abs() < 1e-6, "{mean}");
    }
}

/// A thousand requests a second at 1 a million, of which ten are good: 3.6 an hour.
#[test]
fn a_flood_costs_as_much_as_anybody() {
    let text = "question = '?'\nexpect = '!'\n[run]\nduration = '60s'\nreplications = 2\ncompare = ['random']\n\
        [[clients]]\nname = 'good'\narrivals = { kind = 'constant', rate = '10/s' }\n\
        [[clients]]\nname = 'bad'\nhostile = true\narrivals = { kind = 'constant', rate = '990/s' }\n\
        [[services]]\nname = 'web'\n[[services.servers]]\nslots = 99\ncost-per-million = 1\n\
        service = { kind = 'constant', value = '1ms' }\n";
    let scenario = Scenario::from_text("flood.toml", text).unwrap();
    let report = lbsim::Experiment::new(scenario).run().unwrap();
    let cost = report.estimate("random", "cost_per_hour").unwrap();
    assert!((cost - 3.6).abs() < 0.001, "{cost}");
}
