//! The world as it is before it runs: checked, resolved, never changed. All cells share it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::address::Addresses;
use super::arrivals::{Process, Rows, Texts, Visits};
use super::autoscale::ScalePlan;
use super::balancer::BalancerPlan;
use super::cold::Cold;
use super::cost::{Carries, Prices};
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
use lbsim_strategies::balancer::health::HealthCheck;
use lbsim_strategies::balancer::limit::Limit;
use lbsim_strategies::balancer::retry::Retry;
use lbsim_strategies::strategy::{Labels, Member, Pool};

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
    /// What traffic costs from zone to zone.
    pub prices: Prices,
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
    /// What requests to it and its answers carry.
    pub carries: Carries,
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
        // Who is there from the start does not join.
        let moves =
            (groups.flat_map(|group| [group.joins, group.leaves])).filter(|at| *at > Time::ZERO);
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
    /// backup, and of a priority that serves; it is not marked as down, and has a weight; and where
    /// places count it is one of the first for a zone in which a balancer stands.
    pub fn in_charge(&self) -> Vec<bool> {
        let strategy = &self.balancer.strategy;
        let mut serves = strategy.in_charge(&self.members);
        if strategy.goes_by_place() {
            let mut first = vec![false; serves.len()];
            for ranks in self.ranks().values() {
                let serving = ranks.iter().zip(&serves).filter(|(_, serves)| **serves);
                let least = serving.filter_map(|(rank, _)| *rank).min();
                for (first, rank) in first.iter_mut().zip(ranks) {
                    *first |= rank.is_some() && *rank == least;
                }
            }
            for (serves, first) in serves.iter_mut().zip(first) {
                *serves &= first;
            }
        }
        serves
    }

    /// By each zone in which a balancer stands, or by no name: the ranks that places give to its
    /// members there, apart from how far they are. None for those that get nothing from there.
    pub fn ranks(&self) -> BTreeMap<&str, Vec<Option<u64>>> {
        let zones = self.balancer.zones.iter().map(String::as_str);
        let nameless = self.balancer.zones.is_empty().then_some("");
        let zones: BTreeSet<&str> = zones.chain(nameless).collect();
        let ranks = |zone: &str| {
            let pool = Pool::new(Arc::clone(&self.members)).standing_in(zone);
            self.balancer.strategy.ranks(&pool)
        };
        zones.into_iter().map(|zone| (zone, ranks(zone))).collect()
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

impl GroupPlan {
    /// Whether its servers call a service, by its number.
    pub fn calls(&self, service: usize) -> bool {
        self.steps.iter().any(|step| match &step.kind {
            StepKind::Call(call) => call.services.contains(&service),
            StepKind::Work(_) | StepKind::Pause(_) | StepKind::Own => false,
        })
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
