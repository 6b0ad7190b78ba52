//! Logs of servers that are known, for tests: small event loops of their own, so that a mistake in
//! the fit is not in them too.

use rand::SeedableRng as _;

use crate::distribution::Dist;
use crate::import::fit::Visit;
use crate::rng::Rng;
use crate::time::Span;

/// When requests come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Coming {
    /// Poisson.
    Random,
    /// At equal distances, a tenth more or less: one server of many behind round robin.
    Regular,
    /// Poisson, now at 1.6 times the rate and now at 0.4 times, for 200 service times on average.
    Bursty,
    /// Poisson, thinned by what is there: kept with probability 1 / (1 + present / slots), as a
    /// balancer does that looks at it.
    Avoiding,
}

/// A server and what is asked of it.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub(super) slots: usize,
    pub(super) sharing: bool,
    /// `{ kind = ..., ... }` as TOML.
    pub(super) service: &'static str,
    /// How much longer a request takes for each one that it finds: 0.1 is a tenth.
    pub(super) slowing: f64,
    pub(super) load: f64,
    pub(super) coming: Coming,
}

impl Truth {
    pub(super) fn new(slots: usize, sharing: bool, service: &'static str, load: f64) -> Truth {
        Truth {
            slots,
            sharing,
            service,
            slowing: 0.0,
            load,
            coming: Coming::Random,
        }
    }

    /// So many visits, with a clock of this step that cuts off arrivals and departures; 1 is exact
    /// to the nanosecond.
    pub(super) fn log(&self, visits: usize, step: i64, seed: u64) -> Vec<Visit> {
        let service: Dist<Span> = toml::from_str(self.service).unwrap();
        let service = service.sampler().unwrap();
        let mut rng = Rng::seed_from_u64(seed);
        let mut server = Server::default();
        let mut log = Vec::with_capacity(visits);
        let mut clock = 0.0;
        let mut phase = (1.0, 0.0);
        while log.len() < visits {
            let gap = service.mean() / (self.load * self.slots as f64);
            clock += self.gap(gap, clock, service.mean(), &mut phase, &mut rng);
            server.run_until(clock, self, &mut log);
            let present = server.jobs.len() as f64;
            if matches!(self.coming, Coming::Avoiding)
                && uniform(&mut rng) > 1.0 / (1.0 + present / self.slots as f64)
            {
                continue;
            }
            let factor = 1.0 + self.slowing * present;
            server.jobs.push((clock, factor * service.sample(&mut rng)));
        }
        let tick = |seconds: f64| (seconds * 1e9) as i64 / step * step;
        log.into_iter()
            .map(|(arrived, left)| Visit {
                arrived: tick(arrived),
                left: tick(left),
            })
            .collect()
    }

    fn gap(&self, mean: f64, now: f64, service: f64, phase: &mut (f64, f64), rng: &mut Rng) -> f64 {
        match self.coming {
            Coming::Random | Coming::Avoiding => mean * exponential(rng),
            Coming::Regular => mean * (0.9 + 0.2 * uniform(rng)),
            Coming::Bursty => {
                while phase.1 < now {
                    phase.0 = 2.0 - phase.0;
                    if phase.0 == 1.0 {
                        phase.0 = 1.6;
                    }
                    phase.1 += 200.0 * service * exponential(rng);
                }
                mean * exponential(rng) / phase.0
            }
        }
    }
}

fn uniform(rng: &mut Rng) -> f64 {
    crate::rng::uniform_open(rng)
}

fn exponential(rng: &mut Rng) -> f64 {
    -libm::log(uniform(rng))
}

/// The requests there, in order of arrival: when each came and what is left to do for it.
#[derive(Debug, Default)]
struct Server {
    now: f64,
    jobs: Vec<(f64, f64)>,
}

impl Server {
    fn run_until(&mut self, until: f64, truth: &Truth, log: &mut Vec<(f64, f64)>) {
        loop {
            let served = if truth.sharing {
                self.jobs.len()
            } else {
                self.jobs.len().min(truth.slots)
            };
            let pace = (truth.slots as f64 / served.max(1) as f64).min(1.0);
            let next = (0..served).min_by(|&a, &b| self.jobs[a].1.total_cmp(&self.jobs[b].1));
            let lasts = next.map_or(f64::INFINITY, |next| self.jobs[next].1 / pace);
            let step = lasts.min(until - self.now);
            for job in &mut self.jobs[..served] {
                job.1 -= step * pace;
            }
            self.now += step;
            match next {
                Some(next) if self.now < until || lasts <= step => {
                    log.push((self.jobs.remove(next).0, self.now));
                }
                _ => return,
            }
        }
    }
}
