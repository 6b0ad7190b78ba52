//! Health checks at work. Checks happen at fixed times, of which only those are simulated that can
//! change an opinion: a chain of checks wakes when its server dies or returns, and rests when
//! balancer and server agree. The outcome is the same as of checking all the time, which is what is
//! done where a check may be lost or late, or where how busy the server is decides.

use super::blueprint::ServicePlan;
use super::inspection::{Errand, Inspection};
use super::message::{Between, Question};
use super::server::State;
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Domain, Luck, Seeds, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;
use lbsim_strategies::balancer::ejection::Change;
use lbsim_strategies::balancer::health::{AnsweredBy, Health, HealthCheck};

/// The purpose of a check's luck by which the next one comes sooner or later.
const JITTER: u64 = 0x1000;

/// The checks of one member by one balancer.
#[derive(Clone, Debug)]
pub(super) struct Check {
    health: Health,
    /// When the first check would be.
    first: Time,
    /// When the last one was sent; before that, when the first would be. While it sleeps the others
    /// follow from it.
    last: Time,
    /// When the next check comes; an event that says otherwise is stale. Never while it sleeps.
    due: Time,
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
                let phase = config.interval.seconds() * uniform(&mut rng);
                let first = Time::ZERO + Span::from_seconds(phase);
                Check {
                    health: Health::new(config),
                    first,
                    last: first,
                    due: Time::NEVER,
                    awaited: false,
                }
            })
            .collect()
    }

    /// The first check after `now`, of one that sleeps.
    fn next(&self, now: Time, config: &HealthCheck) -> Time {
        if now < self.first {
            return self.first;
        }
        let interval = self.health.interval(config).nanos();
        let rounds = (now - self.last).nanos() / interval + 1;
        self.last + Span::from_nanos(rounds * interval)
    }
}

impl<'a> World<'a> {
    /// The first check of each service has this number among all checks of the world.
    fn first_check(&self, service: usize) -> usize {
        self.services[..service]
            .iter()
            .map(|service| service.checks.len())
            .sum()
    }

