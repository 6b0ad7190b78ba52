//! Walks along the list of servers: the next that takes new connections and has at least some
//! weight, in log n.
//!
//! A tree of maxima over the list. It is built anew when servers have come or gone.

use super::service::Service;
use crate::strategy::MemberId;

/// The list of servers, to be walked.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// The places of the servers in the list, in order, and who stands there.
    list: Vec<(u64, MemberId)>,
    /// By member: where it stands in `list`.
    slots: Vec<Option<usize>>,
    /// A complete binary tree in heap order: the highest weight below each node; 0 where no server
    /// takes connections.
    highest: Vec<u32>,
    stale: bool,
}

impl Walk {
    /// Servers have come or gone.
    pub(super) fn rebuild_later(&mut self) {
        self.stale = true;
    }

    /// A server has another weight, or has become overloaded, or no longer is.
    pub(super) fn update(&mut self, member: MemberId, service: &Service) {
        if self.stale {
            return;
        }
        let Some(Some(slot)) = self.slots.get(member as usize) else {
            return;
        };
        let mut at = self.highest.len() / 2 + slot;
        self.highest[at] = service.dest(member).open_weight();
        while at > 1 {
            at /= 2;
            self.highest[at] = self.highest[2 * at].max(self.highest[2 * at + 1]);
        }
    }

    /// Makes the walk fit the list again, where it does not.
    pub(super) fn refresh(&mut self, service: &Service) {
        if !self.stale {
            return;
        }
        self.stale = false;
        let list = service.list();
        self.slots = vec![None; service.len()];
        for (slot, &member) in list.iter().enumerate() {
            self.slots[member as usize] = Some(slot);
        }
        let leaves = list.len().next_power_of_two();
        self.highest = vec![0; 2 * leaves];
        for (slot, &member) in list.iter().enumerate() {
            self.highest[leaves + slot] = service.dest(member).open_weight();
        }
        for at in (1..leaves).rev() {
            self.highest[at] = self.highest[2 * at].max(self.highest[2 * at + 1]);
        }
        let place = |member: MemberId| (service.dest(member).place, member);
        self.list = list.into_iter().map(place).collect();
    }

    /// The highest weight of those who take new connections; 0 where nobody does.
    pub(super) fn highest(&self) -> u32 {
        self.highest.get(1).copied().unwrap_or(0)
    }

    /// The first server behind `place` that takes new connections and has a weight of at least
    /// `weight`, which is not 0; and where it stands.
    pub(super) fn next(&self, place: u64, weight: u32) -> Option<(u64, MemberId)> {
        let leaves = self.highest.len() / 2;
        let slot = self.list.partition_point(|&(other, _)| other <= place);
        if slot == self.list.len() {
            return None;
        }
        let mut at = leaves + slot;
        while self.highest[at] < weight {
            // On to the subtree at the right: up as long as this is a right child, or the root.
            while at % 2 == 1 {
                at /= 2;
            }
            if at == 0 {
                return None;
            }
            at += 1;
        }
        while at < leaves {
            at *= 2;
            if self.highest[at] < weight {
                at += 1;
            }
        }
        Some(self.list[at - leaves])
    }
}
