//! The reference of the scenario format: up to date, with an example of each key from a scenario
//! that runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lbsim::scenario::examples::Examples;
use lbsim::scenario::{self, Scenario, keys, reference};

use super::{demand, demand_below_mark, root};

/// The scenarios of the repository, as paths below `scenarios/`.
fn scenarios() -> Vec<PathBuf> {
    fn within(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                within(&path, found);
            } else if path.extension().is_some_and(|is| is == "toml") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    within(&root().join("scenarios"), &mut found);
    found.sort();
    found
}

/// An example of each key: the shortest of all scenarios.
fn examples() -> Examples {
    let mut examples = Examples::default();
    for path in scenarios() {
        let text = fs::read_to_string(&path).unwrap();
        let scenario: serde_json::Value = toml::from_str(&text).unwrap();
        let file = path.strip_prefix(root().join("scenarios")).unwrap();
        let file = file.to_str().unwrap().replace('\\', "/");
        examples.take(scenario::schema(), &file, &scenario);
    }
    examples
}

#[test]
fn each_key_has_an_example_in_a_scenario() {
    let examples = examples();
    let text = serde_json::to_string_pretty(&examples).unwrap();
    demand("src/scenario/examples.json", &(text + "\n"));
    let without: Vec<String> = keys::keys(scenario::schema())
        .into_iter()
        .filter(|key| key.example.is_none())
        .map(|key| format!("{} of {:?}", key.path, key.kinds))
        .collect();
    assert!(
        without.is_empty(),
        "no scenario has these keys (or run this once more, for they are built in): {without:#?}"
    );
}

/// Scenarios that show keys are right, and need no warning but those that they name:
/// `# warns: overloaded-peak`.
#[test]
fn scenarios_that_show_keys_are_scenarios() {
    let mut checked = 0;
    for path in scenarios() {
        if path.parent().is_some_and(|folder| folder.ends_with("keys")) {
            let text = fs::read_to_string(&path).unwrap();
            let scenario = Scenario::parse(&path, &text, &[]);
            let scenario = scenario.unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
            let due: BTreeSet<&str> = text
                .lines()
                .filter_map(|line| line.strip_prefix("# warns: "))
                .flat_map(|codes| codes.split(", "))
                .collect();
            let found: BTreeSet<&str> = (scenario.warnings.iter())
                .map(|warning| warning.code.as_ref())
                .collect();
            assert_eq!(found, due, "{}: {:?}", path.display(), scenario.warnings);
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked}");
}

#[test]
fn the_reference_of_the_format_is_up_to_date() {
    let schema = scenario::schema();
    let pages = reference::markdown(schema, &examples());
    for heading in pages.lines().filter(|line| line.starts_with("## ")) {
        let numbered = heading.ends_with(|c: char| c.is_ascii_digit());
        assert!(
            !numbered,
            "two types are called {heading}; name them in reference.rs"
        );
    }
    let times = pages.split_once("\n## Distribution of times\n").unwrap().1;
    let first = times.split("\n### ").nth(1).unwrap();
    assert!(first.contains("a time such as"), "{first}");
    demand_below_mark(
        "docs/scenario-format.md",
        &format!("{}\n", pages.trim_end()),
    );
    let text = serde_json::to_string_pretty(&schema).unwrap();
    demand("docs/scenario.schema.json", &(text + "\n"));
}
