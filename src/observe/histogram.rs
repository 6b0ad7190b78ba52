//! A histogram of whole numbers whose cells are as wide as a fixed share of their value.
//!
//! Log-linear, as HdrHistogram (Tene): numbers below 1,024 have a cell each; above, each doubling is divided
//! into 512 cells of equal width, so the middle of a cell is within 1/1,024 of all that is in it.
//! Recording is a shift and an increment, since it happens once a request; adding is exact in any order.

use serde::{Deserialize, Serialize, Serializer};

/// Room is made for so many cells at a time: a power of two.
const GRAIN: usize = 64;

/// log2 of the cells in a doubling.
const PRECISION: u32 = 9;

/// Counts by size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Sparse")]
pub(super) struct Histogram {
    /// The cell that `counts` begins with.
    first: usize,
    /// From the least number seen to the largest: most stretches of time know but a few sizes.
    counts: Vec<u64>,
    total: u64,
}

/// A histogram as it is stored: most cells are empty, above all in short stretches.
#[derive(Serialize, Deserialize)]
struct Sparse {
    first: u32,
    cells: u32,
    /// Empty cells before one that is not, and its count.
    counts: Vec<(u32, u64)>,
}

/// By hand, since `serde(into)` would copy all cells first.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Sparse::from(self).serialize(serializer)
    }
}

impl From<&Histogram> for Sparse {
    fn from(histogram: &Histogram) -> Sparse {
        let mut empty = 0;
        let mut counts = Vec::new();
        for &count in &histogram.counts {
            if count == 0 {
                empty += 1;
            } else {
                counts.push((empty, count));
                empty = 0;
            }
        }
        Sparse {
            first: histogram.first as u32,
            cells: histogram.counts.len() as u32,
            counts,
        }
    }
}

impl From<Sparse> for Histogram {
    fn from(sparse: Sparse) -> Histogram {
        let mut counts = vec![0; sparse.cells as usize];
        let mut at = 0;
        for &(empty, count) in &sparse.counts {
            at += empty as usize;
            if let Some(cell) = counts.get_mut(at) {
                *cell = count;
            }
            at += 1;
        }
        Histogram {
            first: sparse.first as usize,
            total: counts.iter().sum(),
            counts,
        }
    }
}

/// The cell of a number.
#[inline]
pub(super) fn cell(value: u64) -> usize {
    let shift = (63 - (value | (1 << PRECISION)).leading_zeros()) - PRECISION;
    ((shift as usize) << PRECISION) + (value >> shift) as usize
}

/// The number in the middle of a cell, rounded down.
pub(super) fn middle(cell: usize) -> u64 {
    if cell < 2 << PRECISION {
        return cell as u64;
    }
    let shift = (cell >> PRECISION) - 1;
    let least = ((cell - (shift << PRECISION)) as u64) << shift;
    least + (1 << shift) / 2
}

impl Histogram {
    /// Counts one number in `cell`.
    #[inline]
    pub(super) fn record(&mut self, cell: usize) {
        if cell.wrapping_sub(self.first) >= self.counts.len() {
            self.make_room(cell, cell);
        }
        self.counts[cell - self.first] += 1;
        self.total += 1;
    }

    /// Makes room for all cells from `least` to `largest`.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, least: usize, largest: usize) {
        let (begin, end) = (least & !(GRAIN - 1), (largest | (GRAIN - 1)) + 1);
        if self.counts.is_empty() {
            self.first = begin;
        }
        if begin < self.first {
            let more = std::iter::repeat_n(0, self.first - begin);
            self.counts.splice(0..0, more);
            self.first = begin;
        }
        if end > self.first + self.counts.len() {
            self.counts.resize(end - self.first, 0);
        }
    }

    /// How many were counted.
    #[inline]
    pub(super) fn count(&self) -> u64 {
        self.total
    }

    /// The number of rank ⌈q·n⌉, within a thousandth; `None` where nothing was counted.
    pub(super) fn quantile(&self, q: f64) -> Option<u64> {
        self.quantile_cell(q).map(middle)
    }

    /// The cell of rank ⌈q·n⌉.
    pub(super) fn quantile_cell(&self, q: f64) -> Option<usize> {
        let rank = ((q * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        let mut below = 0;
        let place = self.counts.iter().position(|&count| {
            below += count;
            below >= rank
        });
        place.map(|place| self.first + place)
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &Histogram) {
        if other.counts.is_empty() {
            return;
        }
        self.make_room(other.first, other.first + other.counts.len() - 1);
        let common = &mut self.counts[other.first - self.first..];
        for (count, more) in common.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_numbers_have_a_cell() {
        for value in [0, 1, 511, 512, 1023, 1024, 1025, u64::MAX / 2, u64::MAX] {
            let middle = middle(cell(value));
            assert!(middle.abs_diff(value) <= value / 1024, "{value}: {middle}");
        }
        assert!(cell(u64::MAX) < 64 << PRECISION);
    }

    proptest! {
        #[test]
        fn cells_are_in_order_and_narrow(a in any::<u64>(), bits in 0u32..64, step in 1u64..1000) {
            let value = a >> bits;
            prop_assert!(cell(value) <= cell(value.saturating_add(step)));
            prop_assert!(middle(cell(value)).abs_diff(value) <= value / 1024);
        }

        #[test]
        fn quantiles_are_of_nearest_rank(mut values in prop::collection::vec(1u64..1_000_000_000, 1..300), q in 0.0f64..=1.0) {
            let mut histogram = Histogram::default();
            for &value in &values {
                histogram.record(cell(value));
            }
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).max(1);
            let exact = values[rank - 1];
            prop_assert!(histogram.quantile(q).unwrap().abs_diff(exact) <= exact / 1024);
        }

        /// However the numbers are shared out, and through storage and back.
        #[test]
        fn merging_is_counting_together(values in prop::collection::vec((any::<u64>(), 0u32..64, any::<bool>()), 0..60)) {
            let (mut all, mut parts) = (Histogram::default(), [Histogram::default(), Histogram::default()]);
            for (value, bits, part) in values {
                all.record(cell(value >> bits));
                parts[usize::from(part)].record(cell(value >> bits));
            }
            let [mut sum, other] = parts;
            sum.merge(&Histogram::from(Sparse::from(&other)));
            prop_assert_eq!(sum, all);
        }
    }
}
