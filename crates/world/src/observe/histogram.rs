//! A histogram of whole numbers whose cells are as wide as a fixed share of their value.
//!
//! Log-linear, as HdrHistogram (Tene): numbers below 1,024 have a cell each; above, each doubling
//! is divided into 512 cells of equal width, so the middle of a cell is within 1/1,024 of all that
//! is in it. Recording is a shift and an increment, since it happens once a request; adding is
//! exact in any order.

use serde::{Deserialize, Serialize, Serializer};

/// Room is made for so many cells at a time: a power of two.
const GRAIN: usize = 64;

/// log2 of the cells in a doubling.
const PRECISION: u32 = 9;

/// So many numbers are kept as they come, before room is made for counts: short stretches of time
/// see few.
const FEW: usize = 64;

/// Counts by size.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Sparse")]
pub(super) struct Histogram {
    /// The cells of the first few numbers, in the order in which they came; empty once there are
    /// `counts`.
    few: Vec<u32>,
    /// The cell that `counts` begins with.
    first: usize,
    /// From the least number seen to the largest: most stretches of time know but a few sizes.
    counts: Vec<u64>,
    total: u64,
}

/// A histogram as it is stored: for each cell that is not empty, how many empty ones come before
/// it, and its count.
#[derive(Serialize, Deserialize)]
struct Sparse(Vec<(u32, u64)>);

/// By hand, since `serde(into)` would copy all cells first.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Sparse::from(self).serialize(serializer)
    }
}

impl From<&Histogram> for Sparse {
    fn from(histogram: &Histogram) -> Sparse {
        let mut next = 0;
        let mut counts = Vec::new();
        for (cell, count) in histogram.cells() {
            counts.push(((cell - next) as u32, count));
            next = cell + 1;
        }
        Sparse(counts)
    }
}

impl From<Sparse> for Histogram {
    fn from(Sparse(counts): Sparse) -> Histogram {
        let mut histogram = Histogram::default();
        let mut cell = 0;
        for (empty, count) in counts {
            cell += empty as usize;
            histogram.add(cell, count);
            cell += 1;
        }
        histogram
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
        match self.counts.get_mut(cell.wrapping_sub(self.first)) {
            Some(count) => *count += 1,
            // In short runs all numbers of a stretch of time are few.
            None if self.few.len() < self.few.capacity().min(FEW) => self.few.push(cell as u32),
            None => self.record_aside(cell),
        }
        self.total += 1;
    }

    /// Counts a number that there is no room for yet.
    #[cold]
    #[inline(never)]
    fn record_aside(&mut self, cell: usize) {
        if self.counts.is_empty() && self.few.len() < FEW {
            self.few.reserve_exact(FEW);
            self.few.push(cell as u32);
        } else {
            self.make_room(cell, cell);
            self.counts[cell - self.first] += 1;
        }
    }

    /// Counts a number `count` times.
    fn add(&mut self, cell: usize, count: u64) {
        if count == 1 {
            return self.record(cell);
        }
        self.make_room(cell, cell);
        self.counts[cell - self.first] += count;
        self.total += count;
    }

    /// Makes room for all cells from `least` to `largest`, and puts the first few numbers there.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, least: usize, largest: usize) {
        let few = std::mem::take(&mut self.few);
        let cells = || few.iter().map(|&cell| cell as usize);
        let least = cells().fold(least, usize::min);
        let largest = cells().fold(largest, usize::max);
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
        for cell in cells() {
            self.counts[cell - self.first] += 1;
        }
    }

    /// The cells that are not empty, in order, with their counts.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, u64)> {
        let mut few = self.few.clone();
        few.sort_unstable();
        let few: Vec<(usize, u64)> = few
            .chunk_by(|a, b| a == b)
            .map(|alike| (alike[0] as usize, alike.len() as u64))
            .collect();
        let counts = self.counts.iter().enumerate();
        let counts = counts.map(|(place, &count)| (self.first + place, count));
        few.into_iter()
            .chain(counts.filter(|&(_, count)| count > 0))
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
        let mut reached = |count: u64| {
            below += count;
            below >= rank
        };
        if self.counts.is_empty() {
            return self
                .cells()
                .find(|&(_, count)| reached(count))
                .map(|(cell, _)| cell);
        }
        let place = self.counts.iter().position(|&count| reached(count));
        place.map(|place| self.first + place)
    }

    /// Adds all of `other`.
    pub(super) fn merge(&mut self, other: &Histogram) {
        if other.counts.is_empty() {
            for &cell in &other.few {
                self.record(cell as usize);
            }
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
        fn merging_is_counting_together(values in prop::collection::vec((any::<u64>(), 0u32..64, any::<bool>()), 0..200)) {
            let (mut all, mut parts) = (Histogram::default(), [Histogram::default(), Histogram::default()]);
            for (value, bits, part) in values {
                all.record(cell(value >> bits));
                parts[usize::from(part)].record(cell(value >> bits));
            }
            let [mut sum, other] = parts;
            sum.merge(&Histogram::from(Sparse::from(&other)));
            let stored = |histogram: &Histogram| Sparse::from(histogram).0;
            prop_assert_eq!(stored(&sum), stored(&all));
            prop_assert_eq!(sum.count(), all.count());
        }
    }
}
