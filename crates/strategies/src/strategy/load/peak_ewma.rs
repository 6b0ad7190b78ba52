//! A response time that jumps up with every slow answer, and forgets it little by little: the "peak
//! EWMA" of Finagle and of tower, with which Linkerd balances.

use lbsim_engine::time::{Span, Time};

/// A moving average of response times that takes a higher value as it is.
#[derive(Clone, Copy, Debug)]
pub struct PeakEwma {
    /// The estimate, in nanoseconds.
    nanos: f64,
    updated: Time,
}

impl PeakEwma {
    /// An estimate to begin with.
    pub fn new(estimate: Span, now: Time) -> PeakEwma {
        PeakEwma {
            nanos: estimate.nanos() as f64,
            updated: now,
        }
    }

    /// Takes in a response time, and returns the estimate in nanoseconds. What was known before has
    /// lost 63% of its weight after `decay`. A response time of zero lets the estimate decay, as
    /// both products do whenever they ask for it.
    #[inline]
    pub fn observe(&mut self, response_time: Span, now: Time, decay: Span) -> f64 {
        let response_time = response_time.nanos() as f64;
        if response_time > self.nanos {
            self.nanos = response_time;
        } else {
            let elapsed = now.since(self.updated).nanos() as f64;
            let kept = pxfm::f_exp(-elapsed / decay.nanos() as f64);
            self.nanos = self.nanos * kept + response_time * (1.0 - kept);
        }
        self.updated = now;
        self.nanos
    }

    /// What tower's `PeakEwma` takes for the load of a server with so many requests in flight: the
    /// estimate for each of them and one more (tower 0.5.3, `load/peak_ewma.rs`).
    #[inline]
    pub fn tower_cost(&mut self, in_flight: u32, now: Time, decay: Span) -> f64 {
        self.observe(Span::ZERO, now, decay) * f64::from(in_flight + 1)
    }

    /// The same in Finagle (`finagle-core`, `loadbalancer/PeakEwma.scala`): a server that has never
    /// answered costs nothing, and very much as soon as something is in flight to it.
    #[inline]
    pub fn finagle_cost(&mut self, in_flight: u32, now: Time, decay: Span) -> f64 {
        /// `Long.MaxValue >> 16`.
        const PENALTY: f64 = (i64::MAX >> 16) as f64;
        let estimate = self.observe(Span::ZERO, now, decay);
        if estimate == 0.0 && in_flight > 0 {
            PENALTY + f64::from(in_flight)
        } else {
            estimate * f64::from(in_flight + 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_count_at_once_and_fade() {
        let decay = Span::from_secs(10);
        let mut ewma = PeakEwma::new(Span::ZERO, Time::ZERO);
        let at = |seconds| Time::ZERO + Span::from_secs(seconds);
        assert_eq!(ewma.finagle_cost(0, at(0), decay), 0.0);
        assert_eq!(ewma.finagle_cost(2, at(0), decay), 140_737_488_355_329.0);
        assert_eq!(ewma.observe(Span::from_millis(80), at(1), decay), 8e7);
        // After one lifetime 1/e of the peak is left, and the new value makes up the rest.
        let kept = (-1.0f64).exp();
        let next = ewma.observe(Span::from_millis(10), at(11), decay);
        assert!((next - (8e7 * kept + 1e7 * (1.0 - kept))).abs() < 1.0);
        assert_eq!(ewma.tower_cost(3, at(11), decay), next * 4.0);
    }
}
