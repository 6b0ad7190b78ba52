//! What it all costs: servers and balancers by the hour, and by what they are sent; the ways
//! between zones by what goes over them.

use super::blueprint::{Blueprint, Callers, GroupPlan, ServicePlan, SourcePlan};
use super::network::Zone;
use crate::observe::Traffic;

/// Nanoseconds of an hour.
const HOUR: f64 = 3.6e12;

/// Bytes of a GiB.
const GIB: f64 = (1u64 << 30) as f64;

/// What a message to a service carries, and a good answer of it, in bytes, on average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carries {
    /// The request, from who asks to the server.
    pub request: u64,
    /// The answer, back the same way.
    pub answer: u64,
}

/// What a GiB costs that goes from zone to zone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    zones: usize,
    /// By the zone that it leaves, and then by that where it comes to.
    per_gib: Vec<f64>,
}

impl Prices {
    /// Nothing costs anything between so many zones.
    pub fn new(zones: usize) -> Prices {
        Prices {
            zones,
            per_gib: vec![0.0; zones * zones],
        }
    }

    /// How many zones there are; 0 where no way has a price.
    pub fn zones(&self) -> usize {
        self.zones
    }

    /// Says what a GiB costs from one zone to another.
    pub fn set(&mut self, from: Zone, to: Zone, per_gib: f64) {
        self.per_gib[usize::from(from) * self.zones + usize::from(to)] = per_gib;
    }

    /// Whether any way has a price.
    pub fn any(&self) -> bool {
        self.per_gib.iter().any(|&price| price > 0.0)
    }
}

/// What a system costs an hour, in the unit in which its scenario says prices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bill {
    /// Servers, by the hour and by what they are sent.
    pub servers: f64,
    /// Balancers, by the hour, by the requests that come to them and by the bytes that go through.
    pub balancers: f64,
    /// What goes from zone to zone.
    pub traffic: f64,
}

impl Bill {
    /// All together.
    pub fn total(&self) -> f64 {
        self.servers + self.balancers + self.traffic
    }
}

impl Blueprint {
    /// Whether anything may be paid by what messages carry, or by the requests that come to
    /// balancers: each is counted then, though a price be 0.
    pub fn pays_for_traffic(&self) -> bool {
        let carries = |service: &ServicePlan| service.carries != Carries::default();
        let pays = |service: &ServicePlan| {
            let balancer = &service.balancer;
            balancer.cost_per_million > 0.0 || (balancer.cost_per_gib > 0.0 && carries(service))
        };
        self.services.iter().any(pays)
            || self.services.iter().any(carries)
            || (self.prices.zones() > 0 && self.ships_states())
    }

    /// Whether states of a known size go from server to server.
    pub fn ships_states(&self) -> bool {
        let sizes = |source: &SourcePlan| {
            let sessions = source.sessions.as_ref();
            sessions.is_some_and(|sessions| sessions.size.is_some())
        };
        let copies = |service: &ServicePlan| service.keeps.copies.is_some();
        self.sources.iter().any(sizes) && self.services.iter().any(copies)
    }

    /// What has to be counted of it; nothing yet.
    pub(super) fn traffic(&self) -> Option<Traffic> {
        let counted = || Traffic::new(self.services.len(), self.prices.zones());
        self.pays_for_traffic().then(counted)
    }

    /// Whether anything has a price.
    fn has_prices(&self) -> bool {
        let has_cost = |service: &ServicePlan| {
            service.balancer.cost > 0.0
                || (service.groups.iter())
                    .any(|group| group.cost > 0.0 || group.cost_per_million > 0.0)
        };
        self.services.iter().any(has_cost) || self.pays_for_traffic()
    }

    /// What it costs an hour in the measured window: each server for the part of it that it is in
    /// the pool, one that an autoscaler orders and removes for the nanoseconds that `paid` has by
    /// server. `None` where nothing has a price.
    ///
    /// To that comes what requests cost: `sent` has how many each server was sent in the window,
    /// and `traffic` what went through balancers and from zone to zone, where that has a price.
    /// Services that nobody asks cost nothing.
    pub fn bill(
        &self,
        paid: Option<&[u64]>,
        sent: &[u64],
        traffic: Option<&Traffic>,
    ) -> Option<Bill> {
        if !self.has_prices() {
            return None;
        }
        let hours = self.end.since(self.warmup).nanos().max(1) as f64 / HOUR;
        let visits = (0..self.sources.len()).map(|source| self.visits(source));
        let visits: Vec<Vec<f64>> = visits.collect();
        let is_asked = |index: usize| visits.iter().any(|visits| visits[index] > 0.0);
        let mut bill = Bill::default();
        for (index, service) in self.services.iter().enumerate() {
            if !is_asked(index) {
                continue;
            }
            bill.servers += self.cost_of_servers((index, service), (paid, sent));
            let balancer = &service.balancer;
            bill.balancers += balancer.cost * self.balancers_there(service, paid);
            if let Some(traffic) = traffic {
                let millions = traffic.requests[index] as f64 / 1e6;
                let gibs = traffic.through[index] as f64 / GIB;
                let paid = balancer.cost_per_million * millions + balancer.cost_per_gib * gibs;
                bill.balancers += paid / hours;
            }
        }
        if let Some(traffic) = traffic {
            let ways = traffic.between.iter().zip(&self.prices.per_gib);
            let paid: f64 = ways.map(|(&bytes, price)| bytes as f64 / GIB * price).sum();
            bill.traffic = paid / hours;
        }
        Some(bill)
    }

    /// How many balancers a service has in the measured window, on average: the balancer of a
    /// server that calls is there while that server is.
    fn balancers_there(&self, service: &ServicePlan, paid: Option<&[u64]>) -> f64 {
        let Some(callers) = &service.callers else {
            return f64::from(service.balancer.instances);
        };
        let has_own = |own: &u16| *own != Callers::NONE;
        let clients = callers.of_source.iter().copied().filter(|own| has_own(own));
        let mut there = clients.count() as f64;
        for (index, caller) in self.services.iter().enumerate() {
            let places = self.servers_of(index).zip(&caller.servers);
            let calling = places.filter(|(place, _)| has_own(&callers.of_server[*place]));
            there += calling
                .map(|(place, server)| self.share_there(&caller.groups[server.group], place, paid))
                .sum::<f64>();
        }
        there
    }

    /// The part of the measured window for which a server is paid.
    fn share_there(&self, group: &GroupPlan, place: usize, paid: Option<&[u64]>) -> f64 {
        let window = self.end.since(self.warmup).nanos().max(1) as f64;
        let planned = group
            .leaves
            .min(self.end)
            .since(group.joins.max(self.warmup));
        let there = match (paid, &group.autoscale) {
            (Some(paid), Some(_)) => paid[place],
            _ => planned.nanos(),
        };
        there as f64 / window
    }

    fn cost_of_servers(
        &self,
        (index, service): (usize, &ServicePlan),
        (paid, sent): (Option<&[u64]>, &[u64]),
    ) -> f64 {
        let window = self.end.since(self.warmup).nanos().max(1) as f64;
        let places = self.servers_of(index);
        let each = service.servers.iter().zip(places).map(|(server, place)| {
            let group = &service.groups[server.group];
            let requests = match group.cost_per_million {
                0.0 => 0.0,
                price => price * sent[place] as f64 / 1e6 * HOUR / window,
            };
            group.cost * self.share_there(group, place, paid) + requests
        });
        each.sum()
    }
}
