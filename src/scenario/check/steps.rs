//! What servers do for a request after their own work: whom they call.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::diagnostic::Diagnostic;
use super::super::file::{Callees, File, Servers, Service, Step};
use super::super::text::Path;
use super::Check;
use super::clients::sampler;
use crate::model::blueprint::{Blueprint, ServicePlan, SourcePlan};
use crate::model::discipline::Standing;
use crate::model::network::Delay;
use crate::model::step::{CallPlan, Only, StepKind, StepPlan};

/// Calls of one step at most, all at the same time.
const MOST_CALLS: usize = 100_000;

/// The steps of a group of servers: its own, or those of its service.
pub(super) fn steps(
    file: &File,
    service: (&Service, &Path),
    group: (&Servers, &Path),
    check: &mut Check<'_>,
) -> Option<Vec<StepPlan>> {
    let ((service, at_service), (group, at_group)) = (service, group);
    let (list, place) = match &group.steps {
        Some(own) => (own, at_group.key("steps")),
        None => (&service.steps, at_service.key("steps")),
    };
    let known = check.faults.len();
    let routes = routes(file, (service, at_service), (group, at_group), check);
    let planned = list.iter().enumerate().map(|(index, step)| {
        let at = place.index(index);
        let kind = kind(file, group, step, &at, check);
        let probability = step.probability.value();
        if !(0.0..=1.0).contains(&probability) {
            let message = format!(
                "`probability` is {}; it must be 0% to 100%",
                step.probability
            );
            check.fault(&at.key("probability"), "out-of-range", message);
        }
        Some(StepPlan {
            kind: kind?,
            repeat: step.repeat,
            only: Only::Drawn,
            sources: match step.labels.is_empty() {
                true => None,
                false => Some(labelled(file, &step.labels, &at.key("labels"), check)),
            },
            share: 1.0,
            probability,
        })
    });
    let mut planned: Vec<_> = planned.collect();
    planned.extend(routes);
    // What is wrong with the steps of a service is told once, and not for each of its groups.
    for fault in check.faults.split_off(known) {
        if !check.faults.contains(&fault) {
            check.faults.push(fault);
        }
    }
    planned.into_iter().collect()
}

/// The groups of clients whose requests carry these labels, by number; that there are none is a
/// fault.
fn labelled(
    file: &File,
    labels: &BTreeMap<String, String>,
    at: &Path,
    check: &mut Check<'_>,
) -> Arc<[bool]> {
    let of: Arc<[bool]> = (file.clients.iter())
        .map(|clients| carries(&clients.labels, labels))
        .collect();
    if !of.contains(&true) {
        let said: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key} = {value:?}"))
            .collect();
        let message = format!("no clients are labelled with {}", said.join(", "));
        let mut known: Vec<String> = (file.clients.iter())
            .flat_map(|clients| &clients.labels)
            .map(|(key, value)| format!("{key} = {value:?}"))
            .collect();
        known.sort();
        known.dedup();
        let help = match known.as_slice() {
            [] => "give `labels` to groups of `[[clients]]`".to_owned(),
            known => format!("they are labelled with {}", known.join(", ")),
        };
        let fault = Diagnostic::error("unknown-label", at, message);
        check.faults.push(fault.help(help));
    }
    of
}

/// Whether these labels are such as asked for; a value that ends in `*` asks for a beginning.
fn carries(own: &BTreeMap<String, String>, asked: &BTreeMap<String, String>) -> bool {
    asked.iter().all(|(key, value)| {
        own.get(key)
            .is_some_and(|own| match value.strip_suffix('*') {
                Some(beginning) => own.starts_with(beginning),
                None => own == value,
            })
    })
}

