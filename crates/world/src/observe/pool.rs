//! How many servers were in the pools over time, and what they were there for: where autoscalers
//! order and remove them.

use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};

/// Servers in the pools of all services, over time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PoolCount {
    from: Time,
    to: Time,
    stretch: Span,
    count: u32,
    since: Time,
    /// Server-nanoseconds by stretch, warm-up included.
    over_time: Vec<u64>,
    /// Server-nanoseconds in the measured window.
    there: u64,
    /// The most at once in the measured window.
    pub most: u32,
    /// Times in the measured window that servers were ordered.
    pub outs: u64,
    /// Times in the measured window that servers were removed.
    pub ins: u64,
    /// By server, for how many nanoseconds of the measured window it cost what it costs: from its
    /// order on, until it had left and finished what it had.
    pub paid: Vec<u64>,
}

impl PoolCount {
    /// For so many servers, `count` of them there from the start; `stretches` of equal length
    /// divide the time from zero to `to`.
    pub fn new((from, to): (Time, Time), stretches: usize, (servers, count): (usize, u32)) -> Self {
        PoolCount {
            from,
            to,
            stretch: Span::from_nanos(to.nanos().div_ceil(stretches as u64)),
            count,
            since: Time::ZERO,
            over_time: vec![0; stretches],
            there: 0,
            most: 0,
            outs: 0,
            ins: 0,
            paid: vec![0; servers],
        }
    }

    /// How much of the time from `since` to `until` lies in the measured window, in nanoseconds.
    fn inside(&self, since: Time, until: Time) -> u64 {
        until.min(self.to).since(since.max(self.from)).nanos()
    }

    /// Counts up to `now`.
    pub fn settle(&mut self, now: Time) {
        let (since, count) = (self.since, u64::from(self.count));
        self.since = now;
        let inside = self.inside(since, now);
        self.there += inside * count;
        if inside > 0 {
            self.most = self.most.max(self.count);
        }
        let first = (since.nanos() / self.stretch.nanos()) as usize;
        for (at, sum) in self.over_time.iter_mut().enumerate().skip(first) {
            let begins = Time::from_nanos(at as u64 * self.stretch.nanos());
            let ends = begins + self.stretch;
            *sum += now.min(ends).since(since.max(begins)).nanos() * count;
            if now <= ends {
                break;
            }
        }
    }

    /// A server takes requests from now on, or no more.
    pub fn change(&mut self, joins: bool, now: Time) {
        self.settle(now);
        if joins {
            self.count += 1;
        } else {
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Servers are ordered, or removed.
    pub fn scaled(&mut self, out: bool, now: Time) {
        if now >= self.from && now < self.to {
            *(if out { &mut self.outs } else { &mut self.ins }) += 1;
        }
    }

    /// A server cost something from `since` to `until`.
    pub fn pay(&mut self, server: usize, since: Time, until: Time) {
        self.paid[server] += self.inside(since, until);
    }

    /// How many there were in the measured window on average.
    pub fn mean(&self) -> f64 {
        self.there as f64 / (self.to - self.from).nanos() as f64
    }

    /// Server-nanoseconds by stretch, warm-up included.
    pub fn over_time(&self) -> &[u64] {
        &self.over_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two servers, three from 150 on, one from 350 on; measured from 100 to 400.
    #[test]
    fn servers_are_counted_by_the_time_that_they_were_there() {
        let at = Time::from_nanos;
        let mut pool = PoolCount::new((at(100), at(400)), 4, (3, 2));
        pool.change(true, at(150));
        pool.scaled(true, at(140));
        pool.scaled(true, at(40));
        pool.change(false, at(350));
        pool.change(false, at(350));
        pool.scaled(false, at(350));
        pool.settle(at(400));
        pool.settle(at(900));
        assert_eq!(pool.over_time(), [200, 250, 300, 200]);
        assert_eq!(pool.mean(), 750.0 / 300.0);
        assert_eq!((pool.most, pool.outs, pool.ins), (3, 1, 1));
        pool.pay(2, at(140), at(500));
        assert_eq!(pool.paid, [0, 0, 260]);
    }
}
