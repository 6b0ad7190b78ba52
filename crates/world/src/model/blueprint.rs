//! The world as it is before it runs: checked, resolved, never changed. All cells share it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::Addresses;
use super::arrivals::{Process, Rows, Texts, Visits};
use super::autoscale::ScalePlan;
use super::cold::Cold;
use super::discipline::Discipline;
use super::fault::Fault;
use super::flows::FlowPlan;
use super::network::{Delay, Distances, Zone};
use super::popularity::Popularity;
use super::state::{Home, KeepPlan, SessionPlan};
use super::step::{Only, StepKind, StepPlan};
use super::under_load::UnderLoad;
use lbsim_engine::distribution::Sampler;
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;
use lbsim_strategies::balancer::affinity::Sticky;
use lbsim_strategies::balancer::connections::Connections;
use lbsim_strategies::balancer::ejection::Ejection;
use lbsim_strategies::balancer::health::HealthCheck;
use lbsim_strategies::balancer::hedge::Hedge;
use lbsim_strategies::balancer::limit::{ClientLimit, Limit, LimitKind};
use lbsim_strategies::balancer::retry::Retry;
use lbsim_strategies::balancer::scope::{OwnZone, Subset};
use lbsim_strategies::balancer::slow_start::GradualReturn;
use lbsim_strategies::strategy::{CATALOGUE, Labels, Member, Origin, StrategyConfig};

/// Everything that a cell needs besides its seed.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// Where the measured window begins.
    pub warmup: Time,
    /// Where it ends. What arrived in it is followed to its end, for as long again at most.
    pub end: Time,
    /// Stretches of the timeline.
    pub stretches: usize,
    /// Where requests come from.
    pub sources: Vec<SourcePlan>,
    /// The pools.
    pub services: Vec<ServicePlan>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How long messages take from zone to zone; what is not said here takes as long as each place
    /// says by itself.
    pub ways: Distances,
}

/// When clients give up, and whether they try again.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    /// How long one waits for its answer.
    pub timeout: Option<Span>,
    /// How long one waits while nobody works on its request, in seconds.
    pub waits: Option<Sampler>,
    /// What one does that has failed.
    pub retry: Option<Retry>,
    /// Whether the end of the timeout travels with the request.
    pub deadline_travels: bool,
}

/// A group of clients.
#[derive(Clone, Debug)]
pub struct SourcePlan {
    /// Its name.
    pub name: String,
    /// The service that it asks: an index into [`Blueprint::services`].
    pub service: usize,
    /// When it asks.
    pub when: When,
    /// Who asks.
    pub population: Arc<Population>,
    /// What for: `None` where each client asks for its own, or the trace says what for.
    pub keys: Option<Arc<Popularity>>,
    /// The text of each key; `None` where keys are numbers.
    pub key_texts: Option<Texts>,
    /// How large requests are; `None` for size 1 where the trace does not say either.
    pub size: Option<Sampler>,
    /// What its requests are labelled with.
    pub labels: Labels,
    /// When its clients give up, and whether they try again.
    pub patience: Patience,
    /// Their class, for servers whose discipline looks at it: those of 0 come first.
    pub priority: u8,
    /// The sessions that clients hold.
    pub sessions: Option<SessionPlan>,
    /// The share of its clients that drop cookies, 0 to 1.
    pub drops_cookies: f64,
    /// One way, client to balancer.
    pub to_balancer: Delay,
    /// Where its clients are.
    pub zone: Zone,
    /// Whether they mean harm: what they send is work, and no part of what is measured of requests.
    pub hostile: bool,
}

