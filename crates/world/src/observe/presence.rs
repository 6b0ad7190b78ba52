//! How many measured requests are in the system, integrated over time: the left-hand side of
//! Little's law.

use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};

/// Measured requests under way.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Presence {
    count: u64,
    since: Time,
    /// Requests times nanoseconds, and the time that answers spend on the way from the balancer to
    /// the client, when the request has been counted out already. It may overflow and wrap: two
    /// numbers that are equal are so without their top.
    time: u64,
}

impl Presence {
    /// Where nobody was counted in and out one by one: at the time of the last coming or going
    /// there were `count`, and the times of coming and of going so far add up to these nanoseconds,
    /// modulo 2 to the 64.
    pub(crate) fn in_the_end(count: u64, since: Time, came: u64, went: u64) -> Presence {
        let there = count.wrapping_mul(since.nanos());
        Presence {
            count,
            since,
            time: went.wrapping_add(there).wrapping_sub(came),
        }
    }

    /// How many there are.
    #[inline]
    pub fn count(&self) -> u64 {
        self.count
    }

    #[inline]
    fn advance(&mut self, now: Time) {
        let passed = self.count.wrapping_mul((now - self.since).nanos());
        self.time = self.time.wrapping_add(passed);
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
        self.time = self.time.wrapping_add(way_back.nanos());
    }

    /// The time that all of them have spent in the system together, in nanoseconds modulo 2 to
    /// the 64, as their number over time has it.
    pub fn time(&self) -> u64 {
        self.time
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

    #[test]
    fn sums_of_times_tell_the_same() {
        let at = |nanos| Time::from_nanos(nanos);
        let mut presence = Presence::default();
        presence.enter(at(10));
        presence.enter(at(15));
        presence.leave(at(20), Span::ZERO);
        presence.enter(at(25));
        let told = Presence::in_the_end(2, at(25), 10 + 15 + 25, 20);
        assert_eq!(
            (told.count, told.since, told.time),
            (presence.count, presence.since, presence.time)
        );
    }
}
