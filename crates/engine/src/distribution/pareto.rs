//! Pareto: P(X > x) = (min/x)^α for x >= min, with α = `shape`; cut off at `max` where that is
//! given.
//!
//! Unbounded: mean α·min/(α-1) for α > 1, variance min²·α/((α-1)²(α-2)) for α > 2. Bounded: with
//! r = ln(max/min) and g(a) = (1-e^(-ar))/a, `E[Xⁿ] = minⁿ·g(α-n)/g(α)`. M. Harchol-Balter,
//! Performance Modeling and Design of Computer Systems (2013), chapter 20. ln(X/min) is
//! exponential, truncated at r.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ziggurat::UnitExponential;
use super::{DistError, Family, Law, Load, Quantity, check};
use crate::rng::uniform;

/// A power-law tail, optionally cut off: many small values, a few enormous ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pareto<Q> {
    /// The least value, more than 0.
    pub min: Q,
    /// The exponent of the tail, from 0.01 to 100, the smaller the heavier; without `max` it must
    /// be more than 1 for the mean to be finite, and more than 2 for the variance.
    #[schemars(range(min = 0.01, max = 100.0))]
    pub shape: f64,
    /// The greatest value, more than `min`; by default there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Q>,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    min: f64,
    shape: f64,
    max: f64,
    /// The probability that the unbounded distribution gives to [min, max].
    kept: f64,
    unit: UnitExponential,
}

impl<Q: Quantity> Family for Pareto<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let min = check::positive("min", self.min)?;
        let shape = check::number("shape", self.shape, 0.01, 100.0)?;
        let max = match self.max {
            Some(max) => check::positive("max", max)?,
            None if shape <= 1.0 => {
                let rule =
                    "must be more than 1, or the mean is infinite; give `max` to cut the tail off";
                return Err(DistError::new("shape", format!("{rule} (it is {shape:?})")));
            }
            None => f64::INFINITY,
        };
        if max <= min {
            return Err(DistError::new("max", "must be more than `min`"));
        }
        Ok(Draw {
            min,
            shape,
            max,
            kept: -libm::expm1(-shape * libm::log(max / min)),
            unit: UnitExponential::new(),
        })
    }
}

impl Draw {
    /// The nth moment, `E[Xⁿ]`.
    fn moment(&self, n: u8) -> f64 {
        let a = self.shape - f64::from(n);
        let power = (0..n).fold(1.0, |power, _| power * self.min);
        if self.max.is_infinite() {
            return if a > 0.0 {
                power * self.shape / a
            } else {
                f64::INFINITY
            };
        }
        let r = libm::log(self.max / self.min);
        let g = |a: f64| {
            if a == 0.0 {
                r
            } else {
                -libm::expm1(-a * r) / a
            }
        };
        power * g(a) / g(self.shape)
    }

    /// The value whose logarithm lies `log` above that of `min`.
    #[inline]
    fn above(&self, log: f64) -> f64 {
        (self.min * libm::exp(log)).clamp(self.min, self.max)
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        if self.max.is_infinite() {
            self.above(self.unit.sample(rng) / self.shape)
        } else {
            self.quantile(uniform(rng))
        }
    }
    fn mean(&self) -> f64 {
        self.moment(1)
    }
    fn variance(&self) -> f64 {
        if self.max.is_infinite() && self.shape > 2.0 {
            // E[X²] - E[X]² without the cancellation.
            let mean = self.mean();
            return mean * mean / (self.shape * (self.shape - 2.0));
        }
        let mean = self.mean();
        (self.moment(2) - mean * mean).max(0.0)
    }
    fn cdf(&self, x: f64) -> f64 {
        if x >= self.max {
            return 1.0;
        }
        let log = libm::log(x.max(self.min) / self.min);
        (-libm::expm1(-self.shape * log) / self.kept).min(1.0)
    }
    #[inline]
    fn quantile(&self, q: f64) -> f64 {
        if q >= 1.0 {
            return self.max;
        }
        self.above(-libm::log1p(-q * self.kept) / self.shape)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf, same_draws};
    use serde_json::json;
    use statrs::distribution::ContinuousCDF as _;
    use statrs::statistics::Distribution as _;

    #[test]
    fn unbounded_agrees_with_itself_and_the_reference() {
        for (min, shape) in [(1.0, 1.2), (0.01, 2.0), (1.0, 2.5), (3.0, 8.0)] {
            let s = plain(json!({ "kind": "pareto", "min": min, "shape": shape }));
            coherent(&s, shape < 8.0);
            let reference = statrs::distribution::Pareto::new(min, shape).unwrap();
            same_cdf(&s, |x| reference.cdf(x));
            same_draws(&s, rand_distr::Pareto::new(min, shape).unwrap());
            assert!((s.mean() / reference.mean().unwrap() - 1.0).abs() < 1e-12);
            match reference.variance() {
                Some(variance) => assert!((s.variance() / variance - 1.0).abs() < 1e-12),
                None => assert!(s.variance().is_infinite()),
            }
        }
    }

    #[test]
    fn bounded_agrees_with_itself() {
        // Shapes of 1 and 2 are where the textbook formulas divide by zero.
        for (shape, max) in [(0.5, 100.0), (1.0, 1e4), (1.1, 1e6), (2.0, 1e3), (3.0, 1.5)] {
            let s = plain(json!({ "kind": "pareto", "min": 1, "shape": shape, "max": max }));
            coherent(&s, false);
            assert_eq!(s.quantile(1.0), max);
        }
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "pareto", "min": 1, "shape": 1.5 }));
        assert_eq!(
            first(&s),
            [1.441979166076448, 1.1919532852173496, 1.8609955434389622]
        );
        let s = plain(json!({ "kind": "pareto", "min": 1, "shape": 1.5, "max": 100 }));
        assert_eq!(
            first(&s),
            [1.2561065225541825, 4.826267552686998, 1.5413863939616739]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "pareto";
        refused(
            json!({ "kind": kind, "min": 0, "shape": 2 }),
            "min",
            "more than 0",
        );
        refused(
            json!({ "kind": kind, "min": 1, "shape": 0, "max": 2 }),
            "shape",
            "0.01",
        );
        refused(
            json!({ "kind": kind, "min": 1, "shape": 1 }),
            "shape",
            "mean is infinite",
        );
        refused(
            json!({ "kind": kind, "min": 1, "shape": 2, "max": 1 }),
            "max",
            "more than `min`",
        );
    }
}
