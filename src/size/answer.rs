//! From a scenario to an answer for each strategy.

use std::collections::BTreeMap;

use super::search::Verge;
use super::sounding::{SizeError, Sounding, Soundings};
use crate::experiment::{CellKey, Figure, Journal, Progress};
use crate::requirement::Decision;
use crate::scenario::sizing::Sizing;
use crate::scenario::{Scenario, Template};
use crate::stats::Paired;

/// All that was found out.
#[derive(Debug)]
pub struct Sizes {
    /// By strategy, in the order of the scenario.
    pub strategies: Vec<Strategy>,
    /// The confidence of the intervals that decided.
    pub level: f64,
    /// Requests simulated.
    pub requests: u64,
    /// Whether the search ended because no more may be simulated.
    pub is_spent: bool,
}

/// What was found out of one strategy.
#[derive(Debug)]
pub struct Strategy {
    /// Its place among what is compared.
    pub variant: usize,
    /// What is known of where the objective begins to hold.
    pub verge: Verge,
    /// Whether that is the answer.
    pub is_decided: bool,
    /// What was measured, the hardest value first.
    pub soundings: Vec<Sounding>,
}

impl Strategy {
    /// What was measured at a value.
    pub fn sounding(&self, ease: usize) -> Option<&Sounding> {
        self.soundings.iter().find(|own| own.ease == ease)
    }

    /// What the answer costs an hour; no estimate where there is none, or nothing has a price.
    pub fn cost(&self) -> Figure {
        let holds = self.verge.holds.and_then(|ease| self.sounding(ease));
        holds.map_or(Figure::default(), |own| own.cost)
    }

    /// What the last step costs: a requirement that fails at the value before the answer, its place
    /// in the objective, and the difference to the answer, replication by replication on the same
    /// requests.
    pub fn last_step(&self) -> Option<(usize, Paired)> {
        let holds = self.sounding(self.verge.holds?)?;
        let fails = self.sounding(self.verge.fails?)?;
        let both = fails.situations.iter().zip(&holds.situations);
        both.flat_map(|(worse, better)| worse.judged.iter().zip(&better.judged))
            .filter(|((_, worse), _)| worse.decision == Decision::Fails)
            .find_map(|((at, worse), (_, better))| {
                let pairs = worse.values.iter().zip(&better.values);
                let (worse, better): (Vec<f64>, Vec<f64>) = pairs
                    .filter_map(|(one, other)| Some(((*one)?, (*other)?)))
                    .unzip();
                Some((*at, Paired::of(&worse, &better)?))
            })
    }
}

impl Sizes {
    /// Whether every strategy has its answer.
    pub fn is_decided(&self) -> bool {
        self.strategies.iter().all(|own| own.is_decided)
    }
}

/// Finds for each strategy where the objective begins to hold. All strategies that are not done are
/// tried at once, each at its own value.
///
/// # Errors
/// Where it is stopped, or the scenario cannot be with a value.
pub fn size(
    (base, sizing, template): (&Scenario, &Sizing, &Template),
    journal: Option<&Journal<CellKey>>,
    progress: &Progress,
) -> Result<Sizes, SizeError> {
    let count = sizing.values.len();
    let mut soundings = Soundings::new((base, sizing, template), journal, progress);
    let mut tried: Vec<BTreeMap<usize, Sounding>> = vec![BTreeMap::new(); base.variants.len()];
    let verge = |own: &BTreeMap<usize, Sounding>| {
        let decisions = own.iter().map(|(&ease, own)| (ease, own.decision));
        Verge::of(&decisions.collect())
    };
    let is_spent = loop {
        let next = tried.iter().enumerate();
        let wanted: Vec<(usize, usize)> = next
            .filter_map(|(variant, own)| Some((variant, verge(own).next(count)?)))
            .collect();
        if wanted.is_empty() {
            break false;
        }
        if soundings.is_spent() {
            break true;
        }
        for sounding in soundings.sound(&wanted)? {
            tried[sounding.variant].insert(sounding.ease, sounding);
        }
    };
    let strategies = (0..).zip(tried).map(|(variant, own)| {
        let verge = verge(&own);
        Strategy {
            variant,
            is_decided: verge.is_decided(count),
            verge,
            soundings: own.into_values().collect(),
        }
    });
    Ok(Sizes {
        strategies: strategies.collect(),
        level: soundings.level,
        requests: soundings.requests,
        is_spent,
    })
}
