//! What the outcome says of requirements: a figure each, and what its interval decides.

use super::comparison::{Figure, estimate};
use super::metric::Metric;
use super::outcome::{VariantOutcome, milliseconds};
use crate::requirement::{Decision, Measure, Requirement};
use crate::scenario::Variant;
use crate::stats::{DEFAULT_LEVEL, Estimate, estimable, t_quantile};

/// A requirement, and what was measured of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The estimate and half its interval, at the level that was asked for, in what the requirement
    /// is counted in.
    pub figure: Figure,
    /// What the interval decides.
    pub decision: Decision,
    /// By replication.
    pub values: Vec<Option<f64>>,
}

/// The percentiles that requirements ask for, each once.
pub(super) fn percentiles(requirements: &[Requirement]) -> Vec<f64> {
    let mut asked: Vec<f64> = (requirements.iter())
        .filter_map(|requirement| match requirement.measure {
            Measure::Percentile(q) => Some(q),
            Measure::Metric(_) => None,
        })
        .collect();
    asked.sort_by(f64::total_cmp);
    asked.dedup();
    asked
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

/// What was measured of a requirement, and what an interval of confidence `level` decides. Where
/// chance has no part in a run there is no interval, and the figure itself decides. A limit of a
/// response time is not kept where requests came and none was answered well.
pub fn judge(requirement: &Requirement, measured: &VariantOutcome, level: f64) -> Judged {
    let (figure, values) = match requirement.measure {
        Measure::Percentile(q) => percentile(measured, q, level),
        Measure::Metric(own) => {
            let metric = Metric::named(own.column).expect("each measure is a metric");
            let turn = |value: f64| if own.is_rest { 1.0 - value } else { value };
            let plain = estimate(measured, metric);
            let wider = |half: f64| match half {
                0.0 if own.column == "success_share" => unseen(measured, level),
                half => half * t_ratio(plain.n, level),
            };
            let figure = Figure {
                estimate: plain.estimate.map(turn),
                half_width: plain.half_width.map(wider),
                n: plain.n,
            };
            let runs = measured.runs.iter();
            let values = runs.map(|run| (metric.value)(run).map(turn)).collect();
            (figure, values)
        }
    };
    let asked = measured.runs.iter().any(|run| run.requests > 0);
    let decision = match (figure.estimate, figure.half_width) {
        (Some(estimate), Some(half)) => requirement.decide(estimate - half, estimate + half),
        (Some(estimate), None) if !measured.varies => requirement.decide(estimate, estimate),
        (None, _)
            if requirement.measure.is_of_succeeded()
                && requirement.side.is_upper_limit()
                && asked
                && measured.latency.count() == 0 =>
        {
            Decision::Fails
        }
        _ => Decision::NotShown,
    };
    Judged {
        figure,
        decision,
        values,
    }
}

/// A percentile as [`estimate`] has it: read off all replications together, with the half-width of
/// the replications' own.
fn percentile(measured: &VariantOutcome, q: f64, level: f64) -> (Figure, Vec<Option<f64>>) {
    let asked = measured.percentiles.iter().find(|own| own.q == q);
    let values = asked.map_or(Vec::new(), |own| own.values.clone());
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    let over_runs = Estimate::at(&known, level).filter(|_| estimable(measured.latency.count(), q));
    let figure = over_runs.map_or(Figure::default(), |over_runs| Figure {
        estimate: measured.latency.quantile(q).map(milliseconds),
        half_width: over_runs.half_width.filter(|_| measured.varies),
        n: over_runs.n,
    });
    (figure, values)
}

/// How many of all requests may fail or succeed though none was seen to: where all replications say
/// the same there is no variance, and an interval of ±0 would be too sure. Of `n` independent
/// requests none is seen with a chance of at most `tail` where the share is at least -ln(tail) / n
/// (the rule of three: Hanley and Lippman-Hand, JAMA 249, 1983). Nothing where nothing can fail.
fn unseen(measured: &VariantOutcome, level: f64) -> f64 {
    let requests: u64 = measured.runs.iter().map(|run| run.requests).sum();
    match measured.may_fail {
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
    use crate::requirement::measure::MEASURES;
    use crate::requirement::{Amount, Side};
    use crate::scenario::Scenario;
    use crate::scenario::file::Criterion;

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
            match Measure::named(name).unwrap_or_else(|| panic!("{name}")) {
                Measure::Metric(own) => assert_eq!(own.column, column),
                Measure::Percentile(q) => {
                    assert_eq!(Metric::named(column).unwrap().quantile(), Some(q));
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
