//! Quantities as people write them: `"10ms"`, `"800/s"`, `"25%"`, `"2GiB"`.
//!
//! Each type parses with [`FromStr`], prints with [`Display`](std::fmt::Display) so that it parses
//! back to the same value, and reads and writes itself as a string in scenario files. A number
//! without a unit is refused with a sentence that shows the fix.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::status::Statuses;
use crate::time::Span;

/// Why a text is not a quantity; a whole sentence that shows the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(String);

impl UnitError {
    pub(crate) fn new(sentence: String) -> UnitError {
        UnitError(sentence)
    }
}

/// Events a second, e.g. `"800/s"`, `"1.5k/s"`, `"30/min"`. Finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// A share or a factor, e.g. `"25%"`; 1.0 is `"100%"`. Finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

/// An amount of memory in bytes, e.g. `"2GiB"`, `"512KiB"`, `"100MB"`, `"64B"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Rate {
    /// A rate in events a second.
    pub const fn per_second(rate: f64) -> Rate {
        Rate(rate)
    }
    /// Events a second.
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl Share {
    /// No share at all.
    pub const ZERO: Share = Share(0.0);
    /// The whole.
    pub const ONE: Share = Share(1.0);
    /// A share as a fraction: 0.25 is 25%.
    pub const fn fraction(fraction: f64) -> Share {
        Share(fraction)
    }
    /// The share as a fraction: 25% is 0.25.
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl Bytes {
    /// An amount of memory in bytes.
    pub const fn new(bytes: u64) -> Bytes {
        Bytes(bytes)
    }
    /// Bytes.
    pub const fn value(self) -> u64 {
        self.0
    }
}

const SPAN_UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("min", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
];
const RATE_UNITS: &[(&str, f64)] = &[
    ("/s", 1.0),
    ("k/s", 1e3),
    ("M/s", 1e6),
    ("/min", 1.0 / 60.0),
    ("/h", 1.0 / 3600.0),
];
const SHARE_UNITS: &[(&str, f64)] = &[("%", 0.01)];
const BYTE_UNITS: &[(&str, f64)] = &[
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
];

/// Splits `text` into number and unit and returns number × the unit's worth.
fn quantity(text: &str, units: &[(&str, f64)], example: &str) -> Result<f64, UnitError> {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+')))
        .unwrap_or(text.len());
    let (number, unit) = (text[..split].replace('_', ""), text[split..].trim());
    let known = || {
        let names: Vec<&str> = units.iter().map(|u| u.0).filter(|u| u.is_ascii()).collect();
        names.join(", ")
    };
    let value: f64 = number.parse().map_err(|_| {
        UnitError(format!(
            "`{text}` does not begin with a number; write e.g. \"{example}\""
        ))
    })?;
    if unit.is_empty() {
        return Err(UnitError(format!(
            "`{text}` has no unit; write e.g. \"{number}{}\" (units: {})",
            units[units.len().min(4) - 1].0,
            known()
        )));
    }
    let Some(&(_, worth)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(UnitError(format!(
            "unknown unit `{unit}`; use one of {}",
            known()
        )));
    };
    if value < 0.0 {
        return Err(UnitError(format!(
            "`{text}` is negative; it must be 0 or more"
        )));
    }
    Ok(value * worth)
}

impl FromStr for Span {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Span, UnitError> {
        let nanos = quantity(text, SPAN_UNITS, "10ms")?;
        // 10 years: what is longer is a slip of the pen, and must not overflow sums of times.
        if nanos > 10.0 * 365.0 * 86_400e9 {
            return Err(UnitError(format!(
                "`{text}` is longer than 10 years, the longest time allowed"
            )));
        }
        Ok(Span::from_nanos(nanos.round() as u64))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.nanos();
        let fits = |unit: u64| nanos.is_multiple_of(unit);
        let (unit, name) = match nanos {
            0 => (1_000_000_000, "s"),
            n if fits(3_600_000_000_000) => (3_600_000_000_000, if n > 0 { "h" } else { "s" }),
            _ if fits(60_000_000_000) => (60_000_000_000, "min"),
            _ if fits(1_000_000_000) => (1_000_000_000, "s"),
            _ if fits(1_000_000) => (1_000_000, "ms"),
            _ if fits(1_000) => (1_000, "us"),
            _ => (1, "ns"),
        };
        write!(f, "{}{name}", nanos / unit)
    }
}

impl FromStr for Rate {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Rate, UnitError> {
        let rate = quantity(text, RATE_UNITS, "800/s")?;
        if rate > 1e9 {
            return Err(UnitError(format!(
                "`{text}` is more than 1000M/s, the highest rate allowed"
            )));
        }
        Ok(Rate(rate))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl FromStr for Share {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Share, UnitError> {
        if let Ok(number) = text.trim().replace('_', "").parse::<f64>()
            && number.is_finite()
            && number > 0.0
        {
            // Up to 1 it is a fraction of the whole; beyond, nobody but the writer knows.
            let fraction = Share(number);
            return Err(UnitError(match number {
                ..=1.0 => format!("`{text}` has no unit; write \"{fraction}\""),
                _ => format!(
                    "`{text}` has no unit; write \"{number}%\", or \"{fraction}\" for {number} times the whole"
                ),
            }));
        }
        let share = quantity(text, SHARE_UNITS, "25%")?;
        if share > 1e6 {
            return Err(UnitError(format!(
                "`{text}` is more than 100000000%, the highest share allowed"
            )));
        }
        Ok(Share(share))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Through the text of the fraction, so that 0.07 prints as 7% and not as
        // 7.000000000000001%.
        let percent = (self.0 * 1e14).round() / 1e12;
        write!(f, "{percent}%")
    }
}

impl FromStr for Bytes {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Bytes, UnitError> {
        let bytes = quantity(text, BYTE_UNITS, "2GiB")?;
        if bytes > 1e18 {
            return Err(UnitError(format!(
                "`{text}` is more than 1000000TB, the largest amount allowed"
            )));
        }
        Ok(Bytes(bytes.round() as u64))
    }
}

/// How long requests are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// Until the system has settled.
    Auto,
    /// So long.
    Lasts(Span),
}

impl FromStr for WarmUp {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<WarmUp, UnitError> {
        match text.trim() {
            "auto" => Ok(WarmUp::Auto),
            other => other.parse().map(WarmUp::Lasts),
        }
    }
}

impl fmt::Display for WarmUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WarmUp::Auto => f.write_str("auto"),
            WarmUp::Lasts(span) => span.fmt(f),
        }
    }
}

