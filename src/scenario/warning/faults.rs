//! What is to be borne in mind of faults: when they happen, and who notices.

use std::collections::BTreeSet;

use super::{Variant, Warning, warning};
use crate::figures::span;
use crate::model::blueprint::{Blueprint, SourcePlan};
use crate::model::fault::{Effect, Fault, OnTheWay, Place, Schedule, Stage, Strikes};
use crate::model::step::StepKind;
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

/// Who waits for what is lost on its way, or swallowed at its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Waiting {
    /// Clients of this source, for the balancers of the service that they ask.
    Clients(usize),
    /// Servers of the first service, for the balancers of the second, which they call.
    Callers(usize, usize),
    /// Balancers of this service, for its servers.
    Balancers(usize),
}

/// What a cut, a loss or a server that hangs swallows where nobody has a timeout: whoever waits for
/// it waits for ever.
pub(super) fn swallowed(plan: &Blueprint, found: &mut Vec<Warning>) {
    // Callers and callees, where a call has no timeout.
    let calls = plan.services.iter().enumerate().flat_map(|(at, service)| {
        let steps = service.groups.iter().flat_map(|group| &group.steps);
        let callees = steps.flat_map(|step| match &step.kind {
            StepKind::Call(call) if call.timeout.is_none() => call.services.as_slice(),
            _ => &[],
        });
        callees.map(move |&callee| (at, callee))
    });
    let patient: BTreeSet<(usize, usize)> = calls.collect();
    for fault in (plan.faults.iter()).filter(|fault| fault.happens_before(plan.end)) {
        let places: BTreeSet<Waiting> = match (&fault.strikes, &fault.schedule) {
            (Strikes::Ways(ways, OnTheWay::Cut | OnTheWay::Lossy(_, None)), _) => {
                let ends = [(&ways.from, &ways.to), (&ways.to, &ways.from)];
                let across = ends
                    .into_iter()
                    .flat_map(|(near, far)| across(plan, near, far));
                across.collect()
            }
            // What ends lets go of what it has.
            (Strikes::Servers(servers, Effect::Hang(_)), Schedule::Once(_, Time::NEVER)) => {
                let services = servers
                    .iter()
                    .filter_map(|&server| service_of(plan, server));
                services.map(Waiting::Balancers).collect()
            }
            _ => continue,
        };
        for place in places {
            if let Some(who) = for_ever(plan, &patient, place) {
                found.push(warning(
                    "waits-for-ever",
                    format!("`{}`: {who} no `timeout`, so what it swallows is waited for to the end of the run", fault.label),
                ));
            }
        }
    }
}

fn service_of(plan: &Blueprint, server: u32) -> Option<usize> {
    (0..plan.services.len()).find(|&at| plan.servers_of(at).contains(&(server as usize)))
}

/// Who on this side waits for somebody on the far side.
fn across(plan: &Blueprint, near: &BTreeSet<Place>, far: &BTreeSet<Place>) -> BTreeSet<Waiting> {
    let (mut balancers, mut servers) = (BTreeSet::new(), BTreeSet::new());
    for place in far {
        match place {
            Place::Clients(_) => {}
            Place::Balancer(service, _) => {
                balancers.insert(usize::from(*service));
            }
            Place::Server(server) => servers.extend(service_of(plan, *server)),
        }
    }
    let mut waiting = BTreeSet::new();
    for place in near {
        match place {
            Place::Clients(source) => {
                let source = usize::from(*source);
                let asks = balancers.contains(&plan.sources[source].service);
                waiting.extend(asks.then_some(Waiting::Clients(source)));
            }
            Place::Balancer(service, _) => {
                let service = usize::from(*service);
                let asks = servers.contains(&service);
                waiting.extend(asks.then_some(Waiting::Balancers(service)));
            }
            Place::Server(server) => {
                let own = service_of(plan, *server);
                let called = own.into_iter().flat_map(|own| {
                    let all = balancers.iter();
                    all.map(move |&callee| Waiting::Callers(own, callee))
                });
                waiting.extend(called);
            }
        }
    }
    waiting
}

/// Who waits without an end, where somebody does.
fn for_ever(
    plan: &Blueprint,
    patient: &BTreeSet<(usize, usize)>,
    place: Waiting,
) -> Option<String> {
    let waits = |source: &SourcePlan| source.patience.timeout.is_none();
    let name = |at: usize| &plan.services[at].name;
    match place {
        Waiting::Clients(source) => {
            let source = &plan.sources[source];
            waits(source).then(|| format!("clients `{}` have", source.name))
        }
        Waiting::Callers(from, to) => patient
            .contains(&(from, to))
            .then(|| format!("the calls of `{}` to `{}` have", name(from), name(to))),
        Waiting::Balancers(at) => {
            let mut sources = plan.sources.iter().filter(|source| source.service == at);
            let is_called = patient.iter().any(|&(_, callee)| callee == at);
            let is_patient = plan.services[at].balancer.timeout.is_none();
            (is_patient && (is_called || sources.any(waits))).then(|| {
                format!(
                    "the balancers of `{}` and those who ask them have",
                    name(at)
                )
            })
        }
    }
}
