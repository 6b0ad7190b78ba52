//! What the outcome says of a requirement: a figure, and what its interval decides.

use super::asked::{Ask, failed_of, narrowed};
use super::comparison::{Figure, estimate};
use super::metric::Metric;
use super::outcome::VariantOutcome;
use super::withheld::INDIFFERENCE;
use crate::figures::span;
use crate::requirement::measure::{CausesOf, EventOf};
use crate::requirement::{Amount, Decision, Measure, Requirement, Side, Subject, Within};
use crate::scenario::Variant;
use crate::stats::{DEFAULT_LEVEL, t_quantile};

/// A requirement, and what was measured of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Judged {
    /// The estimate and half its interval, at the level that was asked for, in what the requirement
    /// is counted in.
    pub figure: Figure,
    /// The limit, in the same; where that is measured too, so many times what it was. `None` where
    /// nothing was.
    pub limit: Option<f64>,
    /// By how much the estimate is on the right side of the limit; less than nothing where it is on
    /// the wrong one.
    pub margin: Option<f64>,
    /// Half the interval of that: of a comparison that of the differences of replications.
    pub margin_half_width: Option<f64>,
    /// What the interval decides.
    pub decision: Decision,
    /// Why nothing is shown, or what is to be borne in mind; empty where there is nothing to say.
    pub note: String,
    /// By replication.
    pub values: Vec<Option<f64>>,
}

/// What is decided of all requirements that concern a variant.
pub(super) fn decision(
    requirements: &[Requirement],
    variant: &Variant,
    measured: &VariantOutcome,
    level: f64,
) -> Decision {
    let own = requirements
        .iter()
        .filter(|own| own.concerns(&variant.name));
    Decision::of_all(own.map(|own| judge(own, measured, level).decision))
}

/// What was measured of a requirement that has a value for its limit, and what an interval of
/// confidence `level` decides. Where chance has no part in a run there is no interval, and the
/// figure itself decides. A limit of a response time is not kept where requests came and none was
/// answered well.
pub fn judge(requirement: &Requirement, measured: &VariantOutcome, level: f64) -> Judged {
    let (mut figure, values) = figure(&requirement.subject, requirement.within, measured, level);
    let limit = requirement.value();
    // "None at all" no sample can show: that none was seen decides, and is said.
    let (least, side) = match requirement.subject.measure.more_is_better() {
        true => (1.0, Side::AtLeast),
        false => (0.0, Side::AtMost),
    };
    let none_seen = (limit, requirement.side) == (Some(least), side)
        && figure.estimate == Some(least)
        && figure.half_width.is_some_and(|half| half > 0.0)
        && is_event(&requirement.subject);
    if none_seen {
        figure.half_width = Some(0.0);
    }
    let known = figure.estimate.zip(limit).map(settled);
    let half_width = match figure.half_width {
        None if !measured.varies => Some(0.0),
        half_width => half_width,
    };
    let decision = match (known, half_width) {
        (Some((estimate, limit)), Some(half)) => {
            (requirement.side).decide(estimate - half, estimate + half, limit)
        }
        (None, _) if none_in_time(requirement, measured) => Decision::Fails,
        _ => Decision::NotShown,
    };
    let note = match decision {
        _ if none_seen && least > 0.0 => "no failure was seen".to_owned(),
        _ if none_seen => "none was seen".to_owned(),
        Decision::NotShown => why(&figure, half_width, &values),
        _ => bears(
            requirement.subject.measure,
            failed_of(&requirement.subject, requirement.within, measured),
        ),
    };
    let note = with_stretch(note, requirement.within, measured);
    let margin = known.map(
        |(estimate, limit)| match requirement.side.is_upper_limit() {
            true => limit - estimate,
            false => estimate - limit,
        },
    );
    Judged {
        figure,
        limit,
        margin,
        margin_half_width: margin.and(half_width),
        decision,
        note,
        values,
    }
}

