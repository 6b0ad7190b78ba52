//! What callers do where something goes wrong, against closed forms: retries, their budgets,
//! hedges, clients that give up or ask again, servers that break down.
//!
//! Each figure is the mean of twelve replications, and must be within five standard errors of the
//! expected one (Student's t of 11 degrees of freedom: one false alarm in 2,500; the seeds are
//! fixed), which must be small: a wide interval is no agreement.

use lbsim::model;
use lbsim::observe::{Cause, Ended, Tally, laws};
use lbsim::scenario::Scenario;
use lbsim::theory::hedging;

use crate::support::mean_and_error;

/// A world of requests at `rate` a second to `web`; `service` says what its servers are like,
/// `rest` what stands after them.
pub(crate) fn world(rate: f64, clients: &str, servers: &str, rest: &str) -> Scenario {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "1500s"
warmup = "100s"
compare = ["random"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "{rate}/s" }}
{clients}
[[services]]
name = "web"
[[services.servers]]
{servers}
{rest}
"#
    );
    Scenario::from_text("resilience.toml", &text).unwrap_or_else(|rejected| panic!("{rejected}"))
}

pub(crate) fn runs(scenario: &Scenario) -> Vec<Tally> {
    let plan = &scenario.variants[0].blueprint;
    (0..12)
        .map(|replication| {
            let tally = model::run(plan, 23, replication);
            assert_eq!(laws::violations(&tally), []);
            tally
        })
        .collect()
}

#[track_caller]
pub(crate) fn near(runs: &[Tally], expected: f64, figure: impl Fn(&Tally) -> f64) {
    let values: Vec<f64> = runs.iter().map(figure).collect();
    near_values(&values, expected);
}

#[track_caller]
pub(crate) fn near_values(values: &[f64], expected: f64) {
    let (mean, error) = mean_and_error(values);
    assert!(
        (mean - expected).abs() <= 5.0 * error + 1e-9 && error < 0.02 * expected,
        "{mean} +- {error}, expected {expected}"
    );
}

pub(crate) fn success(tally: &Tally) -> f64 {
    tally.succeeded_count() as f64 / tally.requests as f64
}

fn attempts(tally: &Tally) -> f64 {
    tally.attempts as f64 / tally.requests as f64
}

fn mean(tally: &Tally) -> f64 {
    tally.latency.mean().unwrap()
}

const QUICK: &str = "count = 10\nslots = 1000\nservice = { kind = \"constant\", value = \"1ms\" }";

/// 1 - p^m and (1 - p^m) / (1 - p), and the pauses of full jitter: the sum of p^(i+1) b 2^i / 2.
#[test]
fn retries_of_independent_failures() {
    let rest = |share: u32, retries: u32| {
        format!(
            r#"
[services.balancer]
retry = {{ max = {retries}, on = "any", error-answers = true, backoff = "1s" }}
[[faults]]
kind = "errors"
servers = "web"
share = "{share}%"
"#
        )
    };
    let two = runs(&world(30.0, "", QUICK, &rest(30, 2)));
    near(&two, 1.0 - 0.3f64.powi(3), success);
    near(&two, 1.39, attempts);
    let four = runs(&world(30.0, "", QUICK, &rest(50, 4)));
    near(&four, 0.96875, success);
    // All wait 0.24 s on average; of those that fail in the end, too.
    near(&two, 0.24 + 0.001 * 1.39, |tally| {
        let all = tally.latency.mean().unwrap() * tally.latency.count() as f64
            + tally.failures.mean().unwrap() * tally.failures.count() as f64;
        all / tally.requests as f64
    });
}

/// Two of ten are down; a retry goes to another one: (n + 1) / (n - down + 1) attempts.
#[test]
fn retries_on_servers_that_have_not_been_tried() {
    let rest = r#"
[services.balancer]
retry = { max = 3 }
[[faults]]
kind = "crash"
servers = "web/server-1"
at = "0s"
[[faults]]
kind = "crash"
servers = "web/server-2"
at = "0s"
"#;
    let all = runs(&world(30.0, "", QUICK, rest));
    near(&all, 11.0 / 9.0, attempts);
    assert!(all.iter().all(|tally| success(tally) == 1.0));
}

