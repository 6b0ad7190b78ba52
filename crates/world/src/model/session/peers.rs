//! Servers as others see them that keep copies of their states.

use crate::model::fault::{Fault, OnTheWay, Place, Strikes};
use crate::model::server::Server;

/// Which servers are up, and who hears from whom.
#[derive(Clone, Copy)]
pub(in crate::model) struct Peers<'w> {
    pub(in crate::model) servers: &'w [Server],
    pub(in crate::model) faults: &'w [Fault],
    /// Faults that hold at present on ways between places.
    pub(in crate::model) disturbed: &'w [u32],
}

impl Peers<'_> {
    pub(super) fn is_up(&self, server: u32) -> bool {
        self.servers[server as usize].is_up()
    }

    /// Whether what one server sends comes to another. What is slow or lossy is sent again until it
    /// does.
    pub(super) fn hear(&self, from: u32, to: u32) -> bool {
        let (from, to) = (Place::Server(from), Place::Server(to));
        let is_cut = |&fault: &u32| match &self.faults[fault as usize].strikes {
            Strikes::Ways(ways, OnTheWay::Cut) => ways.lead(from, to),
            _ => false,
        };
        !self.disturbed.iter().any(is_cut)
    }
}
