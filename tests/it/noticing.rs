//! How balancers notice failures: worlds computed by hand, and what is refused.

use lbsim::balancer::ejection::{Against, Ejection, OnError};
use lbsim::model;
use lbsim::observe::{Cause, LeftOutBy, Tally, laws};
use lbsim::scenario::Scenario;

use crate::support::{TRACED, read_in, scratch, traced};

/// Requests that arrive at `times`, in milliseconds of ten seconds, at `web`, whose servers `a` and
/// `b` take 2 ms each; `rest` says more of the services' last table and of the world.
fn live(test: &str, times: &[u32], rest: &str) -> Tally {
    let rounds = r#"{ kind = "round-robin", start = "first" }"#;
    live_under(rounds, test, times, rest)
}

/// The same under another strategy.
fn live_under(strategy: &str, test: &str, times: &[u32], rest: &str) -> Tally {
    let place = traced(&format!("noticing-{test}"), times);
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "10s"
warmup = "0s"
compare = [{strategy}]
[[clients]]
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
name = "a"
service = {{ kind = "constant", value = "2ms" }}
[[services.servers]]
name = "b"
service = {{ kind = "constant", value = "2ms" }}
{rest}
"#
    );
    run(&read_in(&place, &text))
}

fn run(scenario: &Scenario) -> Tally {
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    tally
}

/// A hundred requests, ten milliseconds apart.
fn steadily() -> Vec<u32> {
    (0..100).map(|number| 10 * number).collect()
}

fn failed(tally: &Tally, cause: Cause) -> u64 {
    tally.failed[cause as usize]
}

/// `a` errs, at 2 and 22 ms: the breaker opens until 122; from then on every 110 ms one request is
/// let through, and errs: that of 130, of 240 ... of 900 ms.
#[test]
fn a_breaker_lets_one_through_now_and_then() {
    let rest = r#"
[services.balancer]
ejection = { kind = "circuit-breaker", consecutive = 2, open = "100ms" }
[[faults]]
kind = "errors"
servers = "web/a"
"#;
    let tally = live("breaker", &steadily(), rest);
    assert_eq!(failed(&tally, Cause::Error), 2 + 8);
    assert_eq!(tally.load.servers[0].sent, 10);
    let noticed = &tally.detections[0];
    assert_eq!((noticed.failures, noticed.missed), (1, 0));
    // What is on trial is not taken to be well: it is found out once.
    assert_eq!(noticed.detected.count(), 1);
    assert_eq!(noticed.detected.max(), Some(0.022));
    assert_eq!(noticed.hurt, 2);
    assert_eq!(noticed.wrong, [0, 0]);
}

/// `a` is dead, and left alone for 97 ms each time: one request of ten finds that out.
#[test]
fn who_has_failed_is_left_alone_and_tried_again() {
    let rest = r#"
[services.balancer]
ejection = { kind = "max-fails", fail-timeout = "97ms" }
[[faults]]
kind = "crash"
servers = "web/a"
at = "0s"
"#;
    let tally = live("max-fails", &steadily(), rest);
    assert_eq!(failed(&tally, Cause::Crash), 10);
    assert_eq!(tally.detections[0].detected.count(), 1);
}

/// A server that is drained when it goes down gets no requests any more: nobody has to find out.
/// And a balancer that is dead thinks nothing of anybody: what it misses is no failure to notice.
#[test]
fn who_is_drained_is_left_out_and_who_is_dead_misses_nothing() {
    let noticed = |balancer: &str, fault: &str| {
        let rest = format!(
            "[services.balancer]\nhealth-check = {{ interval = \"500ms\" }}\n{balancer}\n[[faults]]\n{fault}\n\
             [[faults]]\nkind = \"crash\"\nservers = \"web/a\"\nat = \"2s\"\nlasts = \"4s\"\n"
        );
        let test = format!("idle-{}", balancer.len());
        live(&test, &steadily(), &rest).detections[0].clone()
    };
    let drain = "kind = \"drain\"\nservers = \"web/a\"\nat = \"1s\"\nlasts = \"8s\"";
    let drained = noticed("", drain);
    assert_eq!((drained.failures, drained.missed, drained.hurt), (1, 0, 0));
    assert_eq!(drained.detected.max(), Some(0.0));
    let dead = "kind = \"balancer-crash\"\nbalancers = \"web/1\"\nat = \"1s\"";
    let other = noticed("instances = 2", dead);
    assert_eq!((other.failures, other.missed), (1, 0));
    assert_eq!(other.detected.count(), 1);
}

