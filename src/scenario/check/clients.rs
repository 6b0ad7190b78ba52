//! Clients: when they ask, who they are, what they ask for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use rand::Rng as _;

use super::super::file::{Clients, File, FromFile, Generated, Population as PopulationFile};
use super::super::text::Path;
use super::{Check, names};
use crate::dist::{Dist, Quantity, Sampler};
use crate::model::arrivals::Arrivals;
use crate::model::blueprint::{Population, SessionPlan, SourcePlan, When};
use crate::model::network::Delay;
use crate::model::popularity::{Popularity, Skew};
use crate::rng::{Domain, Seeds};

/// The groups of clients; `None` in place of one that makes no sense.
pub(super) fn sources(file: &File, check: &mut Check<'_>) -> Vec<Option<SourcePlan>> {
    let list = Path::root().key("clients");
    let names = file.clients.iter().map(|clients| clients.name.as_str());
    names::differ(check, &list, "groups of clients", names);
    file.clients
        .iter()
        .enumerate()
        .map(|(index, clients)| source(file, clients, index, &list.index(index), check))
        .collect()
}

fn source(
    file: &File,
    clients: &Clients,
    index: usize,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<SourcePlan> {
    let services = file.services.iter().map(|service| service.name.as_str());
    let service = match &clients.service {
        None => Some(0),
        Some(name) => check.find(&at.key("service"), "service", name, services),
    };
    let size = clients
        .size
        .as_ref()
        .map(|size| sampler(size, &at.key("size"), check));
    let sessions = clients.sessions.as_ref().map(|sessions| SessionPlan {
        idle: sessions.idle,
        length: sessions
            .length
            .as_ref()
            .and_then(|length| sampler(length, &at.key("sessions").key("length"), check)),
    });
    let to_balancer = delay(file, clients, at, check);
    let (when, population) = when(clients, index, at, check)?;
    let keys = clients
        .keys
        .as_ref()
        .map(|keys| Arc::new(Popularity::new(keys.count, keys.popularity)));
    Some(SourcePlan {
        name: clients.name.clone(),
        service: service?,
        when,
        population: Arc::new(population),
        keys,
        size: match size {
            None => None,
            Some(size) => Some(size?),
        },
        labels: clients.labels.clone(),
        sessions,
        to_balancer: to_balancer?,
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
            check.find(
                &at.key("zone"),
                "zone",
                name,
                file.network.zones.keys().map(String::as_str),
            )?;
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
fn when(
    clients: &Clients,
    index: usize,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<(When, Population)> {
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
            match check.data.trace(trace) {
                Ok(rows) => {
                    let popularity = Popularity::Uniform(rows.addresses.len() as u32);
                    let addresses = rows.addresses.clone();
                    Some((
                        When::Trace(rows),
                        Population {
                            popularity,
                            addresses,
                        },
                    ))
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
            Some((
                When::Closed(think),
                generate(&users, index, &at.key("population"), check)?,
            ))
        }
        open => {
            let population = match &clients.population {
                None => generate(&Generated::default(), index, &at.key("population"), check),
                Some(PopulationFile::Generated(generated)) => {
                    generate(generated, index, &at.key("population"), check)
                }
                Some(PopulationFile::File(from)) => from_file(from, &at.key("population"), check),
            };
            match open.process() {
                Ok(Some(process)) => Some((When::Process(process), population?)),
                Ok(None) => None,
                Err(error) => {
                    check.parameter(&arrivals, &error);
                    None
                }
            }
        }
    }
}

fn from_file(from: &FromFile, at: &Path, check: &mut Check<'_>) -> Option<Population> {
    match check.data.addresses(&from.file, &from.column) {
        Ok(counted) => {
            let weights: Vec<f64> = counted.iter().map(|&(_, count)| count).collect();
            let addresses = counted.into_iter().map(|(address, _)| address).collect();
            Some(Population {
                popularity: Popularity::weighted(&weights),
                addresses,
            })
        }
        Err(why) => {
            check.fault(&at.key("file"), "bad-file", why);
            None
        }
    }
}

/// Clients with made-up addresses. These do not depend on the seed: a population is part of the scenario.
fn generate(
    plan: &Generated,
    index: usize,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<Population> {
    let network: IpNet = match plan.network.parse() {
        Ok(network) => network,
        Err(_) => {
            let message = format!(
                "`{}` is not a network; write e.g. \"10.0.0.0/8\" or \"2001:db8::/32\"",
                plan.network
            );
            check.fault(&at.key("network"), "bad-network", message);
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
        check.fault(&at.key("subnet"), "out-of-range", message);
        return None;
    }
    if let Skew::Zipf { exponent } = plan.popularity
        && !exponent.is_finite()
    {
        return None;
    }
    let mut rng = Seeds::new(0, 0).stream(Domain::Address, index as u64);
    let base = match network.network() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let host_bits = u32::from(width - plan.subnet);
    let keep = |bits: u32| {
        if bits >= 128 {
            u128::MAX
        } else {
            (1 << bits) - 1
        }
    };
    let mut subnet = 0;
    let addresses = (0..plan.count)
        .map(|client| {
            let within = client % plan.per_subnet;
            if within == 0 {
                let word = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
                subnet = word & keep(u32::from(plan.subnet - network.prefix_len()));
            }
            // Host numbers begin at 1 where the prefix has room for hosts.
            let host = (u128::from(within) + u128::from(host_bits > 0)) & keep(host_bits);
            let bits = base | subnet.checked_shl(host_bits).unwrap_or(0) | host;
            match network {
                IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
                IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
            }
        })
        .collect();
    Some(Population {
        popularity: Popularity::new(plan.count, plan.popularity),
        addresses,
    })
}