/// What a group of servers sends on, as steps: each request takes one of them.
fn routes(
    file: &File,
    (service, at_service): (&Service, &Path),
    (group, at_group): (&Servers, &Path),
    check: &mut Check<'_>,
) -> Vec<Option<StepPlan>> {
    let (list, place) = match &group.routes {
        Some(own) => (own, at_group.key("routes")),
        None => (&service.routes, at_service.key("routes")),
    };
    let mut left = vec![true; file.clients.len()];
    let mut steps = Vec::new();
    for (index, route) in list.iter().enumerate() {
        let at = place.index(index);
        if !route.labels.is_empty() {
            labelled(file, &route.labels, &at.key("labels"), check);
        }
        let takes = (left.iter().zip(&file.clients))
            .map(|(&left, clients)| left && carries(&clients.labels, &route.labels));
        let sources: Arc<[bool]> = takes.collect();
        for (left, taken) in left.iter_mut().zip(sources.iter()) {
            *left &= !taken;
        }
        let known = file.services.iter().map(|service| service.name.as_str());
        let to = check.find(&at.key("to"), "service", &route.to, known);
        let Some((to, to_balancer)) = to.zip(delay(file, group, check)) else {
            steps.push(None);
            continue;
        };
        let call = CallPlan {
            services: vec![to],
            wait_for: 1,
            optional: false,
            blocking: false,
            at_once: None,
            timeout: route.timeout,
            to_balancer,
            access: None,
            compares: false,
        };
        steps.push(Some(StepPlan {
            kind: StepKind::Call(call),
            repeat: 1,
            only: Only::Drawn,
            sources: (!sources.iter().all(|&takes| takes)).then_some(sources),
            share: 1.0,
            probability: 1.0,
        }));
    }
    steps
}

/// Refuses routes that leave requests over, and those that no request takes.
pub(super) fn routed(file: &File, blueprint: &Blueprint, check: &mut Check<'_>) {
    let visits: Vec<Vec<f64>> = (0..blueprint.sources.len())
        .map(|source| blueprint.visits(source))
        .collect();
    for (index, service) in file.services.iter().enumerate() {
        let at = Path::root().key("services").index(index);
        let come: Vec<usize> = (0..visits.len())
            .filter(|&s| visits[s][index] > 0.0)
            .collect();
        // What only other variants ask is looked at there.
        if come.is_empty() {
            continue;
        }
        for (number, group) in service.servers.iter().enumerate() {
            let (list, at) = match &group.routes {
                Some(own) => (own, at.key("servers").index(number).key("routes")),
                None if number == 0 => (&service.routes, at.key("routes")),
                None => continue,
            };
            if list.is_empty() {
                continue;
            }
            let takes = |source: usize| {
                let labels = &file.clients[source].labels;
                list.iter().position(|route| carries(labels, &route.labels))
            };
            for &source in come.iter().filter(|&&source| takes(source).is_none()) {
                let message = format!(
                    "requests of `{}` come here, and no route takes them",
                    file.clients[source].name
                );
                let help = "give it a last route without `labels`, which takes what is left";
                let fault = Diagnostic::error("no-route", &at, message);
                check.faults.push(fault.help(help.to_owned()));
            }
            for route in 0..list.len() {
                if !come.iter().any(|&source| takes(source) == Some(route)) {
                    let message =
                        "no request takes this route: routes before it take all that it fits";
                    check.fault(&at.index(route), "idle-route", message);
                }
            }
        }
    }
}

