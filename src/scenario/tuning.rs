//! What may be tuned, and what for: the `[tune]` table of a scenario as it was understood.

use std::str::FromStr;

use super::file::{Metric, TuneStart};
use crate::time::Span;
use crate::units::{Rate, Share};

/// What may change, what is to become better, and what must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// What is to become better.
    pub objective: Metric,
    /// A second metric that is to become better too.
    pub and: Option<Metric>,
    /// What may change, weights first.
    pub knobs: Vec<Knob>,
    /// The least and the largest weight.
    pub weights: (u32, u32),
    /// Whether the strategy may change.
    pub strategies: bool,
    /// Where the search begins.
    pub starts: Vec<TuneStart>,
    /// The largest share of requests that may fail, as a fraction.
    pub max_errors: Option<f64>,
    /// The largest utilization that a server may have, as a fraction.
    pub max_utilization: Option<f64>,
    /// What it must be good in; at least one.
    pub situations: Vec<Situation>,
    /// Whether the worst situation counts.
    pub worst: bool,
    /// Requests that the search may simulate.
    pub max_requests: u64,
    /// How long it may take.
    pub max_time: Option<Span>,
    /// Replications of the check.
    pub confirmations: u32,
}

/// A situation that the tuned system must be good in.
#[derive(Clone, Debug, PartialEq)]
pub struct Situation {
    /// What it is called.
    pub name: String,
    /// How much it counts.
    pub weight: f64,
    /// What is different in it: each as `path=value`.
    pub sets: Vec<String>,
}

/// One thing that may change.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    /// Its path in the scenario.
    pub path: String,
    /// What it is called in tables.
    pub name: String,
    /// What it may be.
    pub range: Range,
}

/// What a knob may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// The weight of a group of servers: the place of its service, and of the group there.
    Weight(usize, usize),
    /// A number between two ends.
    Number {
        /// The least.
        low: f64,
        /// The largest.
        high: f64,
        /// How it is written.
        unit: Unit,
    },
    /// One of several values, as they are written.
    Choice(Vec<String>),
}

/// How a number is written in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A whole number.
    Whole,
    /// A number.
    Plain,
    /// A time; the number is in seconds.
    Time,
    /// A share; the number is a fraction.
    Share,
    /// A rate; the number is per second.
    Rate,
}

impl Unit {
    /// Reads a number as a scenario has it, and what it is.
    pub fn read(text: &str) -> Option<(f64, Unit)> {
        let text = text.trim();
        let bare = text.trim_matches(['"', '\'']);
        if bare == text {
            let whole = i64::from_str(&bare.replace('_', ""));
            return match whole {
                Ok(whole) => Some((whole as f64, Unit::Whole)),
                Err(_) => Some((bare.replace('_', "").parse().ok()?, Unit::Plain)),
            };
        }
        let time = bare
            .parse::<Span>()
            .map(|span| (span.seconds(), Unit::Time));
        let share = || {
            bare.parse()
                .map(|share: Share| (share.value(), Unit::Share))
        };
        let rate = || bare.parse().map(|rate: Rate| (rate.value(), Unit::Rate));
        time.or_else(|_| share()).or_else(|_| rate()).ok()
    }

    /// The number as a scenario has it, to four digits.
    pub fn write(self, number: f64) -> String {
        let digits = |number: f64| {
            let places = (3.0 - number.abs().max(1e-9).log10().floor()).clamp(0.0, 12.0) as usize;
            let text = format!("{number:.places$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        };
        match self {
            Unit::Whole => format!("{}", number.round() as i64),
            Unit::Plain => {
                let text = digits(number);
                if text.contains('.') {
                    text
                } else {
                    format!("{text}.0")
                }
            }
            Unit::Time => {
                let units = [("s", 1.0), ("ms", 1e3), ("us", 1e6)];
                let fit = units.iter().find(|(_, each)| number * each >= 1.0);
                let (unit, each) = fit.unwrap_or(&("ns", 1e9));
                format!("\"{}{unit}\"", digits(number * each))
            }
            Unit::Share => format!("\"{}%\"", digits(number * 100.0)),
            Unit::Rate => format!("\"{}/s\"", digits(number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_units() {
        for (text, number, unit, written) in [
            ("12", 12.0, Unit::Whole, "12"),
            ("0.25", 0.25, Unit::Plain, "0.25"),
            ("2.0", 2.0, Unit::Plain, "2.0"),
            ("\"50ms\"", 0.05, Unit::Time, "\"50ms\""),
            ("'25%'", 0.25, Unit::Share, "\"25%\""),
            ("\"800/s\"", 800.0, Unit::Rate, "\"800/s\""),
        ] {
            let (found, its) = Unit::read(text).unwrap();
            assert!((found - number).abs() < 1e-12 && its == unit, "{text}");
            assert_eq!(its.write(found), written);
            assert!(Unit::read(written).is_some_and(|(again, _)| (again - number).abs() < 1e-9));
        }
        assert_eq!(Unit::read("\"soon\""), None);
        assert_eq!(Unit::Time.write(0.123_456_789), "\"123.5ms\"");
    }
}
