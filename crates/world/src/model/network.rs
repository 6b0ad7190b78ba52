//! One-way network delays.

use lbsim_engine::distribution::Sampler;
use lbsim_engine::events::{Calendar, Lane};
use lbsim_engine::rng::Luck;
use lbsim_engine::time::Span;

/// How long a message takes on one leg.
#[derive(Clone, Debug)]
pub enum Delay {
    /// No time: no event either.
    None,
    /// Always the same.
    Constant(Span),
    /// Drawn for each request and leg, in seconds.
    Drawn(Sampler),
}

impl Delay {
    /// The delay that a distribution of seconds stands for.
    pub fn new(sampler: Sampler) -> Delay {
        if sampler.variance() > 0.0 {
            return Delay::Drawn(sampler);
        }
        match Span::from_seconds(sampler.mean()) {
            Span::ZERO => Delay::None,
            constant => Delay::Constant(constant),
        }
    }

    /// The delay of a message with this luck.
    #[inline]
    pub fn draw(&self, mut luck: Luck) -> Span {
        match self {
            Delay::None => Span::ZERO,
            Delay::Constant(span) => *span,
            Delay::Drawn(sampler) => Span::from_seconds(sampler.sample(&mut luck)),
        }
    }

    /// Mean delay in seconds.
    pub fn mean(&self) -> f64 {
        match self {
            Delay::None => 0.0,
            Delay::Constant(span) => span.seconds(),
            Delay::Drawn(sampler) => sampler.mean(),
        }
    }
}

/// A place where things stand: a zone, by its number.
pub type Zone = u16;

/// Where that stands of which nobody says it.
pub const NOWHERE: Zone = Zone::MAX;

/// How long messages take from zone to zone, where the scenario says it.
#[derive(Clone, Debug, Default)]
pub struct Distances {
    /// By the zone that a message comes from, and then by that to which it goes.
    between: Vec<Vec<Option<Delay>>>,
}

impl Distances {
    /// So many zones, and no ways between them.
    pub fn new(zones: usize) -> Distances {
        Distances {
            between: vec![vec![None; zones]; zones],
        }
    }

    /// Says how long a message takes from one zone to another.
    pub fn set(&mut self, from: Zone, to: Zone, takes: Delay) {
        self.between[usize::from(from)][usize::from(to)] = Some(takes);
    }

    /// How long a message takes from one zone to another, where that is said.
    #[inline]
    pub fn between(&self, from: Zone, to: Zone) -> Option<&Delay> {
        self.between
            .get(usize::from(from))?
            .get(usize::from(to))?
            .as_ref()
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.between.is_empty()
    }

    /// All that is said.
    pub fn all(&self) -> impl Iterator<Item = &Delay> {
        self.between.iter().flatten().flatten()
    }
}

/// A leg in a running world: constant delays wait in a lane of the calendar.
#[derive(Clone, Debug)]
pub struct Leg {
    delay: Delay,
    lane: Option<Lane>,
}

impl Leg {
    /// A leg of this delay.
    pub fn new<E: Copy>(delay: Delay, calendar: &mut Calendar<E>) -> Leg {
        let lane = match delay {
            Delay::Constant(span) => Some(calendar.lane(span)),
            _ => None,
        };
        Leg { delay, lane }
    }

    /// How long messages take.
    pub fn delay(&self) -> &Delay {
        &self.delay
    }

    /// Whether messages take no time.
    #[inline]
    pub fn is_instant(&self) -> bool {
        matches!(self.delay, Delay::None)
    }

    /// Lets `event` happen when the message has come through, so much later than usual.
    #[inline]
    pub fn send<E: Copy>(&self, luck: Luck, later: Span, event: E, calendar: &mut Calendar<E>) {
        match self.lane {
            Some(lane) if later.is_zero() => {
                calendar.after_lane(lane, event);
            }
            _ => calendar.after(self.delay.draw(luck) + later, event),
        }
    }
}