/// What a product's rule makes of failures by itself is measured as ejection is. `a` is dead from
/// 1.5 s to 5.5 s. nginx leaves it alone from its first failure on, for two seconds and up to one
/// more each time; the first trial after 5.5 s is that of 7 s. Envoy ejects it after five errors,
/// for two seconds, and lets it come back at a look, once a second, at once ejecting it again after
/// five more.
#[test]
fn what_a_rule_notices_by_itself_is_measured() {
    let rest = r#"
[[faults]]
kind = "crash"
servers = "web/a"
at = "1500ms"
lasts = "4s"
"#;
    let times: Vec<u32> = (0..1000).map(|number| 10 * number).collect();
    let nginx = r#"{ kind = "nginx-round-robin", fail-timeout = "2s" }"#;
    let tally = live_under(nginx, "rule-nginx", &times, rest);
    let noticed = &tally.detections[0];
    assert_eq!((noticed.failures, noticed.missed), (1, 0));
    assert_eq!(noticed.detected.count(), 1);
    assert!(noticed.detected.max().unwrap() <= 0.02);
    assert_eq!(noticed.wrong, [0, 0]);
    let back = noticed.returned.max().unwrap();
    assert!((1.5..=1.6).contains(&back), "{back}");
    assert_eq!(failed(&tally, Cause::Crash), noticed.hurt + 1);
    let envoy = r#"{ kind = "envoy-round-robin", cluster = { healthy-panic-threshold = 0, outlier-detection = { interval = "1s", base-ejection-time = "2s", max-ejection-percent = 50, enforcing-success-rate = 0 } } }"#;
    let tally = live_under(envoy, "rule-envoy", &times, rest);
    let noticed = &tally.detections[0];
    assert_eq!((noticed.failures, noticed.missed), (1, 0));
    assert!((0.07..=0.12).contains(&noticed.detected.max().unwrap()));
    assert_eq!(noticed.wrong, [0, 0]);
    let back = noticed.returned.max().unwrap();
    assert!((0.0..=4.0).contains(&back), "{back}");
    // Where nothing can fail, nothing is measured.
    let well = live_under(nginx, "rule-well", &times, "");
    assert!(well.detections.is_empty());
}

/// `b` leaves after two seconds, and `a`, which errs until four, is the only one: it is not left
/// alone, and is there when it is well.
#[test]
fn the_only_one_that_is_left_is_not_left_alone() {
    let place = traced(
        "noticing-only",
        &(0..100).map(|at| 100 * at).collect::<Vec<u32>>(),
    );
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "10s"
warmup = "0s"
compare = ["round-robin"]
[[clients]]
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
name = "a"
service = {{ kind = "constant", value = "2ms" }}
[[services.servers]]
name = "b"
leaves = "1950ms"
service = {{ kind = "constant", value = "2ms" }}
[services.balancer]
ejection = {{ kind = "max-fails", fail-timeout = "470ms", against = ["error"] }}
[[faults]]
kind = "errors"
servers = "web/a"
at = "950ms"
lasts = "3s"
"#
    );
    let tally = run(&read_in(&place, &text));
    let late = tally.timeline.stretches().iter().rev().take(60);
    assert_eq!(late.map(|stretch| stretch.failed).sum::<u64>(), 0);
    assert!(failed(&tally, Cause::NoServer) < 6, "{:?}", tally.failed);
}

/// Three of four err, and are left out after one error each: fewer than half are well, and all get
/// requests again.
#[test]
fn where_too_few_are_well_all_get_requests() {
    let world = |panic: &str| {
        format!(
            r#"
[[services.servers]]
name = "c"
count = 2
service = {{ kind = "constant", value = "2ms" }}
[services.balancer]
ejection = {{ kind = "circuit-breaker", consecutive = 1, open = "60s" }}
{panic}
[[faults]]
kind = "errors"
servers = "web/c-*"
[[faults]]
kind = "errors"
servers = "web/a"
"#
        )
    };
    let without = live("no-panic", &steadily(), &world(""));
    assert_eq!(failed(&without, Cause::Error), 3);
    let half = live("panic", &steadily(), &world("panic-threshold = \"50%\""));
    assert_eq!(failed(&half, Cause::Error), 75);
    // One of four is well, which is as much as a quarter.
    let quarter = live(
        "panic-less",
        &steadily(),
        &world("panic-threshold = \"25%\""),
    );
    assert_eq!(failed(&quarter, Cause::Error), 3);
}

