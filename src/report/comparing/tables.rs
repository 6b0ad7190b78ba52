//! What is compared as rows.

use std::collections::HashMap;

use super::Incomparable;
use super::rows::{ChangeRow, CompareRow};
use crate::compare::{self, Contest, Contestant, Found, Matching, Method};
use crate::experiment::{METRICS, Metric, Replicated, Run};
use crate::report::Report;
use crate::report::rows::{SweepRun, tables, verdict};
use crate::report::table::Estimated;

tables! {
    /// The rows of all files of a comparison.
    pub struct CompareTables {
        /// Each metric of each strategy, result less baseline.
        compare: CompareRow => "compare.csv",
        /// What changed in the scenario.
        changes: ChangeRow => "changes.csv",
    }
}

/// A value of a sweep, or two; nothing where none is swept.
pub(super) type At = (Option<String>, Option<String>);

/// One of the results that are compared.
pub(super) struct Entrant<'a> {
    /// What it is called.
    pub(super) label: &'a str,
    /// What was read.
    pub(super) report: &'a Report,
    /// Its strategies.
    pub(super) contestants: Vec<Contestant>,
    /// The values at which it was run, in order.
    pub(super) points: Vec<At>,
    /// By value and strategy: the replications, the first first.
    runs: HashMap<(At, usize), Vec<Run>>,
    /// By value, strategy and metric: estimate and half-width.
    figures: HashMap<(At, &'a str, &'a str), Estimated>,
}

impl<'a> Entrant<'a> {
    pub(super) fn new(label: &'a str, report: &'a Report) -> Result<Entrant<'a>, Incomparable> {
        let about = &report.about;
        let contestants: Vec<Contestant> = (about.variants.iter())
            .map(|own| Contestant {
                name: own.name.clone(),
                kind: own.strategy["kind"].as_str().unwrap_or_default().to_owned(),
                settings: own.strategy.to_string(),
            })
            .collect();
        let points: Vec<At> = match &about.sweep {
            None => vec![(None, None)],
            Some(sweep) => (sweep.points.iter())
                .filter(|point| !point.overloaded)
                .map(|point| (Some(point.value.clone()), point.value_2.clone()))
                .collect(),
        };
        let strategy = |name: &str| contestants.iter().position(|own| own.name == name);
        let mut runs: HashMap<(At, usize), Vec<Run>> = HashMap::new();
        let plain = (report.tables.runs.iter()).map(|run| ((None, None), run.clone()));
        let swept = report.sweep.runs.iter();
        let swept = swept.map(|run| ((Some(run.value.clone()), run.value_2.clone()), run.run()));
        for (at, run) in plain.chain(swept) {
            if let Some(own) = strategy(&run.strategy) {
                runs.entry((at, own)).or_default().push(run);
            }
        }
        // What the scenario asks for beside the columns stands in a file of its own.
        for row in &report.tables.percentiles {
            let percentile = row
                .metric
                .strip_suffix("_ms")
                .and_then(|name| name.parse().ok());
            let own = strategy(&row.strategy).and_then(|own| runs.get_mut(&((None, None), own)));
            let run = own.and_then(|list| list.get_mut(row.replication as usize));
            if let Some((percentile, run)) = percentile.zip(run) {
                run.percentiles.push((percentile, row.ms));
            }
        }
        for at in &points {
            for (own, contestant) in contestants.iter().enumerate() {
                let list = runs.get(&(at.clone(), own)).map_or(&[][..], Vec::as_slice);
                let is_whole = |(at, run): (usize, &Run)| run.replication as usize == at;
                if list.is_empty() || !list.iter().enumerate().all(is_whole) {
                    return Err(Incomparable::Damaged {
                        label: label.to_owned(),
                        strategy: contestant.name.clone(),
                    });
                }
            }
        }
        let plain = (report.tables.summary.iter()).map(|row| {
            let key = ((None, None), &*row.strategy, &*row.metric);
            (key, (row.estimate, row.half_width_95))
        });
        let swept = (report.sweep.sweep.iter()).map(|row| {
            let at = (Some(row.value.clone()), row.value_2.clone());
            let key = (at, &*row.strategy, &*row.metric);
            (key, (row.estimate, row.half_width_95))
        });
        Ok(Entrant {
            label,
            report,
            contestants,
            points,
            runs,
            figures: plain.chain(swept).collect(),
        })
    }

    /// The replications of a strategy at a value.
    pub(super) fn runs(&self, at: &At, strategy: usize) -> &[Run] {
        let own = self.runs.get(&(at.clone(), strategy));
        own.map_or(&[], Vec::as_slice)
    }

    fn replicated(&self, at: &At, strategy: usize) -> Replicated<'_> {
        Replicated {
            runs: self.runs(at, strategy),
            varies: self.report.about.variants[strategy].varies,
        }
    }

    fn figure(&self, at: &At, strategy: usize, metric: &str) -> (Option<f64>, Option<f64>) {
        let name = &*self.contestants[strategy].name;
        let found = self.figures.get(&(at.clone(), name, metric));
        found.copied().unwrap_or_default()
    }

    /// What of it is known by replication: the columns, then the percentiles that it asks for.
    fn metrics(&self) -> Vec<&'static Metric> {
        let is_swept = self.report.about.sweep.is_some();
        let mut metrics: Vec<&Metric> = (METRICS.iter())
            .filter(|own| !is_swept || SweepRun::METRICS.contains(&own.name))
            .collect();
        for row in &self.report.tables.percentiles {
            if !metrics.iter().any(|own| own.name == row.metric) {
                metrics.extend(Metric::named(&row.metric));
            }
        }
        metrics
    }
}

