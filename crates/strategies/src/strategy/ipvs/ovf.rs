//! Sends everything to the server with the highest weight until it has more active connections than
//! its weight, then to the next: weighted overflow. Weights are sizes here.
//!
//! **Sees:** its own active connections, weights, thresholds.
//! **Cost of a pick:** constant, and log n for each change of a count; the kernel scans the list.
//! **Fails when:** all are full: a connection finds no server. A server takes one connection more
//! than its weight.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_ovf.c`.
//! **Differs:** from all that balance: it fills one server after the other.
//! **Verified:** picks equal to recordings of Linux 6.1.

use super::scan::{Load, Ratio, Scan};
use super::service::{Dest, VirtualService};

/// IPVS with scheduler `ovf`.
pub type IpvsOverflow = VirtualService<Scan<Ovf>>;

/// The least for the highest weight, where there is room.
#[derive(Clone, Debug)]
pub struct Ovf;

impl Load for Ovf {
    fn of(dest: &Dest) -> Option<Ratio> {
        (dest.active <= dest.weight).then_some(Ratio {
            over: 1,
            under: dest.weight,
        })
    }
}
