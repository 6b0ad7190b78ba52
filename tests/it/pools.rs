//! Limits of connections, connections that are opened ahead, and requests that wait for one: worked
//! out by hand, and against Erlang's loss formula.

use std::fs;

use lbsim::model;
use lbsim::observe::{Cause, Ended, Tally, Witness, laws};
use lbsim::scenario::Scenario;
use lbsim::theory::{Mmk, erlang_b};

use crate::support::{mean_and_error, read_in, scratch};

/// Each request that has ended, in the order in which they came: its server, and its response time
/// in milliseconds where it was answered.
#[derive(Default)]
struct Answers(Vec<(u64, Option<u32>, Option<f64>)>);

impl Witness for Answers {
    fn ended(&mut self, ended: &Ended) {
        let took = (ended.response_time.seconds() * 1e9).round() / 1e6;
        let took = ended.failed.is_none().then_some(took);
        (self.0).push((ended.arrived.nanos(), ended.server, took));
    }
}

const CLIENTS: &str = r#"[[clients]]
arrivals = { kind = "trace", file = "trace.csv", columns = { time = "at", time-unit = "ms", client = "client" } }
"#;

const HEAD: &str = "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"10s\"\nwarmup = \"0s\"\n";

/// Requests at these times, in milliseconds, by these clients; services as the text has them.
fn live(test: &str, asked: &[(u32, char)], services: &str) -> (Tally, Answers) {
    let place = scratch(&format!("pools-{test}"));
    let rows: String = (asked.iter())
        .map(|(at, client)| format!("{at},{client}\n"))
        .collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    let text = format!("{HEAD}{CLIENTS}{services}\n[[variants]]\nname = \"it\"\n");
    let scenario = read_in(&place, &text);
    let mut seen = Answers::default();
    let tally = model::run_witnessed(&scenario.variants[0].blueprint, 3, 0, &mut seen);
    assert_eq!(laws::violations(&tally), []);
    seen.0.sort_by_key(|&(arrived, ..)| arrived);
    (tally, seen)
}

/// What the requests took, in milliseconds; `None` for those that failed.
fn took(seen: &Answers) -> Vec<Option<f64>> {
    seen.0.iter().map(|&(.., took)| took).collect()
}

/// Two servers of nine slots, 10 ms a request.
fn web(sticky: &str, balancer: &str) -> String {
    format!(
        r#"[[services]]
name = "web"
servers = [{{ name = "web", count = 2, slots = 9, service = {{ kind = "constant", value = "10ms" }} }}]
[services.balancer]
strategy = "least-connections"
sticky = {{ kind = "connection"{sticky} }}
{balancer}
"#
    )
}

const TWO: &str = "limit = { by = { kind = \"fixed\", requests = 2 } }";

/// The connections of a and b are idle, and hold their places all the same: that of a until 110,
/// that of b, which is used again at 114, until 115.
#[test]
fn a_connection_holds_its_place_while_it_is_idle() {
    let asked = [
        (0, 'a'),
        (5, 'b'),
        (20, 'c'),
        (111, 'c'),
        (112, 'a'),
        (114, 'b'),
    ];
    let (tally, seen) = live("idle", &asked, &web(", idle = \"100ms\"", TWO));
    let fine = Some(10.0);
    assert_eq!(took(&seen), [fine, fine, None, fine, None, fine]);
    assert_eq!(tally.failed[Cause::Limited as usize], 2);
    assert_eq!(tally.connections, Some(3));
    // For ever, where nothing closes it.
    let (_, seen) = live("for-ever", &asked, &web("", TWO));
    assert_eq!(took(&seen), [fine, fine, None, None, fine, fine]);
}

/// Who waits is let in when another's connection is closed, at 110, if that is soon enough; or goes
/// on its own that is free before, at 10, though that leaves no place.
#[test]
fn who_waits_takes_a_place_or_a_connection_of_its_own() {
    let waits = TWO.replace(" } }", " }, when-full = \"wait\" }");
    let asked = [(0, 'a'), (5, 'b'), (20, 'c')];
    let idle = ", idle = \"100ms\"";
    let (_, seen) = live("waits", &asked, &web(idle, &waits));
    assert_eq!(took(&seen), [Some(10.0), Some(10.0), Some(100.0)]);
    let hasty = format!("{waits}\nqueue-timeout = \"50ms\"");
    let (tally, seen) = live("hasty", &asked, &web(idle, &hasty));
    assert_eq!(took(&seen), [Some(10.0), Some(10.0), None]);
    assert_eq!(tally.failed[Cause::Limited as usize], 1);
    let asked = [(0, 'a'), (1, 'b'), (5, 'a'), (6, 'b')];
    let (tally, seen) = live("own", &asked, &web("", &waits));
    assert_eq!(
        took(&seen),
        [Some(10.0), Some(10.0), Some(15.0), Some(15.0)]
    );
    assert_eq!(tally.connections, Some(2));
}

