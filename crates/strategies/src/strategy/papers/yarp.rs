//! Draws two members, and takes the one with fewer requests in flight as of the last poll of its
//! monitoring agent.
//!
//! Polls count the requests of all balancers, but they are old: until the next one all balancers
//! run after the same idle servers. The paper on Prequal measures this rule as one that it
//! replaced, with a poll every 500 ms.
//!
//! **Sees:** what each server's monitoring agent said last of its requests in flight.
//! **Cost of a pick:** `choices`.
//! **Fails when:** polls are far apart beside the time that a request takes. A server that has said
//! nothing yet counts as idle.
//! **Source:** Wydrowski, Kleinberg, Rumble and Archer, "Load is not what you should balance:
//! introducing Prequal", NSDI 2024, section 5.2: "YARP-Po2C".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Report, Request, Rule};

/// Settings of `yarp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How many members are drawn; the same one may be drawn twice.
    #[schemars(range(min = 1, max = 64))]
    pub choices: u8,
}

impl Default for Config {
    fn default() -> Config {
        Config { choices: 2 }
    }
}

/// Two choices by polls.
#[derive(Clone, Debug)]
pub struct Yarp {
    choices: u8,
    /// Requests in flight, as polled last.
    polled: Vec<u32>,
}

impl News for Yarp {
    const READS_REPORTS: bool = true;

    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        Yarp {
            choices: config.choices,
            polled: vec![0; cx.pool.len()],
        }
    }

    fn reported(&mut self, member: MemberId, report: &Report, _: &mut Context<'_>) {
        self.polled[member as usize] = report.in_flight;
    }
}

impl Rule for Yarp {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let mut best = candidates.draw(cx.rng);
        for _ in 1..self.choices {
            let other = candidates.draw(cx.rng);
            if self.polled[other as usize] < self.polled[best as usize] {
                best = other;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    /// The one polled as idle is picked whenever it is drawn, in 7 of 16 cases, whatever has been
    /// sent there since.
    #[test]
    fn polls_decide_and_not_what_was_sent() {
        let mut bench = Bench::new("yarp", &[1; 4]);
        for member in 0..4 {
            let report = Report {
                cpu: 0.0,
                memory: 0.0,
                in_flight: 4 - member,
                rate: 0.0,
                errors: 0.0,
            };
            bench.report(member, report);
        }
        let mut hits = [0u32; 4];
        for who in 0..16_000 {
            let member = bench.pick(who);
            bench.send(member);
            hits[member as usize] += 1;
        }
        // 4.5 standard deviations of the largest cell are 282.
        let expected = [1000, 3000, 5000, 7000];
        assert!(
            hits.iter()
                .zip(expected)
                .all(|(hit, due)| hit.abs_diff(due) < 282),
            "{hits:?}"
        );
    }
}
