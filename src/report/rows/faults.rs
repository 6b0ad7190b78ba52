//! `faults.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::VariantOutcome;
use crate::scenario::Variant;

/// `faults.csv`: for how long a fault held in one stretch of simulated time under one strategy,
/// where its times are drawn: each replication has its own. Faults at given times are `events` of
/// `manifest.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FaultRow {
    /// The strategy.
    pub strategy: String,
    /// What the fault is called.
    pub fault: String,
    /// How many servers or balancers it strikes, each at times of its own; 1 where it strikes all
    /// at the same times, and of ways between places.
    pub targets: u32,
    /// Where the stretch begins.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// Share of the stretch in which it held, mean over targets and replications.
    pub held_share: f64,
}

/// A row a fault and stretch of time; none where no fault has times that are drawn.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome) -> Vec<FaultRow> {
    let length = measured.timeline.length();
    let at_s = |stretch: usize| (length.nanos() * stretch as u64) as f64 / 1e9;
    let mut found = Vec::new();
    for held in &measured.faults {
        let fault = &variant.blueprint.faults[held.fault as usize];
        found.extend(held.shares().enumerate().map(|(at, share)| FaultRow {
            strategy: variant.name.clone(),
            fault: fault.label.clone(),
            targets: held.targets,
            from_s: at_s(at),
            to_s: at_s(at + 1),
            held_share: share,
        }));
    }
    found
}
