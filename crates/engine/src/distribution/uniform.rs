//! Uniform: density 1 / (max - min) on [min, max].
//!
//! Mean (min + max) / 2, variance (max - min)² / 12, so the cv is at most 1/√3.
//! A. M. Law, Simulation Modeling and Analysis, 5th ed. (2015), section 6.2.2.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DistError, Family, Law, Load, Quantity, check};

/// Every value between two ends equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform<Q> {
    /// The least value; 0 is allowed.
    pub min: Q,
    /// The greatest value, more than `min`.
    pub max: Q,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    min: f64,
    max: f64,
}

impl<Q: Quantity> Family for Uniform<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let min = check::nonnegative("min", self.min)?;
        let max = check::nonnegative("max", self.max)?;
        if max <= min {
            return Err(DistError::new("max", "must be more than `min`"));
        }
        Ok(Draw { min, max })
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        self.quantile(crate::rng::uniform(rng))
    }
    fn mean(&self) -> f64 {
        self.min + 0.5 * (self.max - self.min)
    }
    fn variance(&self) -> f64 {
        let width = self.max - self.min;
        width * width / 12.0
    }
    fn cdf(&self, x: f64) -> f64 {
        ((x - self.min) / (self.max - self.min)).clamp(0.0, 1.0)
    }
    #[inline]
    fn quantile(&self, q: f64) -> f64 {
        // Rounding may carry the sum beyond the end.
        (self.min + q * (self.max - self.min)).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf};
    use serde_json::json;
    use statrs::distribution::ContinuousCDF as _;

    #[test]
    fn agrees_with_itself_and_the_reference() {
        for (min, max) in [(0.0, 1.0), (2.0, 5.5), (100.0, 100.5)] {
            let s = plain(json!({ "kind": "uniform", "min": min, "max": max }));
            coherent(&s, false);
            let reference = statrs::distribution::Uniform::new(min, max).unwrap();
            same_cdf(&s, |x| reference.cdf(x));
        }
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "uniform", "min": 1, "max": 3 }));
        assert_eq!(
            first(&s),
            [1.5799194718297613, 2.813182252885803, 1.9558441336648098]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "uniform";
        refused(
            json!({ "kind": kind, "min": 2, "max": 2 }),
            "max",
            "more than `min`",
        );
        refused(
            json!({ "kind": kind, "min": 1e16, "max": 2 }),
            "min",
            "1e15",
        );
    }
}
