//! Takes the server with the fewest connections, an active one counted as 256 inactive ones; of
//! equals the newest server.
//!
//! Weights do not count, save that with 0 a server gets no new connections. A closed connection
//! stays inactive for `time-wait`: among servers with as many open connections, the one that was
//! used less of late comes first.
//!
//! **Sees:** its own connections, active and inactive; weights of 0; thresholds.
//! **Cost of a pick:** constant, and log n for each change of a count; the kernel scans the list.
//! **Fails when:** servers differ in size; a server comes back empty: it gets every new connection
//! until it has as many as the others.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_lc.c`; `ip_vs_dest_conn_overhead` in
//! `include/net/ip_vs.h`.
//! **Differs:** from least connections by its ties, which are not random, and by what it remembers
//! of closed connections.
//! **Verified:** picks equal to recordings of Linux 6.1.

use super::scan::{Load, Ratio, Scan};
use super::service::{Dest, VirtualService};

/// IPVS with scheduler `lc`.
pub type IpvsLeastConnections = VirtualService<Scan<Lc>>;

/// Connections, whatever the weight.
#[derive(Clone, Debug)]
pub struct Lc;

impl Load for Lc {
    fn of(dest: &Dest) -> Option<Ratio> {
        Some(Ratio {
            over: dest.overhead(),
            under: 1,
        })
    }
}
