//! What the outcome says of a requirement whose limit is measured too: of differences, replication
//! by replication.

use super::asked::{Ask, failed_of};
use super::comparison::{Figure, difference, has_tail};
use super::judged::{Judged, figure, is_event, judge, settled, why, with_stretch};
use super::metric::{Metric, Reading};
use super::outcome::VariantOutcome;
use super::withheld::indifference;
use crate::requirement::{AskedAt, Decision, Limit, Measure, Requirement, Subject, Within};
use crate::stats::{DEFAULT_LEVEL, Paired};

/// What was measured of a requirement whose limit is measured too, and what the interval of the
/// differences, replication by replication, decides.
pub(super) fn compare(
    requirement: &Requirement,
    own: &VariantOutcome,
    other: &VariantOutcome,
) -> Judged {
    let (subject, within) = (&requirement.subject, requirement.within);
    let Limit::Measured(limit_of) = &requirement.limit else {
        return judge(requirement, own, DEFAULT_LEVEL);
    };
    let against = &limit_of.subject;
    let (left, values) = figure(subject, within, own, DEFAULT_LEVEL);
    let (right, others) = figure(against, within, other, DEFAULT_LEVEL);
    let is_bare = limit_of.times == 1.0 && limit_of.plus == 0.0;
    let both: (Vec<f64>, Vec<f64>) = (values.iter().zip(&others))
        .filter_map(|(own, other)| Some(settled(((*own)?, limit_of.at((*other)?)))))
        .unzip();
    let paired = match column(subject, within)
        .filter(|_| is_bare && (against.measure, against.by) == (subject.measure, subject.by))
    {
        // What paired.csv has of it.
        Some(metric) if against.place == AskedAt::Everywhere => difference(own, other, metric),
        _ if is_readable(subject, within, own) && is_readable(against, within, other) => {
            Paired::of(&both.0, &both.1)
        }
        _ => None,
    };
    let values_of_both: Vec<Option<f64>> = both.0.iter().copied().map(Some).collect();
    let limit = right.estimate.map(|value| limit_of.at(value));
    let is_known = left.estimate.is_some() && limit.is_some();
    let paired = paired.filter(|_| is_known);
    let certain = !own.varies && !other.varies;
    let half_width = match paired.and_then(|paired| paired.half_width) {
        None if certain => Some(0.0),
        // What was never seen, or always, may be otherwise.
        Some(0.0) if !certain && is_event(subject) && [left, right].iter().all(is_all_or_none) => {
            let halves = left.half_width.zip(right.half_width);
            halves.map(|(own, other)| own + other * limit_of.times)
        }
        half_width => half_width,
    };
    let apart = paired.map(|paired| paired.difference);
    let mut decision = match (apart, half_width) {
        (Some(apart), Some(half)) => requirement.side.decide(apart - half, apart + half, 0.0),
        _ => Decision::NotShown,
    };
    // That two were the same in each replication does not say that they always are.
    let never_apart = apart == Some(0.0) && half_width == Some(0.0) && !certain;
    if never_apart {
        decision = Decision::NotShown;
    }
    let mut note = match decision {
        _ if never_apart => "no difference in any replication".to_owned(),
        Decision::NotShown => why(
            &Figure {
                estimate: apart,
                ..left
            },
            half_width,
            &values_of_both,
        ),
        _ => String::new(),
    };
    if decision != Decision::NotShown
        && let Some(apart) = apart
    {
        let (own, other) = (
            failed_of(subject, within, own),
            failed_of(against, within, other),
        );
        let (faster, slower, who) = match apart < 0.0 {
            true => (own, other, "it"),
            false => (other, own, "what it is compared with"),
        };
        if faster - slower > indifference(Metric::of(subject.measure)) {
            decision = Decision::NotShown;
            note = format!("{who} is faster, and fails more");
        }
    }
    let note = with_stretch(note, within, own);
    let margin = apart.map(|apart| requirement.side.margin(apart));
    Judged {
        figure: left,
        limit,
        margin,
        margin_half_width: margin.and(half_width),
        decision,
        note,
        values,
    }
}

/// Whether it was seen in no case, or in all of them.
fn is_all_or_none(figure: &Figure) -> bool {
    matches!(figure.estimate, Some(0.0 | 1.0))
}

/// Whether a percentile can be read off each replication; anything else can.
fn is_readable(subject: &Subject, within: Within, measured: &VariantOutcome) -> bool {
    let metric = Metric::of(subject.measure);
    let Some(q) = metric.quantile() else {
        return true;
    };
    match Ask::of(subject, within) {
        None => has_tail(measured.replicated(), metric, q),
        Some(ask) => {
            let asked = measured.asked.iter().find(|own| own.ask == ask);
            asked.is_some_and(|asked| asked.has_tail(q))
        }
    }
}

/// The column of `runs.csv` that has it, of all requests.
fn column(subject: &Subject, within: Within) -> Option<&'static Metric> {
    let is_rest = matches!(subject.measure, Measure::Metric(own) if own.is_rest);
    let is_column = |own: &&Metric| matches!(own.reading, Reading::Column(_));
    let is_whole = within.is_all() && subject.is_of_all() && !is_rest;
    is_whole
        .then(|| Metric::of(subject.measure))
        .filter(is_column)
}
