//! What must hold of what is measured, in a line of text: `p99 < 200ms`, `errors <= 0.1%`,
//! `goodput of round-robin >= 500/s`, `p99 of least-connections < 0.5 * p99 of round-robin`,
//! `success of * at db >= 99.9% after 6min`, `sessions-lost by crash of cookie < 400`,
//! `mean of round-robin > mean of random + 2ms`.
//!
//! | file | question it answers |
//! |---|---|
//! | [`measure`] | what can be asked for, and in what is it counted? |
//! | `read` | what does a text ask for, and what is wrong with it? |
//! | `subject` | of what, of whom and of which requests is it? |
//! | `limit` | with what is that compared? |
//!
//! Whether a requirement holds is decided by an interval and never by an estimate alone: it holds
//! where the whole interval is on the right side, fails where the whole interval is on the wrong
//! one, and is not shown where the limit lies within.

mod limit;
pub mod measure;
mod read;
mod subject;

use std::fmt;

use crate::time::Span;
pub use measure::{Amount, Measure};
use measure::{MeasuredPart, Why};
pub use subject::{RequirementError, RequirementNames};

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

    /// By how much what is so far above its limit is on the right side; less than nothing where it
    /// is on the wrong one.
    pub fn margin(self, above: f64) -> f64 {
        match self.is_upper_limit() {
            true => -above,
            false => above,
        }
    }

    /// What an interval says of a limit, from its lower to its upper end.
    pub fn decide(self, low: f64, high: f64, limit: f64) -> Decision {
        let (holds, fails) = match self {
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
}

/// Of which requests something is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AskedAt {
    /// All requests of clients.
    #[default]
    Everywhere,
    /// Requests to a service, and calls: its name and its number in the world.
    Service(String, usize),
    /// Requests of a group of clients: its name and its number.
    Clients(String, usize),
    /// What servers did: their name, or that of their group, with that of its service before it.
    Servers(String),
}

impl AskedAt {
    /// What part of a run that is; `None` where it is all of it.
    pub fn part(&self) -> Option<MeasuredPart> {
        match self {
            AskedAt::Everywhere => None,
            AskedAt::Service(..) => Some(MeasuredPart::Service),
            AskedAt::Clients(..) => Some(MeasuredPart::Clients),
            AskedAt::Servers(_) => Some(MeasuredPart::Servers),
        }
    }
}

/// A measure, of whom, and of which requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Of what.
    pub measure: Measure,
    /// For what cause alone; whatever the cause where there is none.
    pub by: Option<Why>,
    /// Of which strategy or variant; of all where there is none.
    pub of: Option<String>,
    /// Of which requests.
    pub place: AskedAt,
}

/// With what a measure is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// A value, in what the measure is counted in.
    Value(f64),
    /// What is measured elsewhere.
    Measured(MeasuredLimit),
}

/// So many times what is measured elsewhere, and so much more than that; of the same strategy where
/// none is named there and none is meant by `*`.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredLimit {
    /// How many times; above 0.
    pub times: f64,
    /// What is measured.
    pub subject: Subject,
    /// Of whom.
    pub of: Other,
    /// What is added, in what the measure is counted in; less than 0 where it is taken off.
    pub plus: f64,
}

impl MeasuredLimit {
    /// The limit where so much is measured.
    pub fn at(&self, measured: f64) -> f64 {
        measured * self.times + self.plus
    }
}

/// Of whom the other side of a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// Of the strategy that is named.
    Named,
    /// Of each other strategy.
    Each,
    /// Of the same strategy.
    Same,
}

/// A stretch of simulated time: of requests that arrive in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// From when on; by default from the end of the warm-up on.
    pub after: Option<Span>,
    /// Until when; by default until the end of the run.
    pub before: Option<Span>,
}

impl Within {
    /// Whether it is all that is measured.
    pub fn is_all(self) -> bool {
        self == Within::default()
    }
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// What is asked for.
    pub subject: Subject,
    /// On which side of the limit.
    pub side: Side,
    /// The limit.
    pub limit: Limit,
    /// When.
    pub within: Within,
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
    /// Of what it is.
    pub fn measure(&self) -> Measure {
        self.subject.measure
    }

    /// Whether it is asked of this strategy or variant.
    pub fn concerns(&self, name: &str) -> bool {
        self.subject.of.as_ref().is_none_or(|of| of == name)
    }

    /// With whom one is compared of these strategies or variants, by their numbers: a `None` where
    /// it is held against a value, and nothing where nobody is left.
    pub fn opponents(&self, own: usize, names: &[&str]) -> Vec<Option<usize>> {
        let Limit::Measured(limit) = &self.limit else {
            return vec![None];
        };
        let meant = |&at: &usize| match limit.of {
            Other::Same => at == own,
            Other::Each => at != own,
            Other::Named => limit.subject.of.as_deref() == Some(names[at]),
        };
        // Asked of all, the one that they are compared with is not compared with itself.
        let is_of_all = limit.of == Other::Named && self.subject.of.is_none();
        let is_itself = |at: usize| at == own && is_of_all && self.subject.is_alike(&limit.subject);
        let all = (0..names.len()).filter(meant);
        all.filter(|&at| !is_itself(at)).map(Some).collect()
    }

    /// The limit, in what the measure is counted in; `None` where it is measured too.
    pub fn value(&self) -> Option<f64> {
        match self.limit {
            Limit::Value(value) => Some(value),
            Limit::Measured(_) => None,
        }
    }

    /// The limit as it is written.
    pub fn limit_text(&self) -> &str {
        &self.written
    }

    /// What is asked for on either side.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        let other = match &self.limit {
            Limit::Value(_) => None,
            Limit::Measured(other) => Some(&other.subject),
        };
        [Some(&self.subject), other].into_iter().flatten()
    }
}

impl Subject {
    /// What is measured, whoever it is of.
    pub fn metric(&self) -> String {
        match self.by {
            Some(why) => format!("{} by {}", self.measure, why.name()),
            None => self.measure.to_string(),
        }
    }

    /// Whether the same is asked of the same requests, whoever it is of.
    pub fn is_alike(&self, other: &Subject) -> bool {
        (self.measure, self.by, &self.place) == (other.measure, other.by, &other.place)
    }

    /// Whether it is of the whole of a run, whatever the cause.
    pub fn is_of_all(&self) -> bool {
        self.place == AskedAt::Everywhere && self.by.is_none()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric())?;
        if let Some(of) = &self.of {
            write!(f, " of {of}")?;
        }
        match &self.place {
            AskedAt::Everywhere => Ok(()),
            AskedAt::Service(name, _) => write!(f, " at {name}"),
            AskedAt::Clients(name, _) => write!(f, " for {name}"),
            AskedAt::Servers(name) => write!(f, " on {name}"),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.subject, self.side.sign(), self.written)?;
        if let Some(after) = self.within.after {
            write!(f, " after {after}")?;
        }
        if let Some(before) = self.within.before {
            write!(f, " before {before}")?;
        }
        Ok(())
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
            let own = of(text);
            let decided = own.side.decide(low, high, own.value().unwrap());
            assert_eq!(decided, decision, "{text}: {low} {high}");
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
