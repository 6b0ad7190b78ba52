//! Whether chance has a part in a world: whether one replication of it can differ from another.

use super::address::Addresses;
use super::blueprint::{Blueprint, GroupPlan, ServicePlan, SourcePlan, When};
use super::fault::{Effect, OnTheWay, Strikes};
use super::network::Delay;
use super::step::{StepKind, StepPlan};
use lbsim_engine::distribution::Sampler;
use lbsim_engine::time::Span;
use lbsim_strategies::balancer::retry::Jitter;
use lbsim_strategies::strategy::Origin;

impl Blueprint {
    /// Whether anything besides the strategy's own draws is drawn anew in each replication: gaps,
    /// sizes, service times, delays, faults, where textbook hashes put keys. Where nothing is (a
    /// trace with its own service times), replications are copies of each other, and their
    /// agreement is no evidence.
    pub fn varies(&self) -> bool {
        self.sources.iter().any(|source| self.source_varies(source))
            || self
                .services
                .iter()
                .any(|service| self.service_varies(service))
            || self
                .faults
                .iter()
                .any(|fault| fault.schedule.is_random() || is_drawn(&fault.strikes))
    }

    fn source_varies(&self, source: &SourcePlan) -> bool {
        let when = match &source.when {
            // Even constant gaps begin at a random phase, and who asks is drawn.
            When::Process(_) => true,
            When::Trace(_) => false,
            When::Closed(think) => is_random(think),
        };
        let length = (source.sessions.as_ref()).and_then(|sessions| sessions.length.as_ref());
        let looks_at = self.services[source.service].balancer.strategy.origin();
        let made_up = matches!(source.population.addresses, Addresses::Drawn(_));
        when || (made_up && looks_at >= Origin::Address)
            // Each request comes from a port that is drawn.
            || looks_at == Origin::Port
            || source.keys.is_some()
            || source.size.as_ref().is_some_and(is_random)
            || length.is_some_and(is_random)
            || matches!(source.to_balancer, Delay::Drawn(_))
    }

    fn service_varies(&self, service: &ServicePlan) -> bool {
        let balancer = &service.balancer;
        let retry = &balancer.retry;
        let asked_by = |source: &&SourcePlan| std::ptr::eq(&self.services[source.service], service);
        let is_called = self.services.iter().any(|caller| {
            let mut callees = caller.callees().into_iter();
            callees.any(|callee| std::ptr::eq(&self.services[callee], service))
        });
        let recorded = !is_called
            && (self.sources.iter().filter(asked_by))
                .all(|source| source.recorded_service().is_some());
        let group = |group: &GroupPlan| {
            (!recorded && is_random(&group.service))
                || matches!(group.to_server, Delay::Drawn(_))
                || group.steps.iter().any(step_varies)
        };
        let is_checked = (service.groups.iter()).any(|group| group.health_check.is_some());
        service.groups.iter().any(group)
            || balancer.instances > 1
            || (retry.max > 0 && retry.backoff > Span::ZERO && retry.jitter != Jitter::None)
            // Checks and agents begin at random phases. What checks find changes nothing where
            // nothing fails.
            || (!self.faults.is_empty() && is_checked)
            || balancer.strategy.reads_reports()
            || balancer.strategy.places()
    }
}

/// Whether what a fault does is drawn for each message or attempt.
fn is_drawn(strikes: &Strikes) -> bool {
    let part = |share: f64| share > 0.0 && share < 1.0;
    match strikes {
        Strikes::Servers(_, Effect::Errors(share, _)) => part(*share),
        Strikes::Ways(_, OnTheWay::Lossy(share, _)) => part(*share),
        _ => false,
    }
}

fn is_random(sampler: &Sampler) -> bool {
    sampler.variance() > 0.0
}

fn step_varies(step: &StepPlan) -> bool {
    let is_drawn = step.probability > 0.0 && step.probability < 1.0;
    is_drawn
        || match &step.kind {
            StepKind::Work(work) => is_random(work),
            StepKind::Call(call) => matches!(call.to_balancer, Delay::Drawn(_)),
        }
}
