//! A service at work: its balancers, their bonds with clients, health checks, the legs to its
//! servers.

use std::sync::Arc;

use super::blueprint::{ServerPlan, ServicePlan};
use super::checks::Check;
use super::fault::WhileDown;
use super::network::{Delay, Distances, Leg, NOWHERE, Zone};
use super::outage::Outage;
use super::{Event, World};
use lbsim_engine::events::{Calendar, Lane};
use lbsim_engine::rng::{Domain, Rng, Seeds, mix, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::affinity::{Bonds, Callers};
use lbsim_strategies::balancer::budget::Purse;
use lbsim_strategies::balancer::{Balancer, Care};
use lbsim_strategies::strategy::Pool;
use rand::Rng as _;

/// What tells the words of a service's bonds and subsets from that of its balancers.
const BONDS: u64 = 0xb04d;
const SUBSETS: u64 = 0x5b5e;

/// A pool of servers behind balancers.
#[derive(Debug)]
pub(super) struct Service<'a> {
    pub(super) plan: &'a ServicePlan,
    /// Its first server among all servers of the world.
    pub(super) first: u32,
    pub(super) balancers: Vec<Balancer>,
    /// Who is bound to which member; `None` where nobody is.
    pub(super) bonds: Option<Bonds>,
    /// Health checks, by balancer and member.
    pub(super) checks: Vec<Check>,
    /// The ways between its balancers and its servers.
    pub(super) legs: Legs,
    /// Where timeouts wait.
    pub(super) timeouts: Option<Lane>,
    /// Where the time limits of those wait who wait at a balancer.
    pub(super) queue_timeouts: Option<Lane>,
    /// Whether its strategy reads what servers say of themselves in answers.
    pub(super) reads_feedback: bool,
    /// What each balancer has left of its budget of retries; empty where there is none.
    pub(super) purses: Vec<Purse>,
    /// When each balancer looks at its members next, whatever comes; an event that says otherwise
    /// is stale.
    pub(super) looks: Vec<Time>,
    /// Crashes of each balancer; empty where there has been none.
    pub(super) outages: Vec<Outage>,
    /// A random word: which balancer a client comes through.
    pub(super) route: u64,
}

/// Distances between the balancers of a service and its servers.
#[derive(Debug)]
pub(super) struct Legs {
    /// Groups of servers.
    groups: usize,
    /// Balancers that are as far from each group as each other are of one class; empty where all
    /// are.
    classes: Vec<u16>,
    /// Balancer to server, by class and then by group.
    out: Vec<Leg>,
    /// Server to balancer.
    back: Vec<Leg>,
}

impl Legs {
    fn new(plan: &ServicePlan, ways: &Distances, calendar: &mut Calendar<Event>) -> Legs {
        let mut zones: Vec<Zone> = Vec::new();
        let mut classes = Vec::new();
        if !ways.is_empty() {
            for &zone in &plan.zones {
                let known = zones.iter().position(|&other| other == zone);
                classes.push(known.unwrap_or(zones.len()) as u16);
                if known.is_none() {
                    zones.push(zone);
                }
            }
        }
        if zones.is_empty() {
            zones.push(NOWHERE);
        }
        let delays = |way: fn(Zone, Zone) -> (Zone, Zone)| {
            let mut delays = Vec::with_capacity(zones.len() * plan.groups.len());
            for &zone in &zones {
                for group in &plan.groups {
                    let (from, to) = way(zone, group.zone);
                    delays.push(ways.between(from, to).unwrap_or(&group.to_server).clone());
                }
            }
            delays
        };
        let (out, back) = (
            delays(|balancer, server| (balancer, server)),
            delays(|balancer, server| (server, balancer)),
        );
        let mut legs = |delays: Vec<Delay>| {
            let legs = delays.into_iter().map(|delay| Leg::new(delay, calendar));
            legs.collect()
        };
        Legs {
            groups: plan.groups.len(),
            classes,
            out: legs(out),
            back: legs(back),
        }
    }

    #[inline(always)]
    fn place(&self, balancer: u16, group: u16) -> usize {
        match self.classes.as_slice() {
            [] => usize::from(group),
            classes => {
                usize::from(classes[usize::from(balancer)]) * self.groups + usize::from(group)
            }
        }
    }

    /// The way from a balancer to the servers of a group.
    #[inline(always)]
    pub(super) fn out(&self, balancer: u16, group: u16) -> &Leg {
        &self.out[self.place(balancer, group)]
    }

    /// The way from the servers of a group to a balancer.
    #[inline(always)]
    pub(super) fn back(&self, balancer: u16, group: u16) -> &Leg {
        &self.back[self.place(balancer, group)]
    }
}

/// The strategy's own stream at a balancer of a service that has come back so many times.
fn stream(index: usize, (instance, returns): (u16, u16), seeds: Seeds) -> Rng {
    let own = u64::from(returns) << 16 | u64::from(instance);
    seeds.stream(Domain::Strategy, (index as u64) << 32 | own)
}

