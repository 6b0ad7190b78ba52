//! What is estimated and compared: the columns of `runs.csv`, each a value whose fields say all
//! that decides how it is treated. Nothing is decided by the spelling of its name.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::cell::Run;
use super::outcome::VariantOutcome;
use crate::observe::Latency;
use crate::requirement::Measure;
use crate::scenario::{Scenario, file};
use crate::units::Percentile;

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less of it.
    Less,
    /// More of it.
    More,
    /// Neither: it only informs.
    Neither,
}

/// In what a metric is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Things.
    Count,
    /// Things a second.
    PerSecond,
    /// A fraction of 1; tables show percent.
    Share,
    /// Milliseconds of response time.
    Milliseconds,
    /// Seconds of other things than response times.
    Seconds,
    /// What the scenario counts costs in, an hour.
    Cost,
}

/// Of what a metric speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Of {
    /// The requests that came in the measured window.
    Requests,
    /// Those of them that were answered well.
    Answered,
    /// Those of them that ended, well or not.
    Ended,
    /// Servers.
    Servers,
    /// Sessions.
    Sessions,
}

/// How a metric is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Estimator {
    /// The mean over replications of one number each.
    Mean,
    /// As [`Estimator::Mean`], of a number that is a mean over requests itself: one long run tells
    /// how sure it is, and the luck of how much work came may be taken out of it.
    MeanOfTimes,
    /// Read off all replications together: quantiles are never averaged. 0 to 1.
    Quantile(f64),
}

/// A column of `runs.csv` that is estimated and compared.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// The column's name.
    pub name: &'static str,
    /// Where its value in a run stands.
    pub reading: Reading,
    /// In what it is counted.
    pub unit: Unit,
    /// Of what it speaks.
    pub of: Of,
    /// Which way it is better.
    pub better: Better,
    /// How it is estimated.
    pub estimator: Estimator,
    /// What is known of it whatever the strategy.
    pub known: Known,
    /// Whether it is known of the sessions of each group of clients by itself, too.
    pub of_groups: bool,
}

/// Where the value of a metric stands in a run.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// In a column of `runs.csv`.
    Column(fn(&Run) -> Option<f64>),
    /// Among the percentiles that are asked for; in `percentiles.csv`.
    Percentile(Percentile),
}

impl Unit {
    /// By what a value is multiplied where it is shown: shares are shown in percent.
    pub fn scale(self) -> f64 {
        if self == Unit::Share { 100.0 } else { 1.0 }
    }

    /// A number that is shown in it, with its sign behind it.
    pub fn with_sign(self, number: &str) -> String {
        match self {
            Unit::Milliseconds | Unit::Seconds => format!("{number} {}", self.sign()),
            _ => format!("{number}{}", self.sign()),
        }
    }

    /// What stands behind a number that is shown in it; nothing for things.
    pub fn sign(self) -> &'static str {
        match self {
            Unit::Count | Unit::Cost => "",
            Unit::PerSecond => "/s",
            Unit::Share => "%",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
        }
    }
}

/// What is known of a metric before anything is run, whatever the strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// Nothing: a model of the strategy may know it.
    Nothing,
    /// What succeeds is what comes, where all are answered in the end (flow balance).
    Inflow,
    /// Slots are in use for the work that comes (the utilization law).
    Load,
    /// It follows from the scenario, and chance has no part in it, unless an autoscaler decides.
    All,
}

