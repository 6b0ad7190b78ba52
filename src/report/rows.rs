//! The rows of the CSV files: one struct a file, one observation a row, the unit in the column's
//! name.
//!
//! Times are milliseconds of response time (`_ms`) or seconds of simulated time (`_s`); shares are
//! fractions of 1. What is not known is an empty cell, never zero. A strategy is named as in every
//! table and chart; an oracle's name ends in ` (oracle)`.

use serde::{Deserialize, Serialize};

pub use crate::experiment::Run as RunRow;

/// `summary.csv`: one metric of one strategy over all replications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// The strategy.
    pub strategy: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// The estimate; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% confidence interval (Student's t over replications).
    pub half_width_95: Option<f64>,
    /// Replications that had a value.
    pub n: u32,
    /// The estimate with the luck taken out of how much work happened to come (a control variate:
    /// the utilization, whose mean is known); empty where it is not known, for quantiles, and where
    /// it does not help.
    pub controlled_estimate: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub controlled_half_width_95: Option<f64>,
    /// How many times as many replications would have been needed for that half-width without the
    /// control.
    pub controlled_gain: Option<f64>,
}

/// `paired.csv`: one metric of one strategy less that of the baseline, replication by replication
/// on the same requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// metrics of which neither more nor less is better; `withheld: fails more` where a response
    /// time is less because more failed; `no chance repeated` where nothing varies over the
    /// replications; empty where there is no interval.
    pub verdict: String,
    /// How many times as many independent runs would have been needed for the same half-width.
    pub gain: Option<f64>,
    /// Pairs.
    pub n: u32,
}

/// `ranking.csv`: who beats whom by the metric that the scenario is judged by, all pairs of
/// strategies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RankingRow {
    /// The strategy.
    pub strategy: String,
    /// Another one.
    pub other: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// Mean of the differences, strategy less other, in the metric's unit.
    pub difference: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub half_width_95: Option<f64>,
    /// The p-value of "there is no difference", made larger for its being one of as many as there
    /// are pairs (Holm 1979).
    pub p_adjusted: Option<f64>,
    /// `better` or `worse` where `p_adjusted` is at most 0.05, else `not shown`; withheld as in
    /// `paired.csv`; empty where there is no interval.
    pub verdict: String,
}

/// `settling.csv`: how the warm-up was found, where the scenario leaves that to the program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SettlingRow {
    /// The strategy.
    pub strategy: String,
    /// A time of the pilot, which starts empty.
    pub time_s: f64,
    /// Requests in the system then, mean of the pilot's replications.
    pub in_system: f64,
    /// Those of them that the busiest server answers.
    pub at_busiest: f64,
    /// When this strategy had settled.
    pub settled_s: f64,
}

/// `theory.csv`: what queueing theory says of a strategy, where it is exact, beside the estimate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TheoryRow {
    /// The strategy.
    pub strategy: String,
    /// The model, in Kendall's notation or in words.
    pub model: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// The exact value.
    pub exact: f64,
    /// The estimate; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub half_width_95: Option<f64>,
    /// How far off the estimate is, in standard errors: beyond 4 something is wrong.
    pub standard_errors: Option<f64>,
}

/// `latency.csv`: the percentile spectrum of one strategy, all replications merged, or of a
/// measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyRow {
    /// The strategy, or the name of the measurement.
    pub strategy: String,
    /// The percentile, 0 to 100.
    pub percentile: f64,
    /// Response time of the succeeded at this percentile.
    pub response_ms: f64,
    /// Succeeded requests that took longer; a point with fewer than 100 is not to be relied on.
    pub requests_above: u64,
}

/// `servers.csv`: one server under one strategy, means over replications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerRow {
    /// The strategy.
    pub strategy: String,
    /// The server as `service/name`.
    pub server: String,
    /// Its weight.
    pub weight: f64,
    /// Its share of its service's capacity (slots × speed over mean service time), 0 where it
    /// stands by while all are well; empty where service takes no time.
    pub capacity_share: Option<f64>,
    /// Its share of the attempts that its service's balancers sent.
    pub request_share: Option<f64>,
    /// Half the width of the 95% confidence interval of that share.
    pub request_share_half_width_95: Option<f64>,
    /// Share of its slot time in use in the measured window, the work of requests that arrived
    /// before included. The whole window counts, whether the server is there or not: one that joins
    /// in the middle and is busy from then on has 0.5.
    pub utilization: Option<f64>,
    /// Half the width of the 95% confidence interval of that share.
    pub utilization_half_width_95: Option<f64>,
    /// Mean time that the requests waited in its queue that arrived in the measured window and that
    /// it answered well, whenever that was; empty where it answered none, or shares itself among
    /// all.
    pub wait_ms: Option<f64>,
    /// Attempts that failed on it, of requests that arrived in the measured window, a replication:
    /// each once, when its balancer learned of it.
    pub failures: f64,
}

