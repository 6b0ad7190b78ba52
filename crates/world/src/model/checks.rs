//! Health checks at work. Checks happen at fixed times, of which only those are simulated that can
//! change an opinion: a chain of checks wakes when its server dies or returns, and rests when
//! balancer and server agree. The outcome is the same as of checking all the time.

use super::blueprint::ServicePlan;
use super::server::State;
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Domain, Seeds, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;
use lbsim_strategies::balancer::health::{Health, HealthCheck};

/// The checks of one member by one balancer.
#[derive(Clone, Debug)]
pub(super) struct Check {
    health: Health,
    /// When the first check would be.
    phase: Span,
    /// Whether the next check is scheduled.
    awake: bool,
}

impl Check {
    /// The checks of a service, by balancer and member; none where it has no health checks.
    pub(super) fn all(plan: &ServicePlan, service: usize, seeds: Seeds) -> Vec<Check> {
        if plan.groups.iter().all(|group| group.health_check.is_none()) {
            return Vec::new();
        }
        // A server that is not checked has its place all the same, and its draw: the others' phases
        // do not shift.
        let unchecked = HealthCheck::default();
        let mut rng = seeds.stream(Domain::Health, service as u64);
        (0..usize::from(plan.balancer.instances) * plan.servers.len())
            .map(|at| {
                let config = plan.group(at % plan.servers.len()).health_check.as_ref();
                let config = config.unwrap_or(&unchecked);
                Check {
                    health: Health::new(config),
                    phase: Span::from_seconds(config.interval.seconds() * uniform(&mut rng)),
                    awake: false,
                }
            })
            .collect()
    }

    /// The first check after `now`.
    fn next(&self, now: Time, config: &HealthCheck) -> Time {
        let first = Time::ZERO + self.phase;
        if now < first {
            return first;
        }
        let rounds = (now - first).nanos() / config.interval.nanos() + 1;
        first + Span::from_nanos(rounds * config.interval.nanos())
    }
}

impl World<'_> {
    /// The first check of each service has this number among all checks of the world.
    fn first_check(&self, service: usize) -> usize {
        self.services[..service]
            .iter()
            .map(|service| service.checks.len())
            .sum()
    }

    /// A server has died or returned: its checks matter now.
    pub(super) fn wake_checks(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let index = self.servers[server as usize].service as usize;
        let offset = self.first_check(index);
        let service = &mut self.services[index];
        let members = service.plan.servers.len();
        let member = (server - service.first) as usize;
        let Some(config) = &service.plan.group(member).health_check else {
            return;
        };
        for instance in 0..service.balancers.len() {
            let at = instance * members + member;
            let check = &mut service.checks[at];
            if !check.awake {
                check.awake = true;
                if calendar.now() > Time::ZERO + check.phase {
                    // While it slept, checks have passed.
                    check.health.confirm();
                }
                calendar.at(
                    check.next(calendar.now(), config),
                    Event::Check((offset + at) as u32),
                );
            }
        }
    }

    /// Where the check with this number is: its service, and its place among the checks of that.
    fn locate_check(&self, number: u32) -> (usize, usize) {
        let mut at = number as usize;
        for (index, service) in self.services.iter().enumerate() {
            if at < service.checks.len() {
                return (index, at);
            }
            at -= service.checks.len();
        }
        unreachable!("checks are numbered through all services")
    }

    /// A balancer checks a member.
    pub(super) fn check(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let (index, at) = self.locate_check(number);
        let service = &mut self.services[index];
        let member = at % service.plan.servers.len();
        let Some(config) = &service.plan.group(member).health_check else {
            return;
        };
        let server = &self.servers[service.first as usize + member];
        let up = server.is_up();
        if server.state == State::Hanging {
            calendar.after(
                config.timeout.unwrap_or(config.interval),
                Event::CheckTimeout(number),
            );
        } else {
            self.conclude_check(index, at, up, calendar);
        }
        let service = &mut self.services[index];
        let check = &mut service.checks[at];
        // While an answer is awaited in vain, the opinion is still to change: the next check comes
        // anyway.
        check.awake = !check.health.is_settled(up);
        if check.awake {
            calendar.after(config.interval, Event::Check(number));
        }
    }

    /// A check has waited in vain.
    pub(super) fn check_failed(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let (index, at) = self.locate_check(number);
        self.conclude_check(index, at, false, calendar);
    }

    fn conclude_check(
        &mut self,
        index: usize,
        at: usize,
        passed: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let service = &mut self.services[index];
        let members = service.plan.servers.len();
        let Some(config) = &service.plan.group(at % members).health_check else {
            return;
        };
        let check = &mut service.checks[at];
        if check.health.check(passed, config) {
            let down = !check.health.is_up();
            let member = (at % members) as u32;
            self.set_reason(
                (index, at / members),
                member,
                (Reason::Down, down),
                calendar,
            );
        }
    }
}
