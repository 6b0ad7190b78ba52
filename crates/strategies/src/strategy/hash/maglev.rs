//! The lookup table of Maglev: each backend has its own order of preference over the slots, and
//! takes the best free one when its turn comes.
//!
//! Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI 2016,
//! section 3.4.

/// What decides the slots of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference {
    /// The slot that it likes best, below the size of the table.
    pub offset: u32,
    /// How far on the next one lies: from 1 to below the size of the table.
    pub skip: u32,
    /// How many slots it takes each time its turn comes; with 0 it gets none. The paper knows
    /// only 1.
    pub turns: u32,
}

/// Fills a table of `size` slots, a prime: which backend each belongs to. It is empty where no
/// backend takes part.
///
/// ```
/// use lbsim_strategies::strategy::hash::maglev::{Preference, fill};
/// // Table 1 of the paper.
/// let backends = [(3, 4), (0, 2), (3, 1)];
/// let backends = backends.map(|(offset, skip)| Preference { offset, skip, turns: 1 });
/// assert_eq!(fill(7, &backends), [1, 0, 1, 0, 2, 2, 0]);
/// ```
pub fn fill(size: u32, backends: &[Preference]) -> Vec<u32> {
    if backends.iter().all(|backend| backend.turns == 0) {
        return Vec::new();
    }
    const FREE: u32 = u32::MAX;
    let mut table = vec![FREE; size as usize];
    let mut wishes: Vec<u32> = backends.iter().map(|backend| backend.offset).collect();
    let mut free = size;
    loop {
        for (at, backend) in backends.iter().enumerate() {
            for _ in 0..backend.turns {
                let wish = &mut wishes[at];
                while table[*wish as usize] != FREE {
                    *wish = (*wish + backend.skip) % size;
                }
                table[*wish as usize] = at as u32;
                free -= 1;
                if free == 0 {
                    return table;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_weights_and_nobody_gets_nothing() {
        let backend = |offset, skip, turns| Preference {
            offset,
            skip,
            turns,
        };
        let table = fill(
            101,
            &[backend(3, 7, 3), backend(50, 1, 1), backend(0, 1, 0)],
        );
        let share = |of| table.iter().filter(|&&at| at == of).count();
        assert_eq!((share(0), share(1), share(2)), (76, 25, 0));
        assert!(fill(7, &[]).is_empty());
        assert!(fill(7, &[backend(0, 1, 0)]).is_empty());
    }
}