/// How sure figures are to be: what a run goes on for.
#[derive(Clone, Debug, PartialEq)]
pub enum Precision {
    /// The half-width of an interval is at most a share of a metric.
    Of {
        /// The share.
        share: Share,
        /// The metric, by name.
        metric: String,
        /// Whether the interval is that of the difference to the baseline; the share is then one of
        /// the baseline's value.
        difference: bool,
    },
    /// The best of the strategies is known.
    Best,
}

const BEST_IS_KNOWN: &str = "until the best is known";

impl FromStr for Precision {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Precision, UnitError> {
        let text = text.trim();
        if text == BEST_IS_KNOWN {
            return Ok(Precision::Best);
        }
        let Some((share, what)) = text.split_once(" of ") else {
            return Err(UnitError(format!(
                "`{text}` is no precision; write e.g. \"1% of p99\", \"2% of mean difference\" or {BEST_IS_KNOWN:?}"
            )));
        };
        let share: Share = share.parse()?;
        if share.value() <= 0.0 {
            return Err(UnitError(format!(
                "`{text}` asks for more than any run can give; write e.g. \"1% of p99\""
            )));
        }
        let what = what.trim();
        let metric = what.strip_suffix(" difference");
        Ok(Precision::Of {
            share,
            metric: metric.unwrap_or(what).trim().to_owned(),
            difference: metric.is_some(),
        })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Precision::Best => f.write_str(BEST_IS_KNOWN),
            Precision::Of {
                share,
                metric,
                difference,
            } => {
                write!(
                    f,
                    "{share} of {metric}{}",
                    if *difference { " difference" } else { "" }
                )
            }
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = [
            (1 << 40, "TiB"),
            (1 << 30, "GiB"),
            (1 << 20, "MiB"),
            (1 << 10, "KiB"),
        ]
        .into_iter()
        .find(|(unit, _)| self.0 > 0 && self.0.is_multiple_of(*unit))
        .unwrap_or((1, "B"));
        write!(f, "{}{name}", self.0 / unit)
    }
}

/// A text, or the digits of a whole number.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text or a whole number")]
    enum Written {
        Number(u64),
        Text(String),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Number(number) => number.to_string().into(),
        Written::Text(text) => text.into(),
    })
}

/// A percentile: `p95`, `p99.9`. It is more than 0 and less than 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentile {
    /// Of a thousand millions.
    parts: u32,
}

impl Percentile {
    /// One of 100, to seven digits behind the point; `None` where it is not between them.
    ///
    /// ```
    /// use lbsim_engine::units::Percentile;
    /// assert_eq!(Percentile::of_hundred(99.9).unwrap().fraction(), 0.999);
    /// assert_eq!(Percentile::of_hundred(100.0), None);
    /// ```
    pub fn of_hundred(percent: f64) -> Option<Percentile> {
        let parts = (percent * 1e7).round();
        (parts > 0.0 && parts < 1e9).then_some(Percentile {
            parts: parts as u32,
        })
    }

    /// As a fraction of 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.parts) / 1e9
    }
}

impl FromStr for Percentile {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Percentile, UnitError> {
        let number = text.trim().strip_prefix('p').unwrap_or_default();
        let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        let percent = number.parse::<f64>().ok().filter(|_| plain);
        percent.and_then(Percentile::of_hundred).ok_or_else(|| {
            UnitError(format!(
                "`{text}` is no percentile, which is more than 0 and less than 100; write e.g. \"p95\" or \"p99.9\""
            ))
        })
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", f64::from(self.parts) / 1e7)
    }
}

