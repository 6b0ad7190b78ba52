//! The same scenario, seed and version give the same bytes.

use std::fs;

use lbsim::model;

use crate::support::{LIVELY, files, lbsim, read_in, scratch};

#[test]
fn threads_and_repetition_change_no_byte() {
    let place = scratch("determinism");
    fs::write(place.join("lively.toml"), LIVELY).unwrap();
    let mut runs = Vec::new();
    for (out, jobs) in [("one", "1"), ("two", "2"), ("five", "5"), ("again", "1")] {
        let done = lbsim(
            &place,
            &["run", "lively.toml", "--jobs", jobs, "--out", out],
        );
        assert!(done.status.success());
        runs.push(files(&place.join(out)));
    }
    assert!(runs[0].len() > 10);
    for run in &runs[1..] {
        for (first, other) in runs[0].iter().zip(run) {
            assert_eq!(first.0, other.0);
            assert!(first.1 == other.1, "{} differs", first.0.display());
        }
        assert_eq!(run.len(), runs[0].len());
    }
    let other = lbsim(
        &place,
        &["run", "lively.toml", "--seed", "2", "--out", "other"],
    );
    assert!(other.status.success());
    assert_ne!(files(&place.join("other")), runs[0]);
}

/// Pinned: whoever changes these changes every result that a user has kept, and says so in the
/// changelog.
#[test]
fn the_figures_of_this_version() {
    let scenario = read_in(std::path::Path::new("."), LIVELY);
    let figures: Vec<(u64, u64, u64, String)> = scenario
        .variants
        .iter()
        .map(|variant| {
            let tally = model::run(&variant.blueprint, 1, 0);
            let mean = tally.latency.mean().unwrap();
            (
                tally.requests,
                tally.succeeded_count(),
                tally.sessions_lost.iter().sum(),
                format!("{:.6}", mean * 1e3),
            )
        })
        .collect();
    insta::assert_debug_snapshot!(figures);
}

/// Strategies are compared on the very same requests: as many, of the same sizes, in the same
/// weather.
#[test]
fn strategies_see_the_same_requests() {
    let scenario = read_in(std::path::Path::new("."), LIVELY);
    let requests: Vec<u64> = scenario
        .variants
        .iter()
        .map(|variant| model::run(&variant.blueprint, 7, 3).simulated)
        .collect();
    assert_eq!(requests[0], requests[1]);
}
