//! What callers, links and faults do to each other where several come together: worlds that once
//! went wrong.

use lbsim::model;
use lbsim::observe::{Cause, Tally, laws};
use lbsim::scenario::Scenario;

/// A run of some seconds of the world that `rest` describes after `[run]`.
fn live(seconds: u32, strategy: &str, rest: &str) -> Tally {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "{seconds}s"
warmup = "0s"
compare = ["{strategy}"]
{rest}
"#
    );
    let scenario = Scenario::from_text("callers.toml", &text).unwrap_or_else(|why| panic!("{why}"));
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// One server of one slot that takes 10 ms, asked at a constant rate.
fn one_server(rate: u32, clients: &str, server: &str, rest: &str) -> String {
    format!(
        r#"
[[clients]]
arrivals = {{ kind = "constant", rate = "{rate}/s" }}
{clients}
[[services]]
name = "web"
[[services.servers]]
service = {{ kind = "constant", value = "10ms" }}
{server}
{rest}
"#
    )
}

fn failed(tally: &Tally, cause: Cause) -> u64 {
    tally.failed[cause as usize]
}

/// The balancer of a called service dies while the outcome of a call is on its way back: it has
/// done with that call.
#[test]
fn a_call_that_is_answered_is_not_lost_with_its_balancer() {
    for seed in 0..20 {
        let at = 1000 + 7 * seed;
        let tally = live(
            3,
            "random",
            &format!(
                r#"
[[clients]]
arrivals = {{ kind = "closed", users = 5, think = {{ kind = "constant", value = "20ms" }} }}
[[services]]
name = "web"
steps = [{{ call = "db" }}]
[[services.servers]]
service = {{ kind = "lognormal", mean = "20ms", cv = 2.0 }}
[[services]]
name = "db"
[[services.servers]]
service = {{ kind = "constant", value = "10ms" }}
[network]
server-to-balancer = {{ kind = "exponential", mean = "1ms" }}
[[faults]]
kind = "balancer-crash"
balancers = "db"
at = "{at}ms"
lasts = "1us"
"#
            ),
        );
        // Each of five users may have lost what it had, and goes on.
        assert_eq!(tally.unfinished, 0);
        assert!(tally.failed.iter().sum::<u64>() <= 5);
        // Some 32 ms each, one after another, for 3 s.
        assert!((70..120).contains(&tally.succeeded_count()));
    }
}

/// A machine that is dead for a second does nothing in it, whether it would have paused or not: ten
/// requests hang, and are lost when it is back.
#[test]
fn the_end_of_a_pause_wakes_no_dead_machine() {
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nanswers = \"hang\"\nat = \"1s\"\nlasts = \"1s\"\n";
    for discipline in ["fifo", "codel", "processor-sharing"] {
        let server = format!("discipline = \"{discipline}\"");
        for more in [
            "",
            "[[faults]]\nkind = \"pause\"\nservers = \"web\"\nat = \"1500ms\"\nlasts = \"100ms\"",
            "[[faults]]\nkind = \"capacity\"\nservers = \"web\"\nslots = 1\nat = \"1500ms\"\nlasts = \"100ms\"",
        ] {
            let tally = live(
                5,
                "random",
                &one_server(10, "", &server, &format!("{crash}{more}")),
            );
            assert_eq!(failed(&tally, Cause::Crash), 10, "{discipline} {more}");
            assert_eq!(tally.unfinished, 0);
        }
    }
}

/// Attempts that are called off give slots back, which may be the end of their siblings.
#[test]
fn siblings_that_are_dropped_while_they_are_called_off_are_gone_once() {
    for rest in [
        "hedge = { after = \"1ms\", max = 3 }",
        "hedge = { after = \"1ms\", max = 3 }\ntimeout = \"15ms\"\nretry = { max = 2 }",
    ] {
        let tally = live(
            20,
            "round-robin",
            &format!(
                r#"
[[clients]]
arrivals = {{ kind = "poisson", rate = "90/s" }}
timeout = "60ms"
retry = {{ max = 1 }}
[[services]]
name = "web"
[services.balancer]
abandoned = "cancel"
{rest}
[[services.servers]]
count = 2
discipline = {{ kind = "codel", target = "2ms", interval = "20ms" }}
service = {{ kind = "exponential", mean = "10ms" }}
[[faults]]
kind = "balancer-crash"
balancers = "web"
at = "5s"
lasts = "10ms"
"#
            ),
        );
        assert_eq!(tally.unfinished, 0);
        assert!(tally.succeeded_count() > 500);
    }
}

/// An attempt whose answer is lost has left its server, once.
#[test]
fn what_is_lost_on_the_way_back_has_left() {
    let rest = "[services.balancer]\ntimeout = \"50ms\"\n[[faults]]\nkind = \"cut\"\nfrom = \"web\"\nto = \"balancers:web\"\none-way = true\nat = \"1s\"\nlasts = \"200ms\"";
    let tally = live(5, "join-shortest-queue", &one_server(20, "", "", rest));
    assert_eq!(failed(&tally, Cause::Timeout), 4);
}

