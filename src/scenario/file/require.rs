//! `[[require]]`: what must hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must hold of what is measured. Each requirement holds, fails or is not shown, by 95%
/// intervals; `lbsim run` ends with exit code 3 where one fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Require {
    /// A metric, a sign and a limit: `"p99 of least-connections < 200ms"`,
    /// `"success of * >= 99.9%"`. A metric by the name that `judge-by` or `summary.csv` has for
    /// it, any percentile such as `p95` or `p99.9`, or `errors`; after `of` the strategy or variant
    /// of which it is asked, all of them by default. `by CAUSE`, before that, asks for one cause of
    /// losses or errors: `"sessions-lost by crash of cookie < 400"`. After it `at SERVICE` asks it
    /// of the calls to a service, `for CLIENTS` of the requests of a group of clients, `on SERVERS`
    /// of a server or a group of them (`"utilization of round-robin on web/slow > 85%"`). A limit
    /// is a value with its unit, or measured too, so many times and so much more or less:
    /// `"p99 of least-connections < 0.5 * p99 of round-robin"`, `"mean of a < mean of b - 5ms"`;
    /// `of *` is each other strategy there. `after 6min` and `before 8min`, at the end, ask it of
    /// the requests that arrive then.
    #[schemars(length(min = 1, max = 400))]
    pub that: String,
    /// In a sweep: at which values it must hold, as `sweep.values` has them; by default at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<serde_json::Value>>,
    /// In a sweep over two: at which of the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_2: Option<Vec<serde_json::Value>>,
}
