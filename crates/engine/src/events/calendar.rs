//! The set of future events: those of varying delay in order of time ([`Wheel`]), those of one
//! constant delay in line in a [`Lane`], of which only the head stands among the others.

use std::collections::VecDeque;

use super::pending::Entry;
use super::wheel::Wheel;
use crate::time::{Span, Time};

/// Future events, earliest first; equal times in the order in which they were scheduled.
#[derive(Debug)]
pub struct Calendar<E> {
    now: Time,
    scheduled: u64,
    pending: Wheel<What<E>>,
    lanes: Vec<Line<E>>,
}

/// A waiting line for events that all come after one constant delay: timeouts, constant network
/// delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u32);

#[derive(Debug)]
struct Line<E> {
    delay: Span,
    waiting: VecDeque<(Time, u64, E)>,
}

#[derive(Clone, Copy, Debug)]
enum What<E> {
    Event(E),
    /// The head of this lane.
    Lane(u32),
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Copy> Calendar<E> {
    /// An empty calendar at time zero.
    pub fn new() -> Calendar<E> {
        Calendar {
            now: Time::ZERO,
            scheduled: 0,
            pending: Wheel::new(),
            lanes: Vec::new(),
        }
    }

    /// The present.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Events scheduled so far: a measure of work done.
    pub fn scheduled(&self) -> u64 {
        self.scheduled
    }

    /// Events that wait for their time; of those in a lane only the first counts.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Schedules `event` at `time`, which must not lie in the past. [`Time::NEVER`] schedules
    /// nothing.
    #[inline]
    pub fn at(&mut self, time: Time, event: E) {
        debug_assert!(time >= self.now, "{time} lies before {}", self.now);
        if time == Time::NEVER {
            return;
        }
        let order = self.next_order();
        self.pending.place(Entry {
            time,
            order,
            thing: What::Event(event),
        });
    }

    /// Schedules `event` after `delay`.
    #[inline]
    pub fn after(&mut self, delay: Span, event: E) {
        self.at(self.now + delay, event);
    }

    /// Opens a waiting line for events that come after `delay`.
    pub fn lane(&mut self, delay: Span) -> Lane {
        self.lanes.push(Line {
            delay,
            waiting: VecDeque::new(),
        });
        Lane(self.lanes.len() as u32 - 1)
    }

    /// Schedules `event` after the delay of `lane`, and returns when that is.
    #[inline]
    pub fn after_lane(&mut self, lane: Lane, event: E) -> Time {
        let order = self.next_order();
        let line = &mut self.lanes[lane.0 as usize];
        let time = self.now + line.delay;
        line.waiting.push_back((time, order, event));
        if line.waiting.len() == 1 {
            self.pending.place(Entry {
                time,
                order,
                thing: What::Lane(lane.0),
            });
        }
        time
    }

    /// When the next event comes; [`Time::NEVER`] where there is none.
    #[inline]
    pub fn peek(&mut self) -> Time {
        self.pending.first_time()
    }

    /// Shows, where many events wait, those that come soon, and with `true` those that come next.
    #[inline]
    pub fn look_ahead(&mut self, mut show: impl FnMut(E, bool)) {
        self.pending.announce(|thing, next| {
            if let What::Event(event) = thing {
                show(*event, next);
            }
        });
    }

    /// Moves the clock to `time`, before which nothing may be due.
    #[inline]
    pub fn advance(&mut self, time: Time) {
        debug_assert!(time >= self.now && time <= self.peek());
        self.now = self.now.max(time);
    }

    /// Takes the next event and moves the clock to it. Behind the head of a lane, events that are
    /// not `live` are dropped.
    #[inline]
    pub fn pop(&mut self, live: impl Fn(E, Time) -> bool) -> Option<E> {
        let Entry { time, thing, .. } = self.pending.take()?;
        self.now = time;
        match thing {
            What::Event(event) => Some(event),
            What::Lane(lane) => {
                let waiting = &mut self.lanes[lane as usize].waiting;
                let head = waiting.pop_front().map(|(_, _, event)| event);
                while waiting
                    .front()
                    .is_some_and(|&(due, _, event)| !live(event, due))
                {
                    waiting.pop_front();
                }
                if let Some(&(time, order, _)) = waiting.front() {
                    self.pending.place(Entry {
                        time,
                        order,
                        thing: What::Lane(lane),
                    });
                }
                head
            }
        }
    }

    #[inline]
    fn next_order(&mut self) -> u64 {
        self.scheduled += 1;
        self.scheduled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(calendar: &mut Calendar<u32>) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| {
            let event = calendar.pop(|_, _| true)?;
            Some((calendar.now().nanos(), event))
        })
        .collect()
    }

    #[test]
    fn equal_times_keep_the_order_of_scheduling() {
        let mut calendar = Calendar::new();
        let lane = calendar.lane(Span::from_nanos(5));
        for event in 0..4 {
            calendar.at(Time::from_nanos(5), 2 * event);
            calendar.after_lane(lane, 2 * event + 1);
        }
        let order: Vec<u32> = drain(&mut calendar)
            .into_iter()
            .map(|(_, event)| event)
            .collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn never_is_not_scheduled() {
        let mut calendar = Calendar::new();
        calendar.at(Time::NEVER, 1);
        assert_eq!(calendar.peek(), Time::NEVER);
        assert_eq!(calendar.pop(|_, _| true), None);
    }

    #[test]
    fn stale_events_of_a_lane_are_dropped_behind_its_head() {
        let mut calendar = Calendar::new();
        let lane = calendar.lane(Span::from_nanos(10));
        for event in 0..5 {
            calendar.after_lane(lane, event);
        }
        assert_eq!(calendar.pop(|event, _| event == 3), Some(0));
        assert_eq!(calendar.pop(|event, _| event == 3), Some(3));
        assert_eq!(calendar.pop(|event, _| event == 3), None);
    }

    #[test]
    fn events_are_small() {
        #[derive(Clone, Copy)]
        enum Event {
            _A(u32),
            _B(u32),
        }
        assert_eq!(size_of::<Entry<What<Event>>>(), 24);
    }

    proptest! {
        /// Against a stable sort, with pops between the pushes, some into the hole and some not.
        #[test]
        fn pops_as_a_stable_sort_does(steps in prop::collection::vec((0u64..50, any::<bool>(), any::<bool>()), 0..200)) {
            let mut calendar = Calendar::new();
            let lane = calendar.lane(Span::from_nanos(20));
            let mut model: Vec<(u64, usize)> = Vec::new();
            for (i, &(delay, laned, pop)) in steps.iter().enumerate() {
                let due = if laned {
                    calendar.after_lane(lane, i).nanos()
                } else {
                    calendar.after(Span::from_nanos(delay), i);
                    calendar.now().nanos() + delay
                };
                model.push((due, i));
                if pop {
                    let (at, &first) = model.iter().enumerate().min_by_key(|&(_, &event)| event).unwrap();
                    model.remove(at);
                    prop_assert_eq!(calendar.pop(|_, _| true), Some(first.1));
                    prop_assert_eq!(calendar.now().nanos(), first.0);
                }
            }
            model.sort_unstable();
            for (due, i) in model {
                prop_assert_eq!(calendar.peek().nanos(), due);
                prop_assert_eq!(calendar.pop(|_, _| true), Some(i));
            }
        }
    }
}
