//! What the outcome says: estimates with intervals, and differences to the baseline, replication by
//! replication on the same requests.

use super::cell::milliseconds;
use super::flow::keeps_up;
use super::metric::{Better, Estimator, Metric, Of};
use super::outcome::{Replicated, VariantOutcome};
use super::withheld::{Withheld, withheld};
use crate::model::blueprint::Blueprint;
use crate::scenario::Variant;
use crate::stats::{
    Controlled, DEFAULT_LEVEL, Estimate, Moments, Paired, Unpaired, Verdict, estimable,
    holm_adjusted, overlapping_batch_means, t_quantile,
};
use crate::time::Time;

/// An estimate and how sure it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figure {
    /// The estimate; `None` where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% interval; `None` with a single replication, but for the mean
    /// response time.
    pub half_width: Option<f64>,
    /// Replications that had a value.
    pub n: usize,
}

impl Figure {
    /// How far the estimate is from a value, in standard errors of its own; `None` with a single
    /// replication, or where the replications do not vary.
    pub fn errors_from(&self, value: f64) -> Option<f64> {
        let error = self.half_width? / t_quantile(self.n, DEFAULT_LEVEL)?;
        (error > 0.0).then_some(())?;
        Some((self.estimate? - value) / error)
    }
}

fn values(variant: &VariantOutcome, metric: &Metric) -> Vec<f64> {
    variant
        .runs
        .iter()
        .filter_map(|run| metric.value(run))
        .collect()
}

/// One metric of one variant. A mean is the mean over replications; a quantile is read off the
/// merged histogram of all replications, since quantiles are never averaged, and its half-width is
/// that of the replications' own quantiles. The mean response time of a single replication gets its
/// half-width from within it. A quantile with fewer than 100 requests above it is not estimated.
pub fn estimate(variant: &VariantOutcome, metric: &Metric) -> Figure {
    let values = values(variant, metric);
    let Some(over_runs) = Estimate::of(&values) else {
        return Figure::default();
    };
    let mut figure = Figure {
        estimate: Some(over_runs.mean),
        half_width: over_runs.half_width,
        n: values.len(),
    };
    if !variant.varies && !metric.is_known_beforehand() {
        // Copies of one replication tell nothing of how sure it is.
        figure.half_width = None;
    }
    if metric.estimator == Estimator::MeanOfTimes && metric.of == Of::Answered && values.len() == 1
    {
        figure.half_width = within_one_run(variant);
    }
    if let Some(q) = metric.quantile() {
        let times = metric.times(variant);
        figure.estimate = times.quantile(q).map(milliseconds);
        if !estimable(times.count(), q) {
            (figure.estimate, figure.half_width) = (None, None);
        }
    }
    figure
}

/// Half the width of the interval of the mean response time in milliseconds, from one run alone:
/// overlapping batch means over the stretches of its measured window.
fn within_one_run(variant: &VariantOutcome) -> Option<f64> {
    let length = variant.timeline.length().nanos();
    let first = (variant.from - Time::ZERO).nanos().div_ceil(length) as usize;
    let measured: Vec<(f64, f64)> = variant
        .timeline
        .stretches()
        .get(first..)?
        .iter()
        .map(|stretch| (stretch.total() * 1e3, stretch.succeeded() as f64))
        .collect();
    let requests: f64 = measured.iter().map(|&(_, count)| count).sum();
    (requests >= ENOUGH).then(|| overlapping_batch_means(&measured, DEFAULT_LEVEL))?
}

/// Requests below which one run says nothing of its error: batches of a twentieth of it are to be
/// long against the time for which requests depend on each other.
const ENOUGH: f64 = 20_000.0;

/// The mean of a metric from which the luck of a run has been taken: how much work happened to
/// come, of which theory knows the mean. The control is the utilization, whose expectation is the
/// offered load where nothing fails and nothing changes (the utilization law). `None` elsewhere,
/// for quantiles, and where the control does not help.
pub fn controlled(
    variant: &Variant,
    measured: &VariantOutcome,
    metric: &Metric,
) -> Option<Controlled> {
    let offered = offered_load(&variant.blueprint)?;
    let all_answered = measured
        .runs
        .iter()
        .all(|run| run.succeeded == run.requests);
    if metric.estimator != Estimator::MeanOfTimes || !all_answered || !keeps_up(measured) {
        return None;
    }
    let utilization: Option<Vec<f64>> = measured
        .runs
        .iter()
        .map(|run| run.utilization_mean)
        .collect();
    let found = crate::stats::controlled(
        &values(measured, metric),
        &utilization?,
        offered,
        DEFAULT_LEVEL,
    )?;
    (found.gain > 1.0).then_some(found)
}

