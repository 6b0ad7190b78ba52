//! Counts what is paid by the byte or by the request, at the four places where a message sets out:
//! from who asks to its balancer, from there to a server, and back the same way. There is no way to
//! a balancer of one's own. A message is paid for where it is lost; the answer of a server where
//! nobody waits for it any more, too.

use super::World;
use super::network::Zone;
use super::request::Request;

/// What is known of attempts whose request may have gone when their answers are sent.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    /// By attempt: the balancer that sent it, and whether it counts.
    attempts: Vec<(u16, bool)>,
}

impl World<'_> {
    /// Counts a request that sets out for its balancer, and comes there or not.
    #[cold]
    #[inline(never)]
    pub(super) fn count_request(&mut self, id: u32, comes: bool) {
        let request = self.requests[id];
        if !self.is_paid_for(&request) {
            return;
        }
        let service = usize::from(request.service);
        let bytes = self.plan.services[service].carries.request;
        let ends = (
            self.zone_of_asker(id, &request),
            self.services[service].zone(request.balancer),
        );
        if self.services[service].plan.callers.is_none() {
            self.count_way(ends, bytes);
        }
        let is_alive = (self.services[service].answers_while_dead(request.balancer)).is_none();
        if let (Some(traffic), true) = (&mut self.tally.traffic, comes && is_alive) {
            traffic.requests[service] += 1;
            traffic.through[service] += bytes;
        }
    }

    /// Counts an attempt that sets out for its server.
    #[cold]
    #[inline(never)]
    pub(super) fn count_attempt(&mut self, id: u32) {
        let attempt = self.attempts[id];
        let request = self.requests[attempt.request];
        let counts = self.is_paid_for(&request);
        if let Some(parcels) = &mut self.parcels {
            let at = id as usize;
            if parcels.attempts.len() <= at {
                parcels.attempts.resize(at + 1, (0, false));
            }
            parcels.attempts[at] = (request.balancer, counts);
        }
        if counts {
            let service = usize::from(request.service);
            let ends = (
                self.services[service].zone(request.balancer),
                self.zone_of_server(attempt.server),
            );
            self.count_way(ends, self.plan.services[service].carries.request);
        }
    }

    /// Counts the good answer of a server to an attempt, whoever still waits for it.
    #[cold]
    #[inline(never)]
    pub(super) fn count_answer_sent(&mut self, id: u32, server: u32) {
        let known = (self.parcels.as_ref()).and_then(|own| own.attempts.get(id as usize));
        if let Some(&(balancer, true)) = known {
            let service = self.servers[server as usize].service as usize;
            let ends = (
                self.zone_of_server(server),
                self.services[service].zone(balancer),
            );
            self.count_way(ends, self.plan.services[service].carries.answer);
        }
    }

    /// Counts the good answer to a request, which its balancer hands on.
    #[cold]
    #[inline(never)]
    pub(super) fn count_answer_handed_on(&mut self, id: u32, request: &Request) {
        if !self.is_paid_for(request) {
            return;
        }
        let service = usize::from(request.service);
        let bytes = self.plan.services[service].carries.answer;
        let ends = (
            self.services[service].zone(request.balancer),
            self.zone_of_asker(id, request),
        );
        if self.services[service].plan.callers.is_none() {
            self.count_way(ends, bytes);
        }
        if let Some(traffic) = &mut self.tally.traffic {
            traffic.through[service] += bytes;
        }
    }

    /// Whether a request is one of the measured window; those that mean harm cost as much as any.
    fn is_paid_for(&self, request: &Request) -> bool {
        let is_hostile = self.plan.sources[usize::from(request.source)].hostile;
        request.measured || (is_hostile && self.tally.measures(request.arrived))
    }

    fn count_way(&mut self, ends: (Zone, Zone), bytes: u64) {
        if let Some(traffic) = &mut self.tally.traffic {
            traffic.carry(ends, bytes);
        }
    }

    fn zone_of_server(&self, server: u32) -> Zone {
        self.servers[server as usize].group_in(self.plan).zone
    }

    fn zone_of_asker(&self, id: u32, request: &Request) -> Zone {
        match (self.calls.as_ref()).and_then(|calls| calls.server(id)) {
            Some(server) => self.zone_of_server(server),
            None => self.plan.sources[usize::from(request.source)].zone,
        }
    }
}
