//! A run that is killed goes on where it stopped, and ends as if nothing had happened.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{files, lbsim, scratch, stderr};

/// 3 values of 2 strategies, 12 replications and more: a run of a few seconds. A run notes nothing
/// in its first half second.
const SWEEP: &str = r#"
question = "?"
expect = "-"
[run]
duration = "1200s"
warmup = "5s"
replications = 12
precision = "0.5% of mean"
max-replications = 40
compare = ["round-robin", "least-connections"]
[[clients]]
arrivals = { kind = "poisson", rate = "800/s" }
[[services]]
name = "web"
[[services.servers]]
count = 10
service = { kind = "exponential", mean = "10ms" }
[sweep]
path = "clients[0].arrivals.rate"
values = ["300/s", "600/s", "800/s"]
"#;

#[test]
fn ten_kills_leave_no_trace() {
    let place = scratch("resume");
    fs::write(place.join("sweep.toml"), SWEEP).unwrap();
    let whole = lbsim(&place, &["run", "sweep.toml", "-q", "--out", "whole"]);
    assert!(whole.status.success(), "{}", stderr(&whole));
    // Moments that have nothing to do with each other, from the very first to well into the run.
    for millis in [3, 741, 697, 512, 650, 61, 803, 530, 619, 577] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("lbsim"))
            .args(["run", "sweep.toml", "-q", "--out", "torn", "--jobs", "1"])
            .current_dir(&place)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        let ended = child.try_wait().unwrap().is_some();
        // SIGKILL, where there are signals.
        let _ = child.kill();
        child.wait().unwrap();
        assert!(!ended, "the run was over before it could be killed");
        assert!(!place.join("torn/sweep").exists());
    }
    let resumed = lbsim(&place, &["run", "sweep.toml", "--out", "torn"]);
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    assert!(
        stderr(&resumed).contains("goes on where it was interrupted"),
        "{}",
        stderr(&resumed)
    );
    // A run that is killed as it makes itself a workplace leaves its lock alone, which a later run
    // sweeps away once it is old.
    let mut torn = files(&place.join("torn"));
    torn.retain(|(path, _)| path.extension().is_none_or(|ending| ending != "lock"));
    assert_eq!(torn, files(&place.join("whole")));
}

/// `--fresh` does not go on, and ends with the same bytes too.
#[test]
fn a_fresh_start_forgets() {
    let place = scratch("resume-fresh");
    fs::write(place.join("sweep.toml"), SWEEP.replace("0.5%", "5%")).unwrap();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("lbsim"))
        .args(["run", "sweep.toml", "-q", "--jobs", "1"])
        .current_dir(&place)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(800));
    let _ = child.kill();
    child.wait().unwrap();
    let fresh = lbsim(&place, &["run", "sweep.toml", "--fresh"]);
    assert!(fresh.status.success());
    assert!(!stderr(&fresh).contains("goes on"), "{}", stderr(&fresh));
    let names: Vec<_> = fs::read_dir(place.join("results")).unwrap().collect();
    assert_eq!(names.len(), 1, "the journal is gone");
}

/// Starts `arguments`, kills them once there is a journal at work, and runs them again; what the
/// second run said. None where the first was over before it could be killed.
fn interrupted(
    place: &Path,
    arguments: &[&str],
    journal: &str,
    between: impl FnOnce(),
) -> Option<String> {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("lbsim"))
        .args(arguments)
        .args(["-q", "--jobs", "1"])
        .current_dir(place)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let journal = place.join("results").join(journal);
    let is_noted = || fs::metadata(&journal).is_ok_and(|found| found.len() > 600);
    while !is_noted() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let torn = child.wait_with_output().unwrap();
    if !is_noted() {
        assert!(torn.status.success(), "{}", stderr(&torn));
        return None;
    }
    between();
    let again = lbsim(place, arguments);
    assert!(again.status.success(), "{}", stderr(&again));
    Some(stderr(&again))
}

/// A file that the scenario reads has changed between an interrupt and the next run: no cell of the
/// old one is in its results. Where a machine is too quick to be interrupted, it is given more to
/// do.
#[test]
fn other_data_is_another_run() {
    let place = scratch("resume-data");
    let scenario = SWEEP
        .split("[sweep]")
        .next()
        .unwrap()
        .replace("precision = \"0.5% of mean\"\nmax-replications = 40\n", "")
        .replace(
            "{ kind = \"exponential\", mean = \"10ms\" }",
            "{ kind = \"empirical\", file = \"times.csv\", unit = \"1ms\" }",
        );
    let servers = "count = 5\nname = \"quick\"\nservice = { kind = \"exponential\", mean = \"5ms\" }\n[[services.servers]]\ncount = 5\n";
    let run = |more: u32| scenario.replace("1200s", &format!("{}s", 400 * more));
    let tune = |more: u32| {
        format!(
            "{}[tune]\nmax-requests = {}\nconfirmations = 2\n",
            scenario
                .replace("count = 10\n", servers)
                .replace("1200s", "20s"),
            4_000_000 * more
        )
    };
    let quick = "ms\n2\n4\n6\n";
    let slow = "ms\n4\n8\n12\n";
    for (command, file, text, journal, folder) in [
        (
            "run",
            "web.toml",
            &run as &dyn Fn(u32) -> String,
            ".lbsim-unfinished-web.journal",
            "web",
        ),
        (
            "tune",
            "split.toml",
            &tune,
            ".lbsim-unfinished-split.tune.journal",
            "split-tuned",
        ),
    ] {
        let said = [1, 2, 4, 8, 16].into_iter().find_map(|more| {
            fs::write(place.join(file), text(more)).unwrap();
            fs::write(place.join("times.csv"), quick).unwrap();
            interrupted(&place, &[command, file], journal, || {
                fs::write(place.join("times.csv"), slow).unwrap();
            })
        });
        let said = said.expect("a run that could be killed");
        assert!(said.contains("begins anew"), "{said}");
        assert!(said.contains("`times.csv` has changed since"), "{said}");
        let fresh = lbsim(&place, &[command, file, "-q", "--out", "whole"]);
        assert!(fresh.status.success(), "{}", stderr(&fresh));
        let results = place.join("results").join(folder);
        assert_eq!(files(&results), files(&place.join("whole").join(folder)));
    }
}
