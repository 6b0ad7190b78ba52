//! What the opinions of balancers were worth: how soon they noticed failures, how soon members that
//! were well again came back, and who was left out though it was well.

use serde::{Deserialize, Serialize};

use super::Latency;
use lbsim_engine::time::Span;

/// Why a balancer left out a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOutBy {
    /// Health checks.
    Checks,
    /// How it had answered.
    Ejection,
}

impl LeftOutBy {
    /// All there are, in the order in which they are shown.
    pub const ALL: [LeftOutBy; 2] = [LeftOutBy::Checks, LeftOutBy::Ejection];

    /// The name in files and charts.
    pub fn name(self) -> &'static str {
        match self {
            LeftOutBy::Checks => "checks",
            LeftOutBy::Ejection => "ejection",
        }
    }
}

/// What the balancers of one service noticed in the measured window. Each balancer's opinion of
/// each member counts for itself. A member is ill while a fault holds at it, or on the way between
/// it and the balancer; being drained is no illness.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Detection {
    /// Times that a member became ill in the measured window.
    pub failures: u64,
    /// How long it was ill before it was left out; of those that were.
    pub detected: Latency,
    /// Times that it was well again before anybody had noticed.
    pub missed: u64,
    /// How long a member that had been left out while it was ill was left out still when it was
    /// well again.
    pub returned: Latency,
    /// Attempts of measured requests without a good answer that met with an illness of their
    /// member, which was not left out when they were sent.
    pub hurt: u64,
    /// Times that a member was left out that was well, by [`LeftOutBy`].
    pub wrong: [u64; 2],
    /// How long such members were left out while they were well, in all, by [`LeftOutBy`].
    pub wrong_time: [Span; 2],
}
