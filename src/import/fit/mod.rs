//! What a server can do, as an access log tells: its slots, its discipline and its service times.
//!
//! A log says when each request came and when it was answered. The time between holds waiting, and
//! how much depends on how many requests the server works on at once. [`fit`] supposes a number of
//! slots and a discipline, works out the service times that the requests must have had, and asks
//! how likely these are as independent draws; the likeliest supposition is the answer, and those
//! that a test does not tell from it are how sure it is. Neither Poisson arrivals nor idle
//! stretches are needed, and a balancer may look at the load of the server. The same idea with
//! exponential service and Poisson arrivals is the queue inference engine (Larson, Management
//! Science 36, 1990).
//!
//! | file | question it answers |
//! |---|---|
//! | `prepared` | who came when, and met how many? |
//! | `recover` | what were the service times, were the server so? |
//! | `likelihood` | how likely are they? |
//! | `search` | which servers does the log allow? |
//! | `family` | which distribution describes the service times? |
//! | `quality` | does the fitted server answer as the real one did? |

mod family;
mod likelihood;
mod prepared;
mod quality;
mod recover;
mod report;
mod search;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::distribution::Dist;
use crate::time::Span;

use prepared::Prepared;
pub use quality::Quality;
pub use report::NoFit;

/// A request's stay at a server, waiting there included. Times are nanoseconds since any moment
/// that is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When it came.
    pub arrived: i64,
    /// When it was answered; not before it came, or the visit is not used.
    pub left: i64,
}

/// In which order a server works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discipline {
    /// Each in turn, in order of arrival.
    Fifo,
    /// All at once, each at an equal share of the slots, and at full speed while there are no more
    /// requests than slots.
    ProcessorSharing,
}

impl Discipline {
    /// As a scenario says it: the `discipline` of servers.
    pub const fn name(self) -> &'static str {
        match self {
            Discipline::Fifo => "fifo",
            Discipline::ProcessorSharing => "processor-sharing",
        }
    }
}

impl fmt::Display for Discipline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many requests a server works on at once, as far as the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// So many: one more or less is ruled out.
    Exactly(u32),
    /// From the first to the second.
    Between(u32, u32),
    /// So many, or any greater number.
    AtLeast(u32),
}

impl Slots {
    /// Whether the log allows this number.
    pub const fn allows(self, slots: u32) -> bool {
        match self {
            Slots::Exactly(only) => slots == only,
            Slots::Between(fewest, most) => fewest <= slots && slots <= most,
            Slots::AtLeast(fewest) => fewest <= slots,
        }
    }
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Slots::Exactly(only) => write!(f, "{only}"),
            Slots::Between(fewest, most) => write!(f, "{fewest} to {most}"),
            Slots::AtLeast(fewest) => write!(f, "at least {fewest}"),
        }
    }
}

/// A supposition about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    discipline: Discipline,
    slots: u32,
}

/// A server as the log tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// How many requests it works on at once, as far as the log tells.
    pub slots: Slots,
    /// The number of slots to simulate it with: the likeliest, or where the log allows any greater
    /// number the most requests that there were at once.
    pub chosen_slots: u32,
    /// In which order it works.
    pub discipline: Discipline,
    /// Whether the other discipline is ruled out. It is not where there hardly ever were more
    /// requests than slots.
    pub discipline_is_known: bool,
    /// How long a request takes without waiting.
    pub service: Dist<Span>,
    /// The mean of that in seconds.
    pub mean: f64,
    /// Its standard deviation over the mean, without the spread that the clock's rounding adds.
    pub cv: f64,
    /// Half the width of the 95% interval of the mean, in seconds, from overlapping batch means;
    /// `None` where there are too few visits to say.
    pub half_width: Option<f64>,
    /// The share of its slots, as chosen, that was busy in the time of the log.
    pub utilization: f64,
    /// Visits in the log that were used.
    pub visits: usize,
    /// Visits that found nobody else there.
    pub found_idle: usize,
    /// The most requests that were there at once.
    pub peak: u32,
    /// How well the fitted server does as the real one did.
    pub quality: Quality,
    /// What to know about all this, in sentences.
    pub remarks: Vec<String>,
}

impl Fitted {
    /// The distribution of the service time as it stands in a scenario: `{ kind = "lognormal",
    /// mean = "9.87ms", cv = 1.5 }`.
    ///
    /// # Errors
    /// Where it cannot be written as TOML; none is known that cannot.
    pub fn service_table(&self) -> Result<toml::Table, toml::ser::Error> {
        toml::Table::try_from(&self.service)
    }
}

/// Finds out what the server can do that these visits were made to; `resolution` is the step of the
/// log's clock in nanoseconds.
///
/// The visits may be in any order. They should be all that were made to the server in some stretch
/// of time: a request that is not in the log but took up a slot is waiting that cannot be
/// explained. Times are taken to be right on average (nginx cuts off both ends of a request to its
/// clock's millisecond, so that the difference is); each may be off by a step or two.
///
/// # Errors
/// Where the log does not tell, and why.
///
/// ```
/// use lbsim::import::fit::{Discipline, Slots, Visit, fit};
/// // One at a time, 8 ms each; two come together every 20 ms.
/// let ms = 1_000_000;
/// let visits: Vec<Visit> = (0..1000_i64)
///     .flat_map(|i| [8, 16].map(|took| (20 * i, took)))
///     .map(|(at, took)| Visit { arrived: at * ms, left: (at + took) * ms })
///     .collect();
/// let server = fit(&visits, 1000).unwrap();
/// assert_eq!((server.slots, server.discipline), (Slots::Exactly(1), Discipline::Fifo));
/// assert!((server.mean - 0.008).abs() < 1e-6);
/// ```
pub fn fit(visits: &[Visit], resolution: u64) -> Result<Fitted, NoFit> {
    let log = Prepared::new(visits, resolution)?;
    report::fitted(&log)
}
