//! What must hold of what is measured, in a line of text: `p99 < 200ms`, `errors <= 0.1%`,
//! `goodput of round-robin >= 500/s`.
//!
//! | file | question it answers |
//! |---|---|
//! | [`measure`] | what can be asked for, and in what is it counted? |
//! | `read` | what does a text ask for, and what is wrong with it? |
//!
//! Whether a requirement holds is decided by an interval and never by an estimate alone: it holds
//! where the whole interval is on the right side, fails where the whole interval is on the wrong
//! one, and is not shown where the limit lies within.

pub mod measure;
mod read;

use std::fmt;

pub use measure::{Amount, Measure};
pub use read::RequirementError;

/// On which side of its limit a measure must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Side {
    /// All of them; of two that begin alike the longer comes first.
    pub const ALL: [Side; 4] = [Side::AtMost, Side::AtLeast, Side::Below, Side::Above];

    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Side::Below => "<",
            Side::AtMost => "<=",
            Side::Above => ">",
            Side::AtLeast => ">=",
        }
    }

    /// Whether less is right.
    pub fn is_upper_limit(self) -> bool {
        matches!(self, Side::Below | Side::AtMost)
    }
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Of what.
    pub measure: Measure,
    /// Of which strategy or variant; of all where there is none.
    pub of: Option<String>,
    /// On which side of the limit.
    pub side: Side,
    /// The limit, in what the measure is counted in.
    pub limit: f64,
    /// The limit as it is written.
    written: String,
}

/// What an interval says of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It does not hold.
    Fails,
    /// Nobody knows yet.
    NotShown,
    /// It holds.
    Holds,
}

impl Decision {
    /// How it is written in tables.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Holds => "holds",
            Decision::Fails => "fails",
            Decision::NotShown => "not shown",
        }
    }

    /// What is known where several must hold together: one that fails is enough to fail.
    pub fn of_all(each: impl IntoIterator<Item = Decision>) -> Decision {
        each.into_iter().min().unwrap_or(Decision::Holds)
    }
}

impl Requirement {
    /// Whether it is asked of this strategy or variant.
    pub fn concerns(&self, name: &str) -> bool {
        self.of.as_ref().is_none_or(|of| of == name)
    }

    /// What an interval says, from its lower to its upper end.
    pub fn decide(&self, low: f64, high: f64) -> Decision {
        let limit = self.limit;
        let (holds, fails) = match self.side {
            Side::Below => (high < limit, low >= limit),
            Side::AtMost => (high <= limit, low > limit),
            Side::Above => (low > limit, high <= limit),
            Side::AtLeast => (low >= limit, high < limit),
        };
        match (holds, fails) {
            (true, _) => Decision::Holds,
            (_, true) => Decision::Fails,
            _ => Decision::NotShown,
        }
    }

    /// The limit as it is written.
    pub fn limit_text(&self) -> &str {
        &self.written
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.measure)?;
        if let Some(of) = &self.of {
            write!(f, " of {of}")?;
        }
        write!(f, " {} {}", self.side.sign(), self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_decides_and_no_estimate() {
        let of = |text: &str| text.parse::<Requirement>().unwrap();
        for (text, low, high, decision) in [
            ("p99 < 200ms", 180.0, 199.9, Decision::Holds),
            ("p99 < 200ms", 180.0, 200.0, Decision::NotShown),
            ("p99 <= 200ms", 180.0, 200.0, Decision::Holds),
            ("p99 < 200ms", 200.0, 210.0, Decision::Fails),
            ("p99 <= 200ms", 200.0, 210.0, Decision::NotShown),
            ("goodput >= 500/s", 500.0, 510.0, Decision::Holds),
            ("goodput > 500/s", 500.0, 510.0, Decision::NotShown),
            ("goodput > 500/s", 400.0, 500.0, Decision::Fails),
            ("errors < 0.1%", 0.0, 0.0, Decision::Holds),
            ("errors < 0.1%", 0.002, 0.003, Decision::Fails),
        ] {
            assert_eq!(of(text).decide(low, high), decision, "{text}: {low} {high}");
        }
    }

    #[test]
    fn one_that_fails_is_enough() {
        use Decision::{Fails, Holds, NotShown};
        assert_eq!(Decision::of_all([Holds, NotShown, Fails]), Fails);
        assert_eq!(Decision::of_all([Holds, NotShown]), NotShown);
        assert_eq!(Decision::of_all([Holds, Holds]), Holds);
    }
}
