//! Hashes where a request goes to: each destination address has its bucket, and each bucket its
//! server. Made for caches.
//!
//! 256 buckets are given to the servers in turn, from the newest; weights do not count. The
//! destination is the request's key: an address as it is, the number n as the address 10.0.0.0 + n.
//!
//! **Sees:** the key, weights of 0, thresholds.
//! **Cost of a pick:** constant; 256 steps after a change of servers.
//! **Fails when:** there are more than 256 servers (the oldest get nothing); keys are hot. When a
//! server comes or goes, nearly all keys move. The keys of a server that takes no new connections
//! find none.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_dh.c`; `hash_32` in `include/linux/hash.h`.
//! **Differs:** from consistent hashing by how many keys move, and by failing where the server is
//! down.
//! **Verified:** picks equal to recordings of Linux 6.1.

use super::address::{destination, fold};
use super::service::{Config, Scheduler, Service, VirtualService};
use super::table::{BITS, LookupTable, buckets};
use crate::strategy::hash::linux::hash_32;
use crate::strategy::{Member, MemberId, Request};
use lbsim_engine::time::{Span, Time};

/// IPVS with scheduler `dh`.
pub type IpvsDestinationHashing = VirtualService<Dh>;

/// The scheduler `dh`.
#[derive(Clone, Debug)]
pub struct Dh {
    table: LookupTable,
}

impl Scheduler for Dh {
    type Config = Config;

    fn heeds_answers() -> bool {
        false
    }

    fn heeds_key() -> bool {
        true
    }

    fn new(_: &Config, _: &[Member]) -> Self {
        Dh {
            table: LookupTable::default(),
        }
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn dest_changed(&mut self, _: MemberId, _: &Service) {
        self.table.refill_later();
    }

    fn schedule(&mut self, request: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        self.table.refill(|| buckets(service, |_| 1));
        let hash = hash_32(fold(&destination(&request.key)), BITS);
        self.table.look_up(|_| hash, false, service)
    }
}
