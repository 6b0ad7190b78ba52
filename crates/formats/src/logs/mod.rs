//! Access logs of real balancers, read as they are found: line by line, packed or not, whatever
//! their size.
//!
//! A [`Format`] knows one kind of line; [`read()`] takes a file through it and hands over an
//! [`Entry`] a request. What is not a line of the format is counted and named, never dropped in
//! silence.

mod carrier;
mod census;
mod clock;
pub mod format;
mod lines;
mod read;
mod table;
mod text;

pub use census::{BadLine, Census};
pub use format::{Format, FormatError};
pub use read::{Limits, LogError, first_lines, read, read_from, read_with};
pub use table::Table;
pub use text::Escape;

/// One request, as a log tells of it. Times are nanoseconds since 1970 (UTC), or since some other
/// moment that is the same in all of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// When it came to the balancer.
    pub arrived: i64,
    /// How long the balancer was busy with it, from its arrival to the end of its answer; `None`
    /// where the log does not say.
    pub took: Option<u64>,
    /// Which pool it went to; empty where the log does not say.
    pub pool: String,
    /// The servers it was sent to, one after the other; empty where none was, or the log does not
    /// say.
    pub attempts: Vec<Attempt>,
    /// Who asked: an address, or whatever the log has of the client. Empty where it does not say.
    pub client: String,
    /// What was asked for: the path without its query. Empty where the log does not say.
    pub route: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Bytes sent to the client.
    pub bytes: Option<u64>,
}

/// One attempt at one server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempt {
    /// The server, as the log has it: an address or a name.
    pub server: String,
    /// When it was sent there.
    pub began: i64,
    /// How long the server took to answer, waiting there included; `None` where it did not answer
    /// or the log does not say.
    pub took: Option<u64>,
    /// Whether it failed.
    pub failed: bool,
}

#[cfg(test)]
mod tests;
