//! Sweeps: one value takes several in turn.

use std::fs;

use serde_json::Value;

use crate::support::{files, lbsim, scratch, stderr, stdout};

const SWEPT: &str = r#"
question = "What does load do?"
expect = "It hurts."

[run]
duration = "20s"
replications = 3
compare = ["random", "least-connections"]

[[clients]]
arrivals = { kind = "poisson", rate = "100/s" }

[[services]]
name = "web"

[[services.servers]]
count = 4
queue-limit = 20
service = { kind = "exponential", mean = "10ms" }

[sweep]
path = "clients[0].arrivals.rate"
values = ["100/s", "300/s", "390/s"]
label = "Requests a second"
"#;

#[test]
fn each_point_is_the_scenario_with_that_value() {
    let place = scratch("sweep-points");
    fs::write(place.join("swept.toml"), SWEPT).unwrap();
    let done = lbsim(&place, &["run", "swept.toml", "--format", "json"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let swept: Value = serde_json::from_str(&stdout(&done)).unwrap();
    let (plain, _) = SWEPT.split_once("[sweep]").unwrap();
    fs::write(place.join("plain.toml"), plain).unwrap();
    for rate in ["100/s", "300/s", "390/s"] {
        let set = format!("clients[0].arrivals.rate={rate}");
        let done = lbsim(
            &place,
            &["run", "plain.toml", "--format", "json", "--set", &set],
        );
        let alone: Value = serde_json::from_str(&stdout(&done)).unwrap();
        let mut compared = 0;
        for row in alone[0]["summary"].as_array().unwrap() {
            let same = swept[0]["sweep"].as_array().unwrap().iter().find(|other| {
                other["value"] == rate
                    && other["strategy"] == row["strategy"]
                    && other["metric"] == row["metric"]
            });
            assert_eq!(same.unwrap()["estimate"], row["estimate"], "{row}");
            compared += 1;
        }
        assert_eq!(compared, 32);
    }
}

#[test]
fn its_files_are_the_same_for_any_number_of_threads() {
    let place = scratch("sweep-threads");
    fs::write(place.join("swept.toml"), SWEPT).unwrap();
    for jobs in ["1", "3"] {
        let done = lbsim(
            &place,
            &["run", "swept.toml", "--jobs", jobs, "--out", jobs],
        );
        assert!(done.status.success(), "{}", stderr(&done));
        assert!(
            stdout(&done).contains("Requests a second (mean_ms)"),
            "{}",
            stdout(&done)
        );
        assert!(
            stdout(&done).contains("success_share, %"),
            "{}",
            stdout(&done)
        );
    }
    let written = files(&place.join("1"));
    assert_eq!(written, files(&place.join("3")));
    let names: Vec<String> = written
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    for name in [
        "runs.csv",
        "sweep.csv",
        "paired.csv",
        "summary.md",
        "charts/sweep-p99.svg",
    ] {
        assert!(
            names.contains(&format!("swept/{name}")),
            "{name} in {names:?}"
        );
    }
}

#[test]
fn bad_sweeps_are_refused() {
    let place = scratch("sweep-bad");
    for (from, to, says) in [
        (
            "clients[0].arrivals.rate",
            "clients[0].arivals.rate",
            "unknown key `arivals`",
        ),
        (
            "\"300/s\"",
            "\"fast\"",
            "not every value begins with a number",
        ),
        ("\"300/s\"", "\"300 cars\"", "with \"300 cars\""),
        ("\"100/s\", \"300/s\", \"390/s\"", "\"100/s\"", "2"),
        ("label =", "at = [1.0]\nlabel =", "1 places for 3 values"),
        (
            "path = \"clients[0].arrivals.rate\"\nvalues = [\"100/s\", \"300/s\", \"390/s\"]",
            "path = \"run.compare\"\nvalues = [[\"random\"], [\"round-robin\"]]\nat = [1.0, 2.0]",
            "other things are compared",
        ),
    ] {
        assert!(SWEPT.contains(from), "{from}");
        fs::write(place.join("swept.toml"), SWEPT.replace(from, to)).unwrap();
        let done = lbsim(&place, &["run", "swept.toml"]);
        let said = stderr(&done);
        assert_eq!(done.status.code(), Some(2), "{to}: {said}");
        assert!(
            said.contains(says) && said.contains("swept.toml:"),
            "{to}: {said}"
        );
        assert!(!place.join("results").exists());
    }
}
