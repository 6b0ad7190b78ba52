//! Effects that hold at a server, and how slowdowns come and go: from one moment to another, or
//! little by little, in the course of time or with the requests served.
//!
//! A speed that changes evenly is simulated as one of 64 stretches of equal length, in each of
//! which it is what it would be on average: as much work is done as if it changed all the time.
//! Where it changes with fewer requests than that, each of them is a stretch.

use super::fault::{Effect, Fade};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::{Span, Time};

/// Stretches of a slowdown that comes or goes.
const STRETCHES: u32 = 64;

/// In place of the strike that brings an effect: the start of a server.
pub(super) const START: u32 = u32::MAX;

/// An effect that holds at a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) effect: Effect,
    /// The strike that brought it, or [`START`].
    pub(super) strike: u32,
    /// Its course, where it is a slowdown that comes or goes; `None` where it holds as a whole.
    course: Option<Course>,
}

/// The course of a slowdown that comes, or goes.
#[derive(Clone, Copy, Debug)]
struct Course {
    /// Whether it comes.
    comes: bool,
    /// Since when.
    since: Time,
    /// At which stretch that was: how many of them it had come, or still had to go.
    from: u32,
    /// Stretches since.
    passed: u32,
    /// Requests served since.
    served: u32,
}

impl Course {
    /// How far the slowdown has come when the stretch at hand began, or how far it still has to go:
    /// so many stretches.
    fn stretch(&self) -> u32 {
        if self.comes {
            self.from + self.passed
        } else {
            self.from - self.passed
        }
    }

    /// The part of the slowdown that there is on average in the stretch at hand.
    fn part(&self, goes: Fade) -> f64 {
        if let Fade::Requests(all) = goes
            && !self.comes
        {
            let (first, next) = (
                goes.first(self.passed, all),
                goes.first(self.passed + 1, all),
            );
            let middle = f64::from(first) + f64::from(next - 1 - first) / 2.0;
            return 1.0 - middle / f64::from(all);
        }
        let halves = if self.comes {
            2 * self.stretch() + 1
        } else {
            2 * self.stretch() - 1
        };
        f64::from(halves) / f64::from(2 * STRETCHES)
    }

    /// When the stretch at hand ends, where all of them take so long.
    fn ends(&self, all: Span) -> Time {
        let nanos = u128::from(all.nanos()) * u128::from(self.passed + 1) / u128::from(STRETCHES);
        self.since + Span::from_nanos(nanos as u64)
    }
}

impl Fade {
    /// How many stretches it has.
    fn stretches(self) -> u32 {
        match self {
            Fade::Requests(all) => all.min(STRETCHES),
            Fade::AtOnce | Fade::Over(_) => STRETCHES,
        }
    }

    /// The first of `all` requests, counted from 0, that falls into a stretch.
    fn first(self, stretch: u32, all: u32) -> u32 {
        (u64::from(stretch) * u64::from(all) / u64::from(self.stretches())) as u32
    }
}

impl Held {
    /// An effect that a strike brings now.
    pub(super) fn new(effect: Effect, strike: u32, now: Time) -> Held {
        let comes_slowly = matches!(effect, Effect::Slowdown { comes, .. } if !comes.is_zero());
        let course = comes_slowly.then_some(Course {
            comes: true,
            since: now,
            from: 0,
            passed: 0,
            served: 0,
        });
        Held {
            effect,
            strike,
            course,
        }
    }

    /// What was going comes again, from where it is.
    pub(super) fn come(&mut self, now: Time) {
        let Effect::Slowdown { comes, .. } = self.effect else {
            return;
        };
        self.course = match self.course {
            Some(course) if !comes.is_zero() => Some(Course {
                comes: true,
                since: now,
                from: course.stretch() - 1,
                passed: 0,
                served: 0,
            }),
            _ => None,
        };
    }

    /// The fault that brought it has ended: whether it goes little by little, and is not gone.
    pub(super) fn go(&mut self, now: Time) -> bool {
        let Effect::Slowdown { goes, .. } = self.effect else {
            return false;
        };
        let from = match &self.course {
            None => goes.stretches(),
            Some(course) => course.stretch() + 1,
        };
        self.course = Some(Course {
            comes: false,
            since: now,
            from,
            passed: 0,
            served: 0,
        });
        goes != Fade::AtOnce
    }

    /// When the stretch at hand ends, where it is a slowdown that comes or goes.
    fn due(&self) -> Time {
        let (Some(course), Effect::Slowdown { comes, goes, .. }) = (&self.course, self.effect)
        else {
            return Time::NEVER;
        };
        match goes {
            _ if course.comes => course.ends(comes),
            Fade::Over(all) => course.ends(all),
            Fade::AtOnce | Fade::Requests(_) => Time::NEVER,
        }
    }

    /// The server has served a request: whether a stretch has ended by that.
    pub(super) fn served(&mut self) -> bool {
        match (&mut self.course, self.effect) {
            (Some(course), Effect::Slowdown { goes, .. }) if !course.comes => {
                course.served += 1;
                matches!(goes, Fade::Requests(all) if course.served == goes.first(course.passed + 1, all))
            }
            _ => false,
        }
    }

    /// A stretch has ended. Whether there is anything left.
    pub(super) fn pass(&mut self) -> bool {
        let Some(course) = &mut self.course else {
            return true;
        };
        course.passed += 1;
        let (comes, stretch) = (course.comes, course.stretch());
        if comes && stretch == STRETCHES {
            self.course = None;
        }
        comes || stretch > 0
    }

    /// What the speed of the server is multiplied by.
    fn pace(&self) -> f64 {
        match (self.effect, &self.course) {
            (Effect::Slowdown { speed, .. }, None) => speed,
            (Effect::Slowdown { speed, goes, .. }, Some(course)) => {
                1.0 - (1.0 - speed) * course.part(goes)
            }
            _ => 1.0,
        }
    }
}

impl World<'_> {
    /// Another slowdown holds at a server, or another part of one. Slowdowns multiply.
    pub(super) fn change_pace(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let held = &self.effects[server as usize];
        let pace = held.iter().map(Held::pace).product();
        for due in held.iter().map(Held::due) {
            calendar.at(due, Event::Fade(server));
        }
        self.set_pace(server, pace, calendar);
    }

    /// At a server, a stretch of a slowdown has ended, or more than one: those that are due.
    pub(super) fn fade(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let mut changed = false;
        self.effects[server as usize].retain_mut(|held| {
            let is_due = held.due() == now;
            changed |= is_due;
            !is_due || held.pass()
        });
        if changed {
            self.change_pace(server, calendar);
        }
    }
}
