//! How many measured requests are in the system, integrated over time: the left-hand side of Little's law.

use crate::time::{Span, Time};

/// Measured requests under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presence {
    count: u64,
    since: Time,
    /// Requests times nanoseconds.
    area: u128,
    /// Time that answers spend on the way from the balancer to the client, when the request has been counted out already.
    way_back: u128,
}

impl Presence {
    /// How many there are.
    #[inline]
    pub fn count(&self) -> u64 {
        self.count
    }

    #[inline]
    fn advance(&mut self, now: Time) {
        self.area += u128::from(self.count) * u128::from((now - self.since).nanos());
        self.since = now;
    }

    /// A request has come.
    #[inline]
    pub fn enter(&mut self, now: Time) {
        self.advance(now);
        self.count += 1;
    }

    /// A request has gone; its client hears so after `way_back`.
    #[inline]
    pub fn leave(&mut self, now: Time, way_back: Span) {
        self.advance(now);
        self.count -= 1;
        self.way_back += u128::from(way_back.nanos());
    }

    /// The time that all of them have spent in the system together, in nanoseconds, as their number over time has it.
    pub fn time(&self) -> u128 {
        self.area + self.way_back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_sum_of_stays() {
        let at = |nanos| Time::from_nanos(nanos);
        let mut presence = Presence::default();
        presence.enter(at(10));
        presence.enter(at(15));
        presence.leave(at(20), Span::ZERO);
        presence.leave(at(40), Span::from_nanos(3));
        assert_eq!((presence.count(), presence.time()), (0, 10 + 25 + 3));
    }
}
