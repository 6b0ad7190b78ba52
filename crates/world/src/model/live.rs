//! One cell, lived: the ways to simulate it, and when it ends.

use super::blueprint::Blueprint;
use super::features::Features;
use super::plain::Plain;
use super::standstill::Standstill;
use super::{World, lindley};
use crate::observe::{Tally, Witness};
use lbsim_engine::events::{self, Calendar, Model};
use lbsim_engine::rng::Seeds;
use lbsim_engine::time::{Span, Time};

/// Lives one cell from time zero until all measured requests have ended, or as long again as the
/// run should last.
///
/// ```
/// # let text = r#"
/// # question = "?"
/// # expect = "!"
/// # [run]
/// # duration = "10s"
/// # compare = ["round-robin"]
/// # [[clients]]
/// # arrivals = { kind = "poisson", rate = "80/s" }
/// # [[services]]
/// # name = "web"
/// # [[services.servers]]
/// # service = { kind = "exponential", mean = "10ms" }
/// # "#;
/// # let file = lbsim::scenario::Scenario::from_text("web.toml", text).unwrap();
/// # let blueprint = &file.variants[0].blueprint;
/// use lbsim_world::model;
/// let tally = model::run(blueprint, 1, 0);
/// assert_eq!(tally.requests, tally.succeeded_count());
/// ```
///
/// # Panics
/// Where time stands still: [`run_watched`] says so instead.
pub fn run(plan: &Blueprint, seed: u64, replication: u32) -> Tally {
    run_watched(plan, seed, replication, None, &mut |_| true).unwrap_or_else(|why| panic!("{why}"))
}

/// As [`run`], with a witness that hears of each request.
///
/// # Panics
/// Where time stands still: [`run_watched`] says so instead.
pub fn run_witnessed(
    plan: &Blueprint,
    seed: u64,
    replication: u32,
    witness: &mut dyn Witness,
) -> Tally {
    run_watched(plan, seed, replication, Some(witness), &mut |_| true)
        .unwrap_or_else(|why| panic!("{why}"))
}

/// Why a cell was not lived to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Its watcher said so.
    #[error("interrupted")]
    Interrupted,
    /// Time does not move on.
    #[error(
        "at {} s of simulated time {events} events happened at one instant, and time does not move on: something begins again \
         as soon as it ends; give users of a closed loop time to think (`think`), and retries a pause (`backoff`)",
        at.seconds()
    )]
    StandsStill {
        /// When.
        at: Time,
        /// Events at this instant.
        events: u64,
    },
}

/// Slices of a run after which its watcher is called.
const SLICES: u64 = 64;

/// Events and inputs after which it is called at the latest: some hundredths of a second.
const TURNS: u64 = 1 << 18;

/// As [`run`], with a witness that hears of each request, where there is one, and calling `watch`
/// now and then with the number of requests simulated since the last call. Where it returns false,
/// the run is given up.
///
/// # Errors
/// Where it is given up, and where time stands still.
pub fn run_watched<'a>(
    plan: &'a Blueprint,
    seed: u64,
    replication: u32,
    witness: Option<&'a mut dyn Witness>,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Tally, Stopped> {
    let seeds = Seeds::new(seed, u64::from(replication));
    let way = match &witness {
        None => Way::quickest(&plan.features()),
        Some(_) => Way::World,
    };
    let mut told = 0;
    if way == Way::Lindley {
        let mut tell = |requests| {
            told += requests;
            watch(requests)
        };
        if let Some(tally) = lindley::live(plan, seeds, &mut tell)? {
            return Ok(tally);
        }
    }
    // Where all was simulated in vain, its watcher need not know.
    let mut watch = |requests: u64| {
        let known = requests.min(told);
        told -= known;
        watch(requests - known)
    };
    match way {
        Way::Lindley | Way::Plain => live_plain(plan, seeds, &mut watch),
        Way::World => live_whole(plan, seeds, witness, &mut watch),
    }
}

