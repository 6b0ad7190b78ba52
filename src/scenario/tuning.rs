//! What may be tuned, and what for: the `[tune]` table of a scenario as it was understood.

use std::str::FromStr;

use super::file::{Criterion, TuneStart};
use crate::time::Span;
use crate::units::{Rate, Share};

/// What may change, what is to become better, and what must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// What is to become better.
    pub objective: Criterion,
    /// A second metric that is to become better too.
    pub and: Option<Criterion>,
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
    pub situations: Vec<SituationPlan>,
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
pub struct SituationPlan {
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
        unit: NumberUnit,
    },
    /// One of several values, as they are written.
    Choice(Vec<String>),
}

/// How a number is written in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberUnit {
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

impl NumberUnit {
    /// Reads a number as a scenario has it, and what it is.
    pub fn read(text: &str) -> Option<(f64, NumberUnit)> {
        let text = text.trim();
        let bare = text.trim_matches(['"', '\'']);
        if bare == text {
            let whole = i64::from_str(&bare.replace('_', ""));
            return match whole {
                Ok(whole) => Some((whole as f64, NumberUnit::Whole)),
                Err(_) => Some((bare.replace('_', "").parse().ok()?, NumberUnit::Plain)),
            };
        }
        let time = bare
            .parse::<Span>()
            .map(|span| (span.seconds(), NumberUnit::Time));
        let share = || {
            bare.parse()
                .map(|share: Share| (share.value(), NumberUnit::Share))
        };
        let rate = || {
            bare.parse()
                .map(|rate: Rate| (rate.value(), NumberUnit::Rate))
        };
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
            NumberUnit::Whole => format!("{}", number.round() as i64),
            NumberUnit::Plain => {
                let text = digits(number);
                if text.contains('.') {
                    text
                } else {
                    format!("{text}.0")
                }
            }
            NumberUnit::Time => {
                let units = [("s", 1.0), ("ms", 1e3), ("us", 1e6)];
                let fit = units.iter().find(|(_, each)| number * each >= 1.0);
                let (unit, each) = fit.unwrap_or(&("ns", 1e9));
                format!("\"{}{unit}\"", digits(number * each))
            }
            NumberUnit::Share => format!("\"{}%\"", digits(number * 100.0)),
            NumberUnit::Rate => format!("\"{}/s\"", digits(number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_units() {
        for (text, number, unit, written) in [
            ("12", 12.0, NumberUnit::Whole, "12"),
            ("0.25", 0.25, NumberUnit::Plain, "0.25"),
            ("2.0", 2.0, NumberUnit::Plain, "2.0"),
            ("\"50ms\"", 0.05, NumberUnit::Time, "\"50ms\""),
            ("'25%'", 0.25, NumberUnit::Share, "\"25%\""),
            ("\"800/s\"", 800.0, NumberUnit::Rate, "\"800/s\""),
        ] {
            let (found, its) = NumberUnit::read(text).unwrap();
            assert!((found - number).abs() < 1e-12 && its == unit, "{text}");
            assert_eq!(its.write(found), written);
            assert!(
                NumberUnit::read(written).is_some_and(|(again, _)| (again - number).abs() < 1e-9)
            );
        }
        assert_eq!(NumberUnit::read("\"soon\""), None);
        assert_eq!(NumberUnit::Time.write(0.123_456_789), "\"123.5ms\"");
    }
}
