//! Worlds in which something once went wrong: `tests/cases` holds them, and what is right stands in
//! their `expect`.

use std::path::Path;
use std::time::Instant;

use lbsim::model::{self, Stopped};
use lbsim::observe::laws::violations;
use lbsim::observe::{Cause, Ended, Loss, Tally};
use lbsim::scenario::{Rejected, Scenario};

use crate::support::{files, lbsim, scratch, stderr};

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    std::fs::read_to_string(path.join(name)).unwrap()
}

fn parse(text: &str) -> Result<Scenario, Box<Rejected>> {
    Scenario::parse(Path::new("case.toml"), text, &[])
}

#[track_caller]
fn live(text: &str) -> Tally {
    let scenario = parse(text).unwrap_or_else(|rejected| panic!("{rejected}"));
    let tally = model::run(&scenario.variants[0].blueprint, scenario.seed, 0);
    assert_eq!(violations(&tally), []);
    tally
}

/// All requests of the first replication, in the order of their ends.
fn requests(text: &str) -> Vec<Ended> {
    let scenario = parse(text).unwrap_or_else(|rejected| panic!("{rejected}"));
    let mut all = Vec::new();
    let mut witness = |request: &Ended| all.push(*request);
    model::run_witnessed(
        &scenario.variants[0].blueprint,
        scenario.seed,
        0,
        &mut witness,
    );
    all
}

/// A service of two servers with these settings, asked 100 times a second, and what else a scenario
/// has.
fn world(strategy: &str, balancer: &str, rest: &str) -> String {
    format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "40s"
warmup = "0s"
replications = 1
compare = [{strategy}]
[[clients]]
arrivals = {{ kind = "poisson", rate = "100/s" }}
population = {{ kind = "generated", count = 50 }}
sessions = {{ idle = "3s" }}
[[services]]
name = "web"
[services.balancer]
{balancer}
[[services.servers]]
count = 2
service = {{ kind = "exponential", mean = "2ms" }}
{rest}
"#
    )
}

#[test]
fn thousands_who_wait_are_sent_to_a_dead_server_one_by_one() {
    let tally = live(&text("queue-meets-dead-server.toml"));
    assert!(tally.failed[Cause::Crash as usize] > 5_000);
    assert_eq!(tally.unfinished, 0);
}

/// Under `last come` each timeout cancels a request deep in the queue; under sharing one among
/// thousands. It must not cost a walk: 0.3 s where it was 7 s.
#[test]
fn cancelled_work_leaves_in_no_time() {
    let lifo = text("cancelled-work-lifo.toml");
    let seconds = |text: &str| {
        let begun = Instant::now();
        live(text);
        begun.elapsed().as_secs_f64()
    };
    let usual = seconds(&lifo.replace("\"lifo\"", "\"fifo\""));
    for text in [lifo.replace("\"lifo\"", "\"processor-sharing\""), lifo] {
        let taken = seconds(&text);
        assert!(taken < 10.0 * usual + 0.5, "{taken} s for {usual} s");
    }
}

#[test]
fn an_attempt_fails_once() {
    let tally = live(&text("counted-twice.toml"));
    assert_eq!((tally.attempts, tally.load.servers[0].failed), (1000, 1000));
}

#[test]
fn a_shared_server_says_what_it_took() {
    let case = text("shared-server-service-time.toml");
    let fifo = requests(&case.replace("processor-sharing", "fifo"));
    let shared = requests(&case);
    for (shared, fifo) in shared.iter().zip(&fifo) {
        assert_eq!(shared.service_time, fifo.service_time);
        assert!(shared.waited.is_zero() && fifo.waited.is_zero());
    }
    assert_eq!(shared.last().unwrap().service_time.nanos(), 2_500_000);
}

