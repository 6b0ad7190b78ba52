//! What a server does for a request after its own work, as a scenario says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::Dist;
use crate::time::Span;
use crate::units::Share;

/// One thing that a server does for a request, after its `service` time and the steps before:
/// either `work`, or a `call`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// More work, at speed 100%.
    #[serde(default)]
    pub work: Option<Dist<Span>>,
    /// The service that is called, or several that are called at the same time: `"db"`, `["users",
    /// "stock"]`. A call goes through the balancers of that service, with their strategy, timeout
    /// and retries.
    #[serde(default)]
    pub call: Option<Callees>,
    /// Calls to each of them, all at the same time.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 1000))]
    pub copies: u32,
    /// Good answers that the step waits for; by default all: 1 for the first, 2 of 3 for a quorum.
    /// What is still under way then is done for nobody.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub wait_for: Option<u32>,
    /// Whether the request goes on where fewer good answers come. Otherwise it is answered with an
    /// error, as with status 502.
    #[serde(default)]
    pub optional: bool,
    /// Whether the request keeps its slot while it waits, as a thread does; `false` gives it back
    /// meanwhile, as an event loop does. By default it keeps it, and cannot where the discipline is
    /// `processor-sharing`.
    #[serde(default)]
    pub blocking: Option<bool>,
    /// How often one server may be in the midst of this call at once, in the course of different
    /// requests; whoever comes beyond that does without it, as if it had failed (a bulkhead). Any
    /// number where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub at_once: Option<u32>,
    /// How long the server waits for the answers, as the timeout of a client library: then it goes
    /// on without those that have not come, or answers with an error as with status 504 (see
    /// `optional`), and what is still under way is done for nobody. It counts from when the calls
    /// are made, so it covers the way to a balancer and all tries of that, which `timeout` of the
    /// balancer does not. Without one a server waits as long as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
    /// What requests are labelled with that take the step (see `labels` of clients); all where it
    /// is left out. A value that ends in `*` means all that begin so: `{ path = "/api/*" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The share of these requests that take the step at all.
    #[serde(default = "all")]
    pub probability: Share,
    /// How often it is done, one after the other.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 100_000))]
    pub repeat: u32,
}

/// Where a server sends requests on to, as a balancer of layer 7 does: it frees its slot until the
/// answer comes, and hands that back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// The service that they go to.
    pub to: String,
    /// How long the server waits for the answer, before it answers with status 504 (nginx:
    /// `proxy_read_timeout`; HAProxy: `timeout server`): see `timeout` of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
    /// What requests are labelled with that go there (see `labels` of clients), unless a route
    /// before this one takes them; all others where it is left out. A value that ends in `*` means
    /// all that begin so: `{ path = "/api/*" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What a step calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Callees {
    /// One service.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Callees {
    /// Their names, in order.
    pub fn names(&self) -> &[String] {
        match self {
            Callees::One(name) => std::slice::from_ref(name),
            Callees::Several(names) => names,
        }
    }
}

fn once() -> u32 {
    1
}

fn all() -> Share {
    Share::ONE
}
