//! Draws a healthy target at random; with `anomaly-mitigation`, those with more errors than their
//! peers are drawn less often. This is an AWS Application Load Balancer with `weighted_random`, and
//! its automatic target weights.
//!
//! Without it, all healthy targets are drawn alike: an operator gives them no weights. With it,
//! where three targets or more are healthy, the share of errors of each (connection errors,
//! timeouts, answers of a full server) is compared with that of the others every few seconds. One
//! that stands out loses half of its weight, down to a hundredth; one that no longer does regains a
//! tenth of its full weight at a time. Where no target is healthy, all get requests ("fail open").
//! Each node of the load balancer counts by itself: model a load balancer of several nodes as
//! several balancers.
//!
//! **Sees:** its own answers and how they ended, who is healthy.
//! **Cost of a pick:** the logarithm of the number of targets; once in ten seconds, linear.
//! **Fails when:** all targets fail alike, since they are compared with each other; errors are due
//! to the requests and not to the target; load is low, and there is little to compare.
//! **Source:** AWS, "Edit target group attributes for your Application Load Balancer" (routing
//! algorithms, automatic target weights), Elastic Load Balancing user guide, 2024; "Improving
//! availability with Application Load Balancer automatic target weights", AWS blog, 2023.
//! **Differs:** from weighted random by finding weights itself. What counts as standing out, and
//! how fast weights fall and rise, is not published: the numbers above are of this simulator, and a
//! target stands out where a comparison of two proportions is 3 standard errors off. The load
//! balancer tries no second target by itself, so a retry is a new request. Where it fails open,
//! targets that are drained or disabled get requests, too.
//! **Verified:** documented only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::targets::Targets;
use crate::strategy::index::Cumulative;
use crate::strategy::{Answer, Context, MemberId, News, Outcome, Pick, Product, Request};
use lbsim_engine::rng::number_below;
use lbsim_engine::time::{Span, Time};

/// Settings of `aws-alb-weighted-random`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether targets with more errors than their peers get fewer requests.
    pub anomaly_mitigation: bool,
}

/// The weight of a target that does not stand out.
const FULL: u64 = 100;
/// The weight that is left to any.
const LEAST: u64 = 1;
/// What a target regains at a time.
const REGAINED: u64 = 10;
/// How often targets are compared.
const INTERVAL: Span = Span::from_secs(10);
/// A target with fewer answers is not judged yet.
const ANSWERS: u32 = 10;
/// Standard errors from its peers at which a target stands out.
const STANDS_OUT: f64 = 3.0;
/// Healthy targets below which none is compared.
const HEALTHY: usize = 3;

/// Targets at random, by weights found from errors.
#[derive(Clone, Debug)]
pub struct AwsAlbWeightedRandom {
    mitigates: bool,
    targets: Targets,
    weights: Cumulative,
    /// By target.
    records: Vec<Record>,
    judged: Time,
}

/// What is known of a target.
#[derive(Clone, Copy, Debug)]
struct Record {
    weight: u64,
    /// Answers since it was last judged, and errors among them.
    answers: u32,
    errors: u32,
}

const NEW: Record = Record {
    weight: FULL,
    answers: 0,
    errors: 0,
};

/// Whether the share of `errors` among `answers` is greater than that of the others by more than
/// chance.
fn stands_out(errors: u32, answers: u32, other_errors: u64, other_answers: u64) -> bool {
    let (own, others) = (f64::from(answers), other_answers as f64);
    if other_answers == 0 {
        return false;
    }
    let pooled = (f64::from(errors) + other_errors as f64) / (own + others);
    let error = (pooled * (1.0 - pooled) * (1.0 / own + 1.0 / others)).sqrt();
    f64::from(errors) / own - other_errors as f64 / others > STANDS_OUT * error
}

impl AwsAlbWeightedRandom {
    /// Compares the targets, where there are enough, and weighs them anew.
    fn judge(&mut self) {
        let serving = self.targets.serving();
        let comparable = serving.len() >= HEALTHY && !self.targets.fails_open();
        let sum = |count: fn(&Record) -> u32| -> u64 {
            serving
                .iter()
                .map(|&target| u64::from(count(&self.records[target as usize])))
                .sum()
        };
        let (all_answers, all_errors) = (sum(|record| record.answers), sum(|record| record.errors));
        for &target in serving {
            let record = &mut self.records[target as usize];
            let Record {
                answers, errors, ..
            } = *record;
            if !comparable {
                *record = NEW;
            } else if answers >= ANSWERS {
                let other_errors = all_errors - u64::from(errors);
                let other_answers = all_answers - u64::from(answers);
                let weight = if stands_out(errors, answers, other_errors, other_answers) {
                    (record.weight / 2).max(LEAST)
                } else {
                    (record.weight + REGAINED).min(FULL)
                };
                *record = Record { weight, ..NEW };
            }
            self.weights.set(target, record.weight);
        }
    }