#[test]
fn no_file_says_nan() {
    let place = scratch("no-nan");
    std::fs::write(place.join("zero.toml"), text("zero-service.toml")).unwrap();
    let output = lbsim(&place, &["run", "zero.toml"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("NaN"));
    for (path, bytes) in files(&place.join("results")) {
        if path.extension().is_some_and(|ending| ending != "png") {
            let said = String::from_utf8_lossy(&bytes);
            // The scripts of a page know the word.
            let said = said.split("</script>").next().unwrap_or(&said);
            assert!(!said.contains("NaN") && !said.contains("inf,"), "{path:?}");
        }
    }
}

#[test]
fn time_that_would_stand_still_is_refused_or_stopped() {
    let case = text("load-test-meets-dead-server.toml");
    let refused = parse(&case).expect_err("time stands still").to_string();
    assert!(
        refused.contains("time-stands-still") && refused.contains("think"),
        "{refused}"
    );
    // A nanosecond, to think or on the way, is no way round: a second would be a thousand million
    // of requests.
    for short in ["1ns", "999ns"] {
        let refused = parse(&case.replace("\"0s\" }", &format!("\"{short}\" }}")));
        let refused = refused.expect_err(short).to_string();
        assert!(refused.contains("time-stands-still"), "{refused}");
    }
    let way = "[network.client-to-balancer]\nkind = \"constant\"\nvalue = \"1ns\"\n";
    assert!(parse(&format!("{case}\n{way}")).is_err());
    for long in ["1us", "1ms"] {
        assert!(parse(&case.replace("\"0s\" }", &format!("\"{long}\" }}"))).is_ok());
    }
    // Nobody left to ask: the check does not see it, the run does, and can be interrupted before.
    let drained = case
        .replace("\"crash\"", "\"drain\"")
        .replace("web/server-1", "web");
    let scenario = parse(&drained).unwrap_or_else(|rejected| panic!("{rejected}"));
    let plan = &scenario.variants[0].blueprint;
    let lived = |watch: &mut dyn FnMut(u64) -> bool| model::run_watched(plan, 1, 0, None, watch);
    match lived(&mut |_| true) {
        Err(Stopped::StandsStill { at, events }) => {
            // Those whose answers are under way ask first after the drain, of which one ends
            // within 5 ms on average.
            let moment = 1.0..1.1;
            assert!(
                moment.contains(&at.seconds()) && events > 1_000_000,
                "{at} {events}"
            );
        }
        other => panic!("{:?}", other.map(|tally| tally.requests)),
    }
    let mut calls = 0;
    let interrupted = lived(&mut |_| {
        calls += 1;
        calls < 34
    });
    assert_eq!(interrupted.err(), Some(Stopped::Interrupted));
}

#[test]
fn what_overlaps_holds_until_the_last_has_ended() {
    let drained = |at: f64| (2.0..9.0).contains(&at);
    let all = requests(&text("overlapping-drains.toml"));
    let at_first = all.iter().filter(|request| request.server == Some(0));
    let (out, kept): (Vec<&Ended>, Vec<&Ended>) =
        at_first.partition(|request| drained(request.arrived.seconds()));
    assert!(
        out.is_empty() && kept.len() > 250,
        "{} {}",
        out.len(),
        kept.len()
    );
    // A dead machine is a dead machine, whatever its process did before or does after.
    let fault = |at: u32, lasts: u32, how: &str| {
        format!(
            "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"{at}s\"\nlasts = \"{lasts}s\"\n{how}\n"
        )
    };
    let hang = "answers = \"hang\"";
    for faults in [
        [fault(5, 10, hang), fault(10, 10, "")],
        [fault(10, 10, ""), fault(5, 10, hang)],
    ] {
        let all = requests(&world(
            "\"random\"",
            "timeout = \"100ms\"",
            &faults.concat(),
        ));
        for request in all {
            let at = request.arrived.seconds();
            // What came in the last tenth of a second before the machine was back is dropped then.
            let expected = match at {
                5.0..14.9 => Some(Cause::Timeout),
                15.0..20.0 => Some(Cause::Crash),
                _ => request.failed,
            };
            assert_eq!(request.failed, expected, "at {at}");
        }
    }
}

#[test]
fn waits_are_of_those_who_arrived_in_the_window() {
    let case = text("wait-of-whom.toml");
    let own: Vec<f64> = requests(&case)
        .iter()
        .filter(|request| request.measured && request.failed.is_none())
        .map(|request| request.waited.seconds())
        .collect();
    let load = live(&case).load.servers[0];
    assert_eq!(load.answered, own.len() as u64);
    let mean = load.waited.seconds() / load.answered as f64;
    assert!((mean - own.iter().sum::<f64>() / own.len() as f64).abs() < 1e-9);
    assert!(mean < 0.2, "{mean} s: the warm-up's");
}

#[test]
fn what_has_not_ended_stands_in_the_timeline() {
    // Twice what they can do: half of it is under way at the end, and some at twice the end.
    for more in ["", "queue-limit = 1000000"] {
        let tally = live(&world("\"random\"", "", more).replace("\"2ms\"", "\"100ms\""));
        let stretches = tally.timeline.stretches();
        let sum: u64 = stretches.iter().map(|stretch| stretch.requests()).sum();
        assert!(tally.unfinished > 100);
        assert_eq!(sum, tally.requests);
        let unfinished: u64 = stretches.iter().map(|stretch| stretch.unfinished).sum();
        assert_eq!(unfinished, tally.unfinished);
    }
}

#[test]
fn sessions_live_by_requests_and_die_with_their_server() {
    let crash = |how: &str| {
        format!(
            "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"15s\"\nlasts = \"6s\"\n{how}\n"
        )
    };
    let sticky = |how: &str| live(&world("\"random\"", "sticky = \"cookie\"", &crash(how)));
    let (lost, finish) = (sticky(""), sticky("in-flight = \"finish\""));
    let died = |tally: &Tally| tally.sessions.whole.lost[Loss::Crash as usize];
    // 50 clients, each with a request every half second: nearly all hold a session. In 40 s some
    // 0.2% of gaps are longer than 3 s: a handful of sessions end by themselves.
    assert!(
        died(&lost) >= 45 && died(&finish) >= 45,
        "{} {}",
        died(&lost),
        died(&finish)
    );
    // A server that says nothing for a while, without losing anything: sessions go on, since their
    // clients do.
    let slow = "[[faults]]\nkind = \"slowdown\"\nservers = \"web\"\nat = \"15s\"\nlasts = \"6s\"\nspeed = \"0.01%\"\n";
    let quiet = live(&world("\"random\"", "sticky = \"cookie\"", slow));
    let usual = live(&world("\"random\"", "sticky = \"cookie\"", ""));
    assert!(
        quiet.sessions.whole.all <= usual.sessions.whole.all + 5,
        "{} {}",
        quiet.sessions.whole.all,
        usual.sessions.whole.all
    );
    // An answer that comes after its timeout is none: both servers answer in 2 ms, but its way back
    // takes too long.
    let network = "[network]\nbalancer-to-server = { kind = \"constant\", value = \"30ms\" }\n";
    let late = live(&world("\"random\"", "timeout = \"40ms\"", network));
    assert_eq!((late.sessions.whole.all, late.succeeded_count()), (0, 0));
}

#[test]
fn servers_may_answer_with_errors() {
    let errors =
        |more: &str| format!("[[faults]]\nkind = \"errors\"\nservers = \"web/server-1\"\n{more}\n");
    let count = |strategy: &str, balancer: &str, more: &str| {
        let tally = live(&world(strategy, balancer, &errors(more)));
        assert_eq!(
            tally.failed.iter().sum::<u64>(),
            tally.failed[Cause::Error as usize]
        );
        tally.failed[Cause::Error as usize] as f64 / tally.requests as f64
    };
    // A quarter of what goes to one of two. Of 4,000: four standard deviations are 2.1% (false
    // alarm 6e-5).
    let share = count("\"random\"", "", "share = \"25%\"");
    assert!((share - 0.125).abs() < 0.021, "{share}");
    // For a tenth of the run.
    let share = count("\"random\"", "", "at = \"4s\"\nlasts = \"4s\"");
    assert!((share - 0.05).abs() < 0.014, "{share}");
    assert_eq!(count("\"random\"", "", "share = \"0%\""), 0.0);
    // Balancers try again only what they are told to.
    assert!(count("\"random\"", "retry = { max = 1 }", "") > 0.45);
    let told = "retry = { max = 1, error-answers = true }";
    assert_eq!(count("\"random\"", told, ""), 0.0);
    // They who see an error as a failure turn away; others never learn.
    assert!(count("\"nginx-round-robin\"", "", "") > 0.45);
    let nginx = "{ kind = \"nginx-round-robin\", next-upstream = [\"http_500\"] }";
    assert!(count(nginx, "", "") < 0.05);
    let envoy = "{ kind = \"envoy-round-robin\", cluster = { outlier-detection = { always-eject-one-host = true }, healthy-panic-threshold = 0 } }";
    assert!(count(envoy, "", "") < 0.2);
    // A server that fails in no time draws them on: least connections sends it more than half.
    let usual = count("\"least-connections\"", "", "");
    let quick = count("\"least-connections\"", "", "takes = \"0s\"");
    assert!(quick > usual, "{quick} {usual}");
}

/// 120 requests a second for a server that does 100: what comes does not go out, and slots are not
/// as busy as if it did. All servers together have load 0.37. Weights in proportion to slots keep
/// every server up, and there the law holds.
#[test]
fn no_law_of_flow_where_one_server_is_drowned() {
    let place = scratch("drowned");
    let text = |weight: u32| {
        format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "60s"
replications = 2
compare = ["random", "weighted-random"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "480/s" }}
[[services]]
name = "web"
servers = [
    {{ name = "small", count = 3, weight = 1, service = {{ kind = "exponential", mean = "10ms" }} }},
    {{ name = "big", slots = 10, weight = {weight}, service = {{ kind = "exponential", mean = "10ms" }} }},
]
"#
        )
    };
    for (weight, due) in [(1, [false, false]), (10, [false, true])] {
        std::fs::write(place.join("drowned.toml"), text(weight)).unwrap();
        let output = lbsim(&place, &["run", "drowned.toml", "-q"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let theory = std::fs::read_to_string(place.join("results/drowned/theory.csv")).unwrap();
        let said = ["random,utilization law", "weighted-random"].map(|row| {
            let own = |line: &str| line.starts_with(row) && line.contains("utilization law");
            theory.lines().any(own)
        });
        assert_eq!(said, due, "{theory}");
    }
}
