//! M/M/k/K: a bounded queue, requests beyond it turned away.

use super::birth_death::{MOST, mean, stationary};

/// Slots with a bounded queue. With one slot this is M/M/1/K, with `capacity` equal to `slots`
/// Erlang's loss system. Always stable: what does not fit is lost. Kleinrock, *Queueing Systems*
/// volume 1 (1975), chapter 3.
///
/// With no slot or a service rate of zero, everything is lost. A capacity beyond four million
/// counts as four million.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finite {
    /// Requests per second, including those turned away.
    pub arrival_rate: f64,
    /// Requests per second that one busy slot works off.
    pub service_rate: f64,
    /// How many slots.
    pub slots: u32,
    /// The most requests in the system, those in service included.
    pub capacity: u32,
}

impl Finite {
    /// P(N = n) for n = 0..=capacity; shorter where the rest is below 1e-26 of the largest, empty
    /// when nothing is served.
    pub fn in_system(&self) -> Vec<f64> {
        let death = |n: u32| f64::from(n.min(self.slots)) * self.service_rate;
        stationary(self.capacity, |_| self.arrival_rate, death)
    }

    /// P(N = K): the share of requests turned away.
    pub fn loss(&self) -> f64 {
        let p = self.in_system();
        match p.last() {
            None => 1.0,
            Some(full) if p.len() > self.capacity.min(MOST) as usize => *full,
            Some(_) => 0.0,
        }
    }

    /// The mean response of the requests taken in, by Little's law: E\[N\] / (lambda (1 - loss)).
    pub fn mean_response(&self) -> f64 {
        let p = self.in_system();
        let accepted = self.arrival_rate * (1.0 - self.loss());
        if p.is_empty() || accepted <= 0.0 {
            f64::INFINITY
        } else {
            mean(&p) / accepted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{Mmk, erlang_b};

    #[test]
    fn without_a_queue_it_is_erlang_b() {
        let pool = Finite {
            arrival_rate: 8.0,
            service_rate: 1.0,
            slots: 10,
            capacity: 10,
        };
        assert!((pool.loss() - erlang_b(8.0, 10)).abs() < 1e-12);
        assert!((pool.mean_response() - 1.0).abs() < 1e-12);
    }

    /// (1 - rho) rho^K / (1 - rho^(K+1)).
    #[test]
    fn one_slot() {
        let queue = Finite {
            arrival_rate: 0.5,
            service_rate: 1.0,
            slots: 1,
            capacity: 2,
        };
        assert!((queue.loss() - 1.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn a_long_queue_loses_nothing() {
        let long = Finite {
            arrival_rate: 4.0,
            service_rate: 1.0,
            slots: 5,
            capacity: u32::MAX,
        };
        let open = Mmk {
            arrival_rate: 4.0,
            service_rate: 1.0,
            slots: 5,
        };
        assert_eq!(long.loss(), 0.0);
        let overloaded = Finite {
            arrival_rate: 10.0,
            ..long
        };
        assert!((overloaded.loss() - 0.5).abs() < 1e-9);
        assert!((long.mean_response() - open.mean_response()).abs() < 1e-9);
    }

    #[test]
    fn bad_input() {
        for (service_rate, slots, capacity) in
            [(0.0, 1, 5), (1.0, 0, 5), (f64::NAN, 1, 5), (1.0, 1, 0)]
        {
            let queue = Finite {
                arrival_rate: 1.0,
                service_rate,
                slots,
                capacity,
            };
            assert_eq!(queue.loss(), 1.0);
            assert_eq!(queue.mean_response(), f64::INFINITY);
        }
    }
}