    fn changed(&mut self, member: MemberId, cx: &Context<'_>) {
        for target in self.targets.changed(member, cx) {
            let serves = self.targets.serving().contains(&target);
            self.records[target as usize] = NEW;
            self.weights.set(target, if serves { FULL } else { 0 });
        }
    }
}

impl News for AwsAlbWeightedRandom {
    type Config = Config;

    fn notices_failures(config: &Config) -> bool {
        config.anomaly_mitigation
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut weights = Cumulative::new(cx.pool.len());
        for &target in cx.pool.eligible() {
            weights.set(target, FULL);
        }
        AwsAlbWeightedRandom {
            mitigates: config.anomaly_mitigation,
            targets: Targets::new(cx),
            weights,
            records: vec![NEW; cx.pool.len()],
            judged: cx.now,
        }
    }

    fn answered(&mut self, answer: &Answer, _: &mut Context<'_>) {
        let record = &mut self.records[answer.member as usize];
        if answer.outcome == Outcome::Cancelled {
            return;
        }
        record.answers += 1;
        record.errors += u32::from(answer.outcome != Outcome::Success);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }

    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }
}

impl Product for AwsAlbWeightedRandom {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if self.mitigates && cx.now.since(self.judged) >= INTERVAL {
            self.judged = cx.now;
            self.judge();
        }
        if self.weights.total() == 0 {
            return Pick::Nobody;
        }
        let height = number_below(cx.rng, self.weights.total());
        Pick::Member(self.weights.find(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategyConfig;
    use crate::strategy::contract::Bench;

    fn bench(anomaly_mitigation: bool, n: usize) -> Bench {
        let config = StrategyConfig::AwsAlbWeightedRandom(Config { anomaly_mitigation });
        Bench::of(&config, &vec![1; n])
    }

    /// What each target gets of 2,000 requests in 10 seconds, where target 0 fails `errors` of 100
    /// and the others 2.
    fn interval(bench: &mut Bench, errors: u32) -> Vec<u32> {
        bench.wait(INTERVAL);
        let mut hits = vec![0; bench.pool().len()];
        for who in 0..2000 {
            let target = bench.pick(who);
            let hit = &mut hits[target as usize];
            *hit += 1;
            let fails = *hit % 100 < if target == 0 { errors } else { 2 };
            bench.send_at_once(target);
            let outcome = if fails {
                Outcome::Failure
            } else {
                Outcome::Success
            };
            bench.answer(target, outcome, Span::ZERO);
        }
        hits
    }

    #[test]
    fn who_errs_more_than_its_peers_gets_less_and_comes_back_bit_by_bit() {
        let mut bench = bench(true, 4);
        let before = interval(&mut bench, 50);
        assert!(before[0] > 400);
        let mut share = before[0];
        for _ in 0..5 {
            let less = interval(&mut bench, 50)[0];
            assert!(less < share * 3 / 4, "{less} after {share}");
            share = less;
        }
        // 100, 50, 25, 12, 6, 3, and now back: 13, 23, and so on.
        assert!(share < 60, "{share}");
        let back: Vec<u32> = (0..14).map(|_| interval(&mut bench, 2)[0]).collect();
        assert!(
            back[1] > share && back[4] > back[1] && back[13] > 400,
            "{back:?}"
        );
        assert!(back[3] < 300, "{back:?}");
    }

    #[test]
    fn two_targets_are_not_compared_nor_any_without_mitigation() {
        for (mitigates, n, expected) in [(true, 2, 1000), (false, 4, 500)] {
            let mut bench = bench(mitigates, n);
            interval(&mut bench, 100);
            let share = interval(&mut bench, 100)[0];
            // 4.5 standard deviations.
            assert!(share.abs_diff(expected) < 101, "{share}");
        }
    }

    #[test]
    fn chance_is_no_anomaly() {
        assert!(!stands_out(3, 100, 6, 300));
        assert!(stands_out(30, 100, 6, 300));
        assert!(!stands_out(0, 10, 0, 30));
        assert!(!stands_out(10, 10, 30, 30));
    }
}
