//! Takes the newest server without active connections, whatever its weight; where there is none,
//! the one with the shortest expected delay, as `ipvs-sed`.
//!
//! **Sees:** its own active connections, weights, thresholds.
//! **Cost of a pick:** constant, and log n for each change of a count; the kernel scans the list.
//! **Fails when:** light servers are slow: at low load they get connections that a busy quick one
//! would have answered sooner.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_nq.c`.
//! **Differs:** from least connections by preferring the idle regardless of weight, and by its
//! ties: the newest server.
//! **Verified:** picks equal to recordings of Linux 6.1.

use super::scan::{Load, Ratio, Scan};
use super::service::{Dest, VirtualService};

/// IPVS with scheduler `nq`.
pub type IpvsNeverQueue = VirtualService<Scan<Nq>>;

/// Active connections, one more, for the weight; nothing where there are none.
#[derive(Clone, Debug)]
pub struct Nq;

impl Load for Nq {
    fn of(dest: &Dest) -> Option<Ratio> {
        let over = match dest.active {
            0 => 0,
            active => u64::from(active) + 1,
        };
        Some(Ratio {
            over,
            under: dest.weight,
        })
    }
}
