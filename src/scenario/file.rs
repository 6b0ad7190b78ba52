//! What stands in a scenario file, one to one. The comments here are the reference of the format.

mod clients;
mod require;
mod run;
mod services;
mod size;
mod state;
mod step;
mod sweep;
mod tune;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::Dist;
use crate::model::fault::FaultConfig;
use crate::strategy::StrategyConfig;
use crate::time::Span;

pub use clients::{Clients, FromFile, Generated, Keys, Population, Proxy, Revoked, Sessions};
pub use require::Require;
pub use run::{Criterion, RunSettings};
pub use services::{Memory, Servers, Service};
pub use size::{Seek, Size};
pub use state::{
    ClientState, Every, Lag, OnConflict, ReplicatedState, Rotation, ServerState, Shipping, State,
    StoreState, TokenState,
};
pub use step::{Callees, Route, Step};
pub use sweep::{Axis, Overloaded, Sweep};
pub use tune::{Change, Situation, Tune, TuneStart};

/// A scenario: a question about a system, and the system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// The question that the scenario answers: the title of its charts.
    #[schemars(length(min = 1, max = 200))]
    pub question: String,
    /// What to expect, and why; it may have several lines.
    #[schemars(extend("x-lines" = true))]
    pub expect: String,
    /// How long, how often, and what is compared.
    pub run: RunSettings,
    /// Where requests come from.
    #[schemars(length(min = 1, max = 100))]
    pub clients: Vec<Clients>,
    /// The pools of servers, each behind its balancers.
    #[schemars(length(min = 1, max = 100))]
    pub services: Vec<Service>,
    /// How long messages take.
    #[serde(default)]
    pub network: Network,
    /// What goes wrong, or is done on purpose.
    #[serde(default)]
    pub faults: Vec<FaultConfig>,
    /// More to compare: the same scenario with other settings.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// One value that takes several values in turn: everything is run at each.
    #[serde(default)]
    pub sweep: Option<Sweep>,
    /// Response times measured at the real system, to stand beside those simulated.
    #[serde(default)]
    pub measured: Vec<Measured>,
    /// What must hold: whether it does is printed, and in the files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub require: Vec<Require>,
    /// What `lbsim tune` may change, and what for.
    #[serde(default)]
    pub tune: Option<Tune>,
    /// What `lbsim size` looks for.
    #[serde(default)]
    pub size: Option<Size>,
}

/// Response times measured at a real system: a line in the table and in the chart of percentiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Measured {
    /// What it is called in tables and charts.
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
    /// A file with a header line and a row a request, in any shape that a trace may have; relative
    /// to the scenario.
    pub file: String,
    /// The column with the response times.
    pub column: String,
    /// How they are written.
    #[serde(default)]
    pub unit: TimeUnit,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    #[default]
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

/// One more thing to compare: the scenario with other settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Variant {
    /// What it is called in tables and charts.
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
    /// Its strategy; by default that which is written for the service, else the only one that
    /// `compare` has. Beside several of `compare` it must be said.
    #[serde(default)]
    pub strategy: Option<StrategyConfig>,
    /// What is different: a path and the value that stands there instead, as for `--set`:
    /// `{ "services.web.balancer.sticky" = "cookie" }`.
    #[serde(default)]
    pub set: BTreeMap<String, serde_json::Value>,
}

/// How long messages take, one way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// From client to balancer, and back, which takes as long: it is drawn once for both. No time
    /// where it is left out.
    pub client_to_balancer: Option<Dist<Span>>,
    /// From balancer to server, and back, each drawn by itself; no time where it is left out.
    pub balancer_to_server: Option<Dist<Span>>,
    /// From a server that calls another service to a balancer of that, and back, which takes as
    /// long: it is drawn once for both. No time where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_to_balancer: Option<Dist<Span>>,
    /// Other delays for the clients and servers of a zone, by its name.
    pub zones: BTreeMap<String, Zone>,
    /// How long messages take from zone to zone, whatever they are; where nothing is said of two
    /// zones, or a place is in none, the delays above hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10_000))]
    pub ways: Vec<ZoneWay>,
    /// What a GiB costs that goes from one zone to another, whichever they are, unless their way
    /// says otherwise; in the unit of the `cost` of servers. Services say what they carry: see
    /// `carries` there.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost_per_gib: f64,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// The way from a zone to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ZoneWay {
    /// The one zone.
    pub from: String,
    /// The other, or the same.
    pub to: String,
    /// How long a message takes from the one to the other, one way; and back, unless the way back
    /// is listed too.
    pub takes: Dist<Span>,
    /// What a GiB costs that goes from the one to the other; and back, unless the way back is
    /// listed too. As the network has it where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost_per_gib: Option<f64>,
}

/// Delays of one zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Zone {
    /// From clients in this zone to their balancer, and back.
    pub client_to_balancer: Option<Dist<Span>>,
    /// From the balancer to servers in this zone, and back.
    pub balancer_to_server: Option<Dist<Span>>,
    /// From servers in this zone to the balancers of services that they call, and back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_to_balancer: Option<Dist<Span>>,
}
