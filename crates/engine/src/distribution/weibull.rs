//! Weibull: F(x) = 1 - exp(-(x/λ)^k) with shape k and scale λ = mean / Γ(1 + 1/k).
//!
//! Mean `mean`, cv² = Γ(1+2/k) / Γ(1+1/k)² - 1; a shape of 1 is exponential. W. Weibull, Journal of
//! Applied Mechanics 18, 293-297, 1951; A. M. Law, Simulation Modeling and Analysis, 5th ed.
//! (2015), section 6.2.2. Drawn as λ·E^(1/k) with E exponential.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ziggurat::UnitExponential;
use super::{DistError, Family, Law, Load, Quantity, check};

/// Lifetimes: wear-out for a shape above 1, early failure and a heavier tail below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weibull<Q> {
    /// The mean, more than 0.
    pub mean: Q,
    /// The shape, from 0.1 to 100: 1 is exponential, below it the tail is heavier, above it
    /// lighter.
    #[schemars(range(min = 0.1, max = 100.0))]
    pub shape: f64,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    mean: f64,
    shape: f64,
    scale: f64,
    unit: UnitExponential,
}

impl<Q: Quantity> Family for Weibull<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let mean = check::positive("mean", self.mean)?;
        let shape = check::number("shape", self.shape, 0.1, 100.0)?;
        Ok(Draw {
            mean,
            shape,
            scale: mean / libm::tgamma(1.0 + 1.0 / shape),
            unit: UnitExponential::new(),
        })
    }
}

/// x^power for x >= 0, at about half of what `libm::pow` costs.
#[inline]
fn power(x: f64, power: f64) -> f64 {
    libm::exp(power * libm::log(x))
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        self.scale * power(self.unit.sample(rng), 1.0 / self.shape)
    }
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        // Through logarithms and expm1: for large shapes the two terms nearly cancel.
        let ln_gamma = libm::lgamma;
        let ratio = ln_gamma(1.0 + 2.0 / self.shape) - 2.0 * ln_gamma(1.0 + 1.0 / self.shape);
        self.mean * self.mean * libm::expm1(ratio)
    }
    fn cdf(&self, x: f64) -> f64 {
        -libm::expm1(-power(x.max(0.0) / self.scale, self.shape))
    }
    fn quantile(&self, q: f64) -> f64 {
        self.scale * power(-libm::log1p(-q), 1.0 / self.shape)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf, same_draws};
    use serde_json::json;
    use statrs::distribution::ContinuousCDF as _;
    use statrs::statistics::Distribution as _;

    #[test]
    fn agrees_with_itself_and_the_reference() {
        for (mean, shape) in [(1.0, 0.4), (0.01, 0.8), (1.0, 1.0), (5.0, 2.0), (1.0, 30.0)] {
            let s = plain(json!({ "kind": "weibull", "mean": mean, "shape": shape }));
            coherent(&s, false);
            let scale = mean / libm::tgamma(1.0 + 1.0 / shape);
            let reference = statrs::distribution::Weibull::new(shape, scale).unwrap();
            same_cdf(&s, |x| reference.cdf(x));
            same_draws(&s, rand_distr::Weibull::new(scale, shape).unwrap());
            let variance = reference.variance().unwrap();
            assert!((s.variance() / variance - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "weibull", "mean": 2, "shape": 0.7 }));
        assert_eq!(
            first(&s),
            [0.670880941710654, 0.234931734433043, 1.4280513414678826]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "weibull";
        refused(
            json!({ "kind": kind, "mean": 0, "shape": 1 }),
            "mean",
            "more than 0",
        );
        refused(
            json!({ "kind": kind, "mean": 1, "shape": 0 }),
            "shape",
            "0.1",
        );
        refused(
            json!({ "kind": kind, "mean": 1, "shape": 1e9 }),
            "shape",
            "100",
        );
    }
}
