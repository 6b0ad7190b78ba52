//! Members in rings, the first of which that has anybody gets all: in each of them members take
//! turns.

use crate::strategy::{Candidates, MemberId};

/// Members in rings, by their ranks.
#[derive(Clone, Debug)]
pub(super) struct Rings {
    rings: Vec<Circle>,
}

/// Members of one rank.
#[derive(Clone, Debug)]
struct Circle {
    members: Vec<MemberId>,
    /// Whose turn it is, as a place in `members`.
    next: usize,
}

impl Circle {
    /// The next in turn that is a candidate.
    fn pick(&mut self, candidates: &Candidates<'_>) -> Option<MemberId> {
        let count = self.members.len();
        let places = (0..count).map(|step| (self.next + step) % count);
        let mut places = places.filter(|&place| candidates.contains(self.members[place]));
        let place = places.next()?;
        self.next = (place + 1) % count;
        Some(self.members[place])
    }
}

impl Rings {
    /// One for each rank, the least first; who has no rank stands in none.
    pub(super) fn new(ranks: &[Option<u64>]) -> Rings {
        let numbered = (0..).zip(ranks);
        let mut ranked: Vec<(u64, MemberId)> = numbered
            .filter_map(|(member, rank)| Some(((*rank)?, member)))
            .collect();
        ranked.sort_unstable();
        let alike = ranked.chunk_by(|a, b| a.0 == b.0);
        let rings = alike.map(|members| Circle {
            members: members.iter().map(|&(_, member)| member).collect(),
            next: 0,
        });
        Rings {
            rings: rings.collect(),
        }
    }

    /// The next in turn of the first ring in which there is a candidate; any candidate where none
    /// stands in a ring.
    pub(super) fn pick(&mut self, candidates: &Candidates<'_>) -> MemberId {
        let mut rings = self.rings.iter_mut();
        rings
            .find_map(|ring| ring.pick(candidates))
            .unwrap_or_else(|| candidates.get(0))
    }
}