/// Three tiers of callers that ask up to four times of what always fails: 4 * 4 * 4.
#[test]
fn retries_at_several_tiers_multiply() {
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "200s"
warmup = "10s"
compare = ["random"]
[[clients]]
arrivals = { kind = "poisson", rate = "2/s" }
retry = { max = 3, error-answers = true }
[[services]]
name = "web"
steps = [{ call = "db" }]
[services.balancer]
retry = { max = 3, on = "any", error-answers = true }
[[services.servers]]
slots = 100
service = { kind = "constant", value = "1ms" }
[[services]]
name = "db"
[services.balancer]
retry = { max = 3, on = "any", error-answers = true }
[[services.servers]]
slots = 1000
service = { kind = "constant", value = "1ms" }
[[faults]]
kind = "errors"
servers = "db"
takes = "0s"
"#;
    let scenario = Scenario::from_text("tiers.toml", text).unwrap_or_else(|why| panic!("{why}"));
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    assert_eq!(tally.tries, 4 * tally.requests);
    assert_eq!(tally.services[0].attempts, 16 * tally.requests);
    assert_eq!(tally.services[1].attempts, 64 * tally.requests);
    assert_eq!(tally.failed[Cause::Error as usize], tally.requests);
}

/// A token a tenth of each request, where half of the attempts fail: one retry for ten requests.
#[test]
fn a_budget_binds() {
    let rest = r#"
[services.balancer.retry]
max = 3
on = "any"
error-answers = true
budget = { kind = "share", share = "10%", least = 0.0 }
[[faults]]
kind = "errors"
servers = "web"
share = "50%"
"#;
    let retries = |tally: &Tally| attempts(tally) - 1.0;
    binds(&runs(&world(100.0, "", QUICK, rest)), retries);
    // Of the budget of clients the same is true.
    let clients = r#"retry = { max = 3, error-answers = true, budget = { kind = "share", share = "10%", least = 0.0 } }"#;
    let rest = "[[faults]]\nkind = \"errors\"\nservers = \"web\"\nshare = \"50%\"";
    let all = runs(&world(100.0, clients, QUICK, rest));
    binds(&all, |tally| {
        tally.tries as f64 / tally.requests as f64 - 1.0
    });
}

/// One retry for ten requests, but for what the window forgets: what has been taken counts in it
/// longer than what it was taken from. That is half a percent.
#[track_caller]
fn binds(runs: &[Tally], retries: impl Fn(&Tally) -> f64) {
    let mean = runs.iter().map(retries).sum::<f64>() / runs.len() as f64;
    assert!((0.099..=0.1).contains(&mean), "{mean}");
}

/// Enough servers that nobody waits: the response time of Exp(1), hedged after d, has the tail
/// S(t) S(t - d), the mean 1 - e^-d / 2; S(d) of the requests are hedged.
#[test]
fn hedges_shorten_the_tail() {
    let servers = "count = 10\nslots = 1000\nservice = { kind = \"exponential\", mean = \"1s\" }";
    let hedged = |after: &str| {
        let rest = format!("[services.balancer]\nhedge = {{ after = \"{after}\" }}");
        runs(&world(100.0, "", servers, &rest))
    };
    let one = hedged("1s");
    near(&one, 1.0 - (-1.0f64).exp() / 2.0, mean);
    near(&one, 1.0 + (-1.0f64).exp(), attempts);
    near(&one, 2.802_585, |tally| {
        tally.latency.quantile(0.99).unwrap()
    });
    let half = hedged("500ms");
    near(&half, 1.0 - (-0.5f64).exp() / 2.0, mean);
    near(&half, 2.552_585, |tally| {
        tally.latency.quantile(0.99).unwrap()
    });
    let two = hedged("2s");
    near(&two, 1.0 - (-2.0f64).exp() / 2.0, mean);
    near(&two, 4.453_877_639, |tally| {
        tally.latency.quantile(0.999).unwrap()
    });
    // After the 95th percentile of what the balancer has seen: 5% more.
    let rest = "[services.balancer]\nhedge = { after = \"10s\", quantile = \"50%\" }";
    let adaptive = runs(&world(100.0, "", servers, rest));
    // The median m of the hedged response time itself: S(m) S(m - d) with d = m is S(m) = 1/2, as
    // without hedges: half of the requests are hedged.
    near(&adaptive, 1.5, attempts);
}

