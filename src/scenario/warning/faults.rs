//! What is to be borne in mind of faults: when they happen, and who notices.

use std::collections::BTreeMap;

use super::{Variant, Warning, warning};
use crate::figures::{percent, span};
use crate::model::blueprint::{Blueprint, SourcePlan};
use crate::model::fault::{Effect, Fault, OnTheWay, Place, Schedule, Stage, Strikes};
use crate::prose::{counted, quoted};
use crate::time::{Span, Time};

pub(super) fn faults(plan: &Blueprint, found: &mut Vec<Warning>) {
    let stretch = Span::from_nanos((plan.end - Time::ZERO).nanos() / plan.stretches as u64);
    for fault in &plan.faults {
        // Of one that comes again, the first time, as far as it is known.
        let begins = fault.schedule.begins();
        let lasts = match &fault.schedule {
            Schedule::Once(begins, ends) => ends.since(*begins),
            Schedule::Again { ill, .. } => Span::from_seconds(ill.mean()),
            Schedule::Turn(turn) => match turn.stage {
                Stage::Drain(lasts) | Stage::Down { lasts, .. } => lasts,
                Stage::Released(until) => until.since(turn.earliest),
            },
        };
        if let Some(why) = does_nothing(fault) {
            found.push(warning(
                "without-effect",
                format!("`{}` changes nothing: {why}", fault.label),
            ));
        }
        let at = span(begins - Time::ZERO);
        if begins >= plan.end {
            let end = span(plan.end - Time::ZERO);
            found.push(warning(
                "fault-after-end",
                format!(
                    "`{}` begins at {at}, and the run ends at {end}: it never happens",
                    fault.label
                ),
            ));
            continue;
        }
        if begins < plan.warmup && begins > Time::ZERO {
            found.push(warning(
                "fault-in-warmup",
                format!(
                    "`{}` begins at {at}, within the warm-up of {}",
                    fault.label,
                    span(plan.warmup - Time::ZERO)
                ),
            ));
        }
        if lasts < stretch {
            found.push(warning(
                "fault-too-short",
                format!(
                    "`{}` lasts {}, and a stretch of the timeline {}: it hardly shows there",
                    fault.label,
                    span(lasts),
                    span(stretch)
                ),
            ));
        }
    }
}

/// Why a fault changes nothing while it holds, where it does not.
fn does_nothing(fault: &Fault) -> Option<&'static str> {
    match &fault.strikes {
        Strikes::Servers(_, Effect::Answers { share, .. } | Effect::Hang(share))
        | Strikes::Ways(_, OnTheWay::Lossy(share, _))
            if *share <= 0.0 =>
        {
            Some("its `share` is 0%")
        }
        Strikes::Servers(_, Effect::Slowdown { speed, .. }) if *speed == 1.0 => {
            Some("its `speed` is 100%")
        }
        _ => None,
    }
}

/// Whether a drain keeps new requests away from all servers of a fault for as long as it lasts.
fn is_drained(plan: &Blueprint, fault: &Fault) -> bool {
    let (from, to) = match fault.schedule {
        Schedule::Once(from, to) => (from, to),
        // They are drained before.
        Schedule::Turn(_) => return true,
        Schedule::Again { .. } => return false,
    };
    plan.faults.iter().any(|drain| {
        matches!(drain.effect(), Some(Effect::Drain))
            && drain.only.is_none()
            && matches!(drain.schedule, Schedule::Once(begins, ends) if begins <= from && to <= ends)
            && fault.servers().iter().all(|server| drain.servers().contains(server))
    })
}

