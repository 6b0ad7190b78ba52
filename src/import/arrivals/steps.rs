//! Where a rate changes: the best partition of counts into stretches of one rate.
//!
//! Optimal partitioning (Jackson et al., IEEE Signal Processing Letters 12(2), 2005): of all ways
//! to cut n bins, the one with the highest Poisson likelihood, less a penalty for each cut. Counts
//! that scatter more than Poisson from bin to bin would look like changes; the likelihood is
//! divided by that scatter, which neighbours tell: (a - b)² / (a + b) is 1 on average for Poisson
//! counts of one mean, whatever the mean, and slow changes hardly move it.

/// Bins at most; their pairs are all looked at.
pub(super) const MOST_BINS: usize = 480;

/// Stretches at most.
pub(super) const MOST_STEPS: usize = 48;

/// Scatter of neighbours, relative to Poisson. The largest tenth is left out, so that jumps do not
/// count as scatter; what is left of a chi-square of one degree then has the mean 0.623.
pub(super) fn scatter(counts: &[f64]) -> f64 {
    let pairs = counts.iter().zip(counts.iter().skip(1));
    let mut parts: Vec<f64> = pairs
        .filter(|(a, b)| *a + *b > 0.0)
        .map(|(a, b)| (a - b) * (a - b) / (a + b))
        .collect();
    parts.sort_unstable_by(f64::total_cmp);
    parts.truncate((parts.len() * 9).div_ceil(10));
    if parts.is_empty() {
        return 1.0;
    }
    (parts.iter().sum::<f64>() / parts.len() as f64 / 0.623).max(0.2)
}

/// The first bins of the stretches; the first of all is 0.
pub(super) fn partition(counts: &[f64]) -> Vec<usize> {
    let n = counts.len();
    if n < 2 {
        return vec![0];
    }
    // Twice the likelihood ratio of the best of n places for a cut is some 2 ln n by luck.
    let mut penalty = 4.0 * libm::log(n as f64).max(2.0);
    let scatter = scatter(counts);
    loop {
        let starts = cut(counts, scatter, penalty);
        if starts.len() <= MOST_STEPS {
            return starts;
        }
        penalty *= 1.3;
    }
}

fn cut(counts: &[f64], scatter: f64, penalty: f64) -> Vec<usize> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for count in counts {
        sum += count;
        sums.push(sum);
    }
    // best[j]: the lowest cost of the first j bins, and where the last stretch of them begins.
    let mut best: Vec<(f64, usize)> = vec![(-penalty, 0)];
    for (end, &total) in sums.iter().enumerate().skip(1) {
        let mut lowest = (f64::INFINITY, 0);
        for (start, (&before, &(cost, _))) in sums.iter().zip(&best).enumerate() {
            let count: f64 = total - before;
            let fit = if count > 0.0 {
                -2.0 * count * libm::log(count / (end - start) as f64) / scatter
            } else {
                0.0
            };
            if cost + fit + penalty < lowest.0 {
                lowest = (cost + fit + penalty, start);
            }
        }
        best.push(lowest);
    }
    let mut starts = Vec::new();
    let mut end = counts.len();
    while end > 0 {
        let start = best.get(end).map_or(0, |&(_, start)| start);
        starts.push(start);
        end = start;
    }
    starts.reverse();
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_found() {
        let counts: Vec<f64> = (0..100)
            .map(|bin| if bin < 37 { 100.0 } else { 160.0 } + f64::from(bin * 7 % 19) - 9.0)
            .collect();
        assert_eq!(partition(&counts), [0, 37]);
        assert_eq!(partition(&[5.0; 50]), [0]);
        assert_eq!(partition(&[0.0; 50]), [0]);
        assert_eq!(partition(&[]), [0]);
    }

    #[test]
    fn steps_are_few() {
        let counts: Vec<f64> = (0..480)
            .map(|bin| f64::from(1000 + 500 * (bin / 4 % 2)))
            .collect();
        assert!(partition(&counts).len() <= MOST_STEPS);
    }
}
