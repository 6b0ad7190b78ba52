//! A log made ready: in order of time, with the number of requests that each one found.

use std::ops::Range;

use rand::SeedableRng as _;

use super::{NoFit, Visit};
use crate::rng::{Rng, uniform};

/// Fewer visits say too little about anything.
pub(super) const FEWEST: usize = 200;
/// Three years, in nanoseconds: no log is longer, and all sums of times in it fit.
const LONGEST: i128 = 100_000_000_000_000_000;
/// The share of the visits that may be left out at either end of the log.
const EDGE: usize = 10;
/// The seed of the places between ticks: the same log has the same fit.
const SEED: u64 = 0xd17e;

/// Something that happens: the arrival or the departure of a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happening {
    /// When, in nanoseconds since the first arrival.
    pub(super) at: i64,
    /// Which visit, in order of arrival.
    pub(super) visit: u32,
    /// Whether it leaves.
    pub(super) leaves: bool,
}

/// The visits of one server in order of arrival; times in nanoseconds since the first arrival.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// When each came.
    pub(super) arrived: Vec<i64>,
    /// When each left.
    pub(super) left: Vec<i64>,
    /// How long each lasted by the log, between ticks or not.
    pub(super) stays: Vec<i64>,
    /// The departures in order of time.
    pub(super) departures: Vec<i64>,
    /// How many requests were there when each came.
    pub(super) found: Vec<u32>,
    /// How many were there, itself included, just before each left.
    pub(super) company: Vec<u32>,
    /// All arrivals and departures in order of time.
    pub(super) happenings: Vec<Happening>,
    /// The visits that count: those away from the ends of the log, where others may be missing.
    pub(super) counted: Range<usize>,
    /// The most requests that were there at once.
    pub(super) peak: u32,
    /// The step of the clock, in nanoseconds.
    pub(super) resolution: f64,
    /// The median time that a visit lasted, in nanoseconds.
    pub(super) median: f64,
    /// Visits that could not be used, since they left before they came.
    pub(super) impossible: usize,
}

impl Prepared {
    /// Sorts the visits and counts who met whom.
    ///
    /// A coarse clock makes many things happen at the same tick, and in which order is lost. Each
    /// is put at a place between its tick and the next that is drawn once and for all
    /// (non-subtractive dither: Wannamaker, Lipshitz, Vanderkooy and Wright, IEEE Transactions on
    /// Signal Processing 48, 2000): no order is wrong, but none is favoured, and so nobody meets
    /// too many or too few.
    pub(super) fn new(visits: &[Visit], resolution: u64) -> Result<Prepared, NoFit> {
        let mut sorted: Vec<Visit> = visits
            .iter()
            .copied()
            .filter(|visit| visit.left >= visit.arrived)
            .collect();
        let impossible = visits.len() - sorted.len();
        if sorted.len() < FEWEST || u32::try_from(sorted.len()).is_err() {
            return Err(NoFit::Visits {
                usable: sorted.len(),
                impossible,
            });
        }
        sorted.sort_unstable_by_key(|visit| (visit.arrived, visit.left));
        let zero = sorted.first().map_or(0, |visit| i128::from(visit.arrived));
        let since = |time: i64| i128::from(time) - zero;
        let last = sorted.iter().map(|visit| since(visit.left)).max();
        if last.is_none_or(|last| last > LONGEST) {
            return Err(NoFit::Span);
        }
        let mut stays: Vec<i64> = sorted.iter().map(|v| v.left - v.arrived).collect();
        let (_, median, _) = stays.select_nth_unstable(sorted.len() / 2);
        let median = *median;
        if median <= 0 || resolution as f64 > median as f64 {
            return Err(NoFit::Clock {
                resolution: resolution as f64 / 1e9,
                median: median as f64 / 1e9,
            });
        }
        let rank = (stays.len() * 199 / 200).min(stays.len() - 1);
        let (_, long, _) = stays.select_nth_unstable(rank);
        let long = *long;

        let mut rng = Rng::seed_from_u64(SEED);
        let mut within = || (uniform(&mut rng) * resolution as f64) as i64;
        let mut placed: Vec<(i64, i64, i64)> = sorted
            .iter()
            .map(|visit| {
                let stay = visit.left - visit.arrived;
                // These fit, as was just seen.
                let (came, left) = (since(visit.arrived) as i64, since(visit.left) as i64);
                let (came, left) = (came + within(), left + within());
                (came.min(left), came.max(left), stay)
            })
            .collect();
        placed.sort_unstable();
        drop(sorted);
        let arrived: Vec<i64> = placed.iter().map(|p| p.0).collect();
        let left: Vec<i64> = placed.iter().map(|p| p.1).collect();
        let stays = placed.iter().map(|p| p.2).collect();
        drop(placed);
        let counted = counted(&arrived, long);

        let happenings = merge(&arrived, &left);
        let mut prepared = Prepared {
            departures: happenings
                .iter()
                .filter(|happening| happening.leaves)
                .map(|happening| happening.at)
                .collect(),
            found: vec![0; arrived.len()],
            company: vec![0; arrived.len()],
            counted,
            peak: 0,
            resolution: resolution as f64,
            median: median as f64,
            impossible,
            arrived,
            left,
            stays,
            happenings,
        };
        prepared.count();
        Ok(prepared)
    }

