//! `paired.csv`, and how a verdict is written.

use serde::{Deserialize, Serialize};

use crate::experiment::{Analysis, Better, Comparison, Metric, Withheld};
use crate::scenario::Scenario;
use crate::stats::Verdict;

/// `paired.csv`: one metric of one strategy less that of the baseline, replication by replication
/// on the same requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PairedRow {
    /// The strategy.
    pub strategy: String,
    /// What it is compared with.
    pub baseline: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// Mean of the differences, strategy less baseline, in the metric's unit.
    pub difference: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub half_width_95: Option<f64>,
    /// The difference over the baseline's mean: -0.25 is a quarter less.
    pub relative: Option<f64>,
    /// The p-value of "there is no difference" (Student's t), made larger for its being one of as
    /// many comparisons as there are strategies beside the baseline (Holm 1979).
    pub p_adjusted: Option<f64>,
    /// `better` or `worse` where `p_adjusted` is at most 0.05, else `not shown`; `different` for
    /// metrics of which neither more nor less is better; `withheld: fails more`, or `withheld:
    /// other fails more`, where a response time is less because more failed; `no chance repeated`
    /// where nothing varies over the replications; empty where there is no interval.
    pub verdict: String,
    /// How many times as many independent runs would have been needed for the same half-width.
    pub gain: Option<f64>,
    /// Pairs.
    pub n: u32,
}

/// The differences to the baseline: a row a strategy and metric.
pub(super) fn rows(scenario: &Scenario, analysis: &Analysis) -> Vec<PairedRow> {
    let base_name = &scenario.variants[scenario.baseline].name;
    let others = (0..scenario.variants.len()).filter(|&at| at != scenario.baseline);
    others
        .flat_map(|at| analysis.metrics().iter().map(move |metric| (at, metric)))
        .map(|(at, metric)| {
            let comparison = analysis.comparison(at, metric);
            let paired = comparison.map(|comparison| comparison.paired);
            PairedRow {
                strategy: scenario.variants[at].name.clone(),
                baseline: base_name.clone(),
                metric: metric.name.to_owned(),
                difference: paired.map(|p| p.difference),
                half_width_95: paired.and_then(|p| p.half_width),
                relative: paired.and_then(|p| p.relative),
                p_adjusted: comparison.and_then(|c| c.p_adjusted),
                verdict: verdict(comparison, metric).to_owned(),
                gain: comparison.and_then(|c| c.gain),
                n: paired.map_or(0, |p| p.n as u32),
            }
        })
        .collect()
}

/// What is said of a difference: empty where nothing can be.
pub(in crate::report) fn verdict(comparison: Option<Comparison>, metric: &Metric) -> &'static str {
    let is_shown = |comparison: &Comparison| comparison.p_adjusted.is_none_or(|p| p <= 0.05);
    // Where there is nothing to be told there is nothing to withhold.
    match comparison.and_then(|comparison| Some((comparison, comparison.withheld?))) {
        Some((comparison, withheld)) if withheld == Withheld::NoChance || is_shown(&comparison) => {
            return withheld.name();
        }
        Some(_) => return "not shown",
        None => {}
    }
    let verdict = comparison.and_then(|comparison| comparison.verdict(metric.better));
    match (metric.better, verdict) {
        (_, None) => "",
        (_, Some(Verdict::NotShown)) => "not shown",
        (Better::Neither, Some(_)) => "different",
        (_, Some(Verdict::Better)) => "better",
        (_, Some(Verdict::Worse)) => "worse",
    }
}