/// `services.csv`: one of several services under one strategy, where servers call services or work
/// in steps. What is counted are requests that clients sent in the measured window, and the calls
/// made in their course. Times are of those that were answered well; what is left of the response
/// time went to the network, and to attempts before the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceRow {
    /// The strategy.
    pub strategy: String,
    /// The service.
    pub service: String,
    /// Requests to it, a replication.
    pub requests: f64,
    /// Attempts that its balancers sent for them, a replication.
    pub attempts: f64,
    /// Share of these requests that were answered well.
    pub success_share: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub success_share_half_width_95: Option<f64>,
    /// Mean response time, as the client or server sees it that asked.
    pub mean_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub mean_half_width_95: Option<f64>,
    /// 99th percentile of the response time; empty with fewer than 100 above it.
    pub p99_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub p99_half_width_95: Option<f64>,
    /// Mean time that a request waited for a slot, at the server and at the balancer.
    pub wait_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub wait_half_width_95: Option<f64>,
    /// Mean time that the server worked on a request.
    pub work_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub work_half_width_95: Option<f64>,
    /// Mean time that a request waited for what its server had called in its course.
    pub called_ms: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub called_half_width_95: Option<f64>,
}

/// `timeline.csv`: one stretch of simulated time under one strategy, all replications merged.
/// Requests stand in the stretch in which they arrived.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// The strategy.
    pub strategy: String,
    /// Where the stretch begins.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// Requests that arrived in it, a replication.
    pub requests: f64,
    /// Of these, failed, a replication.
    pub failed: f64,
    /// Of these, still under way when the run was cut off, a replication.
    pub unfinished: f64,
    /// Median response time of the succeeded.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the succeeded; empty with fewer than 10 above it.
    pub p99_ms: Option<f64>,
}

/// `utilization.csv`: one server (or a band of neighbours, where there are very many) in one
/// stretch of time under one strategy, mean over replications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UtilizationRow {
    /// The strategy.
    pub strategy: String,
    /// The row of the heat map, from 0; servers in the order of the scenario.
    pub band: u32,
    /// The server as `service/name`, or `first … last` of a band.
    pub server: String,
    /// Where the stretch begins.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// Share of slot time in use.
    pub utilization: f64,
}

/// `sessions.csv`: sessions lost for one cause under one strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionRow {
    /// The strategy.
    pub strategy: String,
    /// Why: `crash` (the state died with its server), `moved` (a request went to another server),
    /// `unreachable` (the server was out of the pool).
    pub cause: String,
    /// Sessions in the measured window (on at its beginning, or begun in it), a replication: as
    /// many under every strategy.
    pub sessions: f64,
    /// Times that a session lost its state for this cause, a replication.
    pub lost: f64,
    /// Half the width of the 95% confidence interval of `lost`.
    pub lost_half_width_95: Option<f64>,
    /// Sessions whose first loss in the measured window had this cause, a replication.
    pub hurt: f64,
    /// Half the width of the 95% confidence interval of `hurt`.
    pub hurt_half_width_95: Option<f64>,
    /// Those over all sessions; over the causes the shares add up to that of sessions that lost
    /// their state at all.
    pub hurt_share: Option<f64>,
}

/// `clients.csv`: one metric of one strategy for one of several groups of clients, and how it
/// differs from the baseline's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientsRow {
    /// The strategy.
    pub strategy: String,
    /// The group of clients.
    pub clients: String,
    /// The metric: the name of a column of `runs.csv`, of this group's requests alone.
    pub metric: String,
    /// The estimate; empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of its 95% confidence interval (Student's t over replications).
    pub half_width_95: Option<f64>,
    /// Replications that had a value.
    pub n: u32,
    /// Mean of the differences, strategy less baseline, in the metric's unit; empty for the
    /// baseline.
    pub difference: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub difference_half_width_95: Option<f64>,
    /// The p-value of "there is no difference", made larger for its being one of as many
    /// comparisons as there are strategies beside the baseline (Holm 1979); each group and metric
    /// by itself.
    pub p_adjusted: Option<f64>,
    /// As in `paired.csv`.
    pub verdict: String,
}
