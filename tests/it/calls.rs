//! Servers that call services: worlds computed by hand, what is refused, what is asked of whom.

use std::path::Path;

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};
use lbsim::scenario::Scenario;

use crate::support::{TRACED, read_in, traced};

/// Runs requests that arrive at `times`, in milliseconds, and take 2 ms each at `web`; `web` says
/// more of its servers and steps, `rest` has the other services.
fn live(test: &str, times: &[u32], web: &str, rest: &str) -> Tally {
    let place = traced(&format!("calls-{test}"), times);
    let scenario = read_in(
        &place,
        &format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "1s"
warmup = "0s"
compare = [{{ kind = "round-robin", start = "first" }}]
[[clients]]
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
service = {{ kind = "constant", value = "2ms" }}
{web}
{rest}
"#
        ),
    );
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// A service of one server, which takes this long.
fn service(name: &str, takes: &str) -> String {
    format!(
        "[[services]]\nname = \"{name}\"\n[[services.servers]]\nservice = {{ kind = \"constant\", value = \"{takes}\" }}\n"
    )
}

/// The mean response time of the succeeded, in milliseconds.
pub(crate) fn mean(tally: &Tally) -> f64 {
    tally.latency.mean().unwrap() * 1e3
}

#[track_caller]
fn takes(tally: &Tally, mean_ms: f64) {
    assert!((mean(tally) - mean_ms).abs() < 1e-6, "{} ms", mean(tally));
}

/// Two requests at once, one slot, a call of 5 ms. Kept: 2 + 5, then 2 + 5 more. Given back: the
/// second works from 2 to 4, and its call waits until 7: 7 and 12.
#[test]
fn a_slot_is_kept_or_given_back() {
    let db = service("db", "5ms");
    let call = |more: &str| format!("[[services.servers.steps]]\ncall = \"db\"\n{more}");
    takes(&live("kept", &[0, 0], &call(""), &db), (7.0 + 14.0) / 2.0);
    takes(
        &live("kept-said", &[0, 0], &call("blocking = true"), &db),
        10.5,
    );
    let tally = live("back", &[0, 0], &call("blocking = false"), &db);
    takes(&tally, (7.0 + 12.0) / 2.0);
    let [web, db] = &tally.services[..] else {
        panic!()
    };
    assert_eq!((web.attempts, db.attempts, tally.attempts), (2, 2, 2));
    let ms = |span: lbsim::time::Span| span.nanos() / 1_000_000;
    // Waited: 2 of the second at web; 3 of its call at db. Called: 5 and 8.
    assert_eq!((ms(web.waited), ms(web.worked), ms(web.called)), (2, 4, 13));
    assert_eq!((ms(db.waited), ms(db.worked), ms(db.called)), (3, 10, 0));
    // Busy for 4 of 1000 ms, and 10; where slots are kept, 14.
    let utilization = |tally: &Tally| tally.load.utilization();
    assert_eq!(utilization(&tally), [0.004, 0.010]);
    assert_eq!(
        utilization(&live("busy", &[0, 0], &call(""), &db_again())),
        [0.014, 0.010]
    );
}

/// Calls of 5 ms that are waited for for 3. The first request works until 2 and waits until 5; the
/// second, which has the slot then, works until 7 and waits until 10, when its own call is not
/// done: the store works on the first one's until 7 and on its until 12. With 6 ms the first is
/// done in time, at 7, and so is the second, at 14.
#[test]
fn a_call_that_takes_too_long_is_waited_for_no_longer() {
    let db = service("db", "5ms");
    let call = |more: &str| format!("[[services.servers.steps]]\ncall = \"db\"\n{more}");
    let tally = live(
        "late-without",
        &[0, 0],
        &call("timeout = \"3ms\"\noptional = true"),
        &db,
    );
    takes(&tally, (5.0 + 10.0) / 2.0);
    let tally = live("late", &[0, 0], &call("timeout = \"3ms\""), &db);
    assert_eq!(tally.failed[Cause::Error as usize], 2);
    assert_eq!(tally.load.utilization(), [0.010, 0.010]);
    takes(
        &live("in-time", &[0, 0], &call("timeout = \"6ms\""), &db),
        10.5,
    );
    // One of two is there after 5 ms, the other after 9: the step needs both, or goes without.
    let both = "[[services.servers.steps]]\ncall = [\"db\", \"slow\"]\ntimeout = \"7ms\"\n";
    let slow = db.clone() + &service("slow", "9ms");
    let tally = live("one-late", &[0], both, &slow);
    assert_eq!(tally.failed[Cause::Error as usize], 1);
    takes(
        &live(
            "one-late-without",
            &[0],
            &format!("{both}optional = true"),
            &slow,
        ),
        9.0,
    );
    takes(
        &live("one-is-enough", &[0], &format!("{both}wait-for = 1"), &slow),
        7.0,
    );
    // The bulkhead has room again as soon as nobody waits: else the second went without at once.
    let bulkhead = call("timeout = \"3ms\"\noptional = true\nat-once = 1\nblocking = false");
    takes(&live("late-bulkhead", &[0, 6], &bulkhead, &db), 5.0);
}

