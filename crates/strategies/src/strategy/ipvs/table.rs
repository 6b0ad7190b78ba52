//! The schedulers that look a hash up in a table of servers: `sh`, `mh`, and `dh` without their
//! fallback.
//!
//! The table is filled anew after a change of servers or weights, when it is next needed. A server
//! that takes no new connections stays in it.

use super::service::Service;
use crate::strategy::MemberId;

/// A table of servers.
#[derive(Clone, Debug, Default)]
pub(super) struct LookupTable {
    slots: Vec<MemberId>,
    fresh: bool,
}

impl LookupTable {
    /// Servers have come or gone, or have another weight.
    pub(super) fn refill_later(&mut self) {
        self.fresh = false;
    }

    /// Fills the table, where that is due.
    pub(super) fn refill(&mut self, fill: impl FnOnce() -> Vec<MemberId>) {
        if !self.fresh {
            self.slots = fill();
            self.fresh = true;
        }
    }

    /// The server of slot `hash(0)`. Where that one takes no new connections and there is a
    /// fallback, the first one that does of the slots `hash(i)`, `hash(i + 1)` and so on round the
    /// table, where `i` is the slot.
    pub(super) fn look_up(
        &self,
        hash: impl Fn(u32) -> u32,
        fallback: bool,
        service: &Service,
    ) -> Option<MemberId> {
        let size = self.slots.len() as u32;
        let open = |member: &MemberId| service.dest(*member).is_available();
        let slot = hash(0);
        let first = self.slots.get(slot as usize).copied();
        match first.filter(open) {
            None if fallback && size > 0 => (slot..size)
                .chain(0..slot)
                .map(|offset| self.slots[hash(offset) as usize])
                .find(open),
            found => found,
        }
    }
}

/// Goes round the list and gives each server as many buckets as `turns` says, at least one, until
/// all 256 are given away: `ip_vs_sh_reassign`, `ip_vs_dh_reassign`.
pub(super) fn buckets(service: &Service, turns: impl Fn(MemberId) -> u32) -> Vec<MemberId> {
    let list = service.list();
    let round = list
        .iter()
        .flat_map(|&member| std::iter::repeat_n(member, turns(member).max(1) as usize));
    round.cycle().take(BUCKETS).collect()
}

/// How many buckets `sh` and `dh` have, as the kernel is configured by default
/// (`IP_VS_SH_TAB_BITS`, `IP_VS_DH_TAB_BITS`).
const BUCKETS: usize = 1 << BITS;

/// The binary logarithm of that.
pub(super) const BITS: u32 = 8;
