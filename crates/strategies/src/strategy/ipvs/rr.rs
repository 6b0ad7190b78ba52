//! Goes round the list of servers, and takes the next that has a weight and is not overloaded.
//!
//! `ipvsadm -a` puts a new server at the head of the list, so the newest comes first. Weights do
//! not count, save that with 0 a server gets no new connections.
//!
//! **Sees:** weights of 0, connections only for the thresholds (`max-connections`,
//! `min-connections`).
//! **Cost of a pick:** log n; the kernel looks at each server that it passes over.
//! **Fails when:** requests differ much in work, or servers in speed.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_rr.c`.
//! **Differs:** from round robin by the order (the newest server first), and by going on from its
//! place when servers come or go.
//! **Verified:** picks equal to recordings of Linux 6.1.

use super::service::{Config, HEAD, Scheduler, Service, VirtualService};
use super::walk::Walk;
use crate::strategy::{Member, MemberId, Request};
use lbsim_engine::time::{Span, Time};

/// IPVS with scheduler `rr`.
pub type IpvsRoundRobin = VirtualService<Rr>;

/// The scheduler `rr`.
#[derive(Clone, Debug)]
pub struct Rr {
    walk: Walk,
    /// Where the server stands that was used last.
    last: u64,
}

impl Scheduler for Rr {
    type Config = Config;

    fn heeds_requests() -> bool {
        false
    }

    fn heeds_answers() -> bool {
        false
    }

    fn new(_: &Config, _: &[Member]) -> Self {
        Rr {
            walk: Walk::default(),
            last: HEAD,
        }
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn dest_changed(&mut self, _: MemberId, _: &Service) {
        self.walk.rebuild_later();
    }

    fn conns_changed(&mut self, member: MemberId, service: &Service) {
        self.walk.update(member, service);
    }

    fn schedule(&mut self, _: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        self.walk.refresh(service);
        let next = self.walk.next(self.last, 1);
        let (place, member) = next.or_else(|| self.walk.next(HEAD, 1))?;
        self.last = place;
        Some(member)
    }
}
