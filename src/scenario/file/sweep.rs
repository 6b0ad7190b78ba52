//! `[sweep]`: a value that takes several values in turn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value that takes several values in turn: a load curve, a sweep over timeouts or numbers of
/// servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sweep {
    /// Which value: a path as for `--set`, `clients[0].arrivals.rate`. `load` stands for the share
    /// of the first service's capacity that is asked for, `load.NAME` for that of any service,
    /// called ones among them: the rates of all clients are scaled to it. Servers that stand by
    /// while all are well (backups, lower priorities, those marked as down) are no part of it.
    pub path: String,
    /// What stands there in turn.
    #[schemars(length(min = 2, max = 200))]
    pub values: Vec<serde_json::Value>,
    /// Where each stands on the axis of charts; by default the number with which the value begins.
    #[serde(default)]
    pub at: Option<Vec<f64>>,
    /// The title of that axis; by default the path.
    #[serde(default)]
    pub label: Option<String>,
    /// A second value that takes several values in turn, with each of the first: the charts are
    /// then heat maps.
    #[serde(default)]
    pub and: Option<Axis>,
    /// What becomes of points at which more is asked for than the servers can do, and nothing
    /// bounds the queues.
    #[serde(default)]
    pub overloaded: Overloaded,
}

/// A second value of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Axis {
    /// Which value, as in `sweep.path`.
    pub path: String,
    /// What stands there in turn.
    #[schemars(length(min = 2, max = 200))]
    pub values: Vec<serde_json::Value>,
    /// Where each stands on the axis of charts; by default the number with which the value begins.
    #[serde(default)]
    pub at: Option<Vec<f64>>,
    /// The title of that axis; by default the path.
    #[serde(default)]
    pub label: Option<String>,
}

/// What becomes of overloaded points of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overloaded {
    /// They are left empty: queues grow for as long as the run lasts, and no figure would say
    /// anything but how long that is.
    #[default]
    Skip,
    /// They are run like the others.
    Run,
}
