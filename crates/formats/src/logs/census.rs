//! What a log held: how many lines, which of them were bad, from when to when.

use std::fmt;
use std::time::Duration;

use super::Entry;

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// The byte of the line at which reading stopped, from 1.
    pub column: usize,
    /// Why, as a sentence without its end: what was due, and what stands there.
    pub reason: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.reason
        )
    }
}

/// What a log held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Census {
    /// Lines, all together.
    pub lines: u64,
    /// Requests that were handed over.
    pub entries: u64,
    /// Lines that could not be read.
    pub bad: u64,
    /// The first few of them.
    pub examples: Vec<BadLine>,
    /// Lines that are no request and need not be: empty ones, comments, headers, notices of the
    /// balancer.
    pub skipped: u64,
    /// The earliest arrival, in nanoseconds as in [`Entry::arrived`](super::Entry::arrived).
    pub first: Option<i64>,
    /// The latest arrival, likewise.
    pub last: Option<i64>,
    /// The step of the clock that the log was written by, at most a second. Arrivals are no better
    /// known than this, however many digits they have.
    pub resolution: Duration,
    /// Entries that arrived before one that stands above them. A balancer that writes a line at the
    /// end of a request makes many.
    pub out_of_order: u64,
    /// The most nanoseconds by which an entry arrived before one that stands above it.
    pub latest_by: u64,
    /// Entries whose arrival the log does not tell: the moment of their end stands for it.
    pub end_only: u64,
    /// Entries whose arrival was worked out from their end and how long they took: it is as coarse
    /// as the coarser of both.
    pub from_end: u64,
    /// Attempts of which the log does not say how long they took: what the whole request took
    /// stands for it.
    pub whole_for_server: u64,
    /// The largest power of ten, in nanoseconds, that divides all lengths but nothing; `None` where
    /// there were none.
    length_step: Option<u64>,
}

/// The coarsest clock that is told from the times themselves: a second.
const SECOND: u64 = 1_000_000_000;
/// Lengths that are all whole seconds are written so; between that and a millisecond the step may
/// be that of what was measured.
const MILLI: u64 = 1_000_000;

impl Default for Census {
    fn default() -> Census {
        Census {
            lines: 0,
            entries: 0,
            bad: 0,
            examples: Vec::new(),
            skipped: 0,
            first: None,
            last: None,
            resolution: Duration::from_nanos(SECOND),
            out_of_order: 0,
            latest_by: 0,
            end_only: 0,
            from_end: 0,
            whole_for_server: 0,
            length_step: None,
        }
    }
}

impl Census {
    /// Bad lines that are kept as examples.
    pub const EXAMPLES: usize = 5;

    /// Notes a request that arrived at `arrived`; `clock` is the time as the log has it.
    pub(super) fn note(&mut self, arrived: i64, clock: i64, end_only: bool) {
        self.entries += 1;
        self.end_only += u64::from(end_only);
        self.first = Some(self.first.map_or(arrived, |first| first.min(arrived)));
        match self.last {
            Some(last) if arrived < last => {
                self.out_of_order += 1;
                self.latest_by = self.latest_by.max(last.abs_diff(arrived));
            }
            _ => self.last = Some(arrived),
        }
        // The clock's step is the largest power of ten that divides all that it has shown.
        let mut step = self.resolution.subsec_nanos();
        if step == 0 {
            step = SECOND as u32;
        }
        let coarse = |step: u32| step > 1 && !clock.unsigned_abs().is_multiple_of(u64::from(step));
        if coarse(step) {
            while coarse(step) {
                step /= 10;
            }
            self.resolution = Duration::from_nanos(u64::from(step));
        }
    }

    /// Notes the lengths of time of a request: those of its servers, or of the whole.
    pub(super) fn note_lengths(&mut self, entry: &Entry) {
        if self.length_step == Some(1) {
            return;
        }
        let attempts = entry.attempts.iter().filter_map(|attempt| attempt.took);
        let mut any = false;
        for nanos in attempts {
            any = true;
            self.note_length(nanos);
        }
        if let (false, Some(nanos)) = (any, entry.took) {
            self.note_length(nanos);
        }
    }

    fn note_length(&mut self, nanos: u64) {
        if nanos > 0 {
            let mut step = self.length_step.unwrap_or(SECOND);
            while !nanos.is_multiple_of(step) {
                step /= 10;
            }
            self.length_step = Some(step);
        }
    }

    /// The step in which lengths of time are written, as far as they show it: a second, a
    /// millisecond, or less; `None` where the log has none.
    pub fn length_resolution(&self) -> Option<Duration> {
        self.length_step.map(|step| {
            Duration::from_nanos(if step == SECOND {
                step
            } else {
                step.min(MILLI)
            })
        })
    }

    /// Notes a line that could not be read.
    pub(super) fn reject(&mut self, column: usize, reason: impl FnOnce() -> String) {
        self.bad += 1;
        if self.examples.len() < Census::EXAMPLES {
            self.examples.push(BadLine {
                line: self.lines,
                column,
                reason: reason(),
            });
        }
    }

    /// The share of bad lines among those that should have been requests; 0 where there was none.
    pub fn bad_share(&self) -> f64 {
        let due = self.entries + self.bad;
        if due == 0 {
            0.0
        } else {
            self.bad as f64 / due as f64
        }
    }

    /// From the first arrival to the last.
    pub fn length(&self) -> Duration {
        match (self.first, self.last) {
            (Some(first), Some(last)) => Duration::from_nanos(last.abs_diff(first)),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_tells_its_step() {
        let mut census = Census::default();
        census.note(5_000_000_000, 5_000_000_000, false);
        assert_eq!(census.resolution, Duration::from_secs(1));
        census.note(6_250_000_000, 6_250_000_000, false);
        assert_eq!(census.resolution, Duration::from_millis(10));
        census.note(6_000_000_000, 6_000_000_001, true);
        assert_eq!(census.resolution, Duration::from_nanos(1));
        assert_eq!((census.out_of_order, census.latest_by), (1, 250_000_000));
        assert_eq!(census.length(), Duration::from_millis(1250));
        assert_eq!(census.end_only, 1);
    }

    #[test]
    fn lengths_tell_their_step() {
        let step = |lengths: &[u64]| {
            let mut census = Census::default();
            for &took in lengths {
                let took = Some(took);
                census.note_lengths(&Entry {
                    took,
                    ..Entry::default()
                });
            }
            census.length_resolution()
        };
        assert_eq!(step(&[]), None);
        assert_eq!(step(&[0]), None);
        assert_eq!(step(&[0, 2 * SECOND, SECOND]), Some(Duration::from_secs(1)));
        // Services of 10 ms, exactly: not a clock of 10 ms.
        assert_eq!(
            step(&[10 * MILLI, 20 * MILLI]),
            Some(Duration::from_millis(1))
        );
        assert_eq!(
            step(&[10 * MILLI, 1_200_000]),
            Some(Duration::from_micros(100))
        );
        assert_eq!(step(&[MILLI + 1]), Some(Duration::from_nanos(1)));
    }

    #[test]
    fn examples_are_few() {
        let mut census = Census::default();
        for _ in 0..20 {
            census.lines += 1;
            census.reject(3, || "no time".to_owned());
        }
        assert_eq!((census.bad, census.examples.len()), (20, Census::EXAMPLES));
        assert_eq!(census.examples[0].to_string(), "line 1, column 3: no time");
        assert_eq!(census.bad_share(), 1.0);
    }
}
