//! The command line, as a user meets it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use lbsim::strategy::CATALOGUE;

use crate::support::{LIVELY, lbsim, scratch, stderr, stdout};

#[test]
fn from_a_starter_to_results() {
    let place = scratch("cli-init");
    assert!(lbsim(&place, &["new", "mine.toml"]).status.success());
    fs::write(place.join("own.toml"), "# mine\n").unwrap();
    let again = lbsim(&place, &["new", "own.toml"]);
    assert_eq!(again.status.code(), Some(1), "it must not overwrite");
    let own = fs::read_to_string(place.join("own.toml")).unwrap();
    assert_eq!(own, "# mine\n");
    let why = stderr(&again);
    assert!(
        why.contains("is there already") && why.contains("a new file"),
        "{why}"
    );
    let checked = lbsim(&place, &["check", "mine.toml"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    assert!(
        stdout(&checked).contains("utilization"),
        "{}",
        stdout(&checked)
    );
    let set = [
        "--set",
        "run.duration=10s",
        "--set",
        "run.warmup=1s",
        "--replications",
        "2",
    ];
    let run = lbsim(&place, &[&["run", "mine.toml"], &set[..]].concat());
    assert!(run.status.success(), "{}", stderr(&run));
    for file in [
        "summary.csv",
        "runs.csv",
        "latency.csv",
        "manifest.json",
        "charts/percentiles.svg",
        "charts/summary.png",
    ] {
        assert!(place.join("results/mine").join(file).is_file(), "{file}");
    }
    let manifest = std::fs::read_to_string(place.join("results/mine/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(
        manifest["changes"],
        serde_json::json!(["run.duration=10s", "run.warmup=1s", "run.replications=2"])
    );
    // Not on a terminal: no progress, no colour.
    assert!(!stdout(&run).contains('\u{1b}') && !stderr(&run).contains('\u{1b}'));
}

#[test]
fn everything_listed_is_explained() {
    let place = scratch("cli-explain");
    let list = stdout(&lbsim(&place, &["list"]));
    for entry in CATALOGUE {
        assert!(list.contains(entry.name), "{}", entry.name);
        let told = lbsim(&place, &["explain", entry.name]);
        assert!(told.status.success());
        for part in ["Sees", "Cost", "Fails when", "Source"] {
            assert!(stdout(&told).contains(part), "{}: {part}", entry.name);
        }
    }
    for name in [
        "limit",
        "limits",
        "aimd",
        "connections",
        "retry",
        "hedge",
        "under-load",
    ] {
        let told = stdout(&lbsim(&place, &["explain", name]));
        assert!(told.contains("Settings:"), "{name}: {told}");
    }
    for name in [
        "lognormal",
        "poisson",
        "on-off",
        "crash",
        "drain",
        "goodput",
        "overloaded",
    ] {
        let told = lbsim(&place, &["explain", name]);
        assert!(told.status.success() && stdout(&told).len() > 80, "{name}");
    }
    let unknown = lbsim(&place, &["explain", "least-conections"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("least-connections"),
        "{}",
        stderr(&unknown)
    );
}

#[test]
fn exit_codes() {
    let place = scratch("cli-codes");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    fs::write(place.join("file"), "").unwrap();
    for (arguments, code) in [
        (&["--version"][..], 0),
        (&["run", "--help"], 0),
        (&["schema"], 0),
        (&["completions", "bash"], 0),
        (&["run", "lively.toml", "--dry-run"], 0),
        (&["run", "lively.toml", "--out", "file"], 1),
        (&[], 2),
        (&["rnu"], 2),
        (&["run"], 2),
        (&["run", "lively.toml", "--jobs", "none"], 2),
        (&["run", "lively.toml", "--jobs", "0"], 2),
        (&["run", "lively.toml", "--set", "run.duration=5parsecs"], 2),
        (&["run", "lively.toml", "--set", "run.duraton=5s"], 2),
        (&["run", "missing.toml"], 2),
        (&["check", "."], 2),
    ] {
        let done = lbsim(&place, arguments);
        assert_eq!(
            done.status.code(),
            Some(code),
            "{arguments:?}: {}{}",
            stdout(&done),
            stderr(&done)
        );
        // What is wrong is said, and only where complaints go.
        assert_eq!(stderr(&done).is_empty(), code == 0, "{arguments:?}");
        assert_eq!(stdout(&done).is_empty(), code != 0, "{arguments:?}");
    }
    assert!(!place.join("results").exists());
}

#[test]
fn results_for_programs() {
    let place = scratch("cli-json");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    let run = lbsim(&place, &["run", "lively.toml", "--format", "json", "-q"]);
    assert!(stderr(&run).is_empty());
    let value: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert!(value.to_string().contains("least-connections"));
    let checked = lbsim(&place, &["check", "lively.toml", "--format", "json"]);
    serde_json::from_str::<serde_json::Value>(&stdout(&checked)).unwrap();
}

#[test]
fn overrides_reach_the_simulation() {
    let place = scratch("cli-set");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    let requests = |set: &[&str]| {
        let run = lbsim(&place, &[&["run", "lively.toml", "-q"], set].concat());
        assert!(run.status.success(), "{}", stderr(&run));
        let runs = fs::read_to_string(place.join("results/lively/runs.csv")).unwrap();
        runs.lines().count()
    };
    assert_eq!(requests(&["--replications", "2"]), 1 + 2 * 2);
    assert_eq!(
        requests(&[
            "--set",
            "run.replications=3",
            "--set",
            "run.compare=[\"random\"]"
        ]),
        1 + 3
    );
}

#[test]
fn two_files_of_one_name_would_overwrite_each_other() {
    let place = scratch("cli-twice");
    fs::create_dir(place.join("other")).unwrap();
    for file in ["lively.toml", "other/lively.toml"] {
        fs::write(place.join(file), LIVELY).unwrap();
    }
    let run = lbsim(&place, &["run", "lively.toml", "other/lively.toml"]);
    assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let place = scratch("cli-pipe");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("lbsim"))
        .args(["schema"])
        .current_dir(&place)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(!stderr(&done).contains("panic"), "{}", stderr(&done));
}

/// Ctrl-C: exit code 130, nothing half-written, and earlier results as they were.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing() {
    let place = scratch("cli-interrupt");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    assert!(
        lbsim(&place, &["run", "lively.toml", "-q"])
            .status
            .success()
    );
    let before = crate::support::files(&place.join("results"));
    let child = Command::new(assert_cmd::cargo::cargo_bin("lbsim"))
        .args(["run", "lively.toml", "--set", "run.duration=20000s"])
        .current_dir(&place)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130), "{}", stderr(&done));
    assert!(stderr(&done).contains("interrupt"), "{}", stderr(&done));
    assert_eq!(crate::support::files(&place.join("results")), before);
    let names: Vec<_> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_word_of_several_strategies_lists_them_and_a_word_of_one_explains_it() {
    let place = scratch("explain-word");
    let several = stdout(&lbsim(&place, &["explain", "least_conn"]));
    for name in ["least-connections", "nginx-least-conn", "haproxy-leastconn"] {
        assert!(several.contains(name), "{several}");
    }
    let one = stdout(&lbsim(&place, &["explain", "jsq"]));
    let named = stdout(&lbsim(&place, &["explain", "join-shortest-queue"]));
    assert_eq!(one, named);
}

#[test]
fn what_is_looked_for_is_found() {
    let place = scratch("explain-search");
    let told = |words: &[&str]| stdout(&lbsim(&place, &[&["explain"], words].concat()));
    for (words, found) in [
        (&["nginx"][..], "nginx-round-robin"),
        (&["p2c"], "power-of-d"),
        (&["least-conn"], "least-connections"),
        (&["slow", "start"], "services.balancer.slow-start"),
        (&["lost"], "faults.in-flight"),
        // Keys, by their name or by the end of their path, with what they take.
        (
            &["clients.retry.max"],
            "takes      a whole number, 0 to 100",
        ),
        (&["judge-by"], "default    \"mean\""),
        (&["p95"], "Any percentile"),
        (&["success-share"], "success_share"),
    ] {
        let told = told(words);
        assert!(told.contains(found), "{words:?}: {told}");
    }
    // Each metric says what it is.
    let list: serde_json::Value = serde_json::from_str(&stdout(&lbsim(
        &place,
        &["list", "metrics", "--format", "json"],
    )))
    .unwrap();
    let metrics = list.as_array().unwrap();
    assert!(metrics.len() > 30);
    assert!(
        metrics
            .iter()
            .all(|own| own["summary"].as_str().unwrap().len() > 10),
        "{list}"
    );
    let only = stdout(&lbsim(&place, &["list", "faults", "discipline"]));
    assert!(only.contains("crash") && only.contains("processor-sharing"));
    assert!(!only.contains("round-robin"));
    let wrong = lbsim(&place, &["list", "falts"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("did you mean `faults`?"));
}

/// Each template is a scenario that runs without a warning, and what it requires holds.
#[test]
fn each_template_is_a_scenario_to_start_from() {
    let place = scratch("new-templates");
    for template in ["web", "tiers", "sessions", "autoscaled", "regions"] {
        let file = format!("{template}.toml");
        let done = lbsim(&place, &["new", "--template", template, &file]);
        assert!(done.status.success(), "{}", stderr(&done));
        let run = lbsim(&place, &["run", &file, "--strict"]);
        let said = stderr(&run);
        assert!(
            run.status.success() && said.is_empty(),
            "{template}: {said}"
        );
    }
}

#[test]
fn pages_for_man_and_completions_that_know_names() {
    let place = scratch("cli-man");
    let page = stdout(&lbsim(&place, &["man", "run"]));
    assert!(
        page.contains(".TH lbsim-run 1") && page.contains("dry\\-run"),
        "{page}"
    );
    assert!(lbsim(&place, &["man", "--out", "pages"]).status.success());
    for name in ["lbsim.1", "lbsim-run.1", "lbsim-size.1"] {
        assert!(place.join("pages").join(name).is_file(), "{name}");
    }
    let script = stdout(&lbsim(&place, &["completions", "bash"]));
    assert!(script.contains("LBSIM_COMPLETE"), "{script}");
    // As the script asks.
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_lbsim"))
        .args(["--", "lbsim", "explain", "least"])
        .env("LBSIM_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "2")
        .env("_CLAP_IFS", "\n")
        .current_dir(&place)
        .output()
        .unwrap();
    let names = stdout(&done);
    assert!(
        names.lines().any(|name| name == "least-connections"),
        "{names}"
    );
}

#[test]
fn a_dry_run_says_how_long_it_takes_and_writes_nothing() {
    let place = scratch("cli-dry");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    let said = stdout(&lbsim(
        &place,
        &["run", "lively.toml", "--dry-run", "--jobs", "1"],
    ));
    assert!(said.contains(" on 1 thread"), "{said}");
    // 40 users who do not think ask five servers of 100/s each as often as these can answer.
    let users = "arrivals = { kind = \"closed\", users = 40, think = { kind = \"constant\", value = \"0s\" } }";
    let lines = LIVELY.lines().map(|line| match line.split(' ').next() {
        Some("arrivals") => users,
        Some("population") => "",
        _ => line,
    });
    let closed: Vec<&str> = lines.collect();
    fs::write(place.join("closed.toml"), closed.join("\n")).unwrap();
    let said = stdout(&lbsim(&place, &["run", "closed.toml", "--dry-run"]));
    // For 20 s, four times, under two strategies.
    assert!(said.contains("about 0.08 million"), "{said}");
    assert!(!place.join("results").exists());
}

/// `watch` begins with two replications, goes on to all, and begins anew when the file changes.
#[test]
fn a_scenario_is_watched() {
    let place = scratch("cli-watch");
    let folder = place.join("watched");
    let file = folder.join("lively.toml");
    fs::create_dir(&folder).unwrap();
    fs::write(&file, LIVELY).unwrap();
    let mut watching = std::process::Command::new(env!("CARGO_BIN_EXE_lbsim"))
        .args(["watch", "watched/lively.toml", "--replications", "3"])
        .current_dir(&place)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::BufRead;
    let said = std::io::BufReader::new(watching.stderr.take().unwrap());
    let mut lines = said.lines().map(Result::unwrap);
    let mut until = |due: &str| {
        let found = lines.by_ref().find(|line| line.contains(due));
        found.unwrap_or_else(|| panic!("it ended before it said {due}"))
    };
    until("2 of 3 replications");
    until("waits for `watched/lively.toml`");
    fs::write(&file, LIVELY.replace("round-robin", "rnd-robin")).unwrap();
    until("round-robin");
    until("waits for");
    fs::write(&file, LIVELY).unwrap();
    until("2 of 3 replications");
    until("waits for");
    // Another folder of that name, as a checkout makes it.
    fs::remove_dir_all(&folder).unwrap();
    until("waits for");
    fs::create_dir(&folder).unwrap();
    fs::write(&file, LIVELY).unwrap();
    until("2 of 3 replications");
    until("waits for");
    watching.kill().unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut watching.stdout.take().unwrap(), &mut text).unwrap();
    watching.wait().unwrap();
    assert_eq!(text.matches("3 replications of").count(), 3, "{text}");
    assert!(!place.join("results").exists());
}
