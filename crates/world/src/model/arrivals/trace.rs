//! Recorded arrivals: a table, plain or packed, whose columns the scenario names.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};

/// Recorded arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trace {
    /// The file, relative to the scenario: CSV with a header line, its columns parted by commas,
    /// semicolons, tabs, bars or spaces, or an object of JSON a line. What spreadsheets save is
    /// read, and so is what is packed by gzip or zstd.
    pub file: String,
    /// Which columns say what.
    pub columns: Columns,
    /// Plays the trace this many times as fast: gaps are divided by it.
    #[serde(default = "one")]
    #[schemars(range(min = 0.000_001, max = 1e6))]
    pub speed_up: f64,
}

fn one() -> f64 {
    1.0
}

/// Which columns of a trace say what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Columns {
    /// When the request arrives. The first arrival is the start of the run; rows may stand in any
    /// order.
    #[serde(default)]
    pub time: Option<String>,
    /// When its answer was sent, in place of `time`: it arrives as long before that as `took` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// How long it took from its arrival to `ended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<String>,
    /// How times (`time`, `ended`) are written.
    #[serde(default)]
    pub time_unit: ColumnTime,
    /// How lengths in `took` are written.
    #[serde(default)]
    pub took_unit: ColumnTime,
    /// Who sends it: a name or an address, perhaps with a port. What hashes clients or addresses
    /// hashes these. Names have no address: one is made up, another one in each replication.
    /// Without this column each request is a client of its own.
    #[serde(default)]
    pub client: Option<String>,
    /// What it asks for: rules that hash text hash this one, to the byte. Without it the client
    /// stands in, unless the clients have `keys`.
    #[serde(default)]
    pub key: Option<String>,
    /// How large it is: a column, or several with a factor each, `{ prompt = 0.1, answer = 1.0 }`.
    #[serde(default)]
    pub size: Option<SizeColumns>,
    /// How long it takes at a server of speed 1: replaces the servers' service times.
    #[serde(default)]
    pub service: Option<String>,
    /// How service times are written.
    #[serde(default)]
    pub service_unit: ColumnTime,
}

/// Where a size comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SizeColumns {
    /// One column.
    Column(String),
    /// A sum of columns, each times its factor.
    Sum(BTreeMap<String, f64>),
}

/// How a column writes times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnTime {
    /// Seconds, with decimals if need be.
    #[default]
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
    /// A date and time of day: `2023-11-16 18:15:46.6805900`, or RFC 3339 with an offset.
    Date,
}

/// One request of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When it arrives.
    pub time: Time,
    /// Who sends it.
    pub client: u32,
    /// What it asks for: its place in [`Rows::keys`], or a number where there are none.
    pub key: u32,
    /// How large it is.
    pub size: f32,
    /// How long it takes in seconds; negative where the trace does not say.
    pub service: f32,
}

/// Texts that stand in a trace, each once.
pub type Texts = Arc<[Box<str>]>;

/// A trace that has been read: rows in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The requests.
    pub rows: Vec<Row>,
    /// How many clients there are.
    pub clients: u32,
    /// What the clients are called; `None` where the trace does not say.
    pub names: Option<Texts>,
    /// What is asked for; `None` where the trace does not say.
    pub keys: Option<Texts>,
    /// The address of each client where its name is one; empty where none is.
    pub addresses: Vec<Option<IpAddr>>,
    /// From the first arrival to the last.
    pub length: Span,
}
