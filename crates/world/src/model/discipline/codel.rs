//! Controlled delay: Nichols, Jacobson, McGregor and Iyengar, "Controlled Delay Active Queue
//! Management", RFC 8289, section 5, with requests in place of packets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::Line;
use super::{Queue, QueueOrder, Waiting};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Refuse;

/// Settings of controlled delay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Codel {
    /// How long one may wait (RFC 8289: TARGET).
    #[schemars(extend("x-least" = "1us"))]
    pub target: Span,
    /// How long all may have waited longer before one is dropped (RFC 8289: INTERVAL).
    #[schemars(extend("x-least" = "1us"))]
    pub interval: Span,
}

impl Default for Codel {
    fn default() -> Codel {
        Codel {
            target: Span::from_millis(5),
            interval: Span::from_millis(100),
        }
    }
}

impl QueueOrder for Codel {
    fn queue(&self) -> Box<dyn Queue> {
        Box::new(Controlled {
            settings: *self,
            line: Line::default(),
            first_above_time: None,
            dropping: false,
            drop_next: Time::ZERO,
            count: 0,
            last_count: 0,
        })
    }

    fn drops(&self) -> bool {
        true
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        let (target, interval) = (self.target, self.interval);
        if target > interval {
            let message =
                format!("`target` is {target}, which is more than `interval`, {interval}");
            refuse("target", &message);
        }
    }
}

/// The names of the state are those of the RFC.
#[derive(Debug)]
struct Controlled {
    settings: Codel,
    line: Line<()>,
    /// When somebody may be dropped, while all have waited too long.
    first_above_time: Option<Time>,
    dropping: bool,
    drop_next: Time,
    count: u32,
    last_count: u32,
}

impl Controlled {
    /// The next, and whether it may be dropped (RFC 8289, section 5.6: `dodequeue`).
    fn take(&mut self, now: Time) -> (Option<Waiting>, bool) {
        let Some(one) = self.line.pop_first() else {
            self.first_above_time = None;
            return (None, false);
        };
        // The last one is let through, as the RFC does with the last packet.
        if now.since(one.since) < self.settings.target || self.line.is_empty() {
            self.first_above_time = None;
            return (Some(one), false);
        }
        match self.first_above_time {
            None => {
                self.first_above_time = Some(now + self.settings.interval);
                (Some(one), false)
            }
            Some(time) => (Some(one), now >= time),
        }
    }

    fn control_law(&self, from: Time) -> Time {
        let seconds = self.settings.interval.seconds() / f64::from(self.count.max(1)).sqrt();
        from + Span::from_seconds(seconds)
    }
}

impl Queue for Controlled {
    fn join(&mut self, one: Waiting, _: Time) {
        self.line.join((), one);
    }

    /// RFC 8289, section 5.5: `dequeue`.
    fn next(&mut self, now: Time, dropped: &mut Vec<u32>) -> Option<u32> {
        let (mut one, mut ok_to_drop) = self.take(now);
        if self.dropping {
            if !ok_to_drop {
                self.dropping = false;
            }
            while self.dropping && now >= self.drop_next {
                dropped.extend(one.map(|one| one.id));
                self.count += 1;
                (one, ok_to_drop) = self.take(now);
                if ok_to_drop {
                    self.drop_next = self.control_law(self.drop_next);
                } else {
                    self.dropping = false;
                }
            }
        } else if ok_to_drop {
            dropped.extend(one.map(|one| one.id));
            (one, _) = self.take(now);
            self.dropping = true;
            let delta = self.count - self.last_count;
            let long = Span::from_nanos(self.settings.interval.nanos().saturating_mul(16));
            let recently = now.since(self.drop_next) < long;
            self.count = if delta > 1 && recently { delta } else { 1 };
            self.drop_next = self.control_law(now);
            self.last_count = self.count;
        }
        one.map(|one| one.id)
    }

    fn leave(&mut self, id: u32) {
        self.line.leave(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One comes each millisecond, one is served each 2 ms: half too many. Nobody is dropped before
    /// all have waited 5 ms for 100 ms; then one, the next 100 ms later, the next 100/√2 after
    /// that, and so on.
    #[test]
    fn drops_follow_the_control_law() {
        let at = |us: u64| Time::ZERO + Span::from_nanos(1000 * us);
        let mut queue = Codel::default().queue();
        let mut drops = Vec::new();
        for ms in 0..500u64 {
            let one = Waiting {
                id: ms as u32,
                since: at(1000 * ms),
                work: Span::ZERO,
                priority: 0,
            };
            queue.join(one, at(1000 * ms));
            if ms % 2 == 1 {
                let mut dropped = Vec::new();
                assert!(queue.next(at(1000 * ms), &mut dropped).is_some());
                drops.extend(dropped.iter().map(|_| ms));
            }
        }
        // The one who came at k is taken at 2k + 1, after k + 1 ms. The first who has waited 5 ms
        // is taken at 9; from 109 on drops are allowed: 109, 209, 209 + 100/√2 = 279.7, + 100/√3 =
        // 337.5, + 100/√4 = 387.5, + 100/√5 = 432.2, + 100/√6 = 473.0, each at the next odd time.
        assert_eq!(drops, [109, 209, 281, 339, 389, 433, 473]);
    }
}
