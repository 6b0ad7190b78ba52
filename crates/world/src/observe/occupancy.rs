//! How many of something there were, by servers and over time: integrals, as L = λW has them.

use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};

/// How many there were in bands of servers, by stretch of time: slots at work, servers. What has
/// been there for an interval costs the same however many stretches that covers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Occupancy {
    stretch: Span,
    bands: usize,
    /// Nanoseconds of intervals that begin or end within a stretch, by stretch and band, one
    /// stretch after the other.
    parts: Vec<u64>,
    /// How many more there are from the beginning of a stretch on, that stay for all of it.
    steps: Vec<i64>,
    /// The stretch in which the last interval ended, from when to when it lasts, and where its row
    /// is: most others lie within it too. Not measured, and therefore not stored.
    #[serde(skip)]
    begins: Time,
    #[serde(skip)]
    ends: Time,
    #[serde(skip)]
    row: usize,
}

impl Occupancy {
    /// Of nothing, in stretches of this length.
    pub(super) fn new(stretch: Span, stretches: usize, bands: usize) -> Occupancy {
        Occupancy {
            stretch,
            bands,
            parts: vec![0; stretches * bands],
            steps: vec![0; stretches * bands],
            begins: Time::ZERO,
            ends: Time::ZERO,
            row: 0,
        }
    }

    /// So many have been there from `since` to `until`.
    #[inline(always)]
    pub(super) fn add(&mut self, band: usize, count: u32, since: Time, until: Time) {
        if since >= self.begins && until <= self.ends {
            self.parts[self.row + band] += (until - since).nanos() * u64::from(count);
        } else {
            self.spread(band, count, since, until);
        }
    }

    #[cold]
    fn spread(&mut self, band: usize, count: u32, since: Time, until: Time) {
        let length = self.stretch.nanos();
        let rows = (self.parts.len() / self.bands) as u64;
        let (first, last) = (since.nanos() / length, until.nanos() / length);
        if first >= rows {
            return;
        }
        let row = |stretch: u64| stretch as usize * self.bands + band;
        let (whole, part) = (i64::from(count), u64::from(count));
        if first == last {
            self.parts[row(first)] += (until - since).nanos() * part;
        } else {
            self.parts[row(first)] += ((first + 1) * length - since.nanos()) * part;
            if first + 1 < rows {
                self.steps[row(first + 1)] += whole;
            }
            if last < rows {
                self.steps[row(last)] -= whole;
                self.parts[row(last)] += (until.nanos() - last * length) * part;
            }
        }
        if last < rows {
            self.begins = Time::from_nanos(last * length);
            self.ends = self.begins + self.stretch;
            self.row = last as usize * self.bands;
        }
    }

    /// Adds all of `other`, of the same stretches and bands.
    pub(super) fn merge(&mut self, other: &Occupancy) {
        for (sum, more) in self.parts.iter_mut().zip(&other.parts) {
            *sum += more;
        }
        for (sum, more) in self.steps.iter_mut().zip(&other.steps) {
            *sum += more;
        }
    }

    /// How many there were, times nanoseconds: `[stretch][band]`.
    pub(super) fn integrals(&self) -> Vec<Vec<u64>> {
        let mut there = vec![0i64; self.bands];
        let rows = self.parts.chunks(self.bands);
        let rows = rows.zip(self.steps.chunks(self.bands));
        rows.map(|(parts, steps)| {
            let own = there.iter_mut().zip(parts.iter().zip(steps));
            own.map(|(there, (&part, step))| {
                *there += step;
                *there as u64 * self.stretch.nanos() + part
            })
            .collect()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against what a sum over stretches says, in any order of intervals.
        #[test]
        fn an_interval_is_in_each_stretch_for_as_long_as_it_is(
            intervals in prop::collection::vec((0u64..130, 0u64..130, 0usize..2, 1u32..4), 0..20),
        ) {
            let mut occupancy = Occupancy::new(Span::from_nanos(10), 10, 2);
            let mut expected = vec![vec![0; 2]; 10];
            for (one, other, band, count) in intervals {
                let (since, until) = (one.min(other), one.max(other));
                occupancy.add(band, count, Time::from_nanos(since), Time::from_nanos(until));
                for (at, row) in expected.iter_mut().enumerate() {
                    let (begins, ends) = (at as u64 * 10, at as u64 * 10 + 10);
                    let part = until.min(ends).saturating_sub(since.max(begins));
                    row[band] += part * u64::from(count);
                }
            }
            prop_assert_eq!(occupancy.integrals(), expected);
        }
    }
}
