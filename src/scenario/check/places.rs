//! Where things stand, how far apart, and whose balancers are whose.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::file::File;
use super::super::text::Path;
use super::Check;
use super::clients::sampler;
use super::services::MOST_MEMBERS;
use crate::model::balancer::Spread;
use crate::model::blueprint::{Blueprint, Callers, ServicePlan, SourcePlan};
use crate::model::cost::Prices;
use crate::model::network::{Delay, Distances, NOWHERE, Zone};

/// Balancers of one service at most.
const MOST_BALANCERS: usize = 10_000;
/// Connections that all callers of a service open ahead at most.
const MOST_AHEAD: u64 = 1_000_000;

/// Gives each place its zone and each caller its balancers, and says how long ways take.
pub(super) fn places(
    file: &File,
    services: &mut [ServicePlan],
    sources: &mut [Option<SourcePlan>],
    check: &mut Check<'_>,
) -> (Distances, Prices) {
    for index in 0..services.len() {
        own_balancers(file, index, services, sources, check);
    }
    let names = zones(file);
    let is_counted = file.network.cost_per_gib > 0.0
        || file
            .services
            .iter()
            .any(|service| service.carries.is_some());
    if file.network.ways.is_empty() && !is_counted {
        return (Distances::default(), Prices::default());
    }
    let number = |name: Option<&str>| {
        let found = name.and_then(|name| names.iter().position(|&zone| zone == name));
        found.map_or(NOWHERE, |at| at as Zone)
    };
    for (source, clients) in sources.iter_mut().zip(&file.clients) {
        if let Some(source) = source {
            source.zone = number(clients.zone.as_deref());
        }
    }
    for (service, said) in services.iter_mut().zip(&file.services) {
        for group in &mut service.groups {
            let said = said.servers.iter().find(|own| own.name == group.name);
            group.zone = number(said.and_then(|own| own.zone.as_deref()));
        }
        let zones = &service.balancer.zones;
        service.zones = match zones.len() {
            0 => Vec::new(),
            count => (0..usize::from(service.balancer.instances))
                .map(|instance| number(Some(zones[instance % count].as_str())))
                .collect(),
        };
    }
    ways(file, &names, check)
}

/// Refuses more connections that are opened ahead than a run can hold.
pub(super) fn ahead(plan: &Blueprint, check: &mut Check<'_>) {
    for (index, service) in plan.services.iter().enumerate() {
        let sticky = service.balancer.sticky.connection();
        let Some(each) = sticky.and_then(|own| own.preconnect) else {
            continue;
        };
        let clients = plan.sources.iter().filter(|own| own.service == index);
        let clients = clients.map(|own| u64::from(own.population.popularity.count()));
        let groups = plan.services.iter().flat_map(|service| {
            let servers = service.servers.iter();
            servers.map(|server| &service.groups[server.group])
        });
        let servers = groups.filter(|group| group.calls(index)).count() as u64;
        let callers = clients.sum::<u64>() + servers;
        let through = match service.balancer.spread {
            Spread::Request => u64::from(service.balancer.instances),
            Spread::Client | Spread::Caller => 1,
        };
        let all = callers * through * u64::from(each);
        if all > MOST_AHEAD {
            let message = format!(
                "{callers} callers would open {all} connections ahead; at most {MOST_AHEAD} are allowed"
            );
            let at = Path::root().key("services").index(index).key("balancer");
            check.fault(&at.key("sticky").key("preconnect"), "too-large", message);
        }
    }
}

/// All zones in which anything stands, in the order of their names.
pub(super) fn zones(file: &File) -> Vec<&str> {
    let mut names: BTreeSet<&str> = file.network.zones.keys().map(String::as_str).collect();
    names.extend(file.clients.iter().filter_map(|own| own.zone.as_deref()));
    for service in &file.services {
        names.extend(service.servers.iter().filter_map(|own| own.zone.as_deref()));
        names.extend(service.balancer.zones.iter().map(String::as_str));
    }
    names.into_iter().collect()
}

