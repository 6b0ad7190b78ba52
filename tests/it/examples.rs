//! The examples are run as they stand; the tests that stand in them are tests here.

#![allow(unreachable_pub, reason = "an example is a program of its own")]

use std::fs;
use std::path::Path;

#[path = "../../examples/first_run.rs"]
mod first_run;
#[path = "../../examples/own_strategy.rs"]
mod own_strategy;
#[path = "../../examples/sweep.rs"]
mod sweep;
#[path = "../../examples/world_in_code.rs"]
mod world_in_code;

#[test]
fn a_first_run() {
    let report = first_run::report().unwrap();
    let mean = |strategy| report.estimate(strategy, "mean_ms").unwrap();
    assert!(mean("power-of-d") < mean("random"));
    first_run::main().unwrap();
}

/// A rule from outside stands in table, page and files beside one of the list, and is judged as
/// such.
#[test]
fn a_strategy_of_ones_own() {
    let report = own_strategy::report().unwrap();
    let mut rows = report.tables.paired.iter();
    let paired = rows.find(|row| row.metric == "mean_ms").unwrap();
    assert_eq!(
        (&*paired.strategy, &*paired.verdict),
        ("quickest-idle", "better")
    );
    for text in [report.to_string(), report.markdown()] {
        assert!(text.contains("quickest-idle"), "{text}");
    }
    own_strategy::main().unwrap();
}

/// The report says what is written, byte for byte, and the manifest marks the rule as one of nobody
/// here; on other numbers of threads the same.
#[test]
fn what_is_written_is_what_the_report_says() {
    let report = own_strategy::report().unwrap();
    let place = tempfile::tempdir().unwrap();
    let folder = report.write(place.path()).unwrap();
    let files = report.csv().unwrap();
    assert!(files.len() > 10);
    for (name, bytes) in &files {
        assert_eq!(&fs::read(folder.join(name)).unwrap(), bytes, "{name}");
    }
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let strategy = &manifest["variants"][1]["strategy"];
    assert_eq!(strategy["kind"], "custom");
    assert_eq!(strategy["name"], "quickest-idle");
    assert_eq!(&manifest["scenario"]["run"]["compare"][1], strategy);
    let again = own_strategy::experiment().unwrap().threads(3).run();
    assert_eq!(again.unwrap(), report);
}

#[test]
fn a_sweep() {
    let report = sweep::report().unwrap();
    assert_eq!(report.about.sweep.as_ref().unwrap().points.len(), 3);
    let table = report.to_string();
    assert!(
        ["50%", "70%", "90%"]
            .iter()
            .all(|load| table.contains(load)),
        "{table}"
    );
    sweep::main().unwrap();
}

#[test]
fn a_world_in_code() {
    let mean = |copies| {
        let report = world_in_code::report(copies).unwrap();
        report.estimate("least-connections", "mean_ms").unwrap()
    };
    // By light load: 2 ms, and the slowest of one or four of 5 ms each: 5 or 5 (1 + 1/2 + 1/3 +
    // 1/4) = 10.4.
    let (one, four) = (mean(1), mean(4));
    assert!(
        (6.9..8.5).contains(&one) && (12.0..15.0).contains(&four),
        "{one} {four}"
    );
    world_in_code::main().unwrap();
}

/// What the README shows of an example stands there.
#[test]
fn the_readme_shows_the_example_as_it_stands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let (readme, example) = (read("README.md"), read("examples/own_strategy.rs"));
    let lines: Vec<&str> = example.lines().map(str::trim).collect();
    let blocks: Vec<&str> = readme
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        // But for the line that runs it.
        let shown: Vec<&str> = block.lines().map(str::trim).collect();
        let shown = shown
            .strip_suffix(&["println!(\"{}\", Experiment::new(scenario).run()?);"])
            .unwrap_or(&shown);
        assert!(
            lines.windows(shown.len()).any(|own| own == shown),
            "{block}"
        );
    }
}
