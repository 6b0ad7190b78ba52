//! A closed loop: users that wait for the answer, think, and ask again. Overload slows them down
//! instead of piling up, so closed and open loops of one load are not to be compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::distribution::Dist;
use lbsim_engine::time::Span;

/// Users in a closed loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Closed {
    /// How many users there are; each is a client of its own.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub users: u32,
    /// How long a user thinks between an answer and the next request, and before the first.
    pub think: Dist<Span>,
}
