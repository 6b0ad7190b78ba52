//! The ring of `hash-type consistent` and of `random`: a point for each sixteenth of a unit of
//! weight. (HAProxy 2.6, src/lb_chash.c)

use super::servers::Servers;
use crate::strategy::hash::haproxy::full_hash;
use crate::strategy::{Context, MemberId};

/// Points in order.
#[derive(Clone, Debug, Default)]
pub(super) struct HashRing {
    points: Vec<(u32, MemberId)>,
    /// The last point taken in turn, for requests without a key.
    turn: usize,
}

impl HashRing {
    /// Places the servers that are in charge. A point hashes a server's number and its own, so a
    /// change of weight adds or takes away points and moves none.
    pub(super) fn place(&mut self, servers: &Servers, cx: &Context<'_>) {
        self.points.clear();
        for member in servers.in_charge(cx) {
            let id = cx.pool.members()[member as usize].id;
            let points = (0..servers.weight(member, cx))
                .map(|point| (full_hash(id.wrapping_mul(4096).wrapping_add(point)), member));
            self.points.extend(points);
        }
        self.points.sort_unstable();
    }

    /// Whether nobody is on it.
    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The point nearest to a hash, as an index.
    pub(super) fn nearest(&self, hash: u32) -> usize {
        let count = self.points.len();
        let next = self.points.partition_point(|&(point, _)| point < hash) % count;
        let before = (next + count - 1) % count;
        let back = hash.wrapping_sub(self.points[before].0);
        let ahead = self.points[next].0.wrapping_sub(hash);
        if back <= ahead { before } else { next }
    }

    /// Whose the point of this index is.
    pub(super) fn at(&self, index: usize) -> MemberId {
        self.points[index].1
    }

    /// The first point of `member` from `index` on.
    pub(super) fn index_of(&self, index: usize, member: MemberId) -> usize {
        let count = self.points.len();
        (0..count)
            .map(|step| (index + step) % count)
            .find(|&at| self.points[at].1 == member)
            .unwrap_or(index)
    }

    /// The first point from `index` on whose server fits, where there is one.
    pub(super) fn walk(&self, index: usize, fits: impl Fn(MemberId) -> bool) -> Option<MemberId> {
        let count = self.points.len();
        (0..count)
            .map(|step| self.points[(index + step) % count].1)
            .find(|&member| fits(member))
    }

    /// The server of the next point in turn.
    pub(super) fn next(&mut self) -> Option<MemberId> {
        let count = self.points.len();
        self.turn = (self.turn + 1) % count.max(1);
        self.points.get(self.turn).map(|&(_, member)| member)
    }
}
