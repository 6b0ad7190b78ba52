//! What is looked for by `lbsim size`: the `[size]` table of a scenario as it was understood.

use super::file::Seek;
use crate::requirement::Requirement;

/// Values of which one is looked for, and what must hold there.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizing {
    /// What is varied: a path, or `load`.
    pub path: String,
    /// The values, the least first; at least two.
    pub values: Vec<SizeValue>,
    /// Which of those that will do.
    pub find: Seek,
    /// The service of which servers are lost: an index.
    pub service: usize,
    /// What must hold.
    pub objective: Vec<Requirement>,
    /// Whose loss it must bear too.
    pub lost: Option<Lost>,
    /// Replications of one value at most.
    pub max_replications: u32,
    /// Requests that may be simulated.
    pub max_requests: u64,
    /// How sure an answer is to be, as a fraction.
    pub confidence: f64,
}

/// A value that is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeValue {
    /// As it is written, without quotation marks.
    pub written: String,
    /// Where it stands on an axis: shares in percent, all else in its own unit.
    pub at: f64,
    /// What is set for it, each as `path=value`.
    pub sets: Vec<String>,
}

/// Who is lost for the whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// One server of each group in turn.
    Server,
    /// Each zone in turn.
    Zone,
    /// Servers by a name that faults know.
    Named(String),
}

impl Sizing {
    /// The place of a value, where the hardest to meet the objective with is 0: the least where the
    /// least is looked for.
    pub fn place(&self, ease: usize) -> usize {
        match self.find {
            Seek::Least => ease,
            Seek::Most => self.values.len() - 1 - ease,
        }
    }

    /// The value of a place of [`Sizing::place`].
    pub fn value(&self, ease: usize) -> &SizeValue {
        &self.values[self.place(ease)]
    }

    /// Whether it is servers that are counted.
    pub fn counts_servers(&self) -> bool {
        self.path.ends_with(".count") && self.path.contains("servers")
    }

    /// A value in a sentence: `8 servers`, `a load of 85%`.
    pub fn called(&self, ease: usize) -> String {
        let written = &self.value(ease).written;
        if self.counts_servers() {
            match written.as_str() {
                "1" => "1 server".to_owned(),
                _ => format!("{written} servers"),
            }
        } else if self.path == "load" {
            format!("a load of {written}")
        } else {
            format!("{} = {written}", self.path)
        }
    }

    /// What stands on the axis of a chart.
    pub fn label(&self) -> String {
        match (self.counts_servers(), self.values[0].written.as_str()) {
            (true, _) => "Servers".to_owned(),
            (_, written) if written.ends_with('%') => format!("{} (%)", self.path),
            _ => self.path.clone(),
        }
    }
}
