//! Sweeps: one value takes several in turn.

use std::fs;

use lbsim::Scenario;
use lbsim::experiment::METRICS;
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
        // Every metric of both strategies.
        assert_eq!(compared, 2 * METRICS.len());
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
        assert!(stdout(&done).contains("(mean_ms)"), "{}", stdout(&done));
        assert!(
            stdout(&done).contains("(success_share, %)"),
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
        ("label =", "at = [1.0]\nlabel =", "1 place for 3 values"),
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

/// An axis says in what its places are counted: of shares always, of others where the scenario does
/// not name the axis.
#[test]
fn the_axis_of_a_sweep_has_a_unit() {
    let (plain, _) = SWEPT.split_once("[sweep]").unwrap();
    for (sweep, title) in [
        ("path = 'load'\nvalues = ['20%', '40%']", "load (%)"),
        (
            "path = 'load'\nvalues = ['20%', '40%']\nlabel = 'Load'",
            "Load (%)",
        ),
        (
            "path = 'load'\nvalues = ['20%', '40%']\nlabel = 'Load in %'",
            "Load in %",
        ),
        (
            "path = 'services.web.balancer.timeout'\nvalues = ['50ms', '1s']",
            "services.web.balancer.timeout (ms)",
        ),
        (
            "path = 'services.web.balancer.timeout'\nvalues = ['1s', '1min']",
            "services.web.balancer.timeout (s)",
        ),
        (
            "path = 'clients[0].arrivals.rate'\nvalues = ['10/s', '20/s']\nlabel = 'Rate'",
            "Rate",
        ),
    ] {
        let text = format!("{plain}[sweep]\n{sweep}\n").replace("\"20s\"", "\"5s\"");
        let scenario = Scenario::from_text("swept.toml", &text).unwrap();
        let report = lbsim::Experiment::new(scenario).run().unwrap();
        let charts = report.charts();
        let mean = charts
            .iter()
            .find(|chart| chart.name == "sweep-mean")
            .unwrap();
        assert!(mean.svg.contains(&format!("\n{title}\n")), "{title}");
    }
}

/// `load` is that of the first service; another's is named, a called one's among them.
#[test]
fn the_load_of_any_service_can_be_swept() {
    let more = "[[services.steps]]\ncall = 'store'\ncopies = 2\n[[services]]\nname = 'store'\n\
        [[services.servers]]\ncount = 3\nservice = { kind = 'exponential', mean = '5ms' }\n";
    let (plain, _) = SWEPT.split_once("[sweep]").unwrap();
    let read = |path: &str, more_sweep: &str| {
        let sweep = format!("[sweep]\npath = '{path}'\nvalues = ['40%', '60%']\n{more_sweep}");
        Scenario::from_text("swept.toml", &format!("{plain}{more}{sweep}"))
    };
    for (path, service, label) in [
        ("load", 0, "load of web"),
        ("load.web", 0, "load.web"),
        ("load.store", 1, "load.store"),
    ] {
        let swept = read(path, "").unwrap();
        for (run, due) in swept.runs().into_iter().zip([0.4, 0.6]) {
            let found = run.variants[0].blueprint.utilization(service).unwrap();
            assert!((found - due).abs() < 1e-9, "{path}: {found}");
        }
        let sweep = swept.sweep.unwrap();
        assert_eq!((sweep.label.as_str(), sweep.unit.as_str()), (label, "%"));
    }
    let refused = |path: &str, more: &str| read(path, more).err().unwrap().to_string();
    let said = refused("load.stroe", "");
    assert!(
        said.contains("there is no service `stroe`; did you mean `load.store`?"),
        "{said}"
    );
    let two = "[sweep.and]\npath = 'load.store'\nvalues = ['10%', '20%']\n";
    assert!(refused("load", two).contains("two loads cannot be set at once"));
}

/// The load is scaled to what the second value leaves of the capacity, and points at which queues
/// would grow for ever are left empty.
#[test]
fn a_grid_of_load_and_servers() {
    let place = scratch("sweep-grid");
    let (plain, _) = SWEPT.split_once("[sweep]").unwrap();
    let text = plain
        .replace("queue-limit = 20", "")
        .replace("duration = \"20s\"", "duration = \"200s\"")
        + "[sweep]\npath = 'load'\nvalues = ['50%', '80%', '110%']\n\
           [sweep.and]\npath = 'services[0].servers[0].count'\nvalues = [2, 8]\n";
    fs::write(place.join("grid.toml"), &text).unwrap();
    let done = lbsim(&place, &["run", "grid.toml", "--format", "json"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let grid: Value = serde_json::from_str(&stdout(&done)).unwrap();
    let find = |load: &str, servers: &str, metric: &str| {
        let rows = grid[0]["sweep"].as_array().unwrap();
        let fits = |row: &&Value| {
            row["value"] == load
                && row["value_2"] == servers
                && row["strategy"] == "random"
                && row["metric"] == metric
        };
        rows.iter().find(fits).unwrap()["estimate"].as_f64()
    };
    for servers in ["2", "8"] {
        for (load, share) in [("50%", 0.5), ("80%", 0.8)] {
            // Three runs of 18,000 to 115,000 requests: the standard error is below 0.4 points.
            let found = find(load, servers, "utilization_mean").unwrap();
            assert!((found - share).abs() < 0.02, "{load} of {servers}: {found}");
        }
        assert_eq!(find("110%", servers, "mean_ms"), None);
    }
    assert!(place.join("results/grid/charts/grid.svg").exists());
    fs::write(
        place.join("all.toml"),
        text.replace("['50%', '80%', '110%']", "['101%', '110%']"),
    )
    .unwrap();
    let refused = lbsim(&place, &["run", "all.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("overloaded = \"run\""),
        "{}",
        stderr(&refused)
    );
}

/// What decides is drawn, over an axis in the unit of the values; and where nobody loses a session
/// there is no chart of losses.
#[test]
fn a_sweep_draws_what_it_is_judged_by() {
    let text = |sweep: &str| {
        let (plain, _) = SWEPT.split_once("[sweep]").unwrap();
        let plain = plain
            .replace(
                "[run]",
                "[run]\njudge-by = \"sessions-hurt\"\nwarmup = \"5s\"",
            )
            .replace(
                "[[services]]",
                "population = { kind = \"generated\", count = 100 }\nsessions = { idle = \"1h\" }\n[[services]]",
            )
            .replace("name = \"web\"", "name = \"web\"\nstate = { kind = \"server\", ttl = \"1h\" }\nbalancer = { sticky = \"cookie\" }");
        Scenario::from_text("swept.toml", &format!("{plain}{sweep}")).unwrap()
    };
    let charts = |sweep: &str| {
        let report = lbsim::Experiment::new(text(sweep)).run().unwrap();
        report.charts()
    };
    let swept = charts("[sweep]\npath = 'services.web.state.ttl'\nvalues = ['1s', '5s']\n");
    let judged = (swept.iter())
        .find(|chart| chart.name == "sweep-judged")
        .unwrap();
    for title in [
        "services.web.state.ttl (s)",
        "Sessions that lost their state (%)",
    ] {
        assert!(judged.svg.contains(&format!("\n{title}\n")), "{title}");
    }
    let names: Vec<&str> = (charts("").iter()).map(|chart| chart.name).collect();
    assert!(!names.contains(&"sessions"), "{names:?}");
}