/// A lognormal response time of mean 1 s and coefficient of variation 1, hedged after its 95th
/// percentile: S(t) S(t - d) = 0.001 at 4.86 s, which would be 9.26 s without.
#[test]
fn hedges_after_the_95th_percentile() {
    let servers =
        "count = 10\nslots = 1000\nservice = { kind = \"lognormal\", mean = \"1s\", cv = 1 }";
    let rest = "[services.balancer]\nhedge = { after = \"2781128781ns\" }";
    let all = runs(&world(100.0, "", servers, rest));
    near(&all, 1.05, attempts);
    near(&all, 4.863_106_799, |tally| {
        tally.latency.quantile(0.999).unwrap()
    });
}

/// Two copies at once of three servers, and of five; the loser is cancelled when the first is done:
/// Gardner et al., "Redundancy-d: the power of d choices for redundancy", Operations Research
/// 65(4), 2017.
#[test]
fn redundancy_as_in_theory() {
    for (n, rate) in [(3, 0.7), (5, 0.8)] {
        let servers = format!("count = {n}\nservice = {{ kind = \"exponential\", mean = \"1s\" }}");
        let rest = "[services.balancer]\nabandoned = \"cancel\"\nhedge = { after = \"0s\" }";
        let all = runs(&world(f64::from(n) * rate, "", &servers, rest));
        near(&all, hedging::redundancy_mean(rate, 1.0, n, 2), mean);
    }
}

/// M/M/10+M: clients that give up waiting after Exp(2 s), at a load of 95%, and after Exp(1 s), at
/// one of 120%; M/M/1+D: after five service times, at a load of 120%.
#[test]
fn impatient_clients_leave_as_erlang_a_says() {
    let ten = "slots = 10\nservice = { kind = \"exponential\", mean = \"1s\" }";
    let patience = "patience = { kind = \"exponential\", mean = \"2s\" }";
    let cancel = "[services.balancer]\nabandoned = \"cancel\"";
    let gave_up =
        |tally: &Tally| tally.failed[Cause::GaveUp as usize] as f64 / tally.requests as f64;
    let all = runs(&world(9.5, patience, ten, cancel));
    near(&all, 0.084_452_009, gave_up);
    let patience = "patience = { kind = \"exponential\", mean = \"1s\" }";
    let all = runs(&world(12.0, patience, ten, cancel));
    near(&all, 0.213_632_353, gave_up);
    let one = "service = { kind = \"exponential\", mean = \"10ms\" }";
    let patience = "patience = { kind = \"constant\", value = \"50ms\" }";
    let all = runs(&world(120.0, patience, one, cancel));
    near(&all, 0.223_855_422, gave_up);
}

