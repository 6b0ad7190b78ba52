//! Whether chance has a part in a world: whether one replication of it can differ from another.
//!
//! Every plan is taken apart to its last field, as by [`Blueprint::features`]: a new one does not
//! compile until it is said here whether it is left to chance.

use super::address::Addresses;
use super::balancer::BalancerPlan;
use super::blueprint::{Blueprint, GroupPlan, Patience, Population, ServicePlan, SourcePlan, When};
use super::fault::{Effect, Fault, OnTheWay, Strikes};
use super::flows::FlowPlan;
use super::network::Delay;
use super::state::{KeepPlan, Placement, SessionPlan, Shipping};
use super::step::{CallPlan, Only, StepKind, StepPlan};
use lbsim_engine::distribution::Sampler;
use lbsim_engine::time::Span;
use lbsim_strategies::balancer::ejection::Ejection;
use lbsim_strategies::balancer::own_zone::Spill;
use lbsim_strategies::balancer::retry::{Jitter, Retry};
use lbsim_strategies::strategy::Origin;

/// What is drawn where there are no connections.
const NO_FLOWS: FlowPlan = FlowPlan {
    lifetime: None,
    opening: None,
    handshake: None,
};

impl Blueprint {
    /// Whether anything besides the strategy's own draws is drawn anew in each replication, and may
    /// change what comes of it: gaps, sizes, service times, delays, faults, who asks where that
    /// counts, where textbook hashes put keys. Where nothing is (a trace with its own service
    /// times, constant gaps and constant work), replications are copies of each other, and their
    /// agreement is no evidence. The phase at which constant gaps begin is drawn, but moves all
    /// that happens alike: it counts where something else keeps the time.
    pub fn varies(&self) -> bool {
        let Blueprint {
            warmup: _,
            end: _,
            stretches: _,
            sources,
            services,
            faults,
            ways,
            prices: _,
        } = self;
        sources.iter().any(|source| self.source_varies(source))
            || services.iter().any(|service| self.service_varies(service))
            || faults.iter().any(fault_varies)
            || ways.all().any(is_drawn)
    }

    fn source_varies(&self, source: &SourcePlan) -> bool {
        let SourcePlan {
            name: _,
            service: _,
            when,
            population,
            keys,
            key_texts: _,
            size,
            labels: _,
            priority: _,
            patience,
            sessions,
            drops_cookies,
            to_balancer,
            zone: _,
            hostile: _,
        } = source;
        let Patience {
            timeout: _,
            waits,
            retry,
            deadline_travels: _,
        } = patience;
        let (clients_are_drawn, when) = match when {
            When::Process(process) => (true, process.is_random() || self.keeps_other_time()),
            When::Trace(_) => (false, false),
            When::Closed(think) => (false, is_random(think)),
            When::Visits(visits) => (
                false,
                visits.process.is_random()
                    || is_random(&visits.requests)
                    || is_random(&visits.think),
            ),
        };
        when || self.who_counts(clients_are_drawn, population, sessions.as_ref())
            || (keys.is_some() && self.heeds_keys())
            || size.as_ref().is_some_and(is_random)
            || sessions.as_ref().is_some_and(session_varies)
            || (*drops_cookies > 0.0 && *drops_cookies < 1.0)
            || waits.as_ref().is_some_and(is_random)
            || retry.as_ref().is_some_and(pause_varies)
            || is_drawn(to_balancer)
    }

    /// Whether anything but one source happens at times of its own.
    fn keeps_other_time(&self) -> bool {
        self.sources.len() > 1 || !self.faults.is_empty() || self.features().members_that_move
    }

    /// Whether who asks is drawn, or where from, and anybody looks at it.
    fn who_counts(
        &self,
        clients_are_drawn: bool,
        population: &Population,
        sessions: Option<&SessionPlan>,
    ) -> bool {
        let Population {
            popularity,
            addresses,
            names: _,
        } = population;
        let mut balancers = self.services.iter().map(|service| &service.balancer);
        let origin = balancers.clone().map(BalancerPlan::origin).max();
        let origin = origin.unwrap_or(Origin::Nothing);
        let is_bound = sessions.is_some()
            || balancers.any(|own| own.sticky.binds() || own.client_limit.is_some());
        let several = clients_are_drawn && popularity.count() > 1;
        let made_up = matches!(addresses, Addresses::Drawn(_));
        // Each request comes from a port that is drawn.
        origin == Origin::Port
            || (origin >= Origin::Address && (several || made_up))
            || (several && (is_bound || self.heeds_keys()))
    }

    fn heeds_keys(&self) -> bool {
        let mut services = self.services.iter();
        services.any(|service| service.balancer.strategy.heeds_key())
    }

    fn service_varies(&self, service: &ServicePlan) -> bool {
        let ServicePlan {
            name: _,
            servers: _,
            members: _,
            groups,
            keeps,
            balancer,
            zones: _,
            callers: _,
            flows,
            carries: _,
        } = service;
        let FlowPlan {
            lifetime,
            opening,
            handshake,
        } = flows.as_ref().unwrap_or(&NO_FLOWS);
        let drawn = [lifetime, opening, handshake];
        let asked_by = |source: &&SourcePlan| std::ptr::eq(&self.services[source.service], service);
        let is_called = self.services.iter().any(|caller| {
            let mut callees = caller.callees().into_iter();
            callees.any(|callee| std::ptr::eq(&self.services[callee], service))
        });
        let recorded = !is_called
            && (self.sources.iter().filter(asked_by))
                .all(|source| source.recorded_service().is_some());
        let mut groups = groups.iter();
        groups.any(|group| self.group_varies(group, recorded))
            || drawn.into_iter().flatten().any(is_random)
            || keep_varies(keeps)
            || balancer_varies(balancer)
    }