/// When a group of clients asks.
#[derive(Clone, Debug)]
pub enum When {
    /// At the times of a random process.
    Process(Process),
    /// At recorded times.
    Trace(Arc<Rows>),
    /// Each user after thinking about the last answer, in seconds.
    Closed(Sampler),
    /// Visits begin at the times of a random process, and make some requests each.
    Visits(Visits),
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Population {
    /// How often each client asks; closed loops and traces say it themselves.
    pub popularity: Popularity,
    /// Where each client connects from.
    pub addresses: Addresses,
    /// What each client is called; `None` where nobody says.
    pub names: Option<Texts>,
}

/// A pool of servers behind balancers.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Its name.
    pub name: String,
    /// Its servers, in the order of the scenario.
    pub servers: Vec<ServerPlan>,
    /// Its servers as the balancers' configuration describes them.
    pub members: Arc<[Member]>,
    /// Groups of like servers.
    pub groups: Vec<GroupPlan>,
    /// How its servers keep states of sessions that live there.
    pub keeps: KeepPlan,
    /// What stands in front.
    pub balancer: BalancerPlan,
    /// Where its balancers are, by number; empty where nobody says it.
    pub zones: Vec<Zone>,
    /// Whose balancers these are, where each caller has its own.
    pub callers: Option<Callers>,
    /// What is drawn for connections to it, where its balancers are of layer 4.
    pub flows: Option<FlowPlan>,
}

/// Callers that have a balancer each.
#[derive(Clone, Debug, PartialEq)]
pub struct Callers {
    /// The number of the balancer of each group of clients, by source; [`Callers::NONE`] of those
    /// that do not ask the service.
    pub of_source: Vec<u16>,
    /// That of each server, among all of the world.
    pub of_server: Vec<u16>,
}

impl Callers {
    /// The balancer of who has none.
    pub const NONE: u16 = u16::MAX;
}

/// One server.
#[derive(Clone, Debug)]
pub struct ServerPlan {
    /// Its name within the service.
    pub name: String,
    /// Its group: an index into [`ServicePlan::groups`].
    pub group: usize,
}

/// What like servers have in common.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Its name within the service.
    pub name: String,
    /// Requests worked on at once.
    pub slots: u32,
    /// How much faster than the service times say.
    pub speed: f64,
    /// Weight in the balancer's configuration.
    pub weight: u32,
    /// Requests that may wait; more are refused.
    pub queue_limit: u32,
    /// How many requests one takes, waiting ones included; others are refused.
    pub limit: Option<Limit>,
    /// Who goes next.
    pub discipline: Discipline,
    /// Service time at speed 1, in seconds.
    pub service: Sampler,
    /// Added for each unit of a request's size, in seconds.
    pub per_size: f64,
    /// What it does for a request after that, in turn.
    pub steps: Vec<StepPlan>,
    /// How long a request waits for what is called in its course, in seconds, where nobody else is
    /// there and all are well: about the least that it may be on average, all its calls together.
    pub least_called: f64,
    /// The part of that during which it keeps its slot.
    pub least_held: f64,
    /// Bytes of memory.
    pub memory_total: f64,
    /// Memory: share in use by an idle server, and by each request in it.
    pub memory_base: f64,
    /// See `memory_base`.
    pub memory_per_request: f64,
    /// How often its monitoring agent reports.
    pub agent_interval: Span,
    /// How balancers check them, if at all: as the balancers say, or otherwise.
    pub health_check: Option<HealthCheck>,
    /// One way, balancer to server.
    pub to_server: Delay,
    /// Where they are.
    pub zone: Zone,
    /// What one costs an hour.
    pub cost: f64,
    /// What a million requests cost that it is sent, besides.
    pub cost_per_million: f64,
    /// How cold it is when it has started.
    pub cold: Option<Cold>,
    /// What becomes of its answers when many requests are at it.
    pub under_load: Option<UnderLoad>,
    /// When it joins the pool.
    pub joins: Time,
    /// When it leaves the pool.
    pub leaves: Time,
    /// How the number of servers changes; `None` where all are there as `joins` and `leaves` say.
    pub autoscale: Option<ScalePlan>,
}

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

    /// How many requests a server has at once at most, where limits say it that do not change.
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

