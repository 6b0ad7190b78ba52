//! The manifest of a folder: what was done, so that it can be done again. That of a run is its
//! [`About`](super::about::About).

use serde_json::{Value, json};

#[cfg(feature = "tune")]
use super::sizing::SizeTables;
#[cfg(feature = "tune")]
use crate::scenario::Scenario;
#[cfg(feature = "tune")]
use crate::size::Sizes;
#[cfg(feature = "tune")]
use crate::tune::{Answer, Ended, Space};

/// The number of the schema of the files; it grows when a column changes its name or meaning.
pub const SCHEMA: u32 = 3;

/// The program and its version.
pub const PROGRAM: &str = concat!("lbsim ", env!("CARGO_PKG_VERSION"));

/// `manifest.json` of a search for better values.
#[cfg(feature = "tune")]
pub fn tuning(space: &Space<'_>, answer: &Answer) -> Value {
    let base = space.base;
    let values = (0..space.tuning.knobs.len()).map(|knob| {
        let name = space.tuning.knobs[knob].name.clone();
        (name, json!(space.value(&answer.tuned, knob)))
    });
    with(
        "tune",
        json!({
            "scenario_file": base.file_name,
            "changes": base.changes,
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
        }),
    )
}

/// `manifest.json` of a search for a size.
#[cfg(feature = "tune")]
pub fn sizing(base: &Scenario, sizes: &Sizes, tables: &SizeTables) -> Value {
    with(
        "size",
        json!({
            "scenario_file": base.file_name,
            "changes": base.changes,
            "question": base.question,
            "seed": base.seed,
            "requests_simulated": sizes.requests,
            "decided": sizes.is_decided(),
            "level": sizes.level,
            "sizes": tables.sizes,
            "scenario": base.resolved,
        }),
    )
}

/// What every manifest begins with; `kind` is what was done: `run`, `tune`, `size`, `validate` or
/// `compare`.
pub fn head(kind: &str) -> Value {
    json!({
        "schema": SCHEMA,
        "program": PROGRAM,
        "kind": kind,
    })
}

/// What every manifest begins with, and `more`.
#[cfg(feature = "tune")]
fn with(kind: &str, mut more: Value) -> Value {
    let mut manifest = head(kind);
    if let (Some(own), Some(more)) = (manifest.as_object_mut(), more.as_object_mut()) {
        own.append(more);
    }
    manifest
}
