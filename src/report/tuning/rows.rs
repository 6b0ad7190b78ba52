//! The files of `lbsim tune`: each struct is the schema of one.

use serde::{Deserialize, Serialize};

/// `weights.csv`: one value that may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightRow {
    /// The group of servers as `service/group`, or the path of another value.
    pub value: String,
    /// What stands there now.
    pub current: String,
    /// What capacity-proportional weights would be; empty where there is no such rule.
    pub capacity: String,
    /// What was found.
    pub tuned: String,
    /// The smallest factor by which the value found may be multiplied, all else as found, at a loss
    /// of less than 1% of the objective, as far as was looked: down to a half.
    pub within_low: Option<f64>,
    /// The largest such factor, as far as was looked: up to two.
    pub within_high: Option<f64>,
}

/// `check.csv`: the answer against another configuration, by one metric in one situation, on
/// requests that the search has not seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckRow {
    /// With what the answer is compared: `current` or `capacity`.
    pub with: String,
    /// The situation; `all` for the objective over all of them.
    pub situation: String,
    /// The metric: a column of `runs.csv`, or `objective`, which is relative to the current
    /// configuration; of two objectives the mean of both, each relative to that.
    pub metric: String,
    /// Its mean under the other configuration.
    pub other: Option<f64>,
    /// Its mean under the answer.
    pub tuned: Option<f64>,
    /// The difference, the answer's less the other's: a mean over replications.
    pub difference: f64,
    /// Half the width of its 95% interval.
    pub half_width_95: Option<f64>,
    /// The difference as a share of the other's mean.
    pub relative: Option<f64>,
    /// The p-value of "there is no difference"; for the objective, as one of as many comparisons as
    /// there are (Holm).
    pub p_value: Option<f64>,
}

/// `search.csv`: one candidate that was tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchRow {
    /// Its number, from 1.
    pub evaluation: u64,
    /// Where it comes from: `current`, `capacity`, `square-root` or `search`.
    pub from: String,
    /// The strategy.
    pub strategy: String,
    /// Its values in the order of `weights.csv`, separated by spaces; `-` where a value stays as it
    /// is.
    pub values: String,
    /// The objective, relative to the current configuration: 1 is as good, less is better. Where
    /// more of the metric is better, -1 is as good. Between two objectives, 0 where each is as good
    /// as it can be alone. A million and more where a constraint is broken, or where more fails
    /// than now and the objective does not see it.
    pub loss: f64,
    /// How far it came: 1 is short runs, 2 longer ones, 3 runs of the whole length. The loss is
    /// that of the last.
    pub parts: u64,
    /// The least loss so far in runs of that length.
    pub best: f64,
    /// Requests simulated so far.
    pub requests: u64,
}

/// `sensitivity.csv`: the answer with one value multiplied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SensitivityRow {
    /// The value.
    pub value: String,
    /// By what it is multiplied.
    pub factor: f64,
    /// What that loses of the objective, as a share; empty where the value cannot be multiplied so.
    pub loss: Option<f64>,
    /// Half the width of its 95% interval.
    pub half_width_95: Option<f64>,
}

/// `landscape.csv`: the answer with the two values that matter most multiplied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LandscapeRow {
    /// The value that matters most.
    pub value: String,
    /// By what it is multiplied.
    pub factor: f64,
    /// The other.
    pub and: String,
    /// By what that is multiplied.
    pub and_factor: f64,
    /// What that loses of the objective, as a share.
    pub loss: Option<f64>,
}

/// `front.csv`: one configuration of which none of the others found is better in both metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrontRow {
    /// Its values in the order of `weights.csv`, separated by spaces.
    pub values: String,
    /// The first metric.
    pub metric: String,
    /// Its mean, on requests that the search has not seen, in the first situation.
    pub mean: f64,
    /// The same of the current configuration.
    pub current: f64,
    /// The second metric.
    pub and: String,
    /// Its mean.
    pub and_mean: f64,
    /// The same of the current configuration.
    pub and_current: f64,
}
