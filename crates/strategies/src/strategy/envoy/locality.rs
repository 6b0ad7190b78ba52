//! How load is dealt out to zones: to the own zone first, as far as it has hosts, or by weights of
//! zones. (Envoy 1.40, source/extensions/load_balancing_policies/common/load_balancer_impl.cc,
//! `ZoneAwareLoadBalancerBase`, and source/common/upstream/upstream_impl.cc, `HostSetImpl`)

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edf::Edf;
use super::schedule::STARTS;
use crate::strategy::{Context, MemberId};
use lbsim_engine::rng::{Rng, below, number_below};

/// How load is dealt out to the zones of hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Locality {
    /// As much as its hosts can take stays in the proxy's own zone; the rest goes where hosts are
    /// left over. Only hosts of the first priority are dealt with so.
    ZoneAware(ZoneAware),
    /// Zones take turns by weight, those with fewer healthy hosts more rarely.
    LocalityWeighted(LocalityWeighted),
}

/// Settings of `zone-aware`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ZoneAware {
    /// The zone of each proxy (of each host of the local cluster). Balancer 1 of the service is the
    /// first of them, and so on, from the start again where there are more balancers.
    pub local_cluster: Vec<String>,
    /// The percentage of requests that are dealt with so.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub routing_enabled: f64,
    /// With fewer healthy hosts zones do not matter.
    pub min_cluster_size: u64,
    /// Whether requests fail in a panic, instead of going to any host.
    pub fail_traffic_on_panic: bool,
    /// Whether all stays in the own zone while a host there is healthy.
    pub force_locality_direct_routing: bool,
}

impl Default for ZoneAware {
    fn default() -> ZoneAware {
        ZoneAware {
            local_cluster: Vec::new(),
            routing_enabled: 100.0,
            min_cluster_size: 6,
            fail_traffic_on_panic: false,
            force_locality_direct_routing: false,
        }
    }
}

/// Settings of `locality-weighted`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LocalityWeighted {
    /// The weight of each zone, by its name; a zone that is left out gets nothing.
    pub weights: BTreeMap<String, u32>,
}

/// The zones of hosts, and what each takes.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    /// By member: its zone, as an index; empty where zones do not matter.
    of: Vec<usize>,
    /// Their names: the own one first, the others in order.
    names: Vec<String>,
    dealing: Dealing,
}

#[derive(Clone, Debug)]
enum Dealing {
    None,
    Aware {
        config: ZoneAware,
        /// Whether the first of the zones is the proxy's own.
        has_own: bool,
        routing: Routing,
    },
    Weighted {
        /// By zone.
        weights: Vec<u32>,
        seed: u32,
        /// By priority: whose turn it is, and the weights of zones by their health.
        turns: Vec<(Edf, Vec<f64>)>,
    },
}

/// Where requests to the first priority go.
#[derive(Clone, Debug, PartialEq)]
enum Routing {
    /// To any zone.
    None,
    /// To the own zone.
    Direct,
    /// To the own zone so many of 10,000; the others by what zones have left over: sums up to each
    /// zone.
    Residual { own: u64, left_over: Vec<u64> },
}

/// Shares are counted in so many parts.
const PARTS: u64 = 10_000;

impl Zones {
    pub(super) fn new(config: Option<&Locality>, cx: &mut Context<'_>) -> Zones {
        let Some(config) = config else {
            return Zones {
                of: Vec::new(),
                names: Vec::new(),
                dealing: Dealing::None,
            };
        };
        let own = match config {
            Locality::ZoneAware(config) => {
                let proxies = config.local_cluster.len().max(1);
                config.local_cluster.get(cx.balancer as usize % proxies)
            }
            Locality::LocalityWeighted(_) => None,
        };
        let zone = |member: &crate::strategy::Member| member.zone.clone().unwrap_or_default();
        let members = cx.pool.members();
        let mut names: Vec<String> = members.iter().map(zone).collect();
        names.sort_by(|one, other| (Some(one) != own, one).cmp(&(Some(other) != own, other)));
        names.dedup();
        let index = |member| {
            names
                .iter()
                .position(|name| *name == zone(member))
                .unwrap_or(0)
        };
        Zones {
            of: members.iter().map(index).collect(),
            dealing: match config {
                Locality::ZoneAware(config) => Dealing::Aware {
                    config: config.clone(),
                    has_own: own.is_some() && names.first() == own,
                    routing: Routing::None,
                },
                Locality::LocalityWeighted(config) => {
                    let weight = |name| config.weights.get(name).copied().unwrap_or(0);
                    Dealing::Weighted {
                        weights: names.iter().map(weight).collect(),
                        seed: number_below(cx.rng, 1 << 32) as u32,
                        turns: Vec::new(),
                    }
                }
            },
            names,
        }
    }

    /// How many there are; none where zones do not matter.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The zone of a member, as an index.
    pub(super) fn of(&self, member: MemberId) -> Option<usize> {
        self.of.get(member as usize).copied()
    }

    /// Whether requests fail in a panic.
    pub(super) fn fails_on_panic(&self) -> bool {
        matches!(&self.dealing, Dealing::Aware { config, .. } if config.fail_traffic_on_panic)
    }

