//! When a fault holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::distribution::{Dist, Sampler};
use lbsim_engine::rng::{Rng, uniform_open};
use lbsim_engine::time::{Span, Time};

use super::Refuse;

/// How a fault comes again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Again {
    /// How long all is well: from `at` to the first time, and from the end of one to the next (with
    /// an exponential distribution its mean is the time between failures).
    pub after: Dist<Span>,
    /// How long it lasts each time, in place of `lasts` (the time to repair).
    #[serde(default)]
    pub lasts: Option<Dist<Span>>,
    /// Whether it strikes all at the same times, and not each on its own: as where they share a
    /// rack, a disk or a release.
    #[serde(default)]
    pub together: bool,
}

impl Again {
    /// Says which settings may not be so, where the fault lasts so long.
    pub(super) fn check(&self, lasts: Option<Span>, refuse: &mut Refuse<'_>) {
        let least = Span::from_nanos(1000).seconds();
        let drawn = [
            ("again.after", Some(&self.after)),
            ("again.lasts", self.lasts.as_ref()),
        ];
        for (key, dist) in drawn {
            match dist.map(Dist::sampler) {
                Some(Err(error)) => refuse(&format!("{key}.{}", error.field), &error.to_string()),
                Some(Ok(sampler)) if sampler.mean() < least => {
                    refuse(key, "its mean must be at least 1us");
                }
                _ => {}
            }
        }
        match (lasts, &self.lasts) {
            (None, None) => refuse(
                "again",
                "a fault that comes again must end: give `lasts`, or `lasts` of `again`",
            ),
            (Some(_), Some(_)) => refuse(
                "again.lasts",
                "how long it lasts is said twice; leave out this or `lasts`",
            ),
            _ => {}
        }
    }
}

/// How long something is so.
#[derive(Clone, Debug)]
pub enum Length {
    /// Always as long.
    Constant(Span),
    /// Drawn from an exponential distribution of this mean in seconds, by inversion.
    Exponential(f64),
    /// Drawn, in seconds.
    Drawn(Box<Sampler>),
}

impl Length {
    /// Nothing is shorter: time goes on between one time and the next.
    const LEAST: Span = Span::from_nanos(1);

    fn of(sampler: Sampler) -> Length {
        if sampler.variance() > 0.0 {
            Length::Drawn(Box::new(sampler))
        } else {
            Length::Constant(Span::from_seconds(sampler.mean()))
        }
    }

    /// How long this time.
    pub fn draw(&self, rng: &mut Rng) -> Span {
        let span = match self {
            Length::Constant(span) => *span,
            Length::Exponential(mean) => Span::from_seconds(-libm::log(uniform_open(rng)) * mean),
            Length::Drawn(sampler) => Span::from_seconds(sampler.sample(rng)),
        };
        span.max(Length::LEAST)
    }

    /// How long on average, in seconds.
    pub fn mean(&self) -> f64 {
        match self {
            Length::Constant(span) => span.seconds(),
            Length::Exponential(mean) => *mean,
            Length::Drawn(sampler) => sampler.mean(),
        }
    }

    /// Whether it differs from time to time.
    pub fn is_random(&self) -> bool {
        !matches!(self, Length::Constant(_))
    }
}

/// When a fault holds.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// From one time to another, which may be [`Time::NEVER`].
    Once(Time, Time),
    /// Again and again.
    Again {
        /// From when on it may come.
        from: Time,
        /// How long all is well before each time.
        well: Length,
        /// How long it holds each time.
        ill: Length,
        /// Whether all are struck at the same times, and not each on its own.
        together: bool,
    },
    /// For each of its servers in a turn of a rolling restart that takes no longer than it must.
    Turn(Turn),
}

/// A part of a turn of a rolling restart whose servers go down as soon as they have nothing left.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Which turn it belongs to, counted from 0.
    pub number: u32,
    /// When it begins where nobody had anything left in this turn and in those before.
    pub earliest: Time,
    /// What happens.
    pub stage: Stage,
}

/// What happens to a server in its turn, in this order.
#[derive(Clone, Copy, Debug)]
pub enum Stage {
    /// It is drained, until it is back; so long at most before it goes down.
    Drain(Span),
    /// It is down.
    Down {
        /// For how long.
        lasts: Span,
        /// When all of the turn are back, the next begins after so long ...
        pause: Span,
        /// ... if that is before this.
        before: Time,
    },
    /// It has what is released, until this is taken back.
    Released(Time),
}

impl Schedule {
    /// From `at` on, for as long as it lasts or to the end of time, or again and again.
    pub(super) fn planned(at: Span, lasts: Option<Span>, again: Option<&Again>) -> Schedule {
        let from = Time::ZERO + at;
        // What is no distribution has been refused.
        let drawn = |dist: &Dist<Span>| dist.sampler().ok().map(Length::of);
        match again {
            None => Schedule::Once(from, lasts.map_or(Time::NEVER, |lasts| from + lasts)),
            Some(again) => Schedule::Again {
                from,
                well: drawn(&again.after).unwrap_or(Length::Constant(Span::FOREVER)),
                ill: (again.lasts.as_ref().and_then(drawn))
                    .unwrap_or(Length::Constant(lasts.unwrap_or(Span::FOREVER))),
                together: again.together,
            },
        }
    }

    /// Again and again for each on its own, with exponential times of these means.
    pub(super) fn exponential(well: Span, ill: Span) -> Schedule {
        Schedule::Again {
            from: Time::ZERO,
            well: Length::Exponential(well.seconds()),
            ill: Length::Exponential(ill.seconds()),
            together: false,
        }
    }

    /// The earliest time at which it can begin.
    pub fn begins(&self) -> Time {
        match self {
            Schedule::Once(begins, _) => *begins,
            Schedule::Turn(turn) => turn.earliest,
            Schedule::Again { from, well, .. } => match well {
                Length::Constant(well) => *from + *well,
                _ => *from,
            },
        }
    }

    /// When it begins and ends, each time that it begins before `end`, as far as that is known
    /// beforehand: none where the times are drawn, and a thousand at most.
    pub fn known_times(&self, end: Time) -> Vec<(Time, Time)> {
        match self {
            Schedule::Once(begins, ends) => vec![(*begins, *ends)],
            Schedule::Again {
                from,
                well: Length::Constant(well),
                ill: Length::Constant(ill),
                ..
            } => {
                let well = (*well).max(Length::LEAST);
                let first = (*from + well, *from + well + *ill);
                std::iter::successors(Some(first), |(_, ends)| {
                    Some((*ends + well, *ends + well + *ill))
                })
                .take_while(|(begins, _)| *begins < end)
                .take(1000)
                .collect()
            }
            Schedule::Again { .. } => Vec::new(),
            // Of all turns the first alone begins at a time that does not depend on the others.
            Schedule::Turn(Turn {
                number: 0,
                earliest,
                stage: Stage::Drain(at_most),
            }) => vec![(*earliest, *earliest + *at_most)],
            Schedule::Turn(_) => Vec::new(),
        }
    }

    /// Whether its times are drawn.
    pub fn is_random(&self) -> bool {
        match self {
            Schedule::Once(..) | Schedule::Turn(_) => false,
            Schedule::Again { well, ill, .. } => well.is_random() || ill.is_random(),
        }
    }
}
