//! Probes a few random members with each request, and sends it, by the probes answered lately, to
//! the member with the least latency among those that are not busier than usual.
//!
//! A probe says how many requests the server has in flight and how long those took that found as
//! many. The last answers stand in a small pool. A member is *hot* when it has more requests in
//! flight than `hot-quantile` of the answers of late. Of the cold ones in the pool the one with the
//! least latency is picked; where all are hot, the one with the fewest requests in flight.
//!
//! **Sees:** answers to its own probes, as old as they are; its own sends since, which it adds.
//! **Cost of a pick:** constant: a pass over the pool of probes.
//! **Fails when:** requests are so few that all probes in the pool are too old: it picks at random
//! then. Costs `probe-rate` probes a request.
//! **Source:** Wydrowski, Kleinberg, Rumble and Archer, "Load is not what you should balance:
//! introducing Prequal", NSDI 2024, section 4, with the defaults given there. A probe of a member
//! replaces its earlier one in the pool. Probes of idle times are left out.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Probe, Request, Rule};
use lbsim_engine::rng::{below, uniform};
use lbsim_engine::time::{Span, Time};

/// Settings of `prequal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Probes sent with each request.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub probe_rate: f64,
    /// Answers kept at most.
    #[schemars(range(min = 2, max = 1000))]
    pub pool_size: u32,
    /// How long an answer is of use.
    pub age_limit: Span,
    /// Answers dropped with each request, by turns the worst and the oldest.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub remove_rate: f64,
    /// By how much answers may be used more often than they come: the paper's δ.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub slack: f64,
    /// A member is hot when it has more requests in flight than this share of the answers of late;
    /// with 0 only requests in flight count, with 1 only latency.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub hot_quantile: f64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            probe_rate: 3.0,
            pool_size: 16,
            age_limit: Span::from_secs(1),
            remove_rate: 1.0,
            slack: 1.0,
            // 2 to the power of -1/4.
            hot_quantile: 0.8409,
        }
    }
}

/// Answers from which the quantile is taken.
const RECENT: usize = 128;

/// Members with more requests in flight are told apart no further.
const MOST: u32 = 4096;

/// Fewer answers than this say too little.
const ENOUGH: usize = 2;

/// Picks by the answers to probes.
#[derive(Clone, Debug)]
pub struct Prequal {
    config: Config,
    /// Answers to probes, the oldest first.
    pool: VecDeque<Reply>,
    /// Requests in flight in the answers of late, at most [`MOST`], and how often each number is
    /// among them.
    recent: VecDeque<u32>,
    counts: Vec<u32>,
    /// Probes and removals that are due, with their fractions.
    probes_due: f64,
    removals_due: f64,
    /// Whether the one dropped last was the oldest; by turns it is the worst.
    drops_oldest: bool,
}

/// The answer to a probe.
#[derive(Clone, Copy, Debug)]
struct Reply {
    member: MemberId,
    in_flight: u32,
    latency: Span,
    at: Time,
    uses_left: u32,
}

impl Prequal {
    /// How many requests in flight are still cold.
    fn threshold(&self) -> u32 {
        let rank = (self.config.hot_quantile * self.recent.len() as f64).ceil() as u32;
        let mut passed = 0;
        let reaches = |&count: &u32| {
            passed += count;
            passed >= rank.max(1)
        };
        let at = self.counts.iter().position(reaches);
        at.map_or(u32::MAX, |in_flight| in_flight as u32)
    }

    /// The order of preference: cold before hot, the cold by latency, the hot by requests in
    /// flight.
    fn rank(reply: &Reply, threshold: u32) -> (bool, u64) {
        if reply.in_flight > threshold {
            (true, u64::from(reply.in_flight))
        } else {
            (false, reply.latency.nanos())
        }
    }

    /// How often an answer may be used, where `members` could be probed: b_reuse of the paper, its
    /// fraction rounded by chance, so that it is right on average.
    fn uses(&self, members: usize, chance: f64) -> u32 {
        let missing = 1.0 - f64::from(self.config.pool_size) / members as f64;
        let gained = missing * self.config.probe_rate - self.config.remove_rate;
        if gained <= 0.0 {
            return u32::MAX;
        }
        let uses = ((1.0 + self.config.slack) / gained).max(1.0);
        (uses + chance).min(1e9) as u32
    }

    fn note(&mut self, in_flight: u32) {
        self.recent.push_back(in_flight);
        let at = in_flight as usize;
        self.counts.resize(self.counts.len().max(at + 1), 0);
        self.counts[at] += 1;
        if self.recent.len() > RECENT
            && let Some(old) = self.recent.pop_front()
        {
            self.counts[old as usize] -= 1;
        }
    }

    fn drop_one(&mut self, threshold: u32) {
        self.drops_oldest = !self.drops_oldest;
        if !self.drops_oldest {
            let all = self.pool.iter().enumerate();
            if let Some((worst, _)) = all.max_by_key(|(_, reply)| Self::rank(reply, threshold)) {
                self.pool.remove(worst);
            }
        } else {
            self.pool.pop_front();
        }
    }

    /// Asks for probes of as many different members as are due.
    fn probe(&mut self, cx: &mut Context<'_>) {
        self.probes_due += self.config.probe_rate;
        let count = self.probes_due as usize;
        self.probes_due -= count as f64;
        let eligible = cx.pool.eligible();
        let before = cx.probes.len();
        // Floyd's sampling of distinct members: one draw each, however few there are.
        for last in eligible.len().saturating_sub(count)..eligible.len() {
            let drawn = eligible[below(cx.rng, last + 1)];
            let member = if cx.probes[before..].contains(&drawn) {
                eligible[last]
            } else {
                drawn
            };
            cx.probes.push(member);
        }
    }
}

