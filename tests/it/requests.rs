//! `--requests`: a row for each request, the very ones that the figures are made of.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::support::{LIVELY, files, lbsim, scratch, stderr};

fn run(place: &Path, more: &[&str]) {
    let done = lbsim(place, &[&["run", "lively.toml", "-q"], more].concat());
    assert!(done.status.success(), "{}", stderr(&done));
}

struct Row {
    wait: f64,
    service: f64,
    response: f64,
    outcome: String,
    measured: bool,
}

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let number = |text: &str| {
        if text.is_empty() {
            0.0
        } else {
            text.parse().unwrap()
        }
    };
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            Row {
                wait: number(&record[place("wait_ms")]),
                service: number(&record[place("service_ms")]),
                response: number(&record[place("response_ms")]),
                outcome: record[place("outcome")].to_owned(),
                measured: &record[place("measured")] == "true",
            }
        })
        .collect()
}

#[test]
fn rows_are_what_the_figures_are_made_of() {
    let place = scratch("requests");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    run(&place, &["--requests"]);
    let folder = place.join("results/lively");
    let mut runs = csv::Reader::from_path(folder.join("runs.csv")).unwrap();
    let header = runs.headers().unwrap().clone();
    let mut seen = 0;
    for run in runs.records() {
        let run = run.unwrap();
        let of = |name: &str| &run[header.iter().position(|column| column == name).unwrap()];
        let at = if of("strategy") == "round-robin" {
            1
        } else {
            2
        };
        let name = format!("requests/{at}-{}-{}.csv", of("strategy"), of("replication"));
        let all = rows(&folder.join(name));
        let measured: Vec<&Row> = all.iter().filter(|row| row.measured).collect();
        assert_eq!(measured.len().to_string(), of("requests"));
        assert!(all.len() > measured.len(), "the warm-up is there too");
        let answered: Vec<&&Row> = measured.iter().filter(|row| row.outcome == "ok").collect();
        assert_eq!(answered.len().to_string(), of("succeeded"));
        let mean = answered.iter().map(|row| row.response).sum::<f64>() / answered.len() as f64;
        let due: f64 = of("mean_ms").parse().unwrap();
        assert!((mean - due).abs() < 1e-5, "{mean} is not {due}");
        assert!(
            answered
                .iter()
                .all(|row| row.wait + row.service <= row.response + 1e-6)
        );
        assert!(answered.iter().any(|row| row.wait > 0.0));
        seen += 1;
    }
    assert_eq!(seen, 8);
}

#[test]
fn packed_or_not_and_by_how_many_threads_the_rows_are_the_same() {
    let place = scratch("requests-packed");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    let written = |format: &str, jobs: &str| {
        run(&place, &[&format!("--requests{format}"), "--jobs", jobs]);
        files(&place.join("results/lively/requests"))
    };
    let plain = written("", "1");
    assert_eq!(written("=csv", "2"), plain);
    let unpacked = |packed: Vec<(std::path::PathBuf, Vec<u8>)>, unpack: fn(&[u8]) -> Vec<u8>| {
        packed
            .into_iter()
            .map(|(_, bytes)| unpack(&bytes))
            .collect::<Vec<_>>()
    };
    let bytes: Vec<Vec<u8>> = plain.into_iter().map(|(_, bytes)| bytes).collect();
    let gunzip = |packed: &[u8]| {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_end(&mut text)
            .unwrap();
        text
    };
    assert_eq!(unpacked(written("=gzip", "2"), gunzip), bytes);
    assert_eq!(
        unpacked(written("=zstd", "2"), |packed| zstd::decode_all(packed)
            .unwrap()),
        bytes
    );
}