    /// Where checks may be lost or late, or the server has to work for them, none is left out.
    pub(super) fn schedule_checks(&mut self, calendar: &mut Calendar<Event>) {
        for server in 0..self.servers.len() as u32 {
            let group = self.servers[server as usize].group_in(self.plan);
            let config = group.health_check.as_ref();
            if config.is_some_and(|config| self.checks_always || config.never_rests()) {
                self.wake_checks(server, calendar);
            }
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
        if check.due != Time::NEVER {
            return;
        }
        let (next, is_first) = (check.next(now, config), now <= check.first);
        check.due = next;
        if !is_first {
            // While it slept, checks have passed.
            check.health.confirm();
        }
        let number = (offset + at) as u32;
        calendar.at(next, Event::Check(number));
        // Those that are on their way find another server than they were sent to.
        let (interval, first) = (check.health.interval(config), check.first);
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

    /// How balancers check the member that the check with this number is of.
    fn config_of(&self, number: u32) -> Option<&'a HealthCheck> {
        let (index, at) = self.locate_check(number);
        let plan = self.services[index].plan;
        plan.group(at % plan.servers.len()).health_check.as_ref()
    }

    /// It is time for a balancer to check a member.
    pub(super) fn check(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        if self.check_mut(number).due != now {
            return;
        }
        let Some(config) = self.config_of(number) else {
            return;
        };
        let between = self.between(number, now);
        let service = &self.services[usize::from(between.service)];
        let up = self.servers[(service.first + between.member) as usize].is_up();
        let is_dead = service.is_dead(between.balancer);
        let always = self.checks_always || config.never_rests();
        let check = self.check_mut(number);
        check.last = now;
        // The balancer that comes back begins anew.
        if is_dead || (!always && check.health.is_settled(up)) {
            check.due = Time::NEVER;
            return;
        }
        check.awaited = true;
        if !self.ask_server(between, Question::Check(now), calendar) {
            calendar.after(config.patience(), Event::CheckFailed(number));
        } else if config.answered_by == AnsweredBy::Slot {
            calendar.after(config.patience(), Event::CheckOverdue(number));
        }
        self.plan_check(number, config, calendar);
    }

    /// The next check of a member comes as long after the last as is usual by now.
    fn plan_check(&mut self, number: u32, config: &HealthCheck, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let check = self.check_mut(number);
        let (last, mut interval) = (check.last, check.health.interval(config));
        if let Some(share) = config.jitter {
            let mut luck = Luck::new(self.luck_of(u64::from(number), last), JITTER);
            let longer = share.value() * (2.0 * uniform(&mut luck) - 1.0);
            interval = Span::from_seconds(interval.seconds() * (1.0 + longer));
        }
        let due = (last + interval).max(now);
        let check = self.check_mut(number);
        if std::mem::replace(&mut check.due, due) != due {
            calendar.at(due, Event::Check(number));
        }
    }

    /// A check that was sent then is at its server, which answers or says nothing.
    pub(super) fn checked(&mut self, between: Between, sent: Time, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let service = &self.services[usize::from(between.service)];
        let at = usize::from(between.balancer) * service.plan.servers.len();
        let at = at + between.member as usize;
        let number = (self.first_check(usize::from(between.service)) + at) as u32;
        let Some(config) = self.config_of(number) else {
            return;
        };
        let server = service.first + between.member;
        let place = &self.servers[server as usize];
        let state = place.state;
        if config.answered_by == AnsweredBy::Slot {
            if state != State::Hanging {
                let errand = Errand::Check((number, between, sent));
                self.inspect(server, errand, config.work, calendar);
            }
            return;
        }
        let due = sent + config.patience();
        let answered = if state == State::Hanging {
            None
        } else {
            self.way_back(&between)
        };
        let passed = state == State::Up;
        let work = match passed {
            true => place.takes(config.work),
            false => Span::ZERO,
        };
        match answered.map(|takes| takes + work) {
            Some(takes) if now + takes < due || takes.is_zero() && now == sent => {
                self.conclude_check_after(takes, number, passed, calendar);
            }
            // Too late, or never.
            _ => calendar.at(due.max(now), Event::CheckFailed(number)),
        }
    }

    /// The outcome of a check is known after some time.
    fn conclude_check_after(
        &mut self,
        takes: Span,
        number: u32,
        passed: bool,
        calendar: &mut Calendar<Event>,
    ) {
        if takes.is_zero() {
            self.conclude_check(number, passed, calendar);
        } else if passed {
            calendar.after(takes, Event::CheckPassed(number));
        } else {
            calendar.after(takes, Event::CheckFailed(number));
        }
    }

    /// A check that has to wait for a slot may have been waited for long enough.
    pub(super) fn check_overdue(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let Some(config) = self.config_of(number) else {
            return;
        };
        if self.check_mut(number).last + config.patience() == calendar.now() {
            self.conclude_check(number, false, calendar);
        }
    }

    /// A check that was sent then has been worked on, or turned away.
    pub(super) fn inspected(
        &mut self,
        (number, between, sent): Inspection,
        passed: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let Some(config) = self.config_of(number) else {
            return;
        };
        // Another one may be under way by now.
        let Some(takes) = self.way_back(&between) else {
            return;
        };
        let in_time = calendar.now() + takes < sent + config.patience();
        if in_time && self.check_mut(number).last == sent {
            self.conclude_check_after(takes, number, passed, calendar);
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
        if std::mem::take(&mut self.services[index].checks[at].awaited) {
            self.take_outcome(number, passed, calendar);
        }
    }

    /// The outcome of a check, or what is as good as one, is taken into account.
    fn take_outcome(&mut self, number: u32, passed: bool, calendar: &mut Calendar<Event>) {
        let Some(config) = self.config_of(number) else {
            return;
        };
        let (index, at) = self.locate_check(number);
        let service = &mut self.services[index];
        let members = service.plan.servers.len();
        let check = &mut service.checks[at];
        let before = check.health.interval(config);
        let turned = check.health.check(passed, config);
        let after = check.health.interval(config);
        let is_up = check.health.is_up();
        if before != after {
            self.plan_check(number, config, calendar);
        }
        if turned {
            let member = (at % members) as u32;
            self.set_reason(
                (index, at / members),
                member,
                (Reason::Down, !is_up),
                calendar,
            );
        }
    }

    /// Traffic speaks against a member, as a failed check would; its next check comes soon, where
    /// there is a word for that.
    pub(super) fn speak_against(
        &mut self,
        (index, balancer): (usize, usize),
        member: u32,
        how: Change,
        calendar: &mut Calendar<Event>,
    ) {
        let service = &self.services[index];
        let members = service.plan.servers.len();
        let Some(config) = &service.plan.group(member as usize).health_check else {
            return;
        };
        let server = service.first + member;
        let at = balancer * members + member as usize;
        let number = (self.first_check(index) + at) as u32;
        self.wake_check(server, balancer, calendar);
        let health = &mut self.services[index].checks[at].health;
        match how {
            Change::CheckSoon(_) => {}
            Change::LastChance(_) => health.doubt(config),
            Change::Down(_) if health.is_up() => {
                health.doubt(config);
                self.take_outcome(number, false, calendar);
            }
            _ if health.is_up() => self.take_outcome(number, false, calendar),
            _ => {}
        }
        if let Some(fast) = config.fast_interval {
            let soon = calendar.now() + fast;
            let check = self.check_mut(number);
            if check.due > soon && check.due != Time::NEVER {
                check.due = soon;
                calendar.at(soon, Event::Check(number));
            }
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
