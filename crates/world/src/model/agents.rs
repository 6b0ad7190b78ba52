//! Monitoring agents: each server reports its load at its own interval, and what balancers know is
//! as old as the last report.

use super::message::{Between, News};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Domain, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::Report;

/// What tells the luck of reports from that of other messages.
const REPORT: u64 = 1 << 60;

/// What the agent of a server last reported, and what it has counted since.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reported {
    at: Time,
    /// Slot-nanoseconds worked until then.
    worked: u64,
    /// Requests answered since, the refused among them.
    pub(super) answered: u32,
    pub(super) refused: u32,
}

impl World<'_> {
    /// Agents report only where a strategy reads them.
    pub(super) fn schedule_reports(&mut self, calendar: &mut Calendar<Event>) {
        for server in 0..self.servers.len() as u32 {
            let plan = &self.plan.services[self.servers[server as usize].service as usize];
            if !plan.balancer.strategy.reads_reports() {
                continue;
            }
            let interval = self.servers[server as usize]
                .group_in(self.plan)
                .agent_interval;
            let phase =
                interval.seconds() * uniform(&mut self.stream(Domain::Agent, u64::from(server)));
            calendar.after(Span::from_seconds(phase), Event::Report(server));
            self.reported
                .resize(self.servers.len(), Reported::default());
        }
    }

    /// The agent of a server reports to all balancers. A dead server says nothing: the last word
    /// stands.
    pub(super) fn report(&mut self, index: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let worked = self.slot_time_worked(index, now);
        let server = &mut self.servers[index as usize];
        let service = &self.services[server.service as usize];
        let group = server.group_in(self.plan);
        calendar.after(group.agent_interval, Event::Report(index));
        let fresh = Reported {
            at: now,
            worked,
            ..Reported::default()
        };
        let before = std::mem::replace(&mut self.reported[index as usize], fresh);
        if !server.is_up() {
            return;
        }
        let elapsed = (now - before.at).seconds();
        let per_second = |count: f64| if elapsed > 0.0 { count / elapsed } else { 0.0 };
        let slot_seconds = worked.saturating_sub(before.worked) as f64 / 1e9;
        let cpu = (per_second(slot_seconds) / f64::from(group.slots)).min(1.0);
        let here = f64::from(server.present());
        let states = (self.sessions.as_ref()).map_or(0, |sessions| sessions.bytes(index));
        let states = states as f64 / group.memory_total;
        let memory = (group.memory_base + group.memory_per_request * here + states).min(1.0);
        let report = Report {
            cpu,
            memory,
            in_flight: server.present(),
            rate: per_second(f64::from(before.answered)),
            errors: per_second(f64::from(before.refused)),
        };
        let (service, member) = (server.service, index - service.first);
        for balancer in 0..self.services[usize::from(service)].balancers.len() as u16 {
            let what = REPORT | u64::from(index) << 16 | u64::from(balancer);
            let between = Between {
                service,
                balancer,
                member,
                luck: self.luck_of(what, now),
            };
            self.tell_balancer(between, News::Report(report), calendar);
        }
    }
}