/// A client waits for its answer, and not until it is sent: 4 ms there, 10 ms, 4 ms back.
#[test]
fn a_clients_timeout_covers_the_way_back() {
    let network = "[network]\nclient-to-balancer = { kind = \"constant\", value = \"4ms\" }";
    let all = live(
        2,
        "random",
        &one_server(10, "timeout = \"19ms\"", "", network),
    );
    assert_eq!(all.succeeded_count(), 20);
    let none = live(
        2,
        "random",
        &one_server(10, "timeout = \"15ms\"", "", network),
    );
    assert_eq!(failed(&none, Cause::GaveUp), 20);
    assert!((none.failures.mean().unwrap() - 0.015).abs() < 1e-12);
    let slow = "[[faults]]\nkind = \"slow-link\"\nfrom = \"balancers:web\"\nto = \"clients:*\"\none-way = true\nat = \"0s\"\nadds = \"300ms\"";
    let slow = live(
        2,
        "random",
        &one_server(10, "timeout = \"200ms\"", "", slow),
    );
    assert_eq!(failed(&slow, Cause::GaveUp), 20);
}

/// The budget of clients hears of what becomes of their requests, as that of balancers does.
#[test]
fn budgets_of_clients_are_those_of_balancers() {
    let errors =
        "[[faults]]\nkind = \"errors\"\nservers = \"web\"\nshare = \"100%\"\ntakes = \"0s\"";
    let tries = |budget: &str| {
        let clients = format!(
            "retry = {{ max = 1, error-answers = true, backoff = \"10ms\", jitter = \"none\", budget = {budget} }}"
        );
        let tally = live(20, "random", &one_server(200, &clients, "", errors));
        tally.tries - tally.requests
    };
    // Five failures of ten tokens, and there is no more than half.
    assert!((3..=5).contains(&tries("{ kind = \"tokens\" }")));
    // One retry under way at a time, for 10 ms each.
    let one = tries("{ kind = \"active\", share = \"0%\", least = 1 }");
    assert!((1000..=2000).contains(&one), "{one}");
}

/// Retries that find no server are none: what they took of the budget is given back.
#[test]
fn a_retry_that_finds_nobody_is_given_back() {
    let drains: String = (5..10)
        .map(|at| format!("[[faults]]\nkind = \"drain\"\nservers = \"web\"\nat = \"{at}s\"\nlasts = \"100ms\"\n"))
        .collect();
    let rest = format!(
        "[services.balancer.retry]\nmax = 2\nbackoff = \"20ms\"\njitter = \"none\"\nerror-answers = true\nbudget = {{ kind = \"active\", share = \"0%\", least = 3 }}\n[[faults]]\nkind = \"errors\"\nservers = \"web\"\nshare = \"50%\"\n{drains}"
    );
    let tally = live(60, "random", &one_server(50, "", "slots = 5", &rest));
    let attempts = tally.attempts as f64 / tally.requests as f64;
    assert!(attempts > 1.3, "{attempts}");
}

/// What is lost on its way is not at the balancer that crashes later, and what clients do not hear
/// is no success of the service either.
#[test]
fn what_is_lost_stays_lost() {
    let lost = |from: &str, to: &str| {
        format!(
            "steps = [{{ work = {{ kind = \"constant\", value = \"1ms\" }} }}]\n[[faults]]\nkind = \"cut\"\nfrom = \"{from}\"\nto = \"{to}\"\none-way = true\nat = \"1s\"\nlasts = \"500ms\"\n[[faults]]\nkind = \"balancer-crash\"\nbalancers = \"web\"\nat = \"3s\"\nlasts = \"10ms\""
        )
    };
    for (from, to) in [
        ("clients:*", "balancers:web"),
        ("balancers:web", "clients:*"),
    ] {
        let for_ever = live(5, "random", &one_server(20, "", "", &lost(from, to)));
        assert_eq!(failed(&for_ever, Cause::Crash), 0, "{from}");
        assert_eq!(for_ever.unfinished, 10);
        let clients = "timeout = \"200ms\"";
        let gave_up = live(5, "random", &one_server(20, clients, "", &lost(from, to)));
        assert_eq!(failed(&gave_up, Cause::GaveUp), 10, "{from}");
        let service = &gave_up.services[0];
        assert_eq!(service.latency.count(), gave_up.succeeded_count());
        assert_eq!(service.failed, gave_up.failed);
    }
}

#[test]
fn links_that_nothing_goes_over_are_refused() {
    for (from, to) in [
        ("clients:*", "web"),
        ("web", "web"),
        ("clients:*", "clients:*"),
    ] {
        let text = format!(
            "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"1s\"\ncompare = [\"random\"]\n{}",
            one_server(
                20,
                "",
                "",
                &format!(
                    "[[faults]]\nkind = \"cut\"\nfrom = \"{from}\"\nto = \"{to}\"\nat = \"0s\""
                )
            )
        );
        let said = match Scenario::from_text("links.toml", &text) {
            Ok(_) => panic!("{from} {to} is taken"),
            Err(rejected) => rejected.to_string(),
        };
        assert!(
            said.contains(&format!("nothing is sent between `{from}` and `{to}`")),
            "{said}"
        );
    }
}
