//! Goes round the list of servers as often as the highest weight, and takes in each round those
//! whose weight reaches the round's level, which falls from the highest weight to 1.
//!
//! The heavy servers get their surplus in a burst: weights 5, 1, 1 give the first server four times
//! in a row, then the third, the second and the first. With a common divisor the level falls by it.
//! After any change of servers or weights the walk begins at the head again, at about the level
//! where it was; as servers are added one by one, the first round of all starts at a low level.
//!
//! **Sees:** weights; connections only for the thresholds (`max-connections`, `min-connections`).
//! **Cost of a pick:** log n; the kernel looks at each server that it passes over. A change of a
//! weight costs n.
//! **Fails when:** weights are far apart: bursts of the heaviest server make queues there.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_wrr.c`.
//! **Differs:** from smooth weighted round robin (nginx) by its bursts.
//! **Verified:** picks equal to recordings of Linux 6.1, with changes at run time.

use super::service::{Config, HEAD, Scheduler, Service, VirtualService, gcd};
use super::walk::Walk;
use crate::strategy::{Member, MemberId, Request};
use lbsim_engine::time::{Span, Time};

/// IPVS with scheduler `wrr`.
pub type IpvsWeightedRoundRobin = VirtualService<Wrr>;

/// The scheduler `wrr`: the kernel's `struct ip_vs_wrr_mark`.
#[derive(Clone, Debug)]
pub struct Wrr {
    walk: Walk,
    /// Where the server stands that was used last: the kernel's `cl`.
    last: u64,
    /// The present level: `cw`.
    level: u32,
    /// The highest weight and the greatest common divisor of all weights, 0 where all are 0.
    highest: u32,
    divisor: u32,
}

impl Wrr {
    /// By how much the level falls: `di`.
    fn step(&self) -> u32 {
        self.divisor.max(1)
    }

    /// Where the level starts: `mw`.
    fn top(&self) -> u32 {
        self.highest - self.highest.min(self.step() - 1)
    }

    /// `ip_vs_wrr_dest_changed`, once the weights are known.
    fn restart(&mut self) {
        self.walk.rebuild_later();
        self.last = HEAD;
        if self.level > self.top() || self.level == 0 {
            self.level = self.top();
        } else if self.step() > 1 {
            self.level = self.level / self.step() * self.step() + 1;
        }
    }

    fn count(&mut self, weight: u32) {
        self.highest = self.highest.max(weight);
        self.divisor = gcd(self.divisor, weight);
    }

    /// Lowers the level to where somebody reaches it, or to the lowest one: rounds in which nobody
    /// would be found.
    fn skip_rounds(&mut self) {
        let reached = self.walk.highest().max(1);
        if self.level > reached {
            let wanted = (self.level - reached).div_ceil(self.step());
            let possible = (self.level - 1) / self.step();
            self.level -= wanted.min(possible) * self.step();
        }
    }
}

impl Scheduler for Wrr {
    type Config = Config;

    fn heeds_requests() -> bool {
        false
    }

    fn heeds_answers() -> bool {
        false
    }

    fn new(_: &Config, _: &[Member]) -> Self {
        Wrr {
            walk: Walk::default(),
            last: HEAD,
            level: 0,
            highest: 0,
            divisor: 0,
        }
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn dest_added(&mut self, member: MemberId, service: &Service) {
        self.count(service.dest(member).weight);
        self.restart();
    }

    fn dest_changed(&mut self, _: MemberId, service: &Service) {
        (self.highest, self.divisor) = (0, 0);
        for member in service.listed() {
            self.count(service.dest(member).weight);
        }
        self.restart();
    }

    fn conns_changed(&mut self, member: MemberId, service: &Service) {
        self.walk.update(member, service);
    }

    fn schedule(&mut self, _: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        if self.top() == 0 {
            return None;
        }
        self.walk.refresh(service);
        let started = self.last;
        let mut stop = None;
        let (mut last_round, mut restarted) = (false, false);
        loop {
            if let Some((place, member)) = self.walk.next(self.last, self.level) {
                self.last = place;
                return Some(member);
            }
            // Now the others have been asked as well.
            if let Some(stop) = stop {
                self.last = stop;
                return None;
            }
            self.last = HEAD;
            if self.level > self.step() {
                self.level -= self.step();
            } else {
                self.level = self.top();
                // Everybody has been asked for a weight of 1.
                if last_round || started == HEAD {
                    return None;
                }
                restarted = true;
            }
            self.skip_rounds();
            last_round = self.level <= self.step();
            // The first round asked for a weight of 1, but only those behind the start.
            if last_round && restarted {
                stop = Some(started);
            }
        }
    }
}
