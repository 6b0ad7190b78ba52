//! The world that is simulated: clients, balancers, servers, network, faults, sessions.
//!
//! A service is a pool of servers behind balancers. Requests come from sources, pass a balancer,
//! wait and are worked on at a server, and return. [`run`] lives one cell: a pure function of the
//! blueprint, the seed and the replication.
//!
//! The life of a request has a file for each of its stages, in this order: `arrive`, `enter`,
//! `admit`, `pick`, `send`, `serve`, `answer`, `settle`.

pub mod address;
mod admit;
mod affinity;
mod agents;
mod ahead;
mod answer;
pub mod arrivals;
mod arrive;
pub mod autoscale;
pub mod balancer;
pub mod blueprint;
mod calls;
mod chance;
mod checks;
pub mod cold;
mod connections;
pub mod cost;
mod crash;
mod deadline;
mod demand;
mod detection;
pub mod discipline;
mod draft;
mod ejections;
mod enter;
mod err;
pub mod fault;
mod faults;
pub mod features;
pub mod flows;
mod gauges;
mod growth;
mod hang;
mod hedge;
mod held;
mod inspection;
mod limits;
mod lindley;
mod link;
mod live;
mod membership;
mod message;
pub mod network;
mod outage;
mod parts;
mod patience;
mod pick;
mod plain;
mod pools;
pub mod popularity;
mod probes;
mod request;
mod send;
mod serve;
mod server;
mod service;
mod session;
mod settle;
mod shadow;
mod sharing;
mod source;
mod standstill;
pub mod state;
pub mod step;
mod traffic;
mod truth;
mod turns;
pub mod under_load;
mod work;

use std::collections::BTreeMap;

use rand::Rng as _;

use crate::observe::{Tally, Witness};
use lbsim_engine::events::{Calendar, Model};
use lbsim_engine::prefetch::prefetch;
use lbsim_engine::rng::{Domain, Rng, Seeds};
use lbsim_engine::time::Time;
use lbsim_strategies::strategy::StrategyConfig;

pub use live::{Stopped, Way, run, run_this_way, run_watched, run_witnessed};
pub use parts::Parts;

use answer::Duty;
use blueprint::{Blueprint, SourcePlan};
use faults::Strike;
use held::Held;
use live::Cell;
use message::{Between, News, Question};
use request::{Attempt, NOBODY, Phase, Request, Slab, Whereabouts};
use server::Server;
use service::{Service, has_drawn};
use session::Sessions;
use source::Sources;

/// What can happen. One variant is one method of [`World`]; an event about an attempt that says
/// something else by now is stale, and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A request reaches its balancer.
    AtBalancer(u32),
    /// An attempt reaches its server.
    AtServer(u32),
    /// The service of an attempt ends.
    Finish(u32),
    /// At a server that shares itself, the next request finishes.
    Shared(u32),
    /// The answer to an attempt reaches the balancer.
    Answer(u32),
    /// The balancer gives up on an attempt.
    Timeout(u32),
    /// A request is tried again.
    Retry(u32),
    /// A user of a closed loop has thought enough; users are numbered through all sources.
    Ask(u32),
    /// A visitor has thought enough; visits are numbered through all sources.
    Visit(u32),
    /// A fault begins at a server, or ends.
    Strike(u32),
    /// At a server, a slowdown has come or gone a little further.
    Fade(u32),
    /// A balancer checks a member.
    Check(u32),
    /// A check has passed.
    CheckPassed(u32),
    /// A check has failed, or waited in vain.
    CheckFailed(u32),
    /// A check that has to wait for a slot may have been waited for long enough.
    CheckOverdue(u32),
    /// A monitoring agent reports.
    Report(u32),
    /// A balancer looks at its members: its service in the upper half, its number in the lower.
    Look(u32),
    /// Who waits at a balancer may be let in: its service in the upper half, its number in the
    /// lower.
    Admit(u32),
    /// A server joins or leaves its pool.
    Membership(u32),
    /// Something is due at an autoscaler: its number, and in the lower two bits what.
    Scale(u32),
    /// A request may have waited at its balancer long enough.
    QueueTimeout(u32),
    /// Another attempt may be made beside one that is under way.
    Hedge(u32),
    /// The client of a request may have waited long enough.
    GiveUp(u32),
    /// A client asks again.
    AskAgain(u32),
    /// The outcome of a call is at the server that made it.
    Returned(u32),
    /// What a server waited for in the course of an attempt is there, where it was no call; where
    /// it was, it waits no longer.
    Resumed(u32),
    /// A question of a balancer reaches its server.
    Asked(u32),
    /// News of a server reach a balancer.
    Told(u32),
    /// A connection is looked at.
    Flow(u32),
    /// A caller looks at its connections, and at who waits for one.
    Pool(u32),
    /// The measured window begins.
    Begin,
    /// The sessions are counted whose fate is followed.
    Follow,
    /// The measured window ends.
    End,
}

