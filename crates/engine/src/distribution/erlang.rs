//! Erlang: the sum of k = `stages` exponentials of mean `mean`/k; F(x) = 1 - Σ_{n<k} e^(-kx/m)
//! (kx/m)^n / n!.
//!
//! Mean `mean`, cv 1/√k: a gamma distribution of whole shape. A. K. Erlang, P.O.
//! Elektroteknikeren 13, 1917; A. M. Law, Simulation Modeling and Analysis, 5th ed. (2015), section
//! 8.3.3.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DistError, Family, Law, Load, Quantity, check, gamma};

/// Up to here adding exponentials is quicker than drawing a gamma.
const FEW: u32 = 3;

/// A sum of exponential stages: steadier than exponential (cv below 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Erlang<Q> {
    /// The mean of the whole, more than 0.
    pub mean: Q,
    /// How many stages, from 1 (exponential) to 1000000; the cv is one over its square root.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub stages: u32,
}

/// Prepared for drawing.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// As many stages as are added one by one; 0 where the gamma draws.
    added: u32,
    gamma: gamma::Draw,
}

impl<Q: Quantity> Family for Erlang<Q> {
    type Draw = Draw;
    fn prepare(&self, _: &mut Load<'_>) -> Result<Draw, DistError> {
        let mean = check::positive("mean", self.mean)?;
        let stages = check::number("stages", f64::from(self.stages), 1.0, 1e6)?;
        Ok(Draw {
            added: if self.stages <= FEW { self.stages } else { 0 },
            gamma: gamma::Draw::new(stages, mean / stages),
        })
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        if self.added == 0 {
            return self.gamma.sample(rng);
        }
        let mut sum = 0.0;
        for _ in 0..self.added {
            sum += self.gamma.unit.sample(rng);
        }
        self.gamma.scale * sum
    }
    fn mean(&self) -> f64 {
        self.gamma.mean()
    }
    fn variance(&self) -> f64 {
        self.gamma.variance()
    }
    fn cdf(&self, x: f64) -> f64 {
        self.gamma.cdf(x)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused, same_cdf};
    use serde_json::json;
    use statrs::distribution::ContinuousCDF as _;

    #[test]
    fn agrees_with_itself_and_the_reference() {
        for (mean, stages) in [(1.0, 1), (0.01, 2), (1.0, 3), (3.0, 4), (1.0, 50)] {
            let s = plain(json!({ "kind": "erlang", "mean": mean, "stages": stages }));
            coherent(&s, false);
            let reference =
                statrs::distribution::Erlang::new(stages, stages as f64 / mean).unwrap();
            same_cdf(&s, |x| reference.cdf(x));
            assert!((s.cv() - 1.0 / (stages as f64).sqrt()).abs() < 1e-12);
        }
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(json!({ "kind": "erlang", "mean": 2, "stages": 2 }));
        assert_eq!(
            first(&s),
            [0.8124149526656919, 1.4941162160020574, 0.8914738678959067]
        );
        let s = plain(json!({ "kind": "erlang", "mean": 2, "stages": 9 }));
        assert_eq!(
            first(&s),
            [1.629128064440735, 1.4466856799932015, 1.6300891810075377]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "erlang";
        refused(
            json!({ "kind": kind, "mean": 0, "stages": 2 }),
            "mean",
            "more than 0",
        );
        refused(
            json!({ "kind": kind, "mean": 1, "stages": 0 }),
            "stages",
            "from 1 to",
        );
    }
}
