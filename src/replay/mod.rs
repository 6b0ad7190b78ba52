//! Replay: a strategy is driven with the recording of a real balancer, and its picks are compared
//! with those recorded.

mod drive;
mod envoy;
mod grpc;
mod haproxy;
mod ipvs;
mod nginx;
pub mod program;
mod published;
pub mod recording;
mod tower;

use program::Program;
use recording::Recording;

use crate::time::Time;

/// What came of a replay.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every pick is the same.
    Agrees {
        /// The strategy.
        strategy: String,
        /// How many requests were compared.
        compared: usize,
    },
    /// The shares of the servers were compared.
    Shares {
        /// The strategy.
        strategy: String,
        /// How many requests were compared.
        compared: usize,
        /// How often shares at least this far off would come of the same strategy: the p-value of a
        /// chi-square test.
        p: f64,
        /// Whether they pass.
        agrees: bool,
    },
    /// A pick differs.
    Differs {
        /// The strategy.
        strategy: String,
        /// From how many starts it was tried; the one that agreed the longest is shown.
        starts: usize,
        /// Where it first differs.
        difference: Box<Difference>,
    },
}

/// The first pick that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Which request, from 0.
    pub request: usize,
    /// When.
    pub at: Time,
    /// Where the recording says that it went.
    pub recorded: String,
    /// Where it went here.
    pub here: String,
    /// The members, and the strategy as it stood before.
    pub state: String,
}

impl Verdict {
    /// Whether the recording is reproduced.
    pub fn agrees(&self) -> bool {
        match self {
            Verdict::Agrees { .. } => true,
            Verdict::Shares { agrees, .. } => *agrees,
            Verdict::Differs { .. } => false,
        }
    }
}

/// Drives the strategy that a recording's program had with the recording, and compares.
///
/// # Errors
/// What in the recording is not understood, in a sentence.
pub fn replay(recording: &Recording) -> Result<Verdict, String> {
    // Of these no balancer's picks are recorded, but what a function gives.
    match recording.program.split_whitespace().next() {
        Some("tower") => tower::compare(recording),
        Some("jump") => published::jump_hash(recording),
        Some("Maglev") => published::maglev(recording),
        _ => drive::compare(recording, program(recording)?),
    }
}

/// The program of a recording, by the name that the recording gives it.
fn program(recording: &Recording) -> Result<&'static dyn Program, String> {
    let known: &[(&str, &'static dyn Program)] = &[
        ("envoy", &envoy::Envoy),
        ("grpc", &grpc::Grpc),
        ("haproxy", &haproxy::Haproxy),
        ("linux-ipvs", &ipvs::Ipvs),
        ("nginx", &nginx::Nginx),
    ];
    known
        .iter()
        .find(|(name, _)| recording.program.starts_with(name))
        .map(|(_, program)| *program)
        .ok_or_else(|| {
            let functions = ["tower", "jump consistent hash", "Maglev paper"];
            let names: Vec<&str> = known
                .iter()
                .map(|(name, _)| *name)
                .chain(functions)
                .collect();
            format!(
                "the recording is of `{}`; known are {}",
                recording.program,
                names.join(", ")
            )
        })
}