/// One cell at work.
struct World<'a> {
    plan: &'a Blueprint,
    seeds: Seeds,
    sources: Sources<'a>,
    /// What clients hold; `None` where they hold no sessions.
    sessions: Option<Box<Sessions<'a>>>,
    services: Vec<Service<'a>>,
    servers: Vec<Server>,
    requests: Slab<Request>,
    attempts: Slab<Attempt>,
    /// What follows refusals and is still to be done, the next last.
    duties: Vec<Duty>,
    /// Whether that is being done.
    on_duty: bool,
    strikes: Vec<Strike>,
    /// Rolling restarts whose turns take no longer than they must.
    relays: turns::Relays,
    /// What faults do to each server at present, in the order in which they began; empty where
    /// there are none.
    effects: Vec<Vec<Held>>,
    /// Attempts that hang at servers that are up.
    hung: BTreeMap<u32, hang::Hung>,
    /// What servers whose answers depend on their rate have counted.
    meters: BTreeMap<u32, under_load::Meter>,
    /// Since when servers stand still.
    stopped: BTreeMap<u32, Time>,
    /// What the agent of each server counts; empty where none reports.
    reported: Vec<agents::Reported>,
    /// What only oracles see, and autoscalers count by; and whether there are any.
    known: truth::Known,
    oracle: bool,
    /// Autoscalers; `None` where there are none.
    growth: Option<Box<growth::Growth<'a>>>,
    /// Questions on their way to servers.
    questions: Slab<(Between, Question)>,
    /// Connections; `None` where no balancer is one of layer 4.
    flows: Option<Box<flows::Flows>>,
    /// News on their way to balancers.
    news: Slab<(Between, News)>,
    /// A random word, from which messages have their luck that have nothing to do with a request.
    messages: u64,
    /// Attempts beside others; `None` where no request is hedged.
    hedges: Option<Box<hedge::Hedges>>,
    /// How long clients wait; `None` where all wait for ever and none asks again.
    clients: Option<Box<patience::Clients>>,
    /// Faults that hold at present on ways between places.
    disturbed: Vec<u32>,
    /// Whether balancers have policies besides timeouts and retries (budgets, deadlines, limits,
    /// ejections, hedges), or strategies are asked whom they leave out, or autoscalers listen.
    has_policies: bool,
    /// Whether balancers crash.
    has_outages: bool,
    /// Whether health checks take time on their way.
    checks_take_time: bool,
    /// Deadlines that travel; `None` where none does.
    deadlines: Option<Box<deadline::Deadlines>>,
    /// Limits of what is let in; `None` where there are none.
    limits: Option<Box<limits::Limits<'a>>>,
    /// Whether balancers have opinions of their members.
    has_opinions: bool,
    /// Whether strategies are asked whom they leave out by their own rules.
    rules_notice: bool,
    /// Attempts of which each answer is paid for; `None` where none is.
    parcels: Option<Box<traffic::Parcels>>,
    /// What they are worth; `None` where there are none.
    detections: Option<Box<detection::Detections>>,
    /// Health checks that take slots; `None` where none has.
    inspections: Option<Box<inspection::Inspections>>,
    /// Whether each health check is simulated, and not those alone that can change an opinion.
    checks_always: bool,
    /// Requests that servers make, and where requests with steps stand; `None` where no server has
    /// steps.
    calls: Option<Box<calls::Calls>>,
    /// What servers answer to probes; empty where nobody probes.
    latencies: Vec<probes::Latencies>,
    /// Whether any strategy probes servers.
    has_probes: bool,
    /// Whether any strategy hears from servers that become idle.
    hears_idle: bool,
    /// Whether anybody is to be told when a server has done its work, besides the balancer.
    watched: bool,
    /// Whether any service binds clients.
    has_bonds: bool,
    /// Whether some clients mean harm.
    has_hostile: bool,
    /// Whether there is a closed loop.
    has_users: bool,
    tally: Tally,
    /// Who hears of each request.
    witness: Option<&'a mut dyn Witness>,
    ended: bool,
}

