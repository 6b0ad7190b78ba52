//! Indexes that keep a pick cheap when there are 100,000 members: updated by news, never by
//! scanning.

mod cumulative;
mod least;
mod levels;
mod tournament;

pub use cumulative::Cumulative;
pub use least::Least;
pub use levels::Levels;
pub use tournament::Tournament;
