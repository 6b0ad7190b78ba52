//! Constant: P(X = value) = 1. Mean `value`, cv 0.
//!
//! The D of Kendall's notation: D. G. Kendall, Annals of Mathematical Statistics 24, 1953.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DistError, Family, Law, Load, Quantity, check};

/// Always the same value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant<Q> {
    /// The value; 0 is allowed.
    pub value: Q,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    value: f64,
}

impl<Q: Quantity> Family for Constant<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let value = check::nonnegative("value", self.value)?;
        Ok(Draw { value })
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, _: &mut R) -> f64 {
        self.value
    }
    fn mean(&self) -> f64 {
        self.value
    }
    fn variance(&self) -> f64 {
        0.0
    }
    fn cdf(&self, x: f64) -> f64 {
        if x >= self.value { 1.0 } else { 0.0 }
    }
    fn quantile(&self, _: f64) -> f64 {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused};
    use serde_json::json;

    #[test]
    fn is_what_it_says() {
        let s = plain(json!({ "kind": "constant", "value": 3 }));
        assert_eq!(first(&s), [3.0; 3]);
        assert_eq!((s.mean(), s.cv(), s.quantile(0.3)), (3.0, 0.0, 3.0));
        assert_eq!((s.cdf(2.9), s.cdf(3.0)), (0.0, 1.0));
        coherent(&s, false);
        let zero = plain(json!({ "kind": "constant", "value": 0 }));
        assert_eq!((first(&zero), zero.cv()), ([0.0; 3], 0.0));
    }

    #[test]
    fn refuses_what_cannot_be() {
        refused(
            json!({ "kind": "constant", "value": 1e16 }),
            "value",
            "1e15",
        );
    }
}
