//! Maps the key to a member by a formula that needs no memory, and moves only the keys that it must
//! when members join or leave at the end of the list. The keys of a member that is out are hashed
//! again.
//!
//! **Sees:** the key, who is eligible. Weights do not count.
//! **Cost of a pick:** about ln n steps; as many again for each member met that is out.
//! **Fails when:** keys are hot; servers differ in size; one that is not the last leaves for good:
//! it still has its number.
//! **Source:** Lamping and Veach, "A fast, minimal memory, consistent hash algorithm", arXiv
//! 1406.2294, 2014. What becomes of the keys of a member that is out the paper leaves open. The
//! formula takes a hash of the key, which is drawn anew in each replication. The formula equals the
//! values published with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::hash::jump::jump;
use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};
use lbsim_engine::rng::mix;

/// Settings of `jump-hash`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// How often a key is hashed again before the next eligible member takes it.
const TRIES: u32 = 64;

/// A formula over the key.
#[derive(Clone, Debug)]
pub struct JumpHash;

impl News for JumpHash {
    const PLACES: bool = true;
    type Config = Config;

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn heeds_key(_: &Config) -> bool {
        true
    }

    fn new(_: &Config, _: &mut Context<'_>) -> Self {
        JumpHash
    }
}

impl Rule for JumpHash {
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let members = cx.pool.len() as u32;
        let mut key = mix(cx.pool.placement() ^ mix(request.key.word()));
        for _ in 0..TRIES {
            let member = jump(key, members);
            if candidates.contains(member) {
                return member;
            }
            key = mix(key);
        }
        candidates.next(jump(key, members))
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::contract::Bench;

    #[test]
    fn only_the_keys_of_members_that_are_out_move() {
        let mut bench = Bench::new("jump-hash", &[1; 10]);
        let before: Vec<_> = (0..2000).map(|key| bench.pick(key)).collect();
        for out in 0..9 {
            bench.set_eligible(out, false);
            for key in 0..2000 {
                let member = bench.pick(key);
                let own = before[key as usize];
                assert!(member > out && (own <= out || member == own));
            }
        }
    }
}