#[test]
fn each_client_has_so_many_connections() {
    let limit = "client-limit = { by = { kind = \"fixed\", requests = 1 }, per = \"client\" }";
    let asked = [(0, 'a'), (5, 'a'), (6, 'b'), (20, 'a')];
    let (_, seen) = live("each", &asked, &web("", limit));
    let fine = Some(10.0);
    assert_eq!(took(&seen), [fine, None, fine, fine]);
}

/// One connection to each of two servers: the third client finds none, or waits until that of a is
/// closed, at 110, and has its server.
#[test]
fn each_server_has_so_many_connections() {
    let limit = "server-limit = { by = { kind = \"fixed\", requests = 1 } }";
    let asked = [(0, 'a'), (5, 'b'), (20, 'c')];
    let idle = ", idle = \"100ms\"";
    let (tally, seen) = live("servers", &asked, &web(idle, limit));
    assert_eq!(took(&seen), [Some(10.0), Some(10.0), None]);
    assert_eq!(tally.failed[Cause::Limited as usize], 1);
    let waits = limit.replace(" } }", " }, when-full = \"wait\" }");
    let (_, seen) = live("servers-wait", &asked, &web(idle, &waits));
    assert_eq!(took(&seen), [Some(10.0), Some(10.0), Some(100.0)]);
    assert_eq!(seen.0[2].1, seen.0[0].1);
    // Its own is free at 15.
    let asked = [(0, 'a'), (5, 'b'), (8, 'b')];
    let (_, seen) = live("servers-own", &asked, &web("", &waits));
    assert_eq!(took(&seen), [Some(10.0), Some(10.0), Some(17.0)]);
}

/// What five runs of 2,000 s come to, of Poisson arrivals of one client.
fn five_runs(services: &str, of: impl Fn(&Tally) -> f64) -> (f64, f64) {
    let head = (HEAD.replace("\"10s\"", "\"2100s\"")).replace("\"0s\"", "\"100s\"");
    let clients = "[[clients]]\narrivals = { kind = \"poisson\", rate = \"16/s\" }\npopulation = { kind = \"generated\", count = 1 }\n";
    let text = format!("{head}{clients}{services}\n[[variants]]\nname = \"it\"\n");
    let scenario = Scenario::from_text("test.toml", &text).unwrap();
    let figures: Vec<f64> = (0..5)
        .map(|replication| {
            let tally = model::run(&scenario.variants[0].blueprint, 3, replication);
            assert_eq!(laws::violations(&tally), []);
            of(&tally)
        })
        .collect();
    mean_and_error(&figures)
}

/// Of connections that carry one request each, so many at once: Erlang's loss system, M/D/20/20 at
/// an offered load of 16, of which Erlang B refuses 6.44%, whatever the law of service. Five runs
/// of 32,000 requests are within four standard errors of it, which are 0.6 points at most.
#[test]
fn refused_connections_are_as_many_as_erlang_says() {
    let services = r#"[[services]]
name = "web"
servers = [{ slots = 100, service = { kind = "constant", value = "1s" } }]
[services.balancer]
sticky = { kind = "connection", requests = 1 }
limit = { by = { kind = "fixed", requests = 20 } }
"#;
    let (mean, error) = five_runs(services, |tally| {
        tally.failed[Cause::Limited as usize] as f64 / tally.requests as f64
    });
    let exact = erlang_b(16.0, 20);
    assert!((mean - exact).abs() < 4.0 * error, "{mean} {error} {exact}");
    assert!(error < 0.0015, "{error}");
}

