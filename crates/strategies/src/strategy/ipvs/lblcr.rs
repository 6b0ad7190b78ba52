//! Keeps each destination with a set of servers, of which it takes the least loaded; the set grows
//! where that one is overloaded, and shrinks with time: locality-based least connections with
//! replication. Made for caches.
//!
//! A server is overloaded when it has more active connections than its weight while another has
//! fewer than half of its own: then the one with the fewest connections for its weight joins the
//! set, as `ipvs-wlc` picks it. A set of several that has not changed for `expiration` loses its
//! most loaded server. The destination is the request's key: an address as it is, the number n as
//! the address 10.0.0.0 + n.
//!
//! **Sees:** the key, its own connections, weights, thresholds.
//! **Cost of a pick:** log of the number of destinations and a pass over the destination's set, as
//! in the kernel, which also scans the whole list where the set grows; log n for each change of a
//! count.
//! **Fails when:** weights are small numbers beside the connections: sets grow to all servers, and
//! stay so for a day.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_lblcr.c`. Left out: with more than 16,384
//! destinations the kernel forgets those not used for six minutes.
//! **Differs:** from consistent hashing by following loads: what a server has cached depends on
//! history.
//! **Verified:** picks equal to recordings of Linux 6.1, in which no set has shrunk.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::destination;
use super::locality::{Config, Loads};
use super::scan::{Load, Ratio};
use super::service::{Scheduler, Service, VirtualService};
use super::wlc::Wlc;
use crate::strategy::{Member, MemberId, Request};
use lbsim_engine::time::{Span, Time};

/// IPVS with scheduler `lblcr`.
pub type IpvsReplicatedLocality = VirtualService<Lblcr>;

/// The scheduler `lblcr`.
#[derive(Clone, Debug)]
pub struct Lblcr {
    loads: Loads,
    cache: BTreeMap<IpAddr, Set>,
    expiration: Span,
}

/// The servers of a destination: `struct ip_vs_dest_set`.
#[derive(Clone, Debug)]
struct Set {
    /// The newest of the set last.
    servers: Vec<MemberId>,
    /// When it last gained or lost a server.
    changed: Time,
}

impl Set {
    /// The least loaded of those that take new connections; of equals the newest:
    /// `ip_vs_dest_set_min`.
    fn least(&self, service: &Service) -> Option<MemberId> {
        let open = self.servers.iter().rev().filter_map(|&member| {
            let dest = service.dest(member);
            let load = Wlc::of(dest).filter(|_| dest.is_available())?;
            Some((load, member))
        });
        open.min_by_key(|(load, _)| *load).map(|(_, member)| member)
    }

    /// Lets the most loaded server go, of equals the newest: `ip_vs_dest_set_max`,
    /// `ip_vs_dest_set_erase`.
    fn shrink(&mut self, service: &Service, now: Time) {
        let mut most: Option<(Ratio, usize)> = None;
        for (at, &member) in self.servers.iter().enumerate().rev() {
            let dest = service.dest(member);
            let load = Wlc::of(dest).filter(|_| dest.weight > 0);
            if let Some(load) = load
                && most.is_none_or(|(other, _)| load > other)
            {
                most = Some((load, at));
            }
        }
        if let Some((_, at)) = most {
            self.servers.remove(at);
            self.changed = now;
        }
    }
}

impl Scheduler for Lblcr {
    type Config = Config;

    fn heeds_key() -> bool {
        true
    }

    fn new(config: &Config, members: &[Member]) -> Self {
        Lblcr {
            loads: Loads::new(members.len()),
            cache: BTreeMap::new(),
            expiration: config.expiration,
        }
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn dest_changed(&mut self, member: MemberId, service: &Service) {
        self.loads.update(member, service);
    }

    fn conns_changed(&mut self, member: MemberId, service: &Service) {
        self.loads.update(member, service);
    }

    fn schedule(
        &mut self,
        request: &Request<'_>,
        service: &Service,
        now: Time,
    ) -> Option<MemberId> {
        let set = self
            .cache
            .entry(destination(&request.key))
            .or_insert_with(|| Set {
                servers: Vec::new(),
                changed: now,
            });
        let least = set.least(service);
        if set.servers.len() > 1 && now.since(set.changed) > self.expiration {
            set.shrink(service, now);
        }
        if let Some(member) = least
            && !self.loads.is_overloaded(service.dest(member))
        {
            return Some(member);
        }
        let member = self.loads.least()?;
        if !set.servers.contains(&member) {
            set.servers.push(member);
            set.changed = now;
        }
        Some(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategyConfig;
    use crate::strategy::contract::Bench;

    /// A destination that overloads its server gets a second one, and loses one of them when
    /// nothing has changed for the time of expiration.
    #[test]
    fn sets_grow_and_shrink() {
        let config = Config {
            expiration: Span::from_secs(60),
            ..Config::default()
        };
        let mut bench = Bench::of(&StrategyConfig::IpvsReplicatedLocality(config), &[1, 1]);
        let mut open = Vec::new();
        for _ in 0..3 {
            let member = bench.pick(7);
            bench.send(member);
            open.push(member);
        }
        assert_eq!(open, [1, 1, 0]);
        for member in open {
            bench.answer(member, crate::strategy::Outcome::Success, Span::ZERO);
        }
        bench.wait(Span::from_secs(61));
        // Both are idle, and server 1 has the more connections behind it: it leaves the set, and
        // with it gone the other is taken even where it has more to do.
        assert_eq!(bench.pick(7), 0);
        bench.send(0);
        assert_eq!(bench.pick(7), 0);
    }
}