/// One server works on one request from 0 to 3 s. Checks come once a second at some phase, wait for
/// the slot, and have failed after half a second: after the second, between 1.5 and 2.5 s, the
/// server is down, and it is up again before 5 s.
#[test]
fn a_check_that_takes_a_slot_fails_where_the_server_is_busy() {
    let world = |more: &str| {
        let place = traced(&format!("noticing-slot-{}", more.len()), &[0, 2600, 6000]);
        let text = format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "10s"
warmup = "0s"
compare = ["round-robin"]
[[clients]]
arrivals = {TRACED}
[[services]]
name = "web"
[[services.servers]]
service = {{ kind = "constant", value = "3s" }}
[services.balancer]
health-check = {{ interval = "1s", timeout = "500ms", fall = 2, rise = 2, work = "1ms"{more} }}
"#
        );
        run(&read_in(&place, &text))
    };
    let slot = world(", answered-by = \"slot\"");
    assert_eq!(failed(&slot, Cause::NoServer), 1);
    assert_eq!(slot.succeeded_count(), 2);
    let noticed = &slot.detections[0];
    let by_checks = LeftOutBy::Checks as usize;
    // The request at 6 s keeps the slot until 9 s: it is left out wrongly a second time.
    assert_eq!((noticed.failures, noticed.wrong), (0, [2, 0]));
    let out = noticed.wrong_time[by_checks].seconds();
    assert!((1.0..7.0).contains(&out), "{out}");
    let own = world("");
    assert_eq!(own.succeeded_count(), 3);
    assert_eq!(own.detections[0].wrong, [0, 0]);
}

/// Dead from 1 s to 5 s. With an interval of 1 s the third failed check comes 2 to 3 s later; where
/// the second and the third follow after 100 ms, 0.2 to 1.2 s later. Two that pass bring it back.
#[test]
fn checks_come_sooner_when_in_doubt() {
    let noticed = |more: &str| {
        let rest = format!(
            r#"
[services.balancer]
health-check = {{ interval = "1s", timeout = "100ms"{more} }}
[[faults]]
kind = "crash"
servers = "web/a"
at = "1s"
lasts = "4s"
"#
        );
        let tally = live(&format!("fast-{}", more.len()), &steadily(), &rest);
        let noticed = &tally.detections[0];
        assert_eq!((noticed.detected.count(), noticed.returned.count()), (1, 1));
        (
            noticed.detected.max().unwrap(),
            noticed.returned.max().unwrap(),
        )
    };
    let (found, back) = noticed("");
    assert!(
        (2.0..=3.0).contains(&found) && (1.0..=2.0).contains(&back),
        "{found} {back}"
    );
    let (found, back) = noticed(", fast-interval = \"100ms\"");
    assert!(
        (0.2..=1.2).contains(&found) && (0.1..=1.1).contains(&back),
        "{found} {back}"
    );
    let (found, back) = noticed(", fast-interval = \"100ms\", down-interval = \"500ms\"");
    assert!(
        (0.2..=1.2).contains(&found) && (0.1..=0.6).contains(&back),
        "{found} {back}"
    );
}

/// Ten errors in a row of `a` mark it as down; its checks, which pass, bring it back after two.
#[test]
fn errors_in_a_row_speak_to_the_health_checks() {
    let world = |on_error: &str| {
        let rest = format!(
            r#"
[services.balancer]
health-check = {{ interval = "500ms", timeout = "100ms" }}
ejection = {{ kind = "error-limit", on-error = "{on_error}" }}
[[faults]]
kind = "errors"
servers = "web/a"
lasts = "495ms"
"#
        );
        live(&format!("errors-{on_error}"), &steadily(), &rest)
    };
    let down = world("mark-down");
    // Those of 0, 20 ... 180 ms.
    assert_eq!(failed(&down, Cause::Error), 10);
    let noticed = &down.detections[0];
    assert_eq!(noticed.detected.max(), Some(0.182));
    let back = noticed.returned.max().unwrap();
    assert!((0.18..=0.7).contains(&back), "{back}");
    // One failed check of three does not, and the next passes.
    let check = world("fail-check");
    assert_eq!(failed(&check, Cause::Error), 25);
    assert_eq!(check.detections[0].missed, 1);
}