/// A pool of five connections at an offered load of 16/s times 250 ms: M/M/5, whose requests wait
/// for a connection as they would for a slot. Five runs are within four standard errors of its mean
/// response time, 389 ms, which are 40 ms at most.
#[test]
fn who_waits_in_a_pool_waits_as_long_as_erlang_says() {
    let services = r#"[[services]]
name = "web"
servers = [{ slots = 100, service = { kind = "exponential", mean = "250ms" } }]
[services.balancer]
sticky = { kind = "connection", max-connections = 5 }
"#;
    let (mean, error) = five_runs(services, |tally| tally.latency.mean().unwrap());
    let pool = Mmk {
        arrival_rate: 16.0,
        service_rate: 4.0,
        slots: 5,
    };
    let exact = pool.mean_response();
    assert!((mean - exact).abs() < 4.0 * error, "{mean} {error} {exact}");
    assert!(error < 0.01, "{error}");
}

/// One connection: the second request waits until 10, the third until 20. Two: the third waits for
/// the first to be free. Where one carries two at once, or is closed after each, alike.
#[test]
fn requests_wait_for_a_connection_of_their_caller() {
    let asked = [(0, 'a'), (2, 'a'), (4, 'a')];
    let of = |test: &str, sticky: &str, more: &str| {
        let (tally, seen) = live(test, &asked, &web(sticky, more));
        let took: Vec<f64> = (took(&seen).into_iter())
            .map(|took| took.unwrap_or(-1.0))
            .collect();
        (took, tally.connections.unwrap())
    };
    let one = ", max-connections = 1";
    assert_eq!(of("one", one, ""), (vec![10.0, 18.0, 26.0], 1));
    let two = ", max-connections = 2";
    assert_eq!(of("two", two, ""), (vec![10.0, 10.0, 16.0], 2));
    let streams = ", max-connections = 1, at-once = 2";
    assert_eq!(of("streams", streams, ""), (vec![10.0, 10.0, 16.0], 1));
    let once = ", max-connections = 1, requests = 1";
    assert_eq!(of("once", once, ""), (vec![10.0, 18.0, 26.0], 3));
    let hasty = "queue-timeout = \"9ms\"";
    assert_eq!(of("pool-hasty", one, hasty), (vec![10.0, 18.0, -1.0], 1));
    // Each caller has its own.
    let asked = [(0, 'a'), (2, 'b')];
    let (_, seen) = live("others", &asked, &web(one, ""));
    assert_eq!(took(&seen), [Some(10.0), Some(10.0)]);
}

/// One slot at half the speed: 20 ms a request; a connection takes 4 ms to open, and 12 ms of the
/// server's work.
fn slow(sticky: &str, more: &str) -> String {
    format!(
        r#"[[services]]
name = "web"
servers = [{{ name = "web", speed = "50%", service = {{ kind = "constant", value = "10ms" }} }}]
[services.balancer]
sticky = {{ kind = "connection", opening = {{ kind = "constant", value = "4ms" }}, handshake = {{ kind = "constant", value = "6ms" }}{sticky} }}
{more}
"#
    )
}

/// The request of another client, which was there first, is worked on from 4 to 36. The connection
/// that was opened ahead is there when its handshake is done, at 48. Before that a request opens
/// another, and has its own handshake and work behind that; or waits for that one, where there may
/// be no other.
#[test]
fn connections_are_opened_ahead() {
    let second = |test: &str, at: u32, sticky: &str| {
        let (tally, seen) = live(test, &[(0, 'z'), (at, 'a')], &slow(sticky, ""));
        assert_eq!(took(&seen)[0], Some(36.0));
        (took(&seen)[1].unwrap(), tally.connections.unwrap())
    };
    let ahead = ", preconnect = 1";
    assert_eq!(second("cold", 100, ""), (36.0, 2));
    assert_eq!(second("warm", 100, ahead), (20.0, 2));
    assert_eq!(second("lukewarm", 10, ahead), (38.0 + 12.0 + 20.0, 3));
    let only = ", preconnect = 1, max-connections = 1";
    assert_eq!(second("only", 10, only), (38.0 + 20.0, 2));
}

