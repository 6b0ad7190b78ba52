//! Results take the place of results, and of nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{lbsim, scratch, stderr};

const SMALL: &str = r#"
question = "?"
expect = "-"
[run]
duration = "1s"
compare = ["random"]
[[clients]]
arrivals = { kind = "poisson", rate = "300/s" }
[[services]]
name = "web"
servers = [
    { name = "a", service = { kind = "exponential", mean = "1ms" } },
    { name = "b", service = { kind = "exponential", mean = "2ms" } },
]
[tune]
max-requests = 100_000
confirmations = 2
[size]
vary = "load"
min = "10%"
max = "20%"
objective = ["mean < 1s"]
"#;

/// A folder that happens to bear the scenario's name, with the scenario in it.
#[test]
fn a_folder_of_the_scenarios_name_is_left_alone() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/foreign-files.sh");
    let done = Command::new("bash")
        .arg(script)
        .arg(assert_cmd::cargo::cargo_bin("lbsim"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("cannot be replaced by results"), "{said}");
}

/// Each command that writes a folder refuses before it simulates anything, and leaves everything as
/// it is.
#[test]
fn every_command_refuses_before_it_begins() {
    let place = scratch("folders-refuse");
    fs::write(place.join("web.toml"), SMALL).unwrap();
    for (arguments, folder) in [
        (&["run", "web.toml"][..], "web"),
        (&["tune", "web.toml"], "web-tuned"),
        (&["size", "web.toml"], "web-sized"),
        (&["validate", "--quick"], "validation"),
    ] {
        let results = place.join("results");
        fs::create_dir_all(results.join(folder)).unwrap();
        fs::write(results.join(folder).join("notes.txt"), "mine").unwrap();
        let done = lbsim(&place, arguments);
        let said = stderr(&done);
        assert!(!done.status.success());
        for words in [folder, "notes.txt", "--out"] {
            assert!(said.contains(words), "{arguments:?}: {said}");
        }
        assert!(done.stdout.is_empty() && !said.contains("simulating"));
        let left: Vec<_> = fs::read_dir(&results).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        fs::remove_dir_all(results).unwrap();
    }
}

/// What each command writes, it replaces; and what killed runs left is gone then.
#[test]
fn results_take_the_place_of_results() {
    let place = scratch("folders-replace");
    fs::write(place.join("web.toml"), SMALL).unwrap();
    fs::create_dir_all(place.join("results/.lbsim-unfinished-dead/charts")).unwrap();
    for arguments in [&["run", "web.toml"][..], &["tune", "web.toml"]] {
        for _ in 0..2 {
            let done = lbsim(&place, arguments);
            assert!(done.status.success(), "{}", stderr(&done));
        }
    }
    let requests = lbsim(&place, &["run", "web.toml", "--requests"]);
    assert!(requests.status.success(), "{}", stderr(&requests));
    let again = lbsim(&place, &["run", "web.toml"]);
    assert!(again.status.success(), "{}", stderr(&again));
    let mut left: Vec<_> = fs::read_dir(place.join("results"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["web", "web-tuned"]);
}

/// Rows that are gone would make other figures of what is left.
#[test]
fn a_file_that_lacks_rows_is_refused() {
    let place = scratch("folders-cut");
    fs::write(place.join("web.toml"), SMALL).unwrap();
    for (arguments, folder, file) in [
        (&["run", "web.toml"][..], "web", "latency.csv"),
        (&["tune", "web.toml"], "web-tuned", "search.csv"),
        (&["size", "web.toml"], "web-sized", "tried.csv"),
    ] {
        let done = lbsim(&place, arguments);
        assert!(done.status.code().unwrap() < 2, "{}", stderr(&done));
        let folder = format!("results/{folder}");
        let again = lbsim(&place, &["report", &folder]);
        assert!(again.status.success(), "{}", stderr(&again));
        let path = place.join(&folder).join(file);
        let text = fs::read_to_string(&path).unwrap();
        let rows = text.lines().count() - 1;
        let kept: Vec<&str> = text.lines().take(rows).collect();
        fs::write(&path, kept.join("\n") + "\n").unwrap();
        let refused = lbsim(&place, &["report", &folder]);
        let due = format!("`{file}` has {} rows, and {rows} were written", rows - 1);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(&due), "{}", stderr(&refused));
    }
}