    /// Counts how many each found, and had around it when it left.
    fn count(&mut self) {
        let mut present = 0_u32;
        for happening in &self.happenings {
            let visit = happening.visit as usize;
            if happening.leaves {
                self.company[visit] = present;
                present = present.saturating_sub(1);
            } else {
                self.found[visit] = present;
                present += 1;
                self.peak = self.peak.max(present);
            }
        }
    }

    /// How many visits there are.
    pub(super) fn len(&self) -> usize {
        self.arrived.len()
    }

    /// The moments of the first and of the last arrival that count.
    pub(super) fn window(&self) -> (i64, i64) {
        let at = |visit: usize| self.arrived.get(visit).copied().unwrap_or(0);
        (
            at(self.counted.start),
            at(self.counted.end.saturating_sub(1)),
        )
    }
}

/// The visits away from the ends: of the first and the last, those within as long of the end as all
/// but a two-hundredth of the visits last, but no more than a tenth of all at either end.
///
/// A log that is cut by arrival knows nothing of those who were there when it began; one that is
/// cut by departure lacks those who were still there when it ended, the long ones above all.
fn counted(arrived: &[i64], long: i64) -> Range<usize> {
    let n = arrived.len();
    let end = arrived.last().copied().unwrap_or(0);
    let first = arrived.partition_point(|&at| at < long).min(n / EDGE);
    let last = arrived.partition_point(|&at| at <= end.saturating_sub(long));
    first..last.max(n - n / EDGE)
}

/// Arrivals and departures in order of time. At the same moment departures come first, so that a
/// slot that is taken again at once does not count as two, but for those of visits that came at
/// that very moment.
fn merge(arrived: &[i64], left: &[i64]) -> Vec<Happening> {
    let mut order: Vec<u32> = (0..left.len() as u32).collect();
    let at_once = |visit: u32| left[visit as usize] == arrived[visit as usize];
    order.sort_unstable_by_key(|&visit| (left[visit as usize], at_once(visit), visit));
    let mut happenings = Vec::with_capacity(2 * left.len());
    let mut coming = arrived.iter().copied().zip(0_u32..).peekable();
    for visit in order {
        let leaves_at = left[visit as usize];
        let until = if at_once(visit) {
            leaves_at.saturating_add(1)
        } else {
            leaves_at
        };
        while let Some((at, visit)) = coming.next_if(|&(at, _)| at < until) {
            happenings.push(Happening {
                at,
                visit,
                leaves: false,
            });
        }
        happenings.push(Happening {
            at: leaves_at,
            visit,
            leaves: true,
        });
    }
    happenings
}
