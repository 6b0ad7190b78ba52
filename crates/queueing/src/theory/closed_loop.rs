//! Closed loops: a fixed number of users, each waiting for the answer and then thinking.

use super::birth_death::{mean, stationary};

/// Users before one queue with several slots, exponential service, exponential thinking: the
/// machine repairman (Palm 1943; Kleinrock, *Queueing Systems* volume 1, 1975, section 3.8). A
/// closed loop slows down with its server, so it never overloads: compare with an open one before
/// drawing conclusions.
///
/// ```
/// use lbsim_queueing::theory::ClosedLoop;
/// let office = ClosedLoop { users: 20, think_time: 18.0, service_time: 1.0, slots: 1 };
/// assert!((office.throughput() - 0.89078715).abs() < 1e-8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosedLoop {
    /// How many users.
    pub users: u32,
    /// Mean time between an answer and the next request, seconds; may be 0.
    pub think_time: f64,
    /// Mean service time, seconds.
    pub service_time: f64,
    /// How many slots.
    pub slots: u32,
}

impl ClosedLoop {
    /// P(N = n) for n requests at the servers. Empty when nothing can be served.
    pub fn in_system(&self) -> Vec<f64> {
        // Counting thinkers instead, so that a think time of zero is nothing special.
        let served =
            |thinking: u32| f64::from((self.users - thinking).min(self.slots)) * self.think_time;
        let thought = |thinking: u32| f64::from(thinking) * self.service_time;
        let mut p = stationary(self.users, served, thought);
        if self.slots == 0 {
            p.clear();
        }
        if !p.is_empty() {
            p.resize(self.users as usize + 1, 0.0);
        }
        p.reverse();
        p
    }

    /// X: requests answered per second.
    pub fn throughput(&self) -> f64 {
        let busy = |n: usize| (n as f64).min(f64::from(self.slots));
        self.in_system()
            .iter()
            .enumerate()
            .map(|(n, p)| busy(n) / self.service_time * p)
            .sum()
    }

    /// E\[R\] = E\[N\] / X, which is users / X - think time (the interactive response-time law).
    pub fn mean_response(&self) -> f64 {
        let throughput = self.throughput();
        if throughput > 0.0 {
            mean(&self.in_system()) / throughput
        } else {
            f64::INFINITY
        }
    }
}

/// What mean-value analysis says of a closed loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mva {
    /// Requests answered per second.
    pub throughput: f64,
    /// Mean response over all stations, seconds.
    pub response: f64,
}

/// Exact mean-value analysis of users who visit single-slot stations and then think; `demands`
/// holds, for each station, visits per request times mean service time. Reiser and Lavenberg,
/// "Mean-value analysis of closed multichain queuing networks", Journal of the ACM 27 (1980).
///
/// Random routing over n like servers of mean service s is n stations of demand s / n. `None` for
/// no users, times that are negative or not finite, or no time at all.
///
/// ```
/// let two = lbsim_queueing::theory::mva(20, 10.0, &[0.5, 0.5]).unwrap();
/// assert!((two.throughput - 1.5212836).abs() < 1e-7);
/// ```
pub fn mva(users: u32, think_time: f64, demands: &[f64]) -> Option<Mva> {
    let usable = |time: &f64| time.is_finite() && *time >= 0.0;
    let work = think_time + demands.iter().sum::<f64>();
    if users == 0 || !usable(&think_time) || !demands.iter().all(usable) || work <= 0.0 {
        return None;
    }
    let mut queues = vec![0.0; demands.len()];
    let mut result = Mva {
        throughput: 0.0,
        response: 0.0,
    };
    for n in 1..=users {
        let responses: Vec<f64> = demands
            .iter()
            .zip(&queues)
            .map(|(demand, queue)| demand * (1.0 + queue))
            .collect();
        result.response = responses.iter().sum();
        result.throughput = f64::from(n) / (think_time + result.response);
        queues = responses
            .iter()
            .map(|response| result.throughput * response)
            .collect();
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_methods_agree() {
        for think_time in [0.5, 10.0, 100.0] {
            let chain = ClosedLoop {
                users: 12,
                think_time,
                service_time: 0.7,
                slots: 1,
            };
            let mva = mva(12, think_time, &[0.7]).unwrap();
            assert!((chain.throughput() / mva.throughput - 1.0).abs() < 1e-12);
            assert!((chain.mean_response() / mva.response - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn response_time_law() {
        let chain = ClosedLoop {
            users: 50,
            think_time: 10.0,
            service_time: 1.0,
            slots: 5,
        };
        assert!((chain.mean_response() - (50.0 / chain.throughput() - 10.0)).abs() < 1e-9);
    }

    #[test]
    fn without_thinking_the_slots_are_always_busy() {
        let chain = ClosedLoop {
            users: 10,
            think_time: 0.0,
            service_time: 2.0,
            slots: 4,
        };
        assert!((chain.throughput() - 2.0).abs() < 1e-12);
        assert!((chain.mean_response() - 5.0).abs() < 1e-12);
    }

    #[test]
    fn bad_input() {
        let chain = ClosedLoop {
            users: 10,
            think_time: 1.0,
            service_time: 1.0,
            slots: 0,
        };
        assert_eq!(
            (chain.throughput(), chain.mean_response()),
            (0.0, f64::INFINITY)
        );
        assert_eq!(mva(0, 1.0, &[1.0]), None);
        assert_eq!(mva(5, 0.0, &[]), None);
        assert_eq!(mva(5, -1.0, &[2.0]), None);
        assert_eq!(mva(5, f64::NAN, &[2.0]), None);
    }
}
