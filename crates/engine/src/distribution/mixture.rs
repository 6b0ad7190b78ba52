//! Mixture: F(x) = Σ pᵢ Fᵢ(x) with pᵢ = `weight`ᵢ / Σ `weight`.
//!
//! Mean Σ pᵢ mᵢ, variance Σ pᵢ (vᵢ + (mᵢ - mean)²). L. Devroye, Non-Uniform Random Variate
//! Generation (1986), section II.4.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dist, DistError, Family, Law, Load, Quantity, Sampler, bisect, check};
use crate::rng::uniform;

/// Now one distribution, now another: cache hits and misses, cheap and dear requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mixture<Q> {
    /// The distributions and how often each is drawn from, e.g.
    /// `[{ weight = 9, dist = { kind = "constant", value = "1ms" } }, { weight = 1, dist = ... }]`.
    #[schemars(length(min = 1))]
    pub parts: Vec<Part<Q>>,
}

/// One of the distributions of a mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part<Q> {
    /// How often it is drawn from, relative to the sum of all weights: more than 0, at most 1e9.
    #[schemars(range(min = 1e-9, max = 1e9))]
    pub weight: f64,
    /// The distribution, which may itself be a mixture.
    pub dist: Box<Dist<Q>>,
}

/// Prepared for drawing.
#[derive(Clone, Debug)]
pub struct Draw {
    parts: Box<[Prepared]>,
}

#[derive(Clone, Debug)]
struct Prepared {
    share: f64,
    /// The shares up to and including this one.
    upto: f64,
    sampler: Sampler,
}

impl<Q: Quantity> Family for Mixture<Q> {
    type Draw = Draw;
    fn prepare(&self, load: &mut Load<'_>) -> Result<Draw, DistError> {
        if self.parts.is_empty() {
            return Err(DistError::new("parts", "must have at least one part"));
        }
        let mut total = 0.0;
        for (i, part) in self.parts.iter().enumerate() {
            total += check::number(&format!("parts[{i}].weight"), part.weight, 1e-9, 1e9)?;
        }
        let mut upto = 0.0;
        let prepare = |(i, part): (usize, &Part<Q>)| {
            let sampler = part.dist.sampler_with(load);
            upto += part.weight;
            Ok(Prepared {
                share: part.weight / total,
                upto: upto / total,
                sampler: sampler.map_err(|e| e.inside(&format!("parts[{i}].dist")))?,
            })
        };
        let parts = self.parts.iter().enumerate().map(prepare);
        Ok(Draw {
            parts: parts.collect::<Result<_, _>>()?,
        })
    }

    fn files_mut(&mut self) -> Vec<&mut String> {
        let parts = self.parts.iter_mut();
        parts.flat_map(|part| part.dist.files_mut()).collect()
    }
}

impl Draw {
    /// The mean of `f` over the parts.
    fn average(&self, f: impl Fn(&Sampler) -> f64) -> f64 {
        self.parts.iter().map(|p| p.share * f(&p.sampler)).sum()
    }
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        let u = uniform(rng);
        // The last part takes whatever rounding leaves.
        let (last, others) = self.parts.split_last().expect("at least one part");
        let part = others.iter().find(|part| u < part.upto).unwrap_or(last);
        part.sampler.sample(rng)
    }
    fn mean(&self) -> f64 {
        self.average(Sampler::mean)
    }
    fn variance(&self) -> f64 {
        let mean = self.mean();
        self.average(|part| {
            let between = part.mean() - mean;
            part.variance() + between * between
        })
    }
    fn cdf(&self, x: f64) -> f64 {
        self.average(|part| part.cdf(x)).min(1.0)
    }
    fn quantile(&self, q: f64) -> f64 {
        // It lies between the parts' own.
        let own = |p: &Prepared| p.sampler.quantile(q);
        let low = self.parts.iter().map(own).fold(f64::INFINITY, f64::min);
        let high = self.parts.iter().map(own).fold(0.0, f64::max);
        if q >= 1.0 {
            return high;
        }
        // Where the parts' functions round a hair below q at their own quantiles, `high` stands.
        bisect(low, high, |x| self.cdf(x) >= q)
    }
}

