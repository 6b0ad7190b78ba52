//! The truth that only oracles see: how many requests are at each server, when it would have worked
//! them off, and when it would begin with one more. Autoscalers count by it, too.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::World;
use super::server::Server;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::Truth;

/// What is kept for oracles and autoscalers, by server; empty where there is none.
#[derive(Debug, Default)]
pub(super) struct Known {
    in_system: Vec<u32>,
    free_at: Vec<Time>,
    /// When each slot has worked off what falls to it, first come, first served: a request gets the
    /// slot that is free first (Kiefer and Wolfowitz, 1955). Empty where no rule foresees.
    slots: Vec<BinaryHeap<Reverse<Time>>>,
    /// The earliest of these.
    starts_at: Vec<Time>,
    /// How long the request at hand takes, by server of its service.
    takes: Vec<Span>,
    /// Whether there is an oracle; else only autoscalers go by it.
    is_told: bool,
}

impl Known {
    /// For these servers, where an oracle or an autoscaler is there; with their slots, where one
    /// foresees.
    pub(super) fn new(
        servers: &[Server],
        (oracles, autoscalers): (bool, bool),
        foresees: bool,
    ) -> Known {
        let is_kept = oracles || autoscalers;
        let known = if is_kept { servers.len() } else { 0 };
        let foreseen = if foresees { servers } else { &[] };
        let free = |server: &Server| vec![Reverse(Time::ZERO); server.slots as usize].into();
        Known {
            in_system: vec![0; known],
            free_at: vec![Time::ZERO; known],
            slots: foreseen.iter().map(free).collect(),
            starts_at: vec![Time::ZERO; foreseen.len()],
            takes: Vec::new(),
            is_told: oracles,
        }
    }

    /// How many requests are at a server, or on their way to it.
    pub(super) fn in_system(&self, server: u32) -> u32 {
        self.in_system.get(server as usize).copied().unwrap_or(0)
    }

    /// The truth about the servers of a service, from `first` up to `last`.
    pub(super) fn of(&self, (first, last): (usize, usize)) -> Truth<'_> {
        Truth {
            in_system: self.in_system.get(first..last).unwrap_or_default(),
            free_at: self.free_at.get(first..last).unwrap_or_default(),
            starts_at: self.starts_at.get(first..last).unwrap_or_default(),
            takes: &self.takes,
        }
    }

    /// A request comes to server `index`, where it takes `takes` once it has a slot.
    fn take_slot(&mut self, index: usize, takes: Span, now: Time) {
        let Some(slots) = self.slots.get_mut(index) else {
            return;
        };
        if let Some(mut first) = slots.peek_mut() {
            first.0 = first.0.max(now) + takes;
        }
        self.starts_at[index] = slots.peek().map_or(now, |first| first.0);
    }

    /// Server `index` has nothing to do.
    fn rest(&mut self, index: usize, now: Time) {
        self.free_at[index] = now;
        if let Some(slots) = self.slots.get_mut(index) {
            let free = vec![Reverse(now); slots.len()];
            *slots = free.into();
            self.starts_at[index] = now;
        }
    }
}

impl World<'_> {
    /// Works out how long a request takes at each server of its service, where an oracle wants to
    /// know.
    #[inline(never)]
    pub(super) fn foresee_completion(&mut self, id: u32) {
        if self.known.slots.is_empty() {
            return;
        }
        let request = &self.requests[id];
        let attempt = u64::from(request.attempts) + 1;
        let service = &self.services[usize::from(request.service)];
        let groups = service.plan.groups.iter();
        let demands: Vec<Span> = groups
            .map(|group| request.draft.demand(group, attempt))
            .collect();
        let servers = &self.servers[service.first as usize..][..service.plan.servers.len()];
        self.known.takes.clear();
        let takes = servers
            .iter()
            .map(|server| server.takes(demands[server.group as usize]));
        self.known.takes.extend(takes);
    }

    /// The truth that oracles see: one more is on its way to a server.
    #[inline(never)]
    pub(super) fn joined(&mut self, server: u32, demand: Span, now: Time) {
        let index = server as usize;
        let place = &self.servers[index];
        self.known.in_system[index] += 1;
        let work = demand.seconds() / (f64::from(place.slots) * place.pace);
        let free_at = &mut self.known.free_at[index];
        *free_at = (*free_at).max(now) + Span::from_seconds(work);
        let takes = place.takes(demand);
        self.known.take_slot(index, takes, now);
        if let Some(growth) = &mut self.growth {
            growth.came(server, now);
            self.settle_instance(server, now);
        }
        self.tell_truth(server, now);
    }

    /// The truth that oracles see: one has left a server.
    #[inline(never)]
    pub(super) fn left(&mut self, server: u32, now: Time) {
        let index = server as usize;
        self.known.in_system[index] -= 1;
        if self.known.in_system[index] == 0 {
            self.known.rest(index, now);
        }
        if let Some(growth) = &mut self.growth {
            growth.went(server, now);
            self.settle_instance(server, now);
        }
        self.tell_truth(server, now);
    }

    /// Tells the oracles of a server's service that its truth has changed.
    fn tell_truth(&mut self, server: u32, now: Time) {
        if !self.known.is_told {
            return;
        }
        let index = usize::from(self.servers[server as usize].service);
        let service = &mut self.services[index];
        let first = service.first as usize;
        let truth = Truth {
            takes: &[],
            ..self.known.of((first, first + service.plan.servers.len()))
        };
        for balancer in &mut service.balancers {
            balancer.truth_changed(server - service.first, truth, now);
        }
    }
}