impl<'a> World<'a> {
    fn new(
        plan: &'a Blueprint,
        seeds: Seeds,
        witness: Option<&'a mut dyn Witness>,
        calendar: &mut Calendar<Event>,
    ) -> World<'a> {
        let mut servers = Vec::new();
        let mut services = Vec::new();
        let sessions: u32 = plan.sources.iter().map(SourcePlan::session_count).sum();
        let callers = flows::callers(plan);
        for (index, service) in plan.services.iter().enumerate() {
            let first = servers.len() as u32;
            servers.extend(service.servers.iter().map(|server| {
                Server::new(
                    &service.groups[server.group],
                    server.group as u16,
                    index as u16,
                )
            }));
            services.push(Service::new(
                service,
                index,
                first,
                (sessions as usize, &callers),
                (seeds, &plan.ways),
                calendar,
            ));
        }
        let slots: Vec<u32> = servers.iter().map(|server: &Server| server.slots).collect();
        let by_service: Vec<&[u32]> = (0..plan.services.len())
            .map(|service| &slots[plan.servers_of(service)])
            .collect();
        let features = plan.features();
        let oracle = features.oracles || features.autoscalers;
        let rules_notice = features.rules_that_notice && features.detections();
        let places: Vec<u32> = plan.sources.iter().map(SourcePlan::session_count).collect();
        let any = |wants: fn(&StrategyConfig) -> bool| {
            plan.services
                .iter()
                .any(|service| wants(&service.balancer.strategy))
        };
        let known = truth::Known::new(
            &servers,
            (features.oracles, features.autoscalers),
            any(StrategyConfig::foresees),
        );
        let has_probes = features.probes;
        let hears_idle = features.idle_news;
        let watched = has_probes
            || hears_idle
            || features.reports
            || features.warming
            || features.turns_with_grace;
        let probed = if has_probes { servers.len() } else { 0 };
        let started = if features.cold_starts {
            servers.len()
        } else {
            0
        };
        let mut world = World {
            plan,
            seeds,
            sources: if witness.is_none() && features.only_rules_see_requests() {
                Sources::new(plan, seeds).seen_by_rules(plan)
            } else {
                Sources::new(plan, seeds)
            },
            sessions: Sessions::new(plan, &places, seeds),
            services,
            servers,
            requests: Slab::default(),
            attempts: Slab::default(),
            duties: Vec::new(),
            on_duty: false,
            strikes: Vec::new(),
            relays: turns::Relays::default(),
            effects: vec![Vec::new(); started],
            hung: BTreeMap::new(),
            meters: BTreeMap::new(),
            stopped: BTreeMap::new(),
            reported: Vec::new(),
            known,
            oracle,
            growth: growth::Growth::new(plan),
            calls: calls::Calls::new(plan),
            questions: Slab::default(),
            flows: flows::Flows::new(plan, callers.count(), seeds),
            news: Slab::default(),
            messages: seeds.stream(Domain::Message, 0).next_u64(),
            hedges: features.hedges.then(|| {
                let balancers = plan.services.iter();
                let balancers = balancers.map(|service| service.balancer.instances);
                Box::new(hedge::Hedges::new(balancers))
            }),
            clients: features.impatience.then(|| {
                let patience = plan.sources.iter().map(|source| &source.patience);
                Box::new(patience::Clients::new(patience))
            }),
            disturbed: Vec::new(),
            has_policies: features.policies() || rules_notice || features.autoscalers,
            has_outages: features.balancer_faults || (features.own_balancers && features.faults),
            checks_take_time: features.ways_to_servers,
            deadlines: deadline::Deadlines::new(plan),
            limits: limits::Limits::new(plan),
            has_opinions: features.has_opinions(),
            rules_notice,
            parcels: plan.pays_for_traffic().then(Box::default),
            detections: detection::Detections::of(plan),
            inspections: None,
            checks_always: features.way_faults,
            latencies: vec![probes::Latencies::default(); probed],
            has_probes,
            hears_idle,
            watched,
            has_bonds: features.cookies,
            has_hostile: features.hostile,
            has_users: features.closed_loops,
            tally: Tally::new(plan.warmup, plan.end, plan.stretches, &by_service)
                .for_groups(plan.sources.len())
                .for_connections(plan.services.iter().any(|service| service.flows.is_some()))
                .for_services(if features.steps {
                    plan.services.len()
                } else {
                    0
                })
                .for_sessions(features.sessions.then(|| plan.cohort_from()))
                .for_work(features.wastes())
                .for_detections(if features.detections() {
                    plan.services.len()
                } else {
                    0
                })
                .for_faults(plan.drawn_faults())
                .for_pools(features.autoscalers.then(|| plan.servers_at_start()))
                .for_traffic(plan.traffic()),
            witness,
            ended: false,
        };
        calendar.at(plan.warmup, Event::Begin);
        calendar.at(plan.end, Event::End);
        if world.sessions.is_some() {
            calendar.at(plan.cohort_from(), Event::Follow);
        }
        world.schedule_membership(calendar);
        world.schedule_faults(calendar);
        world.schedule_checks(calendar);
        world.schedule_looks(calendar);
        world.schedule_reports(calendar);
        world.start_users(calendar);
        world.open_pools(&callers, calendar);
        world
    }

    fn stream(&self, domain: Domain, entity: u64) -> Rng {
        self.seeds.stream(domain, entity)
    }

    /// Every user of a closed loop thinks before its first request.
    fn start_users(&mut self, calendar: &mut Calendar<Event>) {
        for (user, pause) in self.sources.first_pauses() {
            calendar.after(pause, Event::Ask(user));
        }
    }

    /// A random word of the run that belongs to `service`: which balancer a client comes through.
    fn route_word(seeds: Seeds, service: usize) -> u64 {
        seeds.stream(Domain::Route, service as u64).next_u64()
    }
}

