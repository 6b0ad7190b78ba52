//! Exponential: F(x) = 1 - exp(-x / mean). Mean `mean`, cv 1.
//!
//! Drawn by the ziggurat method: G. Marsaglia and W. W. Tsang, Journal of Statistical Software
//! 5(8), 2000.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ziggurat::UnitExponential;
use super::{DistError, Family, Law, Load, Quantity, check};

/// Memoryless: the standard assumption of queueing theory (cv 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential<Q> {
    /// The mean, more than 0.
    pub mean: Q,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    mean: f64,
    unit: UnitExponential,
}

impl<Q: Quantity> Family for Exponential<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        Ok(Draw {
            mean: check::positive("mean", self.mean)?,
            unit: UnitExponential::new(),
        })
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        self.mean * self.unit.sample(rng)
    }
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        self.mean * self.mean
    }
    fn cdf(&self, x: f64) -> f64 {
        -libm::expm1(-x.max(0.0) / self.mean)
    }
    fn quantile(&self, q: f64) -> f64 {
        -self.mean * libm::log1p(-q)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf, same_draws};
    use serde_json::json;
    use statrs::distribution::ContinuousCDF as _;

    #[test]
    fn agrees_with_itself_and_the_reference() {
        for mean in [0.01, 1.0, 1234.5] {
            let s = plain(json!({ "kind": "exponential", "mean": mean }));
            coherent(&s, false);
            let reference = statrs::distribution::Exp::new(1.0 / mean).unwrap();
            same_cdf(&s, |x| reference.cdf(x));
            same_draws(&s, rand_distr::Exp::new(1.0 / mean).unwrap());
        }
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "exponential", "mean": 2 }));
        assert_eq!(
            first(&s),
            [1.098049772467488, 0.5267801328638957, 1.8633347488325056]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "exponential";
        refused(
            json!({ "kind": kind, "mean": 0 }),
            "mean",
            "kind = \"constant\"",
        );
        refused(json!({ "kind": kind, "mean": 1e16 }), "mean", "1e15");
    }
}
