//! Arrivals with independent gaps of one distribution.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::positive;
use lbsim_engine::distribution::{self, Amount, Dist, DistError, Sampler};
use lbsim_engine::rng::{Rng, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Rate;

/// Poisson arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Poisson {
    /// Mean arrivals a second.
    pub rate: Rate,
}

/// Arrivals at equal distances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Constant {
    /// Arrivals a second.
    pub rate: Rate,
    /// For how long, from the start on; to the end where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub lasts: Option<Span>,
}

/// Arrivals with gamma gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gamma {
    /// Mean arrivals a second.
    pub rate: Rate,
    /// Standard deviation of the gaps over their mean.
    #[schemars(range(min = 0.01, max = 100.0))]
    pub cv: f64,
}

/// Arrivals with Erlang gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Erlang {
    /// Mean arrivals a second.
    pub rate: Rate,
    /// Exponential stages of a gap.
    #[schemars(range(min = 1, max = 1000))]
    pub stages: u32,
}

/// Arrivals with hyperexponential gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hyperexponential {
    /// Mean arrivals a second.
    pub rate: Rate,
    /// Standard deviation of the gaps over their mean, at least 1.
    #[schemars(range(min = 1.0, max = 100.0))]
    pub cv: f64,
}

/// Gaps at work.
#[derive(Clone, Debug)]
pub struct Renewal {
    gap: Sampler,
}

impl Renewal {
    fn new(gap: Dist<Amount>) -> Result<Renewal, DistError> {
        Ok(Renewal {
            gap: gap.sampler()?,
        })
    }

    /// Of gaps that are all equal, the first is cut at random: processes of one rate do not march
    /// in step.
    pub(super) fn first(&self, rng: &mut Rng) -> Time {
        if !self.is_random() {
            return Time::ZERO + Span::from_seconds(self.gap.mean() * uniform(rng));
        }
        Time::ZERO + self.gap(rng)
    }

    #[inline]
    pub(super) fn gap(&self, rng: &mut Rng) -> Span {
        Span::from_seconds(self.gap.sample(rng))
    }

    pub(super) fn is_random(&self) -> bool {
        self.gap.variance() > 0.0
    }

    pub(super) fn is_poisson(&self) -> bool {
        self.gap.is_exponential()
    }

    pub(super) fn rate(&self) -> f64 {
        1.0 / self.gap.mean()
    }
}

/// The mean gap of a rate in seconds, not rounded to nanoseconds: 3/s must not become
/// 3.000000003/s.
fn gap_of(rate: Rate) -> Result<Amount, DistError> {
    Ok(Amount(1.0 / positive(rate, "rate")?))
}

impl Poisson {
    pub(super) fn process(&self) -> Result<Renewal, DistError> {
        Renewal::new(Dist::Exponential(distribution::exponential::Exponential {
            mean: gap_of(self.rate)?,
        }))
    }
}

impl Constant {
    pub(super) fn process(&self) -> Result<Renewal, DistError> {
        Renewal::new(Dist::Constant(distribution::constant::Constant {
            value: gap_of(self.rate)?,
        }))
    }
}

impl Gamma {
    pub(super) fn process(&self) -> Result<Renewal, DistError> {
        Renewal::new(Dist::Gamma(distribution::gamma::Gamma {
            mean: gap_of(self.rate)?,
            cv: self.cv,
        }))
    }
}

impl Erlang {
    pub(super) fn process(&self) -> Result<Renewal, DistError> {
        Renewal::new(Dist::Erlang(distribution::erlang::Erlang {
            mean: gap_of(self.rate)?,
            stages: self.stages,
        }))
    }
}

impl Hyperexponential {
    pub(super) fn process(&self) -> Result<Renewal, DistError> {
        Renewal::new(Dist::Hyperexponential(
            distribution::hyperexponential::Hyperexponential {
                mean: gap_of(self.rate)?,
                cv: self.cv,
            },
        ))
    }
}
