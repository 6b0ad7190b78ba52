//! Dates and numbers as logs write them, read by hand: a log has a date a line, and general parsers
//! take most of the time.

/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000_000_000;

/// Days from 1970-01-01 to a date of the Gregorian calendar. Howard Hinnant, "chrono-compatible
/// low-level date algorithms".
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A cursor over the bytes of a date.
struct ClockReader<'a>(&'a [u8]);

impl ClockReader<'_> {
    /// Exactly this many digits.
    #[inline]
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for &digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
        }
        self.0 = rest;
        Some(number)
    }

    /// One of these bytes.
    #[inline]
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        if !allowed.contains(&first) {
            return None;
        }
        self.0 = rest;
        Some(first)
    }

    /// `HH:MM:SS`, perhaps with decimals: nanoseconds of the day. A leap second is taken for the
    /// next.
    fn time(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        self.one_of(b":")?;
        let second = self.digits(2)?;
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let mut nanos = (hour * 3600 + minute * 60 + second) * SECOND;
        if self.one_of(b".,").is_some() {
            let (mut worth, mut any) = (SECOND / 10, false);
            while let Some((&digit, rest)) = self.0.split_first() {
                if !digit.is_ascii_digit() {
                    break;
                }
                nanos += i64::from(digit - b'0') * worth;
                (worth, any) = (worth / 10, true);
                self.0 = rest;
            }
            any.then_some(())?;
        }
        Some(nanos)
    }

    /// `Z`, `+HH:MM` or `+HHMM`: nanoseconds ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        match self.one_of(b"Zz+-")? {
            sign @ (b'+' | b'-') => {
                let hours = self.digits(2)?;
                let _ = self.one_of(b":");
                let minutes = self.digits(2)?;
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let ahead = (hours * 60 + minutes) * 60 * SECOND;
                Some(if sign == b'-' { -ahead } else { ahead })
            }
            _ => Some(0),
        }
    }
}

/// Nanoseconds since 1970 of midnight; `None` outside of what they can count (1678 to 2261).
#[inline]
fn midnight(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1678..=2261).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days(year, month, day) * 86_400 * SECOND)
}

/// The number of a month by the first three letters of its English name.
pub(super) fn month(name: &[u8]) -> Option<i64> {
    Some(match name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// The date of the common log format, `17/May/2015:10:05:03 +0000`, also with decimals, and without
/// an offset, which is then that of UTC: HAProxy writes local times without saying so.
pub(super) fn common(text: &[u8]) -> Option<i64> {
    let mut reader = ClockReader(text);
    let day = reader.digits(2)?;
    reader.one_of(b"/")?;
    let (name, rest) = reader.0.split_first_chunk::<3>()?;
    let month = month(name)?;
    reader.0 = rest;
    reader.one_of(b"/")?;
    let year = reader.digits(4)?;
    reader.one_of(b":")?;
    let time = reader.time()?;
    let mut offset = 0;
    if !reader.0.is_empty() {
        reader.one_of(b" ")?;
        offset = reader.offset()?;
    }
    reader
        .0
        .is_empty()
        .then_some(midnight(year, month, day)? + time - offset)
}

/// A date of ISO 8601, `2023-11-16T18:15:46.680Z`: a space may stand for the `T`, an offset for the
/// `Z`; without one it is UTC.
pub(super) fn iso(text: &[u8]) -> Option<i64> {
    let mut reader = ClockReader(text);
    let year = reader.digits(4)?;
    reader.one_of(b"-/")?;
    let month = reader.digits(2)?;
    reader.one_of(b"-/")?;
    let day = reader.digits(2)?;
    reader.one_of(b"Tt ")?;
    let time = reader.time()?;
    let mut offset = 0;
    if !reader.0.is_empty() {
        let _ = reader.one_of(b" ");
        offset = reader.offset()?;
    }
    reader
        .0
        .is_empty()
        .then_some(midnight(year, month, day)? + time - offset)
}

/// A date in any of the forms that are known here, or to `jiff`.
pub(super) fn date(text: &[u8]) -> Option<i64> {
    iso(text).or_else(|| common(text)).or_else(|| {
        let text = std::str::from_utf8(text).ok()?;
        let when = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
            Some(zoned.timestamp())
        })?;
        i64::try_from(when.as_nanosecond()).ok()
    })
}

