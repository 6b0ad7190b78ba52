//! Hedged requests: where an answer does not come soon, another attempt is made beside the one that
//! is under way, and the first answer counts. Dean and Barroso, "The tail at scale", Communications
//! of the ACM 56(2), 2013.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

/// When another attempt is made beside the one under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hedge {
    /// How long an answer is awaited before; with `quantile`, until enough answers have come.
    pub after: Span,
    /// In place of that, once 100 answers have come: as long as this share of those that the
    /// balancer has had took at most, hedged ones included.
    #[serde(default)]
    pub quantile: Option<Share>,
    /// Attempts beside others at most, for one request.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10))]
    pub max: u8,
}

fn one() -> u8 {
    1
}
