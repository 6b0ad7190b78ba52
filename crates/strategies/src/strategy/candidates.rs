//! Whom a rule may pick for the request at hand.

use super::pool::{MemberId, Pool};
use lbsim_engine::rng::{Rng, below};

/// The eligible members, less those that the request has been tried on before: a view of the pool
/// for one pick. Where all eligible ones have been tried, all of them again.
///
/// To have been tried is nothing that happens to a member, and no news: the pool and what a rule
/// has learned of the member stay as they are. Where nobody has been tried, which is nearly always,
/// the view costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    pool: &'a Pool,
    /// Those left out: eligible or not, in any order.
    tried: &'a [MemberId],
    /// How many of the eligible are left out.
    fewer: usize,
}

impl<'a> Candidates<'a> {
    /// The eligible members of `pool` that are not among `tried`, or else all eligible ones.
    #[inline]
    pub fn new(pool: &'a Pool, tried: &'a [MemberId]) -> Candidates<'a> {
        let all = Candidates {
            pool,
            tried: &[],
            fewer: 0,
        };
        if tried.is_empty() {
            all
        } else {
            all.without(tried)
        }
    }

    #[cold]
    fn without(self, tried: &'a [MemberId]) -> Candidates<'a> {
        let is_new =
            |at: usize| self.pool.is_eligible(tried[at]) && !tried[..at].contains(&tried[at]);
        let fewer = (0..tried.len()).filter(|&at| is_new(at)).count();
        if fewer == self.pool.eligible().len() {
            return self;
        }
        Candidates {
            tried,
            fewer,
            ..self
        }
    }

    /// How many there are: at least one, since a rule is asked only where somebody is eligible.
    #[inline]
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.pool.eligible().len() - self.fewer
    }

    /// Whether these are all eligible members: nobody is left out.
    #[inline]
    pub fn are_all(&self) -> bool {
        self.fewer == 0
    }

    /// Whether `member` is one of them.
    #[inline]
    pub fn contains(&self, member: MemberId) -> bool {
        self.pool.is_eligible(member) && (self.are_all() || !self.tried.contains(&member))
    }

    /// Number `at`, counted from 0, in no particular order.
    ///
    /// # Panics
    /// Where `at` is not less than [`len`](Self::len).
    #[inline]
    pub fn get(&self, at: usize) -> MemberId {
        let member = self.pool.eligible()[at];
        if self.are_all() {
            member
        } else {
            self.get_other(at, member)
        }
    }

    /// As if those left out had changed places with the last of the eligible.
    #[cold]
    fn get_other(&self, at: usize, member: MemberId) -> MemberId {
        let (front, back) = self.pool.eligible().split_at(self.len());
        if self.contains(member) {
            return member;
        }
        let before = front[..at].iter().filter(|&&m| !self.contains(m)).count();
        let mut others = back.iter().copied().filter(|&m| self.contains(m));
        others
            .nth(before)
            .expect("as many are left out in front as there are candidates behind")
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = MemberId> {
        let eligible = self.pool.eligible().iter().copied();
        eligible.filter(|&member| self.are_all() || !self.tried.contains(&member))
    }

    /// One of them, each as likely.
    #[inline]
    pub fn draw(&self, rng: &mut Rng) -> MemberId {
        self.get(below(rng, self.len()))
    }

    /// The first of them at or after `from` in the order of the scenario, round the end.
    #[inline]
    pub fn next(&self, from: MemberId) -> MemberId {
        let mut member = self.pool.next_eligible(from);
        while !self.are_all() && self.tried.contains(&member) {
            member = self.pool.next_eligible(member + 1);
        }
        member
    }

    /// The eligible members that are left out, each once: an index finds its way round them.
    pub fn left_out(&self) -> impl Iterator<Item = MemberId> {
        let tried = if self.are_all() { &[] } else { self.tried };
        (0..tried.len())
            .filter(move |&at| !tried[..at].contains(&tried[at]))
            .map(|at| tried[at])
            .filter(|&member| self.pool.is_eligible(member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::Member;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_the_eligible_less_the_tried(
            n in 1u32..70,
            out in prop::collection::vec(0u32..70, 0..60),
            tried in prop::collection::vec(0u32..70, 0..6),
            from in 0u32..70,
        ) {
            let mut pool = Pool::new((0..n).map(|position| Member::new(position, 1)).collect());
            for member in out.iter().filter(|&&member| member < n) {
                pool.set_eligible(*member, false);
            }
            let tried: Vec<MemberId> = tried.into_iter().filter(|&member| member < n).collect();
            prop_assume!(!pool.eligible().is_empty());
            let mut expected: Vec<MemberId> = pool.eligible().to_vec();
            expected.retain(|member| !tried.contains(member));
            if expected.is_empty() {
                expected = pool.eligible().to_vec();
            }
            expected.sort_unstable();
            let candidates = Candidates::new(&pool, &tried);
            let sorted = |members: &mut dyn Iterator<Item = MemberId>| {
                let mut members: Vec<MemberId> = members.collect();
                members.sort_unstable();
                members
            };
            prop_assert_eq!(candidates.len(), expected.len());
            prop_assert_eq!(&sorted(&mut candidates.iter()), &expected);
            let mut numbered = (0..candidates.len()).map(|at| candidates.get(at));
            prop_assert_eq!(&sorted(&mut numbered), &expected);
            let mut contained = (0..n).filter(|&member| candidates.contains(member));
            prop_assert_eq!(&sorted(&mut contained), &expected);
            let mut rest = pool.eligible().iter().copied().filter(|member| !expected.contains(member));
            prop_assert_eq!(sorted(&mut candidates.left_out()), sorted(&mut rest));
            let from = from % n;
            let next = expected.iter().find(|&&member| member >= from).unwrap_or(&expected[0]);
            prop_assert_eq!(candidates.next(from), *next);
        }
    }
}
