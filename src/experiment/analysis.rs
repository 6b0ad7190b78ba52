//! All that an outcome says of the metrics, each estimate and each difference computed once.

use super::comparison::{Comparison, Figure, comparisons, estimate};
use super::metric::{Metric, metrics};
use super::outcome::{Outcome, VariantOutcome};
use super::withheld::eligible;
use super::{Better, metric};
use crate::scenario::Scenario;

/// Every estimate of what is compared, every difference to the baseline, and who is ahead.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// What is estimated.
    metrics: Vec<&'static Metric>,
    /// By variant, then by place in `metrics`.
    figures: Vec<Vec<Figure>>,
    /// By place in `metrics`, then by variant.
    comparisons: Vec<Vec<Option<Comparison>>>,
    /// The variants, the best by that metric first.
    order: Vec<usize>,
    /// Those that may be called the best.
    eligible: Vec<usize>,
}

impl Analysis {
    /// What an outcome of a scenario says.
    pub fn of(scenario: &Scenario, outcome: &Outcome) -> Analysis {
        Analysis::over(scenario, &outcome.variants)
    }

    /// What these outcomes of a scenario's variants say: of all requests, or of a group of clients.
    pub fn over(scenario: &Scenario, variants: &[VariantOutcome]) -> Analysis {
        let judge = metric(scenario.judge_by);
        let metrics = metrics(scenario);
        let figures: Vec<Vec<Figure>> = variants
            .iter()
            .map(|variant| metrics.iter().map(|of| estimate(variant, of)).collect())
            .collect();
        let eligible = eligible(&variants.iter().collect::<Vec<_>>(), judge);
        let at = place(&metrics, judge);
        let order = order(at, judge, &figures, &eligible);
        Analysis {
            figures,
            comparisons: metrics
                .iter()
                .map(|of| comparisons(variants, scenario.baseline, of))
                .collect(),
            order,
            eligible,
            metrics,
        }
    }

    /// What is estimated, in the order of the files.
    pub fn metrics(&self) -> &[&'static Metric] {
        &self.metrics
    }

    /// The estimate of a metric of the variant at a place.
    pub fn figure(&self, variant: usize, metric: &Metric) -> Figure {
        self.figures[variant][place(&self.metrics, metric)]
    }

    /// Its difference to the baseline, as one of as many as there are; `None` for the baseline, and
    /// where nothing can be said.
    pub fn comparison(&self, variant: usize, metric: &Metric) -> Option<Comparison> {
        self.comparisons[place(&self.metrics, metric)][variant]
    }

    /// The variants, the best by the metric that decides first: those that may be called the best,
    /// then those that fail too much for it; of both, those last of which nothing is known.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The variants that may be called the best by the metric that decides.
    pub fn eligible(&self) -> &[usize] {
        &self.eligible
    }

    /// The best by the metric that decides, of those that may be called so.
    pub fn best(&self, judge: &Metric) -> Option<usize> {
        let first = self.order.first().copied()?;
        let is_known = self.figure(first, judge).estimate.is_some();
        (is_known && self.eligible.contains(&first)).then_some(first)
    }
}

fn place(metrics: &[&Metric], metric: &Metric) -> usize {
    let own = metrics.iter().position(|known| known.name == metric.name);
    own.expect("a metric of the list")
}

fn order(at: usize, judge: &Metric, figures: &[Vec<Figure>], eligible: &[usize]) -> Vec<usize> {
    let sign = if judge.better == Better::More {
        -1.0
    } else {
        1.0
    };
    let mut keys: Vec<(bool, f64)> = figures
        .iter()
        .map(|own| own[at].estimate)
        .map(|value| (true, value.map_or(f64::INFINITY, |value| sign * value)))
        .collect();
    eligible.iter().for_each(|&at| keys[at].0 = false);
    let mut order: Vec<usize> = (0..figures.len()).collect();
    order.sort_by(|&one, &other| {
        let (one, other) = (keys[one], keys[other]);
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
    });
    order
}

/// The groups of clients that every variant has, by name, with what each variant measured of them;
/// none where there is one group only.
pub fn groups(scenario: &Scenario, outcome: &Outcome) -> Vec<(String, Vec<VariantOutcome>)> {
    let Some(first) = scenario.variants.first() else {
        return Vec::new();
    };
    let of = |name: &str| -> Option<Vec<VariantOutcome>> {
        let both = scenario.variants.iter().zip(&outcome.variants);
        both.map(|(variant, measured)| {
            let sources = &variant.blueprint.sources;
            let at = sources.iter().position(|source| source.name == name)?;
            measured.groups.get(at).cloned()
        })
        .collect()
    };
    // What hostile clients send is counted elsewhere.
    let sources = first
        .blueprint
        .sources
        .iter()
        .filter(|source| !source.hostile);
    let names = sources.map(|source| &source.name);
    names
        .filter_map(|name| Some((name.clone(), of(name)?)))
        .collect()
}
