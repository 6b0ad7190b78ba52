//! Empirical: as measured.
//!
//! From a `file`: every observation is as likely as the other (all are kept, sorted), so F(x) is
//! the share of observations of at most x, and mean and variance are theirs (the variance over n,
//! not n - 1, since the observations *are* the distribution). B. Efron, Annals of
//! Statistics 7, 1979.
//!
//! From a table of `quantiles`: straight lines between its points, the inverse of F, so that within
//! a row values are uniform. A. M. Law, Simulation Modeling and Analysis, 5th ed. (2015), section
//! 6.2.4.

use std::sync::Arc;

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DistError, Family, Law, Load, Quantity, check};
use crate::rng::{below, uniform};

/// As measured: observations from a file, or a table of quantiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
// One of two keys must be given, so the bare name is not enough.
#[schemars(extend("x-bare" = false))]
pub struct Empirical<Q> {
    /// Pairs of a share and the value it does not exceed, from 0 to 1, with straight lines between
    /// them, e.g. `[[0, "1ms"], [0.5, "8ms"], [0.99, "60ms"], [1, "250ms"]]`; either this or
    /// `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Vec<(f64, Q)>>,
    /// A file of observations, in any shape that a trace may have, each to be drawn equally often;
    /// either this or `quantiles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The column of `file` that holds them; by default its only column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What the number 1 in `file` stands for, more than 0; by default one second, or 1 for plain
    /// numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Q>,
}

/// Prepared for drawing.
#[derive(Clone, Debug)]
pub struct Draw {
    data: Data,
    mean: f64,
    variance: f64,
}

/// Shared, since samplers are cloned and observations may be millions.
#[derive(Clone, Debug)]
enum Data {
    /// Sorted.
    Observations(Arc<[f64]>),
    /// (share, value), rising in the one and not falling in the other.
    Table(Arc<[(f64, f64)]>),
}

impl<Q: Quantity> Family for Empirical<Q> {
    type Draw = Draw;
    fn prepare(&self, load: &mut Load<'_>) -> Result<Draw, DistError> {
        match (&self.quantiles, &self.file) {
            (Some(table), None) => {
                for (field, given) in [
                    ("column", self.column.is_some()),
                    ("unit", self.unit.is_some()),
                ] {
                    if given {
                        return Err(DistError::new(
                            field,
                            "belongs to `file`, and there is none",
                        ));
                    }
                }
                Draw::table(table)
            }
            (None, Some(file)) => {
                let unit = match self.unit {
                    Some(unit) => check::positive("unit", unit)?,
                    None => 1.0,
                };
                let mut observations = load(file, self.column.as_deref())
                    .map_err(|why| DistError::new("file", why))?;
                for x in &mut observations {
                    *x *= unit;
                }
                Draw::observed("file", observations)
            }
            (Some(_), Some(_)) => Err(DistError::new(
                "file",
                "must not stand beside `quantiles`: give one of the two",
            )),
            (None, None) => Err(DistError::new(
                "file",
                "is missing: give either `file` or `quantiles`",
            )),
        }
    }

    fn files_mut(&mut self) -> Vec<&mut String> {
        self.file.iter_mut().collect()
    }
}

impl Draw {
    /// Draws again from observations; `field` names them in errors.
    pub(super) fn observed(field: &str, mut observations: Vec<f64>) -> Result<Draw, DistError> {
        if observations.is_empty() {
            return Err(DistError::new(field, "must have at least one observation"));
        }
        for (i, x) in observations.iter().enumerate() {
            check::number(&format!("{field}[{i}]"), *x, 0.0, check::MOST)?;
        }
        observations.sort_unstable_by(f64::total_cmp);
        let n = observations.len() as f64;
        let mean = observations.iter().sum::<f64>() / n;
        let squares = observations.iter().map(|x| (x - mean) * (x - mean));
        Ok(Draw {
            mean,
            variance: squares.sum::<f64>() / n,
            data: Data::Observations(observations.into()),
        })
    }

