//! Moments that cannot be of the log: a line written before the clock was set stands in 1970, and
//! makes of 40 requests a second one in three days.

use std::collections::BTreeMap;
use std::fmt;

use super::SECOND;
use crate::prose::counted;

/// The shortest gap that sets moments apart, in seconds: an hour.
const APART: i64 = 3600;
/// Fewer requests are not judged.
const FEWEST: u64 = 4;
/// The largest share of requests that may be left out.
const SHARE: u64 = 100;
/// A gap so many times as long as all the rest makes two logs of one: a rate over both would be
/// that of neither.
const PARTS: i64 = 10;
/// Clocks that say less were not set: the year 2000, in seconds.
const SET: i64 = 946_684_800;
/// The shortest such gap, in seconds: a day.
const DAY: i64 = 86_400;

/// Requests far from all others, which are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strays {
    /// How many there are.
    pub count: u64,
    /// When the first of them came, in seconds since 1970.
    pub at: i64,
    /// How far they are from the nearest other, in seconds.
    pub gap: i64,
    /// How many requests there are in all.
    pub whole: u64,
    /// The seconds that are left: from the first to the last.
    pub(super) kept: (i64, i64),
}

impl fmt::Display for Strays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.count == 1 { "is" } else { "are" };
        write!(
            f,
            "{} of {} {verb} left out, at {}, {} from all others, which stand from {} to {}",
            self.count,
            counted(self.whole, "request"),
            moment(self.at),
            days(self.gap),
            moment(self.kept.0),
            moment(self.kept.1)
        )?;
        // Rates come out the same by any clock, but a reader is to know by which.
        match (self.at < SET, self.kept.0 < SET) {
            (false, true) => f.write_str(
                ": the clock of most was not set, and the rate is that of their steps; where the others are meant, leave \
                 those out of the log",
            ),
            _ => f.write_str(": their clock was another"),
        }
    }
}

fn moment(second: i64) -> String {
    jiff::Timestamp::from_second(second).map_or_else(|_| second.to_string(), |at| at.to_string())
}

fn days(seconds: i64) -> String {
    match seconds / DAY {
        0 => format!("{} h", seconds / APART),
        days => format!("{days} days"),
    }
}

/// Finds them, by the requests of each second. Those are few, and the gap before them is longer
/// than the whole rest of the log.
///
/// # Errors
/// A sentence: where the log falls into two parts, neither of which is small.
pub(super) fn find(seconds: &BTreeMap<i64, u32>) -> Result<Option<Strays>, String> {
    let whole: u64 = seconds.values().map(|&count| u64::from(count)).sum();
    let mut found: Option<Strays> = None;
    let (Some((&first, _)), Some((&last, _))) =
        (seconds.first_key_value(), seconds.last_key_value())
    else {
        return Ok(None);
    };
    let (mut first, mut last) = (first, last);
    loop {
        let keys = seconds.range(first..=last).map(|(&second, _)| second);
        let pairs = keys.clone().zip(keys.skip(1));
        let Some((before, after)) = pairs.max_by_key(|(before, after)| after - before) else {
            return Ok(found);
        };
        let gap = after - before;
        let rest = last - first - gap;
        if gap <= APART || gap <= rest || whole < FEWEST {
            return Ok(found);
        }
        let sum = |from: i64, to: i64| -> u64 {
            let counts = seconds.range(from..=to).map(|(_, &count)| u64::from(count));
            counts.sum()
        };
        let (early, late) = (sum(first, before), sum(after, last));
        // Of all that is left out, not of each piece.
        let few = early.min(late) + found.as_ref().map_or(0, |strays| strays.count);
        if few > (whole / SHARE).max(1) {
            if gap < DAY || gap < PARTS * rest {
                return Ok(found);
            }
            let why = match before < SET && after >= SET {
                true => "it has two clocks, one of which was not set",
                false => "its requests fall into two parts",
            };
            return Err(format!(
                "{why}: {early} until {}, and {late} from {} on; a rate over both would be that of neither: give one of \
                 them, or logs without the gap",
                moment(before),
                moment(after)
            ));
        }
        let at = if early < late { first } else { after };
        (first, last) = match early < late {
            true => (after, last),
            false => (first, before),
        };
        found = Some(Strays {
            count: few,
            whole,
            at: found.as_ref().map_or(at, |strays| strays.at),
            gap: found.as_ref().map_or(gap, |strays| strays.gap.min(gap)),
            kept: (first, last),
        });
    }
}

impl Strays {
    /// Whether a moment in nanoseconds is one of those that are left.
    pub fn keep(&self, moment: i64) -> bool {
        let second = moment.div_euclid(SECOND);
        (self.kept.0..=self.kept.1).contains(&second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn log(moments: impl IntoIterator<Item = i64>) -> BTreeMap<i64, u32> {
        let mut seconds = BTreeMap::new();
        for moment in moments {
            *seconds.entry(moment).or_insert(0) += 1;
        }
        seconds
    }

    #[test]
    fn moments_far_from_all_others_are_left_out() {
        let bulk = (0..600).map(|at| NOW + at / 4);
        let strays = find(&log(bulk.clone().chain([31]))).unwrap().unwrap();
        assert_eq!(
            (strays.count, strays.at, strays.kept),
            (1, 31, (NOW, NOW + 149))
        );
        assert!(strays.keep(NOW * SECOND) && !strays.keep(31 * SECOND));
        assert!(
            strays.to_string().contains("1970-01-01T00:00:31Z"),
            "{strays}"
        );
        // At both ends, and in years to come.
        let strays = find(&log(bulk.clone().chain([31, 33, 4_000_000_000])))
            .unwrap()
            .unwrap();
        assert_eq!((strays.count, strays.kept), (3, (NOW, NOW + 149)));
        let few = find(&log([31, NOW, NOW + 1, NOW + 2])).unwrap().unwrap();
        assert_eq!(few.count, 1);
        // The other way round: the clock of most was not set.
        let most = find(&log((0..5999).map(|at| 31 + at / 40).chain([NOW])));
        let said = most.unwrap().unwrap().to_string();
        assert!(
            said.starts_with("1 of 6000 requests is left out, at 2023-11-14T22:13:20Z")
                && said.contains("from 1970-01-01T00:00:31Z to")
                && said.contains("was not set"),
            "{said}"
        );
        // Each piece is small, all together are not.
        let pieces = (0..7).flat_map(|at| [NOW - (DAY << (4 * at)); 5]);
        assert!(find(&log(bulk.chain(pieces))).is_err());
    }

    #[test]
    fn logs_with_quiet_hours_stay_whole() {
        for moments in [
            vec![],
            vec![NOW],
            vec![31, NOW],
            // A second apart, an hour at night, a sparse log.
            (0..100).map(|at| NOW + at * 1000).collect(),
            (0..50).chain(7200..7250).map(|at| NOW + at).collect(),
            (0..20).map(|at| NOW + at * DAY).collect(),
        ] {
            assert_eq!(find(&log(moments)), Ok(None));
        }
        let two = (0..50).chain(30 * DAY..30 * DAY + 50).map(|at| NOW + at);
        assert!(find(&log(two)).unwrap_err().contains("two parts"));
        let two = (0..50).chain(NOW..NOW + 50);
        assert!(find(&log(two)).unwrap_err().contains("two clocks"));
    }
}
