//! Sends each request to the server that would be free first, were nothing more sent to it; idle
//! servers are drawn at random. An oracle: it knows the size of every request in advance.
//!
//! **Sees:** the true work left at each server; one of several slots is taken to use them all.
//! **Cost of a pick:** log n.
//! **Fails when:** never, as a bound: with one slot and first come, first served, it is the central
//! queue M/G/k sample path for sample path. It looks at waiting only, so among unlike idle servers
//! it may pick the slow one.
//! **Source:** Harchol-Balter, Crovella and Murta, "On choosing a task assignment policy for a
//! distributed server system", JPDC 59, 1999.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::Tournament;
use crate::strategy::{Candidates, Context, MemberId, News, Oracle, Request, Truth};

/// Settings of `least-work-left`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// Servers by the time at which they will be free; zero for the idle.
#[derive(Clone, Debug)]
pub struct LeastWorkLeft {
    tournament: Tournament,
    free_at: Vec<f64>,
}

impl LeastWorkLeft {
    fn rank(&mut self, member: MemberId, cx: &Context<'_>) {
        if cx.pool.is_eligible(member) {
            self.tournament
                .set(member, self.free_at[member as usize], 1);
        } else {
            self.tournament.remove(member);
        }
    }
}

impl News for LeastWorkLeft {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        let n = cx.pool.len();
        let mut rule = LeastWorkLeft {
            tournament: Tournament::new(n),
            free_at: vec![0.0; n],
        };
        for &member in cx.pool.eligible() {
            rule.rank(member, cx);
        }
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.rank(member, cx);
    }
}

impl Oracle for LeastWorkLeft {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        _: Truth<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        self.tournament.least_of(candidates, cx.rng)
    }

    fn truth_changed(&mut self, member: MemberId, truth: Truth<'_>, cx: &mut Context<'_>) {
        let idle = truth.in_system[member as usize] == 0;
        self.free_at[member as usize] = if idle {
            0.0
        } else {
            truth.free_at[member as usize].seconds()
        };
        self.rank(member, cx);
    }
}