/// One that closes is opened anew: by its age at 50, so that at 90 there is one. Being idle closes
/// none of these, two for each client.
#[test]
fn connections_opened_ahead_are_replaced() {
    let old = ", preconnect = 1, max-age = \"50ms\", jitter = \"0%\"";
    let (_, seen) = live("replaced", &[(0, 'z'), (90, 'a')], &slow(old, ""));
    assert_eq!(took(&seen)[1], Some(20.0));
    let idle = ", preconnect = 2, idle = \"50ms\"";
    let (tally, seen) = live("never-idle", &[(0, 'z'), (5000, 'a')], &slow(idle, ""));
    assert_eq!((took(&seen)[1], tally.connections), (Some(20.0), Some(4)));
}

/// The server is away from 50 to 550: the connections of both clients break, those that are to
/// replace them come to nothing at 54, and the next are tried a second later.
#[test]
fn who_opens_ahead_in_vain_tries_again() {
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"web/web\"\nat = \"50ms\"\nlasts = \"500ms\"\nanswers = \"refuse\"\n";
    let asked = [(0, 'z'), (600, 'a'), (2000, 'a')];
    let sticky = ", preconnect = 1, requests = 100";
    let (tally, seen) = live("in-vain", &[asked[0], asked[2]], &slow(sticky, crash));
    assert_eq!((took(&seen)[1], tally.connections), (Some(20.0), Some(6)));
    // At 600 there is none yet; that of the request will do.
    let (tally, seen) = live("meanwhile", &asked, &slow(sticky, crash));
    assert_eq!(took(&seen)[1..], [Some(36.0), Some(20.0)]);
    assert_eq!(tally.connections, Some(6));
}

/// A server that joins at 2 s opens its connections then, and its first call finds one. The first
/// of the other does not, after 1 ms: it has four then.
#[test]
fn a_server_that_joins_opens_its_connections() {
    let of = |test: &str, sticky: &str| {
        let services = format!(
            r#"[[services]]
name = "api"
balancer = {{ strategy = {{ kind = "round-robin", start = "first" }} }}
[[services.servers]]
name = "old"
slots = 9
service = {{ kind = "constant", value = "1ms" }}
steps = [{{ call = "db" }}]
[[services.servers]]
name = "new"
slots = 9
joins = "2s"
service = {{ kind = "constant", value = "1ms" }}
steps = [{{ call = "db" }}]
[[services]]
name = "db"
servers = [{{ slots = 99, service = {{ kind = "constant", value = "10ms" }} }}]
[services.balancer]
sticky = {{ kind = "connection", opening = {{ kind = "constant", value = "4ms" }}{sticky} }}
"#
        );
        let (tally, seen) = live(test, &[(0, 'a'), (2100, 'a'), (2200, 'a')], &services);
        (took(&seen)[1..].to_vec(), tally.connections.unwrap())
    };
    assert_eq!(of("joins-cold", ""), (vec![Some(15.0), Some(11.0)], 2));
    let ahead = ", preconnect = 3";
    assert_eq!(of("joins", ahead), (vec![Some(11.0), Some(11.0)], 7));
}

/// What is opened ahead has its place at the limit: the first client has both, and others find
/// none.
#[test]
fn connections_opened_ahead_have_places() {
    let sticky = ", preconnect = 2";
    let asked = [(0, 'a'), (10, 'b'), (11, 'c')];
    let (tally, seen) = live("ahead-limit", &asked, &web(sticky, TWO));
    let fine = Some(10.0);
    assert_eq!(took(&seen), [fine, None, None]);
    assert_eq!(tally.connections, Some(2));
}

#[test]
fn what_cannot_be_of_connections_is_refused() {
    let refused = |sticky: &str, balancer: &str| {
        let clients = "[[clients]]\narrivals = { kind = \"poisson\", rate = \"1/s\" }\n";
        let services = web(sticky, balancer);
        let text = format!("{HEAD}{clients}{services}\n[[variants]]\nname = \"it\"\n");
        Scenario::from_text("test.toml", &text)
            .unwrap_err()
            .to_string()
    };
    let text = refused(", preconnect = 5, max-connections = 4", "");
    assert!(
        text.contains("5 are more than `max-connections`, 4"),
        "{text}"
    );
    let text = refused("", "limit = { by = { kind = \"aimd\" } }");
    assert!(text.contains("says nothing of the load"), "{text}");
    let text = refused(
        "",
        "connections = { by = { kind = \"fixed\", requests = 1 } }",
    );
    assert!(text.contains("`connections` is about requests"), "{text}");
    let text = refused(", max-conections = 4", "");
    assert!(text.contains("max-connections"), "{text}");
}
