//! `ranking.csv`.

use serde::{Deserialize, Serialize};

use super::paired::verdict;
use crate::experiment::{Comparison, metric};
use crate::scenario::Scenario;

/// `ranking.csv`: who beats whom by the metric that the scenario is judged by, all pairs of
/// strategies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankingRow {
    /// The strategy.
    pub strategy: String,
    /// Another one.
    pub other: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// Mean of the differences, strategy less other, in the metric's unit.
    pub difference: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub half_width_95: Option<f64>,
    /// The p-value of "there is no difference", made larger for its being one of as many as there
    /// are pairs (Holm 1979).
    pub p_adjusted: Option<f64>,
    /// `better` or `worse` where `p_adjusted` is at most 0.05, else `not shown`; withheld as in
    /// `paired.csv`; empty where there is no interval.
    pub verdict: String,
}

/// A row a pair, of duels by the metric that decides.
pub(super) fn rows(
    scenario: &Scenario,
    duels: &[(usize, usize, Option<Comparison>)],
) -> Vec<RankingRow> {
    let judge = metric(scenario.judge_by);
    let name = |at: usize| scenario.variants[at].name.clone();
    duels
        .iter()
        .map(|&(one, other, duel)| RankingRow {
            strategy: name(one),
            other: name(other),
            metric: judge.name.to_owned(),
            difference: duel.map(|duel| duel.paired.difference),
            half_width_95: duel.and_then(|duel| duel.paired.half_width),
            p_adjusted: duel.and_then(|duel| duel.p_adjusted),
            verdict: verdict(duel, judge).to_owned(),
        })
        .collect()
}