/// An estimate and a limit, which are one where they differ by how numbers are written alone:
/// 99.9% is no binary fraction, and neither is what 999 of 1000 are.
pub(super) fn settled((estimate, limit): (f64, f64)) -> (f64, f64) {
    match (estimate - limit).abs() <= 1e-12 * limit.abs().max(estimate.abs()) {
        true => (limit, limit),
        false => (estimate, limit),
    }
}

/// Whether requests came and none was answered well, so that no time can have been kept.
fn none_in_time(requirement: &Requirement, measured: &VariantOutcome) -> bool {
    requirement.measure().is_of_succeeded()
        && requirement.side.is_upper_limit()
        && failed_of(&requirement.subject, requirement.within, measured) >= 1.0
}

/// Why nothing is shown.
pub(super) fn why(figure: &Figure, half_width: Option<f64>, values: &[Option<f64>]) -> String {
    let known = values.iter().flatten().count();
    match (figure.estimate, half_width) {
        (None, _) if known == 0 => "nothing was measured".to_owned(),
        (None, _) => "too few requests for this percentile".to_owned(),
        (_, None) => "one replication tells nothing of chance".to_owned(),
        _ => "the interval holds the limit".to_owned(),
    }
}

/// A note, with the stretch of time that was asked of where it is not what is written.
pub(super) fn with_stretch(note: String, within: Within, measured: &VariantOutcome) -> String {
    let Some((from, to)) = narrowed(within, measured) else {
        return note;
    };
    let stretch = format!("from {} to {}", span(from), span(to));
    match note.is_empty() {
        true => stretch,
        false => format!("{note}; {stretch}"),
    }
}

/// What is to be borne in mind of response times: that they are of those who got an answer.
fn bears(measure: Measure, failed: f64) -> String {
    match failed {
        share if measure.is_of_succeeded() && share > INDIFFERENCE => {
            format!("of the {:.1}% that succeeded", (1.0 - share) * 100.0)
        }
        _ => String::new(),
    }
}

/// An estimate with half of its interval of confidence `level`, and the values of replications.
pub(super) fn figure(
    subject: &Subject,
    within: Within,
    measured: &VariantOutcome,
    level: f64,
) -> (Figure, Vec<Option<f64>>) {
    if let Some(ask) = Ask::of(subject, within) {
        let asked = measured.asked.iter().find(|own| own.ask == ask);
        return asked.map_or((Figure::default(), Vec::new()), |asked| {
            let mut figure = asked.figure(measured, level);
            if is_event(subject) && figure.half_width == Some(0.0) {
                figure.half_width = Some(unseen(measured, subject, asked.trials, level));
            }
            (figure, asked.values.clone())
        });
    }
    let Measure::Metric(own) = subject.measure else {
        return (Figure::default(), Vec::new());
    };
    let metric = Metric::of(subject.measure);
    // Where there is no session none can be lost.
    if own.causes == Some(CausesOf::Losses) && measured.runs.iter().all(|run| run.sessions == 0) {
        return (Figure::default(), vec![None; measured.runs.len()]);
    }
    let turn = |value: f64| if own.is_rest { 1.0 - value } else { value };
    let plain = estimate(measured, metric);
    let is_share = own.amount == Amount::Share;
    let all_or_none =
        (plain.estimate).is_some_and(|value| value == 0.0 || (is_share && value == 1.0));
    let events = (own.events).filter(|_| all_or_none || is_success(subject.measure));
    let wider = |half: f64| match (half, events) {
        (0.0, Some(of)) => {
            let trials = measured.runs.iter().map(|run| match of {
                EventOf::Requests => run.requests,
                EventOf::Sessions => run.sessions,
                EventOf::Replications => 1,
            });
            unseen(measured, subject, trials.sum(), level)
        }
        (half, _) => half * t_ratio(plain.n, level),
    };
    let figure = Figure {
        estimate: plain.estimate.map(turn),
        half_width: plain.half_width.map(wider),
        n: plain.n,
    };
    let runs = measured.runs.iter();
    let values = runs.map(|run| metric.value(run).map(turn)).collect();
    (figure, values)
}

