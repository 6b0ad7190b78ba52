//! What each plan of a world switches on.

use super::Features;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::health::HealthCheck;
use lbsim_strategies::balancer::retry::Retry;
use lbsim_strategies::strategy::{Member, Sight};

use crate::model::balancer::BalancerPlan;
use crate::model::blueprint::{Blueprint, GroupPlan, Patience, ServicePlan, SourcePlan, When};
use crate::model::discipline::Standing;
use crate::model::fault::{Effect, Fault, Schedule, Strikes};
use crate::model::network::Delay;
use crate::model::step::StepPlan;
use crate::model::under_load::UnderLoad;

impl Blueprint {
    /// What this world asks for. Every plan is taken apart to its last field: a new one does not
    /// compile until it is said here what it switches on.
    pub fn features(&self) -> Features {
        let Blueprint {
            warmup: _,
            end,
            stretches: _,
            sources,
            services,
            faults,
            ways,
            // With what services carry: see `pays_for_traffic`.
            prices: _,
        } = self;
        let mut found = Features {
            several_sources: sources.len() > 1,
            several_services: services.len() > 1,
            ways_to_balancers: !ways.is_empty(),
            ways_to_servers: !ways.is_empty(),
            paid_traffic: self.pays_for_traffic(),
            ..Features::default()
        };
        for source in sources {
            of_source(source, &mut found);
        }
        for service in services {
            of_service(service, *end, &mut found);
        }
        for fault in faults {
            of_fault(fault, *end, &mut found);
        }
        found
    }
}

fn of_source(source: &SourcePlan, found: &mut Features) {
    let SourcePlan {
        name: _,
        service: _,
        when,
        population: _,
        keys: _,
        key_texts: _,
        size: _,
        labels: _,
        sessions,
        // Those of clients that are bound by them.
        drops_cookies: _,
        to_balancer,
        // What it makes of ways.
        zone: _,
        hostile,
        patience,
        priority: _,
    } = source;
    let Patience {
        timeout,
        waits,
        retry,
        deadline_travels,
    } = patience;
    found.hostile |= *hostile;
    found.deadlines |= *deadline_travels;
    found.impatience |= timeout.is_some() || waits.is_some() || retry.is_some();
    match when {
        When::Process(process) => found.changing_rates |= !process.is_steady(),
        When::Trace(_) => found.traces = true,
        When::Closed(_) => found.closed_loops = true,
        When::Visits(visits) => {
            found.closed_loops = true;
            found.changing_rates |= !visits.process.is_steady();
        }
    }
    found.sessions |= sessions.is_some();
    found.ways_to_balancers |= takes_time(to_balancer);
}

fn of_service(service: &ServicePlan, end: Time, found: &mut Features) {
    let ServicePlan {
        name: _,
        servers: _,
        members,
        groups,
        // Where states of sessions live that clients hold.
        keeps: _,
        balancer,
        // What they make of ways.
        zones: _,
        callers,
        // Those of balancers that are said to bind by them.
        flows: _,
        // See `pays_for_traffic`.
        carries: _,
    } = service;
    found.own_balancers |= callers.is_some();
    for member in members.iter() {
        of_member(member, found);
    }
    for group in groups {
        of_group(group, end, found);
    }
    let work = |group: &GroupPlan| {
        (
            group.service.mean() / group.speed,
            group.per_size / group.speed,
        )
    };
    found.unlike_work |= groups.windows(2).any(|two| work(&two[0]) != work(&two[1]));
    of_balancer(balancer, found);
    // Who serves one place only gets nothing from another.
    let by_place = leaves_out_by_place(service);
    found.scopes |= by_place;
    found.idle_members |= by_place;
}

/// Whether there is a balancer whose strategy never sends to some of the members, for where it
/// stands.
fn leaves_out_by_place(service: &ServicePlan) -> bool {
    service.balancer.strategy.goes_by_place()
        && (service.ranks().values()).any(|ranks| ranks.contains(&None))
}

