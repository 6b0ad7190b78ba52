//! Charts of runs: there is one, whatever came out.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{lbsim, scratch, stderr};

/// An input of `tests/cases`.
fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    path.join(name).to_str().unwrap().to_owned()
}

/// With a hundred answers and a few, one point of the spectrum can be relied on, and its axis was made of nothing.
#[test]
fn a_hundred_answers_make_a_chart() {
    let place = scratch("pictures-hundred");
    for name in ["few-requests-chart-hangs", "hundred-answers"] {
        let begun = Instant::now();
        let run = lbsim(&place, &["run", &case(&format!("{name}.toml"))]);
        assert!(run.status.success(), "{}", stderr(&run));
        assert!(begun.elapsed() < Duration::from_secs(20));
        let chart = place
            .join("results")
            .join(name)
            .join("charts/percentiles.svg");
        let svg = std::fs::read_to_string(chart).unwrap();
        assert!(svg.len() < 1_000_000 && svg.matches("<text").count() < 60);
    }
}
