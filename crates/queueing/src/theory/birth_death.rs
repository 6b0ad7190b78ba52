//! Chains that move one step up or down.

/// States after which a chain is cut off even if it still has weight.
pub(super) const MOST: u32 = 4_000_000;

/// The stationary probabilities of a birth-death chain on 0..=`last`, from detailed balance:
/// p(n+1) death(n+1) = p(n) birth(n) (Kleinrock, *Queueing Systems* volume 1, 1975, section 3.1).
///
/// `last` may be huge: the chain is cut where the rest weighs nothing, which asks that birth(n) /
/// death(n+1) does not grow with n. Empty when a rate is not a number or a death rate is not
/// positive.
pub(super) fn stationary(
    last: u32,
    birth: impl Fn(u32) -> f64,
    death: impl Fn(u32) -> f64,
) -> Vec<f64> {
    let mut logs = vec![0.0_f64];
    let (mut log, mut largest) = (0.0_f64, 0.0_f64);
    for n in 0..last.min(MOST) {
        let ratio = birth(n) / death(n + 1);
        if !ratio.is_finite() || ratio < 0.0 {
            return Vec::new();
        }
        log += ratio.ln();
        largest = largest.max(log);
        if log < largest - 60.0 {
            break;
        }
        logs.push(log);
    }
    let weights: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// The mean of a distribution over 0, 1, 2, ...
pub(super) fn mean(probabilities: &[f64]) -> f64 {
    probabilities
        .iter()
        .enumerate()
        .map(|(n, p)| n as f64 * p)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometric() {
        let p = stationary(u32::MAX, |_| 0.5, |_| 1.0);
        assert!((p[0] - 0.5).abs() < 1e-12 && (p[3] - 0.0625).abs() < 1e-12);
        assert!((mean(&p) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn by_hand() {
        assert_eq!(stationary(1, |_| 1.0, |_| 3.0), [0.75, 0.25]);
        assert_eq!(stationary(5, |_| 0.0, |_| 1.0)[0], 1.0);
        assert!(stationary(5, |_| 1.0, |_| 0.0).is_empty());
    }

    #[test]
    fn large_weights_do_not_overflow() {
        let p = stationary(2000, |_| 1e6, |_| 1.0);
        assert!((p[2000] - 1.0).abs() < 1e-5);
    }
}
