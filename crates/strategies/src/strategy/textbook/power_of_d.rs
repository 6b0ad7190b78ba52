//! Draws d members at random and sends the request to the one of them with the fewest requests in
//! flight for its weight; the first drawn wins ties.
//!
//! **Sees:** its own requests in flight, weights.
//! **Cost of a pick:** d.
//! **Fails when:** servers are few: with three, two choices leave much on the table. Otherwise it
//! is hard to beat: it needs no index, does not herd, and copes with several balancers.
//! **Source:** Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS
//! 12(10), 2001; Vvedenskaya, Dobrushin and Karpelevich, 1996. Distinct draws by Floyd's method
//! (Bentley and Floyd, CACM 30(9), 1987).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Candidates, Context, MemberId, News, Request, Rule};
use lbsim_engine::rng::below;

/// Settings of `power-of-d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How many members are drawn.
    #[schemars(range(min = 1, max = 64))]
    pub d: u8,
    /// Whether the same member may be drawn twice.
    pub replacement: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            d: 2,
            replacement: false,
        }
    }
}

/// The least loaded of a few.
#[derive(Clone, Debug)]
pub struct PowerOfD {
    config: Config,
    drawn: Vec<MemberId>,
}

/// Whether `a` has fewer requests in flight for its weight than `b`.
#[inline]
fn less(a: MemberId, b: MemberId, cx: &Context<'_>) -> bool {
    let pool = cx.pool;
    u64::from(pool.in_flight(a)) * u64::from(pool.weight(b))
        < u64::from(pool.in_flight(b)) * u64::from(pool.weight(a))
}

impl News for PowerOfD {
    const HEEDS_WEIGHTS: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, _: &mut Context<'_>) -> Self {
        PowerOfD {
            config: config.clone(),
            drawn: Vec::with_capacity(usize::from(config.d)),
        }
    }
}

impl Rule for PowerOfD {
    #[inline]
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let n = candidates.len();
        let d = usize::from(self.config.d.max(1));
        if self.config.replacement {
            let mut best = candidates.draw(cx.rng);
            for _ in 1..d {
                let other = candidates.draw(cx.rng);
                if less(other, best, cx) {
                    best = other;
                }
            }
            return best;
        }
        if d == 2 && n > 1 {
            let a = below(cx.rng, n);
            let b = below(cx.rng, n - 1);
            let (a, b) = (
                candidates.get(a),
                candidates.get(if b >= a { b + 1 } else { b }),
            );
            return if less(b, a, cx) { b } else { a };
        }
        self.drawn.clear();
        for last in n - d.min(n)..n {
            let place = candidates.get(below(cx.rng, last + 1));
            self.drawn.push(if self.drawn.contains(&place) {
                candidates.get(last)
            } else {
                place
            });
        }
        // Floyd's method draws a fair set but not a fair order, and the order decides ties.
        for last in (1..self.drawn.len()).rev() {
            let other = below(cx.rng, last + 1);
            self.drawn.swap(last, other);
        }
        let (mut best, rest) = (self.drawn[0], &self.drawn[1..]);
        for &other in rest {
            if less(other, best, cx) {
                best = other;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::Config;
    use crate::strategy::StrategyConfig;
    use crate::strategy::contract::Bench;

    /// With member `m` holding `m` requests, the pick of d distinct of n is the least drawn:
    /// P(pick = m) = C(n-1-m, d-1)/C(n, d). Chi-square over 40,000 picks at 0.1%.
    #[test]
    fn draws_distinct_members_fairly() {
        for (d, expected, limit) in [
            (2, vec![4, 3, 2, 1, 0], 16.3),
            (3, vec![6, 3, 1, 0, 0], 13.8),
        ] {
            let config = Config {
                d,
                replacement: false,
            };
            let mut bench = Bench::of(&StrategyConfig::PowerOfD(config), &[1; 5]);
            for member in 0..5 {
                for _ in 0..member {
                    bench.send(member);
                }
            }
            let mut hits = [0u32; 5];
            for _ in 0..40_000 {
                hits[bench.pick(0) as usize] += 1;
            }
            let total: i32 = expected.iter().sum();
            let chi: f64 = hits
                .iter()
                .zip(&expected)
                .map(|(&hit, &share)| {
                    (
                        f64::from(hit),
                        40_000.0 * f64::from(share) / f64::from(total),
                    )
                })
                .map(|(hit, due)| {
                    if due > 0.0 {
                        (hit - due).powi(2) / due
                    } else {
                        hit * 1e9
                    }
                })
                .sum();
            assert!(chi < limit, "d = {d}: {hits:?}, chi-square {chi}");
        }
    }

    /// Of five idle members each is picked alike. Chi-square with 4 degrees of freedom at 0.1%.
    #[test]
    fn ties_are_fair() {
        for d in [1, 2, 3, 4, 5, 64] {
            let config = Config {
                d,
                replacement: false,
            };
            let mut bench = Bench::of(&StrategyConfig::PowerOfD(config), &[1; 5]);
            let mut hits = [0u32; 5];
            for _ in 0..100_000 {
                hits[bench.pick(0) as usize] += 1;
            }
            let chi: f64 = hits
                .iter()
                .map(|&hit| (f64::from(hit) - 2e4).powi(2) / 2e4)
                .sum();
            assert!(chi < 18.5, "d = {d}: {hits:?}, chi-square {chi}");
        }
    }
}