    fn table<Q: Quantity>(table: &[(f64, Q)]) -> Result<Draw, DistError> {
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(table.len());
        for (i, &(share, value)) in table.iter().enumerate() {
            let field = format!("quantiles[{i}]");
            let value = check::nonnegative(&field, value)?;
            check::number(&field, share, 0.0, 1.0)?;
            if points.last().is_some_and(|last| share <= last.0) {
                return Err(DistError::new(
                    field,
                    "must have a greater share than the one before",
                ));
            }
            if points.last().is_some_and(|last| value < last.1) {
                return Err(DistError::new(
                    field,
                    "must not have a smaller value than the one before",
                ));
            }
            points.push((share, value));
        }
        if points.first().map(|p| p.0) != Some(0.0) || points.last().map(|p| p.0) != Some(1.0) {
            return Err(DistError::new(
                "quantiles",
                "must begin with the least value, [0, ...], and end with the greatest, [1, ...]",
            ));
        }
        let rows = || points.windows(2).map(|w| (w[1].0 - w[0].0, w[0].1, w[1].1));
        let mean: f64 = rows().map(|(share, a, b)| share * 0.5 * (a + b)).sum();
        let row = |(share, a, b): (f64, f64, f64)| {
            let (a, b) = (a - mean, b - mean);
            share * (a * a + a * b + b * b) / 3.0
        };
        Ok(Draw {
            mean,
            variance: rows().map(row).sum(),
            data: Data::Table(points.into()),
        })
    }
}

/// The value at `q` in a table of (share, value).
#[inline]
fn interpolate(table: &[(f64, f64)], q: f64) -> f64 {
    // The first point has share 0 and the last 1, so there is a point on either side.
    let right = table.partition_point(|p| p.0 < q).clamp(1, table.len() - 1);
    let ((q0, x0), (q1, x1)) = (table[right - 1], table[right]);
    (x0 + (q - q0) / (q1 - q0) * (x1 - x0)).min(x1)
}