/// What a cut between a server and the balancer that it asks swallows keeps its slot until its
/// timeout: the first goes wrong after 2 + 30 ms, the second waits for its slot and is well.
#[test]
fn a_call_lost_on_its_way_keeps_its_slot_until_its_timeout() {
    let db = service("db", "5ms");
    let cut = "[[faults]]\nkind = \"cut\"\nfrom = \"web\"\nto = \"balancers:db\"\nat = \"1ms\"\nlasts = \"9ms\"\n";
    let rest = format!("{db}{cut}");
    let call = "[[services.servers.steps]]\ncall = \"db\"\ntimeout = \"30ms\"\n";
    let tally = live("lost", &[0, 20], call, &rest);
    assert_eq!(tally.failed[Cause::Error as usize], 1);
    takes(&tally, 12.0 + 2.0 + 5.0);
    // A route's, likewise.
    let route = "routes = [{ to = \"db\", timeout = \"30ms\" }]\n";
    let tally = live("lost-route", &[0, 20], route, &rest);
    assert_eq!(tally.failed[Cause::Error as usize], 1);
    takes(&tally, 2.0 + 5.0);
}

fn db_again() -> String {
    service("db", "5ms")
}

/// After a call that gave its slot back, work needs a slot again, behind those who are there: the
/// first is back at 7, when the third, there since 6, works until 8, and works until 11.
#[test]
fn work_after_a_call_waits_for_a_slot() {
    let steps = "[[services.servers.steps]]\ncall = \"db\"\nblocking = false\nprobability = \"100%\"\n\
                 [[services.servers.steps]]\nwork = { kind = \"constant\", value = \"3ms\" }\n";
    let tally = live("again", &[0], steps, &db_again());
    takes(&tally, 10.0);
    // Second: works 6 to 8, calls until 13 and works until 16: 10 ms too. First: slot from 8 to 11.
    let tally = live("behind", &[0, 6], steps, &db_again());
    takes(&tally, (11.0 + 10.0) / 2.0);
    assert_eq!(tally.load.utilization(), [0.010, 0.010]);
}

/// Three services of 1, 5 and 9 ms called together: the first, a quorum, all; one after the other;
/// each thrice.
#[test]
fn calls_together_are_joined() {
    let rest = [("a", "1ms"), ("b", "5ms"), ("c", "9ms")]
        .map(|(name, takes)| service(name, takes))
        .concat();
    let all = "call = [\"a\", \"b\", \"c\"]";
    let step = |text: &str| format!("[[services.servers.steps]]\n{text}\n");
    for (name, steps, due) in [
        ("first", step(&format!("{all}\nwait-for = 1")), 1.0),
        ("quorum", step(&format!("{all}\nwait-for = 2")), 5.0),
        ("all", step(all), 9.0),
        (
            "in-turn",
            step("call = \"a\"") + &step("call = \"b\"") + &step("call = \"c\""),
            15.0,
        ),
        ("thrice", step(&format!("{all}\nrepeat = 3")), 27.0),
        // Three at one server, one behind the other.
        ("copies", step("call = \"b\"\ncopies = 3"), 15.0),
        (
            "copies-first",
            step("call = \"b\"\ncopies = 3\nwait-for = 1"),
            5.0,
        ),
        ("never", step("call = \"c\"\nprobability = \"0%\""), 0.0),
        (
            "work",
            step("work = { kind = \"constant\", value = \"4ms\" }\nrepeat = 2"),
            8.0,
        ),
        (
            "shared",
            "discipline = \"processor-sharing\"\n".to_owned() + &step("call = \"b\""),
            5.0,
        ),
    ] {
        // Calls that are not waited for run on: a thrice repeated quorum would find servers busy.
        let rest = if name == "work" {
            String::new()
        } else {
            rest.clone()
        };
        let steps = match name {
            "work" => steps,
            _ => steps + &step("call = [\"a\", \"b\", \"c\"]\nprobability = \"0%\""),
        };
        takes(&live(name, &[0], &steps, &rest), 2.0 + due);
    }
}

