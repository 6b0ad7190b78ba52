//! `[[services]]`: the pools of servers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Route, State, Step};
use crate::balancer::health::OwnChecks;
use crate::balancer::limit::Limit;
use crate::distribution::Dist;
use crate::model::autoscale::Autoscale;
use crate::model::balancer::BalancerPlan;
use crate::model::cold::Cold;
use crate::model::discipline::Discipline;
use crate::model::under_load::UnderLoad;
use crate::time::Span;
use crate::units::{Bytes, Share};

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
    /// Where its servers send requests on to after all that: they are balancers of layer 7 then,
    /// whose `service` is their own work for each. The first route that fits a request takes it.
    /// Groups of servers may have routes of their own instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub routes: Vec<Route>,
    /// Where the state of sessions lives whose clients ask this service, or how it keeps that of
    /// others, as a store; in the memory of its servers where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// What messages carry, on average, where that is paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carries: Option<Payload>,
    /// What stands in front of them.
    #[serde(default)]
    pub balancer: BalancerPlan,
}

/// What messages carry, on average. It is counted for each request and each call to the service,
/// whoever makes it, on the way to the balancer and to each server that it is sent to, and for each
/// good answer on the same way back; health checks and errors are not counted. States of sessions
/// are in it as you say it, but for what goes from server to server, which is counted by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Payload {
    /// A request.
    pub request: Bytes,
    /// A good answer.
    pub answer: Bytes,
}

/// A group of like servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Servers {
    /// What they are called: `fast` makes `fast-1`, `fast-2` … where there are several.
    #[serde(default = "server")]
    #[schemars(length(min = 1, max = 40), extend("format" = "name"))]
    pub name: String,
    /// How many; at the start, where `autoscale` changes their number.
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
    /// How many requests one takes by itself, waiting ones included, before it refuses more: with
    /// an adaptive kind as many as it can do well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
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
    /// Where they send requests on to, in place of the `routes` of the service; `[]` for nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub routes: Option<Vec<Route>>,
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
    /// What one costs an hour, in any unit: the metric `cost` adds up what has a price. Balancers
    /// and traffic between zones may have prices too.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost: f64,
    /// What a million requests cost that one is sent, besides: the price of a balancer, or of a
    /// store, by the request.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost_per_million: f64,
    /// How cold they are when they have started, after a crash or when they join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<Cold>,
    /// What becomes of their answers when many requests are at one of them at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_load: Option<UnderLoad>,
    /// When they join the pool; from the start where it is left out.
    #[serde(default)]
    pub joins: Option<Span>,
    /// When they leave the pool; what they have is finished.
    #[serde(default)]
    pub leaves: Option<Span>,
    /// How their number changes while the run goes on, by the clock or as the load goes. Without
    /// it there are `count` of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscale: Option<Autoscale>,
}

impl Servers {
    /// How many there may be: those that an autoscaler may order included.
    pub(crate) fn places(&self) -> u32 {
        let most = self.autoscale.as_ref().map_or(0, |own| own.most);
        self.count.max(most)
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
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
