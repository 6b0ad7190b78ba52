//! The same scenario, seed and version give the same bytes.

use std::collections::BTreeSet;
use std::fs;

use lbsim::model;
use lbsim::model::blueprint::Blueprint;
use lbsim::observe::Ended;
use lbsim::time::{Span, Time};

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
                tally.sessions.whole.lost.iter().sum(),
                format!("{:.6}", mean * 1e3),
            )
        })
        .collect();
    insta::assert_debug_snapshot!(figures);
}

/// What a request brings with it.
type Brought = (Time, u32, u64, u32);

/// The measured requests of a cell in the order in which they came, each with what it brought and,
/// where its first attempt succeeded, how long the server worked on it.
fn requests(plan: &Blueprint) -> Vec<(Brought, Option<Span>)> {
    let mut seen = Vec::new();
    model::run_witnessed(plan, 7, 3, &mut |request: &Ended| {
        if request.measured {
            let brought = (
                request.arrived,
                request.client,
                request.key,
                request.size.to_bits(),
            );
            let first = request.attempts == 1 && request.failed.is_none();
            seen.push((brought, first.then_some(request.service_time)));
        }
    });
    seen.sort_unstable();
    seen
}

/// Strategies are compared on the very same requests: at the same times, of the same clients, for
/// the same keys, of the same sizes, and with the same work where servers are alike.
#[test]
fn strategies_see_the_same_requests() {
    let text = LIVELY.replace(
        "sessions =",
        "keys = { count = 50 }\nsize = { kind = \"exponential\", mean = 1.0 }\nsessions =",
    );
    let scenario = read_in(std::path::Path::new("."), &text);
    let [one, other] = [0, 1].map(|variant| requests(&scenario.variants[variant].blueprint));
    assert!(one.len() > 4_000, "{}", one.len());
    assert_eq!(one.len(), other.len());
    let mut alike = 0;
    for ((brought, worked), (as_well, worked_too)) in one.iter().zip(&other) {
        assert_eq!(brought, as_well);
        if let (Some(worked), Some(worked_too)) = (worked, worked_too) {
            assert_eq!(worked, worked_too, "{brought:?}");
            alike += 1;
        }
    }
    assert!(alike > 2_000, "{alike} of {}", one.len());
    let [keys, clients] = [2, 1].map(|of| {
        let of = |(brought, _): &(Brought, _)| if of == 2 { brought.2 } else { brought.1.into() };
        one.iter().map(of).collect::<BTreeSet<u64>>().len()
    });
    assert_eq!((keys, clients), (50, 200), "all of them come");
}