/// A share of requests takes a step: of 4,000, 25% ± 2.9% (4.2 standard errors: a false alarm in
/// 40,000).
#[test]
fn a_step_is_taken_by_a_share() {
    let times: Vec<u32> = (0..4000).map(|at| at / 4).collect();
    let steps = "slots = 9000\n[[services.servers.steps]]\ncall = \"db\"\nprobability = \"25%\"\n";
    let db = service("db", "10us");
    let tally = live("share", &times, steps, &db);
    let share = tally.services[1].attempts as f64 / 4000.0;
    assert!((share - 0.25).abs() < 0.029, "{share}");
}

/// A call that fails makes the answer an error, unless the step is optional; what still runs finds
/// nobody.
#[test]
fn a_failed_call_is_an_error() {
    let rest =
        service("db", "5ms") + "[[faults]]\nkind = \"crash\"\nservers = \"db\"\nat = \"0s\"\n";
    let step = "[[services.servers.steps]]\ncall = \"db\"\n";
    let tally = live("failed", &[10, 10], step, &rest);
    assert_eq!(tally.failed[Cause::Error as usize], 2);
    assert_eq!(tally.services[1].failed[Cause::Crash as usize], 2);
    let tally = live(
        "optional",
        &[10],
        &format!("{step}optional = true\n"),
        &rest,
    );
    takes(&tally, 2.0);
    // Of two calls one fails at once, and both are needed: the answer does not wait for the other.
    let both = "[[services.servers.steps]]\ncall = [\"db\", \"slow\"]\n";
    let tally = live("both", &[10], both, &(service("slow", "90ms") + &rest));
    assert_eq!(tally.failed[Cause::Error as usize], 1);
    assert_eq!(tally.failures.max(), Some(0.002));
    // One of them is enough.
    let any = format!("{both}wait-for = 1\n");
    takes(
        &live("any", &[10], &any, &(service("slow", "90ms") + &rest)),
        92.0,
    );
}

/// A step that may do without answers still waits for those that come: 5 of three calls where one
/// fails at once.
#[test]
fn what_is_optional_is_waited_for() {
    let rest = service("a", "5ms")
        + &service("b", "3ms")
        + &service("db", "1ms")
        + "[[faults]]\nkind = \"crash\"\nservers = \"db\"\nat = \"0s\"\n";
    let step = "[[services.servers.steps]]\ncall = [\"a\", \"b\", \"db\"]\noptional = true\n";
    takes(&live("optional-rest", &[0], step, &rest), 2.0 + 5.0);
}

/// An error takes as long as any other answer, with all steps, unless the fault says how long; and
/// what holds from the beginning holds for the first request.
#[test]
fn errors_take_their_steps() {
    let step = "[[services.servers.steps]]\ncall = \"db\"\n";
    let errors = |more: &str| {
        service("db", "5ms") + &format!("[[faults]]\nkind = \"errors\"\nservers = \"web\"\n{more}")
    };
    for (discipline, name) in [("", "fifo"), ("discipline = \"processor-sharing\"\n", "ps")] {
        for (more, after, calls) in [
            ("", 0.007, 1),
            ("takes = \"1ms\"\n", 0.001, 0),
            ("takes = \"0s\"\n", 0.0, 0),
        ] {
            let test = format!("errs-{name}-{calls}");
            let tally = live(&test, &[0], &format!("{discipline}{step}"), &errors(more));
            assert_eq!(tally.failed[Cause::Error as usize], 1);
            assert_eq!(tally.failures.max(), Some(after), "{name} {more}");
            assert_eq!(tally.services[1].requests, calls, "{name} {more}");
        }
    }
    // What takes no time waits for no slot: the second is refused while the first works.
    let fault =
        "[[faults]]\nkind = \"errors\"\nservers = \"web\"\ntakes = \"0s\"\nat = \"0.5ms\"\n";
    let tally = live("errs-queue", &[0, 1], "", fault);
    assert_eq!(tally.failures.max(), Some(0.0));
    takes(&tally, 2.0);
}

