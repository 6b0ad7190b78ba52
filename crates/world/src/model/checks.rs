//! Health checks at work. Checks happen at fixed times, of which only those are simulated that can
//! change an opinion: a chain of checks wakes when its server dies or returns, and rests when
//! balancer and server agree. The outcome is the same as of checking all the time, which is what is
//! done where a check may be lost or late.

use super::blueprint::ServicePlan;
use super::message::{Between, Question};
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
    /// Whether an outcome is still to come.
    awaited: bool,
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
                    awaited: false,
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

    /// Where checks may be lost or late, none is left out.
    pub(super) fn schedule_checks(&mut self, calendar: &mut Calendar<Event>) {
        if !self.checks_always {
            return;
        }
        for server in 0..self.servers.len() as u32 {
            self.wake_checks(server, calendar);
        }
    }

    /// A server has died or returned: its checks matter now.
    pub(super) fn wake_checks(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let place = &self.services[self.servers[server as usize].service as usize];
        for balancer in 0..place.balancers.len() {
            self.wake_check(server, balancer, calendar);
        }
    }

    /// The checks of a server by one balancer matter now.
    fn wake_check(&mut self, server: u32, balancer: usize, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let index = self.servers[server as usize].service as usize;
        let offset = self.first_check(index);
        let service = &mut self.services[index];
        let member = (server - service.first) as usize;
        let Some(config) = &service.plan.group(member).health_check else {
            return;
        };
        let at = balancer * service.plan.servers.len() + member;
        let check = &mut service.checks[at];
        if check.awake {
            return;
        }
        check.awake = true;
        let (next, is_first) = (check.next(now, config), now <= Time::ZERO + check.phase);
        if !is_first {
            // While it slept, checks have passed.
            check.health.confirm();
        }
        let number = (offset + at) as u32;
        calendar.at(next, Event::Check(number));
        // Those that are on their way find another server than they were sent to.
        let (interval, first) = (config.interval, Time::ZERO + check.phase);
        let mut sent = next;
        while sent >= first + interval && self.checks_take_time {
            sent = Time::from_nanos(sent.nanos() - interval.nanos());
            let between = self.between(number, sent);
            let Some(takes) = self.way_there(&between) else {
                break;
            };
            if sent + takes <= now {
                break;
            }
            let id = self.questions.insert((between, Question::Check(sent)));
            self.check_mut(number).awaited = true;
            calendar.at(sent + takes, Event::Asked(id));
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

    fn check_mut(&mut self, number: u32) -> &mut Check {
        let (index, at) = self.locate_check(number);
        &mut self.services[index].checks[at]
    }

    /// Between whom the check of this number goes that is sent then.
    fn between(&self, number: u32, sent: Time) -> Between {
        let (index, at) = self.locate_check(number);
        let members = self.services[index].plan.servers.len();
        Between {
            service: index as u16,
            balancer: (at / members) as u16,
            member: (at % members) as u32,
            luck: self.luck_of(u64::from(number), sent),
        }
    }

    /// It is time for a balancer to check a member.
    pub(super) fn check(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let between = self.between(number, now);
        let (index, member) = (usize::from(between.service), between.member as usize);
        let service = &self.services[index];
        let Some(config) = &service.plan.group(member).health_check else {
            return;
        };
        let (interval, timeout) = (config.interval, config.timeout.unwrap_or(config.interval));
        let up = self.servers[service.first as usize + member].is_up();
        let is_dead = service.is_dead(between.balancer);
        let always = self.checks_always;
        let check = self.check_mut(number);
        // The balancer that comes back begins anew.
        if is_dead || (!always && check.health.is_settled(up)) {
            check.awake = false;
            return;
        }
        check.awaited = true;
        if !self.ask_server(between, Question::Check(now), calendar) {
            calendar.after(timeout, Event::CheckFailed(number));
        }
        calendar.after(interval, Event::Check(number));
    }

    /// A check that was sent then is at its server, which answers or says nothing.
    pub(super) fn checked(&mut self, between: Between, sent: Time, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let service = &self.services[usize::from(between.service)];
        let Some(config) = &service.plan.group(between.member as usize).health_check else {
            return;
        };
        let timeout = config.timeout.unwrap_or(config.interval);
        let state = self.servers[(service.first + between.member) as usize].state;
        let at = usize::from(between.balancer) * service.plan.servers.len();
        let at = at + between.member as usize;
        let number = (self.first_check(usize::from(between.service)) + at) as u32;
        let due = sent + timeout;
        let answered = if state == State::Hanging {
            None
        } else {
            self.way_back(&between)
        };
        match answered {
            Some(takes) if now + takes < due || takes.is_zero() && now == sent => {
                let passed = state == State::Up;
                if takes.is_zero() {
                    self.conclude_check(number, passed, calendar);
                } else if passed {
                    calendar.after(takes, Event::CheckPassed(number));
                } else {
                    calendar.after(takes, Event::CheckFailed(number));
                }
            }
            // Too late, or never.
            _ => calendar.at(due.max(now), Event::CheckFailed(number)),
        }
    }

    /// The outcome of a check is known.
    pub(super) fn conclude_check(
        &mut self,
        number: u32,
        passed: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let (index, at) = self.locate_check(number);
        let service = &mut self.services[index];
        let members = service.plan.servers.len();
        let Some(config) = &service.plan.group(at % members).health_check else {
            return;
        };
        let check = &mut service.checks[at];
        if !std::mem::take(&mut check.awaited) {
            return;
        }
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

    /// A balancer that was dead is back, and knows nothing of its members' health.
    pub(super) fn restart_checks(
        &mut self,
        (index, balancer): (usize, u16),
        calendar: &mut Calendar<Event>,
    ) {
        let service = &mut self.services[index];
        let members = service.plan.servers.len();
        if service.checks.is_empty() {
            return;
        }
        for member in 0..members {
            if let Some(config) = &service.plan.group(member).health_check {
                let check = &mut service.checks[usize::from(balancer) * members + member];
                (check.health, check.awaited) = (Health::new(config), false);
            }
        }
        let first = service.first;
        for member in 0..members as u32 {
            self.wake_check(first + member, usize::from(balancer), calendar);
        }
    }
}
