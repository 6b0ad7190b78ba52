//! The engine: a calendar of future events and the loop that serves it. It knows nothing of load
//! balancing.
//!
//! Events happen in order of time; those of one time happen in the order in which they were
//! scheduled; an input (see [`Model::next_input`]) goes before scheduled events of its time. So a
//! request that arrives when a service ends finds the server still busy, and an answer is in time
//! only before its timeout: the timeout was scheduled first. Nothing else decides: no wall clock,
//! no addresses, no threads. Cancelling is forgetting: an event that no longer applies is dropped
//! when its turn comes.
//!
//! A whole M/M/1 queue at load 0.5, whose mean response time is 1/(μ−λ) = 2:
//!
//! ```
//! use std::collections::VecDeque;
//! use lbsim_engine::events::{Calendar, Model, run};
//! use lbsim_engine::rng::{Domain, Rng, Seeds, uniform_open};
//! use lbsim_engine::time::{Span, Time};
//!
//! #[derive(Clone, Copy)]
//! enum Event { Arrival, Departure }
//!
//! struct Queue { rng: Rng, line: VecDeque<Time>, served: u32, total: f64 }
//!
//! impl Queue {
//!     fn exponential(&mut self, rate: f64) -> Span {
//!         Span::from_seconds(-libm::log(uniform_open(&mut self.rng)) / rate)
//!     }
//! }
//!
//! impl Model for Queue {
//!     type Event = Event;
//!     fn handle(&mut self, event: Event, calendar: &mut Calendar<Event>) {
//!         match event {
//!             Event::Arrival => {
//!                 self.line.push_back(calendar.now());
//!                 calendar.after(self.exponential(0.5), Event::Arrival);
//!             }
//!             Event::Departure => {
//!                 let arrived = self.line.pop_front().expect("somebody was in service");
//!                 self.served += 1;
//!                 self.total += (calendar.now() - arrived).seconds();
//!             }
//!         }
//!         let begins = match event {
//!             Event::Arrival => self.line.len() == 1,
//!             Event::Departure => !self.line.is_empty(),
//!         };
//!         if begins {
//!             calendar.after(self.exponential(1.0), Event::Departure);
//!         }
//!     }
//! }
//!
//! let rng = Seeds::new(1, 0).stream(Domain::Arrivals, 0);
//! let mut queue = Queue { rng, line: VecDeque::new(), served: 0, total: 0.0 };
//! let mut calendar = Calendar::new();
//! calendar.at(Time::ZERO, Event::Arrival);
//! run(&mut queue, &mut calendar, Time::from_nanos(400_000_000_000_000));
//! let mean = queue.total / f64::from(queue.served);
//! assert!((mean - 2.0).abs() < 0.05, "{mean}");
//! ```

mod calendar;
mod pending;
mod row;
mod wheel;

pub use calendar::{Calendar, Lane};

use crate::time::Time;

/// What is simulated: how the world answers to its events.
pub trait Model {
    /// What can happen; small and `Copy`.
    type Event: Copy;

    /// Lets `event` happen at [`Calendar::now`].
    fn handle(&mut self, event: Self::Event, calendar: &mut Calendar<Self::Event>);

    /// Whether an event waiting in a [`Lane`] still applies. Stale ones are dropped in bulk,
    /// without passing through the calendar: most timeouts never happen.
    fn is_live(&self, _event: Self::Event, _due: Time) -> bool {
        true
    }

    /// When the next input comes: events that the model makes itself in order of time, such as
    /// arrivals, and which therefore need not be scheduled. [`Time::NEVER`] where there is none.
    fn next_input(&self) -> Time {
        Time::NEVER
    }

    /// Takes the next input, at [`Calendar::now`].
    fn input(&mut self, _calendar: &mut Calendar<Self::Event>) {}

    /// Hears, where many events are pending, of those that come soon, and of the one that comes
    /// next: a model may fetch from memory what these will need. Must not change anything.
    fn foresee(&self, _event: Self::Event, _next: bool) {}

    /// Whether the run may end before its time.
    fn is_done(&self) -> bool {
        false
    }
}

/// Lets everything happen that is due by `until`, in order, and returns the time reached.
pub fn run<M: Model>(model: &mut M, calendar: &mut Calendar<M::Event>, until: Time) -> Time {
    loop {
        if let Some(reached) = run_for(model, calendar, until, u64::MAX) {
            return reached;
        }
    }
}

/// As [`run`], for so many events and inputs at most; `None` where these did not do. Between two
/// such stretches its caller can look whether it should go on.
pub fn run_for<M: Model>(
    model: &mut M,
    calendar: &mut Calendar<M::Event>,
    until: Time,
    turns: u64,
) -> Option<Time> {
    for _ in 0..turns {
        if model.is_done() {
            return Some(calendar.now());
        }
        let input = model.next_input();
        let scheduled = calendar.peek();
        if input.min(scheduled) > until || input.min(scheduled) == Time::NEVER {
            calendar.advance(until);
            return Some(calendar.now());
        }
        calendar.look_ahead(|event, next| model.foresee(event, next));
        if input <= scheduled {
            calendar.advance(input);
            model.input(calendar);
        } else {
            if let Some(event) = calendar.pop(|event, due| model.is_live(event, due)) {
                model.handle(event, calendar);
            }
        }
    }
    None
}
