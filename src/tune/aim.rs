//! What a search is after, where two metrics are to become better: the one, the other, or a balance
//! of both; and what an answer is compared by.

/// What makes one number of two losses, each relative to the current configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// The first alone.
    First,
    /// The second alone.
    Second,
    /// Both: the augmented Chebyshev scalarization, which reaches every point of a front, be it
    /// hollow (Miettinen, *Nonlinear Multiobjective Optimization*, 1999, section 3.4.5).
    Both {
        /// How much the first counts, between 0 and 1; the second counts the rest.
        share: f64,
        /// The losses at the best that each alone can be.
        ideal: [f64; 2],
        /// What each is where the other is at its best.
        nadir: [f64; 2],
    },
    /// The mean of both, by which an answer is compared and not searched: 1 is as good as `now`,
    /// 0.9 is better by a tenth on average.
    Mean {
        /// The losses of the current configuration.
        now: [f64; 2],
    },
}

/// The shares of the points of a front between its ends.
pub(super) const BETWEEN: [f64; 3] = [0.75, 0.5, 0.25];

/// What the sum of both adds: of points with the same worst part, the one with the better other
/// part.
const AUGMENT: f64 = 0.05;
/// A front that is narrower than this, of what there is now, is a point: where the same is best in
/// both, luck must not be measured against nothing.
const NARROWEST: f64 = 0.01;
/// A loss so many times as far from the ideal as the nadir is as bad as any.
const FARTHEST: f64 = 100.0;

impl Aim {
    /// The loss, of both losses.
    pub(super) fn of(self, losses: [f64; 2]) -> f64 {
        match self {
            Aim::First => losses[0],
            Aim::Second => losses[1],
            Aim::Both {
                share,
                ideal,
                nadir,
            } => {
                let part = |at: usize| {
                    let way = (nadir[at] - ideal[at]).max(NARROWEST);
                    ((losses[at] - ideal[at]) / way).min(FARTHEST)
                };
                let (one, two) = (share * part(0), (1.0 - share) * part(1));
                one.max(two) + AUGMENT * (one + two)
            }
            Aim::Mean { now } => {
                let change = |at: usize| losses[at] - now[at];
                1.0 + f64::midpoint(change(0), change(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_is_best_in_both_luck_stays_small() {
        let aim = Aim::Both {
            share: 0.5,
            ideal: [0.8, 0.9],
            nadir: [0.8, 0.9],
        };
        assert_eq!(aim.of([0.8, 0.9]), 0.0);
        assert!(aim.of([0.801, 0.9]) < 0.1);
        // A tenth less of the one, and a tenth more of the other, of which more is better.
        let mean = Aim::Mean { now: [1.0, -1.0] };
        assert_eq!(mean.of([1.0, -1.0]), 1.0);
        assert!((mean.of([0.9, -1.1]) - 0.9).abs() < 1e-12);
    }

    #[test]
    fn the_share_chooses_a_point_of_the_front() {
        // The front x + y = 1 from (0, 1) to (1, 0), in units that differ a thousandfold.
        let points = (0..=100).map(|at| f64::from(at) / 100.0);
        let points: Vec<[f64; 2]> = points.map(|x| [x, (1.0 - x) * 1000.0]).collect();
        let best = |aim: Aim| {
            let least = |a: &&[f64; 2], b: &&[f64; 2]| aim.of(**a).total_cmp(&aim.of(**b));
            points.iter().min_by(least).unwrap()[0]
        };
        let both = |share| Aim::Both {
            share,
            ideal: [0.0, 0.0],
            nadir: [1.0, 1000.0],
        };
        assert_eq!(best(Aim::First), 0.0);
        assert_eq!(best(Aim::Second), 1.0);
        // Where share x = (1 - share) (1 - x).
        assert_eq!(best(both(0.5)), 0.5);
        assert_eq!(best(both(0.75)), 0.25);
        assert_eq!(best(both(0.25)), 0.75);
    }
}
