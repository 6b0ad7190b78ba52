//! What goes wrong: which servers a fault means, and what it may say.

use std::collections::BTreeSet;

use super::super::file::File;
use super::super::text::Path;
use super::{Check, names};
use crate::model::blueprint::ServicePlan;
use crate::model::fault::{Fault, FaultConfig, InFlight, WhileDown};
use crate::units::Share;

/// The faults of the file, their servers found.
pub(super) fn faults(file: &File, services: &[ServicePlan], check: &mut Check<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let list = Path::root().key("faults");
    // Those without a name go by their index.
    let named: Vec<(usize, &str)> = file
        .faults
        .iter()
        .enumerate()
        .filter_map(|(index, config)| Some((index, config.name()?)))
        .collect();
    names::differ_at(check, &list, "faults", named);
    for (index, config) in file.faults.iter().enumerate() {
        let at = list.index(index);
        check_fault(config, &at, check);
        let servers = struck(config.servers(), services);
        if !servers.is_empty() {
            faults.extend(config.resolve(servers));
        } else if services.iter().any(|service| !service.servers.is_empty()) {
            let known = all_names(services);
            let known = known.iter().map(String::as_str);
            check.find(&at.key("servers"), "server", config.servers(), known);
        }
    }
    faults
}

/// The servers that `target` means, among all servers of the world: a service, one of its groups,
/// one server, or what a pattern with `*` fits.
pub(crate) fn struck(target: &str, services: &[ServicePlan]) -> Vec<u32> {
    let mut servers = Vec::new();
    let mut first = 0;
    for service in services {
        let within = target
            .strip_prefix(service.name.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        for (at, server) in service.servers.iter().enumerate() {
            let group = &service.groups[server.group];
            let is_meant = target == service.name
                || within.is_some_and(|name| name == group.name || name == server.name)
                || target.contains('*') && matches(target, &service.full_name(&server.name));
            if is_meant {
                servers.push(first + at as u32);
            }
        }
        first += service.servers.len() as u32;
    }
    servers
}

/// What a fault may name: services, groups, servers.
fn all_names(services: &[ServicePlan]) -> Vec<String> {
    let within = |service: &ServicePlan| {
        let groups = service.groups.iter().map(|group| &group.name);
        let servers = service.servers.iter().map(|server| &server.name);
        let names: BTreeSet<String> = groups
            .chain(servers)
            .map(|name| service.full_name(name))
            .collect();
        std::iter::once(service.name.clone()).chain(names)
    };
    services.iter().flat_map(within).collect()
}

fn check_speed(refuse: &mut impl FnMut(&str, &str), speed: Share) {
    if !(1e-6..=1e6).contains(&speed.value()) {
        let message = format!("`speed` is {speed}; it must be 0.0001% to 100000000%");
        refuse("speed", &message);
    }
}

fn check_fault(config: &FaultConfig, at: &Path, check: &mut Check<'_>) {
    let mut refuse = |key: &str, message: &str| check.fault(&at.key(key), "out-of-range", message);
    let crash = match config {
        FaultConfig::Crash(crash) => Some((crash.in_flight, crash.answers)),
        FaultConfig::RandomCrashes(random) => Some((random.in_flight, random.answers)),
        FaultConfig::NoisyNeighbours(noisy) => {
            check_speed(&mut refuse, noisy.speed);
            None
        }
        FaultConfig::Slowdown(slow) => {
            check_speed(&mut refuse, slow.speed);
            None
        }
        FaultConfig::Drain(_) => None,
        FaultConfig::Errors(errors) => {
            if errors.share.value() > 1.0 {
                refuse("share", "`share` must be at most 100%");
            }
            None
        }
        FaultConfig::Rolling(rolling) => {
            if rolling.drain.or(rolling.down).is_none() {
                let message = "nothing is done to the servers; give `drain`, `down`, or both";
                refuse("servers", message);
            }
            Some((rolling.in_flight, rolling.answers))
        }
    };
    if crash == Some((InFlight::Finish, WhileDown::Hang)) {
        refuse(
            "in-flight",
            "a machine that hangs cannot finish what it has; use `answers = \"refuse\"`, or `in-flight = \"lost\"`",
        );
    }
}

/// Whether a pattern with `*` for any text fits a name.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(head) else {
        return false;
    };
    (0..=name.len())
        .filter(|&at| name.is_char_boundary(at))
        .any(|at| matches(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        assert!(
            matches("web/*", "web/fast-3") && matches("*/fast-*", "web/fast-3") && matches("*", "")
        );
        assert!(!matches("web/*-4", "web/fast-3") && !matches("web", "web/fast-3"));
    }
}