/// Whether it counts what happens to requests, sessions or in replications, or is their share: that
/// none was seen is no proof then that there can be none.
pub(super) fn is_event(subject: &Subject) -> bool {
    let of_events = |own: Measure| matches!(own, Measure::Metric(own) if own.events.is_some());
    subject.by.is_some() || of_events(subject.measure)
}

/// Whether it is the share of requests that succeed, or that do not.
fn is_success(measure: Measure) -> bool {
    matches!(measure, Measure::Metric(own) if own.column == "success_share")
}

/// How many of so many requests may fail or succeed though none was seen to: where all replications
/// say the same there is no variance, and an interval of ±0 would be too sure. Of `n` independent
/// requests none is seen with a chance of at most `tail` where the share is at least -ln(tail) / n
/// (the rule of three: Hanley and Lippman-Hand, JAMA 249, 1983). Nothing of requests where none can
/// fail.
fn unseen(measured: &VariantOutcome, subject: &Subject, requests: u64, level: f64) -> f64 {
    match measured.may_fail || !is_success(subject.measure) {
        true => -((1.0 - level) / 2.0).ln() / requests.max(1) as f64,
        false => 0.0,
    }
}

/// How much wider an interval of confidence `level` is than one of 95%.
fn t_ratio(n: usize, level: f64) -> f64 {
    let both = t_quantile(n, level).zip(t_quantile(n, DEFAULT_LEVEL));
    both.map_or(1.0, |(own, usual)| own / usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{self, METRICS, Progress, Unit};
    use crate::requirement::Side;
    use crate::requirement::measure::MEASURES;
    use crate::scenario::Scenario;
    use crate::scenario::file::Criterion;

    #[test]
    fn what_is_exactly_required_is_met() {
        // 99.9% as it is read, and what 999 of 1000 are.
        let (read, measured) = (99.9 / 100.0, 999.0 / 1000.0);
        assert_ne!(read, measured);
        assert_eq!(settled((measured, read)), (read, read));
        assert_eq!(settled((1.0 - measured, 0.001)), (0.001, 0.001));
        assert_eq!(settled((0.9989, 0.999)), (0.9989, 0.999));
    }

    /// Whatever decides a comparison, and whatever is a metric, can be asked for; and each measure
    /// is a metric, counted in the same.
    #[test]
    fn measures_are_metrics() {
        for own in MEASURES {
            let metric = Metric::named(own.column).unwrap_or_else(|| panic!("{}", own.column));
            let amount = match metric.unit {
                Unit::Milliseconds => Amount::Milliseconds,
                Unit::Seconds => Amount::Seconds,
                Unit::Share => Amount::Share,
                Unit::PerSecond => Amount::Rate,
                Unit::Count | Unit::Cost => Amount::Number,
            };
            assert_eq!(own.amount, amount, "{}", own.name);
            let more = metric.better == experiment::Better::More;
            assert_eq!(own.more_is_better, more && !own.is_rest, "{}", own.name);
        }
        for metric in METRICS {
            assert!(Measure::named(metric.name).is_some(), "{}", metric.name);
        }
        for criterion in Criterion::ALL {
            let name = criterion.name();
            let column = experiment::metric(criterion).name;
            match Measure::named(&name).unwrap_or_else(|| panic!("{name}")) {
                Measure::Metric(own) => assert_eq!(own.column, column),
                Measure::Percentile(q) => {
                    assert_eq!(
                        Metric::named(column).unwrap().quantile(),
                        Some(q.fraction())
                    );
                }
            }
        }
    }

    fn outcome(faults: &str) -> VariantOutcome {
        outcome_with(faults, "")
    }

    fn outcome_with(faults: &str, more: &str) -> VariantOutcome {
        let text = format!(
            "question = '?'\nexpect = '!'\n{faults}[run]\nduration = '20s'\nreplications = 5\ncompare = ['random']\n\
             [[clients]]\narrivals = {{ kind = 'poisson', rate = '500/s' }}\n[[services]]\nname = 'web'\n\
             [[services.servers]]\nslots = 9\nservice = {{ kind = 'exponential', mean = '10ms' }}\n{more}"
        );
        let mut scenario = Scenario::from_text("web.toml", &text).unwrap();
        scenario.requirements = vec!["p95 < 1s".parse().unwrap(), "p99 < 1s".parse().unwrap()];
        let mut outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
        outcomes.swap_remove(0).variants.swap_remove(0)
    }

    #[test]
    fn figures_are_those_of_the_summary_and_a_higher_level_is_wider() {
        let measured = outcome("");
        for (text, column, rest) in [
            ("p99 < 100ms", "p99_ms", false),
            ("mean < 100ms", "mean_ms", false),
            ("errors < 1%", "success_share", true),
            ("utilization < 90%", "utilization_mean", false),
        ] {
            let requirement: Requirement = text.parse().unwrap();
            let judged = judge(&requirement, &measured, DEFAULT_LEVEL);
            let plain = estimate(&measured, Metric::named(column).unwrap());
            let due = plain
                .estimate
                .map(|value| if rest { 1.0 - value } else { value });
            assert_eq!(judged.figure.estimate, due, "{text}");
            let (own, half) = (judged.figure.half_width.unwrap(), plain.half_width.unwrap());
            assert!((own - half).abs() <= 1e-12 * half, "{text}");
            assert_eq!(judged.decision, Decision::Holds, "{text}");
            assert_eq!(requirement.side, Side::Below);
            let surer = judge(&requirement, &measured, 0.999)
                .figure
                .half_width
                .unwrap();
            assert!(surer > 2.0 * own || own == 0.0, "{text}");
        }
        let between = judge(&"p95 < 1ms".parse().unwrap(), &measured, 0.95);
        let (p95, p99) = (
            between.figure.estimate.unwrap(),
            measured.latency.quantile(0.99),
        );
        assert!(p95 < p99.unwrap() * 1e3 && between.decision == Decision::Fails);
    }

    /// Where nothing is answered no time is kept; where too few are, nobody knows.
    #[test]
    fn what_nobody_gets_is_not_in_time() {
        let crash = "[[faults]]\nkind = 'crash'\nservers = 'web'\nat = '0s'\n";
        let measured = outcome(crash);
        assert_eq!(measured.latency.count(), 0);
        let decided = |text: &str| judge(&text.parse().unwrap(), &measured, 0.95).decision;
        assert_eq!(decided("p99 < 100ms"), Decision::Fails);
        assert_eq!(decided("mean < 100ms"), Decision::Fails);
        assert_eq!(decided("errors < 1%"), Decision::Fails);
        let measured = outcome("");
        assert!(measured.latency.count() > 20_000);
        let rare = judge(&"p99.9 < 1s".parse().unwrap(), &measured, 0.95);
        assert_eq!(rare.decision, Decision::NotShown, "nobody asked for it");
    }

    /// No failure was seen among some 45,000 requests: fewer than 1 in 10,000 fail, and nobody
    /// knows whether fewer than 1 in a million do; unless none can.
    #[test]
    fn what_was_not_seen_may_be() {
        let decided = |more: &str, text: &str| {
            let measured = outcome_with("", more);
            let failed = measured.runs.iter().any(|run| run.succeeded < run.requests);
            assert!(!failed, "{more}");
            judge(&text.parse().unwrap(), &measured, 0.95).decision
        };
        let bounded = "queue-limit = 1000\n";
        assert_eq!(decided("", "errors < 0.0001%"), Decision::Holds);
        assert_eq!(decided(bounded, "errors < 0.01%"), Decision::Holds);
        assert_eq!(decided(bounded, "errors < 0.0001%"), Decision::NotShown);
        assert_eq!(decided(bounded, "success > 99.99%"), Decision::Holds);
    }
}
