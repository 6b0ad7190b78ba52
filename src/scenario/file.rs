//! What stands in a scenario file, one to one. The comments here are the reference of the format.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::balancer::affinity::Sticky;
use crate::balancer::health::{HealthCheck, OwnChecks};
use crate::balancer::retry::Retry;
use crate::distribution::{Amount, Dist};
use crate::model::arrivals::Arrivals;
use crate::model::blueprint::{Abandoned, Spread};
use crate::model::discipline::Discipline;
use crate::model::fault::FaultConfig;
use crate::model::popularity::Skew;
use crate::strategy::StrategyConfig;
use crate::time::Span;
use crate::units::{Bytes, Precision, Share, WarmUp};

pub use super::step::{Callees, Step};

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
    pub run: Run,
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
    /// What `lbsim tune` may change, and what for.
    #[serde(default)]
    pub tune: Option<Tune>,
}

/// What `lbsim tune` may change, and what for. It tunes the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tune {
    /// What is to become better.
    pub objective: Metric,
    /// A second metric that is to become better too: the answer is then a front, from the best in
    /// the one to the best in the other.
    pub and: Option<Metric>,
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
            objective: Metric::Mean,
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

/// A value that takes several values in turn: a load curve, a sweep over timeouts or numbers of
/// servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sweep {
    /// Which value: a path as for `--set`, `clients[0].arrivals.rate`. `load` stands for the share
    /// of the first service's capacity that is asked for: the rates of all clients are scaled to
    /// it. Servers that stand by while all are well (backups, lower priorities, those marked as
    /// down) are no part of it.
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

/// How long, how often, and what is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Run {
    /// Simulated time. Requests that arrive in it are followed to their end, for as long again at
    /// most. May be left out where there is a trace: it then lasts as long as that.
    #[serde(default)]
    #[schemars(extend("examples" = ["1h"]))]
    pub duration: Option<Span>,
    /// Requests that arrive before are not counted. By default a tenth of the duration; nothing
    /// where the duration is that of a trace. Ask a terminating question ("what happens at the
    /// crash") with `"0s"` or a warm-up well before the event. `"auto"` finds out by a pilot how
    /// long the slowest strategy takes to settle (MSER-5 on the number of requests in the system,
    /// and on that at the busiest server), and refuses a run that never does.
    #[serde(default)]
    pub warmup: Option<WarmUp>,
    /// Independent repetitions: the same for all that is compared.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 10_000))]
    pub replications: u32,
    /// How sure the figures are to be: `"1% of p99"` goes on until the half-width of the 95%
    /// interval of every strategy's p99 is at most 1% of it, `"1% of p99 difference"` until that of
    /// every difference to the baseline is at most 1% of the baseline's p99, and `"until the best
    /// is known"` until it is known which is best by `judge-by`, with 95% confidence. Any metric of
    /// `judge-by` will do. `replications` are then those of the pilot.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// With `precision`: the most replications that may be spent on it.
    #[serde(default = "thousand")]
    #[schemars(range(min = 2, max = 100_000))]
    pub max_replications: u32,
    /// With `precision`: the most requests that may be simulated for it, by all strategies
    /// together, warm-up included; beyond those of the pilot. Without it only `max-replications`
    /// ends the search. At a sweep it holds for each point.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_requests: Option<u64>,
    /// With `"until the best is known"`: a strategy that is worse than the best by less than this
    /// share will do as the best.
    #[serde(default = "one_percent")]
    pub indifference: Share,
    /// Root of all random streams.
    #[serde(default = "one")]
    pub seed: u64,
    /// The strategies to compare.
    #[serde(default)]
    pub compare: Vec<StrategyConfig>,
    /// What the others are compared with, by name; by default the first.
    #[serde(default)]
    pub baseline: Option<String>,
    /// The service whose strategy is compared; by default the first.
    #[serde(default)]
    pub service: Option<String>,
    /// The metric that decides which is better.
    #[serde(default)]
    pub judge_by: Metric,
    /// Whether there is a table for each group of clients, too; `clients.csv` has their figures in
    /// any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_clients: bool,
}

fn ten() -> u32 {
    10
}

