//! A cell can be simulated in several ways, of which the quickest that suits is taken: all give the
//! same bytes.

use std::fs;
use std::path::Path;

use lbsim::model::blueprint::Blueprint;
use lbsim::model::{self, Way};
use lbsim::observe::Tally;
use lbsim::scenario::Scenario;
use lbsim::strategy::CATALOGUE;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{read_in, scratch};

/// Plain systems, which are simulated by quicker ways of their own: half of them with requests that
/// never pass each other, which lets the quickest suit rules that look at nothing.
fn plain_scenarios() -> impl Strategy<Value = String> {
    let arrivals = select(vec![
        r#"{ kind = "poisson", rate = "400/s" }"#,
        r#"{ kind = "gamma", rate = "300/s", cv = 3.0 }"#,
        r#"{ kind = "constant", rate = "500/s" }"#,
        r#"{ kind = "batches", rate = "300/s", size = { kind = "uniform", min = 1.0, max = 9.0 } }"#,
        // Far more than can be done: the run is cut off.
        r#"{ kind = "poisson", rate = "9000/s" }"#,
    ]);
    let service = select(vec![
        r#"{ kind = "exponential", mean = "10ms" }"#,
        r#"{ kind = "constant", value = "10ms" }"#,
        r#"{ kind = "constant", value = "0s" }"#,
        r#"{ kind = "lognormal", mean = "10ms", cv = 3.0 }"#,
        // Longer than the run.
        r#"{ kind = "exponential", mean = "2s" }"#,
    ]);
    let group = (
        service,
        1u32..6,
        1u32..5,
        select(vec!["fifo", "DISCIPLINE"]),
        select(vec!["", "speed = \"30%\"", "weight = 3", "weight = 0", "backup = true", "down = true", "per-size = \"1ms\""]),
    )
        .prop_map(|(service, count, slots, discipline, more)| {
            format!("[[services.servers]]\nname = \"NAME\"\nservice = {service}\ncount = {count}\nslots = {slots}\ndiscipline = \"{discipline}\"\n{more}\n")
        });
    let groups = prop::collection::vec(group, 1..4).prop_map(|groups| {
        let named = groups.iter().enumerate();
        named
            .map(|(i, group)| group.replace("NAME", &format!("g{i}")))
            .collect::<String>()
    });
    let client = arrivals.prop_map(|arrivals| {
        format!("[[clients]]\narrivals = {arrivals}\npopulation = {{ kind = \"generated\", count = 40 }}\nsize = {{ kind = \"exponential\", mean = 2.0 }}\n")
    });
    (prop::collection::vec(client, 1..3), groups, any::<u32>()).prop_map(
        |(clients, groups, seed)| {
            let groups = groups.replace("DISCIPLINE", ["fifo", "lifo"][seed as usize / 8 % 2]);
            let from = seed as usize % 4;
            let some = CATALOGUE.iter().skip(from).step_by(4);
            let names: Vec<String> = some.map(|entry| format!("{:?}", entry.name)).collect();
            format!(
                "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"1500ms\"\nwarmup = \"100ms\"\nseed = {seed}\ncompare = [{}]\n{}[[services]]\nname = \"web\"\n{groups}",
                names.join(", "),
                clients.concat(),
            )
        },
    )
}

