//! What every strategy promises, whatever happens around it: a bench on which any rule can be
//! tried, and the promises as functions. Those of the list are held to them, and a rule from
//! outside can be held to them by its own tests:
//!
//! ```
//! use lbsim_strategies::strategy::{StrategyConfig, contract};
//!
//! let text = r#"{ "kind": "power-of-d", "d": 3 }"#;
//! let strategy: StrategyConfig = serde_json::from_str(text).unwrap();
//! contract::check(&strategy).unwrap();
//! ```
//!
//! What a rule does in one situation is seen on a [`Bench`]:
//!
//! ```
//! use lbsim_strategies::strategy::contract::Bench;
//!
//! let mut bench = Bench::new("least-connections", &[1, 1]);
//! bench.send(0);
//! assert_eq!(bench.pick(0), 1);
//! ```

mod bench;
mod promises;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::StrategyConfig;
use lbsim_engine::rng::{Domain, Seeds, below};

pub use bench::Bench;

/// What a strategy promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Whatever happens, each pick is a candidate, and nothing panics.
    PicksCandidates,
    /// The same seed and the same news give the same picks.
    Repeats,
    /// It is told what it reads: nothing that it does not declare to read changes its picks.
    DeclaresWhatItReads,
    /// That a request has been tried on a member is no news: after such picks the rule goes on as
    /// if it had not been asked. A rule to which its own pick is news, as a round is, cannot keep
    /// this one; all others do.
    ForgetsNobody,
    /// Whom it leaves out for how they answer changes only with its count of such changes, and is
    /// nobody at first, and always where it does not say that it may leave out somebody.
    CountsItsChangesOfMind,
}

impl Promise {
    /// All of them.
    pub const ALL: [Promise; 5] = [
        Promise::PicksCandidates,
        Promise::Repeats,
        Promise::DeclaresWhatItReads,
        Promise::ForgetsNobody,
        Promise::CountsItsChangesOfMind,
    ];

    /// Sees whether a strategy keeps this promise, over pools and lives drawn with a fixed seed.
    ///
    /// # Errors
    /// What was found instead.
    pub fn check(self, strategy: &StrategyConfig) -> Result<(), Broken> {
        let kept =
            || -> Result<(), String> {
                match self {
                    Promise::PicksCandidates => Life::several()
                        .try_for_each(|life| promises::picks_candidates(strategy, &life)),
                    Promise::Repeats => promises::repeats(strategy),
                    Promise::DeclaresWhatItReads => promises::declares_what_it_reads(strategy),
                    Promise::ForgetsNobody => Life::several()
                        .try_for_each(|life| promises::forgets_nobody(strategy, &life)),
                    Promise::CountsItsChangesOfMind => Life::several()
                        .try_for_each(|life| promises::counts_its_changes_of_mind(strategy, &life)),
                }
            };
        let settings = strategy
            .check()
            .map_err(|bad| format!("`{}` {}: it cannot be tried", bad.setting, bad.message));
        let found = settings.and_then(|()| {
            catch_unwind(AssertUnwindSafe(kept))
                .unwrap_or_else(|panic| Err(format!("it panicked: {}", words_of(&*panic))))
        });
        found.map_err(|found| Broken {
            strategy: strategy.label(),
            promise: self,
            found,
        })
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Promise::PicksCandidates => "each pick is one of the candidates",
            Promise::Repeats => "the same seed gives the same picks",
            Promise::DeclaresWhatItReads => "what it reads it declares to read",
            Promise::ForgetsNobody => "to have been tried is no news",
            Promise::CountsItsChangesOfMind => "whom it leaves out changes as it says",
        })
    }
}

/// A promise that is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The strategy, as it is called in tables.
    pub strategy: String,
    /// The promise.
    pub promise: Promise,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broken {
            strategy,
            promise,
            found,
        } = self;
        write!(f, "{strategy}: \"{promise}\" does not hold: {found}")
    }
}

impl std::error::Error for Broken {}

/// Sees whether a strategy keeps all promises.
///
/// # Errors
/// The first that it does not keep.
pub fn check(strategy: &StrategyConfig) -> Result<(), Broken> {
    Promise::ALL
        .iter()
        .try_for_each(|promise| promise.check(strategy))
}

/// Lives that a promise is tried in.
const LIVES: u64 = 64;

/// What a strategy lives through: a pool, and what happens to it.
#[derive(Clone, Debug)]
struct Life {
    /// The members' weights.
    weights: Vec<u32>,
    /// What happens, one after the other: what kind of thing, and a word that says the rest.
    steps: Vec<(u8, u32)>,
    /// Members on whom requests have been tried at the end.
    tried: Vec<u32>,
}

impl Life {
    /// The same few in each call.
    fn several() -> impl Iterator<Item = Life> {
        (0..LIVES).map(|number| {
            let mut rng = Seeds::new(12, 0).stream(Domain::Agent, number);
            let mut draw = |most: usize| below(&mut rng, most) as u32;
            let (members, steps, tried) = (2 + draw(30), draw(400), 1 + draw(3));
            Life {
                weights: (0..members).map(|_| 1 + draw(19)).collect(),
                steps: (0..steps).map(|_| (draw(9) as u8, draw(1 << 31))).collect(),
                tried: (0..tried).map(|_| draw(members as usize)).collect(),
            }
        })
    }
}

/// What a panic said.
fn words_of(panic: &(dyn Any + Send)) -> &str {
    let words = panic.downcast_ref::<&str>().copied();
    words
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no words")
}