impl Model for World<'_> {
    type Event = Event;

    #[inline(always)]
    fn handle(&mut self, event: Event, calendar: &mut Calendar<Event>) {
        match event {
            Event::Finish(attempt) => self.finish(attempt, calendar),
            Event::AtServer(attempt) => self.reach(attempt, calendar),
            Event::Answer(attempt) => self.answered(attempt, calendar),
            Event::AtBalancer(request) | Event::Retry(request) => self.come(request, calendar),
            Event::Shared(server) => self.finish_shared(server, calendar),
            Event::Timeout(attempt) => self.time_out(attempt, calendar),
            Event::Ask(user) => self.ask(user, calendar),
            Event::Visit(visit) => self.go_on_with_visit(visit, calendar),
            Event::Strike(strike) => self.strike(strike, calendar),
            Event::Fade(server) => self.fade(server, calendar),
            Event::Check(check) => self.check(check, calendar),
            Event::CheckPassed(check) => self.conclude_check(check, true, calendar),
            Event::CheckFailed(check) => self.conclude_check(check, false, calendar),
            Event::CheckOverdue(check) => self.check_overdue(check, calendar),
            Event::Report(server) => self.report(server, calendar),
            Event::Look(balancer) => self.look(balancer, calendar),
            Event::Admit(balancer) => self.admit(balancer, calendar),
            Event::Membership(server) => self.update_membership(server, calendar),
            Event::Scale(what) => self.scale(what, calendar),
            Event::QueueTimeout(request) => self.queue_timed_out(request, calendar),
            Event::Hedge(request) => self.hedge(request, calendar),
            Event::GiveUp(request) => self.may_give_up(request, calendar),
            Event::AskAgain(request) => self.set_out_again(request, calendar),
            Event::Returned(call) => self.returned(call, calendar),
            Event::Resumed(attempt) => self.resume(attempt, calendar),
            Event::Asked(question) => self.question(question, calendar),
            Event::Flow(flow) => self.flow_due(flow, calendar),
            Event::Pool(pool) => self.serve_line(pool, calendar),
            Event::Told(news) => self.news(news, calendar.now()),
            Event::Begin => self.count_sessions(calendar.now()),
            Event::Follow => self.follow_sessions(calendar.now()),
            Event::End => self.end_window(calendar.now()),
        }
    }

    #[inline]
    fn is_live(&self, event: Event, due: Time) -> bool {
        match event {
            Event::Timeout(attempt) => self.attempts[attempt].deadline == due,
            _ => true,
        }
    }

    #[inline]
    fn foresee(&self, event: Event, next: bool) {
        let Event::Finish(id) = event else { return };
        if !next {
            self.attempts.prefetch(id);
            return;
        }
        let attempt = &self.attempts[id];
        let server = attempt.server as usize;
        prefetch(&self.servers, server);
        prefetch(&self.tally.load.servers, server);
        if attempt.request != NOBODY {
            self.requests.prefetch(attempt.request);
        }
        if let [service] = self.services.as_slice()
            && let [balancer] = service.balancers.as_slice()
        {
            balancer.foresee(attempt.server);
        }
    }

    #[inline]
    fn next_input(&self) -> Time {
        self.sources.next_time()
    }

    #[inline]
    fn input(&mut self, calendar: &mut Calendar<Event>) {
        let (source, draft, visit) = self.sources.take_any();
        self.arrive(source, (draft, visit), calendar);
    }

    #[inline]
    fn is_done(&self) -> bool {
        self.ended && self.tally.presence.count() == 0
    }
}

