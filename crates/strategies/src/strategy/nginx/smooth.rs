//! Smooth weighted round robin: nginx's default method, which its other methods break ties with and
//! fall back on. (nginx 1.22, src/http/ngx_http_upstream_round_robin.c)
//!
//! At each pick every candidate's current weight grows by its effective weight, and the greatest is
//! picked and pays what all of them gained. Turns are thereby spread evenly: 5-1-1 gives a a b a c
//! a a.

use crate::strategy::{MemberId, Pool};

/// The weights that change from pick to pick.
#[derive(Clone, Debug)]
pub(super) struct Smooth {
    peers: Vec<Weights>,
}

/// Takes the candidates in turn: the default method.
pub(super) fn in_turn(
    smooth: &mut Smooth,
    candidates: &[MemberId],
    pool: &Pool,
) -> Option<MemberId> {
    smooth.pick(candidates.iter().copied(), pool)
}

#[derive(Clone, Copy, Debug)]
struct Weights {
    current: i64,
    /// The configured weight less what failures have cost.
    effective: i64,
}

impl Smooth {
    /// Everybody at the configured weight.
    pub(super) fn new(pool: &Pool) -> Smooth {
        let start = |&weight: &u32| Weights {
            current: 0,
            effective: i64::from(weight),
        };
        Smooth {
            peers: pool.weights().iter().map(start).collect(),
        }
    }

    /// The candidate whose turn it is; of equals the first. A candidate that failed regains a point
    /// by being considered, picked or not; who is no candidate keeps what it has.
    pub(super) fn pick(
        &mut self,
        candidates: impl Iterator<Item = MemberId>,
        pool: &Pool,
    ) -> Option<MemberId> {
        let mut best: Option<(MemberId, i64)> = None;
        let mut total = 0;
        for member in candidates {
            let peer = &mut self.peers[member as usize];
            peer.current += peer.effective;
            total += peer.effective;
            if peer.effective < i64::from(pool.weight(member)) {
                peer.effective += 1;
            }
            if best.is_none_or(|(_, most)| peer.current > most) {
                best = Some((member, peer.current));
            }
        }
        let (member, _) = best?;
        self.peers[member as usize].current -= total;
        Some(member)
    }

    /// A failure costs its share of the weight: `max_fails` of them, all of it.
    pub(super) fn failed(&mut self, member: MemberId, weight: u32, max_fails: u32) {
        let effective = &mut self.peers[member as usize].effective;
        *effective = (*effective - i64::from(weight / max_fails)).max(0);
    }
}
