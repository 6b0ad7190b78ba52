//! Gives each pair of key and member a score by hash; a request goes to the eligible member with
//! the highest score for its key. When a member leaves or joins, only its own keys move, to all
//! others evenly.
//!
//! **Sees:** the key, who is eligible, weights.
//! **Cost of a pick:** n: the rule's own scan of all members.
//! **Fails when:** keys are hot; members are many.
//! **Source:** Thaler and Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM
//! Transactions on Networking 6(1), 1998 (highest random weight); with weights by -w/ln(u), u
//! uniform by hash (Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005).
//! The hash function is drawn anew in each replication.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};
use lbsim_engine::rng::mix;

/// Settings of `rendezvous-hashing`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

/// The highest score.
#[derive(Clone, Debug)]
pub struct RendezvousHashing;

/// A number in (0, 1) that belongs to a key and a member.
fn uniform(key: u64, member: MemberId, salt: u64) -> f64 {
    const MEMBER: u64 = 0x006d_656d_6265_7273;
    let word = mix(mix(key) ^ mix(MEMBER ^ salt ^ u64::from(member)));
    ((word >> 12) as f64 + 0.5) / (1u64 << 52) as f64
}

impl News for RendezvousHashing {
    const HEEDS_WEIGHTS: bool = true;
    const PLACES: bool = true;
    type Config = Config;

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn heeds_key(_: &Config) -> bool {
        true
    }

    fn new(_: &Config, _: &mut Context<'_>) -> Self {
        RendezvousHashing
    }
}

impl Rule for RendezvousHashing {
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let (key, salt) = (request.key.word(), cx.pool.placement());
        let mut best = (f64::NEG_INFINITY, MemberId::MAX);
        for member in candidates.iter() {
            let score = -f64::from(cx.pool.weight(member)) / libm::log(uniform(key, member, salt));
            // Of equal scores the first member's counts: the list of the eligible has no order.
            if score > best.0 || score == best.0 && member < best.1 {
                best = (score, member);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::contract::Bench;

    /// The keys of the one that left go to the others by their weights: 4.5 standard deviations.
    #[test]
    fn shares_follow_weights_before_and_after_a_member_leaves() {
        let weights = [4u32, 1, 3, 2];
        let mut bench = Bench::new("rendezvous-hashing", &weights);
        let before: Vec<u32> = (0..40_000).map(|key| bench.pick(key)).collect();
        bench.set_eligible(0, false);
        let after: Vec<u32> = (0..40_000).map(|key| bench.pick(key)).collect();
        let check = |picks: &[u32], total: u32, out: bool| {
            for (member, &weight) in (0..).zip(&weights).skip(usize::from(out)) {
                let hits = picks.iter().filter(|&&pick| pick == member).count() as f64;
                let p = f64::from(weight) / f64::from(total);
                let n = picks.len() as f64;
                assert!((hits - p * n).abs() < 4.5 * (n * p * (1.0 - p)).sqrt());
            }
        };
        check(&before, 10, false);
        let (mut kept, mut moved) = (0, Vec::new());
        for (&old, &new) in before.iter().zip(&after) {
            if old == 0 {
                moved.push(new);
            } else {
                kept += u32::from(old == new);
            }
        }
        assert_eq!(kept as usize + moved.len(), 40_000);
        check(&moved, 6, true);
    }
}
