//! A report is computed once: what one of its views shows stands in the others, and its folder
//! holds the whole of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lbsim::experiment::Metric;
use lbsim::figures::with_half_width;
use lbsim::report::manifest::SCHEMA;
use lbsim::{Experiment, Report, Scenario};
use serde_json::Value;

use crate::support::{LIVELY, lbsim, scratch, stderr, stdout};

/// Two services below a third, one of them asked in vain now and then.
const TIERS: &str = r#"
question = "Where does the time go?"
expect = "To the store."
[run]
duration = "30s"
replications = 4
compare = ["round-robin", "least-connections", "join-shortest-queue"]
judge-by = "mean"
[[clients]]
arrivals = { kind = "poisson", rate = "100/s" }
[[services]]
name = "web"
[[services.servers]]
count = 3
slots = 4
service = { kind = "exponential", mean = "5ms" }
[[services.steps]]
call = ["store", "cart"]
[[services]]
name = "store"
[[services.servers]]
count = 2
queue-limit = 5
service = { kind = "exponential", mean = "15ms" }
[[services]]
name = "cart"
[[services.servers]]
service = { kind = "exponential", mean = "4ms" }
"#;

/// One that theory solves, beside what was measured.
const SOLVED: &str = r#"
question = "Is the simulation right?"
expect = "It is."
[run]
duration = "60s"
replications = 4
compare = ["random", "round-robin"]
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

/// Sessions, failures, and a table for each of two groups of clients.
fn groups() -> String {
    LIVELY
        .replace("replications = 4", "replications = 4\nby-clients = true")
        .replace(
            "[network]",
            "[[clients]]\nname = \"robots\"\narrivals = { kind = \"poisson\", rate = \"50/s\" }\n[network]",
        )
}

fn sweep() -> String {
    TIERS.to_owned()
        + "[sweep]\npath = \"clients[0].arrivals.rate\"\nvalues = [\"50/s\", \"110/s\"]\n"
}

fn report(place: &Path, text: &str) -> Report {
    let rows: String = (1..=20_000).map(|i| format!("{i},{}\n", 7 * i)).collect();
    fs::write(place.join("real.csv"), format!("id,took\n{rows}")).unwrap();
    let scenario = Scenario::parse(&place.join("test.toml"), text, &[]);
    Experiment::new(scenario.unwrap()).run().unwrap()
}

/// The lines of a table, each as its cells.
fn lines(table: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_matches(['|', '│']);
        inner
            .split(['|', '┆', '│'])
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    table.lines().map(cells).collect()
}

/// The numbers of a cell: `+1.20 ±0.05 (+3%)` has three.
fn numbers(cell: &str) -> Vec<&str> {
    cell.split([' ', '(', ')', '±', '%', ','])
        .map(|word| word.trim_start_matches('+'))
        .filter(|word| word.parse::<f64>().is_ok())
        .collect()
}

/// Whether a number is how one of these is shown, as it is or in percent.
fn is_shown(number: &str, values: &[f64]) -> bool {
    let places = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    let shown = |value: f64| format!("{value:.places$}");
    let zero = |text: &str| text.trim_start_matches('-').to_owned();
    values.iter().any(|&value| {
        [value, value * 100.0].iter().any(|&value| {
            zero(&shown(value)) == zero(number) && (value < 0.0) == number.starts_with('-')
        })
    })
}

/// The numbers of the rows of a file, by the names in the row.
fn values(report: &Report, names: &[&str]) -> Vec<f64> {
    let mut found = Vec::new();
    for (file, bytes) in report.csv().unwrap() {
        // Those that a table of figures is of.
        let of_figures = [
            "summary.csv",
            "paired.csv",
            "theory.csv",
            "failures.csv",
            "services.csv",
            "detection.csv",
            "clients.csv",
            "measured.csv",
            "sweep.csv",
        ];
        if !of_figures.contains(&file) {
            continue;
        }
        for row in csv::Reader::from_reader(&bytes[..]).records() {
            let row = row.unwrap();
            if names
                .iter()
                .all(|name| row.iter().any(|cell| cell == *name))
            {
                found.extend(row.iter().filter_map(|cell| cell.parse::<f64>().ok()));
            }
        }
    }
    found
}

