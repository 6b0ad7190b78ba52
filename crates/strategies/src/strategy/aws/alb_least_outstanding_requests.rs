//! Sends each request to a healthy target with the fewest requests in flight. This is an AWS
//! Application Load Balancer with `least_outstanding_requests`.
//!
//! Where no target is healthy, all get requests ("fail open"). Each node of the load balancer
//! counts its own requests: model a load balancer of several nodes as several balancers.
//!
//! **Sees:** its own requests in flight, who is healthy.
//! **Cost of a pick:** constant.
//! **Fails when:** targets are unlike in size, for they have no weights; a target fails fast: it
//! has the fewest requests in flight and attracts them all; slow start cannot be had with it, so
//! that a new target gets every request until it has as many as the others.
//! **Source:** AWS, "Edit target group attributes for your Application Load Balancer" (routing
//! algorithms), Elastic Load Balancing user guide, 2024.
//! **Differs:** from least connections by ignoring weights and by failing open. How ties are broken
//! is not published: here at random. The load balancer tries no second target by itself, so a retry
//! is a new request. Where it fails open, targets that are drained or disabled get requests, too.
//! **Verified:** documented only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::targets::Targets;
use crate::strategy::index::Levels;
use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Request};

/// Settings of `aws-alb-least-outstanding-requests`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// The target with the fewest requests in flight.
#[derive(Clone, Debug)]
pub struct AwsAlbLeastOutstandingRequests {
    targets: Targets,
    levels: Levels,
}

impl AwsAlbLeastOutstandingRequests {
    fn changed(&mut self, member: MemberId, cx: &Context<'_>) {
        for target in self.targets.changed(member, cx) {
            let serves = self.targets.serving().contains(&target);
            self.levels.set_taking_part(target, serves);
        }
    }
}

impl News for AwsAlbLeastOutstandingRequests {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        AwsAlbLeastOutstandingRequests {
            targets: Targets::new(cx),
            levels: Levels::new(cx.pool.len()),
        }
    }

    fn foresee(&self, member: MemberId) {
        self.levels.foresee(member);
    }

    fn sent(&mut self, member: MemberId, _: &mut Context<'_>) {
        self.levels.increase(member);
    }

    fn answered(&mut self, answer: &Answer, _: &mut Context<'_>) {
        self.levels.decrease(answer.member);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }

    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }
}

impl Product for AwsAlbLeastOutstandingRequests {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if self.targets.serving().is_empty() {
            return Pick::Nobody;
        }
        Pick::Member(self.levels.least(cx.rng))
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::contract::Bench;

    #[test]
    fn the_fewest_in_flight_go_first_and_where_none_is_healthy_all_serve() {
        let mut bench = Bench::new("aws-alb-least-outstanding-requests", &[9, 1, 1, 1]);
        for round in 1..4 {
            for _ in 0..4 {
                let target = bench.pick(0);
                bench.send(target);
            }
            assert!((0..4).all(|target| bench.pool().in_flight(target) == round));
        }
        for target in 0..4 {
            bench.set_eligible(target, false);
        }
        bench.answer(
            2,
            crate::strategy::Outcome::Success,
            lbsim_engine::time::Span::ZERO,
        );
        assert_eq!(bench.pick(0), 2);
        bench.set_eligible(3, true);
        assert_eq!(bench.pick(0), 3);
    }
}