fn thousand() -> u32 {
    1000
}

fn one_percent() -> Share {
    Share::fraction(0.01)
}

fn one() -> u64 {
    1
}

/// A metric that may decide: a column of `runs.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Mean response time of the succeeded.
    #[default]
    Mean,
    /// Median response time of the succeeded.
    P50,
    /// 90th percentile of the response time of the succeeded.
    P90,
    /// 99th percentile of the response time of the succeeded.
    P99,
    /// 99.9th percentile of the response time of the succeeded.
    P999,
    /// Share of requests that succeed.
    SuccessShare,
    /// Succeeded requests a second.
    Goodput,
    /// Sessions lost.
    SessionsLost,
    /// Highest less lowest utilization of a server of the service whose strategy is compared.
    UtilizationSpread,
    /// Highest utilization of a server.
    UtilizationMax,
    /// What the servers cost an hour, while they are in the pool: see `cost` of servers.
    Cost,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 11] = [
        Metric::Mean,
        Metric::P50,
        Metric::P90,
        Metric::P99,
        Metric::P999,
        Metric::SuccessShare,
        Metric::Goodput,
        Metric::SessionsLost,
        Metric::UtilizationSpread,
        Metric::UtilizationMax,
        Metric::Cost,
    ];

    /// Its name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Mean => "mean",
            Metric::P50 => "p50",
            Metric::P90 => "p90",
            Metric::P99 => "p99",
            Metric::P999 => "p999",
            Metric::SuccessShare => "success-share",
            Metric::Goodput => "goodput",
            Metric::SessionsLost => "sessions-lost",
            Metric::UtilizationSpread => "utilization-spread",
            Metric::UtilizationMax => "utilization-max",
            Metric::Cost => "cost",
        }
    }
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

/// A group of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clients {
    /// What the group is called.
    #[serde(default = "clients")]
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
    /// The service that it asks; by default the first.
    #[serde(default)]
    pub service: Option<String>,
    /// Where the group is: see `network.zones`.
    #[serde(default)]
    pub zone: Option<String>,
    /// When it asks.
    pub arrivals: Arrivals,
    /// Who is in it; a trace or a closed loop says that itself.
    #[serde(default)]
    pub population: Option<Population>,
    /// Proxies, and routers that translate addresses: many clients come from the few addresses of
    /// one. The others have addresses of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub proxies: Vec<Proxy>,
    /// What is asked for; by default each client asks for its own.
    #[serde(default)]
    pub keys: Option<Keys>,
    /// How large requests are: see `per-size` of servers. By default 1, or what the trace says.
    #[serde(default)]
    pub size: Option<Dist<Amount>>,
    /// What its requests are labelled with, for the subsets of Envoy's rules (Envoy: metadata
    /// match).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The sessions that clients hold; none where it is left out.
    #[serde(default)]
    pub sessions: Option<Sessions>,
}

fn clients() -> String {
    "clients".to_owned()
}

/// Who is in a group of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Population {
    /// Made-up clients.
    Generated(Generated),
    /// Clients from a file, each as often as it stands there.
    File(FromFile),
}

/// Made-up clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Generated {
    /// How many.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub count: u32,
    /// How unlike they are in how often they ask.
    pub popularity: Skew,
    /// Where their addresses lie, IPv4 or IPv6.
    pub network: String,
    /// Length of the prefix that neighbours share.
    #[schemars(range(min = 0, max = 128))]
    pub subnet: u8,
    /// Clients behind one such prefix; the prefixes are drawn from the network.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub per_subnet: u32,
}

impl Default for Generated {
    fn default() -> Generated {
        Generated {
            count: 1000,
            popularity: Skew::Uniform,
            network: "10.0.0.0/8".to_owned(),
            subnet: 24,
            per_subnet: 1,
        }
    }
}

/// Clients behind a proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Proxy {
    /// The share of the group's clients that are behind it; which they are is drawn in each
    /// replication.
    pub share: Share,
    /// How many addresses it has, next to each other. A client keeps the one that it is given.
    #[serde(default = "one_address")]
    #[schemars(range(min = 1, max = 65_536))]
    pub addresses: u32,
}