/// `a` is dead from 95 ms on, and 20 ms come between two attempts at it. Its health checks would
/// find out after ten seconds at least. Five failures in a row mark it as down at 180 ms; or they
/// bring its next check within 50 ms, and that fails, as does the next.
#[test]
fn failures_in_a_row_bring_checks_or_mark_down() {
    let world = |on_error: &str| {
        let rest = format!(
            r#"
[services.balancer]
health-check = {{ interval = "10s", fast-interval = "50ms", timeout = "20ms", fall = 2 }}
ejection = {{ kind = "error-limit", preset = "haproxy-layer4", errors = 5, on-error = "{on_error}" }}
[[faults]]
kind = "crash"
servers = "web/a"
at = "95ms"
"#
        );
        let tally = live(&format!("layer4-{on_error}"), &steadily(), &rest);
        (
            failed(&tally, Cause::Crash),
            tally.detections[0].detected.max(),
        )
    };
    // Those of 100, 120 ... 180 ms.
    let (down, found) = world("mark-down");
    assert_eq!(down, 5);
    assert!((0.084..=0.086).contains(&found.unwrap()), "{found:?}");
    let (soon, found) = world("fast-interval");
    assert!((9..=10).contains(&soon), "{soon}");
    assert!((0.18..=0.19).contains(&found.unwrap()), "{found:?}");
    // One failed check, and the next comes as soon.
    let (check, found) = world("fail-check");
    assert!(check < 10 && found.unwrap() < 0.14, "{check} {found:?}");
}

/// A preset stands for what is not written.
#[test]
fn presets_are_as_the_products_have_it() {
    let place = scratch("noticing-presets");
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "5s"
[[clients]]
arrivals = { kind = "poisson", rate = "20/s" }
[[services]]
name = "web"
[[services.servers]]
count = 20
service = { kind = "constant", value = "1ms" }
[services.balancer]
"#;
    let read = |said: &str| {
        let text = format!("{text}{said}\n[[variants]]\nname = \"a\"\n");
        let scenario = read_in(&place, &text);
        let plan = &scenario.variants[0].blueprint.services[0];
        // What is resolved reads back as the same.
        let resolved = toml::to_string(&scenario.resolved).unwrap();
        let again = Scenario::parse(&place.join("test.toml"), &resolved, &[]).unwrap();
        assert_eq!(again.resolved, scenario.resolved);
        (
            plan.groups[0].health_check.clone(),
            plan.balancer.ejection.clone(),
        )
    };
    let checks = |said: &str| {
        let checks = read(&format!("health-check = {{ {said} }}")).0.unwrap();
        let patience = checks.timeout.map(|span| span.seconds());
        (
            checks.interval.seconds(),
            patience,
            (checks.fall, checks.rise),
            checks.cautious_start,
        )
    };
    assert_eq!(checks("preset = \"haproxy\""), (2.0, None, (3, 2), true));
    assert_eq!(checks("preset = \"alb\""), (30.0, Some(5.0), (2, 5), false));
    assert_eq!(
        checks("rise = 3, preset = \"alb\", interval = \"10s\""),
        (10.0, Some(5.0), (2, 3), false)
    );
    assert_eq!(
        checks("preset = \"nginx-plus\""),
        (5.0, None, (1, 1), false)
    );
    assert_eq!(
        checks("preset = \"kubernetes\""),
        (10.0, Some(1.0), (3, 1), false)
    );
    let ejection = |said: &str| read(&format!("ejection = {{ {said} }}")).1.unwrap();
    let Ejection::CircuitBreaker(linkerd) =
        ejection("kind = \"circuit-breaker\", preset = \"linkerd\", trials = 2")
    else {
        panic!("it is a breaker")
    };
    assert_eq!(
        (linkerd.consecutive, linkerd.open.seconds(), linkerd.trials),
        (Some(7), 1.0, 2)
    );
    let Ejection::OutlierDetection(istio) =
        ejection("kind = \"outlier-detection\", preset = \"istio\"")
    else {
        panic!("it is outlier detection")
    };
    assert_eq!(istio.enforcing_success_rate, 0);
    let layers =
        "health-check = {}\nejection = { kind = \"error-limit\", preset = \"haproxy-layer4\" }";
    let Some(Ejection::ErrorLimit(layer4)) = read(layers).1 else {
        panic!("it is a limit of errors")
    };
    assert_eq!(layer4.against, [Against::Connection]);
    assert_eq!((layer4.errors, layer4.on_error), (10, OnError::FailCheck));
    // As each kind is without a preset.
    for (kind, preset) in [
        ("circuit-breaker", "hystrix"),
        ("max-fails", "nginx"),
        ("outlier-detection", "envoy"),
    ] {
        let bare = format!("kind = \"{kind}\"");
        let named = serde_json::to_value(ejection(&format!("{bare}, preset = \"{preset}\"")));
        let mut named = named.unwrap();
        assert_eq!(named["preset"], preset);
        named.as_object_mut().unwrap().remove("preset");
        assert_eq!(named, serde_json::to_value(ejection(&bare)).unwrap());
    }
    let text = format!("{text}health-check = {{ preset = \"elb\" }}");
    let rejected = Scenario::parse(&place.join("test.toml"), &text, &[]).unwrap_err();
    assert!(
        rejected.to_string().contains("did you mean `alb`"),
        "{rejected}"
    );
}

