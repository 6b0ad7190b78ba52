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
            self.close_flows_to(server, calendar);
        }
    }

    pub(super) fn schedule_membership(&mut self, calendar: &mut Calendar<Event>) {
        for server in 0..self.servers.len() as u32 {
            let (joins, leaves) = self.membership(server);
            if joins > Time::ZERO {
                self.keep_out(server, calendar);
                calendar.at(joins, Event::Membership(server));
            }
            calendar.at(leaves, Event::Membership(server));
        }
        self.schedule_growth(calendar);
    }

    fn membership(&self, server: u32) -> (Time, Time) {
        let group = self.servers[server as usize].group_in(self.plan);
        (group.joins, group.leaves)
    }

    /// What a server was to do about its pool is due: to join it, or to leave it.
    pub(super) fn update_membership(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        if (self.growth.as_ref()).is_some_and(|growth| growth.has(server)) {
            self.go_on_growing(server, calendar);
            return;
        }
        let now = calendar.now();
        let (_, leaves) = self.membership(server);
        if now < leaves {
            self.join_pool(server, calendar);
        } else {
            self.leave_pool(server, calendar);
            self.count_in_pool(false, now);
        }
    }

    /// A server is not in its pool.
    pub(super) fn keep_out(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        self.set_everywhere(server, Reason::Absent, true, calendar);
        if let Some(sessions) = &mut self.sessions {
            sessions.set_gone(server, true);
        }
    }

    /// A server joins its pool.
    pub(super) fn join_pool(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        self.start_cold(server, calendar);
        self.set_everywhere(server, Reason::Absent, false, calendar);
        if let Some(sessions) = &mut self.sessions {
            sessions.set_gone(server, false);
        }
        self.count_in_pool(true, calendar.now());
        if self.flows.is_some() {
            self.caller_changed(server, true, calendar);
        }
    }

    /// A server leaves its pool. What it has is finished; the states that lived there are lost.
    pub(super) fn leave_pool(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        self.keep_out(server, calendar);
        if self.flows.is_some() {
            self.caller_changed(server, false, calendar);
        }
        self.lose_states(server, true, calendar.now());
    }

    /// One server more takes requests, or one fewer.
    pub(super) fn count_in_pool(&mut self, more: bool, now: Time) {
        if let Some(pools) = &mut self.tally.pools {
            pools.change(more, now);
        }
    }
}