/// Whether a strategy has drawn from its stream: the one at this balancer of a service.
pub(super) fn has_drawn(balancer: &Balancer, index: usize, instance: u16, seeds: Seeds) -> bool {
    balancer.has_drawn(&stream(index, (instance, 0), seeds))
}

/// The balancer of this number of a service, that of number `index`, after it has come back so many
/// times.
pub(super) fn balancer(
    plan: &ServicePlan,
    index: usize,
    (instance, returns): (u16, u16),
    (seeds, ways): (Seeds, &Distances),
) -> Balancer {
    let rng = stream(index, (instance, returns), seeds);
    let placement = seeds.stream(Domain::Placement, index as u64).next_u64();
    let mut pool = Pool::new(Arc::clone(&plan.members)).placed_by(placement);
    if !plan.zones.is_empty() || plan.groups.iter().any(|group| group.to_server.mean() > 0.0) {
        let zone = plan
            .zones
            .get(usize::from(instance))
            .map_or(NOWHERE, |&zone| zone);
        let way = |server: &ServerPlan| {
            let group = &plan.groups[server.group];
            let said = ways.between(zone, group.zone);
            Span::from_seconds(said.unwrap_or(&group.to_server).mean())
        };
        pool = pool.reached_by(plan.servers.iter().map(way).collect());
    }
    let zones = &plan.balancer.zones;
    let zone = zones.get(usize::from(instance) % zones.len().max(1));
    if let Some(zone) = zone {
        pool = pool.standing_in(zone);
    }
    let own = u64::from(returns) << 16 | u64::from(instance);
    let passing_over = seeds.stream(Domain::SlowStart, (index as u64) << 32 | own);
    let mut looks = seeds.stream(Domain::Look, (index as u64) << 32 | own);
    let phase = uniform(&mut looks);
    let care = Care {
        ejection: (plan.balancer.ejection.as_ref()).map(|ejection| (ejection, phase)),
        panic_threshold: plan.balancer.panic_threshold,
        server_limit: plan.balancer.server_limit.as_ref(),
        slow_start: (plan.balancer.slow_start.as_ref()).map(|plan| (plan, passing_over)),
        waits_for_bound: plan.balancer.sticky.waits(),
        shadow: (plan.has_shadows())
            .then(|| seeds.stream(Domain::Shadow, (index as u64) << 32 | own)),
        subset: (plan.balancer.subset.as_ref()).map(|subset| {
            let word = mix(World::route_word(seeds, index) ^ SUBSETS);
            (
                subset.order(instance, plan.members.len(), word),
                subset.size,
            )
        }),
        own_zone: (plan.balancer.own_zone.as_ref()).map(|own_zone| {
            let members = plan.members.iter();
            (
                members.map(|member| member.zone.as_ref() == zone).collect(),
                own_zone,
                seeds.stream(Domain::Spill, (index as u64) << 32 | own),
            )
        }),
    };
    Balancer::with_care(instance, &plan.balancer.strategy, pool, (rng, care))
}

impl<'a> Service<'a> {
    /// Service number `index`, whose servers begin at `first`, in a world of so many sessions
    /// and these callers.
    pub(super) fn new(
        plan: &'a ServicePlan,
        index: usize,
        first: u32,
        (sessions, callers): (usize, &Callers),
        (seeds, ways): (Seeds, &Distances),
        calendar: &mut Calendar<Event>,
    ) -> Service<'a> {
        Service {
            plan,
            first,
            balancers: (0..plan.balancer.instances)
                .map(|instance| balancer(plan, index, (instance, 0), (seeds, ways)))
                .collect(),
            bonds: Bonds::new(
                &plan.balancer.sticky,
                (sessions, callers),
                usize::from(plan.balancer.instances),
                mix(World::route_word(seeds, index) ^ BONDS),
            ),
            checks: Check::all(plan, index, seeds),
            legs: Legs::new(plan, ways, calendar),
            timeouts: plan.balancer.timeout.map(|timeout| calendar.lane(timeout)),
            queue_timeouts: plan
                .balancer
                .queue_timeout
                .map(|limit| calendar.lane(limit)),
            reads_feedback: plan.balancer.strategy.reads_feedback(),
            purses: match plan.balancer.retry.budget {
                Some(budget) => {
                    vec![Purse::new(budget); usize::from(plan.balancer.instances)]
                }
                None => Vec::new(),
            },
            looks: vec![Time::NEVER; usize::from(plan.balancer.instances)],
            outages: Vec::new(),
            route: World::route_word(seeds, index),
        }
    }

    /// What a balancer that is dead does to those that come; `None` where it lives.
    pub(super) fn answers_while_dead(&self, balancer: u16) -> Option<WhileDown> {
        self.outages.get(usize::from(balancer))?.answers()
    }

    /// Whether a balancer is dead.
    pub(super) fn is_dead(&self, balancer: u16) -> bool {
        self.answers_while_dead(balancer).is_some()
    }
}
