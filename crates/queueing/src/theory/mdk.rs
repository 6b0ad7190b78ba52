//! M/D/k: constant service times, one queue before k slots.

use super::numeric::{keeps_up, poisson, poisson_at_least, quantile};

/// Slots with constant service times fed from one queue. Round robin over k such servers gives the
/// same waits, since equal service times end in the order in which they began.
///
/// ```
/// let pool = lbsim_queueing::theory::Mdk { arrival_rate: 1.6, service_time: 1.0, slots: 2 };
/// assert!((pool.mean_wait() - 0.9032838794).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mdk {
    /// Requests per second to the whole pool.
    pub arrival_rate: f64,
    /// The service time of every request, seconds.
    pub service_time: f64,
    /// How many slots.
    pub slots: u32,
}

impl Mdk {
    /// rho = lambda D / k.
    pub fn load(&self) -> f64 {
        self.arrival_rate * self.service_time / f64::from(self.slots)
    }

    /// Whether the slots keep up: rho < 1.
    pub fn stable(&self) -> bool {
        keeps_up(self.load())
    }

    /// E\[W\] = D sum over i of \[P(X_i >= ik) - P(X_i > ik) / rho\], X_i Poisson with mean i k
    /// rho: Crommelin, "Delay probability formulae when the holding times are constant", Post
    /// Office Electrical Engineers' Journal 25 (1932). One slot is Pollaczek-Khinchine's case.
    ///
    /// Near saturation the series is long: about 70 / (k (1 - rho)^2) terms. It is summed to a
    /// million of them, which is exact up to a load of 0.99 and too low beyond.
    pub fn mean_wait(&self) -> f64 {
        if !self.stable() {
            return f64::INFINITY;
        }
        let rho = self.load();
        if self.slots == 1 {
            return super::Mg1::with_cv(self.arrival_rate, self.service_time, 0.0).mean_wait();
        }
        if rho == 0.0 {
            return 0.0;
        }
        let mut sum = 0.0;
        for i in 1..1_000_000_u64 {
            let ik = i * u64::from(self.slots);
            // P(X >= ik) - P(X > ik) / rho, with the term they share taken out.
            let mean = ik as f64 * rho;
            let term = poisson(mean, ik) - poisson_at_least(mean, ik + 1) * (1.0 - rho) / rho;
            sum += term;
            if term <= sum * 1e-17 {
                break;
            }
        }
        self.service_time * sum
    }

    /// E\[R\] = E\[W\] + D.
    pub fn mean_response(&self) -> f64 {
        self.mean_wait() + self.service_time
    }

    /// P(W > t) for *one* slot, by a sum of positive terms, which keeps its digits where Erlang's
    /// alternating series (1909) loses them: Franx, "A simple solution for the M/D/c waiting time
    /// distribution", Operations Research Letters 29 (2001). `None` for more slots.
    pub fn wait_tail(&self, t: f64) -> Option<f64> {
        (self.slots == 1).then(|| {
            if self.stable() && t >= 0.0 {
                single_wait_tail(self.load(), t / self.service_time)
            } else {
                1.0
            }
        })
    }

    /// The q-quantile of the wait for *one* slot; `None` for more.
    pub fn wait_quantile(&self, q: f64) -> Option<f64> {
        (self.slots == 1).then(|| quantile(q, |t| self.wait_tail(t).unwrap_or(1.0)))
    }
}

/// Waits beyond this many service times are told from the exponential decay of the tail.
const FAR: f64 = 400.0;

/// P(W > x) of M/D/1 with service time 1: with k - 1 <= x < k,
/// P(W <= x) = sum over j < k of P(N <= k - j) P(X = j), X Poisson with mean rho (k - x).
fn single_wait_tail(rho: f64, x: f64) -> f64 {
    if rho == 0.0 {
        return 0.0;
    }
    if x > FAR {
        let (near, far) = (single_wait_tail(rho, FAR - 1.0), single_wait_tail(rho, FAR));
        return if near > 0.0 {
            far * (far / near).powf(x - FAR)
        } else {
            0.0
        };
    }
    let k = x.floor() as usize + 1;
    let in_system = cumulative_in_system(rho, k);
    let mean = rho * (k as f64 - x);
    let within: f64 = (0..k)
        .map(|j| in_system[k - j] * poisson(mean, j as u64))
        .sum();
    (1.0 - within).clamp(0.0, 1.0)
}

/// P(N <= n) of M/D/1 for n = 0..=last, by the recursion of Tijms, *A First Course in Stochastic
/// Models* (2003), section 9.2: p(n) = b(n-1) p(0) + sum over i of b(n-i) p(i), b(m) = P(X > m), X
/// Poisson with mean rho. All its terms are positive.
fn cumulative_in_system(rho: f64, last: usize) -> Vec<f64> {
    let more: Vec<f64> = (0..=last as u64)
        .map(|m| poisson_at_least(rho, m + 1))
        .collect();
    let mut p = vec![1.0 - rho];
    for n in 1..=last {
        let others: f64 = (1..n).map(|i| more[n - i] * p[i]).sum();
        p.push((more[n - 1] * p[0] + others) / (1.0 - more[0]));
    }
    p.iter()
        .scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chance that all slots are busy falls with their number, and the wait with it; near
    /// saturation k slots wait 1/k as long as one of the same load.
    #[test]
    fn more_slots_wait_less() {
        let wait = |slots| {
            let arrival_rate = 0.97 * f64::from(slots);
            Mdk {
                arrival_rate,
                service_time: 1.0,
                slots,
            }
            .mean_wait()
        };
        assert!((wait(1) - 0.97 / 0.06).abs() < 1e-9);
        assert!((wait(2) / wait(1) - 0.5).abs() < 0.02);
        assert!(wait(2) > wait(3) && wait(3) > wait(10));
    }

    #[test]
    fn the_tail_has_the_mean() {
        let one = Mdk {
            arrival_rate: 0.7,
            service_time: 1.0,
            slots: 1,
        };
        let step = 1e-2;
        let area: f64 = (0..4000)
            .map(|i| one.wait_tail((f64::from(i) + 0.5) * step).unwrap() * step)
            .sum();
        assert!((area - one.mean_wait()).abs() < 1e-4);
        assert!((one.wait_tail(0.0).unwrap() - 0.7).abs() < 1e-12);
    }

    #[test]
    fn overload_and_bad_input() {
        for (arrival_rate, slots) in [(1.0, 1), (5.0, 2), (1.0, 0), (f64::NAN, 1)] {
            let pool = Mdk {
                arrival_rate,
                service_time: 1.0,
                slots,
            };
            assert_eq!(pool.mean_wait(), f64::INFINITY);
        }
        let pool = Mdk {
            arrival_rate: 2.0,
            service_time: 1.0,
            slots: 1,
        };
        assert_eq!(pool.wait_quantile(0.5), Some(f64::INFINITY));
        let idle = Mdk {
            arrival_rate: 0.0,
            service_time: 1.0,
            slots: 1,
        };
        assert_eq!(
            (idle.mean_wait(), idle.wait_quantile(0.9)),
            (0.0, Some(0.0))
        );
        assert_eq!(Mdk { slots: 2, ..idle }.wait_tail(1.0), None);
    }
}