/// A way to simulate a cell. All that suit a world give the same tally, to the last bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From one arrival to the next, by Lindley's recursion: suits where a request's fate is sealed
    /// when it comes ([`Features::is_foregone`]).
    Lindley,
    /// With a calendar, and nothing that can go wrong: suits plain systems
    /// ([`Features::is_plain`]).
    Plain,
    /// All there is.
    World,
}

impl Way {
    /// The quickest that suits.
    pub fn quickest(features: &Features) -> Way {
        [Way::Lindley, Way::Plain]
            .into_iter()
            .find(|way| way.suits(features))
            .unwrap_or(Way::World)
    }

    /// Whether it suits a world that asks for this.
    pub fn suits(self, features: &Features) -> bool {
        match self {
            Way::Lindley => features.is_foregone(),
            Way::Plain => features.is_plain(),
            Way::World => true,
        }
    }
}

/// As [`run`], this way: for holding one against the other. `None` where the way does not suit, or
/// where Lindley's recursion does not tell how the run ends.
///
/// # Panics
/// Where time stands still: [`run_watched`] says so instead.
pub fn run_this_way(way: Way, plan: &Blueprint, seed: u64, replication: u32) -> Option<Tally> {
    if !way.suits(&plan.features()) {
        return None;
    }
    let seeds = Seeds::new(seed, u64::from(replication));
    let watch = &mut |_| true;
    let tally = match way {
        Way::Lindley => lindley::live(plan, seeds, watch),
        Way::Plain => live_plain(plan, seeds, watch).map(Some),
        Way::World => live_whole(plan, seeds, None, watch).map(Some),
    };
    tally.unwrap_or_else(|why| panic!("{why}"))
}

fn live_plain(
    plan: &Blueprint,
    seeds: Seeds,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Tally, Stopped> {
    let mut calendar = Calendar::new();
    let system = Plain::new(plan, seeds, &mut calendar);
    live_in(system, calendar, plan, watch)
}

fn live_whole<'a>(
    plan: &'a Blueprint,
    seeds: Seeds,
    witness: Option<&'a mut dyn Witness>,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Tally, Stopped> {
    let mut calendar = Calendar::new();
    let world = World::new(plan, seeds, witness, &mut calendar);
    live_in(world, calendar, plan, watch)
}

/// When a run is cut off that has not ended.
pub(super) fn cutoff(plan: &Blueprint) -> Time {
    plan.end + (plan.end - Time::ZERO)
}

/// What is lived once: the whole world, or a plain system.
pub(super) trait Cell: Model {
    /// Requests that have come so far.
    fn simulated(&self) -> u64;

    /// Requests under way, or as many as there have been at once.
    fn present(&self) -> usize;

    /// Counts the work still under way at the time reached, and hands over what was measured.
    fn close(self, reached: Time) -> Tally;
}

fn live_in<C: Cell>(
    mut cell: C,
    mut calendar: Calendar<C::Event>,
    plan: &Blueprint,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Tally, Stopped> {
    let slice = Span::from_nanos(plan.end.nanos().div_ceil(SLICES));
    let cutoff = cutoff(plan);
    let (mut until, mut reached, mut told) = (Time::ZERO, Time::ZERO, 0);
    let mut still = Standstill::new();
    while !cell.is_done() && until < cutoff {
        let next = (until + slice).min(cutoff);
        match events::run_for(&mut cell, &mut calendar, next, TURNS) {
            Some(time) => (until, reached) = (next, time),
            None => {
                let (at, present) = (calendar.now(), cell.present() + calendar.pending());
                reached = at;
                if let Some(events) = still.look(at, calendar.scheduled(), present as u64) {
                    return Err(Stopped::StandsStill { at, events });
                }
            }
        }
        if !watch(cell.simulated() - told) {
            return Err(Stopped::Interrupted);
        }
        told = cell.simulated();
    }
    Ok(cell.close(reached))
}
