//! Limits of connections at layer 4: the places at the limits of a balancer that a connection has
//! from when it is opened until it is closed, idle or not.

use std::net::IpAddr;

use super::{Admission, ClientPlace, GatePlace, Limits, client_of, place};
use crate::model::flows::Flow;
use crate::model::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::limit::{Among, Limiter};
use lbsim_strategies::strategy::Answer;

/// The places that a connection has at the limits of its balancer, until it is closed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FlowPlaces {
    /// Since when it has one at that of all, and among how many.
    gate: Option<GatePlace>,
    /// At that of its client: who that is, since when, and among how many.
    client: Option<ClientPlace>,
    /// Among how many it was opened to its server.
    server: Among,
}

impl Limits<'_> {
    /// A connection is gone, with the balancer that let it in.
    pub(in crate::model) fn forget_flow(&mut self, flow: u32) {
        *place(&mut self.of_flows, flow) = FlowPlaces::default();
    }
}

impl World<'_> {
    /// A connection that is opened for a request has the places from now on that this has been
    /// given, and one at its server.
    #[cold]
    #[inline(never)]
    pub(in crate::model) fn hand_places_to(&mut self, flow: u32, id: u32, now: Time) {
        let Some(limits) = &mut self.limits else {
            return;
        };
        let admission = place(&mut limits.by_request, id);
        let gate = match *admission {
            Admission::In(since, among) => Some((since, among)),
            _ => None,
        };
        *admission = Admission::Outside;
        let client = place(&mut limits.as_ones_of, id).take();
        self.give_places_to(flow, (gate, client), now);
    }

    fn give_places_to(
        &mut self,
        flow: u32,
        (gate, client): (Option<GatePlace>, Option<ClientPlace>),
        now: Time,
    ) {
        let (Some(flows), Some(limits)) = (&self.flows, &mut self.limits) else {
            return;
        };
        let own = &flows.all[flow];
        let service = &mut self.services[usize::from(own.service)];
        let balancer = &mut service.balancers[usize::from(own.balancer)];
        *place(&mut limits.of_flows, flow) = FlowPlaces {
            gate,
            client,
            server: balancer.enter_limit(own.member, now),
        };
    }

    /// Whether a balancer lets in a connection that one of its callers opens ahead, which waits for
    /// nothing.
    pub(in crate::model) fn lets_in_ahead(
        &mut self,
        (service, balancer): (u16, u16),
        who: (u32, IpAddr),
        now: Time,
    ) -> bool {
        let plan = &self.plan.services[usize::from(service)].balancer;
        let Some(limits) = &mut self.limits else {
            return true;
        };
        if let Some(gate) = limits.gates[usize::from(service)].get_mut(usize::from(balancer))
            && (gate.count > 0 || !gate.limiter.may_enter(0, now))
        {
            return false;
        }
        plan.client_limit.as_ref().is_none_or(|plan| {
            let client = (service, balancer, client_of(plan, who));
            let limiter = limits.of_clients.entry(client);
            let limiter = limiter.or_insert_with(|| Limiter::by(&plan.by));
            limiter.may_enter(0, now)
        })
    }

    /// A connection that is opened ahead has its places.
    pub(in crate::model) fn enter_ahead(&mut self, flow: u32, who: (u32, IpAddr), now: Time) {
        let (Some(flows), Some(limits)) = (&self.flows, &mut self.limits) else {
            return;
        };
        let Flow {
            service, balancer, ..
        } = flows.all[flow];
        let plan = &self.plan.services[usize::from(service)].balancer;
        let gate = limits.gates[usize::from(service)].get_mut(usize::from(balancer));
        let gate = gate.map(|gate| (now, gate.limiter.enter(now)));
        let client = plan.client_limit.as_ref().and_then(|plan| {
            let client = client_of(plan, who);
            let limiter = limits.of_clients.get_mut(&(service, balancer, client))?;
            Some((client, now, limiter.enter(now)))
        });
        self.give_places_to(flow, (gate, client), now);
    }

    /// A connection is closed, and its places are free.
    #[cold]
    #[inline(never)]
    pub(in crate::model) fn give_places_back(
        &mut self,
        (id, flow): (u32, &Flow),
        answer: &Answer,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let at = (usize::from(flow.service), usize::from(flow.balancer));
        let ended = (answer.outcome, answer.status);
        let Some(limits) = &mut self.limits else {
            return;
        };
        let own = std::mem::take(place(&mut limits.of_flows, id));
        self.services[at.0].balancers[at.1].leave_limit(answer, own.server);
        if let Some((client, since, among)) = own.client
            && let Some(limiter) =
                (limits.of_clients).get_mut(&(flow.service, flow.balancer, client))
        {
            limiter.leave(ended, now - since, among);
        }
        if let Some((since, among)) = own.gate
            && let Some(gate) = limits.gates[at.0].get_mut(at.1)
        {
            gate.limiter.leave(ended, now - since, among);
            if gate.count > 0 {
                self.plan_admission_at(at, now, calendar);
            }
        }
    }
}
