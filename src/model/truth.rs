//! The truth that only oracles see: how many requests are at each server, and when it would have worked them off.

use super::World;
use crate::strategy::Truth;
use crate::time::{Span, Time};

impl World<'_> {
    /// The truth that oracles see: one more is on its way to a server.
    #[inline(never)]
    pub(super) fn joined(&mut self, server: u32, demand: Span, now: Time) {
        let index = server as usize;
        let place = &self.servers[index];
        self.in_system[index] += 1;
        let work = demand.seconds() / (f64::from(place.slots) * place.pace);
        self.free_at[index] = self.free_at[index].max(now) + Span::from_seconds(work);
        self.tell_truth(server, now);
    }

    /// The truth that oracles see: one has left a server.
    #[inline(never)]
    pub(super) fn left(&mut self, server: u32, now: Time) {
        self.in_system[server as usize] -= 1;
        if self.in_system[server as usize] == 0 {
            self.free_at[server as usize] = now;
        }
        self.tell_truth(server, now);
    }

    /// Tells the oracles of a server's service that its truth has changed.
    fn tell_truth(&mut self, server: u32, now: Time) {
        let index = usize::from(self.servers[server as usize].service);
        let service = &mut self.services[index];
        let (first, last) = (
            service.first as usize,
            service.first as usize + service.plan.servers.len(),
        );
        let truth = Truth {
            in_system: &self.in_system[first..last],
            free_at: &self.free_at[first..last],
        };
        for balancer in &mut service.balancers {
            balancer.truth_changed(server - service.first, truth, now);
        }
    }
}
