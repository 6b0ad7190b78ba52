//! Servers that join their pool and leave it, and why balancers send them nobody.

use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::Reason;

impl World<'_> {
    /// Lets a reason hold for a server at all balancers of its service.
    pub(super) fn set_everywhere(
        &mut self,
        server: u32,
        reason: Reason,
        holds: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let index = usize::from(self.servers[server as usize].service);
        let service = &self.services[index];
        let member = server - service.first;
        let sticky = &service.plan.balancer.sticky;
        let closes = match reason {
            Reason::Absent => sticky.connection().is_some(),
            Reason::Draining => sticky.connection().is_some_and(|plan| plan.close_drained),
            _ => false,
        };
        for balancer in 0..service.balancers.len() {
            self.set_reason((index, balancer), member, (reason, holds), calendar);
        }
        if closes && holds {
            self.close_flows_to(server, calendar.now());
        }
    }

    pub(super) fn schedule_membership(&mut self, calendar: &mut Calendar<Event>) {
        for server in 0..self.servers.len() as u32 {
            let (joins, leaves) = self.membership(server);
            if joins > Time::ZERO {
                self.set_everywhere(server, Reason::Absent, true, calendar);
                if let Some(sessions) = &mut self.sessions {
                    sessions.set_gone(server, true);
                }
                calendar.at(joins, Event::Membership(server));
            }
            calendar.at(leaves, Event::Membership(server));
        }
    }

    fn membership(&self, server: u32) -> (Time, Time) {
        let group = self.servers[server as usize].group_in(self.plan);
        (group.joins, group.leaves)
    }

    /// A server joins or leaves its pool.
    pub(super) fn update_membership(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let (joins, leaves) = self.membership(server);
        if now == joins {
            self.start_cold(server, calendar);
        }
        self.set_everywhere(
            server,
            Reason::Absent,
            now < joins || now >= leaves,
            calendar,
        );
        if let Some(sessions) = &mut self.sessions {
            sessions.set_gone(server, now < joins || now >= leaves);
        }
        if now >= leaves {
            self.lose_states(server, true, now);
        }
    }
}
