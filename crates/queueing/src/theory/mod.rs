//! Closed forms of queueing theory, the yardstick of the simulator: used by its tests and by `lbsim
//! check`.
//!
//! | file | model |
//! |---|---|
//! | [`mm1`] | one server, one request at a time |
//! | [`mmk`] | one queue before several slots; Erlang B and C |
//! | [`finite`] | a bounded queue: M/M/k/K |
//! | [`mg1`] | any service time, first come first served: Pollaczek-Khinchine |
//! | [`ps`] | any service time, processor sharing |
//! | [`mdk`] | constant service times |
//! | [`gim1`] | independent gaps between arrivals; round robin |
//! | [`batch`] | requests that come in batches |
//! | [`split`] | random routing; the best weights for unlike servers |
//! | [`power_of_d`] | the least loaded of d, over many servers |
//! | [`closed_loop`] | users who wait for the answer, then think |
//! | [`abandonment`] | users who give up waiting |
//! | [`priority`] | classes served in order |
//! | [`hedging`], [`fan_out`] | copies of a request; requests to many servers |
//! | [`availability`], [`health`], [`retries`], [`sessions`] | failure, its detection and cost |
//! | [`hashing`] | keys moved, shares of a ring |
//! | [`changing`] | load or capacity that follows the clock |
//!
//! Rates are per second and times in seconds, all `f64`. "Response" is waiting plus service, "wait"
//! the queue alone; service is first come, first served unless said.
//!
//! No function panics or returns NaN for finite parameters that make sense. A queue that cannot
//! keep up (or whose parameters are negative or not numbers) has an infinite mean response and
//! infinite quantiles, and a request waits there with probability 1.

mod birth_death;
mod numeric;

pub mod abandonment;
pub mod availability;
pub mod batch;
pub mod changing;
pub mod closed_loop;
pub mod fan_out;
pub mod finite;
pub mod gim1;
pub mod hashing;
pub mod health;
pub mod hedging;
pub mod mdk;
pub mod mg1;
pub mod mm1;
pub mod mmk;
pub mod power_of_d;
pub mod priority;
pub mod ps;
pub mod retries;
pub mod sessions;
pub mod split;

#[cfg(test)]
mod reference;

pub use abandonment::ErlangA;
pub use batch::BatchArrivals;
pub use closed_loop::{ClosedLoop, mva};
pub use finite::Finite;
pub use gim1::Gim1;
pub use health::HealthCheck;
pub use mdk::Mdk;
pub use mg1::Mg1;
pub use mm1::Mm1;
pub use mmk::{Mmk, erlang_b, erlang_c};
pub use power_of_d::PowerOfD;
pub use ps::Ps;