#[test]
fn a_sweep_has_no_requests_of_its_own() {
    let place = scratch("requests-sweep");
    let sweep = "[sweep]\npath = 'services[0].servers[0].count'\nvalues = [5, 6]\n";
    fs::write(place.join("lively.toml"), format!("{LIVELY}{sweep}")).unwrap();
    let done = lbsim(&place, &["run", "lively.toml", "--requests"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(stderr(&done).contains("is a sweep"), "{}", stderr(&done));
    let done = lbsim(&place, &["run", "lively.toml", "--histograms"]);
    assert!(
        stderr(&done).contains("`--histograms`"),
        "{}",
        stderr(&done)
    );
}

/// Clients of a service with sessions, who ask for one of three keys, and again where they fail.
const ASKING_AGAIN: &str = r#"
question = "q"
expect = "e"
[run]
duration = "20s"
warmup = "0s"
replications = 1
compare = ["round-robin"]
[[clients]]
name = "users"
service = "web, front"
arrivals = { kind = "poisson", rate = "50/s" }
population = { kind = "generated", count = 20 }
keys = { count = 3 }
sessions = { idle = "1h" }
retry = { max = 2, error-answers = true }
[[clients]]
name = "others"
service = "api"
arrivals = { kind = "poisson", rate = "50/s" }
population = { kind = "generated", count = 20 }
[[services]]
name = "web, front"
[[services.servers]]
service = { kind = "constant", value = "1ms" }
[[services]]
name = "api"
[[services.servers]]
service = { kind = "constant", value = "1ms" }
[[faults]]
kind = "errors"
servers = "web, front"
share = "50%"
at = "0s"
"#;

fn records(path: &Path) -> (Vec<String>, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    (header, reader.records().map(Result::unwrap).collect())
}

#[test]
fn rows_tell_service_session_key_and_tries() {
    let place = scratch("requests-columns");
    fs::write(place.join("lively.toml"), ASKING_AGAIN).unwrap();
    run(&place, &["--requests"]);
    let file = place.join("results/lively/requests/1-round-robin-0.csv");
    let (header, rows) = records(&file);
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let of = |row: &csv::StringRecord, name: &str| row[at(name)].to_owned();
    let (web, api): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|row| of(row, "service") == "web, front");
    assert!(web.len() > 500 && api.len() > 500, "{}", rows.len());
    // Each client has one session, and they are numbered as the clients are.
    assert!(
        web.iter()
            .all(|row| of(row, "session") == of(row, "client"))
    );
    assert!(api.iter().all(|row| of(row, "session").is_empty()));
    let keys: std::collections::BTreeSet<String> = web.iter().map(|row| of(row, "key")).collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    // A try goes well with probability 1/2: of four requests two take one try, one takes two, one
    // three. Six standard deviations: a false alarm in 5e8.
    let with = |tries: &str| {
        let own = web.iter().filter(|row| of(row, "tries") == tries);
        own.count() as f64 / web.len() as f64
    };
    for (tries, due) in [("1", 0.5), ("2", 0.25), ("3", 0.25)] {
        let slack = 6.0 * (due * (1.0 - due) / web.len() as f64).sqrt();
        assert!(
            (with(tries) - due).abs() < slack,
            "{tries}: {}",
            with(tries)
        );
    }
    assert!(api.iter().all(|row| of(row, "tries") == "1"));
    let mut runs = csv::Reader::from_path(place.join("results/lively/runs.csv")).unwrap();
    let column = runs
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "tries");
    let due = runs.records().next().unwrap().unwrap()[column.unwrap()].to_owned();
    let tries: u64 = rows
        .iter()
        .map(|row| of(row, "tries").parse::<u64>().unwrap())
        .sum();
    assert_eq!(tries.to_string(), due);
}

#[test]
fn parquet_has_the_rows_of_csv() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let place = scratch("requests-parquet");
    fs::write(place.join("lively.toml"), ASKING_AGAIN).unwrap();
    run(&place, &["--requests"]);
    let folder = place.join("results/lively/requests");
    let (header, due) = records(&folder.join("1-round-robin-0.csv"));
    run(&place, &["--requests=parquet"]);
    let file = fs::File::open(folder.join("1-round-robin-0.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let mut rows = 0;
    for (found, due) in reader.get_row_iter(None).unwrap().zip(&due) {
        let found = found.unwrap();
        for ((name, field), (column, due)) in
            found.get_column_iter().zip(header.iter().zip(due.iter()))
        {
            assert_eq!(name, column);
            let plain = field.to_string();
            let plain = plain.trim_matches('"');
            let same = match (plain.parse::<f64>(), due.parse::<f64>()) {
                (Ok(found), Ok(due)) => (found - due).abs() < 1e-9 * due.max(1.0),
                _ => plain == due || (plain == "null" && due.is_empty()),
            };
            assert!(same, "{name}: {plain} is not {due}");
        }
        rows += 1;
    }
    assert_eq!(rows, due.len());
}

/// Others check the files too: `.ci/readers`.
#[test]
fn histograms_hold_what_the_summary_has() {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    let place = scratch("requests-histograms");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    run(&place, &["--histograms"]);
    let folder = place.join("results/lively");
    let (_, runs) = records(&folder.join("runs.csv"));
    let (header, summary) = records(&folder.join("summary.csv"));
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let log = fs::read(folder.join("histograms/latency.hlog")).unwrap();
    let mut strategies = Vec::new();
    for entry in IntervalLogIterator::new(&log) {
        let LogEntry::Interval(interval) = entry.unwrap() else {
            continue;
        };
        let tag = interval.tag().unwrap().as_str().to_owned();
        let packed = interval.encoded_histogram();
        let packed = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, packed);
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut packed.unwrap().as_slice())
            .unwrap();
        let (_, strategy) = tag.split_once('-').unwrap();
        let answered: u64 = (runs.iter())
            .filter(|row| &row[0] == strategy)
            .map(|row| row[3].parse::<u64>().unwrap())
            .sum();
        assert_eq!(histogram.len(), answered, "{strategy}");
        for (metric, q) in [("p50_ms", 0.5), ("p90_ms", 0.9)] {
            let row = (summary.iter())
                .find(|row| &row[at("strategy")] == strategy && &row[at("metric")] == metric);
            let due: f64 = row.unwrap()[at("estimate")].parse().unwrap();
            let found = histogram.value_at_quantile(q) as f64 / 1e6;
            assert!(
                (found / due - 1.0).abs() < 2e-3,
                "{strategy} {metric}: {found}, {due}"
            );
        }
        assert!(folder.join(format!("histograms/{tag}.hgrm")).is_file());
        strategies.push(strategy.to_owned());
    }
    assert_eq!(strategies, ["round-robin", "least-connections"]);
}
