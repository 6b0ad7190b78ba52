//! Random quantities: service times, think times, sizes.
//!
//! A scenario says a [`Dist`] (`{ kind = "exponential", mean = "10ms" }`); [`Dist::sampler`] checks
//! its parameters and prepares a [`Sampler`], which draws and knows its own mean, spread,
//! distribution function and quantiles. Each family has one file and one line in the list below,
//! from which come both enums and the [`CATALOGUE`].
//!
//! Drawing uses only `+ - * /`, `sqrt` and the `libm` crate, so a stream gives the same values to
//! the bit on every machine. Distribution functions and quantiles serve reports and tests; those of
//! the gamma and Erlang families may differ in the last digits from machine to machine.
//!
//! ```
//! use lbsim_engine::distribution::Dist;
//! use lbsim_engine::rng::{Domain, Seeds};
//! use lbsim_engine::time::Span;
//!
//! let text = r#"{ "kind": "lognormal", "mean": "10ms", "cv": 1.5 }"#;
//! let service: Dist<Span> = serde_json::from_str(text).unwrap();
//! let sampler = service.sampler().unwrap();
//! let seconds = sampler.sample(&mut Seeds::new(1, 0).stream(Domain::Luck, 0));
//! assert!(seconds > 0.0);
//! assert!((sampler.mean() - 0.010).abs() < 1e-15);
//! ```

use std::fmt::Debug;

use rand::Rng;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::time::Span;

pub use amount::Amount;

mod amount;
mod check;
#[cfg(test)]
mod testing;
mod ziggurat;

pub mod constant;
pub mod empirical;
pub mod erlang;
pub mod exponential;
pub mod gamma;
pub mod hyperexponential;
pub mod lognormal;
pub mod mixture;
pub mod pareto;
pub mod uniform;
pub mod weibull;

/// What a distribution is over: times, bytes, or plain amounts.
pub trait Quantity:
    Copy + Serialize + DeserializeOwned + JsonSchema + Debug + PartialEq + 'static
{
    /// Seconds of a time, bytes, or the number itself.
    fn value(self) -> f64;
}

impl Quantity for crate::units::Bytes {
    fn value(self) -> f64 {
        self.value() as f64
    }
}

impl Quantity for Span {
    fn value(self) -> f64 {
        self.seconds()
    }
}

/// Which parameter of a distribution breaks which rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {message}")]
pub struct DistError {
    /// The parameter, with its path inside a mixture: `cv`, `parts[1].dist.mean`.
    pub field: String,
    /// What it must be, to be read after its name: "must be more than 0 (it is -1)".
    pub message: String,
}

/// Gives the observations in a column of a file (the only column where no name is given), or says
/// why it cannot.
pub type Load<'a> = dyn FnMut(&str, Option<&str>) -> Result<Vec<f64>, String> + 'a;

