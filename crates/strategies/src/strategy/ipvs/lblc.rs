//! Keeps each destination with one server while that one is not overloaded, and moves it to the
//! least loaded otherwise: locality-based least connections. Made for caches.
//!
//! A destination without a server gets the one with the fewest connections for its weight, as
//! `ipvs-wlc`. It keeps it until the server is taken out, or has more active connections than its
//! weight while another has fewer than half of its own. The destination is the request's key: an
//! address as it is, the number n as the address 10.0.0.0 + n.
//!
//! **Sees:** the key, its own connections, weights, thresholds.
//! **Cost of a pick:** log of the number of destinations, and log n for each change of a count; the
//! kernel hashes the destination, and scans the list where it needs another server.
//! **Fails when:** weights are small numbers beside the connections: every server is overloaded
//! then.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_lblc.c`. Left out: with more than 16,384
//! destinations the kernel forgets those not used for six minutes.
//! **Differs:** from consistent hashing by following loads: what a server has cached depends on
//! history.
//! **Verified:** picks equal to recordings of Linux 6.1.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::destination;
use super::locality::{Config, Loads};
use super::service::{Scheduler, Service, VirtualService};
use crate::strategy::{Member, MemberId, Request};
use lbsim_engine::time::{Span, Time};

/// IPVS with scheduler `lblc`.
pub type IpvsLocality = VirtualService<Lblc>;

/// The scheduler `lblc`.
#[derive(Clone, Debug)]
pub struct Lblc {
    loads: Loads,
    /// The server of each destination, and when that was used last.
    cache: BTreeMap<IpAddr, (MemberId, Time)>,
    expiration: Span,
}

impl Scheduler for Lblc {
    type Config = Config;

    fn heeds_key() -> bool {
        true
    }

    fn new(config: &Config, members: &[Member]) -> Self {
        Lblc {
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
        let destination = destination(&request.key);
        if let Some((member, last_use)) = self.cache.get_mut(&destination)
            && now.since(*last_use) <= self.expiration
        {
            *last_use = now;
            // The mark of overload does not count here: a server keeps its destinations.
            let dest = service.dest(*member);
            if dest.listed && dest.weight > 0 && !self.loads.is_overloaded(dest) {
                return Some(*member);
            }
        }
        let member = self.loads.least()?;
        self.cache.insert(destination, (member, now));
        Some(member)
    }
}
