//! What a client asks for, before anybody has done anything about it.

use super::blueprint::GroupPlan;
use lbsim_engine::rng::Luck;
use lbsim_engine::time::Span;

/// What a client asks for: the same under every strategy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    /// The client, within its source's population.
    pub(super) client: u32,
    /// What is asked for.
    pub(super) key: u64,
    /// The request's own random word: its service times and delays follow from it.
    pub(super) luck: u64,
    /// How large it is, in the scenario's unit of size.
    pub(super) size: f32,
    /// How long it takes at a server of speed 1, in seconds, where the trace says so; else
    /// negative.
    pub(super) service: f32,
}

impl Draft {
    /// How long the attempt of this number, counted from 1, takes at a server of this group.
    #[inline(always)]
    pub(super) fn demand(&self, group: &GroupPlan, attempt: u64) -> Span {
        let seconds = if self.service >= 0.0 {
            f64::from(self.service)
        } else {
            group.service.sample(&mut Luck::new(self.luck, attempt))
                + group.per_size * f64::from(self.size)
        };
        Span::from_seconds(if group.speed == 1.0 {
            seconds
        } else {
            seconds / group.speed
        })
    }
}