/// A decimal number times `worth`, exact as far as it is a whole number then and cut off below:
/// `0.003` seconds are 3,000,000 nanoseconds.
#[inline]
pub(super) fn decimal(text: &[u8], worth: i64) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let (mut whole, mut part) = (0i64, 0i64);
    let mut scale = worth;
    let (mut seen, mut after) = (false, false);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                let digit = i64::from(byte - b'0');
                seen = true;
                if after {
                    // `scale` is what the digit before was worth; where ten does not divide it the
                    // rest is under a nanosecond.
                    scale /= 10;
                    part += digit * scale;
                } else {
                    whole = whole.checked_mul(10)?.checked_add(digit)?;
                }
            }
            b'.' if !after => after = true,
            b'e' | b'E' if seen => return exponent(text, worth),
            _ => return None,
        }
    }
    let number = whole.checked_mul(worth)?.checked_add(part)?;
    seen.then_some(if negative { -number } else { number })
}

/// A number with an exponent, as some libraries write large ones in JSON.
fn exponent(text: &[u8], worth: i64) -> Option<i64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let scaled = number * worth as f64;
    (scaled.abs() < 9e18).then_some(scaled.round() as i64)
}

/// A whole number of at most 18 digits.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0u64, |number, &byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates() {
        let at = 1_431_857_103 * SECOND;
        assert_eq!(common(b"17/May/2015:10:05:03 +0000"), Some(at));
        assert_eq!(common(b"17/May/2015:12:35:03 +0230"), Some(at));
        assert_eq!(common(b"17/May/2015:10:05:03.250"), Some(at + SECOND / 4));
        assert_eq!(iso(b"2015-05-17T10:05:03Z"), Some(at));
        assert_eq!(
            iso(b"2015-05-17 06:05:03,000001-04:00"),
            Some(at + SECOND / 1_000_000)
        );
        assert_eq!(date(b"Sun, 17 May 2015 10:05:03 GMT"), Some(at));
        for bad in [
            "",
            "-",
            "17/Mai/2015:10:05:03 +0000",
            "17/May/2015:25:05:03 +0000",
            "17/May/2015:10:05:03 +0000 ",
            "32/May/2015:10:05:03 +0000",
            "17/May/2015:10:05:03.",
            "17/May/0015:10:05:03",
        ] {
            assert_eq!(common(bad.as_bytes()), None, "{bad}");
            assert_eq!(date(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn decimals() {
        assert_eq!(decimal(b"0.003", SECOND), Some(3_000_000));
        assert_eq!(decimal(b"-1", SECOND), Some(-SECOND));
        assert_eq!(decimal(b"-0.5", 1000), Some(-500));
        assert_eq!(
            decimal(b"1700000000.123456789", SECOND),
            Some(1_700_000_000_123_456_789)
        );
        assert_eq!(decimal(b"1.7e9", SECOND), Some(1_700_000_000 * SECOND));
        for bad in ["", "-", ".", "1.2.3", "1x", "99999999999999999999", "e5"] {
            assert_eq!(decimal(bad.as_bytes(), SECOND), None, "{bad}");
        }
        assert_eq!(whole(b"200"), Some(200));
        assert_eq!(whole(b"9999999999999999999"), None);
    }

    proptest! {
        #[test]
        fn dates_agree_with_jiff(seconds in -9_000_000_000i64..9_000_000_000, millis in 0i64..1000) {
            let nanos = seconds * SECOND + millis * 1_000_000;
            let when = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
            prop_assert_eq!(iso(when.to_string().as_bytes()), Some(nanos));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (common(&bytes), iso(&bytes), date(&bytes), decimal(&bytes, SECOND), whole(&bytes));
        }

        #[test]
        fn decimals_agree_with_floats(number in -1e6f64..1e6) {
            let text = format!("{number:.9}");
            let read = decimal(text.as_bytes(), SECOND).unwrap() as f64;
            prop_assert!((read - number * 1e9).abs() <= 1.0);
        }
    }
}
