//! Several requests at once: a page and its images, a job that fans out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::positive;
use crate::dist::exponential::Exponential;
use crate::dist::{Amount, Dist, DistError, Sampler};
use crate::rng::Rng;
use crate::time::{Span, Time};
use crate::units::Rate;

/// Poisson batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batches {
    /// Mean requests a second, all batches together.
    pub rate: Rate,
    /// Requests in a batch; rounded to whole ones, at least one.
    pub size: Dist<Amount>,
}

/// Batches at work.
#[derive(Clone, Debug)]
pub struct Batching {
    gap: Sampler,
    size: Sampler,
    rate: f64,
    /// Requests of the present batch that are still to come.
    left: u32,
}

impl Batches {
    pub(super) fn process(&self) -> Result<Batching, DistError> {
        let rate = positive(self.rate, "rate")?;
        let size = self.size.sampler()?;
        if !(1.0..=1e6).contains(&size.mean()) {
            return Err(DistError::new("size", "has a mean outside 1 to 1000000"));
        }
        let gap = Dist::Exponential(Exponential {
            mean: Amount(size.mean() / rate),
        })
        .sampler()?;
        Ok(Batching {
            gap,
            size,
            rate,
            left: 0,
        })
    }
}

impl Batching {
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    #[inline(never)]
    pub(super) fn next(&mut self, now: Time, rng: &mut Rng, burst: &mut Rng) -> Time {
        if self.left > 0 {
            self.left -= 1;
            return now;
        }
        self.left = (self.size.sample(burst) + 0.5).clamp(1.0, 1e9) as u32 - 1;
        now + Span::from_seconds(self.gap.sample(rng))
    }
}
