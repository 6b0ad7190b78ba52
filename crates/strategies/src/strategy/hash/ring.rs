//! A ring of points that belong to members: the successors of a key, round the ring.
//!
//! Karger et al., "Consistent hashing and random trees", STOC 1997.

use crate::strategy::MemberId;
use lbsim_engine::rng::mix;

/// Points on a ring, in order.
#[derive(Clone, Debug)]
pub struct Ring {
    points: Vec<(u64, MemberId)>,
    /// `starts[b]` is the first point whose leading bits are at least `b`.
    starts: Vec<u32>,
    shift: u32,
}

/// Members and keys are hashed apart: with one function over the same small integers, key 7 would
/// lie on a point of member 7.
const POINT: u64 = 0x706f_696e_7473;
const KEY: u64 = 0x6b65_7973;

impl Ring {
    /// A ring on which a member of average weight has so many points, and the others by their
    /// weight. `salt` is part of the hash of each point.
    pub fn new(weights: &[u32], points_each: u32, salt: u64) -> Ring {
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let mut points: Vec<(u64, MemberId)> = Vec::new();
        for (member, &weight) in weights.iter().enumerate() {
            let share = f64::from(weight) * weights.len() as f64 / total;
            let own = (share * f64::from(points_each))
                .round()
                .max(f64::from(weight.min(1)));
            let base = mix(mix(POINT ^ salt) ^ mix(member as u64));
            points
                .extend((0..own as u64).map(|point| (mix(base ^ mix(point)), member as MemberId)));
        }
        points.sort_unstable();
        let bits = points.len().next_power_of_two().trailing_zeros().max(1);
        let shift = 64 - bits;
        let mut starts = Vec::with_capacity(1 << bits);
        let mut at = 0;
        for leading in 0..1u64 << bits {
            while at < points.len() && points[at].0 >> shift < leading {
                at += 1;
            }
            starts.push(at as u32);
        }
        Ring {
            points,
            starts,
            shift,
        }
    }

    /// Whose points come after that of a key, one point after the other, once round the ring.
    #[inline]
    pub fn successors(&self, key: u64) -> impl Iterator<Item = MemberId> {
        let first = self.locate(mix(mix(KEY) ^ mix(key)));
        let (before, after) = self.points.split_at(first);
        after.iter().chain(before).map(|&(_, member)| member)
    }

    /// The first point at or after `hash`, as an index; the end where there is none.
    #[inline]
    fn locate(&self, hash: u64) -> usize {
        let mut at = self.starts[(hash >> self.shift) as usize] as usize;
        while at < self.points.len() && self.points[at].0 < hash {
            at += 1;
        }
        at
    }
}
