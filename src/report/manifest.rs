//! The manifest: what was run, so that it can be run again.

use serde_json::json;

use super::sureness;
use crate::experiment::Outcome;
use crate::scenario::Scenario;

/// The number of the schema of the files; it grows when a column changes its name or meaning.
pub const SCHEMA: u32 = 1;

/// `manifest.json`. It holds no time of day and no name of a machine: the same run writes the same bytes.
pub fn manifest(scenario: &Scenario, outcomes: &[Outcome]) -> String {
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
    let manifest = json!({
        "schema": SCHEMA,
        "program": concat!("lbsim ", env!("CARGO_PKG_VERSION")),
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
    });
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    text
}
