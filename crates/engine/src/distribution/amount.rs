//! Plain numbers, as sizes are.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::Quantity;

/// A plain number, finite and not negative, e.g. the size of a request in units of the average one.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
pub struct Amount(
    /// The number.
    pub f64,
);

impl Quantity for Amount {
    fn value(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if number.is_finite() && number >= 0.0 {
            Ok(Amount(number))
        } else {
            Err(serde::de::Error::custom(format!(
                "`{number}` must be a number of 0 or more"
            )))
        }
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "title": "a number" })
    }
}
