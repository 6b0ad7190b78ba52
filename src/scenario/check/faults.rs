//! What goes wrong: whom a fault means, and what it may say.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::file::File;
use super::super::text::Path;
use super::{Check, names};
use crate::model::arrivals::Arrivals;
use crate::model::blueprint::ServicePlan;
use crate::model::fault::{Effect, Fault, Find, Place, Ways};

/// What stands before the name of a zone, where all that is in it is meant.
const ZONE: &str = "zone:";
/// What stands before the name of a service, where its balancers are meant, and of one of these.
const BALANCERS: &str = "balancers:";
/// What stands before the name of a group of clients.
const CLIENTS: &str = "clients:";

/// The faults of the file, their targets found.
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
        config.check(&mut |key, message| {
            let place = key.split('.').fold(at.clone(), |at, key| at.key(key));
            check.fault(&place, "out-of-range", message);
        });
        let resolved = config.resolve(
            index,
            &mut Targets {
                file,
                services,
                at: &at,
                check,
            },
        );
        let keys = resolved.iter().find_map(|fault| match fault.effect()? {
            Effect::Answers { key, .. } => key,
            _ => None,
        });
        let by_text = (file.clients.iter()).any(|clients| {
            clients.keys.is_none() && matches!(clients.arrivals, Arrivals::Trace(_))
        });
        if keys.is_some() && by_text {
            let message =
                "keys of a trace are texts, and a fault cannot name one; give the clients `keys`";
            check.fault(&at.key("key"), "out-of-range", message);
        }
        if let (Some(key), Some(count)) = (keys, most_keys(file))
            && key >= count
        {
            let message = format!("nobody asks for key {key}; there are {count}, numbered from 0");
            check.fault(&at.key("key"), "out-of-range", message);
        }
        faults.extend(resolved);
    }
    faults
}

/// How many keys any group of clients asks for; `None` where one asks for keys that no number
/// bounds.
fn most_keys(file: &File) -> Option<u32> {
    let counts = (file.clients.iter()).map(|clients| clients.keys.as_ref().map(|keys| keys.count));
    counts.collect::<Option<Vec<u32>>>()?.into_iter().max()
}

/// Finds whom a fault means, and finds fault with names that nothing has.
struct Targets<'a, 'c> {
    file: &'a File,
    services: &'a [ServicePlan],
    /// Where the fault stands in the file.
    at: &'a Path,
    check: &'a mut Check<'c>,
}

impl Find for Targets<'_, '_> {
    fn servers(&mut self, name: &str) -> Vec<u32> {
        let servers = struck(name, self.services);
        if servers.is_empty() && self.has_servers() {
            let mut known = server_names(self.services);
            known.extend(self.zones(|place| matches!(place, Place::Server(_))));
            self.unknown("servers", "server", name, &known);
        }
        servers
    }

    fn balancers(&mut self, name: &str) -> Vec<(u16, u16)> {
        let name = name.strip_prefix(BALANCERS).unwrap_or(name);
        let found: Vec<(u16, u16)> = (self.places().into_iter())
            .filter_map(|(place, zone)| match place {
                Place::Balancer(service, number) => {
                    let own = &self.services[usize::from(service)].name;
                    let is_meant = name == own
                        || name == format!("{own}/{}", number + 1)
                        || is_zone(name, zone)
                        || name.contains('*') && matches(name, &format!("{own}/{}", number + 1));
                    is_meant.then_some((service, number))
                }
                _ => None,
            })
            .collect();
        if found.is_empty() {
            let mut known = self.balancer_names();
            known.extend(self.zones(|place| matches!(place, Place::Balancer(..))));
            self.unknown("balancers", "balancer", name, &known);
        }
        found
    }

    fn ways(&mut self, from: &str, to: &str, one_way: bool) -> Option<Ways> {
        let ends = [("from", from), ("to", to)].map(|(key, name)| {
            let places = self.named(name);
            if places.is_empty() && self.has_servers() {
                let known = self.all_names();
                self.unknown(key, "place", name, &known);
            }
            places
        });
        let [from_places, to_places] = ends;
        if from_places.is_empty() || to_places.is_empty() {
            return None;
        }
        let linked = |a: &Place, b: &Place| self.are_linked(*a, *b) || self.are_linked(*b, *a);
        // One server stands for all of its service, and one balancer.
        let [some, others] = [&from_places, &to_places].map(|places| self.some_of(places));
        let is_one = from_places == to_places && from_places.len() == 1;
        if is_one || !(some.iter()).any(|a| others.iter().any(|b| linked(a, b))) {
            let message = format!("nothing is sent between `{from}` and `{to}`");
            let help = "clients send to the balancers of their service, balancers to its servers, and \
                        servers to the balancers of the services that they call, and to each other \
                        what is `replicated`";
            let fault = Diagnostic::error("no-link", self.at.key("to"), message);
            self.check.faults.push(fault.help(help.to_owned()));
            return None;
        }
        Some(Ways {
            from: from_places,
            to: to_places,
            one_way,
        })
    }
}

impl Targets<'_, '_> {
    /// The service of a server.
    fn service_of(&self, server: u32) -> Option<usize> {
        let mut first = 0;
        self.services.iter().position(|service| {
            first += service.servers.len() as u32;
            server < first
        })
    }

    /// Of the servers of each service one, and of its balancers one.
    fn some_of(&self, places: &BTreeSet<Place>) -> Vec<Place> {
        let mut seen = BTreeSet::new();
        let is_first = |place: &&Place| {
            seen.insert(match place {
                Place::Clients(group) => (0, usize::from(*group)),
                Place::Balancer(service, _) => (1, usize::from(*service)),
                Place::Server(server) => (2, self.service_of(*server).unwrap_or(usize::MAX)),
            })
        };
        places.iter().filter(is_first).copied().collect()
    }