/// What a family's parameters can do.
trait Family {
    /// What is prepared from them.
    type Draw;
    /// Checks the parameters and computes whatever does not change from draw to draw.
    fn prepare(&self, load: &mut Load<'_>) -> Result<Self::Draw, DistError>;
    /// The names of the files it needs.
    fn files_mut(&mut self) -> Vec<&mut String> {
        Vec::new()
    }
}

/// What a prepared distribution can do.
trait Law {
    fn sample<R: Rng>(&self, rng: &mut R) -> f64;
    fn mean(&self) -> f64;
    fn variance(&self) -> f64;
    fn cdf(&self, x: f64) -> f64;
    /// The smallest x with `cdf(x) >= q`, for q in [0, 1]. Found by bisection where a family has no
    /// formula, which is right for those that are continuous on all of [0, ∞).
    fn quantile(&self, q: f64) -> f64 {
        if q <= 0.0 {
            return 0.0;
        }
        if q >= 1.0 {
            return f64::INFINITY;
        }
        let mut high = self.mean();
        while self.cdf(high) < q && high.is_finite() {
            high *= 2.0;
        }
        bisect(0.0, high, |x| self.cdf(x) >= q)
    }
}

/// The smallest float in [low, high] from which `reached` holds (`high` where none before it does),
/// to within 2^-200 of the bracket or one step of the float, whichever is coarser.
fn bisect(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    if reached(low) {
        return low;
    }
    for _ in 0..200 {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            break;
        }
        if reached(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// Keeps the draws of all families out of the match that chooses among them: inlined there, each
/// would make every other save the registers that it alone needs.
#[inline(never)]
fn out_of_line<R: Rng>(law: &impl Law, rng: &mut R) -> f64 {
    law.sample(rng)
}

macro_rules! families {
    ($(#[doc = $summary:literal] $family:ident $module:ident $name:literal $source:literal;)*) => {
        /// A distribution as a scenario says it: a table with `kind` and the parameters of that
        /// family.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Dist<Q> {
            $(#[doc = $summary] #[serde(rename = $name)] $family($module::$family<Q>),)*
        }

        /// A distribution ready to draw from, in seconds or plain numbers.
        #[derive(Clone, Debug)]
        pub enum Sampler {
            $(#[doc = $summary] $family($module::Draw),)*
        }

        impl<Q: Quantity> Dist<Q> {
            /// Checks the parameters and prepares for drawing; `load` reads the files of empirical
            /// distributions.
            ///
            /// # Errors
            /// The first parameter that breaks a rule.
            pub fn sampler_with(
                &self,
                load: &mut dyn FnMut(&str, Option<&str>) -> Result<Vec<f64>, String>,
            ) -> Result<Sampler, DistError> {
                match self {
                    $(Dist::$family(family) => family.prepare(load).map(Sampler::$family),)*
                }
            }

            /// The names of all files it needs, to be resolved against the scenario's folder.
            pub fn files_mut(&mut self) -> Vec<&mut String> {
                match self {
                    $(Dist::$family(family) => Family::files_mut(family),)*
                }
            }

            /// The family's name: its `kind`.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Dist::$family(_) => $name,)*
                }
            }
        }

        impl Sampler {
            /// Draws a value: finite and not negative.
            #[inline]
            pub fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
                match self {
                    $(Sampler::$family(draw) => out_of_line(draw, rng),)*
                }
            }

            /// The mean.
            pub fn mean(&self) -> f64 {
                match self {
                    $(Sampler::$family(draw) => draw.mean(),)*
                }
            }

            /// The variance; infinite for an unbounded Pareto with a shape of 2 or less.
            pub fn variance(&self) -> f64 {
                match self {
                    $(Sampler::$family(draw) => draw.variance(),)*
                }
            }

            /// The probability of a value of at most `x`.
            pub fn cdf(&self, x: f64) -> f64 {
                match self {
                    $(Sampler::$family(draw) => draw.cdf(x),)*
                }
            }

            /// The smallest value that a share `q` of all values does not exceed: 0.5 gives the
            /// median, 0 the least value and 1 the greatest, which may be infinite. What lies
            /// outside [0, 1] counts as the nearer end, NaN gives NaN.
            pub fn quantile(&self, q: f64) -> f64 {
                if q.is_nan() {
                    return q;
                }
                let q = q.clamp(0.0, 1.0);
                match self {
                    $(Sampler::$family(draw) => draw.quantile(q),)*
                }
            }
        }

        /// Every family, in the order in which lists show them.
        pub const CATALOGUE: &[Entry] = &[
            $(Entry {
                name: $name,
                summary: $summary.trim_ascii(),
                source: $source,
                schema: || schemars::schema_for!($module::$family<Span>),
            },)*
        ];
    };
}

families! {
    /// Always the same value.
    Constant constant "constant" "a point mass; the D of Kendall's notation (Ann. Math. Stat. 24, 1953)";
    /// Every value between two ends equally likely.
    Uniform uniform "uniform" "Law, Simulation Modeling and Analysis, 5th ed. (2015), section 6.2.2";
    /// Memoryless: the standard assumption of queueing theory (cv 1).
    Exponential exponential "exponential" "Marsaglia and Tsang, J. Stat. Softw. 5(8), 2000 (ziggurat)";
    /// A sum of exponential stages: steadier than exponential (cv below 1).
    Erlang erlang "erlang" "Erlang, P.O. Elektroteknikeren 13, 1917; Law (2015), section 8.3.3";
    /// Any mean and cv, with a light tail.
    Gamma gamma "gamma" "Marsaglia and Tsang, ACM TOMS 26(3), 363-372, 2000";
    /// Any mean and cv, with the long tail that measured service times often have.
    Lognormal lognormal "lognormal" "Law (2015), section 6.2.2; normal by Marsaglia and Tsang (2000)";
    /// Lifetimes: wear-out for a shape above 1, early failure and a heavier tail below.
    Weibull weibull "weibull" "Weibull, J. Appl. Mech. 18, 293-297, 1951; Law (2015), section 6.2.2";
    /// A power-law tail, optionally cut off: many small values, a few enormous ones.
    Pareto pareto "pareto" "Harchol-Balter, Performance Modeling and Design of Computer Systems (2013), chapter 20";
    /// One of two exponentials, fitted to a mean and a cv of 1 or more.
    Hyperexponential hyperexponential "hyperexponential" "Whitt, Oper. Res. 30(1), 125-147, 1982, section 3 (balanced means); Allen (1990)";
    /// Now one distribution, now another: cache hits and misses, cheap and dear requests.
    Mixture mixture "mixture" "Devroye, Non-Uniform Random Variate Generation (1986), section II.4";
    /// As measured: observations from a file, or a table of quantiles.
    Empirical empirical "empirical" "Law (2015), section 6.2.4; Efron, Ann. Stat. 7, 1979 (drawing again from observations)";
}

impl<Q: Quantity> Dist<Q> {
    /// Checks the parameters and prepares for drawing.
    ///
    /// # Errors
    /// The first parameter that breaks a rule, and any that needs a file: for those use
    /// [`sampler_with`](Dist::sampler_with).
    pub fn sampler(&self) -> Result<Sampler, DistError> {
        self.sampler_with(&mut |_, _| Err("cannot be read here".to_owned()))
    }
}

impl Sampler {
    /// Draws again from observations, each as likely as the other.
    ///
    /// # Errors
    /// Where there are none, or one is negative, not a number, or above 1e15.
    pub fn from_observations(observations: Vec<f64>) -> Result<Sampler, DistError> {
        empirical::Draw::observed("observations", observations).map(Sampler::Empirical)
    }

    /// Whether it is the exponential distribution.
    pub fn is_exponential(&self) -> bool {
        matches!(self, Sampler::Exponential(_))
    }

    /// The mean of the greater of a value and `least`: `mean() + ∫ F` from 0 to `least`, where `F`
    /// is the distribution function. The integral is right to within `least`/1000 at worst, and to
    /// some millionths of it where the function is smooth or has a few steps.
    pub fn mean_at_least(&self, least: f64) -> f64 {
        // Halved until a piece can hide no more than this; a step is run to earth, and what is
        // smooth is not.
        const HIDDEN: f64 = 1e-7;
        let mut below = 0.0;
        let mut open = vec![(0.0, least, self.cdf(0.0), self.cdf(least))];
        while let Some((from, to, low, high)) = open.pop() {
            let middle = 0.5 * (from + to);
            if (to - from) * (high - low) <= HIDDEN * least || middle <= from || middle >= to {
                below += 0.5 * (to - from) * (low + high);
            } else {
                let half = self.cdf(middle);
                open.extend([(from, middle, low, half), (middle, to, half, high)]);
            }
        }
        self.mean() + below
    }

    /// The standard deviation over the mean; 0 for a mean of 0.
    pub fn cv(&self) -> f64 {
        let mean = self.mean();
        if mean > 0.0 {
            self.variance().sqrt() / mean
        } else {
            0.0
        }
    }
}

/// One family, for `lbsim list` and `lbsim explain`.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its `kind`.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Where it, or the way it is drawn, is described.
    pub source: &'static str,
    schema: fn() -> Schema,
}

/// One parameter of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in a scenario.
    pub name: String,
    /// What it means, its bounds and default.
    pub doc: String,
    /// Whether it must be given.
    pub required: bool,
}

