//! What is asked of the servers that faults leave.

use std::collections::BTreeMap;

use super::{Warning, warning};
use crate::figures::percent;
use crate::model::blueprint::{Blueprint, SourcePlan};
use crate::model::fault::{Effect, Fault, Schedule};
use crate::prose::{counted, quoted};
use crate::time::{Span, Time};

/// What the servers that are left are asked for while others are dead or drained, where that is
/// more than they can do: whenever a fault begins, without all that are away then, and of each
/// fault of the scenario the worst. Whoever decides where requests go, more cannot be done.
pub(super) fn left(plan: &Blueprint, found: &mut Vec<Warning>) {
    let mut worst: BTreeMap<(usize, usize), (f64, Away<'_>)> = BTreeMap::new();
    let takes_away =
        |fault: &&Fault| matches!(fault.effect(), Some(Effect::Crash(..) | Effect::Drain));
    for fault in plan.faults.iter().filter(takes_away) {
        let Schedule::Once(begins, _) = fault.schedule else {
            continue;
        };
        for service in 0..plan.services.len() {
            let away = Away::at(plan, begins, service);
            let Some((load, away)) = away.and_then(|own| Some((own.load_of_the_rest(plan)?, own)))
            else {
                continue;
            };
            let is_more = |known: &(f64, Away<'_>)| load > known.0;
            if worst.get(&(fault.number, service)).is_none_or(is_more) {
                worst.insert((fault.number, service), (load, away));
            }
        }
    }
    for ((_, service), (load, away)) in worst {
        let then = match plan.is_bounded(service) {
            true => "some is refused, dropped or given up",
            false => "queues grow",
        };
        let load = percent(load);
        let labels: Vec<&str> = away
            .faults
            .iter()
            .map(|fault| fault.label.as_str())
            .collect();
        let (labels, servers) = (
            quoted(&labels),
            counted(away.there.len() - away.gone.len(), "server"),
        );
        let name = &plan.services[service].name;
        let verb = match away.faults.len() {
            1 => "it lasts",
            _ => "they last",
        };
        let text = format!(
            "{labels}: while {verb} what is left of `{name}`, {servers}, is asked for {load} of what it can do, so {then}"
        );
        found.push(warning("overloaded-by-fault", text));
    }
}

/// Which servers of a service are away at some time, by which crashes and drains.
struct Away<'p> {
    service: usize,
    faults: Vec<&'p Fault>,
    /// From when to when they are.
    from: Time,
    to: Time,
    /// Those that are there, by their numbers in the service.
    there: Vec<usize>,
    /// Those of them that a fault takes away.
    gone: Vec<usize>,
}

impl<'p> Away<'p> {
    /// Those that are away from a time on; `None` where none is, or none is left, or where an
    /// autoscaler decides how many there are.
    fn at(plan: &'p Blueprint, from: Time, service: usize) -> Option<Away<'p>> {
        let own = &plan.services[service];
        if from >= plan.end || own.groups.iter().any(|group| group.autoscale.is_some()) {
            return None;
        }
        let (numbers, mut to) = (plan.servers_of(service), plan.end);
        let (mut faults, mut gone) = (Vec::new(), Vec::new());
        for fault in &plan.faults {
            let is_away = match fault.effect() {
                Some(Effect::Crash(..)) => true,
                // Who is bound to a server that is drained still comes.
                Some(Effect::Drain) => !own.balancer.sticky.binds(),
                _ => false,
            };
            let Schedule::Once(begins, ends) = fault.schedule else {
                continue;
            };
            let struck = fault.servers().iter().map(|&server| server as usize);
            let here = struck.filter(|server| numbers.contains(server));
            let mut here: Vec<usize> = here.map(|server| server - numbers.start).collect();
            if !is_away || here.is_empty() || begins > from || ends <= from {
                continue;
            }
            // Of those that are drawn nobody knows which: at best the weakest.
            if let Some(only) = fault.only {
                let capacities = own.capacities(plan.mean_size(service));
                here.sort_by(|&one, &other| capacities[one].total_cmp(&capacities[other]));
                here.truncate(only as usize);
            }
            gone.extend(here);
            faults.push(fault);
            to = to.min(ends);
        }
        gone.sort_unstable();
        gone.dedup();
        let is_there = |server: &usize| {
            let group = own.group(*server);
            group.joins < to && group.leaves > from
        };
        let there: Vec<usize> = (0..own.servers.len()).filter(is_there).collect();
        gone.retain(|server| there.contains(server));
        (!gone.is_empty() && gone.len() < there.len()).then_some(Away {
            service,
            faults,
            from,
            to,
            there,
            gone,
        })
    }

    /// What those that are left are asked for, where that is more than they can do and all of them
    /// together could. Of a closed loop nothing is known: the others ask for so much at least.
    fn load_of_the_rest(&self, plan: &Blueprint) -> Option<f64> {
        let rate = |source: &SourcePlan| rate_between(source, self.from, self.to).or(Some(0.0));
        let asked = |plan: &Blueprint| plan.asked(self.service, rate);
        asked(&self.with(plan, &[])).filter(|load| *load < 1.0)?;
        asked(&self.with(plan, &self.gone)).filter(|load| *load >= 1.0 && load.is_finite())
    }

    /// A system whose service has those servers that are there, without some, all the time.
    fn with(&self, plan: &Blueprint, without: &[usize]) -> Blueprint {
        let mut plan = plan.clone();
        let own = &mut plan.services[self.service];
        let kept = |at: &usize| self.there.contains(at) && !without.contains(at);
        let kept: Vec<usize> = (0..own.servers.len()).filter(kept).collect();
        own.servers = kept.iter().map(|&at| own.servers[at].clone()).collect();
        own.members = kept.iter().map(|&at| own.members[at].clone()).collect();
        for group in &mut own.groups {
            (group.joins, group.leaves) = (Time::ZERO, Time::NEVER);
        }
        plan
    }
}

/// Requests a second that come between two times on average; `None` for a closed loop.
fn rate_between(source: &SourcePlan, from: Time, to: Time) -> Option<f64> {
    let until = |end: Time| {
        let time = end - Time::ZERO;
        let rate = (time > Span::ZERO).then(|| source.rate(time));
        rate.map_or(Some(0.0), |rate| rate.map(|rate| rate * time.seconds()))
    };
    Some((until(to)? - until(from)?) / (to - from).seconds())
}
