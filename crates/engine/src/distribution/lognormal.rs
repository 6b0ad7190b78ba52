//! Lognormal: exp(μ + σZ) with Z standard normal, σ² = ln(1 + cv²) and μ = ln(mean) - σ²/2.
//!
//! `mean` and `cv` are those of the variable itself, not of its logarithm. A. M. Law, Simulation
//! Modeling and Analysis, 5th ed. (2015), section 6.2.2; Z by the ziggurat of Marsaglia and Tsang
//! (2000).

use std::f64::consts::FRAC_1_SQRT_2;

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ziggurat::UnitNormal;
use super::{DistError, Family, Law, Load, Quantity, bisect, check};

/// Any mean and cv, with the long tail that measured service times often have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lognormal<Q> {
    /// The mean of the variable itself, more than 0.
    pub mean: Q,
    /// Standard deviation over mean of the variable itself, from 0.001 to 100.
    #[schemars(range(min = 0.001, max = 100.0))]
    pub cv: f64,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    mean: f64,
    cv: f64,
    mu: f64,
    sigma: f64,
    normal: UnitNormal,
}

impl<Q: Quantity> Family for Lognormal<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let mean = check::positive("mean", self.mean)?;
        let cv = check::cv(self.cv, 1e-3, 100.0)?;
        let square = libm::log1p(cv * cv);
        Ok(Draw {
            mean,
            cv,
            mu: libm::log(mean) - 0.5 * square,
            sigma: square.sqrt(),
            normal: UnitNormal::new(),
        })
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        libm::exp(self.mu + self.sigma * self.normal.sample(rng))
    }
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        let deviation = self.mean * self.cv;
        deviation * deviation
    }
    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        0.5 * libm::erfc((self.mu - libm::log(x)) / self.sigma * FRAC_1_SQRT_2)
    }
    fn quantile(&self, q: f64) -> f64 {
        if q <= 0.0 {
            return 0.0;
        }
        if q >= 1.0 {
            return f64::INFINITY;
        }
        // On the scale of Z, where 40 is beyond every float's probability.
        let z = bisect(-40.0, 40.0, |z| 0.5 * libm::erfc(-z * FRAC_1_SQRT_2) >= q);
        libm::exp(self.mu + self.sigma * z)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf, same_draws};
    use serde_json::json;
    use statrs::distribution::ContinuousCDF as _;

    #[test]
    fn agrees_with_itself_and_the_reference() {
        for (mean, cv) in [(1.0, 0.1), (0.01, 1.0), (10.0, 1.5), (1.0, 5.0)] {
            let s = plain(json!({ "kind": "lognormal", "mean": mean, "cv": cv }));
            coherent(&s, false);
            let sigma = f64::ln(1.0 + cv * cv).sqrt();
            let mu = f64::ln(mean) - 0.5 * sigma * sigma;
            let reference = statrs::distribution::LogNormal::new(mu, sigma).unwrap();
            same_cdf(&s, |x| reference.cdf(x));
            same_draws(&s, rand_distr::LogNormal::from_mean_cv(mean, cv).unwrap());
        }
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "lognormal", "mean": 10, "cv": 1.5 }));
        assert_eq!(
            first(&s),
            [3.2969578465631155, 9.344804368157451, 2.3187113356670404]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "lognormal";
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
        refused(json!({ "kind": kind, "mean": 1, "cv": 150 }), "cv", "100");
    }
}
