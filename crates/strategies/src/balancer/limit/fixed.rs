//! A fixed number at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Limiting, Meter};

/// Settings of a fixed limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fixed {
    /// How many at once.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub requests: u32,
}

impl Limiting for Fixed {
    type Meter = Bulkhead;

    fn meter(&self) -> Bulkhead {
        Bulkhead {
            most: self.requests,
        }
    }
}

/// So many places.
#[derive(Clone, Debug)]
pub(super) struct Bulkhead {
    most: u32,
}

impl Meter for Bulkhead {
    fn most(&self) -> u32 {
        self.most
    }
}