fn one_address() -> u32 {
    1
}

/// Clients from a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FromFile {
    /// A file with a header line, in any shape that a trace may have; relative to the scenario.
    pub file: String,
    /// The column with the addresses.
    pub column: String,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// How many keys there are.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub count: u32,
    /// How unlike they are in how often they are asked for.
    #[serde(default)]
    pub popularity: Skew,
}

/// The sessions that clients hold. Their state lives on the server that answered first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sessions {
    /// A session ends when its client has not asked for this long.
    #[schemars(extend("x-least" = "1ms"))]
    pub idle: Span,
    /// How long a session lasts at most (a log-out); without it only idleness ends it.
    pub length: Option<Dist<Span>>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions {
            idle: Span::from_secs(30 * 60),
            length: None,
        }
    }
}

/// A pool of servers behind balancers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// What it is called.
    #[schemars(length(min = 1, max = 40), extend("format" = "name"))]
    pub name: String,
    /// Groups of like servers.
    #[schemars(length(min = 1, max = 1000))]
    pub servers: Vec<Servers>,
    /// What each server does for a request after its `service` time, in turn: more work, and calls
    /// to other services. Groups of servers may have steps of their own instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub steps: Vec<Step>,
    /// What stands in front of them.
    #[serde(default)]
    pub balancer: Balancer,
}

/// A group of like servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Servers {
    /// What they are called: `fast` makes `fast-1`, `fast-2` … where there are several.
    #[serde(default = "server")]
    #[schemars(length(min = 1, max = 40), extend("format" = "name"))]
    pub name: String,
    /// How many.
    #[serde(default = "one_u32")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub count: u32,
    /// Requests that one works on at once.
    #[serde(default = "one_u32")]
    #[schemars(range(min = 1, max = 100_000))]
    pub slots: u32,
    /// How much faster than `service` says: at 50% everything takes twice as long.
    #[serde(default = "whole")]
    pub speed: Share,
    /// Weight in the balancer's configuration; with 0 it gets no new clients.
    #[serde(default = "one_u32")]
    #[schemars(range(min = 0, max = 65_535))]
    pub weight: u32,
    /// Requests that may wait for a slot; more are refused. Without it, any number.
    #[serde(default)]
    pub queue_limit: Option<u32>,
    /// In which order it works.
    #[serde(default)]
    pub discipline: Discipline,
    /// Where they are: one of `network.zones`, or, where those are left out, any name, and no zone
    /// has delays of its own.
    #[serde(default)]
    pub zone: Option<String>,
    /// How long a request takes at speed 100%, without waiting. Not used where a trace says it
    /// itself.
    pub service: Dist<Span>,
    /// Added to that for each unit of a request's size.
    #[serde(default)]
    pub per_size: Option<Span>,
    /// What they do for a request after that, in place of the `steps` of the service; `[]` for
    /// nothing.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub steps: Option<Vec<Step>>,
    /// Memory, as a monitoring agent would report it.
    #[serde(default)]
    pub memory: Memory,
    /// How often the monitoring agent reports CPU and memory to the balancers.
    #[serde(default = "five_seconds")]
    #[schemars(extend("x-least" = "1ms"))]
    pub agent_interval: Span,
    /// Host and port of the first, as text: rules of products hash it. Where there are several,
    /// each further one has the next port; by default each has an address of its own,
    /// `10.0.0.1:80`, `10.0.0.2:80` … in the first service.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub address: Option<String>,
    /// Requests that a product's rule sends to one at once at most; 0 for no limit (nginx:
    /// `max_conns`, HAProxy: `maxconn`, IPVS: upper threshold). Other strategies do not look at it.
    #[serde(default)]
    pub max_connections: u32,
    /// HAProxy: `minconn`; IPVS: lower threshold; 0 for none.
    #[serde(default)]
    pub min_connections: u32,
    /// Requests that may wait for one at the balancer, where a product's rule lets them wait; 0 for
    /// no limit (HAProxy: `maxqueue`).
    #[serde(default)]
    pub max_queue: u32,
    /// Whether they get requests only where no other server can (nginx and HAProxy: `backup`).
    /// Other strategies do not look at it.
    #[serde(default)]
    pub backup: bool,
    /// Whether they are marked as down in the balancer's configuration (nginx: `down`, HAProxy:
    /// `disabled`).
    #[serde(default)]
    pub down: bool,
    /// Failures after which nginx's rules leave one alone, where that is not what the strategy says
    /// (nginx: `max_fails` of the server). Other strategies do not look at it.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_fails: Option<u32>,
    /// How long nginx's rules leave one alone then, where that is not what the strategy says
    /// (nginx: `fail_timeout` of the server). Other strategies do not look at it.
    #[serde(default)]
    pub fail_timeout: Option<Span>,
    /// How long one that comes back takes to its full weight under HAProxy's rules, where that is
    /// not what the strategy says (HAProxy: `slowstart` of the server). Other strategies do not
    /// look at it.
    #[serde(default)]
    pub slow_start: Option<Span>,
    /// What is different in their health checks, where the balancer has them (HAProxy: `check`,
    /// `inter`, `fall`, `rise` of the server).
    #[serde(default)]
    pub health_check: Option<OwnChecks>,
    /// Their priority for Envoy's rules: those of 0 come first.
    #[serde(default)]
    pub priority: u32,
    /// Their metadata, for the subsets of Envoy's rules.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What one costs an hour, in any unit: the metric `cost` adds up what the servers in the pool
    /// cost.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost: f64,
    /// When they join the pool; from the start where it is left out.
    #[serde(default)]
    pub joins: Option<Span>,
    /// When they leave the pool; what they have is finished.
    #[serde(default)]
    pub leaves: Option<Span>,
}