/// A server that dies drops those who wait for calls, with slot or without; one whose client gives
/// up is stopped.
#[test]
fn what_waits_for_calls_can_be_dropped() {
    let db = service("db", "50ms");
    for blocking in [true, false] {
        let step = format!("[[services.servers.steps]]\ncall = \"db\"\nblocking = {blocking}\n");
        let crash = format!(
            "{db}[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"10ms\"\nlasts = \"10ms\"\n"
        );
        let tally = live("dropped", &[0, 30], &step, &crash);
        assert_eq!(tally.failed[Cause::Crash as usize], 1);
        // The second: 30 to 32, its call waits for the first's until 52, and ends at 102.
        takes(&tally, 72.0);
        for (abandoned, busy) in [("cancel", 20), ("finish", 52)] {
            let given_up = format!(
                "{step}[services.balancer]\ntimeout = \"20ms\"\nabandoned = \"{abandoned}\"\n"
            );
            let tally = live("given-up", &[0], &given_up, &db);
            assert_eq!(tally.failed[Cause::Timeout as usize], 1);
            let busy = if blocking { busy } else { 2 };
            // The whole world is followed to the end of its requests only: what nobody waits for
            // counts until the end of the run.
            assert_eq!(
                (tally.load.utilization()[0] * 1000.0).round() as u32,
                busy,
                "{abandoned} {blocking}"
            );
        }
    }
}

/// The way to the called service and back counts for the server that calls; a timeout and a retry
/// are those of the called service.
#[test]
fn a_call_passes_links_and_policies() {
    let step = "[[services.servers.steps]]\ncall = \"db\"\n";
    let far = service("db", "5ms")
        + "[network]\nserver-to-balancer = { kind = \"constant\", value = \"3ms\" }\n";
    takes(&live("far", &[0], step, &far), 2.0 + 3.0 + 5.0 + 3.0);
    // The first of two servers is dead, and the balancer of db tries the other.
    let two = "[[services]]\nname = \"db\"\n[[services.servers]]\ncount = 2\nservice = { kind = \"constant\", value = \"5ms\" }\n\
               [services.balancer]\nstrategy = { kind = \"round-robin\", start = \"first\" }\nretry = { max = 1 }\n\
               [[faults]]\nkind = \"crash\"\nservers = \"db/server-1\"\nat = \"0s\"\n";
    let tally = live("retried", &[10], step, two);
    takes(&tally, 7.0);
    assert_eq!((tally.attempts, tally.services[1].attempts), (1, 2));
}

pub(crate) fn scenario(text: &str) -> Scenario {
    read_in(
        Path::new("."),
        &format!(
            "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"2000s\"\nwarmup = \"100s\"\ncompare = [\"random\"]\n{text}"
        ),
    )
}

pub(crate) fn poisson(rate: u32) -> String {
    format!("[[clients]]\narrivals = {{ kind = \"poisson\", rate = \"{rate}/s\" }}\n")
}