/// Each number of the printed table stands in the rows of what its line is of.
#[test]
fn what_the_table_shows_stands_in_the_files() {
    let place = scratch("report-table");
    for text in [TIERS.to_owned(), groups(), SOLVED.to_owned()] {
        let report = report(&place, &text);
        let mut names: Vec<&str> = (report.about.variants.iter())
            .map(|variant| variant.name.as_str())
            .collect();
        names.push("real");
        let services = ["web", "store", "cart"];
        let mut checked = 0;
        for page in [report.to_string(), report.markdown()] {
            for line in lines(&page) {
                let of: Vec<&str> = line
                    .iter()
                    .map(String::as_str)
                    .filter(|cell| names.contains(cell) || services.contains(cell))
                    .collect();
                if of.is_empty() {
                    continue;
                }
                let known = values(&report, &of);
                let cells = line.iter().filter(|cell| !of.contains(&cell.as_str()));
                for number in cells.flat_map(|cell| numbers(cell)) {
                    assert!(is_shown(number, &known), "{number} of {of:?} in\n{page}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 30, "{checked}");
    }
}

/// What a sentence says of the best stands in the files, and the sentence in page and JSON.
#[test]
fn what_sentences_say_stands_in_the_files() {
    let place = scratch("report-sentences");
    let report = report(&place, TIERS);
    let best = report.about.variants.iter().find(|own| own.rank == Some(1));
    let best = &best.unwrap().name;
    let row = |metric: &str| {
        let mut rows = report.tables.summary.iter();
        rows.find(|row| row.strategy == *best && row.metric == metric)
            .unwrap()
    };
    let mean = row("mean_ms");
    let said = format!(
        "{best} ({} ms)",
        with_half_width(mean.estimate.unwrap(), mean.half_width_95)
    );
    let sentence = report.about.findings.iter().find(|own| own.contains(&said));
    let sentence = sentence.unwrap_or_else(|| panic!("{said}: {:?}", report.about.findings));
    assert!(report.markdown().contains(sentence.as_str()));
    let json: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["findings"][0], *sentence);
}

/// The labels of the charts of services and sessions are figures of the files.
#[test]
fn what_charts_say_stands_in_the_files() {
    let place = scratch("report-charts");
    let words = |report: &Report, name: &str| -> Vec<String> {
        let charts = report.charts();
        let chart = charts.iter().find(|chart| chart.name == name).unwrap();
        let texts = chart.svg.split("<text").skip(1).map(|text| {
            let text = text.split("</text>").next().unwrap_or_default();
            text.split_once('>').unwrap().1.trim().to_owned()
        });
        texts.collect()
    };
    let tiers = report(&place, TIERS);
    let said = words(&tiers, "services");
    let labels: Vec<&String> = said.iter().filter(|text| text.ends_with(" ms")).collect();
    assert_eq!(labels.len(), tiers.tables.services.len());
    let means: Vec<f64> = tiers
        .tables
        .services
        .iter()
        .filter_map(|row| row.mean_ms)
        .collect();
    for label in labels {
        assert!(is_shown(label.trim_end_matches(" ms"), &means), "{label}");
    }
    let lively = report(&place, LIVELY);
    let labels: Vec<String> = words(&lively, "sessions");
    let labels: Vec<&String> = labels
        .iter()
        .filter(|text| text.contains("losses"))
        .collect();
    assert_eq!(labels.len(), 2);
    for (label, variant) in labels.iter().zip(&lively.about.variants) {
        let known = values(&lively, &[&variant.name]);
        assert!(
            numbers(label).iter().all(|own| is_shown(own, &known)),
            "{label}"
        );
    }
}

/// JSON has every row of every file, number for number, and nothing else that is a number but what
/// the manifest has.
#[test]
fn json_holds_what_the_files_hold() {
    let place = scratch("report-json");
    for text in [TIERS.to_owned(), groups(), SOLVED.to_owned(), sweep()] {
        let report = report(&place, &text);
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        let files = report.csv().unwrap();
        for (file, bytes) in &files {
            let rows = json[file.trim_end_matches(".csv")].as_array().unwrap();
            let mut reader = csv::Reader::from_reader(&bytes[..]);
            let records: Vec<BTreeMap<String, String>> =
                reader.deserialize().map(Result::unwrap).collect();
            assert_eq!(records.len(), rows.len(), "{file}");
            for (record, row) in records.iter().zip(rows) {
                assert_eq!(record.len(), row.as_object().unwrap().len(), "{file}");
                for (column, cell) in record {
                    let same = match &row[column] {
                        Value::Null => cell.is_empty(),
                        Value::String(text) => text == cell,
                        number => number.as_f64() == cell.parse().ok(),
                    };
                    assert!(same, "{column} of {file}: {cell} and {}", row[column]);
                }
            }
        }
        let others = json.as_object().unwrap().iter().filter(|(key, _)| {
            let file = format!("{key}.csv");
            !files.iter().any(|(name, _)| *name == file)
        });
        let manifest = serde_json::to_value(&report.about).unwrap();
        for (key, value) in others.filter(|(key, _)| *key != "scenario") {
            assert_eq!(manifest[key], *value, "{key}");
        }
    }
}

/// The page has the rows of the files in it, number for number: column by column, words once each,
/// and once what is the same in all rows. That what it shows of them is what they are, `.ci/page`
/// checks in a browser.
#[test]
fn the_page_holds_what_the_files_hold() {
    let place = scratch("report-page");
    for text in [TIERS.to_owned(), groups(), SOLVED.to_owned(), sweep()] {
        let report = report(&place, &text);
        let folder = report.write(&place.join("results")).unwrap();
        let page = fs::read_to_string(folder.join("report.html")).unwrap();
        let (_, data) = page.split_once("id=\"lbsim-data\">").unwrap();
        let data: Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
        let left_out = data["left_out"].as_array().unwrap();
        let mut held = 0;
        for (file, bytes) in &report.csv().unwrap() {
            let name = file.trim_end_matches(".csv");
            let Some(table) = data["tables"].get(name) else {
                // What each replication gave is not shown there.
                assert!(
                    ["runs", "percentiles"].contains(&name),
                    "{file} is not in the page"
                );
                continue;
            };
            if left_out.iter().any(|left| left == name) {
                continue;
            }
            let mut reader = csv::Reader::from_reader(&bytes[..]);
            let header = reader.headers().unwrap().clone();
            let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            assert_eq!(table["rows"], records.len(), "{file}");
            for (at, column) in header.iter().enumerate().filter(|_| !records.is_empty()) {
                let values = &table["columns"][column];
                for (row, record) in records.iter().enumerate() {
                    let value = match (values.get("all"), &values["words"]) {
                        (Some(all), _) => all,
                        (None, Value::Array(words)) => {
                            &words[values["at"][row].as_u64().unwrap() as usize]
                        }
                        _ => &values[row],
                    };
                    let cell = &record[at];
                    let same = match value {
                        Value::Null => cell.is_empty(),
                        Value::String(text) => text == cell,
                        Value::Bool(is) => is.to_string() == cell,
                        number => number.as_f64() == cell.parse().ok(),
                    };
                    assert!(same, "{column} of {file}: {cell} and {value}");
                    held += 1;
                }
            }
        }
        assert!(held > 100, "{held}");
    }
}

/// A folder holds the whole report: it is read back as it was, and all views of it are the same.
#[test]
fn a_report_is_read_back_from_its_folder() {
    let place = scratch("report-read");
    for text in [TIERS.to_owned(), groups(), SOLVED.to_owned(), sweep()] {
        let report = report(&place, &text);
        let folder = report.write(&place.join("results")).unwrap();
        let again = Report::read(&folder).unwrap();
        assert_eq!(again, report);
        assert_eq!(again.to_string(), report.to_string());
        assert_eq!(again.charts(), report.charts());
        let page = fs::read_to_string(folder.join("summary.md")).unwrap();
        assert!(page.starts_with(&again.markdown()));
    }
    // What is no folder of a run is refused, with what is wrong.
    let folder = place.join("results/test");
    let said = |why: &str| {
        let error = Report::read(&folder).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    let rows = fs::read_to_string(folder.join("sweep.csv")).unwrap();
    fs::write(
        folder.join("sweep.csv"),
        rows.replace("50/s,,50", "50/s,,many"),
    )
    .unwrap();
    said("`sweep.csv`");
    fs::write(folder.join("sweep.csv"), "").unwrap();
    said("`sweep.csv` has 0 rows, and");
    fs::remove_file(folder.join("sweep.csv")).unwrap();
    said("sweep.csv");
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    fs::write(
        folder.join("manifest.json"),
        manifest.replace(&format!("\"schema\": {SCHEMA}"), "\"schema\": 1"),
    )
    .unwrap();
    said("schema 1");
    fs::write(
        folder.join("manifest.json"),
        format!("{{\"schema\": {SCHEMA}}}"),
    )
    .unwrap();
    said("does not hold the results of a run");
}

/// The program prints the report's own views.
#[test]
fn the_program_prints_the_report() {
    let place = scratch("report-printed");
    fs::write(place.join("test.toml"), TIERS).unwrap();
    let report = report(&place, TIERS);
    let run = lbsim(&place, &["run", "test.toml"]);
    assert!(run.status.success(), "{}", stderr(&run));
    assert!(
        stdout(&run).contains(&report.to_string()),
        "{}",
        stdout(&run)
    );
    let run = lbsim(&place, &["run", "test.toml", "--format", "json"]);
    let printed: Value = serde_json::from_str(&stdout(&run)).unwrap();
    let own: Value = serde_json::from_str(&report.json()).unwrap();
    for (key, value) in own.as_object().unwrap() {
        assert_eq!(printed[0][key], *value, "{key}");
    }
    assert_eq!(printed[0]["folder"], "results/test");
}

/// Metrics are told apart by their fields: each that is shown in percent is a share.
#[test]
fn what_is_shown_in_percent_is_a_share() {
    for (name, scale) in [
        ("success_share", 100.0),
        ("utilization_max", 100.0),
        ("sessions_hurt_share", 100.0),
        ("mean_ms", 1.0),
        ("goodput_rps", 1.0),
        ("sessions_lost", 1.0),
    ] {
        assert_eq!(Metric::named(name).unwrap().unit.scale(), scale, "{name}");
    }
}
