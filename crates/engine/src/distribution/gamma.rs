//! Gamma: density x^(k-1) exp(-x/θ) / (Γ(k) θ^k) with shape k = 1/cv² and scale θ = mean·cv².
//!
//! Mean `mean`, coefficient of variation `cv`. Drawn by squeezed rejection from a cubed normal: G.
//! Marsaglia and W. W. Tsang, A Simple Method for Generating Gamma Variables, ACM Transactions on
//! Mathematical Software 26(3), 363-372, 2000; for shapes below 1 a gamma of shape k+1 times
//! U^(1/k), as its section 6 says.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma_lr;

use super::ziggurat::{UnitExponential, UnitNormal};
use super::{DistError, Family, Law, Load, Quantity, check};
use crate::rng::uniform_open;

/// Any mean and cv, with a light tail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gamma<Q> {
    /// The mean, more than 0.
    pub mean: Q,
    /// Standard deviation over mean, from 0.001 to 10; 1 is exponential.
    #[schemars(range(min = 0.001, max = 10.0))]
    pub cv: f64,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    shape: f64,
    pub(super) scale: f64,
    /// The paper's d: shape - 1/3, where shapes below 1 count one more.
    d: f64,
    /// The paper's c: 1/√(9d).
    c: f64,
    normal: UnitNormal,
    pub(super) unit: UnitExponential,
}

impl<Q: Quantity> Family for Gamma<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let mean = check::positive("mean", self.mean)?;
        // Above a cv of 10 nearly all values would be 0 in floating point.
        let cv = check::cv(self.cv, 1e-3, 10.0)?;
        Ok(Draw::new(1.0 / (cv * cv), mean * cv * cv))
    }
}

impl Draw {
    /// The gamma distribution of this shape and scale.
    pub(super) fn new(shape: f64, scale: f64) -> Draw {
        let boosted = if shape < 1.0 { shape + 1.0 } else { shape };
        let d = boosted - 1.0 / 3.0;
        Draw {
            shape,
            scale,
            d,
            c: 1.0 / (9.0 * d).sqrt(),
            normal: UnitNormal::new(),
            unit: UnitExponential::new(),
        }
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        let cube = loop {
            let z = self.normal.sample(rng);
            let root = 1.0 + self.c * z;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let u = uniform_open(rng);
            let square = z * z;
            // The squeeze spares both logarithms nearly always.
            if u < 1.0 - 0.0331 * square * square
                || libm::log(u) < 0.5 * square + self.d * (1.0 - v + libm::log(v))
            {
                break v;
            }
        };
        let x = self.scale * self.d * cube;
        if self.shape < 1.0 {
            // U^(1/k) with -ln U exponential.
            x * libm::exp(-self.unit.sample(rng) / self.shape)
        } else {
            x
        }
    }
    fn mean(&self) -> f64 {
        self.shape * self.scale
    }
    fn variance(&self) -> f64 {
        self.shape * self.scale * self.scale
    }
    fn cdf(&self, x: f64) -> f64 {
        let x = x / self.scale;
        if x <= 0.0 {
            0.0
        } else if x.is_infinite() {
            1.0
        } else {
            gamma_lr(self.shape, x).clamp(0.0, 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf, same_draws};
    use serde_json::json;
    use statrs::distribution::ContinuousCDF as _;

    #[test]
    fn agrees_with_itself_and_the_reference() {
        for (mean, cv) in [(1.0, 0.2), (0.01, 0.5), (1.0, 1.0), (5.0, 1.5), (2.0, 4.0)] {
            let s = plain(json!({ "kind": "gamma", "mean": mean, "cv": cv }));
            coherent(&s, false);
            let (shape, scale) = (1.0 / (cv * cv), mean * cv * cv);
            let reference = statrs::distribution::Gamma::new(shape, 1.0 / scale).unwrap();
            same_cdf(&s, |x| reference.cdf(x));
            same_draws(&s, rand_distr::Gamma::new(shape, scale).unwrap());
            assert!((s.mean() - mean).abs() < 1e-12 && (s.cv() - cv).abs() < 1e-12);
        }
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "gamma", "mean": 2, "cv": 0.5 }));
        assert_eq!(
            first(&s),
            [1.4117349691944672, 1.1666786029887082, 1.4130563126119673]
        );
        let s = plain(json!({ "kind": "gamma", "mean": 2, "cv": 2 }));
        assert_eq!(
            first(&s),
            [0.1020977094486585, 1.1385059319294337, 8.176061795845975]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "gamma";
        refused(
            json!({ "kind": kind, "mean": 0, "cv": 1 }),
            "mean",
            "more than 0",
        );
        refused(
            json!({ "kind": kind, "mean": 1, "cv": 0 }),
            "cv",
            "kind = \"constant\"",
        );
        refused(json!({ "kind": kind, "mean": 1, "cv": 150 }), "cv", "10");
    }
}
