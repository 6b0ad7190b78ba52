//! Scenarios from what runs: a configuration, and an access log.
//!
//! | file | question it answers |
//! |---|---|
//! | [`arrivals`] | when do requests come? |
//! | [`popularity`] | who asks, and for what, how often? |
//! | [`fit`] | what can a server do, by its log? |
//! | [`observe`] | what does a log tell of the servers of a pool? |
//! | [`draft`] | what is the text of the scenario? |

pub mod arrivals;
pub mod draft;
pub mod fit;
pub mod observe;
pub mod popularity;
