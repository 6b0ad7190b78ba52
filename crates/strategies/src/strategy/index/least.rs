//! Members ordered by any key, with nothing left to chance: the least, and with each change of a
//! key log n.
//!
//! A winner tree, as [`Tournament`](super::Tournament), whose ties are whatever the key's own order
//! makes of them.

use crate::strategy::MemberId;

/// The member with the least of many keys, kept while they change.
#[derive(Clone, Debug)]
pub struct Least<K> {
    /// By member; none where it does not take part.
    keys: Vec<Option<K>>,
    /// A complete binary tree in heap order: the root at 1, the leaf of member `m` at `leaves + m`.
    /// Each node holds the winner below it.
    winners: Vec<Option<MemberId>>,
    leaves: usize,
}

impl<K: Ord + Clone> Least<K> {
    /// Room for `n` members; nobody takes part yet.
    pub fn new(n: usize) -> Least<K> {
        let leaves = n.next_power_of_two();
        Least {
            keys: vec![None; n],
            winners: vec![None; 2 * leaves],
            leaves,
        }
    }

    /// The member with the least key; of equal keys, that of the least member.
    #[inline]
    pub fn first(&self) -> Option<MemberId> {
        self.winners[1]
    }

    /// Gives a member its key, or takes it out.
    #[inline]
    pub fn set(&mut self, member: MemberId, key: Option<K>) {
        let mut at = self.leaves + member as usize;
        self.winners[at] = key.is_some().then_some(member);
        self.keys[member as usize] = key;
        while at > 1 {
            at /= 2;
            let winner = self.winner(self.winners[2 * at], self.winners[2 * at + 1]);
            if winner == self.winners[at] && winner != Some(member) {
                return;
            }
            self.winners[at] = winner;
        }
    }

    #[inline]
    fn winner(&self, left: Option<MemberId>, right: Option<MemberId>) -> Option<MemberId> {
        match (left, right) {
            (Some(l), Some(r)) if self.keys[r as usize] < self.keys[l as usize] => right,
            (Some(_), _) => left,
            (None, _) => right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_least_is_the_least(
            n in 1usize..20,
            steps in prop::collection::vec((0usize..20, prop::option::of(0u8..6)), 1..200),
        ) {
            let mut least = Least::new(n);
            let mut keys = vec![None; n];
            for (member, key) in steps {
                keys[member % n] = key;
                least.set((member % n) as u32, key);
                let expected = (0..n as u32).filter_map(|m| Some((keys[m as usize]?, m))).min();
                prop_assert_eq!(least.first(), expected.map(|(_, m)| m));
            }
        }
    }
}
