//! Bounded loads: a host that has far more requests than its share is passed over for another. (Envoy 1.40,
//! source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc, `BoundedLoadHashingLoadBalancer`)

use crate::rng::{Luck, below};
use crate::strategy::{Context, MemberId};

/// Shares of the load, and how far a host may exceed its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounded {
    /// In percent of the average; 0 for no bound.
    factor: u32,
    /// Hosts and their shares of all weight.
    shares: Vec<(MemberId, f64)>,
    /// Requests at all hosts.
    active: u32,
}

impl Bounded {
    pub(super) fn new(factor: u32) -> Bounded {
        Bounded {
            factor,
            ..Bounded::default()
        }
    }

    pub(super) fn sent(&mut self) {
        self.active += 1;
    }

    pub(super) fn answered(&mut self) {
        self.active = self.active.saturating_sub(1);
    }

    pub(super) fn place(&mut self, shares: Vec<(MemberId, f64)>) {
        self.shares = shares;
    }

    /// The host that a hash leads to, or another where that has too much: hosts in an order drawn from the hash, and if all
    /// have too much, the one that exceeds its share the least.
    pub(super) fn settle(&self, first: MemberId, hash: u64, cx: &Context<'_>) -> MemberId {
        if self.factor == 0 {
            return first;
        }
        let all = ((u64::from(self.active) + 1) * u64::from(self.factor)).div_ceil(100);
        let overload = |member: MemberId, share: f64| {
            let slots = (all as f64 * share).ceil().max(1.0);
            f64::from(cx.pool.in_flight(member)) / slots
        };
        let own = self.shares.iter().find(|&&(member, _)| member == first);
        if own.is_none_or(|&(member, share)| overload(member, share) <= 1.0) {
            return first;
        }
        let mut order: Vec<(MemberId, f64)> = self.shares.clone();
        let mut luck = Luck::new(hash & 0xffff_ffff, 0);
        let mut best = (first, f64::INFINITY);
        for at in 0..order.len() {
            let other = at + below(&mut luck, order.len() - at);
            order.swap(at, other);
            let (member, share) = order[at];
            let load = overload(member, share);
            if load <= 1.0 {
                return member;
            }
            if load < best.1 {
                best = (member, load);
            }
        }
        best.0
    }
}
