//! Which value is tried next. Values go by their ease: at 0 the objective is the hardest to meet,
//! and whoever meets it at one of them is taken to meet it at all that come after.

use std::collections::BTreeMap;

use crate::requirement::Decision;

/// What is known of where an objective begins to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verge {
    /// The hardest value at which it is shown to hold.
    pub holds: Option<usize>,
    /// The easiest below that at which it is shown to fail.
    pub fails: Option<usize>,
    /// What was tried between the two, and not decided.
    pub undecided: Vec<usize>,
}

impl Verge {
    /// What is known after some decisions.
    pub fn of(known: &BTreeMap<usize, Decision>) -> Verge {
        let all = || known.iter().map(|(&ease, &decision)| (ease, decision));
        let holds = all().find(|own| own.1 == Decision::Holds).map(|own| own.0);
        let below = || all().filter(move |own| holds.is_none_or(|holds| own.0 < holds));
        let fails = below()
            .rfind(|own| own.1 == Decision::Fails)
            .map(|own| own.0);
        let undecided = below()
            .filter(|own| fails.is_none_or(|fails| own.0 > fails))
            .filter(|own| own.1 == Decision::NotShown);
        Verge {
            holds,
            fails,
            undecided: undecided.map(|own| own.0).collect(),
        }
    }

    /// What is to be tried next among `count` values; `None` where nothing more can be learnt. What
    /// was not decided is not tried again: the answer is then a stretch, whose ends are looked for.
    pub fn next(&self, count: usize) -> Option<usize> {
        let Some(holds) = self.holds else {
            let easiest = count - 1;
            let is_known = self.fails == Some(easiest) || self.undecided.contains(&easiest);
            return (!is_known).then_some(easiest);
        };
        // Free values begin behind the one before them, and end before the one after.
        let first = self.fails.map_or(0, |fails| fails + 1);
        let below = (first, self.undecided.first().copied().unwrap_or(holds));
        let above = (self.undecided.last().map_or(first, |last| last + 1), holds);
        let (from, to) = match below.1 - below.0 >= above.1 - above.0 {
            true => below,
            false => above,
        };
        (from < to).then(|| from + (to - from) / 2)
    }

    /// Whether the answer is known: the value is shown to hold, and the one before it to fail if
    /// there is one; or even the easiest of `count` is shown to fail.
    pub fn is_decided(&self, count: usize) -> bool {
        match (self.holds, self.fails) {
            (Some(0), _) => true,
            (Some(holds), Some(fails)) => fails + 1 == holds,
            (None, Some(fails)) => fails + 1 == count,
            _ => false,
        }
    }
}

/// Values that a search among `count` tries at most, as long as all are decided.
pub fn steps(count: usize) -> u32 {
    count.next_power_of_two().ilog2() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn search(count: usize, truth: impl Fn(usize) -> Decision) -> (Verge, usize) {
        let mut known = BTreeMap::new();
        loop {
            let verge = Verge::of(&known);
            match verge.next(count) {
                Some(ease) => {
                    let twice = known.insert(ease, truth(ease));
                    assert_eq!(twice, None, "tried twice: {ease}");
                }
                None => return (verge, known.len()),
            }
        }
    }

    #[test]
    fn ends_are_told_apart() {
        use Decision::{Fails, Holds, NotShown};
        let (verge, tried) = search(10, |_| Fails);
        assert_eq!((verge.holds, verge.fails, tried), (None, Some(9), 1));
        assert!(verge.is_decided(10));
        let (verge, _) = search(10, |_| Holds);
        assert_eq!((verge.holds, verge.fails), (Some(0), None));
        assert!(verge.is_decided(10));
        let (verge, tried) = search(10, |_| NotShown);
        assert_eq!((verge.holds, tried), (None, 1));
        assert_eq!(verge.undecided, [9]);
        assert!(!verge.is_decided(10));
    }

    proptest! {
        /// Any stretch of undecided values is found with its ends; without one, the answer is, in
        /// as few steps as promised.
        #[test]
        fn the_verge_is_found(count in 2_usize..500, at in 0_usize..500, wide in 0_usize..6) {
            let (first, last) = (at % count, (at % count + wide).min(count - 1));
            let (verge, tried) = search(count, |ease| match ease {
                ease if ease < first => Decision::Fails,
                ease if ease < last => Decision::NotShown,
                _ => Decision::Holds,
            });
            prop_assert_eq!(verge.holds, Some(last));
            prop_assert_eq!(verge.fails, first.checked_sub(1));
            prop_assert_eq!(verge.is_decided(count), first == last || last == 0);
            if first == last {
                prop_assert!(tried as u32 <= steps(count), "{} of {}", tried, count);
            } else {
                let ends = [verge.undecided.first(), verge.undecided.last()];
                prop_assert_eq!(ends, [Some(&first), Some(&(last - 1))]);
            }
        }
    }
}
