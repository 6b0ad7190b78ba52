//! Sends each request to a server that has told this balancer that it is idle; where none has, to a
//! random one.
//!
//! A server that becomes idle tells one balancer. A pick asks nobody, and so costs no time on its
//! way.
//!
//! **Sees:** which servers have said that they are idle.
//! **Cost of a pick:** constant.
//! **Fails when:** load is so high that no server is idle: it turns into random.
//! **Source:** Lu, Xie, Kliot, Geller, Larus and Greenberg, "Join-idle-queue: a novel load
//! balancing algorithm for dynamically scalable web services", Performance Evaluation 68(11), 2011.
//! At the start no server has said anything.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};

/// Settings of `join-idle-queue`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// The servers that are idle, as far as they have said so.
#[derive(Clone, Debug)]
pub struct JoinIdleQueue {
    /// In the order in which they said so.
    queue: VecDeque<MemberId>,
    /// Who stands in the queue.
    queued: Vec<bool>,
}

impl News for JoinIdleQueue {
    const HEARS_IDLE: bool = true;

    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        JoinIdleQueue {
            queue: VecDeque::new(),
            queued: vec![false; cx.pool.len()],
        }
    }

    fn idle(&mut self, member: MemberId, _: &mut Context<'_>) {
        if !std::mem::replace(&mut self.queued[member as usize], true) {
            self.queue.push_back(member);
        }
    }
}

impl Rule for JoinIdleQueue {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        // Those whom this request must not go to keep their place.
        let mut at = 0;
        while let Some(&member) = self.queue.get(at) {
            if cx.pool.is_eligible(member) && !candidates.contains(member) {
                at += 1;
                continue;
            }
            self.queue.remove(at);
            self.queued[member as usize] = false;
            if candidates.contains(member) {
                return member;
            }
        }
        candidates.draw(cx.rng)
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::contract::Bench;

    #[test]
    fn who_was_tried_keeps_its_place_among_the_idle() {
        let mut bench = Bench::new("join-idle-queue", &[1; 100]);
        for member in [70, 20, 50] {
            bench.idle(member);
        }
        assert_eq!(bench.pick_after(0, &[70, 20]), 50);
        assert_eq!([bench.pick(1), bench.pick(2)], [70, 20]);
    }

    #[test]
    fn the_idle_come_first_in_the_order_in_which_they_said_so_and_once() {
        let mut bench = Bench::new("join-idle-queue", &[1; 100]);
        for member in [70, 20, 70, 50] {
            bench.idle(member);
        }
        bench.set_eligible(20, false);
        assert_eq!([bench.pick(0), bench.pick(1)], [70, 50]);
        // The queue is empty: of 20 draws among 99 two at least differ, all but certainly.
        let first = bench.pick(2);
        assert!((3..23).any(|who| bench.pick(who) != first));
    }
}
