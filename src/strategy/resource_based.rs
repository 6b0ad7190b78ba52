//! Sends requests where the monitoring agents report free resources: each member is drawn in proportion to its
//! weight and to the share of CPU or memory, whichever is scarcer, that its last report left free.
//!
//! **Sees:** the agents' reports, which are as old as their interval; weights.
//! **Cost of a pick:** log n.
//! **Fails when:** reports are old: with `choice = "least"` every balancer runs to the member that
//! was idle at its last report, and buries it before the next (herding).
//! **Source:** Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000, on the herd; the rule as
//! "resource-based (adaptive)" of Kemp LoadMaster and `agent-check` of HAProxy, as documented.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::index::{Cumulative, Tournament};
use super::{Context, MemberId, News, Report, Request, Rule};
use crate::rng::below;

/// Settings of `resource-based`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How the reports decide.
    pub choice: Choice,
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
pub enum ResourceBased {
    /// Drawn by free share.
    Weighted(Cumulative, Vec<f64>),
    /// The least used.
    Least(Tournament, Vec<f64>),
}

/// Even a member that reports itself full keeps this free share: a rule that starves a member on old news
/// would never see it recover in a pool where all are full.
const LEAST_FREE: f64 = 0.01;

impl ResourceBased {
    fn rank(&mut self, member: MemberId, cx: &Context<'_>) {
        let (eligible, weight) = (cx.pool.is_eligible(member), cx.pool.weight(member));
        match self {
            ResourceBased::Weighted(cumulative, used) => {
                let free = (1.0 - used[member as usize]).max(LEAST_FREE);
                // Shares in millionths of a unit of weight.
                let ticket = (f64::from(weight) * free * 1e6) as u64;
                cumulative.set(member, if eligible { ticket } else { 0 });
            }
            ResourceBased::Least(tournament, used) if eligible => {
                tournament.set(member, used[member as usize], weight);
            }
            ResourceBased::Least(tournament, _) => tournament.remove(member),
        }
    }
}

impl News for ResourceBased {
    type Config = Config;

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let n = cx.pool.len();
        let unused = vec![0.0; n];
        let mut rule = match config.choice {
            Choice::Weighted => ResourceBased::Weighted(Cumulative::new(n), unused),
            Choice::Least => ResourceBased::Least(Tournament::new(n), unused),
        };
        for &member in cx.pool.eligible() {
            rule.rank(member, cx);
        }
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.rank(member, cx);
    }

    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
        let (ResourceBased::Weighted(_, used) | ResourceBased::Least(_, used)) = self;
        used[member as usize] = report.cpu.max(report.memory);
        self.rank(member, cx);
    }
}

impl Rule for ResourceBased {
    const READS_REPORTS: bool = true;

    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> MemberId {
        match self {
            ResourceBased::Weighted(cumulative, _) => {
                cumulative.find(below(cx.rng, cumulative.total() as usize) as u64)
            }
            ResourceBased::Least(tournament, _) => tournament.least(cx.rng),
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
            },
        );
        bench.report(
            1,
            Report {
                cpu: 0.2,
                memory: 0.8,
            },
        );
        let hits = (0..40_000).filter(|_| bench.pick(0) == 0).count();
        // 60 free against 20 free: 30,000 expected; 4.5 standard deviations are 390 (false alarm 7e-6).
        assert!(hits.abs_diff(30_000) < 390, "{hits}");
    }
}
