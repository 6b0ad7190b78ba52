//! Which candidates the log allows.

use std::collections::BTreeMap;

use super::likelihood::Likelihood;
use super::prepared::Prepared;
use super::{Candidate, Discipline};

/// Where no more visits than these were held up, waiting is no evidence.
const HELD_UP: usize = 20;
/// A median service time of fewer steps of the clock says nothing.
const FINEST: f64 = 2.0;

/// The best candidate and those that the log does not tell from it.
#[derive(Clone, Debug)]
pub(super) struct Optimum {
    /// The likeliest.
    pub(super) best: Candidate,
    /// The fewest slots that are not ruled out.
    pub(super) fewest: u32,
    /// The most slots that are not ruled out; `None` where any number is possible.
    pub(super) most: Option<u32>,
    /// The likeliest of the other discipline, where that is not ruled out.
    pub(super) rival: Option<Candidate>,
    /// The least and the greatest mean service time of the candidates that remain, in nanoseconds.
    pub(super) means: (f64, f64),
    /// The share of the visits that would have left before they could have begun.
    pub(super) impossible: f64,
}

/// The candidates looked at so far. As many slots as there ever were requests at once stand for any
/// greater number: nobody waits.
#[derive(Debug)]
struct FitSearch<'a> {
    log: &'a Prepared,
    seen: BTreeMap<(Discipline, u32), Likelihood>,
}

/// Looks for the likeliest candidate and for those that a test does not tell from it.
pub(super) fn search(log: &Prepared) -> Optimum {
    let mut search = FitSearch {
        log,
        seen: BTreeMap::new(),
    };
    let fifo = search.likeliest(Discipline::Fifo);
    let sharing = search.likeliest(Discipline::ProcessorSharing);
    let (best, other) = if search.total(sharing) > search.total(fifo) + 1.0 {
        (sharing, fifo)
    } else {
        (fifo, sharing)
    };
    let rival = Some(other).filter(|&other| !search.tells(best, other));
    let mut found = Optimum {
        best,
        fewest: best.slots,
        most: Some(best.slots),
        rival,
        means: (f64::INFINITY, 0.0),
        impossible: search.look(best).impossible,
    };
    for from in [Some(best), rival].into_iter().flatten() {
        let fewest = search.boundary(best, from, 1);
        let most = search.boundary(best, from, log.peak);
        found.fewest = found.fewest.min(fewest);
        found.most = found
            .most
            .map(|sofar| sofar.max(most))
            .filter(|_| most < log.peak);
        for slots in [fewest, from.slots, most] {
            let mean = search.look(Candidate { slots, ..from }).mean;
            found.means = (found.means.0.min(mean), found.means.1.max(mean));
        }
    }
    if found.most.is_none() {
        // Where any number will do, one with which nobody waits.
        found.best.slots = log.peak;
    }
    found
}

impl FitSearch<'_> {
    fn look(&mut self, candidate: Candidate) -> &Likelihood {
        let log = self.log;
        self.seen
            .entry((candidate.discipline, candidate.slots))
            .or_insert_with(|| Likelihood::new(log, candidate))
    }

    /// The logarithm of the likelihood. Service times that the clock cannot tell from nothing fit
    /// anything: they do not count.
    fn total(&mut self, candidate: Candidate) -> f64 {
        let finest = FINEST * self.log.resolution;
        let look = self.look(candidate);
        if look.median <= finest {
            return f64::NEG_INFINITY;
        }
        look.total()
    }

    /// Whether another candidate is ruled out. One that holds nobody up is not where the best holds
    /// up hardly anybody.
    fn tells(&mut self, best: Candidate, other: Candidate) -> bool {
        if self.total(other) == f64::NEG_INFINITY {
            return true;
        }
        let few = HELD_UP.max(self.log.counted.len() / 2000);
        if self.look(best).held_up < few && self.look(other).held_up < few {
            return false;
        }
        let best = self.look(best).clone();
        best.better_than(self.look(other))
    }

    /// The likeliest number of slots: of a grid in steps of a quarter, then by ever smaller steps
    /// from the best of these.
    fn likeliest(&mut self, discipline: Discipline) -> Candidate {
        let peak = self.log.peak;
        let at = |slots| Candidate { discipline, slots };
        // From the greatest down, and a smaller one only where it is likelier: of equals the
        // greatest, for which nobody waits.
        let mut slots = peak;
        let mut best = peak;
        while slots > 1 {
            slots -= (slots / 5).max(1);
            if self.total(at(slots)) > self.total(at(best)) + 1.0 {
                best = slots;
            }
        }
        let mut step = (best / 5).max(1);
        loop {
            let near = [best.saturating_sub(step).max(1), (best + step).min(peak)];
            let better = near
                .into_iter()
                .find(|&slots| self.total(at(slots)) > self.total(at(best)) + 1.0);
            match better {
                Some(slots) => best = slots,
                None if step == 1 => return at(best),
                None => step = step.div_ceil(2),
            }
        }
    }

    /// How far towards `end` from a candidate that is not ruled out numbers of slots are not
    /// either.
    fn boundary(&mut self, best: Candidate, from: Candidate, end: u32) -> u32 {
        let at = |slots| Candidate { slots, ..from };
        if !self.tells(best, at(end)) {
            return end;
        }
        // Steps that double, then halving of the last.
        let (mut near, mut far, mut step) = (from.slots, end, 1_u32);
        while near.abs_diff(far) > 1 {
            let step_to = step.min(near.abs_diff(far) / 2).max(1);
            let slots = if far > near {
                near + step_to
            } else {
                near - step_to
            };
            if self.tells(best, at(slots)) {
                far = slots;
            } else {
                near = slots;
                step *= 2;
            }
        }
        near
    }
}