    /// Deals the load of a priority out to zones, given how many hosts each has there and how many
    /// of them are healthy.
    pub(super) fn deal_out(
        &mut self,
        level: usize,
        hosts: &[(usize, usize)],
        overprovisioning: u32,
    ) {
        match &mut self.dealing {
            Dealing::None => {}
            Dealing::Aware {
                config,
                has_own,
                routing,
            } => {
                if level == 0 {
                    *routing = route(config, *has_own, &self.names, hosts);
                }
            }
            Dealing::Weighted {
                weights,
                seed,
                turns,
            } => {
                let effective = |(&weight, &(own, healthy)): (&u32, &(usize, usize))| {
                    let ratio = healthy as f64 / own.max(1) as f64;
                    f64::from(weight) * (f64::from(overprovisioning) / 100.0 * ratio).min(1.0)
                };
                let effective: Vec<f64> = weights.iter().zip(hosts).map(effective).collect();
                let zones = (0..).zip(effective.iter().copied());
                let taking: Vec<(MemberId, f64)> = zones.filter(|&(_, w)| w > 0.0).collect();
                let anew = (Edf::after(*seed % STARTS, &taking), effective);
                match turns.get_mut(level) {
                    Some(turns) => *turns = anew,
                    None => turns.push(anew),
                }
            }
        }
    }

    /// The zone that a request to a priority goes to; none for any.
    pub(super) fn choose(&mut self, level: usize, rng: &mut Rng) -> Option<usize> {
        match &mut self.dealing {
            Dealing::None => None,
            Dealing::Weighted { turns, .. } => {
                let (turns, weights) = turns.get_mut(level)?;
                let zone = turns.pick(|zone| weights[zone as usize])?;
                Some(zone as usize)
            }
            Dealing::Aware {
                config, routing, ..
            } => {
                if level != 0 || *routing == Routing::None {
                    return None;
                }
                let enabled = config.routing_enabled.round() as usize;
                if enabled < 100 && below(rng, 100) >= enabled {
                    return None;
                }
                match routing {
                    Routing::Residual { own, left_over } => {
                        if number_below(rng, PARTS) < *own {
                            return Some(0);
                        }
                        let all = left_over.last().copied().unwrap_or(0);
                        if all == 0 {
                            return Some(below(rng, left_over.len()));
                        }
                        let drawn = number_below(rng, all);
                        Some(left_over.partition_point(|&up_to| up_to <= drawn))
                    }
                    _ => Some(0),
                }
            }
        }
    }

    /// The share of each zone where load goes by weights of zones.
    pub(super) fn weight_shares(&self) -> Option<Vec<f64>> {
        let Dealing::Weighted { weights, .. } = &self.dealing else {
            return None;
        };
        let total: f64 = weights.iter().copied().map(f64::from).sum();
        Some(
            weights
                .iter()
                .map(|&weight| f64::from(weight) / total)
                .collect(),
        )
    }
}

/// Where requests go from a proxy of the first of the zones, if that is its own.
fn route(config: &ZoneAware, has_own: bool, names: &[String], hosts: &[(usize, usize)]) -> Routing {
    let force = config.force_locality_direct_routing;
    let mut proxy_zones: Vec<&String> = config.local_cluster.iter().collect();
    proxy_zones.sort_unstable();
    proxy_zones.dedup();
    let present = hosts.iter().filter(|&&(own, _)| own > 0).count();
    let healthy: usize = hosts.iter().map(|&(_, healthy)| healthy).sum();
    let too_few = present < 2 || proxy_zones.is_empty() || (proxy_zones.len() < 2 && !force);
    if too_few || (healthy as u64) < config.min_cluster_size || healthy == 0 {
        return Routing::None;
    }
    let has_own = has_own && hosts[0].0 > 0;
    let parts = |count: usize, of: usize| PARTS * count as u64 / of as u64;
    let local = |zone: usize| {
        let here = config
            .local_cluster
            .iter()
            .filter(|name| **name == names[zone]);
        // A zone without healthy hosts is not known by name.
        match hosts[zone].1 {
            0 => 0,
            _ => parts(here.count(), config.local_cluster.len()),
        }
    };
    let upstream = |zone: usize| parts(hosts[zone].1, healthy);
    if has_own && (force || (upstream(0) > 0 && upstream(0) >= local(0))) {
        return Routing::Direct;
    }
    let own = if has_own && local(0) > 0 {
        upstream(0) * PARTS / local(0)
    } else {
        0
    };
    let mut sum = 0;
    let left_over = (0..hosts.len())
        .map(|zone| {
            if zone > 0 || !has_own {
                sum += upstream(zone).saturating_sub(local(zone));
            }
            sum
        })
        .collect();
    Routing::Residual { own, left_over }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aware(local_cluster: &[&str]) -> ZoneAware {
        ZoneAware {
            local_cluster: local_cluster.iter().map(|&zone| zone.to_owned()).collect(),
            ..ZoneAware::default()
        }
    }

    #[test]
    fn a_zone_with_hosts_enough_keeps_its_requests() {
        let names = ["a".to_owned(), "b".to_owned()];
        let config = aware(&["a", "b"]);
        assert_eq!(
            route(&config, true, &names, &[(5, 5), (5, 5)]),
            Routing::Direct
        );
        // Too few hosts, one zone only, no proxy known: any zone.
        assert_eq!(
            route(&config, true, &names, &[(2, 2), (3, 3)]),
            Routing::None
        );
        assert_eq!(
            route(&config, true, &names, &[(9, 9), (0, 0)]),
            Routing::None
        );
        assert_eq!(
            route(&aware(&[]), false, &names, &[(5, 5), (5, 5)]),
            Routing::None
        );
    }

    /// The example in the comments of Envoy: proxies 40%, 40%, 20%, hosts 25%, 50%, 25%.
    #[test]
    fn the_rest_goes_where_hosts_are_left_over() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let config = aware(&["a", "a", "b", "b", "c"]);
        let routing = route(&config, true, &names, &[(2, 2), (4, 4), (2, 2)]);
        let expected = Routing::Residual {
            own: 6250,
            left_over: vec![0, 1000, 1500],
        };
        assert_eq!(routing, expected);
    }
}
