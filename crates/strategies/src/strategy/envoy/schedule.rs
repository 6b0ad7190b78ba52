//! How round robin and least request take hosts of unlike weights: by deadline, one schedule a set
//! of hosts, begun anew when hosts change.

use super::edf::Edf;
use super::hosts::Hosts;
use crate::strategy::{Context, MemberId};
use lbsim_engine::rng::number_below;

/// The random number with which a schedule begins is below this: `createWithPicks` counts with 32
/// bits.
pub(super) const STARTS: u32 = 429_496_729;

/// The schedules of a load balancer.
#[derive(Clone, Debug)]
pub(super) struct Schedules {
    seed: u32,
    /// By set of hosts; none where all weights are equal.
    schedules: Vec<Option<Edf>>,
    /// The hosts that they were made of, and whether they were made whatever the weights.
    version: Option<(u64, bool)>,
}

impl Schedules {
    /// Schedules that begin at a place of their own, or where `seed` says.
    pub(super) fn new(seed: Option<u32>, cx: &mut Context<'_>) -> Schedules {
        Schedules {
            seed: seed.unwrap_or_else(|| number_below(cx.rng, 1 << 32) as u32),
            schedules: Vec::new(),
            version: None,
        }
    }

    pub(super) fn seed(&self) -> u32 {
        self.seed
    }

    /// Picks by deadline; none where all weights are equal and nobody starts slowly (`forced`).
    pub(super) fn pick(
        &mut self,
        hosts: &Hosts,
        set: usize,
        forced: bool,
        weight: impl Fn(MemberId) -> f64,
        cx: &Context<'_>,
    ) -> Option<MemberId> {
        let version = Some((hosts.version(), forced));
        if self.version != version {
            self.version = version;
            let start = self.seed % STARTS;
            self.schedules = (0..hosts.sets())
                .map(|set| {
                    let members = hosts.set(set);
                    let unlike = members
                        .windows(2)
                        .any(|pair| cx.pool.weight(pair[0]) != cx.pool.weight(pair[1]));
                    let weighed = || members.iter().map(|&m| (m, weight(m))).collect::<Vec<_>>();
                    ((unlike || forced) && members.len() > 1).then(|| Edf::after(start, &weighed()))
                })
                .collect();
        }
        self.schedules.get_mut(set)?.as_mut()?.pick(weight)
    }
}
