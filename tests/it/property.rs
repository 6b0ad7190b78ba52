//! Any scenario that passes the check runs, and what goes in comes out.

use std::path::Path;

use lbsim::model;
use lbsim::scenario::Scenario;
use lbsim::strategy::CATALOGUE;
use proptest::prelude::*;
use proptest::sample::select;

/// Parts of scenarios, to be put together at random.
fn scenarios() -> impl Strategy<Value = String> {
    let arrivals = select(vec![
        r#"{ kind = "poisson", rate = "400/s" }"#,
        r#"{ kind = "constant", rate = "300/s" }"#,
        r#"{ kind = "gamma", rate = "300/s", cv = 3.0 }"#,
        r#"{ kind = "on-off", on-rate = "1500/s", off-rate = "10/s", on = "100ms", off = "300ms" }"#,
        r#"{ kind = "batches", rate = "400/s", size = { kind = "uniform", min = 1.0, max = 9.0 } }"#,
        r#"{ kind = "daily", rate = "300/s", swing = "100%", period = "1s" }"#,
        r#"{ kind = "spike", rate = "100/s", peak = "2000/s", at = "500ms", lasts = "200ms" }"#,
        r#"{ kind = "closed", users = 30, think = { kind = "exponential", mean = "20ms" } }"#,
    ]);
    let service = select(vec![
        r#"{ kind = "exponential", mean = "10ms" }"#,
        r#"{ kind = "constant", value = "10ms" }"#,
        r#"{ kind = "constant", value = "0s" }"#,
        r#"{ kind = "pareto", min = "2ms", shape = 1.5 }"#,
        r#"{ kind = "lognormal", mean = "10ms", cv = 3.0 }"#,
    ]);
    let group = (
        service,
        1u32..6,
        1u32..4,
        select(vec!["fifo", "lifo", "processor-sharing"]),
        select(vec!["", "queue-limit = 0", "queue-limit = 3"]),
        select(vec!["", "speed = \"30%\"", "weight = 3", "weight = 0", "joins = \"700ms\"", "leaves = \"1s\"", "max-connections = 2", "backup = true", "down = true"]),
    )
        .prop_map(|(service, count, slots, discipline, limit, more)| {
            format!("[[services.servers]]\nname = \"NAME\"\nservice = {service}\ncount = {count}\nslots = {slots}\ndiscipline = \"{discipline}\"\n{limit}\n{more}\n")
        });
    let groups = prop::collection::vec(group, 1..4).prop_map(|groups| {
        let named = groups.iter().enumerate();
        named
            .map(|(i, group)| group.replace("NAME", &format!("g{i}")))
            .collect::<String>()
    });
    let balancer = (
        1u32..4,
        select(vec!["no", "cookie"]),
        select(vec!["", "timeout = \"30ms\"", "timeout = \"5ms\"\nabandoned = \"cancel\""]),
        select(vec![
            "",
            "retry = { max = 3 }",
            "retry = { max = 2, on = \"same\", backoff = \"7ms\" }",
            "retry = { max = 1, on = \"any\", jitter = \"none\", error-answers = true }",
        ]),
        select(vec!["", "health-check = { interval = \"50ms\" }", "health-check = { interval = \"20ms\", fall = 1, rise = 1 }"]),
    )
        .prop_map(|(instances, sticky, timeout, retry, check)| {
            format!("[services.balancer]\ninstances = {instances}\nsticky = \"{sticky}\"\n{timeout}\n{retry}\n{check}\n")
        });
    let fault = select(vec![
        "kind = \"crash\"\nat = \"300ms\"\nlasts = \"400ms\"",
        "kind = \"crash\"\nat = \"300ms\"\nanswers = \"hang\"",
        "kind = \"crash\"\nat = \"300ms\"\nlasts = \"100ms\"\nin-flight = \"finish\"",
        "kind = \"random-crashes\"\nmtbf = \"300ms\"\nmttr = \"100ms\"\nanswers = \"hang\"",
        "kind = \"slowdown\"\nat = \"200ms\"\nlasts = \"500ms\"\nspeed = \"10%\"",
        "kind = \"drain\"\nat = \"400ms\"\nlasts = \"400ms\"",
        "kind = \"errors\"\nshare = \"40%\"",
        "kind = \"errors\"\nat = \"600ms\"\ntakes = \"1ms\"",
    ]);
    let faults = prop::collection::vec(fault, 0..4).prop_map(|faults| {
        let all = faults.iter();
        all.map(|fault| format!("[[faults]]\nservers = \"web/*\"\n{fault}\n"))
            .collect::<String>()
    });
    let network = select(vec![
        "",
        "[network]\nclient-to-balancer = { kind = \"exponential\", mean = \"1ms\" }\nbalancer-to-server = { kind = \"constant\", value = \"2ms\" }\n",
        "[network]\nbalancer-to-server = { kind = \"uniform\", min = \"0s\", max = \"9ms\" }\n",
    ]);
    (arrivals, groups, balancer, faults, network, any::<u32>()).prop_map(
        |(arrivals, groups, balancer, faults, network, seed)| {
            // A few strategies of each family: all of them in each case would take minutes.
            let from = seed as usize % 6;
            let some = CATALOGUE.iter().skip(from).step_by(6);
            let names: Vec<String> = some.map(|entry| format!("{:?}", entry.name)).collect();
            format!(
                "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"1500ms\"\nwarmup = \"100ms\"\nseed = {seed}\ncompare = [{}]\n[[clients]]\narrivals = {arrivals}\n{}sessions = {{ idle = \"200ms\" }}\n{network}[[services]]\nname = \"web\"\n{groups}{balancer}{faults}",
                names.join(", "),
                if arrivals.contains("closed") { "" } else { "population = { kind = \"generated\", count = 40 }\n" },
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(text in scenarios()) {
        let scenario = match Scenario::parse(Path::new("any.toml"), &text, &[]) {
            Ok(scenario) => scenario,
            // Some parts exclude each other; the check says so.
            Err(_) => return Ok(()),
        };
        let mut open = None;
        for variant in &scenario.variants {
            let tally = model::run(&variant.blueprint, scenario.seed, 0);
            let failed: u64 = tally.failed.iter().sum();
            prop_assert_eq!(tally.requests, tally.succeeded_count() + failed + tally.unfinished);
            prop_assert!(tally.attempts >= tally.succeeded_count());
            let sent: u64 = tally.load.servers.iter().map(|server| server.sent).sum();
            prop_assert_eq!(sent, tally.attempts);
            prop_assert!(tally.failures.count() == failed);
            for share in tally.load.utilization() {
                prop_assert!((0.0..=1.0 + 1e-9).contains(&share), "{}: {share}", variant.name);
            }
            for one in tally.load.over_time().into_iter().flatten() {
                let shares = [one.utilization, one.there, one.dead];
                prop_assert!(shares.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share)), "{one:?}");
                prop_assert!(one.waiting >= 0.0, "{one:?}");
            }
            prop_assert!(tally.sessions.whole.hurt.iter().sum::<u64>() <= tally.sessions.whole.all);
            for (hurt, lost) in tally.sessions.whole.hurt.iter().zip(&tally.sessions.whole.lost) {
                prop_assert!(hurt <= lost);
            }
            // Open arrivals do not ask the strategy.
            if !text.contains("closed") {
                prop_assert_eq!(*open.get_or_insert(tally.requests), tally.requests);
            }
        }
    }

    /// Most of them pass the check, or the property above would say little.
    #[test]
    fn most_parts_go_together(texts in prop::collection::vec(scenarios(), 20)) {
        let good = texts.iter().filter(|text| Scenario::parse(Path::new("any.toml"), text, &[]).is_ok()).count();
        prop_assert!(good >= 5, "{good} of 20: {:?}", Scenario::parse(Path::new("any.toml"), &texts[0], &[]).err().map(|e| e.to_string()));
    }
}
