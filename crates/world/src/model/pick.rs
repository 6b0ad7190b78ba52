//! Fourth stage: which member a request goes to. Affinity first, then the strategy.

use super::World;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::Balancer;
use lbsim_strategies::balancer::retry::On;
use lbsim_strategies::strategy::{Pick, Request, Truth};

impl World<'_> {
    /// The member that the request's balancer sends it to, further attempts as `on` says.
    #[inline(always)]
    pub(super) fn pick(&mut self, id: u32, on: On, now: Time) -> Pick {
        if self.oracle {
            self.foresee_completion(id);
        }
        let request = &self.requests[id];
        if request.attempts > 0
            && on == On::Same
            && let Some(&last) = request.tried().first()
            && !(self.has_flows(request.service) && self.find_flow(id).is_some())
        {
            let service = &self.services[usize::from(request.service)];
            let balancer = &service.balancers[usize::from(request.balancer)];
            if balancer.pool().is_eligible(last) {
                return Pick::Member(last);
            }
        }
        if self.has_bonds {
            return self.pick_with_bonds(id, on, now);
        }
        self.put(id, on, |balancer, seen, truth| {
            balancer.pick(seen, truth, now)
        })
    }

    /// Puts a question to the balancer of a request, which sees of that what a strategy may see.
    #[inline(always)]
    pub(super) fn put<T>(
        &mut self,
        id: u32,
        on: On,
        question: impl FnOnce(&mut Balancer, &Request<'_>, Truth<'_>) -> T,
    ) -> T {
        let request = &self.requests[id];
        let index = usize::from(request.source);
        let tried = if on == On::Another {
            request.tried()
        } else {
            &[]
        };
        let has_flows = self.has_flows(request.service);
        let service = &mut self.services[usize::from(request.service)];
        let balancer = &mut service.balancers[usize::from(request.balancer)];
        let source = &self.sources[index];
        if let (false, Some(seen), []) = (self.oracle, source.unseen(), tried) {
            return question(balancer, seen, Truth::default());
        }
        let mut seen = source.seen(&request.draft, tried);
        if has_flows {
            seen = World::seen_at_layer_4(seen);
        }
        if let Some(calls) = &self.calls
            && let Some(address) = calls.address(id)
        {
            seen.address = address;
        }
        let truth = if self.oracle {
            let first = service.first as usize;
            self.known.of((first, first + service.plan.servers.len()))
        } else {
            Truth::default()
        };
        question(balancer, &seen, truth)
    }
}
