//! For how long faults held whose times are drawn, by stretch of simulated time.

use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};

/// For how long one fault held, its targets together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultTime {
    /// Which of the plan's faults.
    pub fault: u32,
    /// How many targets it strikes, each at its own times; 1 where it strikes all at once.
    pub targets: u32,
    /// Cells that have been added up here.
    cells: u32,
    stretch: Span,
    /// Nanoseconds by stretch, of all targets together.
    nanos: Vec<u64>,
}

impl FaultTime {
    /// A fault that has not held yet; `stretches` of equal length divide the time from zero to
    /// `to`.
    pub fn new(fault: u32, targets: u32, to: Time, stretches: usize) -> FaultTime {
        FaultTime {
            fault,
            targets,
            cells: 1,
            stretch: Span::from_nanos(to.nanos().div_ceil(stretches as u64)),
            nanos: vec![0; stretches],
        }
    }

    /// It held for one of its targets from `since` to `until`; past the last stretch nothing is
    /// counted.
    pub fn add(&mut self, since: Time, until: Time) {
        let length = self.stretch.nanos();
        let first = (since.nanos() / length) as usize;
        for (at, sum) in self.nanos.iter_mut().enumerate().skip(first) {
            let begins = Time::from_nanos(at as u64 * length);
            let ends = begins + self.stretch;
            *sum += until.min(ends).since(since.max(begins)).nanos();
            if until <= ends {
                break;
            }
        }
    }

    /// Makes this the sum of no cells.
    pub fn clear(&mut self) {
        self.cells = 0;
        self.nanos.fill(0);
    }

    /// Adds all of `other`, of a cell of the same scenario: shares are then means over cells.
    pub fn merge(&mut self, other: &FaultTime) {
        self.cells += other.cells;
        for (sum, more) in self.nanos.iter_mut().zip(&other.nanos) {
            *sum += more;
        }
    }

    /// The share of time, 0 to 1, in which it held for a target, by stretch: a mean over targets
    /// and cells.
    pub fn shares(&self) -> impl Iterator<Item = f64> {
        let all = self.stretch.nanos() as f64 * f64::from(self.targets) * f64::from(self.cells);
        self.nanos.iter().map(move |&nanos| nanos as f64 / all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shared_among_stretches_and_is_a_mean_over_targets_and_cells() {
        let at = Time::from_nanos;
        let mut held = FaultTime::new(0, 2, at(400), 4);
        held.add(at(50), at(250));
        held.add(at(120), at(130));
        // To the end of time, and after the last stretch.
        held.add(at(390), Time::NEVER);
        held.add(at(400), at(500));
        let shares = |held: &FaultTime| held.shares().collect::<Vec<f64>>();
        assert_eq!(shares(&held), [0.25, 0.55, 0.25, 0.05]);
        let mut sum = held.clone();
        sum.clear();
        sum.merge(&held);
        sum.merge(&FaultTime::new(0, 2, at(400), 4));
        assert_eq!(shares(&sum), [0.125, 0.275, 0.125, 0.025]);
    }
}