impl Cell for World<'_> {
    fn simulated(&self) -> u64 {
        self.tally.simulated
    }

    fn present(&self) -> usize {
        self.requests.len()
    }

    fn close(mut self, reached: Time) -> Tally {
        self.tally.unfinished = self.tally.presence.count();
        if let Some(sessions) = &self.sessions {
            sessions.close(reached, &mut self.tally);
        }
        self.close_detections();
        self.close_work(reached);
        self.tally.drew = self.services.iter().enumerate().any(|(index, service)| {
            let mut balancers = service.balancers.iter().zip(0..);
            balancers.any(|(balancer, instance)| has_drawn(balancer, index, instance, self.seeds))
        });
        for (id, request) in self.requests.all() {
            if !self.is_call(id) && request.whereabouts != Whereabouts::Ended {
                self.tally.timeline.unfinished(request.stretch);
            }
        }
        self.close_faults(reached);
        self.close_growth(reached);
        let waiting = self.attempts.all().map(|(id, _)| id);
        for id in waiting.collect::<Vec<u32>>() {
            self.stops_waiting(id, reached);
        }
        for index in 0..self.servers.len() {
            self.tally.load.revives(index, reached);
            self.settle_sharing(index as u32, reached);
            let server = &self.servers[index];
            if !server.shares() {
                for id in server.serving(&self.attempts) {
                    if let Phase::Serving { begun: since, .. } | Phase::Calling { since, .. } =
                        self.attempts[id].phase
                    {
                        self.tally.load.busy(index, 1, since, reached);
                    }
                }
            }
        }
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_small() {
        assert_eq!(size_of::<Event>(), 8);
    }
}
