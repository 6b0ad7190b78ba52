//! Clients: when they ask, who they are, what they ask for.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::super::diagnostic::Diagnostic;
use super::super::file::{
    Clients, File, FromFile, Generated, Population as PopulationFile, Sessions,
};
use super::super::text::Path;
use super::{Check, names, state};
use crate::distribution::{Dist, Quantity, Sampler};
use crate::model::address::{Addresses, Drawn, Proxy};
use crate::model::arrivals::{Arrivals, Rows, Visits};
use crate::model::blueprint::{Patience, Population, SourcePlan, When};
use crate::model::network::{Delay, NOWHERE};
use crate::model::popularity::{Popularity, Skew};
use crate::model::state::SessionPlan;
use crate::units::Share;

/// Sessions that a group of clients holds at most: about 100 bytes each.
const MOST_SESSIONS: u64 = 20_000_000;

/// The groups of clients; `None` in place of one that makes no sense.
pub(super) fn sources(file: &File, check: &mut Check<'_>) -> Vec<Option<SourcePlan>> {
    let list = Path::root().key("clients");
    let names = file.clients.iter().map(|clients| clients.name.as_str());
    names::differ(check, &list, "groups of clients", names);
    file.clients
        .iter()
        .enumerate()
        .map(|(index, clients)| source(file, clients, &list.index(index), check))
        .collect()
}

fn source(file: &File, clients: &Clients, at: &Path, check: &mut Check<'_>) -> Option<SourcePlan> {
    let services = file.services.iter().map(|service| service.name.as_str());
    let service = match &clients.service {
        None => Some(0),
        Some(name) => check.find(&at.key("service"), "service", name, services),
    };
    let size = clients
        .size
        .as_ref()
        .map(|size| sampler(size, &at.key("size"), check));
    let sessions = match &clients.sessions {
        None => None,
        Some(said) => {
            let at = at.key("sessions");
            let known = file.services.iter().map(|service| service.name.as_str());
            let used_by = match &said.at {
                None => service,
                Some(name) => check.find(&at.key("at"), "service", name, known),
            };
            self::sessions(file, said, used_by, &at, check)
        }
    };
    if clients.hostile && clients.sessions.is_some() {
        let message = "what is measured of sessions is of clients that mean no harm; remove `sessions`, or `hostile`";
        check.fault(&at.key("sessions"), "contradiction", message);
    }
    share_of_all(clients.drops_cookies, &at.key("drops-cookies"), check);
    let patience = Patience {
        timeout: clients.timeout,
        waits: (clients.patience.as_ref())
            .and_then(|dist| sampler(dist, &at.key("patience"), check)),
        retry: clients.retry.clone(),
        deadline_travels: clients.deadline_travels,
    };
    if clients.deadline_travels && clients.timeout.is_none() {
        let message = "there is no deadline that could travel";
        let fault = Diagnostic::error(
            "contradiction",
            at.key("deadline-travels"),
            message.to_owned(),
        );
        let help = "give these clients a `timeout`, whose end it is";
        check.faults.push(fault.help(help.to_owned()));
    }
    if let Some(retry) = &clients.retry {
        let at = at.key("retry");
        retry.check(&mut |key, message| check.fault(&at.key(key), "out-of-range", message));
    }
    let to_balancer = delay(file, clients, at, check);
    let (when, population) = when(clients, at, check)?;
    let places = u64::from(population.popularity.count())
        * u64::from(sessions.as_ref().map_or(1, |plan| plan.per_client));
    if places > MOST_SESSIONS {
        let message = format!(
            "these clients may hold {places} sessions; at most {MOST_SESSIONS} are allowed: lower `per-client` or the number of clients"
        );
        check.fault(&at.key("sessions").key("per-client"), "too-large", message);
        return None;
    }
    let keys = clients
        .keys
        .as_ref()
        .map(|keys| Arc::new(Popularity::new(keys.count, keys.popularity)));
    let key_texts = match &when {
        When::Trace(rows) if keys.is_none() => rows.keys.clone(),
        _ => None,
    };
    Some(SourcePlan {
        name: clients.name.clone(),
        service: service?,
        when,
        population: Arc::new(population),
        keys,
        key_texts,
        size: match size {
            None => None,
            Some(size) => Some(size?),
        },
        labels: clients.labels.clone(),
        patience,
        priority: clients.priority,
        sessions,
        drops_cookies: clients.drops_cookies.value(),
        to_balancer: to_balancer?,
        zone: NOWHERE,
        hostile: clients.hostile,
    })
}

