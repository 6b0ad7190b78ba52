//! Recordings of real balancers: the strategies named after them pick the same servers.

use std::fs;
use std::path::{Path, PathBuf};

use lbsim::replay::recording::Recording;
use lbsim::replay::{Verdict, replay};

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    found.sort();
    found
}

fn read(path: &Path) -> Recording {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Every recording is reproduced. Where only shares can be compared, a true strategy passes 999
/// times of 1,000; the seed is fixed.
#[test]
fn every_recording_is_reproduced() {
    let mut faults = Vec::new();
    let all = recordings();
    assert_eq!(all.len(), 190);
    for path in &all {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match replay(&read(path)) {
            Ok(verdict) if verdict.agrees() => {}
            Ok(Verdict::Differs { difference, .. }) => faults.push(format!(
                "{name}: request {}: recorded {}, here {}",
                difference.request, difference.recorded, difference.here
            )),
            Ok(verdict) => faults.push(format!("{name}: {verdict:?}")),
            Err(message) => faults.push(format!("{name}: {message}")),
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {}:\n{}",
        faults.len(),
        all.len(),
        faults.join("\n")
    );
}

/// A recording that has been tampered with is not reproduced, and the place is found.
#[test]
fn a_changed_pick_is_found() {
    for path in recordings() {
        let mut recording = read(&path);
        let places = recording.picks.len();
        if recording.random_ties
            || recording.statistical
            || !recording.tried.is_empty()
            || recording.servers.len() < 2
            || places < 20
        {
            continue;
        }
        let at = places / 2;
        let other = recording
            .servers
            .iter()
            .find(|server| recording.picks[at] != server.name.as_str())
            .unwrap();
        recording.picks[at] = other.name.clone().into();
        let Ok(Verdict::Differs { difference, .. }) = replay(&recording) else {
            panic!("{} agrees with a wrong pick", path.display());
        };
        assert!(difference.request <= at && !difference.state.is_empty());
    }
}
