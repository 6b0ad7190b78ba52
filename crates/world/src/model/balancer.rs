//! The balancers in front of a service, as a scenario describes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::Span;
use lbsim_engine::units::Share;
use lbsim_strategies::balancer::affinity::Sticky;
use lbsim_strategies::balancer::connections::Connections;
use lbsim_strategies::balancer::ejection::Ejection;
use lbsim_strategies::balancer::health::HealthCheck;
use lbsim_strategies::balancer::hedge::Hedge;
use lbsim_strategies::balancer::limit::{ClientLimit, Limit, LimitKind};
use lbsim_strategies::balancer::own_zone::OwnZone;
use lbsim_strategies::balancer::retry::Retry;
use lbsim_strategies::balancer::slow_start::GradualReturn;
use lbsim_strategies::balancer::subset::Subset;
use lbsim_strategies::strategy::{CATALOGUE, Origin, StrategyConfig};

/// The balancers in front of a service: as a scenario says it, for there is nothing to resolve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(
    rename = "Balancer",
    description = "The balancers in front of a service."
)]
pub struct BalancerPlan {
    /// How they pick, where it is not what is compared.
    pub strategy: StrategyConfig,
    /// How many there are over the same pool, each with its own counts.
    #[schemars(range(min = 1, max = 10_000))]
    pub instances: u16,
    /// Where they are: the first in the first of these zones, the second in the second, and again
    /// from the front; in none where it is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub zones: Vec<String>,
    /// Which of them a request goes through.
    pub spread: Spread,
    /// Whether each of them sends to some of the servers only; to all where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subset: Option<Subset>,
    /// Whether each of them sends to servers of its own zone first; to all alike where it is left
    /// out. Rules of products have settings of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_zone: Option<OwnZone>,
    /// Whether clients are bound to servers.
    pub sticky: Sticky,
    /// Active health checks; without them nobody finds out.
    pub health_check: Option<HealthCheck>,
    /// Whom a balancer leaves out by how they answer the requests that it sends; nobody where it is
    /// left out. Rules of products have settings of their own besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ejection: Option<Ejection>,
    /// Where a balancer thinks that less than this share of its members is well, it sends to all:
    /// better some failures than all requests at too few (Envoy: `healthy_panic_threshold`, 50%
    /// there). With 1% it does so where none is (ALB: fail open). Never where it is left out. Rules
    /// of products have settings of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panic_threshold: Option<Share>,
    /// How many requests (at layer 4: connections) a balancer lets in, all that it has together;
    /// any number where it is left out. One is in until its outcome, retries and pauses included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// How many requests (at layer 4: connections) of each client a balancer lets in; any number
    /// where it is left out (nginx: `limit_req` and `limit_conn` by `$binary_remote_addr`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_limit: Option<ClientLimit>,
    /// How many requests (at layer 4: connections) each server may have from one balancer; any
    /// number where it is left out. One that is full is passed over; if all are, `when-full` holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_limit: Option<Limit>,
    /// How many requests a balancer may have under way at each server at once, once it has picked
    /// one; any number where it is left out. Others wait for their server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Connections>,
    /// How members that come back get their share; all at once where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<GradualReturn>,
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
    /// Whether another attempt is made beside one whose answer does not come soon. What becomes of
    /// the work of those that come too late says `abandoned`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge: Option<Hedge>,
    /// What each of them costs an hour, in the unit of the `cost` of servers.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost: f64,
    /// What a million requests cost that come to them, besides.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost_per_million: f64,
    /// What a GiB costs that goes through them, besides: each request once, and each good answer.
    /// See `carries` of the service.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cost_per_gib: f64,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Default for BalancerPlan {
    fn default() -> BalancerPlan {
        BalancerPlan {
            strategy: (CATALOGUE[0].default)(),
            instances: 1,
            zones: Vec::new(),
            spread: Spread::default(),
            subset: None,
            own_zone: None,
            sticky: Sticky::default(),
            health_check: None,
            ejection: None,
            panic_threshold: None,
            limit: None,
            client_limit: None,
            server_limit: None,
            connections: None,
            slow_start: None,
            queue_timeout: None,
            timeout: None,
            abandoned: Abandoned::default(),
            retry: Retry::default(),
            hedge: None,
            cost: 0.0,
            cost_per_million: 0.0,
            cost_per_gib: 0.0,
        }
    }
}

impl BalancerPlan {
    /// What anything of it looks at of where a request comes from.
    pub fn origin(&self) -> Origin {
        let by_limit = self.client_limit.as_ref().map(ClientLimit::origin);
        let by_rules = self.strategy.origin().max(self.sticky.origin());
        by_rules.max(by_limit.unwrap_or(Origin::Nothing))
    }

    /// How many requests a server has at most at once from all balancers together, where limits
    /// that do not change say it; any number elsewhere.
    pub fn at_once(&self) -> u32 {
        let limit = self.server_limit.as_ref().map(|limit| &limit.by);
        let connections = (self.connections.as_ref()).filter(|own| !own.per_key);
        let kinds = limit.into_iter().chain(connections.map(|own| &own.by));
        let fixed = kinds.filter_map(|kind| match kind {
            LimitKind::Fixed(fixed) => Some(fixed.requests),
            _ => None,
        });
        let streams = self.sticky.connection().map_or(1, |own| own.at_once);
        let each = fixed.min().unwrap_or(u32::MAX).saturating_mul(streams);
        each.saturating_mul(u32::from(self.instances))
    }
}

/// Which of several balancers a request goes through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Any, drawn for each request.
    #[default]
    Request,
    /// One drawn for each client, which keeps it.
    Client,
    /// Each caller has one of its own, which stands where it does, so that there is no way from the
    /// one to the other: each group of clients, as a name server that it asks, or the library of
    /// its programs; each server that calls, as a proxy beside it, or because it is the balancer:
    /// it dies with its server. How many there are follows from that: `instances` and `zones` are
    /// left out.
    Caller,
}

/// What happens to the work of an attempt whose balancer has given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Abandoned {
    /// The server does not notice, and does it for nobody.
    #[default]
    Finish,
    /// The server stops at once.
    Cancel,
}
