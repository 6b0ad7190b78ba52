//! Time that stands still. A cell in which things happen again and again at one instant (users
//! without think time who ask a server that refuses them at once) would never end. What can be
//! known beforehand is refused by the check of a scenario; here is what stops the rest.

use lbsim_engine::time::Time;

/// So many events at one instant are no sign of anything, however little there is in the system.
const FREE: u64 = 1_000_000;

/// More events at one instant than this for each thing in the system, and time does not move on: an
/// attempt makes a handful, and a request has at most 101 attempts.
const EACH: u64 = 1_000;

/// Watches whether time moves on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standstill {
    at: Time,
    /// Events scheduled before this instant was first seen.
    before: u64,
    /// The most things that have been in the system at this instant.
    most: u64,
}

impl Standstill {
    /// At the beginning of time.
    pub(super) fn new() -> Standstill {
        Standstill {
            at: Time::ZERO,
            before: 0,
            most: 0,
        }
    }

    /// Looks at a system in which it is `now`, so many events have been `scheduled`, and so many
    /// things (requests, events) are `present`. How many events there have been at this instant,
    /// where they are too many.
    pub(super) fn look(&mut self, now: Time, scheduled: u64, present: u64) -> Option<u64> {
        if now > self.at {
            *self = Standstill {
                at: now,
                before: scheduled,
                most: 0,
            };
        }
        self.most = self.most.max(present);
        let events = scheduled - self.before;
        (events > FREE + EACH * self.most).then_some(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_events_at_one_instant_are_too_many_for_few_requests() {
        let mut watched = Standstill::new();
        let at = Time::from_nanos(7);
        assert_eq!(watched.look(at, 500, 10), None);
        assert_eq!(watched.look(at, 500 + FREE + 10 * EACH, 3), None);
        assert_eq!(
            watched.look(at, 501 + FREE + 10 * EACH, 3),
            Some(FREE + 10 * EACH + 1)
        );
        // Where time moves on, all begins anew.
        assert_eq!(watched.look(Time::from_nanos(8), 1 << 40, 3), None);
    }
}
