//! When requests came and went: from these, how many were in the system at any time.

use crate::time::{Span, Time};

/// Arrivals and departures of all requests of a run, each in order once [`Stays::between`] has put
/// them so.
#[derive(Debug, Default)]
pub(super) struct Stays {
    from: Time,
    to: Time,
    arrivals: Vec<Time>,
    departures: Vec<Time>,
}

impl Stays {
    /// A request was in the system from `arrived` to `left`.
    pub(super) fn add(&mut self, arrived: Time, left: Time) {
        self.arrivals.push(arrived);
        self.departures.push(left);
    }

    /// Looks at the time between `from` and `to` only.
    pub(super) fn between(mut self, from: Time, to: Time) -> Stays {
        self.arrivals.sort_unstable();
        self.departures.sort_unstable();
        Stays { from, to, ..self }
    }

    /// The share of time in which exactly `number` were in the system.
    pub(super) fn time_with(&self, number: usize) -> f64 {
        let (mut came, mut gone, mut now) = (0, 0, self.from);
        let mut with = Span::ZERO;
        while now < self.to {
            while self.arrivals.get(came).is_some_and(|&at| at <= now) {
                came += 1;
            }
            while self.departures.get(gone).is_some_and(|&at| at <= now) {
                gone += 1;
            }
            let next = [self.arrivals.get(came), self.departures.get(gone)];
            let next = next.into_iter().flatten().min();
            let next = next.map_or(self.to, |&at| at.min(self.to));
            if came - gone == number {
                with += next - now;
            }
            now = next;
        }
        with.seconds() / (self.to - self.from).seconds()
    }

    /// The mean number in the system `phase` after the beginning of each period, counted from time
    /// zero.
    pub(super) fn number_at(&self, phase: Span, period: Span) -> f64 {
        let (mut sum, mut looks) = (0, 0);
        let mut at = Time::ZERO + phase;
        while at < self.to {
            if at >= self.from {
                let before = |times: &[Time]| times.partition_point(|&time| time <= at);
                sum += before(&self.arrivals) - before(&self.departures);
                looks += 1;
            }
            at += period;
        }
        sum as f64 / f64::from(looks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_overlap() {
        let at = Time::from_nanos;
        let mut stays = Stays::default();
        stays.add(at(20), at(60));
        stays.add(at(10), at(30));
        let stays = stays.between(at(0), at(100));
        let shares = [0, 1, 2, 3].map(|number| stays.time_with(number));
        assert_eq!(shares, [0.5, 0.4, 0.1, 0.0]);
        // At 25, and at 75.
        let mean = stays.number_at(Span::from_nanos(25), Span::from_nanos(50));
        assert!((mean - 1.0).abs() < 1e-12, "{mean}");
    }
}
