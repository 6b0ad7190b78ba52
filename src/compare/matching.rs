//! Which strategy of one result is compared with which of another.

/// A strategy of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// What it is called in tables.
    pub name: String,
    /// What kind it is, whatever its settings.
    pub kind: String,
}

/// Who is compared with whom: places in the lists of strategies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Of the baseline, and of the other.
    pub pairs: Vec<(usize, usize)>,
    /// Those of the baseline that have nobody.
    pub only_before: Vec<usize>,
    /// Those of the other that have nobody.
    pub only_after: Vec<usize>,
}

/// Matches strategies by name. Names say settings, so that of those left over two of one kind are
/// the same with other settings, where each side has one of that kind only. Where each side has a
/// single strategy they are what is compared, whatever they are called.
pub fn matching(before: &[Contestant], after: &[Contestant]) -> Matching {
    if let ([_], [_]) = (before, after) {
        return Matching {
            pairs: vec![(0, 0)],
            ..Matching::default()
        };
    }
    let mut found: Vec<Option<usize>> = (before.iter())
        .map(|own| after.iter().position(|other| other.name == own.name))
        .collect();
    let left_before: Vec<usize> = (0..before.len())
        .filter(|&at| found[at].is_none())
        .collect();
    let left_after: Vec<usize> = (0..after.len())
        .filter(|&at| !found.contains(&Some(at)))
        .collect();
    for &at in &left_before {
        let kind = &before[at].kind;
        let alike = left_before.iter().filter(|&&one| before[one].kind == *kind);
        let mut others = left_after.iter().filter(|&&one| after[one].kind == *kind);
        if let (1, Some(&other), None) = (alike.count(), others.next(), others.next()) {
            found[at] = Some(other);
        }
    }
    let pairs = found.iter().enumerate();
    Matching {
        pairs: pairs
            .filter_map(|(at, other)| Some((at, (*other)?)))
            .collect(),
        only_before: (0..before.len())
            .filter(|&at| found[at].is_none())
            .collect(),
        only_after: (0..after.len())
            .filter(|&at| !found.contains(&Some(at)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Contestant> {
        let each = names.iter().map(|name| Contestant {
            name: (*name).to_owned(),
            kind: name.split(' ').next().unwrap_or_default().to_owned(),
        });
        each.collect()
    }

    #[test]
    fn by_name_then_by_kind() {
        let before = named(&["random", "power-of-d", "gone", "ring a", "ring b"]);
        let after = named(&["power-of-d d=3", "random", "new", "ring b", "ring c"]);
        let found = matching(&before, &after);
        assert_eq!(found.pairs, [(0, 1), (1, 0), (3, 4), (4, 3)]);
        assert_eq!((found.only_before, found.only_after), (vec![2], vec![2]));
        // Two of a kind: nobody knows which is meant.
        let found = matching(&named(&["ring a", "ring b"]), &named(&["ring c", "x"]));
        assert_eq!((found.pairs.len(), found.only_before), (0, vec![0, 1]));
        // A strategy for another is the whole question.
        assert_eq!(matching(&named(&["a"]), &named(&["b"])).pairs, [(0, 0)]);
        assert_eq!(matching(&[], &named(&["b"])).only_after, [0]);
    }
}