/// Crashes that no variant would notice; where one would, what it costs not to may be the question.
pub(super) fn unnoticed(variants: &[Variant], found: &mut Vec<Warning>) {
    let blind = |variant: &Variant| -> Vec<(String, String)> {
        let plan = &variant.blueprint;
        let first = |service: usize| -> usize {
            let before = plan.services[..service].iter();
            before.map(|service| service.servers.len()).sum()
        };
        let mut pairs = Vec::new();
        for (index, service) in plan.services.iter().enumerate() {
            let balancer = &service.balancer;
            let notices = balancer.retry.max > 0 || balancer.strategy.notices_failures();
            let own = first(index)..first(index) + service.servers.len();
            let is_sticky = balancer.sticky.binds();
            let crashes = plan.faults.iter().filter(|fault| {
                matches!(fault.effect(), Some(Effect::Crash(..)))
                    && fault.happens_before(plan.end)
                    // Where nobody is sent there meanwhile, there is nothing to notice.
                    && (is_sticky || !is_drained(plan, fault))
                    && fault.servers().iter().any(|&at| {
                        let at = at as usize;
                        own.contains(&at) && service.group(at - own.start).health_check.is_none()
                    })
            });
            if !notices {
                pairs.extend(crashes.map(|fault| (fault.label.clone(), service.name.clone())));
            }
        }
        pairs
    };
    let Some((first, rest)) = variants.split_first() else {
        return;
    };
    for pair in blind(first) {
        if rest.iter().all(|variant| blind(variant).contains(&pair)) {
            let (fault, service) = pair;
            found.push(warning(
                "crash-unnoticed",
                format!(
                    "`{fault}`: what it strikes of `{service}` has no health checks, and there are no retries, so every request that is sent to a dead server fails"
                ),
            ));
        }
    }
}

/// What a cut, a loss or a server that hangs swallows where nobody has a timeout: whoever waits for
/// it waits for ever.
pub(super) fn swallowed(plan: &Blueprint, found: &mut Vec<Warning>) {
    let called: Vec<usize> = (plan.services.iter())
        .flat_map(|service| service.callees())
        .collect();
    for fault in plan
        .faults
        .iter()
        .filter(|fault| fault.happens_before(plan.end))
    {
        let service_of = |server: u32| {
            (0..plan.services.len()).find(|&at| plan.servers_of(at).contains(&(server as usize)))
        };
        let at_service = |&server: &u32| Some((false, service_of(server)?));
        let mut places: Vec<(bool, usize)> = match (&fault.strikes, &fault.schedule) {
            (Strikes::Ways(ways, OnTheWay::Cut | OnTheWay::Lossy(_, None)), _) => {
                (ways.from.iter().chain(&ways.to))
                    .filter_map(|place| match place {
                        Place::Clients(source) => Some((true, usize::from(*source))),
                        Place::Balancer(service, _) => Some((false, usize::from(*service))),
                        Place::Server(server) => at_service(server),
                    })
                    .collect()
            }
            // What ends lets go of what it has.
            (Strikes::Servers(servers, Effect::Hang(_)), Schedule::Once(_, Time::NEVER)) => {
                servers.iter().filter_map(at_service).collect()
            }
            _ => continue,
        };
        places.sort_unstable();
        places.dedup();
        for (is_clients, at) in places {
            let waits = |source: &SourcePlan| source.patience.timeout.is_none();
            let who = if is_clients {
                waits(&plan.sources[at])
                    .then(|| format!("clients `{}` have", plan.sources[at].name))
            } else {
                let service = &plan.services[at];
                let mut sources = plan.sources.iter().filter(|source| source.service == at);
                let for_ever = service.balancer.timeout.is_none()
                    && (called.contains(&at) || sources.any(waits));
                for_ever.then(|| {
                    format!(
                        "the balancers of `{}` and those who ask them have",
                        service.name
                    )
                })
            };
            if let Some(who) = who {
                found.push(warning(
                    "waits-for-ever",
                    format!("`{}`: {who} no `timeout`, so what it swallows is waited for to the end of the run", fault.label),
                ));
            }
        }
    }
}

/// What the servers that are left are asked for while others are dead or drained, where that is
/// more than they can do: whenever a fault begins, without all that are away then, and of each
/// fault of the scenario the worst. Whoever decides where requests go, more cannot be done.
pub(super) fn overload(plan: &Blueprint, found: &mut Vec<Warning>) {
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
        let (labels, servers) = (quoted(&labels), counted(away.left, "server"));
        let (name, verb) = (
            &plan.services[service].name,
            if labels.contains(", ") {
                "they last"
            } else {
                "it lasts"
            },
        );
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
    /// How many of them a fault takes away.
    gone: Vec<usize>,
    /// How many are left.
    left: usize,
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
        let left = there.len() - gone.len();
        (!gone.is_empty() && left > 0).then_some(Away {
            service,
            faults,
            from,
            to,
            there,
            gone,
            left,
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
