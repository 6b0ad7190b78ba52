//! Differences between results, and what may be said of them.

use super::versions::same_values;
use crate::experiment::{Comparison, Metric, Replicated, adjust};

/// How the replications of two results are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Replication by replication: both lived through the same luck.
    Paired,
    /// As samples that do not depend on each other: they have different seeds.
    Welch,
    /// As [`Method::Welch`], though both have one seed: they are of versions that may give other
    /// values, so that nobody knows which replications are pairs.
    WelchDespiteSeed,
}

impl Method {
    /// What it is called in files.
    pub fn name(self) -> &'static str {
        match self {
            Method::Paired => "paired",
            Method::Welch | Method::WelchDespiteSeed => "welch",
        }
    }

    /// How two results are compared; `stable` declares that their versions give the same values.
    pub fn of(one: Provenance<'_>, other: Provenance<'_>, stable: bool) -> Method {
        if one.seed != other.seed {
            Method::Welch
        } else if stable || same_values(one.program, other.program) {
            Method::Paired
        } else {
            Method::WelchDespiteSeed
        }
    }
}

/// Where the luck of a result comes from.
#[derive(Clone, Copy, Debug)]
pub struct Provenance<'a> {
    /// Root of its random streams.
    pub seed: u64,
    /// The program that computed it, with its version.
    pub program: &'a str,
}

/// What was measured under two results: of the same strategy, at the same value where one is swept.
/// Replications begin with the first, and none is left out.
#[derive(Clone, Copy, Debug)]
pub struct Contest<'a> {
    /// The replications of the baseline.
    pub before: Replicated<'a>,
    /// Those of the other.
    pub after: Replicated<'a>,
    /// How they are compared.
    pub method: Method,
}

/// What one metric of one trial comes to.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The difference; `None` where nothing can be said.
    pub comparison: Option<Comparison>,
    /// Values that the baseline has, as far as they count here.
    pub n_before: usize,
    /// Values that the other has.
    pub n_after: usize,
}

/// The differences of one metric, after less before, each as one of all of these.
pub fn judge<'a>(trials: &[Contest<'a>], metric: &Metric) -> Vec<Found> {
    let mut compared: Vec<Option<Comparison>> = (trials.iter())
        .map(|trial| match trial.method {
            Method::Paired => {
                let pairs = trial.before.runs.len().min(trial.after.runs.len());
                let first = |own: Replicated<'a>| Replicated {
                    runs: &own.runs[..pairs],
                    ..own
                };
                Comparison::of(first(trial.after), first(trial.before), metric)
            }
            Method::Welch | Method::WelchDespiteSeed => {
                Comparison::of_independent(trial.after, trial.before, metric)
            }
        })
        .collect();
    adjust(&mut compared);
    let found = trials.iter().zip(compared);
    found
        .map(|(trial, comparison)| {
            let pairs = comparison.map_or(0, |own| own.paired.n);
            let values = |of: Replicated<'_>| match (trial.method, comparison) {
                (_, None) => 0,
                (Method::Paired, _) => pairs,
                _ => (of.runs.iter()).filter_map(|run| metric.value(run)).count(),
            };
            Found {
                comparison,
                n_before: values(trial.before),
                n_after: values(trial.after),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_of_one_seed_and_of_one_version() {
        let side = |seed, program| Provenance { seed, program };
        let of = |one, other, stable| Method::of(side(1, one), other, stable);
        let (old, new) = ("lbsim 0.0.1", "lbsim 0.0.2");
        assert_eq!(of(old, side(1, old), false), Method::Paired);
        assert_eq!(of(old, side(2, old), false), Method::Welch);
        assert_eq!(of(old, side(1, new), false), Method::WelchDespiteSeed);
        assert_eq!(of(old, side(1, new), true), Method::Paired);
        // What is declared of versions says nothing of seeds.
        assert_eq!(of(old, side(2, new), true), Method::Welch);
    }
}
