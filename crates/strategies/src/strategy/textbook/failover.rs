//! Sends all requests to the first member that gets any, in the order of the scenario: one serves,
//! the others stand by. When it is back it takes over again.
//!
//! **Sees:** who is eligible.
//! **Cost of a pick:** constant.
//! **Fails when:** one member cannot do the work of all; and for as long as nobody has noticed that
//! it is gone. What the one that takes over has not been told (connections, counts, tables) is
//! lost.
//! **Source:** active and standby: Hinden, "Virtual Router Redundancy Protocol (VRRP)", RFC 3768,
//! 2004 (with preemption); the failover policy of name servers (AWS Route 53: failover routing).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, Member, MemberId, News, Request, Rule, standby};

/// Settings of `failover`: it has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// The first of all.
#[derive(Clone, Debug)]
pub struct Failover;

impl News for Failover {
    type Config = Config;

    fn in_charge(_: &Config, members: &[Member]) -> Vec<bool> {
        standby::first(members, 1)
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, _: &mut Context<'_>) -> Self {
        Failover
    }
}

impl Rule for Failover {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        _: &mut Context<'_>,
    ) -> MemberId {
        candidates.next(0)
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::contract::Bench;

    #[test]
    fn the_next_serves_while_the_first_is_gone() {
        let mut bench = Bench::new("failover", &[1; 3]);
        assert_eq!(bench.pick(0), 0);
        bench.set_eligible(0, false);
        assert_eq!(bench.pick(1), 1);
        assert_eq!(bench.pick_after(2, &[1]), 2);
        bench.set_eligible(0, true);
        assert_eq!(bench.pick(3), 0);
    }
}