impl Metric {
    /// The metric of this name: that of a column of `runs.csv`, or any percentile, `p95_ms`.
    pub fn named(name: &str) -> Option<&'static Metric> {
        let own = METRICS.iter().find(|metric| metric.name == name);
        own.or_else(|| {
            let percentile = name.strip_suffix("_ms")?.parse().ok()?;
            Some(Metric::percentile(percentile))
        })
    }

    /// The metric that a measure is of, or is what is left of.
    pub(super) fn of(measure: Measure) -> &'static Metric {
        match measure {
            Measure::Percentile(percentile) => Metric::percentile(percentile),
            Measure::Metric(own) => Metric::named(own.column).expect("each measure is a metric"),
        }
    }

    /// The metric that is a percentile of the response time of the succeeded. There is one of each
    /// for as long as the program runs: few are ever asked for.
    pub fn percentile(percentile: Percentile) -> &'static Metric {
        static KNOWN: Mutex<BTreeMap<Percentile, &'static Metric>> = Mutex::new(BTreeMap::new());
        let q = percentile.fraction();
        let is_column = |metric: &&Metric| metric.of == Answered && metric.quantile() == Some(q);
        if let Some(own) = METRICS.iter().find(is_column) {
            return own;
        }
        let mut known = KNOWN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        known.entry(percentile).or_insert_with(|| {
            let name = Box::leak(format!("{percentile}_ms").into_boxed_str());
            let own = time(name, |_| None, Answered, Quantile(q));
            Box::leak(Box::new(Metric {
                reading: Reading::Percentile(percentile),
                ..own
            }))
        })
    }

    /// Its value in a run.
    pub fn value(&self, run: &Run) -> Option<f64> {
        match self.reading {
            Reading::Column(value) => value(run),
            Reading::Percentile(percentile) => {
                let own = run.percentiles.iter().find(|own| own.0 == percentile);
                own.and_then(|own| own.1)
            }
        }
    }

    /// Whether it is a response time.
    pub fn is_response_time(&self) -> bool {
        self.unit == Unit::Milliseconds
    }

    /// Whether it is of requests, and not of servers or sessions.
    pub fn is_of_requests(&self) -> bool {
        matches!(self.of, Of::Requests | Of::Answered | Of::Ended)
    }

    /// Whether failed requests make it worse by themselves.
    pub fn sees_failures(&self) -> bool {
        self.of == Of::Requests && self.better == Better::More
    }

    /// Whether it follows from the scenario, and chance has no part in it.
    pub fn is_known_beforehand(&self) -> bool {
        self.known == Known::All
    }

    /// For a quantile: which, 0 to 1.
    pub fn quantile(&self) -> Option<f64> {
        match self.estimator {
            Estimator::Quantile(q) => Some(q),
            _ => None,
        }
    }

    /// The times of which it is a quantile, all replications together.
    pub(super) fn times(&self, measured: &VariantOutcome) -> Latency {
        let mut times = measured.latency.clone();
        if self.of == Of::Ended {
            times.merge(&measured.failures);
        }
        times
    }

    /// How many times that are in one replication.
    pub(super) fn times_in(&self, run: &Run) -> u64 {
        match self.of {
            Of::Ended => run.requests - run.unfinished,
            _ => run.succeeded,
        }
    }
}

const fn time(
    name: &'static str,
    value: fn(&Run) -> Option<f64>,
    of: Of,
    estimator: Estimator,
) -> Metric {
    Metric {
        name,
        reading: Reading::Column(value),
        unit: Unit::Milliseconds,
        of,
        better: Better::Less,
        estimator,
        known: Known::Nothing,
        of_groups: false,
    }
}

const fn other(
    name: &'static str,
    value: fn(&Run) -> Option<f64>,
    (unit, of, better): (Unit, Of, Better),
) -> Metric {
    Metric {
        name,
        reading: Reading::Column(value),
        unit,
        of,
        better,
        estimator: Estimator::Mean,
        known: Known::Nothing,
        of_groups: false,
    }
}

/// What is told apart by groups of clients, of sessions.
const fn of_groups(metric: Metric) -> Metric {
    Metric {
        of_groups: true,
        ..metric
    }
}

const fn known(known: Known, metric: Metric) -> Metric {
    Metric { known, ..metric }
}

use Better::{Less, More, Neither};
use Estimator::{Mean, MeanOfTimes, Quantile};
use Of::{Answered, Ended, Requests, Servers, Sessions};
use Unit::{Cost, Count, PerSecond, Seconds, Share};

