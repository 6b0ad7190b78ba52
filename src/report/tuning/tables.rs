//! An answer as rows.

use super::rows::{CheckRow, FrontRow, LandscapeRow, SearchRow, SensitivityRow, WeightRow};
use crate::experiment::estimate;
use crate::report::rows::{LatencyRow, spectrum_of, tables};
use crate::tune::sensitivity::{AXIS, FACTORS};
use crate::tune::verdict::{Contender, Role};
use crate::tune::{Answer, Candidate, Space};

tables! {
    /// The rows of all files.
    pub struct TuneTables {
        /// The values.
        weights: WeightRow => "weights.csv",
        /// The answer against other configurations.
        check: CheckRow => "check.csv",
        /// What was tried.
        search: SearchRow => "search.csv",
        /// The answer with one value multiplied.
        sensitivity: SensitivityRow => "sensitivity.csv",
        /// The answer with the two that matter most multiplied.
        landscape: LandscapeRow => "landscape.csv",
        /// What none of the others is better than in both metrics.
        front: FrontRow => "front.csv",
        /// The first situation, on requests that the search has not seen.
        latency: LatencyRow => "latency.csv",
    }
}

impl TuneTables {
    /// The rows of an answer.
    pub fn new(space: &Space<'_>, answer: &Answer) -> TuneTables {
        let name = |knob: usize| space.tuning.knobs[knob].name.clone();
        let contenders = &answer.check.contenders;
        let capacity = contenders.iter().find(|one| one.role == Role::Capacity);
        let weights = (0..space.tuning.knobs.len())
            .map(|knob| {
                let sensitivity = answer.sensitivities.iter().find(|own| own.knob == knob);
                WeightRow {
                    value: name(knob),
                    current: space.value(&space.current(), knob),
                    capacity: capacity
                        .map_or(String::new(), |simple| space.value(&simple.candidate, knob)),
                    tuned: space.value(&answer.tuned, knob),
                    within_low: sensitivity.map(|own| own.within.0),
                    within_high: sensitivity.map(|own| own.within.1),
                }
            })
            .collect();
        let sensitivity = answer
            .sensitivities
            .iter()
            .flat_map(|own| {
                FACTORS
                    .iter()
                    .zip(&own.losses)
                    .map(|(&factor, loss)| SensitivityRow {
                        value: name(own.knob),
                        factor,
                        loss: loss.map(|paired| paired.difference),
                        half_width_95: loss.and_then(|paired| paired.half_width),
                    })
            })
            .collect();
        let landscape = answer.landscape.iter().flat_map(|own| {
            let rows = AXIS.iter().zip(&own.losses);
            rows.flat_map(move |(&factor, row)| {
                AXIS.iter()
                    .zip(row)
                    .map(move |(&and_factor, &loss)| LandscapeRow {
                        value: name(own.knobs[0]),
                        factor,
                        and: name(own.knobs[1]),
                        and_factor,
                        loss,
                    })
            })
        });
        TuneTables {
            weights,
            check: check(space, answer),
            search: search(space, answer),
            sensitivity,
            landscape: landscape.collect(),
            front: front(space, answer),
            latency: contenders
                .iter()
                .flat_map(|one| spectrum_of(one.role.name(), &one.outcomes[0].latency))
                .collect(),
        }
    }
}

fn check(space: &Space<'_>, answer: &Answer) -> Vec<CheckRow> {
    let mean = |one: &Contender| one.losses.iter().sum::<f64>() / one.losses.len() as f64;
    let tuned = answer.check.tuned();
    let mut rows = Vec::new();
    for (other, gain) in answer.check.contenders.iter().zip(&answer.check.gains) {
        if let Some(gain) = gain {
            rows.push(CheckRow {
                with: other.role.name().to_owned(),
                situation: "all".to_owned(),
                metric: "objective".to_owned(),
                other: Some(mean(other)),
                tuned: Some(mean(tuned)),
                difference: gain.paired.difference,
                half_width_95: gain.paired.half_width,
                relative: gain.paired.relative,
                p_value: Some(gain.p_adjusted),
            });
        }
    }
    rows.extend(answer.check.metrics().into_iter().map(|row| {
        let value = |one: &Contender| estimate(&one.outcomes[row.situation], row.metric).estimate;
        CheckRow {
            with: row.with.role.name().to_owned(),
            situation: space.tuning.situations[row.situation].name.clone(),
            metric: row.metric.name.to_owned(),
            other: value(row.with),
            tuned: value(tuned),
            difference: row.paired.difference,
            half_width_95: row.paired.half_width,
            relative: row.paired.relative,
            p_value: row.paired.p_value,
        }
    }));
    rows
}

fn values(candidate: &Candidate) -> String {
    let settings = candidate.settings.iter();
    let values: Vec<String> = settings
        .map(|own| own.as_deref().map_or("-".to_owned(), bare))
        .collect();
    values.join(" ")
}

/// A value without its quotation marks.
fn bare(value: &str) -> String {
    value.trim_matches('"').to_owned()
}

fn search(space: &Space<'_>, answer: &Answer) -> Vec<SearchRow> {
    let numbered = (1..).zip(&answer.evaluations);
    numbered
        .map(|(evaluation, tried)| SearchRow {
            evaluation,
            from: tried.from.to_owned(),
            strategy: space.base.variants[tried.candidate.variant].name.clone(),
            values: values(&tried.candidate),
            loss: tried.loss,
            parts: u64::from(tried.parts),
            best: tried.best,
            requests: tried.requests,
        })
        .collect()
}

fn front(space: &Space<'_>, answer: &Answer) -> Vec<FrontRow> {
    let name = |metric| crate::experiment::metric(metric).name.to_owned();
    let Some(and) = space.tuning.and else {
        return Vec::new();
    };
    answer
        .front
        .iter()
        .map(|point| FrontRow {
            values: (0..point.candidate.settings.len())
                .map(|knob| bare(&space.value(&point.candidate, knob)))
                .collect::<Vec<_>>()
                .join(" "),
            metric: name(space.tuning.objective),
            mean: point.values[0],
            current: point.current[0],
            and: name(and),
            and_mean: point.values[1],
            and_current: point.current[1],
        })
        .collect()
}
