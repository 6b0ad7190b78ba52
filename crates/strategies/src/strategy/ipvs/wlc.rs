//! Takes the server with the fewest connections for its weight, an active one counted as 256
//! inactive ones; of equals the newest server.
//!
//! A closed connection stays inactive for `time-wait`, and breaks ties between servers with as many
//! open ones.
//!
//! **Sees:** its own connections, active and inactive; weights; thresholds.
//! **Cost of a pick:** constant, and log n for each change of a count; the kernel scans the list.
//! **Fails when:** a server comes back empty: it gets every new connection until it has as many for
//! its weight as the others. At low load nearly everything goes to the newest server where
//! `time-wait` is short.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_wlc.c`.
//! **Differs:** from least connections by its ties, which are not random, and by what it remembers
//! of closed connections.
//! **Verified:** picks equal to recordings of Linux 6.1, with thresholds among them.

use super::scan::{Load, Ratio, Scan};
use super::service::{Dest, VirtualService};

/// IPVS with scheduler `wlc`.
pub type IpvsWeightedLeastConnections = VirtualService<Scan<Wlc>>;

/// Connections for the weight.
#[derive(Clone, Debug)]
pub struct Wlc;

impl Load for Wlc {
    fn of(dest: &Dest) -> Option<Ratio> {
        Some(Ratio {
            over: dest.overhead(),
            under: dest.weight,
        })
    }
}
