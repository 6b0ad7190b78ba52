//! In which order a server works, and whom it drops: one list of disciplines. One that keeps a
//! queue in an order of its own has a file with its settings and a `Queue`; first and last come,
//! first served are so common that the server keeps them itself, and one that is no queue at all is
//! `sharing.rs`.

mod adaptive_lifo;
mod codel;
mod line;
mod priority;
mod shortest_first;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Refuse;

pub use adaptive_lifo::AdaptiveLifo;
pub use codel::Codel;
pub use priority::Priority;
pub use shortest_first::ShortestFirst;

/// Where those stand who find no free slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the end of the queue.
    AtTheEnd,
    /// At its head.
    AtTheHead,
    /// Nobody queues: all are worked on at once.
    Nowhere,
    /// Where the discipline puts them.
    InItsOwnQueue,
}

/// Someone who waits for a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waiting {
    /// Which attempt.
    pub(super) id: u32,
    /// Since when.
    pub(super) since: Time,
    /// How long it takes at the server's configured speed.
    pub(super) work: Span,
    /// Its class: those of 0 come first.
    pub(super) priority: u8,
}

/// Who waits at a server whose discipline keeps them in an order of its own.
pub(super) trait Queue: std::fmt::Debug {
    /// Someone comes and waits.
    fn join(&mut self, one: Waiting, now: Time);

    /// Who goes next, and is taken out; those who are dropped on the way are taken out too, and
    /// added to `dropped`.
    fn next(&mut self, now: Time, dropped: &mut Vec<u32>) -> Option<u32>;

    /// Someone leaves before its turn.
    fn leave(&mut self, id: u32);

    /// The queue is full, and someone comes: whether another, who is taken out, makes room.
    fn make_room(&mut self, _for_whom: &Waiting) -> Option<u32> {
        None
    }
}

/// A discipline with settings.
trait QueueOrder {
    /// An empty queue in its order.
    fn queue(&self) -> Box<dyn Queue>;

    /// Whether it drops who waits though the queue has room.
    fn drops(&self) -> bool {
        false
    }

    /// Says which settings may not be so.
    fn check(&self, _refuse: &mut Refuse<'_>) {}
}

/// Makes the enum of disciplines from the list.
macro_rules! disciplines {
    (
        { $($(#[$doc:meta])* $known:ident at $standing:ident,)* }
        queues { $($(#[$own_doc:meta])* $own:ident,)* }
    ) => {
        /// The order in which a server works, and whom it drops.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Discipline {
            $($(#[$doc])* $known,)*
            $($(#[$own_doc])* $own($own),)*
        }

        impl Discipline {
            /// Where those stand who find no free slot.
            pub fn standing(self) -> Standing {
                match self {
                    $(Discipline::$known => Standing::$standing,)*
                    $(Discipline::$own(_) => Standing::InItsOwnQueue,)*
                }
            }

            /// Whether requests that find no free slot may be dropped though the queue has room.
            pub fn drops(self) -> bool {
                match self {
                    $(Discipline::$known => false,)*
                    $(Discipline::$own(order) => order.drops(),)*
                }
            }

            /// Says which settings may not be so, each with its key.
            pub fn check(self, refuse: &mut Refuse<'_>) {
                match self {
                    $(Discipline::$known => {})*
                    $(Discipline::$own(order) => order.check(refuse),)*
                }
            }

            /// An empty queue, where the discipline keeps one of its own.
            pub(super) fn queue(self) -> Option<Box<dyn Queue>> {
                match self {
                    $(Discipline::$known => None,)*
                    $(Discipline::$own(order) => Some(order.queue()),)*
                }
            }
        }
    };
}

disciplines! {
    {
    /// First come, first served.
    #[default]
    Fifo at AtTheEnd,
    /// Last come, first served; what is in service is finished.
    Lifo at AtTheHead,
    /// All at once: with n requests and s slots, each gets s/n of a slot's speed, at most one
    /// slot's.
    ProcessorSharing at Nowhere,
    }
    queues {
    /// First come, first served, and who has waited too long for too long is dropped: controlled
    /// delay, as RFC 8289.
    Codel,
    /// First come, first served, until the queue has not been empty for some time; then the last
    /// who came is served first, for it may still be waited for (Maurer, "Fail at scale", ACM Queue
    /// 13(8), 2015).
    AdaptiveLifo,
    /// Those of a lower `priority` of their clients first, each class first come, first served;
    /// what is in service is finished. Where the queue is full, the last of the highest number
    /// makes room for whoever is of a lower one.
    Priority,
    /// Who takes the shortest time first, as if the server knew; what is in service is finished.
    ShortestFirst,
    }
}
