//! Servers as others see them that keep copies of their states.

use crate::model::blueprint::Blueprint;
use crate::model::fault::{Fault, OnTheWay, Place};
use crate::model::link::effects;
use crate::model::server::Server;

/// Which servers are up, and who hears from whom.
#[derive(Clone, Copy)]
pub(in crate::model) struct Peers<'w> {
    servers: &'w [Server],
    faults: &'w [Fault],
    disturbed: &'w [u32],
}

impl<'w> Peers<'w> {
    /// The servers of a world; `disturbed` are the faults that hold at present on ways between
    /// places.
    pub(in crate::model) fn new(
        servers: &'w [Server],
        plan: &'w Blueprint,
        disturbed: &'w [u32],
    ) -> Peers<'w> {
        Peers {
            servers,
            faults: &plan.faults,
            disturbed,
        }
    }

    pub(super) fn is_up(&self, server: u32) -> bool {
        self.servers[server as usize].is_up()
    }

    /// Whether what one server sends comes to another. What is slow or lossy is sent again until it
    /// does.
    pub(super) fn hear(&self, from: u32, to: u32) -> bool {
        let ends = (Place::Server(from), Place::Server(to));
        effects(self.faults, self.disturbed, ends).all(|(_, effect)| effect != OnTheWay::Cut)
    }
}
