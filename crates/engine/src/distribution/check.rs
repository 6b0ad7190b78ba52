//! The rules that parameters of several families share.

use super::{DistError, Quantity};

/// Beyond this no quantity makes sense, and products of parameters might overflow.
pub(super) const MOST: f64 = 1e15;
/// Below this squares might vanish.
const LEAST: f64 = 1e-15;

impl DistError {
    /// What is wrong with a parameter: its name, and what it `has` or `is`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> DistError {
        DistError {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The same error seen from outside: `field` stands inside `path`.
    pub(super) fn inside(self, path: &str) -> DistError {
        DistError::new(format!("{path}.{}", self.field), self.message)
    }
}

/// A quantity from 0 to the most that is allowed.
pub(super) fn nonnegative(field: &str, quantity: impl Quantity) -> Result<f64, DistError> {
    number(field, quantity.value(), 0.0, MOST)
}

/// A quantity that must not be 0.
pub(super) fn positive(field: &str, quantity: impl Quantity) -> Result<f64, DistError> {
    let value = quantity.value();
    if value == 0.0 {
        return Err(DistError::new(
            field,
            "must be more than 0; for no time or size at all use kind = \"constant\"",
        ));
    }
    number(field, value, LEAST, MOST)
}

/// A plain number in [least, most].
pub(super) fn number(field: &str, value: f64, least: f64, most: f64) -> Result<f64, DistError> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(DistError::new(
            field,
            format!(
                "must be from {} to {} (it is {})",
                text(least),
                text(most),
                text(value)
            ),
        ))
    }
}

/// A number as people write it: 100 and 0.001, but 1e15.
fn text(number: f64) -> String {
    if number == 0.0 || (1e-4..1e7).contains(&number.abs()) {
        format!("{number}")
    } else {
        format!("{number:e}")
    }
}

/// A coefficient of variation in [least, most]; one of 0 is pointed to the constant.
pub(super) fn cv(value: f64, least: f64, most: f64) -> Result<f64, DistError> {
    number("cv", value, least, most).map_err(|error| {
        if (0.0..least).contains(&value) && least < 1.0 {
            let hint = "; for no variation use kind = \"constant\"";
            DistError::new("cv", error.message + hint)
        } else {
            error
        }
    })
}