/// All metrics, in the order of the columns.
pub const METRICS: &[Metric] = &[
    other(
        "requests",
        |run| Some(run.requests as f64),
        (Count, Requests, Neither),
    ),
    other(
        "attempts",
        |run| Some(run.attempts as f64),
        (Count, Servers, Neither),
    ),
    other(
        "tries_per_request",
        |run| run.tries_per_request,
        (Count, Servers, Neither),
    ),
    other(
        "hostile_answered_share",
        |run| run.hostile_answered_share,
        (Share, Requests, Less),
    ),
    other(
        "connections_per_request",
        |run| run.connections_per_request,
        (Count, Servers, Neither),
    ),
    other(
        "attempts_per_request",
        |run| run.attempts_per_request,
        (Count, Servers, Neither),
    ),
    other(
        "failures_missed",
        |run| run.failures_missed,
        (Count, Servers, Less),
    ),
    other(
        "left_out_wrongly_s",
        |run| run.left_out_wrongly_s,
        (Seconds, Servers, Less),
    ),
    known(
        Known::Inflow,
        other(
            "goodput_rps",
            |run| Some(run.goodput_rps),
            (PerSecond, Requests, More),
        ),
    ),
    other(
        "success_share",
        |run| run.success_share,
        (Share, Requests, More),
    ),
    time("mean_ms", |run| run.mean_ms, Answered, MeanOfTimes),
    time("p50_ms", |run| run.p50_ms, Answered, Quantile(0.5)),
    time("p90_ms", |run| run.p90_ms, Answered, Quantile(0.9)),
    time("p99_ms", |run| run.p99_ms, Answered, Quantile(0.99)),
    time("p999_ms", |run| run.p999_ms, Answered, Quantile(0.999)),
    time("max_ms", |run| run.max_ms, Answered, Mean),
    time("mean_all_ms", |run| run.mean_all_ms, Ended, MeanOfTimes),
    time("p99_all_ms", |run| run.p99_all_ms, Ended, Quantile(0.99)),
    known(
        Known::Load,
        other(
            "utilization_mean",
            |run| run.utilization_mean,
            (Share, Servers, Neither),
        ),
    ),
    other(
        "utilization_spread",
        |run| run.utilization_spread,
        (Share, Servers, Less),
    ),
    other(
        "utilization_max",
        |run| run.utilization_max,
        (Share, Servers, Less),
    ),
    known(
        Known::All,
        other(
            "cost_per_hour",
            |run| run.cost_per_hour,
            (Cost, Servers, Less),
        ),
    ),
    other(
        "cost_per_million",
        |run| run.cost_per_million,
        (Cost, Servers, Less),
    ),
    other(
        "servers_cost_per_hour",
        |run| run.servers_cost_per_hour,
        (Cost, Servers, Less),
    ),
    other(
        "balancers_cost_per_hour",
        |run| run.balancers_cost_per_hour,
        (Cost, Servers, Less),
    ),
    other(
        "traffic_cost_per_hour",
        |run| run.traffic_cost_per_hour,
        (Cost, Servers, Less),
    ),
    other(
        "cross_zone_share",
        |run| run.cross_zone_share,
        (Share, Servers, Less),
    ),
    other(
        "servers_mean",
        |run| run.servers_mean,
        (Count, Servers, Less),
    ),
    other(
        "servers_max",
        |run| run.servers_max.map(|count| count as f64),
        (Count, Servers, Neither),
    ),
    other(
        "scale_outs",
        |run| run.scale_outs.map(|times| times as f64),
        (Count, Servers, Neither),
    ),
    other(
        "scale_ins",
        |run| run.scale_ins.map(|times| times as f64),
        (Count, Servers, Neither),
    ),
    of_groups(other(
        "sessions",
        |run| Some(run.sessions as f64),
        (Count, Sessions, Neither),
    )),
    of_groups(other(
        "sessions_lost",
        |run| Some(run.sessions_lost as f64),
        (Count, Sessions, Less),
    )),
    of_groups(other(
        "sessions_hurt",
        |run| Some(run.sessions_hurt as f64),
        (Count, Sessions, Less),
    )),
    of_groups(other(
        "sessions_hurt_share",
        |run| run.sessions_hurt_share,
        (Share, Sessions, Less),
    )),
    of_groups(other(
        "met_loss_share",
        |run| run.met_loss_share,
        (Share, Sessions, Less),
    )),
    of_groups(other(
        "changes_lost_share",
        |run| run.changes_lost_share,
        (Share, Sessions, Less),
    )),
    of_groups(other(
        "sessions_set_back",
        |run| Some(run.sessions_set_back as f64),
        (Count, Sessions, Less),
    )),
    of_groups(other(
        "set_back_by_s",
        |run| run.set_back_by_s,
        (Seconds, Sessions, Less),
    )),
    other(
        "stale_reads_share",
        |run| run.stale_reads_share,
        (Share, Sessions, Less),
    ),
    other(
        "backward_reads_share",
        |run| run.backward_reads_share,
        (Share, Sessions, Less),
    ),
    other(
        "lost_updates_share",
        |run| run.lost_updates_share,
        (Share, Sessions, Less),
    ),
    other(
        "rebuilds_per_session",
        |run| run.rebuilds_per_session,
        (Count, Sessions, Less),
    ),
    other(
        "revocation_delay_s",
        |run| run.revocation_delay_s,
        (Seconds, Sessions, Less),
    ),
    other(
        "bound_share",
        |run| run.bound_share,
        (Share, Sessions, Neither),
    ),
    other(
        "sent_elsewhere_share",
        |run| run.sent_elsewhere_share,
        (Share, Servers, Neither),
    ),
    other(
        "state_mib_max",
        |run| run.state_mib_max,
        (Count, Servers, Less),
    ),
    other(
        "state_mib_spread",
        |run| run.state_mib_spread,
        (Count, Servers, Less),
    ),
    other(
        "state_bytes_per_request",
        |run| run.state_bytes_per_request,
        (Count, Sessions, Less),
    ),
];

