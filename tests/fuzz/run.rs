//! Short runs of random scenarios, by the program itself: they end in time and within bounds of
//! memory, write no number that is none, and lose no request.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::grow::{Grower, least, text};
use crate::{cases, first_seed};

/// A run that takes longer hangs. A debug build on a busy machine is slower than what users have.
const SECONDS: u32 = if cfg!(debug_assertions) { 60 } else { 10 };

/// KiB of address space.
const MEMORY: u32 = 1 << 20;

fn place(test: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

/// What is wrong with a run of a scenario.
fn fault(place: &Path, scenario: &str) -> Option<String> {
    fs::write(place.join("fuzz.toml"), scenario).unwrap();
    let _ = fs::remove_dir_all(place.join("results"));
    let bounds =
        format!("ulimit -v {MEMORY}; exec timeout -k 1 {SECONDS} \"$0\" run fuzz.toml -q --jobs 1");
    let done = Command::new("sh")
        .args(["-c", &bounds])
        .arg(assert_cmd::cargo::cargo_bin("lbsim"))
        .current_dir(place)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    match done.status.code() {
        Some(0) => {}
        // It may say why it cannot be run: that it never settles, say.
        Some(1) if said.contains("error: ") && !said.contains("defect") => return None,
        code => return Some(format!("exit code {code:?}: {said}")),
    }
    let folder = place.join("results/fuzz");
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let cells = fs::read_to_string(&path).unwrap();
            let is_none =
                |cell: &str| ["nan", "-nan", "inf", "-inf"].contains(&cell.to_lowercase().as_str());
            if cells.split([',', '\n']).any(is_none) {
                return Some(format!("{name} has a number that is none"));
            }
        }
    }
    lost(&folder)
}

/// The rows of a file, by column.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// Requests that are not accounted for.
fn lost(folder: &Path) -> Option<String> {
    let mut failed: BTreeMap<String, f64> = BTreeMap::new();
    let runs = rows(&folder.join("runs.csv"));
    for row in &runs {
        let count = |name: &str| row[name].parse::<f64>().unwrap_or(0.0);
        let causes: f64 = row
            .keys()
            .filter(|name| name.starts_with("failed_"))
            .map(|name| count(name))
            .sum();
        let ends = count("succeeded") + causes + count("unfinished");
        if count("requests") != ends {
            return Some(format!(
                "runs.csv: {} requests came, {ends} ended: {row:?}",
                row["requests"]
            ));
        }
        if count("attempts") < count("succeeded") {
            return Some(format!("runs.csv: fewer attempts than answers: {row:?}"));
        }
        *failed.entry(row["strategy"].clone()).or_default() += count("attempts");
    }
    let mut of_servers: BTreeMap<String, (f64, BTreeMap<String, f64>)> = BTreeMap::new();
    for row in rows(&folder.join("servers.csv")) {
        let own = of_servers.entry(row["strategy"].clone()).or_default();
        own.0 += row["failures"].parse::<f64>().unwrap_or(0.0);
        // Shares are of the requests of a server's own service.
        let service = row["server"].split('/').next().unwrap_or_default();
        let share = own.1.entry(service.to_owned()).or_insert(0.0);
        *share += row["request_share"].parse::<f64>().unwrap_or(0.0);
    }
    // Where servers call services, these have attempts of their own.
    for row in rows(&folder.join("services.csv")) {
        let attempts = row["attempts"].parse::<f64>().unwrap_or(0.0);
        *failed.entry(row["strategy"].clone()).or_default() += attempts;
    }
    for (strategy, (failures, shares)) in of_servers {
        let attempts = failed.get(&strategy).copied().unwrap_or(0.0);
        if failures > attempts {
            return Some(format!(
                "servers.csv: {failures} failures of {attempts} attempts under {strategy}"
            ));
        }
        if let Some(share) = shares.values().find(|share| **share > 1.0 + 1e-6) {
            return Some(format!("servers.csv: shares of {strategy} sum to {share}"));
        }
    }
    None
}

#[test]
fn any_scenario_ends_and_loses_nothing() {
    let place = place("fuzz-run");
    let mut features = BTreeMap::new();
    for seed in first_seed()..first_seed() + cases(12) {
        let scenario = Grower::new(seed).grow();
        let own = text(&scenario).unwrap();
        for word in own.split(|c: char| !c.is_alphanumeric() && c != '-') {
            *features.entry(word.to_owned()).or_insert(0) += 1;
        }
        if let Some(why) = fault(&place, &own) {
            let fails =
                |other: &Value| text(other).is_some_and(|text| fault(&place, &text).is_some());
            let small = text(&least(&scenario, &fails)).unwrap_or_default();
            panic!("seed {seed}: {why}\n\n{small}");
        }
    }
    // A test of small scenarios alone would say little.
    assert!(features.len() > 40, "{features:?}");
}
