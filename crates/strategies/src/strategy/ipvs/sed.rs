//! Takes the server with the shortest expected delay: the fewest active connections, this one
//! included, for its weight; of equals the newest server.
//!
//! **Sees:** its own active connections, weights, thresholds.
//! **Cost of a pick:** constant, and log n for each change of a count; the kernel scans the list.
//! **Fails when:** weights do not fit the servers' speed. A heavy server gets several connections
//! before a light one gets its first.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_sed.c`.
//! **Differs:** from least connections by counting the connection to be sent, and by its ties: the
//! newest server.
//! **Verified:** picks equal to recordings of Linux 6.1.

use super::scan::{Load, Ratio, Scan};
use super::service::{Dest, VirtualService};

/// IPVS with scheduler `sed`.
pub type IpvsShortestExpectedDelay = VirtualService<Scan<Sed>>;

/// Active connections, one more, for the weight.
#[derive(Clone, Debug)]
pub struct Sed;

impl Load for Sed {
    fn of(dest: &Dest) -> Option<Ratio> {
        Some(Ratio {
            over: u64::from(dest.active) + 1,
            under: dest.weight,
        })
    }
}