/// The share of slot time that is in use in the long run, where that is known: one service that
/// keeps up, whose servers all take the same time for a request, and nothing that changes.
fn offered_load(plan: &Blueprint) -> Option<f64> {
    let features = plan.features();
    let ([service], true) = (
        &plan.services[..],
        features.is_steady() && !features.faults_in_the_run,
    ) else {
        return None;
    };
    let ([_], true) = (&service.groups[..], plan.warmup > Time::ZERO) else {
        return None;
    };
    let load = plan.utilization(0).filter(|&load| load < 1.0)?;
    Some(load * service.share_in_charge())
}

/// Requests above a quantile that each replication must have for quantiles to be compared
/// replication by replication.
pub(super) const EACH: f64 = 10.0;

/// Whether a quantile can be read off each replication, and off all together.
fn comparable(variant: Replicated<'_>, metric: &Metric, q: f64) -> bool {
    let all = variant.runs.iter().map(|run| metric.times_in(run)).sum();
    estimable(all, q) && has_tail(variant, metric, q)
}

/// Whether enough of each replication lies above a quantile for it to be read off there.
pub(super) fn has_tail(variant: Replicated<'_>, metric: &Metric, q: f64) -> bool {
    let mut runs = variant.runs.iter();
    runs.all(|run| metric.times_in(run) as f64 * (1.0 - q) >= EACH)
}

/// Whether one metric of two variants can be compared: not where a quantile has too few requests
/// above it, 100 in all, and 10 in each replication.
fn are_comparable(one: Replicated<'_>, other: Replicated<'_>, metric: &Metric) -> bool {
    let both = |q| comparable(one, metric, q) && comparable(other, metric, q);
    metric.quantile().is_none_or(both)
}

/// The values of one metric of two variants, in pairs of the same replication; `None` where the
/// quantile has too few requests above it.
fn pairs(
    variant: Replicated<'_>,
    other: Replicated<'_>,
    metric: &Metric,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let both = variant.runs.iter().zip(other.runs);
    are_comparable(variant, other, metric).then(|| {
        both.filter_map(|(run, base)| Some((metric.value(run)?, metric.value(base)?)))
            .unzip()
    })
}

/// The difference of one metric to the baseline, paired by replication; `None` where there is no
/// pair, or where the quantile has too few requests above it.
pub fn difference(
    variant: &VariantOutcome,
    baseline: &VariantOutcome,
    metric: &Metric,
) -> Option<Paired> {
    Comparison::of(variant.replicated(), baseline.replicated(), metric).map(|own| own.paired)
}

/// A difference of which nobody knows how sure it is.
fn without_interval(paired: Paired) -> Paired {
    Paired {
        half_width: None,
        relative_half_width: None,
        p_value: None,
        ..paired
    }
}

/// A difference as one of several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The difference by itself. Of runs that are no pairs it is Welch's, and of as many as the
    /// one has that has fewer.
    pub paired: Paired,
    /// The p-value of "there is no difference", made larger for its being one of several (Holm);
    /// `None` with one pair.
    pub p_adjusted: Option<f64>,
    /// How many times as many independent runs would have been needed for the same half-width, had
    /// the two not lived through the same requests; `None` with one pair, where the differences do
    /// not vary, and where runs are no pairs.
    pub gain: Option<f64>,
    /// Why it is no verdict, where there is a reason.
    pub withheld: Option<Withheld>,
}

impl Comparison {
    /// The difference of one metric, replication by replication, before it is one of several
    /// ([`adjust`]); `None` where there is no pair, or where the quantile has too few requests
    /// above it.
    pub fn of(one: Replicated<'_>, other: Replicated<'_>, metric: &Metric) -> Option<Comparison> {
        let (own, base) = pairs(one, other, metric)?;
        let variance = |values: &[f64]| values.iter().copied().collect::<Moments>().variance();
        let differences: Vec<f64> = own.iter().zip(&base).map(|(a, b)| a - b).collect();
        let apart = variance(&own).zip(variance(&base)).map(|(a, b)| a + b);
        let together = variance(&differences).filter(|&variance| variance > 0.0);
        let paired = Paired::of(&own, &base)?;
        let gain = apart.zip(together);
        Some(Comparison {
            gain: gain.map(|(apart, together)| apart / together),
            ..Comparison::unless_withheld(paired, one, other, metric)
        })
    }

