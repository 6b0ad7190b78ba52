//! The static stride scheduler: turns in proportion to weight, as a function of a counter. (gRPC
//! core 1.85, src/core/load_balancing/weighted_round_robin/static_stride_scheduler.cc)

/// The weight of the heaviest.
const MOST: u64 = 65_535;

/// Weights, scaled so that the largest is 65,535.
#[derive(Clone, Debug)]
pub struct Stride {
    weights: Vec<u64>,
}

impl Stride {
    /// A scheduler of these weights; those of zero get the mean of the others. `None` where fewer
    /// than two are known, or all are equal: then turns serve as well.
    pub fn new(weights: &[f64]) -> Option<Stride> {
        let known: Vec<f64> = weights
            .iter()
            .copied()
            .filter(|&weight| weight > 0.0)
            .collect();
        if known.len() < 2 {
            return None;
        }
        let most = known.iter().copied().fold(0.0, f64::max);
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let scale = MOST as f64 / most;
        let scaled: Vec<u64> = weights
            .iter()
            .map(|&weight| if weight > 0.0 { weight } else { mean })
            .map(|weight| (weight * scale).round().max(1.0) as u64)
            .collect();
        if scaled.windows(2).all(|pair| pair[0] == pair[1]) {
            return None;
        }
        Some(Stride { weights: scaled })
    }

    /// The place of the next pick; moves the counter on. In each generation, a pass over all, each
    /// is skipped as often as its weight is missing to the largest.
    pub fn pick(&self, counter: &mut u32) -> usize {
        let count = self.weights.len() as u64;
        loop {
            let step = u64::from(*counter);
            *counter = counter.wrapping_add(1);
            let (place, generation) = (step % count, step / count);
            let weight = self.weights[place as usize];
            let offset = place * (MOST / 2);
            if (weight * generation + offset) % MOST >= MOST - weight {
                return place as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_weights() {
        let stride = Stride::new(&[1.0, 2.0, 0.0, 5.0]).unwrap();
        let mut counter = 12_345;
        let mut hits = [0i32; 4];
        for _ in 0..32_000 {
            hits[stride.pick(&mut counter)] += 1;
        }
        // The third has the mean of the others, 8/3.
        for (hit, due) in hits.into_iter().zip([3000, 6000, 8000, 15_000]) {
            assert!((hit - due).abs() < 10, "{hits:?}");
        }
        assert!(Stride::new(&[1.0, 0.0]).is_none() && Stride::new(&[2.0, 2.0]).is_none());
    }
}