impl Law for Draw {
    #[inline]
    fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        match &self.data {
            Data::Observations(sorted) => sorted[below(rng, sorted.len())],
            Data::Table(table) => interpolate(table, uniform(rng)),
        }
    }
    fn mean(&self) -> f64 {
        self.mean
    }
    fn variance(&self) -> f64 {
        self.variance
    }
    fn cdf(&self, x: f64) -> f64 {
        match &self.data {
            Data::Observations(sorted) => {
                sorted.partition_point(|o| *o <= x) as f64 / sorted.len() as f64
            }
            Data::Table(table) => match table.partition_point(|p| p.1 <= x) {
                0 => 0.0,
                right if right == table.len() => 1.0,
                right => {
                    let ((q0, x0), (q1, x1)) = (table[right - 1], table[right]);
                    q0 + (x - x0) / (x1 - x0) * (q1 - q0)
                }
            },
        }
    }
    fn quantile(&self, q: f64) -> f64 {
        match &self.data {
            Data::Observations(sorted) => {
                // The least rank whose share, as `cdf` computes it, reaches q: the product may
                // round past it.
                let n = sorted.len() as f64;
                let rank = (q * n).ceil();
                let exact = if (rank - 1.0) / n >= q {
                    rank - 1.0
                } else {
                    rank
                };
                sorted[(exact as usize).clamp(1, sorted.len()) - 1]
            }
            Data::Table(table) => interpolate(table, q),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::testing::{coherent, first, plain, refused, stream};
    use crate::distribution::{Dist, Sampler};
    use crate::time::Span;
    use serde_json::{Value, json};

    fn table(quantiles: Value) -> Value {
        json!({ "kind": "empirical", "quantiles": quantiles })
    }

    #[test]
    fn tables_agree_with_themselves() {
        let s = plain(table(json!([[0, 1], [0.5, 8], [0.99, 60], [1, 250]])));
        coherent(&s, false);
        assert_eq!(
            (s.quantile(0.5), s.quantile(1.0), s.cdf(8.0)),
            (8.0, 250.0, 0.5)
        );
        // A level stretch is an atom: half of all values are 2.
        let s = plain(table(json!([[0, 1], [0.25, 2], [0.75, 2], [1, 4]])));
        coherent(&s, false);
        assert_eq!(
            (s.cdf(2.0), s.quantile(0.5), s.mean()),
            (0.75, 2.0, 0.375 + 1.0 + 0.75)
        );
        // One row is the uniform distribution.
        let s = plain(table(json!([[0, 2], [1, 4]])));
        assert_eq!((s.mean(), s.variance()), (3.0, 1.0 / 3.0));
    }

    #[test]
    fn observations_are_drawn_equally_often() {
        let s = Sampler::from_observations(vec![5.0, 1.0, 2.0, 2.0]).unwrap();
        assert_eq!((s.mean(), s.variance()), (2.5, 2.25));
        assert_eq!(
            (s.cdf(0.9), s.cdf(1.0), s.cdf(2.0), s.cdf(5.0)),
            (0.0, 0.25, 0.75, 1.0)
        );
        let at = |q: f64| s.quantile(q);
        assert_eq!(
            (at(0.0), at(0.25), at(0.5), at(0.76), at(1.0)),
            (1.0, 1.0, 2.0, 5.0, 5.0)
        );
        coherent(&s, false);
        let mut rng = stream(3);
        let many = (0..10_000).map(|_| uniform(&mut rng) * 7.0).collect();
        coherent(&Sampler::from_observations(many).unwrap(), false);
    }

    #[test]
    fn numbers_in_a_file_have_a_unit() {
        let dist = json!({ "kind": "empirical", "file": "log.csv", "column": "rt", "unit": "1ms" });
        let dist: Dist<Span> = serde_json::from_value(dist).unwrap();
        let sampler = dist.sampler_with(&mut |file, column| {
            assert_eq!((file, column), ("log.csv", Some("rt")));
            Ok(vec![10.0, 30.0])
        });
        assert!((sampler.unwrap().mean() - 0.020).abs() < 1e-15);
        let error = dist
            .sampler_with(&mut |_, _| Err("is not there".into()))
            .unwrap_err();
        assert_eq!(error.to_string(), "`file` is not there");
        assert_eq!(dist.sampler().unwrap_err().field, "file");
    }

    #[test]
    fn first_values_are_pinned() {
        let s = plain(table(json!([[0, 1], [0.5, 8], [0.99, 60], [1, 250]])));
        assert_eq!(
            first(&s),
            [5.059436302808329, 51.14844607149158, 7.690908935653669]
        );
        let s = Sampler::from_observations((0..1000).map(f64::from).collect()).unwrap();
        assert_eq!(first(&s), [289.0, 906.0, 477.0]);
    }

    #[test]
    fn refuses_what_cannot_be() {
        let kind = "empirical";
        refused(json!({ "kind": kind }), "file", "either");
        refused(
            json!({ "kind": kind, "file": "a", "quantiles": [] }),
            "file",
            "one of the two",
        );
        refused(table(json!([])), "quantiles", "begin");
        refused(table(json!([[0, 1], [0.9, 2]])), "quantiles", "greatest");
        refused(
            table(json!([[0, 1], [0, 2], [1, 3]])),
            "quantiles[1]",
            "greater share",
        );
        refused(
            table(json!([[0, 3], [1, 2]])),
            "quantiles[1]",
            "smaller value",
        );
        refused(table(json!([[0, 3], [1.5, 4]])), "quantiles[1]", "0 to 1");
        let column = json!({ "kind": kind, "quantiles": [[0, 1], [1, 2]], "column": "a" });
        refused(column, "column", "belongs to `file`");
        let observed = |x: Vec<f64>| Sampler::from_observations(x).unwrap_err().to_string();
        assert!(observed(vec![]).contains("at least one"));
        assert!(observed(vec![1.0, -1.0]).starts_with("`observations[1]` must be from 0 to"));
        assert!(observed(vec![f64::NAN]).contains("NaN"));
    }
}