/// A result beside the baseline: who is compared with whom, where and how.
pub(super) struct Beside<'a> {
    /// The result.
    pub(super) entrant: Entrant<'a>,
    /// Its strategies and those of the baseline.
    pub(super) matching: Matching,
    /// The values at which both were run.
    pub(super) points: Vec<At>,
    /// How replications are compared.
    pub(super) method: Method,
}

impl CompareTables {
    pub(super) fn new(base: &Entrant<'_>, others: &[Beside<'_>]) -> CompareTables {
        let scenario = &base.report.about.scenario;
        let changed = others.iter().flat_map(|other| {
            let found = compare::changes(scenario, &other.entrant.report.about.scenario);
            // Questions and the like are texts.
            let values = found.into_iter();
            let values = values.filter(|own| own.path != "question" && own.path != "expect");
            values.map(|own| ChangeRow {
                result: other.entrant.label.to_owned(),
                baseline: base.label.to_owned(),
                path: own.path,
                before: own.before,
                after: own.after,
            })
        });
        CompareTables {
            compare: differences(base, others),
            changes: changed.collect(),
        }
    }
}

/// The rows of all results, one after the other, and of each by value, strategy and metric. What is
/// compared at one value by one metric is judged together.
fn differences(base: &Entrant<'_>, others: &[Beside<'_>]) -> Vec<CompareRow> {
    let mut by_result: Vec<Vec<CompareRow>> = vec![Vec::new(); others.len()];
    let mut metrics = base.metrics();
    for other in others {
        let own = other.entrant.metrics().into_iter();
        let more: Vec<&Metric> = own
            .filter(|own| metrics.iter().all(|known| known.name != own.name))
            .collect();
        metrics.extend(more);
    }
    for at in &base.points {
        // Of each comparison the result, and the places of its two strategies.
        let places: Vec<(usize, usize, usize)> = (others.iter().enumerate())
            .filter(|(_, other)| other.points.contains(at))
            .flat_map(|(result, other)| {
                let pairs = other.matching.pairs.iter();
                pairs.map(move |&(before, after)| (result, before, after))
            })
            .collect();
        let trials: Vec<Contest<'_>> = (places.iter())
            .map(|&(result, before, after)| Contest {
                before: base.replicated(at, before),
                after: others[result].entrant.replicated(at, after),
                method: others[result].method,
            })
            .collect();
        let judged: Vec<(&Metric, Vec<Found>)> = (metrics.iter())
            .map(|&metric| (metric, compare::judge(&trials, metric)))
            .collect();
        for (trial, &(result, before, after)) in places.iter().enumerate() {
            let other = &others[result];
            by_result[result].extend(judged.iter().map(|(metric, found)| {
                let found = found[trial];
                let (estimate, half_width) = other.entrant.figure(at, after, metric.name);
                let (before_estimate, before_half) = base.figure(at, before, metric.name);
                let comparison = found.comparison;
                let paired = comparison.map(|own| own.paired);
                CompareRow {
                    value: at.0.clone(),
                    value_2: at.1.clone(),
                    result: other.entrant.label.to_owned(),
                    baseline: base.label.to_owned(),
                    strategy: base.contestants[before].name.clone(),
                    result_strategy: other.entrant.contestants[after].name.clone(),
                    metric: metric.name.to_owned(),
                    baseline_estimate: before_estimate,
                    baseline_half_width_95: before_half,
                    estimate,
                    half_width_95: half_width,
                    difference: paired.map(|own| own.difference),
                    difference_half_width_95: paired.and_then(|own| own.half_width),
                    relative: paired.and_then(|own| own.relative),
                    p_adjusted: comparison.and_then(|own| own.p_adjusted),
                    verdict: verdict(comparison, metric).to_owned(),
                    method: other.method.name().to_owned(),
                    gain: comparison.and_then(|own| own.gain),
                    n: found.n_after as u32,
                    baseline_n: found.n_before as u32,
                }
            }));
        }
    }
    by_result.into_iter().flatten().collect()
}
