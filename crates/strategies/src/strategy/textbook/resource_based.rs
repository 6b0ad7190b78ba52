//! Sends requests where the monitoring agents report free resources: each member is drawn in
//! proportion to its weight and to the share of CPU or memory, whichever is scarcer, that its last
//! report left free.
//!
//! **Sees:** the agents' reports, which are as old as their interval; weights.
//! **Cost of a pick:** log n.
//! **Fails when:** reports are old: with `choice = "least"` every balancer runs to the member that
//! was idle at its last report, and buries it before the next (herding).
//! **Source:** Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000, on the herd;
//! the rule as "resource-based (adaptive)" of Kemp LoadMaster and `agent-check` of HAProxy, as
//! documented.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::{Cumulative, Tournament};
use crate::strategy::{Candidates, Context, MemberId, News, Report, Request, Rule};
use lbsim_engine::rng::number_below;
use lbsim_engine::units::Share;

/// Settings of `resource-based`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How the reports decide.
    pub choice: Choice,
    /// What the newest report counts in the smoothed figure that decides; 100% takes it as it is.
    /// At load ρ, requests in proportion to free shares swing ever more widely from report to
    /// report above about 2(1−ρ).
    pub newest: Share,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            choice: Choice::Weighted,
            newest: Share::fraction(0.2),
        }
    }
}

/// How reports decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Members are drawn in proportion to weight × free share.
    #[default]
    Weighted,
    /// The member with the least used share; ties at random.
    Least,
}

/// Members by what their agents reported.
#[derive(Clone, Debug)]
pub struct ResourceBased {
    choice: Index,
    newest: f64,
    /// Smoothed share in use of the scarcer resource; `None` before the first report.
    used: Vec<Option<f64>>,
}

#[derive(Clone, Debug)]
enum Index {
    Weighted(Cumulative),
    Least(Tournament),
}

/// Even a member that reports itself full keeps this free share: a rule that starves a member on
/// old news would never see it recover in a pool where all are full.
const LEAST_FREE: f64 = 0.01;

impl ResourceBased {
    fn rank(&mut self, member: MemberId, cx: &Context<'_>) {
        let (eligible, weight) = (cx.pool.is_eligible(member), cx.pool.weight(member));
        let used = self.used[member as usize].unwrap_or(0.0);
        match &mut self.choice {
            Index::Weighted(cumulative) => {
                // Shares in millionths of a unit of weight.
                let ticket = (f64::from(weight) * (1.0 - used).max(LEAST_FREE) * 1e6) as u64;
                cumulative.set(member, if eligible { ticket } else { 0 });
            }
            Index::Least(tournament) if eligible && weight > 0 => {
                tournament.set(member, used, weight)
            }
            Index::Least(tournament) => tournament.remove(member),
        }
    }
}

impl News for ResourceBased {
    const HEEDS_WEIGHTS: bool = true;
    const READS_REPORTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let n = cx.pool.len();
        let choice = match config.choice {
            Choice::Weighted => Index::Weighted(Cumulative::new(n)),
            Choice::Least => Index::Least(Tournament::new(n)),
        };
        let mut rule = ResourceBased {
            choice,
            newest: config.newest.value().min(1.0),
            used: vec![None; n],
        };
        for &member in cx.pool.eligible() {
            rule.rank(member, cx);
        }
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.rank(member, cx);
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        self.rank(member, cx);
    }

    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
        let used = &mut self.used[member as usize];
        let now = report.cpu.max(report.memory);
        *used = Some(used.map_or(now, |before| before + self.newest * (now - before)));
        self.rank(member, cx);
    }
}

impl Rule for ResourceBased {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        match &mut self.choice {
            Index::Weighted(cumulative) => {
                cumulative.find_of(candidates, |total| number_below(cx.rng, total))
            }
            Index::Least(tournament) => tournament.least_of(candidates, cx.rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;

    #[test]
    fn draws_by_the_scarcer_resource_that_is_free() {
        let mut bench = Bench::new("resource-based", &[1, 1]);
        bench.report(
            0,
            Report {
                cpu: 0.4,
                memory: 0.1,
                in_flight: 0,
                rate: 0.0,
                errors: 0.0,
            },
        );
        bench.report(
            1,
            Report {
                cpu: 0.2,
                memory: 0.8,
                in_flight: 0,
                rate: 0.0,
                errors: 0.0,
            },
        );
        let hits = (0..40_000).filter(|_| bench.pick(0) == 0).count();
        // 60 free against 20 free: 30,000 expected; 4.5 standard deviations are 390 (false alarm
        // 7e-6).
        assert!(hits.abs_diff(30_000) < 390, "{hits}");
    }
}
