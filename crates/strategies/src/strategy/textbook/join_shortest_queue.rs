//! Sends each request to the server that truly has the fewest requests, whoever sent them; ties at
//! random. An oracle: no balancer knows this.
//!
//! **Sees:** the true number of requests at each server, abandoned ones included.
//! **Cost of a pick:** constant.
//! **Fails when:** never, as a bound on what counting can do for like servers; with unlike servers
//! or very variable work the shortest queue is not the quickest.
//! **Source:** Winston, "Optimality of the shortest line discipline", J. Appl. Prob. 14, 1977.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::Levels;
use crate::strategy::{Candidates, Context, MemberId, News, Oracle, Request, Truth};

/// Settings of `join-shortest-queue`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// Servers by the true number of requests.
#[derive(Clone, Debug)]
pub struct JoinShortestQueue {
    levels: Levels,
}

impl News for JoinShortestQueue {
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, cx: &mut Context<'_>) -> Self {
        JoinShortestQueue {
            levels: Levels::new(cx.pool.len()),
        }
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.levels
            .set_taking_part(member, cx.pool.is_eligible(member));
    }
}

impl Oracle for JoinShortestQueue {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        _: Truth<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        self.levels.least_of(candidates, cx.rng)
    }

    fn truth_changed(&mut self, member: MemberId, truth: Truth<'_>, _: &mut Context<'_>) {
        let now = truth.in_system[member as usize];
        while self.levels.count(member) < now {
            self.levels.increase(member);
        }
        while self.levels.count(member) > now {
            self.levels.decrease(member);
        }
    }
}
