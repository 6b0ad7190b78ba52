//! What a system consists of, and which of its parts must not fail: those without which some
//! requests cannot be answered, however well whoever looks after it notices.

use std::fmt;

use super::balancer::Spread;
use super::blueprint::{Blueprint, ServicePlan};
use super::step::{Only, StepKind};
use lbsim_strategies::balancer::affinity::Sticky;

/// The parts of a system that its requests need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Servers of services that requests reach and that are in the pool in the measured window; of
    /// those that an autoscaler orders the fewest that there are.
    pub servers: usize,
    /// Balancers of these with a choice; those that callers have in themselves (`spread =
    /// "caller"`) and names (`sticky = { kind = "dns" }`) are none.
    pub balancers: usize,
    /// Single points of failure: parts without which requests of some group of clients, or of some
    /// of their routes, cannot be answered. Servers by their full names, then the only balancers of
    /// services.
    pub single: Vec<String>,
}

/// Of single points of failure so many are named, unless all are asked for (`{:#}`).
const NAMED: usize = 3;

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        write!(f, "{} server{}", self.servers, plural(self.servers))?;
        if self.balancers > 0 {
            let count = self.balancers;
            write!(f, " and {count} balancer{}", plural(count))?;
        }
        let all = self.single.len();
        let shown = if f.alternate() || all == NAMED + 1 {
            all
        } else {
            all.min(NAMED)
        };
        match all {
            0 => return f.write_str(" (no single point of failure)"),
            1 => f.write_str(" (a single point of failure: ")?,
            _ => write!(f, " ({all} single points of failure: ")?,
        }
        f.write_str(&self.single[..shown].join(", "))?;
        match all - shown {
            0 => f.write_str(")"),
            more => write!(f, " and {more} more)"),
        }
    }
}

/// A part that is gone.
#[derive(Clone, Copy, PartialEq)]
enum Gone {
    /// A server, by its number in the world.
    Server(usize),
    /// The balancer of a service.
    Balancer(usize),
}

impl Blueprint {
    /// What the requests of this system need, as it is planned: whether a server that is to take
    /// over is believed to be alive is another question, and so is whether the others are enough.
    pub fn parts(&self) -> Parts {
        let reached = self.reached();
        let mut parts = Parts::default();
        let all = || reached.iter().map(|&at| (at, &self.services[at]));
        for (at, service) in all() {
            let numbers = self.servers_of(at);
            // Servers of a group are alike: what holds of the first holds of each.
            let mut is_needed = vec![None; service.groups.len()];
            for (place, server) in service.servers.iter().enumerate() {
                if !self.is_there(service, place) {
                    continue;
                }
                parts.servers += 1;
                let known = &mut is_needed[server.group];
                let first = Gone::Server(numbers.start + place);
                if *known.get_or_insert_with(|| !self.answers_without(first)) {
                    parts.single.push(service.full_name(&server.name));
                }
            }
        }
        for (at, service) in all().filter(|(_, service)| has_balancers(service)) {
            let count = usize::from(service.balancer.instances);
            parts.balancers += count;
            if count == 1 && !self.answers_without(Gone::Balancer(at)) {
                parts
                    .single
                    .push(format!("the balancer of {}", service.name));
            }
        }
        parts
    }

    /// The services that requests of clients reach, in their order.
    fn reached(&self) -> Vec<usize> {
        let mut is_reached = vec![false; self.services.len()];
        let honest = self.sources.iter().filter(|source| !source.hostile);
        let mut open: Vec<usize> = honest.map(|source| source.service).collect();
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut is_reached[at], true) {
                open.extend(self.services[at].callees());
            }
        }
        (0..is_reached.len()).filter(|&at| is_reached[at]).collect()
    }

    /// Whether a server is in the pool in the measured window; of those that an autoscaler orders
    /// the fewest count.
    fn is_there(&self, plan: &ServicePlan, server: usize) -> bool {
        let group = plan.group(server);
        let own = plan.servers[server].group;
        let before = plan.servers[..server]
            .iter()
            .filter(|other| other.group == own);
        let is_ordered = match &group.autoscale {
            Some(scale) => before.count() < scale.settings.least.max(1) as usize,
            None => true,
        };
        is_ordered && group.joins < self.end && group.leaves > self.warmup
    }

    /// Whether requests of each group of clients that means no harm can all be answered still.
    fn answers_without(&self, gone: Gone) -> bool {
        let sources = self.sources.iter().enumerate();
        let mut honest = sources.filter(|(_, plan)| !plan.hostile);
        honest.all(|(source, plan)| {
            let mut known = vec![None; self.services.len()];
            self.can_answer(plan.service, source, gone, &mut known)
        })
    }

    /// Whether some server of a service can answer requests of this source; `known` has of which
    /// services that is known. No service reaches itself.
    fn can_answer(
        &self,
        service: usize,
        source: usize,
        gone: Gone,
        known: &mut [Option<bool>],
    ) -> bool {
        if let Some(answer) = known[service] {
            return answer;
        }
        let plan = &self.services[service];
        let numbers = self.servers_of(service);
        let mut members = Vec::new();
        for (at, number) in numbers.enumerate() {
            let is_left = self.is_there(plan, at) && gone != Gone::Server(number);
            let steps = &plan.group(at).steps;
            let mut own = steps.iter().filter(|step| {
                let sources = step.sources.as_ref();
                let is_taken = step.probability > 0.0 || step.only != Only::Drawn;
                is_taken && sources.is_none_or(|sources| sources[source])
            });
            let can = is_left
                && own.all(|step| match &step.kind {
                    StepKind::Call(call) if !call.optional => {
                        let mut is_answered =
                            |service: usize| self.can_answer(service, source, gone, known);
                        let calls = call.services.iter();
                        let good = calls.filter(|&&callee| is_answered(callee)).count();
                        good >= call.wait_for as usize
                    }
                    _ => true,
                });
            if can {
                members.push(plan.members[at].clone());
            }
        }
        // Who stands by takes over where no other can; who has no weight never does.
        let answer = gone != Gone::Balancer(service)
            && plan.balancer.strategy.in_charge(&members).contains(&true);
        known[service] = Some(answer);
        answer
    }
}

/// Whether a service has balancers that are parts of their own: a choice to make, and neither in
/// whoever asks nor in a name that resolvers look up.
fn has_balancers(service: &ServicePlan) -> bool {
    let balancer = &service.balancer;
    let is_name = matches!(balancer.sticky, Sticky::Dns(_));
    service.servers.len() > 1 && balancer.spread != Spread::Caller && !is_name
}
