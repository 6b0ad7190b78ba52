//! Response times of a real system, beside those simulated.

use std::fs;

use crate::support::{lbsim, scratch, stderr, stdout};

const WITH: &str = r#"
question = "Is the simulation right?"
expect = "It is."

[run]
duration = "20s"
replications = 2
compare = ["random"]

[[clients]]
arrivals = { kind = "poisson", rate = "100/s" }

[[services]]
name = "web"

[[services.servers]]
count = 4
service = { kind = "exponential", mean = "10ms" }

[[measured]]
name = "real"
file = "real.csv"
column = "took"
unit = "us"
"#;

#[test]
fn they_stand_in_table_files_and_chart() {
    let place = scratch("measured");
    fs::write(place.join("with.toml"), WITH).unwrap();
    let rows: String = (1..=20_000)
        .map(|i| format!("{i},{}\n", 50 * (20_001 - i)))
        .collect();
    fs::write(place.join("real.csv"), format!("id,took\n{rows}")).unwrap();
    let done = lbsim(&place, &["run", "with.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let table = stdout(&done);
    let line = table.lines().find(|line| line.contains("real")).unwrap();
    // 0.05 ms to 1,000 ms: nearest ranks 500 and 990; too few lie above the 99.9th percentile.
    for figure in ["500 ", "990 ", "–", "measured"] {
        assert!(line.contains(figure), "{figure} in {line}");
    }
    let latency = fs::read_to_string(place.join("results/with/latency.csv")).unwrap();
    assert!(latency.contains("\nreal,99.0,990.0,200\n"), "{latency}");
    let chart = fs::read_to_string(place.join("results/with/charts/percentiles.svg")).unwrap();
    assert!(chart.contains("\nreal\n") || chart.contains(">real<"));
}

#[test]
fn bad_measurements_are_refused() {
    let place = scratch("measured-bad");
    fs::write(place.join("real.csv"), "id,took\n1,5\n2,soon\n").unwrap();
    fs::write(place.join("negative.csv"), "id,took\n1,5\n2,-1\n").unwrap();
    for (from, to, says) in [
        ("real.csv", "real.csv", "row 2: `soon` is not a number"),
        ("real.csv", "negative.csv", "row 2: -1 is no response time"),
        ("real.csv", "none.csv", "`none.csv` cannot be opened"),
        ("\"took\"", "\"takes\"", "has no column `takes`"),
        ("\"real\"", "\"random\"", "needs a name of its own"),
        ("\"us\"", "\"hours\"", "hours"),
    ] {
        fs::write(place.join("with.toml"), WITH.replace(from, to)).unwrap();
        let done = lbsim(&place, &["run", "with.toml"]);
        let said = stderr(&done);
        assert_eq!(done.status.code(), Some(2), "{to}: {said}");
        assert!(
            said.contains(says) && said.contains("with.toml:"),
            "{to}: {said}"
        );
    }
}
