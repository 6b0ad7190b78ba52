//! Last come, first served, once the queue does not empty any more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::Line;
use super::{Queue, QueueOrder, Waiting};
use lbsim_engine::time::{Span, Time};

/// Settings of adaptive LIFO.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdaptiveLifo {
    /// How long the queue must not have been empty before the last who came is served first.
    #[schemars(extend("x-least" = "1us"))]
    pub interval: Span,
}

impl Default for AdaptiveLifo {
    fn default() -> AdaptiveLifo {
        AdaptiveLifo {
            interval: Span::from_millis(100),
        }
    }
}

impl QueueOrder for AdaptiveLifo {
    fn queue(&self) -> Box<dyn Queue> {
        Box::new(Adaptive {
            interval: self.interval,
            line: Line::default(),
            busy_since: Time::ZERO,
        })
    }
}

#[derive(Debug)]
struct Adaptive {
    interval: Span,
    line: Line<()>,
    /// Since when somebody has been waiting, where anybody is.
    busy_since: Time,
}

impl Queue for Adaptive {
    fn join(&mut self, one: Waiting, now: Time) {
        if self.line.is_empty() {
            self.busy_since = now;
        }
        self.line.join((), one);
    }

    fn next(&mut self, now: Time, _: &mut Vec<u32>) -> Option<u32> {
        let next = if now.since(self.busy_since) >= self.interval {
            self.line.pop_last()
        } else {
            self.line.pop_first()
        };
        next.map(|one| one.id)
    }

    fn leave(&mut self, id: u32) {
        self.line.leave(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_comes_first_once_the_queue_has_not_emptied_for_long() {
        let at = |ms: u64| Time::ZERO + Span::from_millis(ms);
        let mut queue = AdaptiveLifo::default().queue();
        for (id, ms) in [(1, 0), (2, 10), (3, 20), (4, 30)] {
            let one = Waiting {
                id,
                since: at(ms),
                work: Span::ZERO,
                priority: 0,
            };
            queue.join(one, at(ms));
        }
        let dropped = &mut Vec::new();
        assert_eq!(queue.next(at(99), dropped), Some(1));
        assert_eq!(queue.next(at(100), dropped), Some(4));
        queue.leave(3);
        assert_eq!(queue.next(at(120), dropped), Some(2));
        assert_eq!(queue.next(at(120), dropped), None);
        assert!(dropped.is_empty());
    }
}
