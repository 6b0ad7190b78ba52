//! Weights of one range as whole numbers of another, with as little change to the shares as may be.

use std::ops::RangeInclusive;

/// Weights in a range, and what rounding does.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounded {
    /// The weights, in the order of those that were given.
    pub weights: Vec<u32>,
    /// The largest change of a server's share, relative to the share that it should have; 0.01 is
    /// one percent of it.
    pub largest_error: f64,
}

/// Scales that are tried: from the largest weight that the range takes down to so many less.
const SCALES: u32 = 1000;

/// Brings weights into `range`. Those that are in it already stay; otherwise they are scaled so
/// that the largest relative error of a share is the least, and of scales that are equally good the
/// smallest is taken. A weight of 0 stays 0 where the range has 0, and becomes its least otherwise;
/// no other weight becomes 0.
pub fn round(weights: &[u32], range: &RangeInclusive<u32>) -> Rounded {
    if weights.iter().all(|weight| range.contains(weight)) {
        return Rounded {
            weights: weights.to_vec(),
            largest_error: 0.0,
        };
    }
    let largest = weights.iter().copied().max().unwrap_or(1).max(1);
    let top = *range.end();
    let least_of = |weight: u32| match weight {
        0 => *range.start(),
        _ => (*range.start()).max(1),
    };
    let scaled = |to: u32| -> Vec<u32> {
        weights
            .iter()
            .map(|&weight| {
                let exact = f64::from(weight) * f64::from(to) / f64::from(largest);
                (exact.round() as u32).clamp(least_of(weight), top)
            })
            .collect()
    };
    let mut best: Option<Rounded> = None;
    for to in top.saturating_sub(SCALES).max(1)..=top {
        let own = scaled(to);
        let error = error(weights, &own);
        if best.as_ref().is_none_or(|best| error < best.largest_error) {
            best = Some(Rounded {
                weights: own,
                largest_error: error,
            });
        }
    }
    best.unwrap_or(Rounded {
        weights: weights.to_vec(),
        largest_error: 0.0,
    })
}

/// The largest relative error of a share.
fn error(wanted: &[u32], got: &[u32]) -> f64 {
    let sum = |weights: &[u32]| weights.iter().map(|&weight| f64::from(weight)).sum::<f64>();
    let (all, others) = (sum(wanted), sum(got));
    wanted
        .iter()
        .zip(got)
        .filter(|(wanted, _)| **wanted > 0)
        .map(|(&wanted, &got)| {
            let (wanted, got) = (f64::from(wanted) / all, f64::from(got) / others);
            (got / wanted - 1.0).abs()
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_fits_stays_and_the_rest_keeps_its_shares() {
        assert_eq!(round(&[3, 1, 0], &(0..=256)).weights, [3, 1, 0]);
        // 1000 to 250 is 4 to 1: exact.
        let exact = round(&[1000, 250], &(0..=256));
        assert_eq!((exact.weights, exact.largest_error), (vec![4, 1], 0.0));
        let rounded = round(&[1000, 333, 1], &(0..=256));
        assert!(rounded.weights[2] >= 1 && rounded.largest_error > 0.0);
        assert_eq!(round(&[500, 0], &(1..=256)).weights[1], 1);
    }

    proptest! {
        #[test]
        fn weights_are_in_the_range_and_near(weights in prop::collection::vec(1u32..100_000, 1..20)) {
            let rounded = round(&weights, &(0..=256));
            prop_assert!(rounded.weights.iter().all(|weight| (1..=256).contains(weight)));
            // At the scale of 256 each weight is off by half a unit at most: so are the least of
            // them, and all together by no larger share. Less than a unit cannot be kept.
            let largest = f64::from(*weights.iter().max().unwrap());
            let least = f64::from(*weights.iter().min().unwrap());
            let units = 256.0 * least / largest;
            prop_assert!(units < 1.0 || rounded.largest_error <= 2.0 / units, "{rounded:?}");
        }
    }
}
