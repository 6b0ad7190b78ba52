//! Takes healthy targets in turn; one that has just become healthy gets its share bit by bit. This
//! is an AWS Application Load Balancer with `round_robin`, its default.
//!
//! With `slow-start`, the share of a target grows linearly from nothing to that of the others.
//! Targets there at the start have their full share, and so has one that becomes healthy where no
//! other target is both healthy and past its slow start. Where no target is healthy, all get
//! requests ("fail open"). Each node of the load balancer has its own turns: model a load balancer
//! of several nodes as several balancers.
//!
//! **Sees:** who is healthy, and since when.
//! **Cost of a pick:** the logarithm of the number of targets, one step more for each target in
//! slow start passed over.
//! **Fails when:** targets or requests are unlike, as any round robin: targets have no weights.
//! **Source:** AWS, "Target groups for your Application Load Balancers" and "Edit target group
//! attributes" (routing algorithms, slow start mode), Elastic Load Balancing user guide, 2024.
//! **Differs:** from round robin by slow start and by failing open. How turns are shared in slow
//! start is not published: here a target in slow start skips turns, evenly. The load balancer tries
//! no second target by itself, so a retry is a new request. Where it fails open, targets that are
//! drained or disabled get requests, too.
//! **Verified:** documented only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::targets::Targets;
use crate::strategy::{Context, MemberId, News, Pick, Product, Request};
use lbsim_engine::rng::below;
use lbsim_engine::time::{Span, Time};

/// Settings of `aws-alb-round-robin`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long a target that becomes healthy gets less than its share; 0 for not at all. AWS
    /// takes 30 s to 900 s.
    pub slow_start: Span,
}

/// Targets in turn, with slow start.
#[derive(Clone, Debug)]
pub struct AwsAlbRoundRobin {
    slow_start: Span,
    targets: Targets,
    /// The target whose turn it is, or the next one in order.
    next: MemberId,
    warming: BTreeMap<MemberId, Warming>,
}

/// A target in slow start.
#[derive(Clone, Copy, Debug)]
struct Warming {
    since: Time,
    /// The part of a request that it is owed.
    credit: f64,
}

impl AwsAlbRoundRobin {
    /// The target whose turn it is.
    fn turn(&mut self) -> Option<MemberId> {
        let serving = self.targets.serving();
        let target = *serving.range(self.next..).next().or(serving.first())?;
        self.next = target + 1;
        Some(target)
    }

    /// Whether a target skips its turn because it is in slow start.
    fn skips(&mut self, target: MemberId, now: Time) -> bool {
        let Some(warming) = self.warming.get_mut(&target) else {
            return false;
        };
        let share = (now - warming.since).seconds() / self.slow_start.seconds();
        if share >= 1.0 {
            self.warming.remove(&target);
            return false;
        }
        warming.credit += share;
        if warming.credit < 1.0 {
            return true;
        }
        warming.credit -= 1.0;
        false
    }

    /// Whether some target has its full share.
    fn has_warm(&self) -> bool {
        self.targets.serving().len() > self.warming.len()
    }

    fn changed(&mut self, member: MemberId, cx: &Context<'_>) {
        let was_warm = self.has_warm() && !self.targets.fails_open();
        let affected = self.targets.changed(member, cx);
        if self.targets.fails_open() {
            self.warming.clear();
            return;
        }
        for target in affected {
            if !self.targets.serving().contains(&target) {
                self.warming.remove(&target);
            } else if was_warm && !self.slow_start.is_zero() {
                let (since, credit) = (cx.now, 0.0);
                self.warming.insert(target, Warming { since, credit });
            }
        }
    }
}

impl News for AwsAlbRoundRobin {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        AwsAlbRoundRobin {
            slow_start: config.slow_start,
            targets: Targets::new(cx),
            next: below(cx.rng, cx.pool.len().max(1)) as MemberId,
            warming: BTreeMap::new(),
        }
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }

    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }
}

impl Product for AwsAlbRoundRobin {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        // Where all are in slow start, nobody has a full share to compare with.
        let all_alike = !self.has_warm();
        while let Some(target) = self.turn() {
            if all_alike || !self.skips(target, cx.now) {
                return Pick::Member(target);
            }
        }
        Pick::Nobody
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategyConfig;
    use crate::strategy::contract::Bench;

    fn bench(slow_start: u64, n: usize) -> Bench {
        let slow_start = Span::from_secs(slow_start);
        let config = StrategyConfig::AwsAlbRoundRobin(Config { slow_start });
        Bench::of(&config, &vec![1; n])
    }

    fn hits(bench: &mut Bench, picks: u32) -> Vec<u32> {
        let mut hits = vec![0; bench.pool().len()];
        for who in 0..picks {
            hits[bench.pick(who) as usize] += 1;
        }
        hits
    }

    #[test]
    fn targets_come_in_turn() {
        let mut bench = bench(0, 5);
        let first = bench.pick(0);
        for turn in 1..20 {
            assert_eq!(bench.pick(turn), (first + turn) % 5);
        }
    }

    #[test]
    fn a_share_grows_linearly_in_slow_start() {
        let mut bench = bench(100, 3);
        bench.set_eligible(2, false);
        bench.set_eligible(2, true);
        assert_eq!(hits(&mut bench, 200), [100, 100, 0]);
        bench.wait(Span::from_secs(25));
        assert_eq!(hits(&mut bench, 900), [400, 400, 100]);
        bench.wait(Span::from_secs(50));
        assert_eq!(hits(&mut bench, 1100), [400, 400, 300]);
        bench.wait(Span::from_secs(25));
        assert_eq!(hits(&mut bench, 900), [300, 300, 300]);
    }

    #[test]
    fn without_a_warm_target_there_is_no_slow_start() {
        let mut bench = bench(100, 2);
        bench.set_eligible(0, false);
        bench.set_eligible(0, true);
        // The warm one leaves: the one in slow start takes everything.
        bench.set_eligible(1, false);
        assert_eq!(hits(&mut bench, 10), [10, 0]);
        // All fail: both serve, and the first to be back serves alone at once.
        bench.set_eligible(0, false);
        assert_eq!(hits(&mut bench, 10), [5, 5]);
        bench.set_eligible(1, true);
        assert_eq!(hits(&mut bench, 10), [0, 10]);
    }
}
