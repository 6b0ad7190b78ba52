//! Sends each request to the server that would complete it first, given what that server has to do
//! and how fast it is; ties at random. An oracle: it knows the size of every request and the speed
//! of every server.
//!
//! `least-work-left` looks at waiting only; this rule adds the time that the request itself takes,
//! which differs where servers do.
//!
//! **Sees:** when each server would give the request a slot, and how long it takes there at the
//! server's present speed, both exact where servers have one slot or many and work first come,
//! first served. The way over the network does not count.
//! **Cost of a pick:** n: a look at every server.
//! **Fails when:** it is greedy, and no bound: a fast server that a short request takes now is
//! missed by a long one later. Under processor sharing and last come, first served a request does
//! not wait as is foreseen; with attempts that are cancelled, crashes and changes of speed the
//! forecast is off until the server is idle once.
//! **Source:** minimum completion time: Ibarra and Kim, "Heuristic algorithms for scheduling
//! independent tasks on nonidentical processors", JACM 24(2), 1977; Maheswaran et al., "Dynamic
//! mapping of a class of independent tasks onto heterogeneous computing systems", JPDC 59(2), 1999.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Oracle, Request, Truth};
use lbsim_engine::rng::below;
use lbsim_engine::time::Time;

/// Settings of `earliest-completion`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// The first to be done.
#[derive(Clone, Debug)]
pub struct EarliestCompletion;

impl News for EarliestCompletion {
    const FORESEES: bool = true;

    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, _: &mut Context<'_>) -> Self {
        EarliestCompletion
    }
}

impl Oracle for EarliestCompletion {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        truth: Truth<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let mut best = (Time::NEVER, candidates.get(0));
        let mut tied = 0;
        for member in candidates.iter() {
            let at = member as usize;
            let done = truth.starts_at[at].max(cx.now) + truth.takes[at];
            if done < best.0 {
                best = (done, member);
                tied = 1;
            } else if done == best.0 {
                // Each of those seen so far is kept with the same chance.
                tied += 1;
                if below(cx.rng, tied) == 0 {
                    best.1 = member;
                }
            }
        }
        best.1
    }
}
