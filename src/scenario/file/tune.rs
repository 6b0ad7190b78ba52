//! `[tune]`: what `lbsim tune` may change, and what for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Criterion;
use crate::time::Span;
use crate::units::Share;

/// What `lbsim tune` may change, and what for. It tunes the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tune {
    /// What is to become better.
    pub objective: Criterion,
    /// A second metric that is to become better too: the answer is then a front, from the best in
    /// the one to the best in the other.
    pub and: Option<Criterion>,
    /// Whose weights may change: services `"web"`, or groups of servers `"web/fast"`. By default
    /// all groups of the service whose strategy is compared; with an empty list no weights change.
    pub weights: Option<Vec<String>>,
    /// The least weight: what the product takes.
    #[schemars(range(min = 0, max = 65_535))]
    pub min_weight: u32,
    /// The largest weight: what the product takes, or as fine as it is to be (nginx and Envoy take
    /// more than anybody needs, HAProxy 256).
    #[schemars(range(min = 1, max = 65_535))]
    pub max_weight: u32,
    /// Whether the strategy may change too, to any other that is compared.
    pub strategies: bool,
    /// Other values that may change.
    #[schemars(length(max = 50))]
    pub changes: Vec<Change>,
    /// Where the search begins: at the best of these.
    #[schemars(length(min = 1, max = 3))]
    pub starts: Vec<TuneStart>,
    /// The largest share of requests that may fail.
    pub max_errors: Option<Share>,
    /// The largest utilization that a server may have.
    pub max_utilization: Option<Share>,
    /// What it must be good in; by default the scenario as it stands.
    #[schemars(length(max = 20))]
    pub situations: Vec<Situation>,
    /// Whether the worst situation counts, and not the mean of all by their weights.
    pub worst: bool,
    /// Requests that the search may simulate.
    #[schemars(range(min = 1))]
    pub max_requests: u64,
    /// How long the search may take. What is found then depends on how fast the machine is.
    #[schemars(extend("x-least" = "1ms"))]
    pub max_time: Option<Span>,
    /// Replications, on requests that the search has not seen, by which its answer is judged.
    #[schemars(range(min = 2, max = 10_000))]
    pub confirmations: u32,
}

impl Default for Tune {
    fn default() -> Tune {
        Tune {
            objective: Criterion::Mean,
            and: None,
            weights: None,
            min_weight: 1,
            max_weight: 100,
            strategies: false,
            changes: Vec::new(),
            starts: vec![
                TuneStart::Current,
                TuneStart::Capacity,
                TuneStart::SquareRoot,
            ],
            max_errors: None,
            max_utilization: None,
            situations: Vec::new(),
            worst: false,
            max_requests: 100_000_000,
            max_time: None,
            confirmations: 30,
        }
    }
}

/// A value that tuning may change: a number between two ends, or one of several values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Change {
    /// Which value: a path as for `--set`, `services.web.balancer.timeout`.
    pub path: String,
    /// The least number: as it would stand there, `2` or `"50ms"`.
    #[serde(default)]
    pub min: Option<serde_json::Value>,
    /// The largest.
    #[serde(default)]
    pub max: Option<serde_json::Value>,
    /// The values to choose from, in place of `min` and `max`.
    #[serde(default)]
    pub values: Vec<serde_json::Value>,
}

/// Where a search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TuneStart {
    /// The scenario as it stands.
    Current,
    /// Weights in proportion to what servers can do.
    Capacity,
    /// The weights that give the least mean response time where requests are sent at random and
    /// servers are M/M/1 queues: what a server can do, less the spare capacity in proportion to its
    /// root (Buzen and Chen, 1974).
    SquareRoot,
}

/// A situation that the tuned system must be good in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Situation {
    /// What it is called in tables.
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
    /// How much it counts.
    #[serde(default = "one_f64")]
    #[schemars(range(min = 0.0, max = 1e6))]
    pub weight: f64,
    /// What is different in it: paths and what stands there, as in a variant. `load` stands for the
    /// share of capacity that is asked for, as in a sweep.
    #[serde(default)]
    pub set: BTreeMap<String, serde_json::Value>,
}

fn one_f64() -> f64 {
    1.0
}