fn server() -> String {
    "server".to_owned()
}

fn one_u32() -> u32 {
    1
}

fn whole() -> Share {
    Share::ONE
}

fn five_seconds() -> Span {
    Span::from_secs(5)
}

/// Memory of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Memory {
    /// How much there is.
    pub total: Bytes,
    /// In use without any request.
    pub base: Bytes,
    /// In use for each request that waits or is worked on.
    pub per_request: Bytes,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            total: Bytes::new(8 << 30),
            base: Bytes::new(1 << 30),
            per_request: Bytes::new(1 << 20),
        }
    }
}

/// The balancers in front of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Balancer {
    /// How they pick, where it is not what is compared.
    pub strategy: StrategyConfig,
    /// How many there are over the same pool, each with its own counts.
    #[schemars(range(min = 1, max = 10_000))]
    pub instances: u16,
    /// Which of them a request goes through.
    pub spread: Spread,
    /// Whether clients are bound to servers.
    pub sticky: Sticky,
    /// Active health checks; without them nobody finds out.
    pub health_check: Option<HealthCheck>,
    /// How long a request may wait at the balancer, where a product's rule lets it wait until a
    /// server is free (HAProxy: `timeout queue`); without it, any time.
    #[schemars(extend("x-least" = "1us"))]
    pub queue_timeout: Option<Span>,
    /// How long an attempt may take, the way to the server and back included; without it, any time.
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
    /// What becomes of the work of an attempt that has timed out.
    pub abandoned: Abandoned,
    /// What happens after a failed attempt.
    pub retry: Retry,
}

impl Default for Balancer {
    fn default() -> Balancer {
        Balancer {
            strategy: (crate::strategy::CATALOGUE[0].default)(),
            instances: 1,
            spread: Spread::default(),
            sticky: Sticky::default(),
            health_check: None,
            queue_timeout: None,
            timeout: None,
            abandoned: Abandoned::default(),
            retry: Retry::default(),
        }
    }
}

/// How long messages take, one way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// From client to balancer, and back; no time where it is left out.
    pub client_to_balancer: Option<Dist<Span>>,
    /// From balancer to server, and back; no time where it is left out.
    pub balancer_to_server: Option<Dist<Span>>,
    /// From a server that calls another service to a balancer of that, and back; no time where it
    /// is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_to_balancer: Option<Dist<Span>>,
    /// Other delays for the clients and servers of a zone, by its name.
    pub zones: BTreeMap<String, Zone>,
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
