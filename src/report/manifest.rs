//! The manifest: what was run, so that it can be run again.

use serde_json::{Value, json};

use super::sureness;
use crate::experiment::Outcome;
use crate::scenario::Scenario;
#[cfg(feature = "tune")]
use crate::tune::{Answer, Ended, Space};

/// The number of the schema of the files; it grows when a column changes its name or meaning.
pub const SCHEMA: u32 = 2;

/// `manifest.json` of a run, but for the list of files. It holds no time of day and no name of a
/// machine: the same run writes the same bytes.
pub fn manifest(scenario: &Scenario, outcomes: &[Outcome]) -> Value {
    let variants: Vec<_> = scenario
        .variants
        .iter()
        .enumerate()
        .map(|(at, variant)| {
            let simulated = |outcome: &Outcome| outcome.variants[at].simulated;
            json!({
                "name": variant.name,
                "strategy": variant.strategy,
                "oracle": variant.is_oracle(),
                "requests_simulated": outcomes.iter().map(simulated).sum::<u64>(),
            })
        })
        .collect();
    with(json!({
        "scenario_file": scenario.file_name,
        "question": scenario.question,
        "expect": scenario.expect,
        "seed": scenario.seed,
        "replications": outcomes.iter().map(Outcome::replications).max(),
        "precision_reached": outcomes.iter().filter_map(|outcome| outcome.reached).reduce(|all, one| all && one),
        "duration": scenario.duration(),
        "warmup": scenario.warmup(),
        "baseline": scenario.variants[scenario.baseline].name,
        "variants": variants,
        "warnings": sureness::warnings(scenario, outcomes),
        "scenario": scenario.resolved,
    }))
}

/// `manifest.json` of a search for better values.
#[cfg(feature = "tune")]
pub fn tuning(space: &Space<'_>, answer: &Answer) -> Value {
    let base = space.base;
    let values = (0..space.tuning.knobs.len()).map(|knob| {
        let name = space.tuning.knobs[knob].name.clone();
        (name, json!(space.value(&answer.tuned, knob)))
    });
    with(json!({
        "scenario_file": base.file_name,
        "question": base.question,
        "seed": base.seed,
        "candidates": answer.evaluations.len(),
        "requests_simulated": answer.requests,
        "confirmations": space.tuning.confirmations,
        "strategy": base.variants[answer.tuned.variant].name,
        "values": values.collect::<serde_json::Map<_, _>>(),
        "gain": answer.check.gains(),
        "converged": answer.ended == Ended::Tolerance,
        "ended": answer.ended,
        "scenario": base.resolved,
    }))
}

/// What every manifest begins with.
pub fn head() -> Value {
    json!({
        "schema": SCHEMA,
        "program": concat!("lbsim ", env!("CARGO_PKG_VERSION")),
    })
}

/// What every manifest begins with, and `more`.
fn with(mut more: Value) -> Value {
    let mut manifest = head();
    if let (Some(own), Some(more)) = (manifest.as_object_mut(), more.as_object_mut()) {
        own.append(more);
    }
    manifest
}