impl Blueprint {
    /// The servers of a service, among all servers of the world.
    pub fn servers_of(&self, service: usize) -> Range<usize> {
        let count = |service: &ServicePlan| service.servers.len();
        let first: usize = self.services[..service].iter().map(count).sum();
        first..first + count(&self.services[service])
    }

    /// The servers that keep states of sessions: those of the first service that does.
    pub fn states_at(&self) -> Range<usize> {
        let homes = self.sources.iter().filter_map(|source| {
            let plan = source.sessions.as_ref()?;
            match &plan.home {
                Home::Servers(home) => Some(*home),
                Home::Client => Some(plan.used_by),
                Home::Token(_) => None,
            }
        });
        homes.min().map_or(0..0, |home| self.servers_of(home))
    }

    /// When the first thing happens to servers in the measured window at a known time: a fault
    /// begins, a server joins or leaves. Where nothing does, when the window begins.
    pub fn cohort_from(&self) -> Time {
        let groups = self.services.iter().flat_map(|service| &service.groups);
        let moves = groups.flat_map(|group| [group.joins, group.leaves]);
        let faults = (self.faults.iter())
            .filter(|fault| !fault.schedule.is_random())
            .map(|fault| fault.schedule.begins());
        let within = |at: &Time| *at >= self.warmup && *at < self.end;
        let planned = self.autoscalers().flat_map(|(_, own)| own.planned());
        moves
            .chain(planned)
            .chain(faults)
            .filter(within)
            .min()
            .unwrap_or(self.warmup)
    }

    /// Whether servers work for states that are not there.
    pub fn rebuilds(&self) -> bool {
        let mut groups = self.services.iter().flat_map(|service| &service.groups);
        groups.any(|group| group.steps.iter().any(|step| step.only == Only::New))
    }

    /// The group of each server of the world, in their order.
    pub fn server_groups(&self) -> impl Iterator<Item = &GroupPlan> {
        self.services.iter().flat_map(|service| {
            let servers = service.servers.iter();
            servers.map(|server| &service.groups[server.group])
        })
    }

    /// What each server is called among all servers of the world, in their order.
    pub fn server_names(&self) -> impl Iterator<Item = String> {
        self.services.iter().flat_map(|service| {
            let servers = service.servers.iter();
            servers.map(|server| service.full_name(&server.name))
        })
    }

    /// Whether something bounds how much waits at a service: timeouts, limits of queues,
    /// disciplines that drop, or clients that all give up.
    pub fn is_bounded(&self, service: usize) -> bool {
        let plan = &self.services[service];
        let mut sources = self
            .sources
            .iter()
            .filter(|source| source.service == service);
        let gives_up = |source: &SourcePlan| {
            source.patience.timeout.is_some() || source.patience.waits.is_some()
        };
        let asked_by_clients = sources.clone().next().is_some();
        plan.balancer.timeout.is_some()
            || plan.balancer.queue_timeout.is_some()
            || plan.balancer.limit.is_some()
            || plan.balancer.server_limit.is_some()
            || (plan.groups.iter()).any(|group| {
                group.queue_limit < u32::MAX || group.limit.is_some() || group.discipline.drops()
            })
            || (asked_by_clients && sources.all(gives_up))
    }
}

/// What a server, or a group of servers, is called among those of all services: `web/fast-3`.
pub fn full_name(service: &str, own: &str) -> String {
    format!("{service}/{own}")
}

impl ServicePlan {
    /// The [`full_name`] of one of its servers or groups.
    pub fn full_name(&self, own: &str) -> String {
        full_name(&self.name, own)
    }

    /// The services that its servers call, each once, in the order of their numbers.
    pub fn callees(&self) -> Vec<usize> {
        let steps = self.groups.iter().flat_map(|group| &group.steps);
        let calls = steps.filter_map(|step| match &step.kind {
            StepKind::Call(call) => Some(&call.services),
            StepKind::Work(_) | StepKind::Pause(_) | StepKind::Own => None,
        });
        let all: BTreeSet<usize> = calls.flatten().copied().collect();
        all.into_iter().collect()
    }