    /// The difference of one metric of runs that are independent of each other; `None` where one
    /// of the two has no value, or where the quantile has too few requests above it.
    pub fn of_independent(
        one: Replicated<'_>,
        other: Replicated<'_>,
        metric: &Metric,
    ) -> Option<Comparison> {
        let values = |of: Replicated<'_>| -> Vec<f64> {
            of.runs.iter().filter_map(|run| metric.value(run)).collect()
        };
        are_comparable(one, other, metric).then_some(())?;
        let apart = Unpaired::of(&values(one), &values(other))?;
        let paired = Paired {
            difference: apart.difference,
            half_width: apart.half_width,
            relative: apart.relative,
            relative_half_width: apart.relative_half_width,
            n: apart.n.0.min(apart.n.1),
            p_value: apart.p_value,
        };
        Some(Comparison::unless_withheld(paired, one, other, metric))
    }

    fn unless_withheld(
        paired: Paired,
        one: Replicated<'_>,
        other: Replicated<'_>,
        metric: &Metric,
    ) -> Comparison {
        let withheld = withheld(one, other, metric, paired.difference);
        Comparison {
            paired: match withheld {
                Some(Withheld::NoChance) => without_interval(paired),
                _ => paired,
            },
            p_adjusted: None,
            gain: None,
            withheld,
        }
    }

    /// What may be said at 95% for all of the comparisons together; `None` with one pair, and where
    /// it is withheld.
    pub fn verdict(&self, better: Better) -> Option<Verdict> {
        if self.withheld.is_some() {
            return None;
        }
        let shown = self.p_adjusted? <= 1.0 - DEFAULT_LEVEL;
        Some(
            match (
                shown,
                (self.paired.difference < 0.0) == (better != Better::More),
            ) {
                (false, _) => Verdict::NotShown,
                (true, true) => Verdict::Better,
                (true, false) => Verdict::Worse,
            },
        )
    }
}

/// Makes the p-values larger for the comparisons being one of as many as there are (Holm).
pub fn adjust(comparisons: &mut [Option<Comparison>]) {
    let known = || |comparison: &Option<Comparison>| comparison.and_then(|c| c.paired.p_value);
    let p_values: Vec<f64> = comparisons.iter().filter_map(known()).collect();
    let mut adjusted = holm_adjusted(&p_values).into_iter();
    for comparison in comparisons.iter_mut().flatten() {
        comparison.p_adjusted = comparison.paired.p_value.and_then(|_| adjusted.next());
    }
}

/// Each variant's difference to the baseline, as one of as many as there are; `None` for the
/// baseline, and where nothing can be said.
pub fn comparisons(
    variants: &[VariantOutcome],
    baseline: usize,
    metric: &Metric,
) -> Vec<Option<Comparison>> {
    let own = |(at, variant): (usize, &VariantOutcome)| {
        let other = at != baseline;
        other
            .then(|| {
                Comparison::of(
                    variant.replicated(),
                    variants[baseline].replicated(),
                    metric,
                )
            })
            .flatten()
    };
    let mut comparisons: Vec<Option<Comparison>> = variants.iter().enumerate().map(own).collect();
    adjust(&mut comparisons);
    comparisons
}

/// Who beats whom: all pairs of variants, the earlier one first, each as one of as many as there
/// are.
pub fn ranking(
    variants: &[VariantOutcome],
    metric: &Metric,
) -> Vec<(usize, usize, Option<Comparison>)> {
    let pairs = (0..variants.len())
        .flat_map(|one| (one + 1..variants.len()).map(move |other| (one, other)));
    let (places, mut duels): (Vec<_>, Vec<_>) = pairs
        .map(|(one, other)| {
            (
                (one, other),
                Comparison::of(
                    variants[one].replicated(),
                    variants[other].replicated(),
                    metric,
                ),
            )
        })
        .unzip();
    adjust(&mut duels);
    let both = places.into_iter().zip(duels);
    both.map(|((one, other), duel)| (one, other, duel))
        .collect()
}