/// `a` joins after a second and takes four to its full share, w = t/4 but at least 0.1. A rule that
/// looks at no weights sends it w/2 of the requests, 25.2% on average; one that does w/(1 + w),
/// which is 0.9 - ln(2/1.1) + 0.1/11 = 31.1%. Of 8,000 requests with a standard deviation of 0.005:
/// 0.025 are five of them, and the seed is fixed.
#[test]
fn who_comes_back_gets_its_share_little_by_little() {
    let share = |strategy: &str, slow_start: &str| {
        let place = scratch(&format!("noticing-start-{strategy}-{}", slow_start.len()));
        let text = format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "5s"
warmup = "1s"
compare = ["{strategy}"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "2000/s" }}
[[services]]
name = "web"
[[services.servers]]
name = "a"
slots = 100
joins = "1s"
service = {{ kind = "constant", value = "1ms" }}
[[services.servers]]
name = "b"
slots = 100
service = {{ kind = "constant", value = "1ms" }}
[services.balancer]
{slow_start}
"#
        );
        let tally = run(&read_in(&place, &text));
        tally.load.servers[0].sent as f64 / tally.requests as f64
    };
    let slow = "slow-start = { lasts = \"4s\" }";
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 0.025, "{found}");
    close(share("random", ""), 0.5);
    close(share("random", slow), 0.2525);
    close(share("weighted-random", slow), 0.311);
    close(
        share(
            "random",
            "slow-start = { lasts = \"4s\", least = \"100%\" }",
        ),
        0.5,
    );
}

#[test]
fn what_cannot_be_is_refused_all_at_once() {
    let place = scratch("noticing-refused");
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "5s"
compare = ["random"]
[[clients]]
arrivals = { kind = "poisson", rate = "20/s" }
deadline-travels = true
[[services]]
name = "web"
[[services.servers]]
service = { kind = "constant", value = "1ms" }
limit = { by = { kind = "gradient", least = 30, most = 20 }, when-full = "wait" }
[services.balancer]
health-check = { interval = "2s", fast-interval = "100ms", timeout = "1s", jitter = "60%" }
ejection = { kind = "slow-servers", most = "0%" }
panic-threshold = "120%"
slow-start = { lasts = "10s", least = "0%" }
limit = { by = { kind = "fixed", requests = 5 }, queue-limit = 3 }
server-limit = { by = { kind = "token-bucket", rate = "5/s" }, when-full = "wait", shares = ["50%"] }
"#;
    let rejected = Scenario::parse(&place.join("test.toml"), text, &[]).unwrap_err();
    let said = rejected.to_string();
    for part in [
        "there is no deadline that could travel",
        "`most` is 20, which is less than `least`, 30",
        "who finds a server's own limit reached is refused",
        "`jitter` is 60%",
        "`most` is 0%",
        "`panic-threshold` is 120%",
        "`least` is 0%",
        "nobody waits where `when-full`",
        "nobody waits for the tokens of one server",
        "a server's limit holds for all classes",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let without = text.replace("jitter = \"60%\"", "jitter = \"50%\"");
    let said = Scenario::parse(&place.join("test.toml"), &without, &[])
        .unwrap_err()
        .to_string();
    assert!(said.contains("which may come after 50ms"), "{said}");
    let unchecked = r#"ejection = { kind = "error-limit" }"#;
    let text = text.replace("health-check = {", "x = {").replace(
        r#"ejection = { kind = "slow-servers", most = "0%" }"#,
        unchecked,
    );
    let text = text.replace(
        "x = { interval = \"2s\", fast-interval = \"100ms\", timeout = \"1s\", jitter = \"60%\" }",
        "",
    );
    let said = Scenario::parse(&place.join("test.toml"), &text, &[])
        .unwrap_err()
        .to_string();
    assert!(said.contains("there are no health checks"), "{said}");
}
