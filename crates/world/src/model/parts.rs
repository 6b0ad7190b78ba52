//! What a system consists of, and which of its parts must not fail: those without which some
//! requests cannot be answered, however well whoever looks after it notices.

use std::fmt;

use super::blueprint::{Blueprint, ServicePlan, Spread};
use super::step::StepKind;
use lbsim_strategies::balancer::affinity::Sticky;

/// The parts of a system that its requests need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Servers of services that requests reach.
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
            parts.servers += service.servers.len();
            let names = service.servers.iter().zip(self.servers_of(at));
            for (server, number) in names {
                if !self.answers_without(Gone::Server(number)) {
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
        let mut open: Vec<usize> = self.sources.iter().map(|source| source.service).collect();
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut is_reached[at], true) {
                open.extend(self.services[at].callees());
            }
        }
        (0..is_reached.len()).filter(|&at| is_reached[at]).collect()
    }

    /// Whether requests of each group of clients can all be answered still.
    fn answers_without(&self, gone: Gone) -> bool {
        let mut sources = self.sources.iter().enumerate();
        sources.all(|(source, plan)| {
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
        let mut servers = plan.servers.iter().zip(self.servers_of(service));
        let answer = gone != Gone::Balancer(service)
            && servers.any(|(server, number)| {
                let steps = &plan.groups[server.group].steps;
                let mut own = steps.iter().filter(|step| {
                    let sources = step.sources.as_ref();
                    sources.is_none_or(|sources| sources[source])
                });
                gone != Gone::Server(number)
                    && own.all(|step| match &step.kind {
                        StepKind::Call(call) if !call.optional => {
                            let mut is_answered =
                                |service: usize| self.can_answer(service, source, gone, known);
                            let calls = call.services.iter();
                            let good = calls.filter(|&&callee| is_answered(callee)).count();
                            good >= call.wait_for as usize
                        }
                        _ => true,
                    })
            });
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
