//! Sends everything to the server with the highest weight, of equals the newest, and to the next
//! only when that one is taken out or overloaded: weighted failover.
//!
//! **Sees:** weights, thresholds.
//! **Cost of a pick:** constant, and log n for each change of a count; the kernel scans the list.
//! **Fails when:** one server is too small for everything, and has no upper threshold.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_fo.c`.
//! **Differs:** from all that balance: it does not.
//! **Verified:** picks equal to recordings of Linux 6.1.

use std::cmp::Reverse;

use super::scan::{Load, Ratio, Scan};
use super::service::{Dest, VirtualService};
use crate::strategy::{Member, standby};

/// IPVS with scheduler `fo`.
pub type IpvsFailover = VirtualService<Scan<Fo>>;

/// The least for the highest weight.
#[derive(Clone, Debug)]
pub struct Fo;

impl Load for Fo {
    fn of(dest: &Dest) -> Option<Ratio> {
        Some(Ratio {
            over: 1,
            under: dest.weight,
        })
    }

    fn heeds_answers() -> bool {
        false
    }

    fn in_charge(members: &[Member]) -> Vec<bool> {
        // The newest stands at the head of the list.
        let rank = |at: usize| Reverse((members[at].weight, at));
        standby::one_by_one(standby::nobody(members), members, rank)
    }
}
