//! What the balancers of each service noticed of failures.

use super::comparison::Figure;
use crate::observe::{Detection, Latency, LeftOutBy};
use crate::stats::Estimate;

/// What the replications of one variant measured of the opinions of one service's balancers.
#[derive(Clone, Debug, Default)]
pub struct DetectionOutcome {
    /// By replication.
    runs: Vec<Detection>,
    /// How long until failures were noticed, all replications merged.
    pub detected: Latency,
    /// How long until members that were well again were back, all replications merged.
    pub returned: Latency,
}

/// What is known of them, means over replications. Times are seconds.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct DetectionFigures {
    /// Times that a member became ill, for each balancer.
    pub failures: Figure,
    /// Times that it was well again before anybody had noticed.
    pub missed: Figure,
    /// How long until it was left out.
    pub detect_s: Figure,
    /// How long until it was back once it was well.
    pub return_s: Figure,
    /// Attempts that came to nothing at members that were ill and not yet left out.
    pub hurt: Figure,
    /// Times that a member was left out that was well, by [`LeftOutBy`].
    pub wrong: [Figure; 2],
    /// How long such members were left out while they were well, in all, by [`LeftOutBy`].
    pub wrong_s: [Figure; 2],
}

impl DetectionOutcome {
    /// Makes room for so many replications in all.
    pub(super) fn grow(&mut self, replications: usize) {
        self.runs.resize(replications, Detection::default());
    }

    /// Takes what one replication measured.
    pub(super) fn take(&mut self, replication: usize, detection: &Detection) {
        self.detected.merge(&detection.detected);
        self.returned.merge(&detection.returned);
        self.runs[replication] = detection.clone();
    }

    /// What is known of it; without half-widths where replications are copies of each other.
    pub fn figures(&self, varies: bool) -> DetectionFigures {
        let figure = |value: &dyn Fn(&Detection) -> Option<f64>| {
            let values: Vec<f64> = self.runs.iter().filter_map(value).collect();
            Estimate::of(&values).map_or(Figure::default(), |over_runs| Figure {
                estimate: Some(over_runs.mean),
                half_width: over_runs.half_width.filter(|_| varies),
                n: values.len(),
            })
        };
        let count = |value: fn(&Detection) -> u64| figure(&|run| Some(value(run) as f64));
        let by = LeftOutBy::ALL.map(|by| by as usize);
        DetectionFigures {
            failures: count(|run| run.failures),
            missed: count(|run| run.missed),
            detect_s: figure(&|run| run.detected.mean()),
            return_s: figure(&|run| run.returned.mean()),
            hurt: count(|run| run.hurt),
            wrong: by.map(|by| figure(&|run| Some(run.wrong[by] as f64))),
            wrong_s: by.map(|by| figure(&|run| Some(run.wrong_time[by].seconds()))),
        }
    }
}