impl News for Prequal {
    const PROBES: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, _: &mut Context<'_>) -> Self {
        Prequal {
            config: config.clone(),
            pool: VecDeque::new(),
            recent: VecDeque::new(),
            counts: Vec::new(),
            probes_due: 0.0,
            removals_due: 0.0,
            drops_oldest: true,
        }
    }

    fn sent(&mut self, member: MemberId, _: &mut Context<'_>) {
        for reply in self.pool.iter_mut().filter(|reply| reply.member == member) {
            reply.in_flight += 1;
        }
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        if !cx.pool.is_eligible(member) {
            self.pool.retain(|reply| reply.member != member);
        }
    }

    fn probed(&mut self, member: MemberId, probe: &Probe, cx: &mut Context<'_>) {
        if !cx.pool.is_eligible(member) {
            return;
        }
        self.note(probe.in_flight.min(MOST));
        self.pool.retain(|reply| reply.member != member);
        if self.pool.len() >= self.config.pool_size as usize {
            self.pool.pop_front();
        }
        let uses_left = self.uses(cx.pool.eligible().len(), uniform(cx.rng));
        self.pool.push_back(Reply {
            member,
            in_flight: probe.in_flight,
            latency: probe.latency,
            at: cx.now,
            uses_left,
        });
    }
}

impl Rule for Prequal {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        while self
            .pool
            .front()
            .is_some_and(|oldest| oldest.at + self.config.age_limit < cx.now)
        {
            self.pool.pop_front();
        }
        let threshold = self.threshold();
        let of_use = |(_, reply): &(usize, &Reply)| candidates.contains(reply.member);
        let replies = self.pool.iter().enumerate().filter(of_use);
        let best = (replies.clone())
            .min_by_key(|(_, reply)| Self::rank(reply, threshold))
            .map(|(at, _)| at)
            .filter(|_| replies.count() >= ENOUGH);
        let picked = match best {
            Some(at) => {
                let reply = &mut self.pool[at];
                reply.uses_left -= 1;
                let member = reply.member;
                if reply.uses_left == 0 {
                    self.pool.remove(at);
                }
                member
            }
            None => candidates.draw(cx.rng),
        };
        self.removals_due += self.config.remove_rate;
        while self.removals_due >= 1.0 {
            self.removals_due -= 1.0;
            self.drop_one(threshold);
        }
        self.probe(cx);
        picked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    fn probe(bench: &mut Bench, member: MemberId, in_flight: u32, millis: u64) {
        let latency = Span::from_millis(millis);
        bench.probe(member, Probe { in_flight, latency });
    }

    fn without_removal() -> Config {
        Config {
            remove_rate: 0.0,
            probe_rate: 1.0,
            ..Config::default()
        }
    }

    #[test]
    fn the_quickest_of_the_cold_goes_first_and_the_idlest_of_the_hot() {
        let mut bench = Bench::of(
            &crate::strategy::StrategyConfig::Prequal(without_removal()),
            &[1; 40],
        );
        for _ in 0..30 {
            probe(&mut bench, 9, 2, 50);
        }
        probe(&mut bench, 1, 2, 30);
        probe(&mut bench, 2, 0, 40);
        probe(&mut bench, 3, 9, 1);
        assert_eq!(bench.pick(0), 1);
        // Its own sends count: 1 becomes hot, then 2 is the quickest of the cold.
        bench.send(1);
        assert_eq!(bench.pick(0), 2);
    }

    #[test]
    fn the_answer_of_a_member_that_was_tried_is_kept() {
        let config = crate::strategy::StrategyConfig::Prequal(without_removal());
        let mut bench = Bench::of(&config, &[1; 40]);
        for member in [1, 2, 3] {
            probe(&mut bench, member, 2, u64::from(10 * member));
        }
        assert_eq!(bench.pick_after(0, &[1]), 2);
        assert_eq!(bench.pick(0), 1);
    }

    #[test]
    fn where_all_are_hot_requests_in_flight_decide() {
        let config = Config {
            hot_quantile: 0.0,
            ..without_removal()
        };
        let mut bench = Bench::of(&crate::strategy::StrategyConfig::Prequal(config), &[1; 40]);
        probe(&mut bench, 5, 0, 99);
        probe(&mut bench, 6, 7, 1);
        probe(&mut bench, 7, 4, 50);
        bench.send(5);
        for _ in 0..9 {
            bench.send(5);
        }
        assert_eq!(bench.pick(0), 7);
    }

    #[test]
    fn old_answers_are_of_no_use() {
        let mut bench = Bench::new("prequal", &[1; 40]);
        probe(&mut bench, 1, 0, 1);
        probe(&mut bench, 2, 0, 2);
        bench.wait(Span::from_millis(1100));
        let picks: Vec<MemberId> = (0..200).map(|_| bench.pick(0)).collect();
        assert!(picks.iter().any(|&member| member > 2));
    }

    /// With the paper's defaults and 100 members: b_reuse = 2 / ((1 - 0.16) 3 - 1) = 1.32.
    #[test]
    fn answers_are_used_as_often_as_the_paper_says() {
        let bench = Bench::new("prequal", &[1; 100]);
        let crate::strategy::Strategy::Prequal(rule) = bench.strategy() else {
            panic!("another rule");
        };
        let mean: f64 = (0..1000)
            .map(|i| f64::from(rule.uses(100, f64::from(i) / 1000.0)))
            .sum::<f64>()
            / 1000.0;
        assert!((mean - 2.0 / 1.52).abs() < 0.01, "{mean}");
        assert_eq!(rule.uses(10, 0.0), u32::MAX);
    }
}