/// How long messages take between zones, and what they cost.
fn ways(file: &File, names: &[&str], check: &mut Check<'_>) -> (Distances, Prices) {
    let mut ways = match file.network.ways.len() {
        0 => Distances::default(),
        _ => Distances::new(names.len()),
    };
    let mut prices = Prices::new(names.len());
    let all = || 0..names.len() as Zone;
    for (from, to) in all().flat_map(|from| all().map(move |to| (from, to))) {
        if from != to {
            prices.set(from, to, file.network.cost_per_gib);
        }
    }
    let list = Path::root().key("network").key("ways");
    let mut said: BTreeSet<(Zone, Zone)> = BTreeSet::new();
    let mut planned = Vec::new();
    for (index, way) in file.network.ways.iter().enumerate() {
        let at = list.index(index);
        let known = || names.iter().copied();
        let from = check.find(&at.key("from"), "zone", &way.from, known());
        let to = check.find(&at.key("to"), "zone", &way.to, known());
        let takes = sampler(&way.takes, &at.key("takes"), check).map(Delay::new);
        let (Some(from), Some(to), Some(takes)) = (from, to, takes) else {
            continue;
        };
        let (from, to) = (from as Zone, to as Zone);
        if !said.insert((from, to)) {
            let message = format!(
                "the way from `{}` to `{}` is listed twice",
                way.from, way.to
            );
            check.fault(&at, "repeated", message);
        }
        planned.push((from, to, takes, way.cost_per_gib));
    }
    for (from, to, takes, cost) in planned {
        let goes_back = !said.contains(&(to, from));
        if goes_back {
            ways.set(to, from, takes.clone());
        }
        ways.set(from, to, takes);
        if let Some(cost) = cost {
            prices.set(from, to, cost);
            if goes_back {
                prices.set(to, from, cost);
            }
        }
    }
    (ways, prices)
}

/// Gives each caller of a service a balancer of its own, where that is said.
fn own_balancers(
    file: &File,
    index: usize,
    services: &mut [ServicePlan],
    sources: &mut [Option<SourcePlan>],
    check: &mut Check<'_>,
) {
    let said = &file.services[index].balancer;
    if said.spread != Spread::Caller {
        return;
    }
    let at = Path::root().key("services").index(index).key("balancer");
    let written = [
        ("instances", said.instances != 1),
        ("zones", !said.zones.is_empty()),
    ];
    for (key, _) in written.into_iter().filter(|(_, written)| *written) {
        let message = format!("each caller has a balancer of its own, which says `{key}` itself");
        let help = format!("remove `{key}`, or `spread = \"caller\"`");
        let fault = Diagnostic::error("contradiction", at.key(key), message);
        check.faults.push(fault.help(help));
    }
    let mut zones: Vec<Option<String>> = Vec::new();
    let mut of_source = vec![Callers::NONE; file.clients.len()];
    for (number, source) in sources.iter_mut().enumerate() {
        if let Some(source) = source.as_mut().filter(|source| source.service == index) {
            of_source[number] = zones.len() as u16;
            source.to_balancer = Delay::None;
            zones.push(file.clients[number].zone.clone());
        }
    }
    let mut of_server = Vec::new();
    for (service, said) in services.iter().zip(&file.services) {
        let calls: Vec<bool> = (service.groups.iter())
            .map(|group| group.calls(index))
            .collect();
        for server in &service.servers {
            if zones.len() >= MOST_BALANCERS || !calls[server.group] {
                let is_over = calls[server.group];
                of_server.push(Callers::NONE);
                if is_over {
                    zones.push(None);
                }
                continue;
            }
            of_server.push(zones.len() as u16);
            let group = &service.groups[server.group].name;
            let said = said.servers.iter().find(|own| own.name == *group);
            zones.push(said.and_then(|own| own.zone.clone()));
        }
    }
    let plan = &mut services[index];
    let members = zones.len() * plan.servers.len();
    if zones.len() > MOST_BALANCERS || members as u64 > MOST_MEMBERS {
        let message = format!(
            "there are {} callers with a balancer each over {} servers; at most {MOST_BALANCERS} balancers and {MOST_MEMBERS} entries are allowed",
            zones.len(),
            plan.servers.len()
        );
        check.fault(&at.key("spread"), "too-large", message);
        return;
    }
    // Where nobody asks, that is said elsewhere.
    plan.balancer.instances = zones.len().max(1) as u16;
    if zones.iter().any(Option::is_some) {
        let named = zones.into_iter().map(Option::unwrap_or_default);
        plan.balancer.zones = named.collect();
    }
    plan.callers = Some(Callers {
        of_source,
        of_server,
    });
}
