//! Sends a request to the member to which the way is shortest; among several as near, to each in
//! turn. How long ways are, `ways` of the network and the delays of zones say: on average, as a
//! table of them would.
//!
//! **Sees:** the mean length of its own ways, who is eligible.
//! **Cost of a pick:** constant where somebody near is eligible.
//! **Fails when:** most of those who ask are near to one member: it gets them all, whatever it can
//! do. It never spills over to who is further away as long as one near member is thought to be
//! well.
//! **Source:** routing by latency, as name servers do it (AWS Route 53: latency-based routing) and
//! as anycast does it by hops: Partridge, Mendez and Milliken, "Host anycasting service", RFC 1546,
//! 1993.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rings::Rings;
use crate::strategy::{Candidates, Context, MemberId, News, Pool, Request, Rule};

/// Settings of `nearest`: it has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// Members in rings, the nearest first.
#[derive(Clone, Debug)]
pub struct Nearest {
    rings: Rings,
}

impl News for Nearest {
    const GOES_BY_PLACE: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn ranks(_: &Config, pool: &Pool) -> Vec<Option<u64>> {
        let members = 0..pool.len() as MemberId;
        members
            .map(|member| Some(pool.way(member).nanos()))
            .collect()
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        Nearest {
            rings: Rings::new(&Nearest::ranks(config, cx.pool)),
        }
    }
}

impl Rule for Nearest {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        _: &mut Context<'_>,
    ) -> MemberId {
        self.rings.pick(&candidates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::{Member, Request};
    use lbsim_engine::rng::Domain;
    use lbsim_engine::rng::Seeds;
    use lbsim_engine::time::{Span, Time};

    #[test]
    fn the_near_take_turns_and_the_far_stand_in() {
        let members = (0..4).map(|position| Member::new(position, 1)).collect();
        let ways = [9, 2, 2, 5].map(Span::from_millis);
        let mut pool = Pool::new(members).reached_by(ways.to_vec());
        let mut rng = Seeds::new(1, 0).stream(Domain::Strategy, 0);
        let mut ask = |rule: &mut Option<Nearest>, pool: &Pool| {
            let mut cx = Context {
                now: Time::ZERO,
                pool,
                balancer: 0,
                rng: &mut rng,
                probes: &mut Vec::new(),
            };
            let rule = rule.get_or_insert_with(|| Nearest::new(&Config {}, &mut cx));
            rule.pick(Request::UNSEEN, Candidates::new(pool, &[]), &mut cx)
        };
        let mut rule = None;
        let picks: Vec<MemberId> = (0..4).map(|_| ask(&mut rule, &pool)).collect();
        assert_eq!(picks, [1, 2, 1, 2]);
        pool.set_eligible(1, false);
        assert_eq!(ask(&mut rule, &pool), 2);
        pool.set_eligible(2, false);
        assert_eq!(ask(&mut rule, &pool), 3);
        pool.set_eligible(3, false);
        assert_eq!(ask(&mut rule, &pool), 0);
    }
}
