//! `settling.csv`.

use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

/// `settling.csv`: how the warm-up was found, where the scenario leaves that to the program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettlingRow {
    /// The strategy.
    pub strategy: String,
    /// A time of the pilot, which starts empty.
    pub time_s: f64,
    /// Requests in the system then, mean of the pilot's replications.
    pub in_system: f64,
    /// Those of them that the busiest server answers.
    pub at_busiest: f64,
    /// When this strategy had settled.
    pub settled_s: f64,
}

/// A row a strategy and time of the pilot.
pub(super) fn rows(scenario: &Scenario) -> Vec<SettlingRow> {
    let mut found = Vec::new();
    for own in &scenario.settling {
        let values = own.in_system.iter().zip(&own.at_busiest);
        for ((&in_system, &at_busiest), at) in values.zip(1..) {
            found.push(SettlingRow {
                strategy: own.variant.clone(),
                time_s: (own.step.nanos() * at) as f64 / 1e9,
                in_system,
                at_busiest,
                settled_s: own.settled.seconds(),
            });
        }
    }
    found
}
