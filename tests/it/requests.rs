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
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            Row {
                wait: number(&record[4]),
                service: number(&record[5]),
                response: number(&record[6]),
                outcome: record[7].to_owned(),
                measured: &record[8] == "true",
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
}
