//! What is decided of the requirements of a scenario, strategy by strategy.

use super::judged::{Judged, judge};
use super::matched::compare;
use super::outcome::Outcome;
use crate::scenario::Scenario;
use crate::stats::DEFAULT_LEVEL;

/// What is decided of a requirement for one strategy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ruling {
    /// The number of the requirement.
    pub requirement: usize,
    /// The number of the variant.
    pub variant: usize,
    /// The variant that it is compared with, where it is.
    pub against: Option<usize>,
    /// What was measured, and what that decides.
    pub judged: Judged,
}

/// What is decided of all requirements of a scenario by 95% intervals: a ruling for each
/// requirement and strategy that it is asked of, and of comparisons for each that it is compared
/// with. Each interval stands for itself: where a requirement is asked of several strategies, and
/// where several requirements are, "all of them hold" is wrong no more often than one of them would
/// be (an intersection-union test: Berger, Technometrics 24, 1982), while of many that do not hold
/// one in forty may seem to fail by chance.
pub fn rulings(scenario: &Scenario, outcome: &Outcome) -> Vec<Ruling> {
    let names: Vec<&str> = (scenario.variants.iter())
        .map(|variant| variant.name.as_str())
        .collect();
    let mut rulings = Vec::new();
    for (number, requirement) in scenario.requirements.iter().enumerate() {
        for (at, variant) in scenario.variants.iter().enumerate() {
            if !requirement.concerns(&variant.name) {
                continue;
            }
            for against in requirement.opponents(at, &names) {
                let own = &outcome.variants[at];
                let judged = match against {
                    None => judge(requirement, own, DEFAULT_LEVEL),
                    Some(other) => compare(requirement, own, &outcome.variants[other]),
                };
                rulings.push(Ruling {
                    requirement: number,
                    variant: at,
                    against,
                    judged,
                });
            }
        }
    }
    rulings
}