#[cfg(test)]
mod tests {
    use crate::distribution::testing::{coherent, first, plain, refused};
    use crate::distribution::{Amount, Dist};
    use serde_json::{Value, json};

    fn cache() -> Value {
        json!({ "kind": "mixture", "parts": [
            { "weight": 9, "dist": { "kind": "exponential", "mean": 1 } },
            { "weight": 1, "dist": { "kind": "lognormal", "mean": 20, "cv": 0.5 } },
        ] })
    }

    #[test]
    fn agrees_with_itself() {
        let s = plain(cache());
        coherent(&s, false);
        assert!((s.mean() - 2.9).abs() < 1e-12);
        // 0.9·(1 + 1.9²) + 0.1·(100 + 17.1²)
        assert!((s.variance() - 43.39).abs() < 1e-10, "{}", s.variance());
        let atoms = plain(json!({ "kind": "mixture", "parts": [
            { "weight": 0.5, "dist": { "kind": "constant", "value": 1 } },
            { "weight": 0.25, "dist": { "kind": "constant", "value": 3 } },
            { "weight": 0.25, "dist": cache() },
        ] }));
        coherent(&atoms, false);
        let certain = plain(json!({ "kind": "mixture", "parts": [
            { "weight": 1, "dist": { "kind": "constant", "value": 1 } },
            { "weight": 3, "dist": { "kind": "constant", "value": 2 } },
        ] }));
        let at = |q: f64| certain.quantile(q);
        assert_eq!((at(0.0), at(0.25), at(0.26), at(1.0)), (1.0, 1.0, 2.0, 2.0));
    }

    #[test]
    fn first_values_are_pinned() {
        assert_eq!(
            first(&plain(cache())),
            [0.26339006643194784, 0.5624488415858045, 0.3509090503367303]
        );
    }

    #[test]
    fn files_of_all_parts_are_found() {
        let mut dist: Dist<Amount> = serde_json::from_value(json!({ "kind": "mixture", "parts": [
            { "weight": 1, "dist": { "kind": "empirical", "file": "a.csv" } },
            { "weight": 1, "dist": { "kind": "empirical", "file": "b.csv", "column": "x" } },
        ] }))
        .unwrap();
        for file in dist.files_mut() {
            file.insert_str(0, "data/");
        }
        let mut seen = Vec::new();
        let sampler = dist.sampler_with(&mut |file, column| {
            seen.push((file.to_owned(), column.map(str::to_owned)));
            Ok(vec![seen.len() as f64])
        });
        assert_eq!(sampler.unwrap().mean(), 1.5);
        let expected = [("data/a.csv", None), ("data/b.csv", Some("x"))];
        assert_eq!(seen, expected.map(|(f, c)| (f.into(), c.map(Into::into))));
    }

    #[test]
    fn refuses_what_cannot_be() {
        let one = |weight: f64, dist: Value| json!({ "kind": "mixture", "parts": [{ "weight": weight, "dist": dist }] });
        let good = json!({ "kind": "constant", "value": 1 });
        refused(
            json!({ "kind": "mixture", "parts": [] }),
            "parts",
            "at least one",
        );
        refused(one(0.0, good.clone()), "parts[0].weight", "1e-9");
        refused(one(-1.0, good), "parts[0].weight", "1e-9");
        let bad = json!({ "kind": "exponential", "mean": 0 });
        refused(one(1.0, bad.clone()), "parts[0].dist.mean", "more than 0");
        refused(
            one(1.0, one(1.0, bad)),
            "parts[0].dist.parts[0].dist.mean",
            "more than 0",
        );
    }
}
