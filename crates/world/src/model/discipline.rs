//! In which order a server works: one list of disciplines. A discipline of the queue is a line
//! here, which says where in it a request goes; one that is no queue has a file of its own, as
//! `sharing.rs` is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The order in which a server works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Discipline {
    /// First come, first served.
    #[default]
    Fifo,
    /// Last come, first served; what is in service is finished.
    Lifo,
    /// All at once: with n requests and s slots, each gets s/n of a slot's speed, at most one
    /// slot's.
    ProcessorSharing,
}

/// Where those stand who find no free slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the end of the queue.
    AtTheEnd,
    /// At its head.
    AtTheHead,
    /// Nobody queues: all are worked on at once.
    Nowhere,
}

impl Discipline {
    /// Where those stand who find no free slot.
    pub fn standing(self) -> Standing {
        match self {
            Discipline::Fifo => Standing::AtTheEnd,
            Discipline::Lifo => Standing::AtTheHead,
            Discipline::ProcessorSharing => Standing::Nowhere,
        }
    }
}
