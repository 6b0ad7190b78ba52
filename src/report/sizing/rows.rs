//! The files of `lbsim size`: each struct is the schema of one.

use serde::{Deserialize, Serialize};

/// `sizes.csv`: what one strategy needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SizeRow {
    /// The strategy.
    pub strategy: String,
    /// The answer: the least value at which the objective is shown to hold, or the largest where
    /// that is looked for; empty where it is shown at none.
    pub value: String,
    /// The next value, at which it is shown to fail; empty where there is none.
    pub fails: String,
    /// Values between the two that were not decided, separated by spaces.
    pub undecided: String,
    /// `found`, `the end holds` where it holds at the last value of the range, `none` where it is
    /// shown to fail at all of them, or `not decided`.
    pub verdict: String,
    /// A requirement that fails at the next value.
    pub requirement: String,
    /// What the step from the answer to the next value costs of it: the mean difference over
    /// replications on the same requests, in the unit of `tried.csv`.
    pub step_difference: Option<f64>,
    /// Half the width of its 95% interval.
    pub step_half_width_95: Option<f64>,
    /// What the answer costs an hour, as the scenario stands with it; empty where nothing has a
    /// price.
    pub cost_per_hour: Option<f64>,
    /// Half the width of its 95% interval: none where chance has no part in it.
    pub cost_per_hour_half_width_95: Option<f64>,
}

/// `tried.csv`: one requirement of one strategy at one value that was tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TriedRow {
    /// The strategy.
    pub strategy: String,
    /// The value, as the scenario would have it.
    pub value: String,
    /// Where it stands on an axis: shares in percent.
    pub at: f64,
    /// What is lost, or `as it stands`.
    pub situation: String,
    /// What must hold.
    pub requirement: String,
    /// The estimate: times in milliseconds (those of sessions in seconds), shares as fractions;
    /// empty where the runs cannot tell.
    pub estimate: Option<f64>,
    /// Half the width of the interval that decides.
    pub half_width: Option<f64>,
    /// The confidence of that interval, as a fraction.
    pub level: f64,
    /// The limit, in the same unit.
    pub limit: f64,
    /// Replications that were run.
    pub replications: u32,
    /// `holds`, `fails` or `not shown`.
    pub verdict: String,
}
