//! How often each of many things is chosen: clients, keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How unlike the members of a population are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Skew {
    /// All alike.
    #[default]
    Uniform,
    /// The k-th most popular comes in proportion to 1/k^exponent.
    Zipf {
        /// 0 is uniform; web content lies between 0.6 and 1.2.
        #[schemars(range(min = 0.0, max = 10.0))]
        exponent: f64,
    },
}

/// A ready-made draw of an index: constant time whatever the number of things.
///
/// The alias method: Walker, ACM TOMS 3(3), 1977, with the set-up of Vose, IEEE TSE 17(9), 1991.
#[derive(Clone, Debug)]
pub enum Popularity {
    /// Each of this many alike.
    Uniform(u32),
    /// Cells of equal probability: below the threshold (of 2^32) the cell's own index, else its
    /// alias.
    Alias(Vec<(u32, u32)>),
}

impl Popularity {
    /// `count` things (at least one) as unlike as `skew` says; the most popular first.
    pub fn new(count: u32, skew: Skew) -> Popularity {
        match skew {
            Skew::Uniform => Popularity::Uniform(count),
            Skew::Zipf { exponent } => {
                let weights: Vec<f64> = (1..=count)
                    .map(|rank| libm::pow(f64::from(rank), -exponent))
                    .collect();
                Popularity::weighted(&weights)
            }
        }
    }

    /// The share of the most popular.
    pub fn largest_share(&self) -> f64 {
        match self {
            Popularity::Uniform(count) => 1.0 / f64::from(*count),
            Popularity::Alias(cells) => {
                let mut shares = vec![0.0; cells.len()];
                for (own, &(threshold, alias)) in cells.iter().enumerate() {
                    let kept = f64::from(threshold) / 2f64.powi(32);
                    shares[own] += kept;
                    shares[alias as usize] += 1.0 - kept;
                }
                shares.into_iter().fold(0.0, f64::max) / cells.len() as f64
            }
        }
    }

    /// Things chosen in proportion to `weights`: at least one, none negative, not all zero.
    pub fn weighted(weights: &[f64]) -> Popularity {
        let total: f64 = weights.iter().sum();
        let n = weights.len();
        let mut scaled: Vec<f64> = weights.iter().map(|w| w * n as f64 / total).collect();
        let mut cells: Vec<(u32, u32)> = (0..n as u32).map(|i| (u32::MAX, i)).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..n as u32).partition(|&i| scaled[i as usize] < 1.0);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            cells[poor as usize] = ((scaled[poor as usize] * 4_294_967_296.0) as u32, rich);
            scaled[rich as usize] -= 1.0 - scaled[poor as usize];
            if scaled[rich as usize] < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        Popularity::Alias(cells)
    }

    /// How many things there are.
    pub fn count(&self) -> u32 {
        match self {
            Popularity::Uniform(count) => *count,
            Popularity::Alias(cells) => cells.len() as u32,
        }
    }

    /// Draws one.
    #[inline]
    pub fn draw(&self, rng: &mut impl rand::Rng) -> u32 {
        let wide = u128::from(rng.next_u64()) * u128::from(self.count());
        let index = (wide >> 64) as u32;
        match self {
            Popularity::Uniform(_) => index,
            Popularity::Alias(cells) => {
                let (threshold, alias) = cells[index as usize];
                if ((wide as u64) >> 32) as u32 <= threshold {
                    index
                } else {
                    alias
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lbsim_engine::rng::{Domain, Seeds};

    /// Each share within 4.5 standard deviations of its due (false alarm 7e-6 a share).
    #[test]
    fn draws_follow_weights() {
        let mut rng = Seeds::new(3, 0).stream(Domain::Key, 0);
        for (popularity, due) in [
            (
                Popularity::weighted(&[1.0, 0.0, 5.0, 2.0]),
                vec![0.125, 0.0, 0.625, 0.25],
            ),
            (
                Popularity::new(3, Skew::Zipf { exponent: 1.0 }),
                vec![6.0 / 11.0, 3.0 / 11.0, 2.0 / 11.0],
            ),
            (Popularity::new(2, Skew::Uniform), vec![0.5, 0.5]),
            (Popularity::new(1, Skew::Zipf { exponent: 2.0 }), vec![1.0]),
        ] {
            let mut hits = vec![0.0; due.len()];
            for _ in 0..100_000 {
                hits[popularity.draw(&mut rng) as usize] += 1e-5;
            }
            for (hit, due) in hits.iter().zip(&due) {
                let slack = 4.5 * (due * (1.0 - due) / 1e5f64).sqrt() + 1e-9;
                assert!((hit - due).abs() <= slack, "{hits:?}");
            }
        }
    }
}
