//! Mutated input for every reader: it is read or refused, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lbsim::config::{envoy, haproxy, nginx};
use lbsim::logs::{self, Format};
use lbsim::model::arrivals::Trace;
use lbsim::scenario::{Scenario, trace};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::{cases, first_seed};

/// What mutations put in.
const TOKENS: [&str; 24] = [
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ";",
    "#",
    "\n",
    "\r\n",
    "\0",
    "\u{feff}",
    "0",
    "-1",
    "1e308",
    "nan",
    "18446744073709551616",
    "é",
    "%",
    "$",
    "|",
    "\t",
    "\\",
    ",",
];

/// Every input that the project has of some kinds.
fn inputs(endings: &[&str]) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![
        root.join("scenarios"),
        root.join("tests/config"),
        root.join("tests/cases"),
    ];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|own| endings.iter().any(|ending| own == *ending))
                && let Ok(text) = fs::read_to_string(&path)
                && text.len() < 100_000
            {
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn mutated(rng: &mut Xoshiro256PlusPlus, text: &str, other: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=chars.len());
        let to = (at + rng.random_range(0..40)).min(chars.len());
        match rng.random_range(0..5) {
            0 => drop(chars.drain(at..to)),
            1 => {
                let token = TOKENS[rng.random_range(0..TOKENS.len())];
                drop(chars.splice(at..at, token.chars()));
            }
            2 => {
                let again: Vec<char> = chars[at..to].to_vec();
                drop(chars.splice(at..at, again));
            }
            3 => chars.truncate(at.max(1)),
            _ => {
                let other: Vec<char> = other.chars().collect();
                let from = rng.random_range(0..=other.len());
                let part = &other[from..(from + 60).min(other.len())];
                drop(chars.splice(at..to, part.iter().copied()));
            }
        }
    }
    chars.into_iter().collect()
}

/// Reads mutations of each input; each must be over soon.
fn torture(endings: &[&str], usual: u64, read: impl Fn(&Path, &str)) {
    let inputs = inputs(endings);
    assert!(!inputs.is_empty(), "nothing to mutate of {endings:?}");
    for seed in first_seed()..first_seed() + cases(usual) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (path, text) = &inputs[rng.random_range(0..inputs.len())];
        let (_, other) = &inputs[rng.random_range(0..inputs.len())];
        let text = mutated(&mut rng, text, other);
        let began = Instant::now();
        let read = std::panic::AssertUnwindSafe(|| read(path, &text));
        let whole = std::panic::catch_unwind(read);
        assert!(whole.is_ok(), "seed {seed}, of {}:\n{text}", path.display());
        assert!(
            began.elapsed().as_secs() < 10,
            "seed {seed}, of {}, takes {:?}:\n{text}",
            path.display(),
            began.elapsed()
        );
    }
}

#[test]
fn scenarios() {
    torture(&["toml"], 150, |path, text| {
        if let Err(rejected) = Scenario::parse(path, text, &[]) {
            assert!(!rejected.to_string().is_empty());
        }
    });
}

#[test]
fn configurations() {
    torture(&["conf", "cfg", "yaml", "json"], 300, |path, text| {
        let _ = nginx::read_text(path, text);
        let _ = haproxy::read_text(path, text);
        let _ = envoy::read_text(path, text);
    });
}

#[test]
fn traces() {
    let said: Trace = serde_json::from_value(serde_json::json!({
        "file": "x.csv",
        "columns": { "time": "time", "client": "client" },
    }))
    .unwrap();
    let good = "time,client,size\n0.5,a,3\n0.75,\"b\",7\n1e3,c,0\n";
    for seed in first_seed()..first_seed() + cases(2_000) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let text = mutated(&mut rng, good, good);
        let whole = std::panic::catch_unwind(|| trace::read(&said, text.as_bytes()).is_ok());
        assert!(whole.is_ok(), "seed {seed}:\n{text}");
    }
}

#[test]
fn access_logs() {
    let good = [
        "1760000000.123 192.0.2.7 10.0.0.1:80 0.012 0.010 200\n",
        "192.0.2.7 - - [10/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 200 2326 \"-\" \"curl\" 0.010 0.009 10.0.0.1:80\n",
        "{\"ts\":\"2026-01-01T00:00:00.5Z\",\"upstream\":\"10.0.0.1:80\",\"took\":12}\n",
    ]
    .map(|line| line.repeat(5));
    for seed in first_seed()..first_seed() + cases(1_000) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (one, other) = (seed as usize % 3, (seed / 3) as usize % 3);
        let text = mutated(&mut rng, &good[one], &good[other]);
        let whole = std::panic::catch_unwind(|| {
            let lines: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
            let _ = Format::guess(&lines).map(|format| {
                logs::read_from(
                    text.as_bytes(),
                    &format,
                    logs::Limits::default(),
                    &mut |_| (),
                )
                .is_ok()
            });
        });
        assert!(whole.is_ok(), "seed {seed}:\n{text}");
    }
}
