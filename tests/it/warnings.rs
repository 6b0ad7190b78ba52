//! What a careful colleague says: each warning where it belongs, and none where it does not.

use std::path::Path;

use lbsim::experiment::{self, Progress, cautions};
use lbsim::scenario::Scenario;
use lbsim::scenario::warning::CATALOGUE;

use crate::support::{lbsim, read_in, scratch, stdout};

const PLAIN: &str = r#"
question = "?"
expect = "-"
[run]
duration = "100s"
replications = 5
compare = ["round-robin"]
[[clients]]
arrivals = { kind = "poisson", rate = "160/s" }
[[services]]
name = "web"
[[services.servers]]
count = 2
service = { kind = "exponential", mean = "10ms" }
"#;

fn scenario(changes: &[(&str, &str)]) -> Scenario {
    let text = changes.iter().fold(PLAIN.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    read_in(Path::new("."), &text)
}

fn of_scenario(changes: &[(&str, &str)]) -> Vec<&'static str> {
    scenario(changes)
        .warnings
        .iter()
        .map(|warning| warning.code)
        .collect()
}

fn of_results(changes: &[(&str, &str)]) -> Vec<&'static str> {
    let scenario = scenario(changes);
    let outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    cautions(&scenario, &outcomes[0])
        .iter()
        .map(|warning| warning.code)
        .collect()
}

#[test]
fn each_is_given_where_it_belongs() {
    assert!(of_scenario(&[]).is_empty());
    assert_eq!(of_scenario(&[("160/s", "210/s")]), ["overloaded"]);
    let closed = r#"{ kind = "closed", users = 9, think = { kind = "constant", value = "1s" } }"#;
    let poisson = r#"{ kind = "poisson", rate = "160/s" }"#;
    assert_eq!(of_scenario(&[(poisson, closed)]), ["closed-loop"]);
    assert_eq!(
        of_scenario(&[("replications = 5", "replications = 2")]),
        ["few-replications"]
    );
    let heavy = r#"{ kind = "lognormal", mean = "10ms", cv = 5.0 }"#;
    assert_eq!(
        of_scenario(&[(r#"{ kind = "exponential", mean = "10ms" }"#, heavy)]),
        ["heavy-tail"]
    );
    let crash = "question = \"?\"\nfaults = [{ kind = \"crash\", servers = \"web\", at = \"5s\", lasts = \"9s\" }]";
    assert_eq!(
        of_scenario(&[("question = \"?\"", crash)]),
        ["fault-in-warmup"]
    );
    let few = "population = { kind = \"generated\", count = 1 }\n[[services]]";
    let hashed = ("\"round-robin\"", "\"ip-hash\"");
    assert_eq!(of_scenario(&[("[[services]]", few), hashed]), ["hot-key"]);
    assert!(
        of_scenario(&[("[[services]]", few)]).is_empty(),
        "no hash, no hot key"
    );
}

#[test]
fn results_are_read_with_care() {
    assert!(of_results(&[]).is_empty());
    let short = [
        ("\"100s\"", "\"9s\""),
        ("replications = 5", "replications = 5\njudge-by = \"p999\""),
    ];
    assert_eq!(of_results(&short), ["too-few-above"]);
    let bounded = ("count = 2", "count = 2\nqueue-limit = 0");
    assert_eq!(of_results(&[bounded]), ["failures-hidden"]);
    // Half of the requests go to a server that can take a third of them.
    let slow = (
        "[[services.servers]]\ncount = 2",
        "[[services.servers]]\nname = \"slow\"\ncount = 1\nspeed = \"50%\"\nservice = { kind = \"exponential\", mean = \"10ms\" }\n[[services.servers]]\ncount = 1",
    );
    assert_eq!(of_results(&[slow, ("160/s", "120/s")]), ["not-settled"]);
}

#[test]
fn each_code_is_explained() {
    let place = scratch("warnings");
    for entry in CATALOGUE {
        let said = stdout(&lbsim(&place, &["explain", entry.code]));
        assert!(
            said.contains(entry.summary) && said.contains(entry.text),
            "{}",
            entry.code
        );
    }
}