fn kind(
    file: &File,
    group: &Servers,
    step: &Step,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<StepKind> {
    match (&step.work, &step.call) {
        (Some(work), None) => {
            let said = [
                ("copies", step.copies != 1),
                ("wait-for", step.wait_for.is_some()),
                ("optional", step.optional),
                ("blocking", step.blocking.is_some()),
                ("at-once", step.at_once.is_some()),
                ("timeout", step.timeout.is_some()),
            ];
            for (key, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
                let message = format!("`{key}` is of calls, and this step is work; remove it");
                check.fault(&at.key(key), "contradiction", message);
            }
            sampler(work, &at.key("work"), check).map(StepKind::Work)
        }
        (None, Some(callees)) => call(file, group, (step, callees), at, check).map(StepKind::Call),
        (both, _) => {
            let found = if both.is_some() {
                "has both `work` and `call`"
            } else {
                "has neither `work` nor `call`"
            };
            check.fault(
                at,
                "contradiction",
                format!("a step is either work or a call; this one {found}"),
            );
            None
        }
    }
}

fn call(
    file: &File,
    group: &Servers,
    (step, callees): (&Step, &Callees),
    at: &Path,
    check: &mut Check<'_>,
) -> Option<CallPlan> {
    let place = at.key("call");
    let mut services = Vec::new();
    for (index, name) in callees.names().iter().enumerate() {
        let known = file.services.iter().map(|service| service.name.as_str());
        let here = match callees {
            Callees::One(_) => place.clone(),
            Callees::Several(_) => place.index(index),
        };
        let service = check.find(&here, "service", name, known)?;
        services.extend((0..step.copies).map(|_| service));
    }
    if services.is_empty() || services.len() > MOST_CALLS {
        let message = format!(
            "these are {} calls at the same time; there must be 1 to {MOST_CALLS}",
            services.len()
        );
        check.fault(&place, "out-of-range", message);
        return None;
    }
    let all = services.len() as u32;
    let wait_for = step.wait_for.unwrap_or(all);
    if wait_for > all {
        let calls = if all == 1 {
            "is 1 call"
        } else {
            &format!("are {all} calls")
        };
        let message = format!("`wait-for` is {wait_for}, and there {calls} to wait for");
        check.fault(&at.key("wait-for"), "out-of-range", message);
    }
    let shares = group.discipline.standing() == Standing::Nowhere;
    if shares && step.blocking == Some(true) {
        let message = "under `processor-sharing` no request has a slot of its own that it could keep; remove `blocking`";
        check.fault(&at.key("blocking"), "contradiction", message);
    }
    Some(CallPlan {
        services,
        wait_for,
        optional: step.optional,
        blocking: step.blocking.unwrap_or(!shares),
        at_once: step.at_once,
        timeout: step.timeout,
        to_balancer: delay(file, group, check)?,
        access: None,
        compares: false,
    })
}

/// How long a call takes from these servers to a balancer.
pub(super) fn delay(file: &File, group: &Servers, check: &mut Check<'_>) -> Option<Delay> {
    let network = Path::root().key("network");
    let zone = group
        .zone
        .as_ref()
        .and_then(|name| Some((name, file.network.zones.get(name)?)));
    let own = zone.and_then(|(name, zone)| {
        let at = network
            .key("zones")
            .key(name.as_str())
            .key("server-to-balancer");
        zone.server_to_balancer.as_ref().map(|dist| (dist, at))
    });
    let all = file.network.server_to_balancer.as_ref();
    match own.or(all.map(|dist| (dist, network.key("server-to-balancer")))) {
        None => Some(Delay::None),
        Some((dist, at)) => sampler(dist, &at, check).map(Delay::new),
    }
}

/// Refuses services that call each other in a circle, and notes those that nobody asks: where that
/// is so in all variants, they are refused, too.
pub(super) fn reach(
    file: &File,
    services: &[ServicePlan],
    sources: &[Option<SourcePlan>],
    check: &mut Check<'_>,
) {
    let callees: Vec<Vec<usize>> = services.iter().map(ServicePlan::callees).collect();
    let list = Path::root().key("services");
    for first in 0..services.len() {
        if let Some(circle) = circle(first, &callees) {
            let names: Vec<String> = circle
                .iter()
                .map(|&at| format!("`{}`", services[at].name))
                .collect();
            let message = format!(
                "`{}` calls itself ({}): a request would never be answered",
                services[first].name,
                names.join(" calls ")
            );
            check.fault(&list.index(first).key("name"), "circle", message);
        }
    }
    // Where steps or clients are at fault, whom they ask is not known.
    let is_whole = |(plan, said): (&ServicePlan, &Service)| plan.groups.len() == said.servers.len();
    if !services.iter().zip(&file.services).all(is_whole) {
        return;
    }
    let Some(asked) = sources
        .iter()
        .map(|source| Some(source.as_ref()?.service))
        .collect::<Option<Vec<usize>>>()
    else {
        return;
    };
    let mut reached = vec![false; services.len()];
    let mut open = asked;
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            open.extend(&callees[at]);
        }
    }
    for (index, service) in services.iter().enumerate() {
        if reached[index] {
            check.data.asked.insert(service.name.clone());
            continue;
        }
        let message = format!(
            "nobody asks `{}`: no clients, and no service that clients reach",
            service.name
        );
        let at = list.index(index).key("name");
        let idle = Diagnostic::error("not-reached", &at, message);
        check.data.idle.insert(service.name.clone(), idle);
    }
}

/// The way from a service back to itself, if there is one and no earlier service stands on it: each
/// circle is told once.
fn circle(first: usize, callees: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut from: Vec<Option<usize>> = vec![None; callees.len()];
    let mut open = vec![first];
    while let Some(at) = open.pop() {
        for &next in &callees[at] {
            if next == first {
                let back = |&at: &usize| if at == first { None } else { from[at] };
                let mut way = vec![first];
                way.extend(std::iter::successors(Some(at), back));
                way.reverse();
                return Some(way);
            }
            if next > first && from[next].is_none() {
                from[next] = Some(at);
                open.push(next);
            }
        }
    }
    None
}