/// M/M/5+M at a load of 90%, patience of Exp(5 s): 60% of the requests find no free slot, and wait,
/// or give up waiting.
#[test]
fn as_many_wait_as_erlang_a_says() {
    let five = "slots = 5\nservice = { kind = \"exponential\", mean = \"1s\" }";
    let patience = "patience = { kind = \"exponential\", mean = \"5s\" }";
    let cancel = "[services.balancer]\nabandoned = \"cancel\"";
    let scenario = world(4.5, patience, five, cancel);
    let mut plan = scenario.variants[0].blueprint.clone();
    plan.end = plan.end + (plan.end - plan.warmup);
    let shares: Vec<f64> = (0..12)
        .map(|replication| {
            let (mut all, mut wait) = (0.0, 0.0);
            let mut witness = |request: &Ended| {
                if request.measured {
                    all += 1.0;
                    let waits = request.failed.is_some() || !request.waited.is_zero();
                    wait += f64::from(u8::from(waits));
                }
            };
            model::run_witnessed(&plan, 23, replication, &mut witness);
            wait / all
        })
        .collect();
    near_values(&shares, 0.600_922_748);
}

/// Servers that stand still at random times, and go on with what they had: White and Christie,
/// "Queuing with preemptive priorities or with breakdown", Operations Research 6(1), 1958.
#[test]
fn breakdowns_as_white_and_christie_say() {
    let rest = r#"
[[faults]]
kind = "pause"
servers = "web"
at = "0s"
again = { after = { kind = "exponential", mean = "100ms" }, lasts = { kind = "exponential", mean = "20ms" } }
"#;
    let one = "service = { kind = \"exponential\", mean = \"10ms\" }";
    // In units of a service time.
    let (fail, repair, rate) = (0.1, 0.5, 0.3);
    let expected = ((fail + repair) * (fail + repair) + fail)
        / ((fail + repair) * (repair - rate * (fail + repair)));
    near(
        &runs(&world(100.0 * rate, "", one, rest)),
        0.01 * expected,
        mean,
    );
    // In a server that shares itself the mean is another, but what is done is the same.
    let shared = format!("{one}\ndiscipline = \"processor-sharing\"");
    for tally in runs(&world(100.0 * rate, "", &shared, rest)) {
        assert!(success(&tally) > 0.999 && mean(&tally) > 0.02);
    }
}

/// A server whose slots are fewer for a time: requests of 10 ms at one of two slots, of which one
/// is there from 1 to 2 s.
#[test]
fn fewer_slots_make_a_queue() {
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "3s"
warmup = "0s"
compare = ["random"]
[[clients]]
arrivals = { kind = "constant", rate = "150/s" }
[[services]]
name = "web"
[[services.servers]]
slots = 2
service = { kind = "constant", value = "10ms" }
[[faults]]
kind = "capacity"
servers = "web"
at = "1s"
lasts = "1s"
slots = 1
"#;
    let scenario = Scenario::from_text("slots.toml", text).unwrap_or_else(|why| panic!("{why}"));
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    assert_eq!(tally.succeeded_count(), tally.requests);
    // 50 too many in that second wait; the last of them, at 2 s, about half a second, less what two
    // slots do from then on.
    let longest = tally.latency.quantile(1.0).unwrap();
    assert!((0.30..0.52).contains(&longest), "{longest}");
}

/// A client's own timeout holds whatever its balancers do, and what it has begun goes on or not.
#[test]
fn a_clients_timeout_ends_everything() {
    for (abandoned, busy) in [("finish", 0.5), ("cancel", 0.25)] {
        let servers = "count = 1\nservice = { kind = \"constant\", value = \"1s\" }";
        let rest = format!("[services.balancer]\nabandoned = \"{abandoned}\"");
        let scenario = world(0.5, "timeout = \"500ms\"", servers, &rest);
        let tally = model::run(&scenario.variants[0].blueprint, 3, 0);
        assert_eq!(laws::violations(&tally), []);
        assert_eq!(tally.failed[Cause::GaveUp as usize], tally.requests);
        let mean = tally.failures.mean().unwrap();
        assert!((mean - 0.5).abs() < 1e-9);
        // Cancelled in the queue, some do not begin at all.
        let utilization = tally.load.utilization()[0];
        assert!(
            (utilization - busy).abs() < 0.06,
            "{abandoned}: {utilization}"
        );
    }
}