    /// Whether requests go from the one place to the other.
    fn are_linked(&self, from: Place, to: Place) -> bool {
        let service_of = |server: u32| self.service_of(server);
        match (from, to) {
            (Place::Clients(group), Place::Balancer(service, _)) => {
                let asks = self.file.clients[usize::from(group)].service.as_ref();
                let asked = &self.services[usize::from(service)].name;
                asks.map_or(service == 0, |name| name == asked)
            }
            (Place::Balancer(service, _), Place::Server(server)) => {
                service_of(server) == Some(usize::from(service))
            }
            (Place::Server(server), Place::Balancer(service, _)) => service_of(server)
                .is_some_and(|at| self.services[at].callees().contains(&usize::from(service))),
            // What copies of states are told.
            (Place::Server(one), Place::Server(other)) => service_of(one)
                .filter(|&at| self.services[at].keeps.copies.is_some())
                .is_some_and(|at| service_of(other) == Some(at)),
            _ => false,
        }
    }

    fn has_servers(&self) -> bool {
        self.services
            .iter()
            .any(|service| !service.servers.is_empty())
    }

    fn unknown(&mut self, key: &str, what: &str, name: &str, known: &[String]) {
        let zones: Vec<&str> = (known.iter().map(String::as_str))
            .filter(|known| known.starts_with(ZONE))
            .collect();
        let at = self.at.key(key);
        // Of many names nobody sees the zones, which are the last.
        if name.starts_with(ZONE) && !zones.is_empty() {
            self.check.find(&at, what, name, zones);
        } else {
            let known = known.iter().map(String::as_str);
            self.check.find(&at, what, name, known);
        }
    }

    /// All places, and the zones of those that have one.
    fn places(&self) -> Vec<(Place, Option<&str>)> {
        let mut places = Vec::new();
        for (group, clients) in (0u16..).zip(&self.file.clients) {
            places.push((Place::Clients(group), clients.zone.as_deref()));
        }
        let mut first = 0;
        for (index, service) in (0u16..).zip(self.services) {
            let zones = &service.balancer.zones;
            for number in 0..service.balancer.instances {
                let zone =
                    (!zones.is_empty()).then(|| zones[usize::from(number) % zones.len()].as_str());
                places.push((Place::Balancer(index, number), zone));
            }
            for (at, member) in (0u32..).zip(service.members.iter()) {
                places.push((Place::Server(first + at), member.zone.as_deref()));
            }
            first += service.servers.len() as u32;
        }
        places
    }

    /// The places that a name means: servers, balancers, clients, or all in a zone.
    fn named(&self, name: &str) -> BTreeSet<Place> {
        let places = self.places().into_iter();
        if let Some(group) = name.strip_prefix(CLIENTS) {
            let fits = |place: &Place| match place {
                Place::Clients(at) => matches(group, &self.file.clients[usize::from(*at)].name),
                _ => false,
            };
            return places.map(|(place, _)| place).filter(fits).collect();
        }
        if let Some(balancer) = name.strip_prefix(BALANCERS) {
            let fits = |place: &Place| match place {
                Place::Balancer(service, number) => {
                    let own = &self.services[usize::from(*service)].name;
                    balancer == own || matches(balancer, &format!("{own}/{}", number + 1))
                }
                _ => false,
            };
            return places.map(|(place, _)| place).filter(fits).collect();
        }
        if name.starts_with(ZONE) {
            let within = places.filter(|(_, zone)| is_zone(name, *zone));
            return within.map(|(place, _)| place).collect();
        }
        struck(name, self.services)
            .into_iter()
            .map(Place::Server)
            .collect()
    }

    /// The zones in which there is such a place, as a fault names them.
    fn zones(&self, fits: fn(&Place) -> bool) -> BTreeSet<String> {
        let places = self.places().into_iter();
        places
            .filter_map(|(place, zone)| fits(&place).then_some(format!("{ZONE}{}", zone?)))
            .collect()
    }

    fn balancer_names(&self) -> Vec<String> {
        let of = |service: &ServicePlan| {
            let name = service.name.clone();
            let numbers =
                (1..=service.balancer.instances).map(move |number| format!("{name}/{number}"));
            std::iter::once(service.name.clone()).chain(numbers)
        };
        self.services.iter().flat_map(of).collect()
    }

    fn all_names(&self) -> Vec<String> {
        let mut known = server_names(self.services);
        let balancers = self.balancer_names().into_iter();
        known.extend(balancers.map(|name| format!("{BALANCERS}{name}")));
        let clients = self.file.clients.iter();
        known.extend(clients.map(|clients| format!("{CLIENTS}{}", clients.name)));
        known.extend(self.zones(|_| true));
        known
    }
}

/// Whether a name stands for this zone.
fn is_zone(name: &str, zone: Option<&str>) -> bool {
    name.strip_prefix(ZONE)
        .is_some_and(|name| Some(name) == zone)
}

/// The servers that `target` means, among all servers of the world: a service, one of its groups,
/// one server, all in a zone, or what a pattern with `*` fits.
fn struck(target: &str, services: &[ServicePlan]) -> Vec<u32> {
    let mut servers = Vec::new();
    let mut first = 0;
    for service in services {
        let within = target
            .strip_prefix(service.name.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        for (at, server) in service.servers.iter().enumerate() {
            let group = &service.groups[server.group];
            let is_meant = target == service.name
                || is_zone(target, service.members[at].zone.as_deref())
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

/// What a fault may name as servers: services, groups, servers.
fn server_names(services: &[ServicePlan]) -> Vec<String> {
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
