//! Second stage: which of several balancers a request goes through.

use super::blueprint::Spread;
use super::draft::Draft;
use super::service::Service;
use lbsim_engine::rng::{Luck, below, mix};
use rand::Rng as _;

/// The purpose of a request's luck that picks its balancer.
const ROUTE: u64 = 0x500;

impl Service<'_> {
    /// The balancer that a request of this client goes through.
    #[inline]
    pub(super) fn instance(&self, draft: &Draft, client: u32) -> u16 {
        let count = self.balancers.len();
        if count == 1 {
            return 0;
        }
        let word = match self.plan.balancer.spread {
            Spread::Request => Luck::new(draft.luck, ROUTE).next_u64(),
            Spread::Client => mix(self.route ^ mix(u64::from(client))),
        };
        below(&mut Luck::new(word, 0), count) as u16
    }
}