impl Entry {
    /// The parameters, as their own documentation in the code describes them.
    pub fn parameters(&self) -> Vec<Parameter> {
        let schema = (self.schema)();
        let required = schema.get("required").and_then(|names| names.as_array());
        let properties = schema.get("properties").and_then(|p| p.as_object());
        properties
            .into_iter()
            .flatten()
            .map(|(name, field)| Parameter {
                name: name.clone(),
                doc: field["description"].as_str().unwrap_or("").to_owned(),
                required: required.is_some_and(|names| names.iter().any(|n| n == name)),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rng::{Domain, Seeds};

    #[test]
    fn the_list_is_complete_and_names_itself() {
        let schema = schemars::schema_for!(Dist<Span>);
        let variants = schema.get("oneOf").unwrap().as_array().unwrap();
        let kinds: Vec<&str> = variants
            .iter()
            .map(|v| v["properties"]["kind"]["const"].as_str().unwrap())
            .collect();
        let names: Vec<&str> = CATALOGUE.iter().map(|e| e.name).collect();
        assert_eq!(names, kinds);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        for (entry, variant) in CATALOGUE.iter().zip(variants) {
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(entry.name.chars().all(kebab), "{}", entry.name);
            assert!(entry.summary.ends_with('.') && !entry.source.is_empty());
            assert_eq!(variant["additionalProperties"], false, "{}", entry.name);
            let parameters = entry.parameters();
            assert!(!parameters.is_empty());
            for p in parameters {
                assert!(p.doc.len() > 10, "{}.{} has no doc", entry.name, p.name);
            }
        }
    }

    #[test]
    fn unknown_kinds_and_fields_name_the_known_ones() {
        let read = |value| {
            serde_json::from_value::<Dist<Span>>(value)
                .unwrap_err()
                .to_string()
        };
        let error = read(json!({ "kind": "expnential", "mean": "1ms" }));
        assert!(
            error.contains("`exponential`") && error.contains("`pareto`"),
            "{error}"
        );
        let error = read(json!({ "kind": "exponential", "maen": "1ms" }));
        assert!(
            error.contains("`maen`") && error.contains("`mean`"),
            "{error}"
        );
        let error = read(json!({ "kind": "exponential", "mean": 10 }));
        assert!(error.contains("string"), "{error}");
    }

    #[test]
    fn quantities_are_written_as_they_are_read() {
        let toml = r#"{ kind = "uniform", min = 1, max = 2.5 }"#;
        let dist: Dist<Amount> = toml::Value::try_from(
            toml::from_str::<toml::Table>(&format!("size = {toml}")).unwrap()["size"].clone(),
        )
        .unwrap()
        .try_into()
        .unwrap();
        assert_eq!(
            serde_json::to_value(&dist).unwrap(),
            json!({ "kind": "uniform", "min": 1.0, "max": 2.5 })
        );
        assert_eq!(dist.name(), "uniform");
        let negative = json!({ "kind": "constant", "value": -1 });
        let error = serde_json::from_value::<Dist<Amount>>(negative).unwrap_err();
        assert!(error.to_string().contains("0 or more"), "{error}");
    }

    #[test]
    fn quantiles_outside_their_interval_are_its_ends() {
        let s = testing::plain(json!({ "kind": "uniform", "min": 1, "max": 2 }));
        assert_eq!((s.quantile(-1.0), s.quantile(2.0)), (1.0, 2.0));
        assert!(s.quantile(f64::NAN).is_nan());
    }

    /// All that a draw needs, save tables, fits a line of the cache.
    #[test]
    fn samplers_stay_small() {
        assert!(size_of::<Sampler>() <= 64, "{}", size_of::<Sampler>());
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            -1.0..20.0,
            1e-9..1e-3,
            1e3..1e16,
            Just(0.0),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(f64::MAX),
            Just(f64::MIN_POSITIVE),
        ]
    }

    fn leaf() -> impl Strategy<Value = Dist<Amount>> {
        let n = || number().prop_map(Amount);
        prop_oneof![
            n().prop_map(|value| Dist::Constant(constant::Constant { value })),
            (n(), n()).prop_map(|(min, max)| Dist::Uniform(uniform::Uniform { min, max })),
            n().prop_map(|mean| Dist::Exponential(exponential::Exponential { mean })),
            (n(), any::<u32>(), 0..20u32).prop_map(|(mean, any, few)| {
                let stages = if any % 2 == 0 { any } else { few };
                Dist::Erlang(erlang::Erlang { mean, stages })
            }),
            (n(), number()).prop_map(|(mean, cv)| Dist::Gamma(gamma::Gamma { mean, cv })),
            (n(), number())
                .prop_map(|(mean, cv)| Dist::Lognormal(lognormal::Lognormal { mean, cv })),
            (n(), number())
                .prop_map(|(mean, shape)| Dist::Weibull(weibull::Weibull { mean, shape })),
            (n(), number(), proptest::option::of(n()))
                .prop_map(|(min, shape, max)| Dist::Pareto(pareto::Pareto { min, shape, max })),
            (n(), number()).prop_map(|(mean, cv)| {
                Dist::Hyperexponential(hyperexponential::Hyperexponential { mean, cv })
            }),
            proptest::collection::vec((number(), n()), 0..4).prop_map(|quantiles| {
                Dist::Empirical(empirical::Empirical {
                    quantiles: Some(quantiles),
                    file: None,
                    column: None,
                    unit: None,
                })
            }),
        ]
    }

    fn any_dist() -> impl Strategy<Value = Dist<Amount>> {
        leaf().prop_recursive(2, 6, 3, |inner| {
            proptest::collection::vec((number(), inner), 0..3).prop_map(|parts| {
                let parts = parts
                    .into_iter()
                    .map(|(weight, dist)| mixture::Part {
                        weight,
                        dist: Box::new(dist),
                    })
                    .collect();
                Dist::Mixture(mixture::Mixture { parts })
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn whatever_is_accepted_draws_finite_values(dist in any_dist(), seed in any::<u64>()) {
            let Ok(sampler) = dist.sampler() else { return Ok(()) };
            let mut rng = Seeds::new(seed, 0).stream(Domain::Luck, 0);
            for _ in 0..50 {
                let x = sampler.sample(&mut rng);
                prop_assert!(x.is_finite() && x >= 0.0, "{x}");
                prop_assert!((0.0..=1.0).contains(&sampler.cdf(x)), "cdf({x})");
            }
            prop_assert!(sampler.mean().is_finite() && sampler.mean() >= 0.0);
            prop_assert!(sampler.variance() >= 0.0 && sampler.cv() >= 0.0);
            let spectrum: Vec<f64> = [0.0, 0.1, 0.5, 0.999, 1.0].map(|q| sampler.quantile(q)).into();
            prop_assert!(spectrum.is_sorted() && spectrum[0] >= 0.0, "{spectrum:?}");
        }
    }
}