/// What cannot be is said where it stands, all at once.
#[test]
fn steps_that_cannot_be_are_refused() {
    let base = |steps: &str, more: &str| {
        format!(
            "question = '?'\nexpect = '!'\n[run]\nduration = '1s'\ncompare = ['random']\n{}[[services]]\nname = 'web'\n{steps}\n\
             [[services.servers]]\nservice = {{ kind = 'constant', value = '1ms' }}\n{}{more}",
            poisson(10),
            service("db", "1ms")
        )
    };
    let refusal = |steps: &str, more: &str| {
        Scenario::from_text("web.toml", &base(steps, more))
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let step = |text: &str| format!("[[services.steps]]\n{text}\n");
    let call = step("call = 'db'");
    for (steps, more, says) in [
        (step("call = 'dbx'"), "", "did you mean `db`"),
        (
            step("call = 'web'"),
            "",
            "`web` calls itself (`web` calls `web`)",
        ),
        (step("call = ['db', 'web']"), "", "`web` calls itself"),
        (
            call.clone(),
            "[[services.servers.steps]]\ncall = 'web'\n",
            "`web` calls itself (`web` calls `db` calls `web`)",
        ),
        (String::new(), "", "nobody asks `db`"),
        (step("call = []"), "", "these are 0 calls"),
        (
            step("call = 'db'\nwait-for = 2"),
            "",
            "`wait-for` is 2, and there is 1 call",
        ),
        (
            step("call = 'db'\ncopies = 3\nwait-for = 4"),
            "",
            "there are 3 calls",
        ),
        (
            step("call = 'db'\nprobability = '101%'"),
            "",
            "`probability` is 101%",
        ),
        (
            step("call = 'db'\nwork = { kind = 'constant', value = '1ms' }"),
            "",
            "has both",
        ),
        (step("repeat = 2"), "", "has neither"),
        (
            step("work = { kind = 'constant', value = '1ms' }\nwait-for = 1"),
            "",
            "`wait-for` is of calls",
        ),
        (
            step("call = 'db'\nwaitfor = 1"),
            "",
            "did you mean `wait-for`",
        ),
        (step("call = 'db'\nrepeat = 0"), "", "repeat"),
    ] {
        let said = refusal(&steps, more);
        assert!(said.contains(says), "{steps}{more}\n{said}");
    }
    // Told once, however many groups take the steps of their service, and with it all the rest.
    let said = refusal(
        &step("call = 'dbx'"),
        "[[services.servers]]\nname = 'b'\nservice = { kind = 'constant', value = '1ms' }\nslots = 0\n",
    );
    assert_eq!(said.matches("dbx").count(), 2, "{said}");
    assert!(said.contains("slots"), "{said}");
    let shared = base(&step("call = 'db'\nblocking = true"), "").replacen(
        "service = {",
        "discipline = 'processor-sharing'\nservice = {",
        1,
    );
    let said = Scenario::from_text("web.toml", &shared)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(said.contains("remove `blocking`"), "{said}");
    assert!(Scenario::from_text("web.toml", &base(&call, "")).is_ok());
}

/// What is asked of a service that is called, and what one can do that keeps its slots meanwhile.
#[test]
fn calls_ask_of_services() {
    let text = |steps: &str| {
        poisson(100)
            + &format!(
                "[[services]]\nname = \"web\"\n{steps}\n[[services.servers]]\nslots = 4\nservice = {{ kind = \"constant\", value = \"10ms\" }}\n"
            )
            + "[[services]]\nname = \"db\"\n[[services.servers]]\nslots = 10\nservice = { kind = \"constant\", value = \"5ms\" }\n"
    };
    let loads = |steps: &str| {
        let scenario = scenario(&text(steps));
        let plan = &scenario.variants[0].blueprint;
        [plan.utilization(0).unwrap(), plan.utilization(1).unwrap()]
    };
    let near = |found: [f64; 2], due: [f64; 2]| {
        assert!(
            (0..2).all(|at| (found[at] - due[at]).abs() < 1e-9),
            "{found:?}, not {due:?}"
        );
    };
    // Two calls in half of the requests: 100 a second of 5 ms on 10 slots. Kept slots: 10 ms and 5
    // ms more on average.
    let step = "[[services.steps]]\ncall = \"db\"\nrepeat = 2\nprobability = \"50%\"\n";
    near(loads(step), [100.0 * 0.015 / 4.0, 100.0 * 0.005 / 10.0]);
    near(loads(&format!("{step}blocking = false\n")), [0.25, 0.05]);
    // Who waits for the first of two alike, or does without, keeps its slot as long while all are
    // well.
    for more in ["optional = true", "copies = 2\nwait-for = 1"] {
        let step = format!("[[services.steps]]\ncall = \"db\"\n{more}\n");
        assert!(
            (loads(&step)[0] - 100.0 * 0.015 / 4.0).abs() < 1e-9,
            "{more}"
        );
    }
    let work = "[[services.steps]]\nwork = { kind = \"constant\", value = \"2ms\" }\nrepeat = 3\n";
    near(
        loads(&format!(
            "{work}[[services.steps]]\ncall = \"db\"\ncopies = 3\n"
        )),
        [100.0 * 0.021 / 4.0, 0.15],
    );
}

/// To the balancers of a called service the address is that of the server that calls: two callers
/// keep two servers busy under a hash of it, and one caller one, whatever the clients.
#[test]
fn calls_come_from_their_servers() {
    let times: Vec<u32> = (0..200).collect();
    let called = |web: &str| {
        let db = "[[services]]\nname = \"db\"\n[[services.servers]]\ncount = 2\nservice = { kind = \"constant\", value = \"1ms\" }\n\
                  [services.balancer]\nstrategy = { kind = \"nginx-ip-hash\" }\n";
        let step = "[[services.servers.steps]]\ncall = \"db\"\n";
        let tally = live("callers", &times, &format!("slots = 9\n{web}{step}"), db);
        let sent = tally.load.servers[1..].iter().map(|server| server.sent);
        sent.collect::<Vec<u64>>()
    };
    let from: Vec<Vec<u64>> = (0..16)
        .map(|subnet| called(&format!("address = \"192.0.{subnet}.1:80\"\n")))
        .collect();
    assert!(
        from.iter()
            .all(|sent| sent.contains(&200) && sent.contains(&0)),
        "{from:?}"
    );
    // Sixteen networks at one server of two: by chance once in 32,768.
    assert!(from.iter().any(|sent| *sent != from[0]), "{from:?}");
    assert_eq!(called(""), called("address = \"10.0.0.1:80\"\n"));
    assert_eq!(called("address = \"web.internal:80\"\n"), called(""));
}
