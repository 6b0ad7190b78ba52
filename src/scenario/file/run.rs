//! `[run]`: how long, how often, and what is compared.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::StrategyConfig;
use crate::time::Span;
use crate::units::{Percentile, Precision, Share, WarmUp};

/// How long, how often, and what is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Run")]
pub struct RunSettings {
    /// Simulated time. Requests that arrive in it are followed to their end, for as long again at
    /// most. May be left out where there is a trace: it then lasts as long as that.
    #[serde(default)]
    #[schemars(extend("examples" = ["1h"]))]
    pub duration: Option<Span>,
    /// Requests that arrive before are not counted. By default a tenth of the duration; nothing
    /// where the duration is that of a trace. Ask a terminating question ("what happens at the
    /// crash") with `"0s"` or a warm-up well before the event. `"auto"` finds out by a pilot how
    /// long the slowest strategy takes to settle (MSER-5 on the number of requests in the system,
    /// and on that at the busiest server), and refuses a run that never does.
    #[serde(default)]
    pub warmup: Option<WarmUp>,
    /// Independent repetitions: the same for all that is compared.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 10_000))]
    pub replications: u32,
    /// How sure the figures are to be: `"1% of p99"` goes on until the half-width of the 95%
    /// interval of every strategy's p99 is at most 1% of it, `"1% of p99 difference"` until that of
    /// every difference to the baseline is at most 1% of the baseline's p99, and `"until the best
    /// is known"` until it is known which is best by `judge-by`, with 95% confidence. Any metric of
    /// `judge-by` will do. `replications` are then those of the pilot.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// With `precision`: the most replications that may be spent on it.
    #[serde(default = "thousand")]
    #[schemars(range(min = 2, max = 100_000))]
    pub max_replications: u32,
    /// With `precision`: the most requests that may be simulated for it, by all strategies
    /// together, warm-up included; beyond those of the pilot. Without it only `max-replications`
    /// ends the search. At a sweep it holds for each point.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_requests: Option<u64>,
    /// With `"until the best is known"`: a strategy that is worse than the best by less than this
    /// share will do as the best.
    #[serde(default = "one_percent")]
    pub indifference: Share,
    /// Root of all random streams.
    #[serde(default = "one")]
    pub seed: u64,
    /// The strategies to compare.
    #[serde(default)]
    pub compare: Vec<StrategyConfig>,
    /// What the others are compared with, by name; by default the first.
    #[serde(default)]
    pub baseline: Option<String>,
    /// The service whose strategy is compared; by default the first.
    #[serde(default)]
    pub service: Option<String>,
    /// The metric that decides which is better.
    #[serde(default)]
    pub judge_by: Criterion,
    /// Percentiles of the response time of the succeeded that are in the table and in all files,
    /// of 100: `[50, 95, 99.5]`. The table has these and no others; the files have 50, 90, 99 and
    /// 99.9 besides. By default those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(range(min = 0.0, max = 100.0)))]
    pub percentiles: Vec<f64>,
    /// Whether there is a table for each group of clients, too; `clients.csv` has their figures in
    /// any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_clients: bool,
}

fn ten() -> u32 {
    10
}

fn thousand() -> u32 {
    1000
}

fn one_percent() -> Share {
    Share::fraction(0.01)
}

fn one() -> u64 {
    1
}

/// A metric that may decide: a column of `runs.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Metric")]
pub enum Criterion {
    /// Mean response time of the succeeded.
    #[default]
    Mean,
    /// Median response time of the succeeded.
    P50,
    /// 90th percentile of the response time of the succeeded.
    P90,
    /// 99th percentile of the response time of the succeeded.
    P99,
    /// 99.9th percentile of the response time of the succeeded.
    P999,
    /// Share of requests that succeed.
    SuccessShare,
    /// Succeeded requests a second.
    Goodput,
    /// Sessions lost.
    SessionsLost,
    /// Share of sessions that lost their state.
    SessionsHurt,
    /// Share of acknowledged changes of state that were lost.
    ChangesLost,
    /// Share of readings of state that were not the newest.
    StaleReads,
    /// Share of changes of state that overwrote others which their request had not read.
    LostUpdates,
    /// How long sessions could be used after they had been revoked, on average.
    RevocationDelay,
    /// Highest less lowest utilization of a server of the service whose strategy is compared.
    UtilizationSpread,
    /// Highest utilization of a server.
    UtilizationMax,
    /// What all costs an hour: servers while they are in the pool, balancers, and traffic between
    /// zones. See `cost` of servers and of balancers, and `cost-per-gib` of the network.
    Cost,
    /// Any other percentile of the response time of the succeeded: `p95`, `p99.5`.
    #[serde(untagged)]
    Percentile(Percentile),
}

impl Criterion {
    /// All that have a name of their own.
    pub const ALL: [Criterion; 16] = [
        Criterion::Mean,
        Criterion::P50,
        Criterion::P90,
        Criterion::P99,
        Criterion::P999,
        Criterion::SuccessShare,
        Criterion::Goodput,
        Criterion::SessionsLost,
        Criterion::SessionsHurt,
        Criterion::ChangesLost,
        Criterion::StaleReads,
        Criterion::LostUpdates,
        Criterion::RevocationDelay,
        Criterion::UtilizationSpread,
        Criterion::UtilizationMax,
        Criterion::Cost,
    ];

    /// Whether it speaks of sessions.
    pub fn is_of_sessions(self) -> bool {
        matches!(
            self,
            Criterion::SessionsLost
                | Criterion::SessionsHurt
                | Criterion::ChangesLost
                | Criterion::StaleReads
                | Criterion::LostUpdates
                | Criterion::RevocationDelay
        )
    }

    /// Its name in scenario files.
    pub fn name(self) -> Cow<'static, str> {
        let name = match self {
            Criterion::Percentile(percentile) => return percentile.to_string().into(),
            Criterion::Mean => "mean",
            Criterion::P50 => "p50",
            Criterion::P90 => "p90",
            Criterion::P99 => "p99",
            Criterion::P999 => "p999",
            Criterion::SuccessShare => "success-share",
            Criterion::Goodput => "goodput",
            Criterion::SessionsLost => "sessions-lost",
            Criterion::SessionsHurt => "sessions-hurt",
            Criterion::ChangesLost => "changes-lost",
            Criterion::StaleReads => "stale-reads",
            Criterion::LostUpdates => "lost-updates",
            Criterion::RevocationDelay => "revocation-delay",
            Criterion::UtilizationSpread => "utilization-spread",
            Criterion::UtilizationMax => "utilization-max",
            Criterion::Cost => "cost",
        };
        Cow::Borrowed(name)
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Criterion> {
        let own = Criterion::ALL.into_iter().find(|own| own.name() == name);
        own.or_else(|| name.parse().ok().map(Criterion::Percentile))
    }
}
