//! The files of `lbsim compare`: each struct is the schema of one.

use serde::{Deserialize, Serialize};

/// `compare.csv`: one metric of one strategy in one result less that in the first, the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompareRow {
    /// The value, as the scenario writes it; empty where none is swept.
    pub value: Option<String>,
    /// The second value, where two are swept.
    pub value_2: Option<String>,
    /// The result.
    pub result: String,
    /// What it is compared with.
    pub baseline: String,
    /// The strategy, as the baseline calls it.
    pub strategy: String,
    /// The strategy, as the result calls it.
    pub result_strategy: String,
    /// The metric: the name of a column of `runs.csv`.
    pub metric: String,
    /// The estimate in the baseline; empty where its runs cannot tell.
    pub baseline_estimate: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub baseline_half_width_95: Option<f64>,
    /// The estimate in the result.
    pub estimate: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub half_width_95: Option<f64>,
    /// Mean of the differences, result less baseline, in the metric's unit.
    pub difference: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub difference_half_width_95: Option<f64>,
    /// The difference over the baseline's mean: -0.25 is a quarter less.
    pub relative: Option<f64>,
    /// The p-value of "there is no difference" (Student's t of pairs, or Welch's), made larger for
    /// its being one of as many comparisons as there are strategies in all results, at one value
    /// (Holm 1979).
    pub p_adjusted: Option<f64>,
    /// As in `paired.csv`: `better` or `worse` where `p_adjusted` is at most 0.05, else `not
    /// shown`; `different`, `withheld: fails more`, `withheld: other fails more` (the baseline),
    /// `no chance repeated`, or empty where there is no interval.
    pub verdict: String,
    /// `paired`, replication by replication, or `welch`, as independent samples.
    pub method: String,
    /// How many times as many independent runs would have been needed for the same half-width;
    /// empty where runs are no pairs.
    pub gain: Option<f64>,
    /// Replications of the result that count.
    pub n: u32,
    /// Those of the baseline.
    pub baseline_n: u32,
}

/// `changes.csv`: a value of the scenario that is not the same, every default filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangeRow {
    /// The result.
    pub result: String,
    /// What it is compared with.
    pub baseline: String,
    /// Where the value stands, as `--set` would have it; what the scenario gives no name stands by
    /// the one that it has by default, and things that have none by their kind, in brackets, or
    /// else by their place.
    pub path: String,
    /// The value in the baseline; empty where it is not there.
    pub before: Option<String>,
    /// The value in the result.
    pub after: Option<String>,
}
