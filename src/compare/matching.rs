//! Which strategy of one result is compared with which of another.

/// A strategy of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// What it is called in tables.
    pub name: String,
    /// What kind it is, whatever its settings.
    pub kind: String,
    /// All of its settings, in any form that is the same for the same.
    pub settings: String,
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

/// By what two are matched, if one can be.
type MatchedBy<'a> = &'a dyn Fn(&Contestant) -> Option<String>;

/// Matches strategies by name and settings; of those left over, which may be called otherwise
/// beside others, those with names of the strategy's own by settings; then by name, by settings,
/// and by kind. By settings and kind only where each side has one such
/// alone: of several nobody knows which is meant. Where each side has a single strategy they are
/// what is compared, whatever they are called.
pub fn matching(before: &[Contestant], after: &[Contestant]) -> Matching {
    if let ([_], [_]) = (before, after) {
        return Matching {
            pairs: vec![(0, 0)],
            ..Matching::default()
        };
    }
    let mut found: Vec<Option<usize>> = vec![None; before.len()];
    // A name that is the strategy's own says settings only where another of its kind stands beside
    // it: there the settings say who it is.
    let own_name = |own: &Contestant| match own.name.strip_prefix(&own.kind) {
        Some(rest) => rest.is_empty() || rest.starts_with(" ("),
        None => false,
    };
    let words: [MatchedBy<'_>; 5] = [
        &|own| Some(format!("{} {}", own.name, own.settings)),
        &|own| own_name(own).then(|| own.settings.clone()),
        &|own| Some(own.name.clone()),
        &|own| Some(own.settings.clone()),
        &|own| Some(own.kind.clone()),
    ];
    for word in words {
        let left = |at: &usize| !found.contains(&Some(*at));
        let ours: Vec<usize> = (0..after.len()).filter(left).collect();
        let theirs: Vec<usize> = (0..before.len())
            .filter(|&at| found[at].is_none())
            .collect();
        for &at in &theirs {
            let own = word(&before[at]);
            if own.is_none() {
                continue;
            }
            let alike = theirs.iter().filter(|&&one| word(&before[one]) == own);
            let mut others = ours.iter().filter(|&&one| word(&after[one]) == own);
            if let (1, Some(&other), None) = (alike.count(), others.next(), others.next()) {
                found[at] = Some(other);
            }
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

    /// `name = kind settings`, or that without a name of its own.
    fn named(names: &[&str]) -> Vec<Contestant> {
        let each = names.iter().map(|text| {
            let (name, settings) = text.split_once(" = ").unwrap_or((text, text));
            Contestant {
                name: name.to_owned(),
                kind: settings.split(' ').next().unwrap_or_default().to_owned(),
                settings: settings.to_owned(),
            }
        });
        each.collect()
    }

    #[test]
    fn by_name_then_by_settings_then_by_kind() {
        let before = named(&["random", "power-of-d", "gone", "ring a", "ring b"]);
        let after = named(&["power-of-d d=3", "random", "new", "ring b", "ring c"]);
        let found = matching(&before, &after);
        assert_eq!(found.pairs, [(0, 1), (1, 0), (3, 4), (4, 3)]);
        assert_eq!((found.only_before, found.only_after), (vec![2], vec![2]));
        // Two of a kind: nobody knows which is meant.
        let found = matching(&named(&["ring a", "ring b"]), &named(&["ring c", "x"]));
        assert_eq!((found.pairs.len(), found.only_before), (0, vec![0, 1]));
        // Beside another of its kind a name says settings, and alone it does not.
        let before = named(&["ring (a)", "ring (b)", "x"]);
        let before: Vec<Contestant> = (before.into_iter())
            .map(|own| Contestant {
                settings: own.name.replace(['(', ')'], ""),
                ..own
            })
            .collect();
        let found = matching(&before, &named(&["y", "ring = ring b"]));
        assert_eq!((found.pairs, found.only_after), (vec![(1, 1)], vec![0]));
        // A name that both have is not the same strategy where its settings stand elsewhere.
        let before = named(&["ring = ring d=2", "ring (d=3) = ring d=3", "x"]);
        let found = matching(&before, &named(&["ring = ring d=3", "x"]));
        assert_eq!(
            (found.pairs, found.only_before),
            (vec![(1, 0), (2, 1)], vec![0])
        );
        // A strategy for another is the whole question.
        assert_eq!(matching(&named(&["a"]), &named(&["b"])).pairs, [(0, 0)]);
        assert_eq!(matching(&[], &named(&["b"])).only_after, [0]);
    }
}