fn share_of_all(share: Share, at: &Path, check: &mut Check<'_>) {
    if !(0.0..=1.0).contains(&share.value()) {
        let message = format!("this is {share}; it must be 0% to 100%");
        check.fault(at, "out-of-range", message);
    }
}

/// The sessions of clients whose state this service uses; `None` where something is wrong with it.
fn sessions(
    file: &File,
    said: &Sessions,
    service: Option<usize>,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<SessionPlan> {
    share_of_all(said.writes, &at.key("writes"), check);
    let length = (said.length.as_ref()).map(|dist| sampler(dist, &at.key("length"), check));
    let size = (said.size.as_ref()).map(|dist| sampler(dist, &at.key("size"), check));
    let revoked = said.revoked.as_ref().map(|revoked| {
        let at = at.key("revoked");
        share_of_all(revoked.share, &at.key("share"), check);
        let after = sampler(&revoked.after, &at.key("after"), check)?;
        Some((revoked.share.value(), after))
    });
    Some(SessionPlan {
        idle: said.idle,
        length: length.map_or(Some(None), |length| length.map(Some))?,
        per_client: said.per_client,
        writes: said.writes.value(),
        size: size.map_or(Some(None), |size| size.map(Some))?,
        revoked: revoked.map_or(Some(None), |revoked| revoked.map(Some))?,
        home: state::home(file, service?)?,
        used_by: service?,
    })
}

/// A distribution ready to draw from, or a fault where it stands.
pub(super) fn sampler<Q: Quantity>(
    dist: &Dist<Q>,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<Sampler> {
    let data = &mut *check.data;
    match dist.sampler_with(&mut |file, column| data.numbers(file, column)) {
        Ok(sampler) => Some(sampler),
        Err(error) => {
            check.parameter(at, &error);
            None
        }
    }
}

fn delay(file: &File, clients: &Clients, at: &Path, check: &mut Check<'_>) -> Option<Delay> {
    let network = Path::root().key("network");
    let zone = match &clients.zone {
        None => None,
        Some(name) => {
            check.find_zone(file, &at.key("zone"), name)?;
            file.network.zones.get(name).map(|zone| (name, zone))
        }
    };
    let own = zone.and_then(|(name, zone)| {
        zone.client_to_balancer.as_ref().map(|dist| {
            (
                dist,
                network
                    .key("zones")
                    .key(name.as_str())
                    .key("client-to-balancer"),
            )
        })
    });
    let common = file
        .network
        .client_to_balancer
        .as_ref()
        .map(|dist| (dist, network.key("client-to-balancer")));
    match own.or(common) {
        None => Some(Delay::None),
        Some((dist, place)) => sampler(dist, &place, check).map(Delay::new),
    }
}

/// When a group asks, and who is in it.
fn when(clients: &Clients, at: &Path, check: &mut Check<'_>) -> Option<(When, Population)> {
    let arrivals = at.key("arrivals");
    let said_by_itself = |what: &str, check: &mut Check<'_>| {
        if clients.population.is_some() {
            let message = format!("{what} says itself who its clients are; remove `population`");
            check.fault(&at.key("population"), "contradiction", message);
        }
    };
    match &clients.arrivals {
        Arrivals::Trace(trace) => {
            said_by_itself("a trace", check);
            if trace.columns.key.is_some() && clients.keys.is_some() {
                let message = "a trace with a column of keys says itself what is asked for; remove `keys`, or `columns.key`";
                check.fault(&at.key("keys"), "contradiction", message.to_owned());
            }
            match check.data.trace(trace) {
                Ok(rows) => {
                    let addresses = recorded(clients, &rows, at, check)?;
                    let population = Population {
                        popularity: Popularity::Uniform(rows.clients),
                        addresses,
                        names: rows.names.clone(),
                    };
                    Some((When::Trace(rows), population))
                }
                Err(why) => {
                    check.fault(&arrivals.key("file"), "bad-trace", why);
                    None
                }
            }
        }
        Arrivals::Closed(closed) => {
            said_by_itself("a closed loop", check);
            let think = sampler(&closed.think, &arrivals.key("think"), check)?;
            let users = Generated {
                count: closed.users,
                ..Generated::default()
            };
            Some((When::Closed(think), generate(clients, &users, at, check)?))
        }
        open => {
            let visits = match open {
                Arrivals::Visits(visits) => Some((
                    sampler(&visits.requests, &arrivals.key("requests"), check),
                    sampler(&visits.think, &arrivals.key("think"), check),
                    visits.logs_out,
                )),
                _ => None,
            };
            let population = match &clients.population {
                None => generate(clients, &Generated::default(), at, check),
                Some(PopulationFile::Generated(generated)) => {
                    generate(clients, generated, at, check)
                }
                Some(PopulationFile::File(from)) => {
                    if !clients.proxies.is_empty() {
                        let message =
                            "a file says itself which addresses clients have; remove `proxies`";
                        check.fault(&at.key("proxies"), "contradiction", message.to_owned());
                    }
                    from_file(from, &at.key("population"), check)
                }
            };
            match open.process() {
                Ok(Some(process)) => {
                    let when = match visits {
                        None => When::Process(process),
                        Some((requests, think, logs_out)) => {
                            When::Visits(Visits::new(process, requests?, think?, logs_out))
                        }
                    };
                    Some((when, population?))
                }
                Ok(None) => None,
                Err(error) => {
                    check.parameter(&arrivals, &error);
                    None
                }
            }
        }
    }
}

/// The addresses of the clients of a trace: their own where their names are addresses, made up
/// where not.
fn recorded(clients: &Clients, rows: &Rows, at: &Path, check: &mut Check<'_>) -> Option<Addresses> {
    let known: Option<Vec<IpAddr>> = rows.addresses.iter().copied().collect();
    if let Some(known) = known.filter(|known| !known.is_empty()) {
        if !clients.proxies.is_empty() {
            let message = "the trace says itself which addresses clients have; remove `proxies`";
            check.fault(&at.key("proxies"), "contradiction", message.to_owned());
        }
        return Some(Addresses::Known(known));
    }
    let plan = Generated {
        count: rows.clients,
        ..Generated::default()
    };
    let drawn = drawn(clients, &plan, at, check)?;
    Some(Addresses::Drawn(Drawn {
        known: rows.addresses.clone(),
        ..drawn
    }))
}

fn from_file(from: &FromFile, at: &Path, check: &mut Check<'_>) -> Option<Population> {
    match check.data.addresses(&from.file, &from.column) {
        Ok(counted) => {
            let weights: Vec<f64> = counted.iter().map(|&(_, count)| count).collect();
            let addresses = counted.into_iter().map(|(address, _)| address).collect();
            Some(Population {
                popularity: Popularity::weighted(&weights),
                addresses: Addresses::Known(addresses),
                names: None,
            })
        }
        Err(why) => {
            check.fault(&at.key("file"), "bad-file", why);
            None
        }
    }
}

/// Clients with made-up addresses.
fn generate(
    clients: &Clients,
    plan: &Generated,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<Population> {
    if let Skew::Zipf { exponent } = plan.popularity
        && !exponent.is_finite()
    {
        return None;
    }
    let addresses = drawn(clients, plan, at, check)?;
    Some(Population {
        popularity: Popularity::new(plan.count, plan.popularity),
        addresses: Addresses::Drawn(addresses),
        names: None,
    })
}

/// Addresses for so many clients. `at` is the group's place.
fn drawn(clients: &Clients, plan: &Generated, at: &Path, check: &mut Check<'_>) -> Option<Drawn> {
    let population = at.key("population");
    let network: IpNet = match plan.network.parse() {
        Ok(network) => network,
        Err(_) => {
            let message = format!(
                "`{}` is not a network; write e.g. \"10.0.0.0/8\" or \"2001:db8::/32\"",
                plan.network
            );
            check.fault(&population.key("network"), "bad-network", message);
            return None;
        }
    };
    let width = network.max_prefix_len();
    if !(network.prefix_len()..=width).contains(&plan.subnet) {
        let message = format!(
            "`subnet` is {}; within {network} it must be {} to {width}",
            plan.subnet,
            network.prefix_len()
        );
        check.fault(&population.key("subnet"), "out-of-range", message);
        return None;
    }
    let behind: f64 = clients
        .proxies
        .iter()
        .map(|proxy| proxy.share.value())
        .sum();
    if behind > 1.0 + 1e-9 {
        let message = format!(
            "{:.0}% of the clients are behind proxies; the shares may add up to 100% at most",
            behind * 100.0
        );
        check.fault(&at.key("proxies"), "out-of-range", message);
        return None;
    }
    Some(Drawn {
        count: plan.count,
        known: Vec::new(),
        network,
        subnet: plan.subnet,
        per_subnet: plan.per_subnet,
        proxies: (clients.proxies.iter())
            .map(|proxy| Proxy {
                share: proxy.share.value(),
                addresses: proxy.addresses,
            })
            .collect(),
    })
}