/// The ways that suit a world give the same bytes, and all are tried that suit any.
fn ways_agree(blueprint: &Blueprint, seed: u64) -> Result<Vec<Way>, String> {
    let stored = |tally: &Tally| serde_json::to_string(tally).unwrap();
    let whole = model::run_this_way(Way::World, blueprint, seed, 0).map(|tally| stored(&tally));
    let mut tried = Vec::new();
    for way in [Way::Lindley, Way::Plain] {
        if let Some(tally) = model::run_this_way(way, blueprint, seed, 0) {
            tried.push(way);
            if Some(stored(&tally)) != whole {
                return Err(format!("{way:?} gives something else"));
            }
        }
    }
    let chosen = model::run(blueprint, seed, 0);
    match Some(stored(&chosen)) == whole {
        true => Ok(tried),
        false => Err("what is chosen gives something else".to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn all_ways_to_simulate_a_system_agree(text in plain_scenarios()) {
        let Ok(scenario) = Scenario::parse(Path::new("any.toml"), &text, &[]) else {
            return Ok(());
        };
        for variant in &scenario.variants {
            let found = ways_agree(&variant.blueprint, scenario.seed);
            prop_assert!(found.is_ok(), "{}: {}", variant.name, found.unwrap_err());
        }
    }
}

/// A world of one service at `rate`, with these servers and this strategy.
fn simple(rate: u32, servers: &str, strategy: &str) -> Scenario {
    let text = format!(
        "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"2s\"\nwarmup = \"200ms\"\ncompare = [{strategy:?}]\n\
         [[clients]]\narrivals = {{ kind = \"constant\", rate = \"{rate}/s\" }}\n\
         population = {{ kind = \"generated\", count = 40 }}\n[[services]]\nname = \"web\"\n[[services.servers]]\n{servers}\n"
    );
    Scenario::from_text("simple.toml", &text).unwrap_or_else(|e| panic!("{e}"))
}

/// Each rule that heeds no answers is simulated by Lindley's recursion, and no other.
#[test]
fn rules_that_heed_no_answers_need_no_calendar() {
    let mut count = 0;
    for entry in CATALOGUE {
        let servers = "count = 3\nslots = 2\nservice = { kind = \"exponential\", mean = \"10ms\" }";
        let scenario = simple(500, servers, entry.name);
        let blueprint = &scenario.variants[0].blueprint;
        let strategy = &blueprint.services[0].balancer.strategy;
        let ways = ways_agree(blueprint, 7).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        let foregone = blueprint.features().is_plain() && !strategy.heeds_answers();
        assert_eq!(ways.contains(&Way::Lindley), foregone, "{}", entry.name);
        count += usize::from(foregone);
    }
    assert!(count >= 25, "{count} of {}", CATALOGUE.len());
}

/// Where a request of the warm-up goes at the very instant at which the run ends, order decides
/// whether it still counts, and the recursion leaves that to the calendar.
#[test]
fn what_only_a_calendar_knows_is_left_to_it() {
    let place = scratch("ways");
    let ways = |rows: &str| {
        // A trace begins with its first row.
        fs::write(place.join("trace.csv"), format!("at,takes\n0,0\n{rows}")).unwrap();
        let scenario = read_in(
            &place,
            r#"
            question = "?"
            expect = "!"
            [run]
            duration = "2s"
            warmup = "1s"
            compare = ["random"]
            [[clients]]
            arrivals = { kind = "trace", file = "trace.csv", columns = { time = "at", service = "takes" } }
            [[services]]
            name = "web"
            [[services.servers]]
            slots = 2
            service = { kind = "constant", value = "1s" }
            "#,
        );
        ways_agree(&scenario.variants[0].blueprint, 1).unwrap()
    };
    // The one that is measured goes at 2.5 s, and the run with it; times as halves are exact.
    for (takes, ways_that_tell) in [
        ("1.75", vec![Way::Lindley, Way::Plain]),
        ("2", vec![Way::Plain]),
        ("2.5", vec![Way::Lindley, Way::Plain]),
    ] {
        assert_eq!(
            ways(&format!("0.5,{takes}\n1.5,1\n")),
            ways_that_tell,
            "{takes}"
        );
    }
    // The window ends at 2 s, and nobody who is measured is there.
    assert_eq!(ways("0.5,1.5\n1.5,0.25\n"), [Way::Plain]);
}

fn is_plain(server: &str, rest: &str) -> bool {
    let text = format!(
        "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"1s\"\ncompare = [\"least-connections\"]\n[[clients]]\n\
         arrivals = {{ kind = \"poisson\", rate = \"50/s\" }}\n[[services]]\nname = \"web\"\n[[services.servers]]\n\
         service = {{ kind = \"exponential\", mean = \"10ms\" }}\n{server}\n{rest}\n"
    );
    let scenario = Scenario::from_text("any.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    scenario.variants[0].blueprint.features().is_plain()
}

#[test]
fn what_a_plain_system_lacks_is_not_plain() {
    assert!(is_plain("count = 3\nslots = 2\ndiscipline = \"lifo\"", ""));
    for server in [
        "queue-limit = 5",
        "discipline = \"processor-sharing\"",
        "joins = \"100ms\"",
        "leaves = \"900ms\"",
        "max-connections = 9",
        "steps = [{ work = { kind = \"constant\", value = \"1ms\" } }]",
    ] {
        assert!(!is_plain(server, ""), "{server}");
    }
    for rest in [
        "[services.balancer]\ntimeout = \"1s\"",
        "[services.balancer]\nsticky = \"cookie\"",
        "[services.balancer]\ninstances = 2",
        "[services.balancer]\nhealth-check = { interval = \"100ms\" }",
        "[network]\nbalancer-to-server = { kind = \"constant\", value = \"1ms\" }",
        "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"500ms\"",
    ] {
        assert!(!is_plain("", rest), "{rest}");
    }
}