/// All metrics of a scenario: those of the columns, then the percentiles that it asks for.
pub fn metrics(scenario: &Scenario) -> Vec<&'static Metric> {
    let asked = scenario.percentiles.iter().copied().map(Metric::percentile);
    let is_column = |own: &&Metric| matches!(own.reading, Reading::Column(_));
    METRICS
        .iter()
        .chain(asked.filter(|own| !is_column(own)))
        .collect()
}

/// The metric that a scenario is judged by.
pub fn metric(judge: file::Criterion) -> &'static Metric {
    let name = match judge {
        file::Criterion::Mean => "mean_ms",
        file::Criterion::P50 => "p50_ms",
        file::Criterion::P90 => "p90_ms",
        file::Criterion::P99 => "p99_ms",
        file::Criterion::P999 => "p999_ms",
        file::Criterion::SuccessShare => "success_share",
        file::Criterion::Goodput => "goodput_rps",
        file::Criterion::SessionsLost => "sessions_lost",
        file::Criterion::SessionsHurt => "sessions_hurt_share",
        file::Criterion::ChangesLost => "changes_lost_share",
        file::Criterion::StaleReads => "stale_reads_share",
        file::Criterion::LostUpdates => "lost_updates_share",
        file::Criterion::RevocationDelay => "revocation_delay_s",
        file::Criterion::UtilizationSpread => "utilization_spread",
        file::Criterion::UtilizationMax => "utilization_max",
        file::Criterion::Cost => "cost_per_hour",
        file::Criterion::Percentile(percentile) => return Metric::percentile(percentile),
    };
    Metric::named(name).expect("each judge is a metric")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{self, Progress, estimate};

    fn measured(duration: &str) -> VariantOutcome {
        let text = format!(
            "question = '?'\nexpect = '!'\n[run]\nduration = '{duration}'\nreplications = 2\ncompare = ['random']\n\
             [[clients]]\narrivals = {{ kind = 'poisson', rate = '500/s' }}\n[[services]]\nname = 'web'\n\
             [[services.servers]]\nslots = 9\nservice = {{ kind = 'exponential', mean = '10ms' }}\n\
             [[faults]]\nkind = 'errors'\nservers = 'web'\nshare = '30%'\ntakes = '100ms'\n"
        );
        let scenario = Scenario::from_text("web.toml", &text).unwrap();
        let mut outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
        outcomes.swap_remove(0).variants.swap_remove(0)
    }

    /// The p99 of all that ended is read off all replications together, failures among them, and
    /// not given where fewer than 100 took longer.
    #[test]
    fn a_quantile_of_all_that_ended_is_one_of_all() {
        let metric = Metric::named("p99_all_ms").unwrap();
        let (many, few) = (measured("60s"), measured("2s"));
        let figure = estimate(&many, metric);
        let all = metric.times(&many);
        assert_eq!(all.count(), many.latency.count() + many.failures.count());
        assert!(many.failures.count() > 10_000);
        let due = all.quantile(0.99).unwrap() * 1e3;
        assert!(
            (figure.estimate.unwrap() - due).abs() < 1e-6 && due >= 100.0,
            "{due}"
        );
        assert_eq!(estimate(&few, metric).estimate, None);
        assert_eq!(estimate(&few, metric).half_width, None);
    }
}
