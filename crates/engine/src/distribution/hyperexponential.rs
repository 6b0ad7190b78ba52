//! Hyperexponential: with probability p an exponential of mean m/(2p), else one of mean m/(2(1-p)),
//! where p = (1 + √((cv²-1)/(cv²+1))) / 2.
//!
//! Mean m = `mean`, coefficient of variation `cv`. Two moments leave the third free: balanced means
//! (both phases carry half of the work) fix it. W. Whitt, Approximating a Point Process by a
//! Renewal Process I, Operations Research 30(1), 125-147, 1982, section 3; A. O. Allen,
//! Probability, Statistics, and Queueing Theory, 2nd ed. (1990).

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ziggurat::UnitExponential;
use super::{DistError, Family, Law, Load, Quantity, check};
use crate::rng::uniform;

/// One of two exponentials, fitted to a mean and a cv of 1 or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hyperexponential<Q> {
    /// The mean, more than 0.
    pub mean: Q,
    /// Standard deviation over mean, from 1 (exponential) to 100.
    #[schemars(range(min = 1.0, max = 100.0))]
    pub cv: f64,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    mean: f64,
    cv: f64,
    /// The probabilities of the short phase and of the long one.
    shares: [f64; 2],
    means: [f64; 2],
    unit: UnitExponential,
}

impl<Q: Quantity> Family for Hyperexponential<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let mean = check::positive("mean", self.mean)?;
        let cv = check::cv(self.cv, 1.0, 100.0)?;
        let square = cv * cv;
        let short = 0.5 * (1.0 + ((square - 1.0) / (square + 1.0)).sqrt());
        // 1 - p without its cancellation, from p(1-p) = 1/(2(cv²+1)).
        let long = 0.5 / ((square + 1.0) * short);
        let shares = [short, long];
        Ok(Draw {
            mean,
            cv,
            shares,
            means: shares.map(|share| 0.5 * mean / share),
            unit: UnitExponential::new(),
        })
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        let phase = usize::from(uniform(rng) >= self.shares[0]);
        self.means[phase] * self.unit.sample(rng)
    }
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        let deviation = self.mean * self.cv;
        deviation * deviation
    }
    fn cdf(&self, x: f64) -> f64 {
        let x = x.max(0.0);
        let phase = |i: usize| -self.shares[i] * libm::expm1(-x / self.means[i]);
        (phase(0) + phase(1)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf};
    use serde_json::json;

    #[test]
    fn agrees_with_itself() {
        for (mean, cv) in [(1.0, 1.0), (0.01, 1.5), (3.0, 4.0), (1.0, 20.0)] {
            let s = plain(json!({ "kind": "hyperexponential", "mean": mean, "cv": cv }));
            coherent(&s, false);
            assert!((s.cv() / cv - 1.0).abs() < 1e-12);
        }
        let s = plain(json!({ "kind": "hyperexponential", "mean": 2, "cv": 1 }));
        same_cdf(&s, |x| 1.0 - f64::exp(-x / 2.0));
    }

    /// The textbook's example of balanced means: cv² = 3 gives p = (1 + √½)/2.
    #[test]
    fn means_are_balanced() {
        let s = plain(json!({ "kind": "hyperexponential", "mean": 1, "cv": 3f64.sqrt() }));
        let p = 0.5 * (1.0 + 0.5f64.sqrt());
        let by_hand =
            |x: f64| 1.0 - p * f64::exp(-2.0 * p * x) - (1.0 - p) * f64::exp(-2.0 * (1.0 - p) * x);
        same_cdf(&s, by_hand);
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "hyperexponential", "mean": 2, "cv": 3 }));
        assert_eq!(
            first(&s),
            [0.27806829175939496, 0.5937930412505672, 0.3704645414760053]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "hyperexponential";
        refused(
            json!({ "kind": kind, "mean": 0, "cv": 1 }),
            "mean",
            "more than 0",
        );
        refused(
            json!({ "kind": kind, "mean": 1, "cv": 0.9 }),
            "cv",
            "from 1 to",
        );
    }
}