    /// The group of a server.
    pub fn group(&self, server: usize) -> &GroupPlan {
        &self.groups[self.servers[server].group]
    }

    /// For each server whether it gets requests while all are well: under this strategy it is no
    /// backup, and of a priority that serves; it is not marked as down, and has a weight.
    pub fn in_charge(&self) -> Vec<bool> {
        self.balancer.strategy.in_charge(&self.members)
    }

    /// The share of all slots that those in charge have.
    pub fn share_in_charge(&self) -> f64 {
        let slots = |server: usize| f64::from(self.group(server).slots);
        let in_charge = self.in_charge();
        let all: f64 = (0..self.servers.len()).map(slots).sum();
        let own = (0..self.servers.len()).filter(|&server| in_charge[server]);
        own.map(slots).sum::<f64>() / all
    }
}

impl SourcePlan {
    /// Sessions that its clients hold at most at once; as many as there are clients where they hold
    /// none.
    pub fn session_count(&self) -> u32 {
        let each = self.sessions.as_ref().map_or(1, |plan| plan.per_client);
        self.population.popularity.count().saturating_mul(each)
    }

    /// Requests a second over the first `over` of time; `None` for a closed loop, whose rate
    /// depends on the answers.
    pub fn rate(&self, over: Span) -> Option<f64> {
        match &self.when {
            When::Process(process) => Some(process.mean_rate(over)),
            When::Trace(rows) => {
                let end = Time::ZERO + over;
                let within = rows.rows.partition_point(|row| row.time < end);
                Some(within as f64 / over.seconds())
            }
            When::Visits(visits) => Some(visits.rate(over)),
            When::Closed(_) => None,
        }
    }

    /// Mean size of a request.
    pub fn mean_size(&self) -> f64 {
        match (&self.when, &self.size) {
            (_, Some(size)) => size.mean(),
            (When::Trace(rows), None) => {
                rows.rows.iter().map(|row| f64::from(row.size)).sum::<f64>()
                    / rows.rows.len() as f64
            }
            _ => 1.0,
        }
    }

    /// Mean service time that the trace itself states, in seconds.
    pub fn recorded_service(&self) -> Option<f64> {
        let When::Trace(rows) = &self.when else {
            return None;
        };
        let times: Vec<f64> = rows
            .rows
            .iter()
            .map(|row| f64::from(row.service))
            .filter(|&t| t >= 0.0)
            .collect();
        (times.len() == rows.rows.len()).then(|| times.iter().sum::<f64>() / times.len() as f64)
    }
}

#[cfg(test)]
impl GroupPlan {
    /// Servers of one slot, a request of one second, and nothing else.
    pub(super) fn of_one_slot() -> GroupPlan {
        let second = serde_json::from_str(r#"{ "kind": "constant", "value": "1s" }"#);
        let service: lbsim_engine::distribution::Dist<Span> = second.unwrap();
        GroupPlan {
            name: "server".to_owned(),
            slots: 1,
            speed: 1.0,
            weight: 1,
            queue_limit: u32::MAX,
            limit: None,
            discipline: Discipline::Fifo,
            service: service.sampler().unwrap(),
            per_size: 0.0,
            steps: Vec::new(),
            least_called: 0.0,
            least_held: 0.0,
            memory_total: 1.0,
            memory_base: 0.0,
            memory_per_request: 0.0,
            agent_interval: Span::from_secs(5),
            health_check: None,
            to_server: Delay::None,
            zone: super::network::NOWHERE,
            cost: 0.0,
            cost_per_million: 0.0,
            cold: None,
            under_load: None,
            joins: Time::ZERO,
            leaves: Time::NEVER,
            autoscale: None,
        }
    }
}
