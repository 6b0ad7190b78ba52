//! Gives each member the requests of some range of sizes, so that small ones never wait behind
//! large ones.
//!
//! The eligible members stand in a row, each as wide as its weight: the small requests go to its
//! beginning, the large ones to its end. Without `cutoffs` the ranges are such that each member
//! gets as much work, by the sizes seen so far (SITA-E); with them the row is cut in as many equal
//! parts as there are ranges, and a request goes to a random place of its part.
//!
//! **Sees:** the size of the request, who is eligible, weights.
//! **Cost of a pick:** constant, a pass over 512 classes of size, and log n.
//! **Fails when:** sizes say little of the work; they hardly vary; load shifts between small and
//! large.
//! **Source:** Harchol-Balter, Crovella and Murta, "On choosing a task assignment policy for a
//! distributed server system", Journal of Parallel and Distributed Computing 59(2), 1999. Requests
//! in the class of sizes that a border cuts are drawn between its members.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::index::Cumulative;
use crate::strategy::{BadSetting, Candidates, Context, MemberId, News, Request, Rule};
use lbsim_engine::rng::uniform;

/// Settings of `size-interval`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Sizes at which ranges end, in rising order. Empty: ranges of equal work, by the sizes seen.
    pub cutoffs: Vec<f64>,
}

/// Classes of size for each doubling, and for how many doublings round 1.
const CLASSES_PER_DOUBLING: f64 = 8.0;
const CLASSES: usize = 512;

/// Members by the size of requests.
#[derive(Clone, Debug)]
pub struct SizeInterval {
    cutoffs: Vec<f64>,
    /// The work of the requests seen so far, by class of size.
    work: Vec<f64>,
    /// The eligible members in a row.
    row: Cumulative,
}

impl SizeInterval {
    /// Where a request belongs in the row, from 0 to 1.
    fn place(&mut self, size: f64, luck: f64) -> f64 {
        if !self.cutoffs.is_empty() {
            let range = self.cutoffs.partition_point(|&cutoff| cutoff < size);
            return (range as f64 + luck) / (self.cutoffs.len() + 1) as f64;
        }
        let class = CLASSES as f64 / 2.0 + libm::log2(size) * CLASSES_PER_DOUBLING;
        let class = (class.max(0.0) as usize).min(CLASSES - 1);
        self.work[class] += size;
        let smaller: f64 = self.work[..class].iter().sum();
        let larger: f64 = self.work[class + 1..].iter().sum();
        let own = self.work[class];
        (smaller + own * luck) / (smaller + own + larger)
    }

    fn weigh(&mut self, member: MemberId, cx: &Context<'_>) {
        let weight = match cx.pool.is_eligible(member) {
            true => cx.pool.weight(member).max(1),
            false => 0,
        };
        self.row.set(member, u64::from(weight));
    }
}

impl News for SizeInterval {
    const HEEDS_WEIGHTS: bool = true;
    type Config = Config;

    fn check(config: &Config) -> Result<(), BadSetting> {
        let fault = |message: String| {
            Err(BadSetting {
                setting: "cutoffs",
                message,
            })
        };
        let mut before = 0.0;
        for &cutoff in &config.cutoffs {
            if !(cutoff > before && cutoff.is_finite()) {
                return fault(if before == 0.0 {
                    format!("must be sizes above 0 ({cutoff} is not)")
                } else {
                    format!("must rise ({cutoff} comes after {before})")
                });
            }
            before = cutoff;
        }
        Ok(())
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = SizeInterval {
            cutoffs: config.cutoffs.clone(),
            work: vec![0.0; CLASSES],
            row: Cumulative::new(cx.pool.len()),
        };
        for &member in cx.pool.eligible() {
            rule.weigh(member, cx);
        }
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.weigh(member, cx);
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        self.weigh(member, cx);
    }
}

impl Rule for SizeInterval {
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        let luck = uniform(cx.rng);
        // A request of no size at all counts as the smallest there is.
        let size = f64::from(request.size.max(f32::MIN_POSITIVE));
        let place = self.place(size, luck);
        let height = |total: u64| ((place * total as f64) as u64).min(total - 1);
        self.row.find_of(candidates, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::Member;
    use crate::strategy::{Key, Pool, UNLABELLED};
    use lbsim_engine::rng::{Domain, Seeds};
    use lbsim_engine::time::Time;

    fn run(config: &Config, sizes: impl Iterator<Item = f32>) -> Vec<(f32, MemberId)> {
        let pool = Pool::new([1, 1, 2].map(|weight| Member::new(0, weight)).into());
        let mut rng = Seeds::new(1, 0).stream(Domain::Strategy, 0);
        let mut probes = Vec::new();
        let cx = &mut Context {
            now: Time::ZERO,
            pool: &pool,
            balancer: 0,
            rng: &mut rng,
            probes: &mut probes,
        };
        let mut rule = SizeInterval::new(config, cx);
        sizes
            .map(|size| {
                let request = Request {
                    client: Key::Number(0),
                    address: &[127, 0, 0, 1].into(),
                    port: 0,
                    key: Key::Number(0),
                    labels: UNLABELLED,
                    size,
                    tried: &[],
                };
                let candidates = Candidates::new(&pool, &[]);
                (size, rule.pick(&request, candidates, cx))
            })
            .collect()
    }

    /// Sizes 1, 2, 4, 8 with equal work in each: weights 1, 1, 2 take one quarter, one quarter, and
    /// one half of the work.
    #[test]
    fn work_follows_weights_and_sizes_keep_apart() {
        let cycle = [1.0; 8]
            .into_iter()
            .chain([2.0; 4])
            .chain([4.0; 2])
            .chain([8.0]);
        let picks = run(&Config::default(), cycle.cycle().take(15 * 1000));
        let mut work = [0.0; 3];
        for &(size, member) in &picks[7500..] {
            work[member as usize] += size;
            let fits = match member {
                0 => size <= 2.0,
                1 => size <= 4.0,
                _ => size >= 2.0,
            };
            assert!(fits, "{size} to {member}");
        }
        let total: f32 = work.iter().sum();
        for (work, share) in work.iter().zip([0.25, 0.25, 0.5]) {
            assert!((work / total - share).abs() < 0.02, "{work:?}");
        }
    }

    #[test]
    fn cutoffs_rise() {
        let check = |cutoffs: &[f64]| {
            let cutoffs = cutoffs.to_vec();
            SizeInterval::check(&Config { cutoffs }).map_err(|fault| fault.message)
        };
        assert_eq!(check(&[]).and(check(&[1.0, 2.5])), Ok(()));
        for (cutoffs, says) in [
            ([8.0, 2.0], "must rise (2 comes after 8)"),
            ([3.0, 3.0], "must rise (3 comes after 3)"),
            ([0.0, 1.0], "must be sizes above 0 (0 is not)"),
            ([1.0, f64::NAN], "must rise (NaN comes after 1)"),
        ] {
            assert_eq!(check(&cutoffs), Err(says.to_owned()));
        }
    }

    #[test]
    fn equal_sizes_are_spread_and_cutoffs_are_kept() {
        let picks = run(&Config::default(), std::iter::repeat_n(1.0, 4000));
        let last = picks.iter().filter(|(_, member)| *member == 2).count();
        assert!(last.abs_diff(2000) < 150, "{last}");
        let config = Config {
            cutoffs: vec![10.0],
        };
        for (size, member) in run(&config, (0..1000).map(|n| n as f32 / 50.0)) {
            assert_eq!(size <= 10.0, member < 2, "{size} to {member}");
        }
    }
}