/// How a unit type stands in a scenario file and in its JSON Schema. The `format` names the parser
/// for whoever checks a text against the schema: see [`parse_format`]. Some may be written as whole
/// numbers, too, which are taken like their digits.
macro_rules! written_as_string {
    ($($type:ident $format:literal $title:literal $examples:expr $(, or $least:literal to $most:literal)?;)*) => {
        $(
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }
            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                    let numbers: &[std::ops::RangeInclusive<u16>] = &[$($least..=$most)?];
                    let text = match numbers {
                        [] => Cow::<'de, str>::deserialize(deserializer)?,
                        _ => text_or_number(deserializer)?,
                    };
                    text.parse().map_err(serde::de::Error::custom)
                }
            }
            impl JsonSchema for $type {
                fn inline_schema() -> bool { true }
                fn schema_name() -> Cow<'static, str> { stringify!($type).into() }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    $(return json_schema!({
                        "type": ["string", "integer"], "format": $format, "title": $title, "examples": $examples,
                        "minimum": $least, "maximum": $most
                    });)?
                    #[allow(unreachable_code, reason = "those that may be numbers have returned")]
                    { json_schema!({ "type": "string", "format": $format, "title": $title, "examples": $examples }) }
                }
            }
        )*
        /// Checks `text` against the unit type that a schema's `format` names; `Ok` for a format
        /// that is none of ours.
        ///
        /// # Errors
        /// The sentence that the type's parser gives.
        ///
        /// ```
        /// use lbsim_engine::units::parse_format;
        /// assert!(parse_format("duration", "10ms").is_ok());
        /// let error = parse_format("duration", "250").unwrap_err();
        /// assert!(error.to_string().contains("write e.g. \"250ms\""));
        /// ```
        pub fn parse_format(format: &str, text: &str) -> Result<(), UnitError> {
            match format {
                $($format => text.parse::<$type>().map(drop),)*
                _ => Ok(()),
            }
        }
        /// An example of what a schema's `format` takes.
        pub fn format_example(format: &str) -> Option<&'static str> {
            match format {
                $($format => Some($examples[0]),)*
                _ => None,
            }
        }
    };
}

written_as_string! {
    Span  "duration" "a time"   ["10ms", "1.5s", "5min"];
    Rate  "rate"     "a rate"   ["800/s", "1.5k/s", "30/min"];
    Share "share"    "a share"  ["25%", "100%"];
    Bytes "bytes"    "an amount of memory" ["2GiB", "512KiB"];
    Statuses "status" "a status of HTTP" ["503", "5xx"], or 100 to 599;
    WarmUp "warm-up" "a time, or \"auto\"" ["30s", "auto"];
    Percentile "percentile" "a percentile" ["p95", "p99.9"];
    Precision "precision" "a precision" ["1% of p99", "2% of mean difference", "until the best is known"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!("10ms".parse(), Ok(Span::from_millis(10)));
        assert_eq!("1.5 s".parse(), Ok(Span::from_millis(1500)));
        assert_eq!("5min".parse(), Ok(Span::from_secs(300)));
        assert_eq!("1.5k/s".parse(), Ok(Rate(1500.0)));
        assert_eq!("120/min".parse(), Ok(Rate(2.0)));
        assert_eq!("25%".parse(), Ok(Share(0.25)));
        assert_eq!("2GiB".parse(), Ok(Bytes(2 << 30)));
    }

    #[test]
    fn refuses_with_a_sentence_that_shows_the_fix() {
        let error = |text: &str| text.parse::<Span>().unwrap_err().to_string();
        assert_eq!(
            error("250"),
            "`250` has no unit; write e.g. \"250ms\" (units: ns, us, ms, s, min, h, d)"
        );
        assert!(error("10 parsecs").starts_with("unknown unit `parsecs`"));
        assert!(error("fast").contains("does not begin with a number"));
        assert!(error("-3ms").contains("negative"));
        assert!(error("1000000000h").contains("longer than 10 years"));
        assert!(
            "1000000M/s"
                .parse::<Rate>()
                .unwrap_err()
                .to_string()
                .contains("highest rate")
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos in 0u64..1 << 53, bytes in 0u64..1 << 50, share in 0u32..1_000_000) {
            let span = Span::from_nanos(nanos);
            prop_assert_eq!(span.to_string().parse::<Span>().map(Span::nanos), Ok(nanos));
            prop_assert_eq!(Bytes(bytes).to_string().parse::<Bytes>(), Ok(Bytes(bytes)));
            let share = Share(f64::from(share) / 1e4);
            prop_assert!((share.to_string().parse::<Share>().unwrap().0 - share.0).abs() < 1e-12);
        }

        #[test]
        fn nothing_panics(text in ".{0,24}") {
            let _ = (text.parse::<Span>(), text.parse::<Rate>(), text.parse::<Share>(), text.parse::<Bytes>());
        }
    }
}