    /// Whether servers do; where their service times are `recorded`, those do not.
    fn group_varies(&self, group: &GroupPlan, recorded: bool) -> bool {
        let GroupPlan {
            name: _,
            slots: _,
            speed: _,
            weight: _,
            queue_limit: _,
            limit: _,
            discipline: _,
            service,
            per_size: _,
            steps,
            least_called: _,
            least_held: _,
            memory_total: _,
            memory_base: _,
            memory_per_request: _,
            // Agents begin at random phases: see the balancers that read their reports.
            agent_interval: _,
            health_check,
            to_server,
            zone: _,
            cost: _,
            cost_per_million: _,
            cold: _,
            under_load: _,
            joins: _,
            leaves: _,
            autoscale,
        } = group;
        let boots = autoscale.as_ref().and_then(|own| own.boot.as_ref());
        boots.is_some_and(is_random)
            || (!recorded && is_random(service))
            || is_drawn(to_server)
            || steps.iter().any(step_varies)
            // Checks begin at random phases. What they find changes nothing where nothing fails.
            || health_check.as_ref().is_some_and(|check| {
                !self.faults.is_empty() || check.never_rests()
            })
    }
}

fn session_varies(session: &SessionPlan) -> bool {
    let SessionPlan {
        idle: _,
        length,
        per_client,
        writes,
        size,
        revoked,
        // What it draws are ages of copies: see the servers that make them.
        home: _,
        used_by: _,
    } = session;
    length.as_ref().is_some_and(is_random)
        || size.as_ref().is_some_and(is_random)
        || *per_client > 1
        || (*writes > 0.0 && *writes < 1.0)
        || revoked.is_some()
}

fn keep_varies(keeps: &KeepPlan) -> bool {
    let KeepPlan {
        is_said: _,
        memory: _,
        ttl: _,
        cache: _,
        copies,
    } = keeps;
    copies.as_ref().is_some_and(|copies| {
        copies.placement == Placement::Random
            || matches!(&copies.shipping, Shipping::Lag(lag) if is_random(lag))
    })
}

fn balancer_varies(balancer: &BalancerPlan) -> bool {
    let BalancerPlan {
        strategy,
        instances,
        spread: _,
        subset,
        own_zone,
        zones: _,
        sticky: _,
        // Groups have what this makes of them.
        health_check: _,
        // What others go by are answers.
        ejection,
        panic_threshold: _,
        // Who passes over a member that is back draws for it.
        limit: _,
        // Who asks counts there: see `who_counts`.
        client_limit: _,
        server_limit: _,
        connections: _,
        slow_start,
        queue_timeout: _,
        timeout: _,
        abandoned: _,
        retry,
        // Each attempt has a luck of its own, as the first one has.
        hedge: _,
        cost: _,
        cost_per_million: _,
        cost_per_gib: _,
    } = balancer;
    *instances > 1
        || subset.is_some()
        || own_zone
            .as_ref()
            .is_some_and(|own| own.spill == Spill::InProportion)
        || matches!(ejection, Some(Ejection::SlowServers(_)))
        || slow_start.is_some()
        || pause_varies(retry)
        || strategy.reads_reports()
        || strategy.places()
}

/// Whether the pause before a retry is drawn.
fn pause_varies(retry: &Retry) -> bool {
    let Retry {
        max,
        on: _,
        backoff,
        backoff_max: _,
        jitter,
        error_answers: _,
        statuses: _,
        budget: _,
    } = retry;
    *max > 0 && *backoff > Span::ZERO && *jitter != Jitter::None
}

/// Whether the times of a fault are drawn, or whom it strikes, or what it does to each message or
/// attempt.
fn fault_varies(fault: &Fault) -> bool {
    let Fault {
        label: _,
        number: _,
        schedule,
        strikes,
        only,
    } = fault;
    let part = |share: f64| share > 0.0 && share < 1.0;
    schedule.is_random()
        || only.is_some_and(|only| (only as usize) < fault.servers().len())
        || match strikes {
            Strikes::Servers(_, Effect::Answers { share, .. } | Effect::Hang(share)) => {
                part(*share)
            }
            Strikes::Ways(_, OnTheWay::Lossy(share, _)) => part(*share),
            _ => false,
        }
}

fn step_varies(step: &StepPlan) -> bool {
    let StepPlan {
        kind,
        repeat: _,
        only,
        sources: _,
        share: _,
        probability,
    } = step;
    let kind = match kind {
        StepKind::Work(work) => is_random(work),
        StepKind::Call(call) => {
            let CallPlan {
                services: _,
                wait_for: _,
                optional: _,
                blocking: _,
                at_once: _,
                timeout: _,
                to_balancer,
                access: _,
                compares: _,
            } = call;
            is_drawn(to_balancer)
        }
        StepKind::Pause(pause) => is_random(&pause.takes),
        StepKind::Own => false,
    };
    kind || (*only == Only::Drawn && *probability > 0.0 && *probability < 1.0)
}

fn is_random(sampler: &Sampler) -> bool {
    sampler.variance() > 0.0
}

fn is_drawn(delay: &Delay) -> bool {
    matches!(delay, Delay::Drawn(_))
}
