//! Running totals of weights that may change: a member by its share of the total, in log n.
//!
//! A binary indexed tree (Fenwick, "A new data structure for cumulative frequency tables",
//! Software: Practice and Experience 24(3), 1994).

use crate::strategy::{Candidates, MemberId};

/// Weights in a row, their total, and who stands at a given height of the pile.
#[derive(Clone, Debug)]
pub struct Cumulative {
    /// One-based: `tree[i]` holds the weights of the `i & -i` members that end with member `i - 1`.
    /// As long as the next power of two, and beyond the members more than any height.
    tree: Vec<u64>,
    weights: Vec<u64>,
    total: u64,
}

impl Cumulative {
    /// `n` members of weight zero.
    pub fn new(n: usize) -> Cumulative {
        Cumulative {
            tree: (0..(n + 1).next_power_of_two())
                .map(|at| if at <= n { 0 } else { u64::MAX })
                .collect(),
            weights: vec![0; n],
            total: 0,
        }
    }

    /// The sum of all weights.
    #[inline]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Gives a member its weight.
    pub fn set(&mut self, member: MemberId, weight: u64) {
        let old = std::mem::replace(&mut self.weights[member as usize], weight);
        self.total = self.total - old + weight;
        let mut at = member as usize + 1;
        while at <= self.weights.len() {
            self.tree[at] = self.tree[at] - old + weight;
            at += at & at.wrapping_neg();
        }
    }

    /// The candidate whose stretch covers a height of the pile of candidates: `height` says which,
    /// below their total. Those left out stand aside for the moment.
    #[inline]
    pub fn find_of(
        &mut self,
        candidates: Candidates<'_>,
        height: impl FnOnce(u64) -> u64,
    ) -> MemberId {
        if candidates.are_all() {
            return self.find(height(self.total));
        }
        let weight = |member: MemberId| self.weights[member as usize];
        let aside: Vec<(MemberId, u64)> = candidates
            .left_out()
            .map(|member| (member, weight(member)))
            .collect();
        for &(member, _) in &aside {
            self.set(member, 0);
        }
        let found = self.find(height(self.total));
        for (member, weight) in aside {
            self.set(member, weight);
        }
        found
    }

    /// The member whose stretch of the pile covers `height`, which must be below [`Self::total`].
    #[inline]
    pub fn find(&self, mut height: u64) -> MemberId {
        debug_assert!(height < self.total);
        let mut at = 0;
        let mut step = self.tree.len() / 2;
        while step > 0 {
            // Either way is as likely: a choice of values, not of ways, cannot be mispredicted.
            let next = at + step;
            let below = self.tree[next];
            let beyond = below <= height;
            height -= if beyond { below } else { 0 };
            at = if beyond { next } else { at };
            step /= 2;
        }
        at as MemberId
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_as_walking_does(changes in prop::collection::vec((0usize..33, 0u64..5), 1..80), n in 1usize..33) {
            let mut cumulative = Cumulative::new(n);
            let mut weights = vec![0; n];
            for (member, weight) in changes {
                weights[member % n] = weight;
                cumulative.set((member % n) as u32, weight);
            }
            prop_assert_eq!(cumulative.total(), weights.iter().sum::<u64>());
            let pile = (0..n).flat_map(|m| std::iter::repeat_n(m as u32, weights[m] as usize));
            for (height, member) in pile.enumerate() {
                prop_assert_eq!(cumulative.find(height as u64), member);
            }
        }
    }
}