fn of_balancer(balancer: &BalancerPlan, found: &mut Features) {
    let BalancerPlan {
        strategy,
        instances,
        zones: _,
        spread: _,
        subset,
        own_zone,
        sticky,
        // Groups have what this makes of them.
        health_check: _,
        ejection,
        panic_threshold,
        limit,
        client_limit,
        server_limit,
        connections,
        slow_start,
        queue_timeout,
        timeout,
        abandoned: _,
        retry,
        hedge,
        cost: _,
        // See `pays_for_traffic`.
        cost_per_million: _,
        cost_per_gib: _,
    } = balancer;
    found.scopes |= subset.is_some() || own_zone.is_some();
    found.client_limits |= client_limit.is_some();
    found.limits |= client_limit.is_some()
        || limit.is_some()
        || server_limit.is_some()
        || connections.is_some()
        || sticky
            .connection()
            .is_some_and(|own| own.max_connections.is_some());
    found.connections_by_key |= connections.as_ref().is_some_and(|own| own.per_key);
    found.ejections |= ejection.is_some();
    found.panics |= panic_threshold.is_some();
    found.slow_starts |= slow_start.is_some();
    let Retry {
        max: _,
        on: _,
        backoff: _,
        backoff_max: _,
        jitter: _,
        error_answers: _,
        statuses: _,
        budget,
    } = retry;
    found.budgets |= budget.is_some();
    found.hedges |= hedge.is_some();
    found.oracles |= strategy.sight() == Sight::Oracle;
    found.probes |= strategy.probes();
    found.idle_news |= strategy.hears_idle();
    found.feedback |= strategy.reads_feedback();
    found.reports |= strategy.reads_reports();
    found.heeded_answers |= strategy.heeds_answers();
    found.rules_that_notice |= strategy.may_leave_out();
    found.several_balancers |= *instances > 1;
    found.cookies |= sticky.binds();
    found.timeouts |= timeout.is_some();
    found.queue_timeouts |= queue_timeout.is_some();
}

fn of_member(member: &Member, found: &mut Features) {
    let Member {
        name: _,
        address: _,
        id: _,
        weight,
        backup,
        down,
        max_connections,
        // These two say more of `max_connections`.
        min_connections: _,
        max_queue: _,
        // Settings of rules.
        max_fails: _,
        fail_timeout: _,
        slow_start: _,
        zone: _,
        priority: _,
        labels: _,
    } = member;
    found.idle_members |= *down || *backup || *weight == 0;
    found.down_members |= *down;
    found.limited_members |= *max_connections > 0;
}

fn of_group(group: &GroupPlan, end: Time, found: &mut Features) {
    let GroupPlan {
        name: _,
        slots: _,
        speed: _,
        weight: _,
        queue_limit,
        limit,
        discipline,
        service: _,
        per_size,
        steps,
        least_called: _,
        least_held: _,
        memory_total: _,
        memory_base: _,
        memory_per_request: _,
        agent_interval: _,
        health_check,
        to_server,
        // What it makes of ways.
        zone: _,
        cost: _,
        cost_per_million: _,
        cold,
        under_load,
        joins,
        leaves,
        autoscale,
    } = group;
    let moves = |at: Time| at > Time::ZERO && at < end;
    found.limits |= limit.is_some();
    found.queue_limits |= *queue_limit != u32::MAX;
    found.passing |= discipline.standing() != Standing::AtTheEnd;
    found.sharing |= discipline.standing() == Standing::Nowhere;
    found.own_queues |= discipline.standing() == Standing::InItsOwnQueue;
    found.drops |= discipline.drops();
    found.sizes |= *per_size != 0.0;
    found.steps |= !steps.is_empty();
    found.quorums |= steps.iter().any(StepPlan::leaves_some);
    found.health_checks |= health_check.is_some();
    found.busy_checks |= (health_check.as_ref()).is_some_and(HealthCheck::never_rests);
    found.ways_to_servers |= takes_time(to_server);
    found.under_load |= under_load.is_some();
    found.errors_by_load |= (under_load.as_ref()).is_some_and(UnderLoad::errs);
    found.cold_starts |= cold.is_some();
    found.warming |= cold.as_ref().is_some_and(|cold| cold.requests.is_some());
    let scales = autoscale.is_some();
    found.autoscalers |= scales;
    found.members_that_move |= *joins != Time::ZERO || *leaves != Time::NEVER || scales;
    found.moves_in_the_run |= moves(*joins) || moves(*leaves) || scales;
    found.absences_in_the_run |= *joins != Time::ZERO || *leaves < end || scales;
}

fn of_fault(fault: &Fault, end: Time, found: &mut Features) {
    let Fault {
        label: _,
        number: _,
        schedule,
        strikes,
        only: _,
    } = fault;
    found.faults = true;
    found.turns_with_grace |= matches!(schedule, Schedule::Turn(_));
    match strikes {
        Strikes::Servers(_, effect) => {
            found.errors_by_key |= matches!(effect, Effect::Answers { key: Some(_), .. });
        }
        Strikes::Balancers(..) => found.balancer_faults = true,
        Strikes::Ways(..) => found.way_faults = true,
    }
    let happens = schedule.begins() < end;
    found.faults_in_the_run |= happens;
    found.planned_faults_in_the_run |= happens && !schedule.is_random();
}

fn takes_time(delay: &Delay) -> bool {
    !matches!(delay, Delay::None)
}
