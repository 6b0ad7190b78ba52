//! `[size]`: what `lbsim size` looks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Share;

/// What `lbsim size` looks for: the fewest servers that meet an objective, or the highest load that
/// a fleet sustains. Each compared strategy gets an answer of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Size {
    /// Which value: a path as for `--set`, `services.web.servers.web.count` or
    /// `clients[0].arrivals.rate`. `load` stands for the share of capacity that is asked for, as in
    /// a sweep.
    pub vary: String,
    /// The least value, as it would stand there: `2`, `"50%"` or `"100/s"`.
    pub min: serde_json::Value,
    /// The largest.
    pub max: serde_json::Value,
    /// From one value to the next; by default 1 where they are whole numbers, and `"1%"` where they
    /// are shares.
    #[serde(default)]
    pub step: Option<serde_json::Value>,
    /// Whether the least or the largest value is looked for; by default the largest of a load and
    /// of a rate of arrivals, and else the least.
    #[serde(default)]
    pub find: Option<Seek>,
    /// What must hold, all of it: `"p99 < 200ms"`, `"errors <= 0.1%"`,
    /// `"goodput of round-robin > 500/s"`. A metric by the name that `judge-by` or `summary.csv`
    /// has for it, any percentile `p50` to `p99.9`, `errors` or `utilization`; after `of` the
    /// strategy of which it is asked, all of them by default.
    #[schemars(length(min = 1, max = 20))]
    pub objective: Vec<String>,
    /// Whose loss it must bear too, for the whole run: `"one-server"` of each group of servers in
    /// turn, `"one-zone"` for each zone in turn, or the name of a zone, of servers or of a group,
    /// as faults have them. What is lost has crashed before the first request: whether balancers
    /// notice, their health checks and retries say.
    #[serde(default)]
    pub also_with_lost: Option<String>,
    /// Replications of one value at most; the first look is at `run.replications`, and where that
    /// does not decide they are doubled.
    #[serde(default = "most_replications")]
    #[schemars(range(min = 2, max = 10_000))]
    pub max_replications: u32,
    /// Requests that the search may simulate.
    #[serde(default = "most_requests")]
    #[schemars(range(min = 1))]
    pub max_requests: u64,
    /// How sure an answer is to be: all decisions that lead to it are right together with at least
    /// this confidence.
    #[serde(default = "confidence")]
    pub confidence: Share,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Seek {
    /// The least value that will do.
    Least,
    /// The largest value that will do.
    Most,
}

fn most_replications() -> u32 {
    160
}

fn most_requests() -> u64 {
    200_000_000
}

fn confidence() -> Share {
    Share::fraction(0.95)
}
