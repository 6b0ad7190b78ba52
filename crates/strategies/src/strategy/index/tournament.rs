//! Members ordered by any score: the least, with ties drawn in proportion to weight, in log n.
//!
//! A winner tree whose nodes carry the least score below and the total weight of the members that
//! share it, so that a tie is drawn fairly on the way down.

use crate::strategy::{Candidates, MemberId};
use lbsim_engine::rng::{Rng, number_below};

/// The least of many scores, kept while they change.
#[derive(Clone, Debug)]
pub struct Tournament {
    /// A complete binary tree in heap order: the root at 1, the leaf of member `m` at `leaves + m`.
    nodes: Vec<Node>,
    leaves: usize,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    score: f64,
    /// Total weight of the members below that have this score; zero for an empty place.
    tied: u64,
}

const EMPTY: Node = Node {
    score: f64::INFINITY,
    tied: 0,
};

impl Node {
    #[inline]
    fn winner(left: Node, right: Node) -> Node {
        if left.score < right.score {
            left
        } else if right.score < left.score {
            right
        } else {
            Node {
                score: left.score,
                tied: left.tied + right.tied,
            }
        }
    }
}

impl Tournament {
    /// Room for `n` members; nobody takes part yet.
    pub fn new(n: usize) -> Tournament {
        let leaves = n.next_power_of_two();
        Tournament {
            nodes: vec![EMPTY; 2 * leaves],
            leaves,
        }
    }

    /// Gives a member its score (finite, not NaN) and its weight among equals (at least 1).
    #[inline]
    pub fn set(&mut self, member: MemberId, score: f64, weight: u32) {
        debug_assert!(score.is_finite() && weight > 0);
        self.place(
            member,
            Node {
                score,
                tied: u64::from(weight),
            },
        );
    }

    /// Takes a member out.
    pub fn remove(&mut self, member: MemberId) {
        self.place(member, EMPTY);
    }

    /// One of the members of the least score, in proportion to weight.
    ///
    /// # Panics
    /// Where nobody takes part.
    #[inline]
    pub fn least(&self, rng: &mut Rng) -> MemberId {
        let Node { score, tied } = self.nodes[1];
        assert!(tied > 0, "a rule is asked only where somebody is eligible");
        let mut ticket = number_below(rng, tied);
        let mut at = 1;
        while at < self.leaves {
            at *= 2;
            let left = self.nodes[at];
            let on_the_left = if left.score == score { left.tied } else { 0 };
            if ticket >= on_the_left {
                ticket -= on_the_left;
                at += 1;
            }
        }
        (at - self.leaves) as MemberId
    }

    /// As [`least`](Self::least), of the candidates alone, of whom one at least must take part:
    /// those left out stand aside for the moment.
    #[inline]
    pub fn least_of(&mut self, candidates: Candidates<'_>, rng: &mut Rng) -> MemberId {
        if candidates.are_all() {
            self.least(rng)
        } else {
            self.least_other(candidates, rng)
        }
    }

    #[cold]
    fn least_other(&mut self, candidates: Candidates<'_>, rng: &mut Rng) -> MemberId {
        let node = |member: MemberId| self.nodes[self.leaves + member as usize];
        let aside: Vec<(MemberId, Node)> = candidates
            .left_out()
            .map(|member| (member, node(member)))
            .collect();
        for &(member, _) in &aside {
            self.remove(member);
        }
        let least = self.least(rng);
        for (member, node) in aside {
            self.place(member, node);
        }
        least
    }

    #[inline]
    fn place(&mut self, member: MemberId, node: Node) {
        let mut at = self.leaves + member as usize;
        self.nodes[at] = node;
        while at > 1 {
            at /= 2;
            self.nodes[at] = Node::winner(self.nodes[2 * at], self.nodes[2 * at + 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lbsim_engine::rng::{Domain, Seeds};
    use proptest::prelude::*;

    #[test]
    fn ties_are_drawn_by_weight() {
        let mut rng = Seeds::new(5, 0).stream(Domain::Strategy, 0);
        let mut tournament = Tournament::new(4);
        for (member, score, weight) in [(0, 1.0, 1), (1, 2.0, 9), (2, 1.0, 3), (3, 1.0, 4)] {
            tournament.set(member, score, weight);
        }
        let mut hits = [0u64; 4];
        for _ in 0..80_000 {
            hits[tournament.least(&mut rng) as usize] += 1;
        }
        // 4.5 standard deviations of the largest cell are 636 (false alarm 3e-5).
        let expected = [10_000, 0, 30_000, 40_000];
        assert!(
            hits.iter()
                .zip(expected)
                .all(|(&h, e): (&u64, u64)| h.abs_diff(e) < 636),
            "{hits:?}"
        );
    }

    proptest! {
        #[test]
        fn the_least_is_the_least(n in 1usize..20, steps in prop::collection::vec((0usize..20, 0u8..6, 1u32..4), 1..200)) {
            let mut rng = Seeds::new(1, 0).stream(Domain::Strategy, 0);
            let mut tournament = Tournament::new(n);
            let mut scores = vec![None; n];
            for (member, score, weight) in steps {
                let m = member % n;
                if score == 5 {
                    scores[m] = None;
                    tournament.remove(m as u32);
                } else {
                    scores[m] = Some(score);
                    tournament.set(m as u32, f64::from(score), weight);
                }
                let Some(least) = scores.iter().flatten().min() else { continue };
                let picked = tournament.least(&mut rng) as usize;
                prop_assert_eq!(scores[picked].as_ref(), Some(least));
            }
        }
    }
}
