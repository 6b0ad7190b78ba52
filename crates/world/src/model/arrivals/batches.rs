//! Several requests at once: a page and its images, a job that fans out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::positive;
use lbsim_engine::distribution::exponential::Exponential;
use lbsim_engine::distribution::{Amount, Dist, DistError, Sampler};
use lbsim_engine::rng::{Rng, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Rate;

/// Poisson batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batches {
    /// Mean requests a second, all batches together.
    pub rate: Rate,
    /// Requests in a batch, with a mean of at least one. A size between two whole numbers is the
    /// one or the other by chance, so that the mean stays: of 2.25, every fourth batch has 3. A
    /// size below one that is drawn is one, and batches are as much farther apart.
    pub size: Dist<Amount>,
}

/// Batches at work.
#[derive(Clone, Debug)]
pub struct Batching {
    gap: Sampler,
    size: Sampler,
    rate: f64,
    /// Requests of the present batch that are still to come.
    left: u64,
}

impl Batches {
    pub(super) fn process(&self) -> Result<Batching, DistError> {
        let rate = positive(self.rate, "rate")?;
        let size = self.size.sampler()?;
        if !(1.0..=1e6).contains(&size.mean()) {
            return Err(DistError::new("size", "has a mean outside 1 to 1000000"));
        }
        // Batches are as far apart as what is drawn asks for: rounding by chance leaves the mean as
        // it is, but no batch has less than one request, so their mean is E[max(S, 1)].
        let gap = Dist::Exponential(Exponential {
            mean: Amount(size.mean_at_least(1.0) / rate),
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
        let size = self.size.sample(burst);
        let (whole, part) = (size.trunc(), size.fract());
        let one_more = part > 0.0 && uniform(burst) < part;
        self.left = (whole as u64 + u64::from(one_more)).saturating_sub(1);
        now + Span::from_seconds(self.gap.sample(rng))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lbsim_engine::rng::{Domain, Seeds};

    #[test]
    fn batches_of_less_than_one_are_refused() {
        for (size, fits) in [
            (0.0, false),
            (0.99, false),
            (1.0, true),
            (1e6, true),
            (1.1e6, false),
        ] {
            let text = format!(
                r#"{{ "rate": "200/s", "size": {{ "kind": "constant", "value": {size} }} }}"#
            );
            let config: Batches = serde_json::from_str(&text).unwrap();
            assert_eq!(config.process().is_ok(), fits, "{size}");
        }
    }

    /// Requests over time against the rate, for sizes that are rounded or raised to one. The
    /// standard error of a batch's size over 200,000 batches bounds the error; 4.5 of them (false
    /// alarm 7e-6 each).
    #[test]
    fn the_rate_is_that_of_what_is_drawn() {
        for size in [
            r#"{ "kind": "exponential", "mean": 1.0 }"#,
            r#"{ "kind": "exponential", "mean": 3.0 }"#,
            r#"{ "kind": "constant", "value": 1.4 }"#,
            r#"{ "kind": "uniform", "min": 0.0, "max": 2.0 }"#,
            r#"{ "kind": "lognormal", "mean": 2.0, "cv": 1.5 }"#,
            r#"{ "kind": "pareto", "min": 0.7, "shape": 3.0 }"#,
            r#"{ "kind": "erlang", "mean": 1.0, "stages": 3 }"#,
        ] {
            let config: Batches =
                serde_json::from_str(&format!(r#"{{ "rate": "200/s", "size": {size} }}"#)).unwrap();
            let mut batches = config.process().unwrap();
            let seeds = Seeds::new(4, 0);
            let mut gaps = seeds.stream(Domain::Arrivals, 0);
            let mut sizes = seeds.stream(Domain::Burst, 0);
            let (mut now, mut count, mut times) = (Time::ZERO, 0u64, 0u64);
            let mut squares = 0.0;
            while times < 200_000 {
                now = batches.next(now, &mut gaps, &mut sizes);
                let here = batches.left + 1;
                batches.left = 0;
                (count, times) = (count + here, times + 1);
                squares += (here * here) as f64;
            }
            // Compound Poisson: the variance of the count is the number of batches times E[N^2].
            let due = 200.0 * (now - Time::ZERO).seconds();
            let slack = 4.5 * squares.sqrt();
            assert!(
                (count as f64 - due).abs() < slack,
                "{size}: {count} for {due}"
            );
        }
    }
}
