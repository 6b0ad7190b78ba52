//! Which targets of a target group get requests: the healthy ones, or where none is healthy all
//! that are registered ("fail open").

use std::collections::BTreeSet;

use crate::strategy::{Context, MemberId};

/// The targets that get requests.
#[derive(Clone, Debug)]
pub(super) struct Targets {
    serving: BTreeSet<MemberId>,
    fails_open: bool,
}

impl Targets {
    /// All of them, healthy.
    pub(super) fn new(cx: &Context<'_>) -> Targets {
        Targets {
            serving: cx.pool.eligible().iter().copied().collect(),
            fails_open: false,
        }
    }

    /// In the order of the scenario.
    pub(super) fn serving(&self) -> &BTreeSet<MemberId> {
        &self.serving
    }

    /// Whether they are in use although none is healthy.
    pub(super) fn fails_open(&self) -> bool {
        self.fails_open
    }

    /// Hears of a target whose health or registration has changed, and says which targets begin or
    /// cease to get requests: all may, where the last healthy one is lost or the first one is back.
    pub(super) fn changed(&mut self, member: MemberId, cx: &Context<'_>) -> Vec<MemberId> {
        let fails_open = cx.pool.eligible().is_empty();
        let turned = std::mem::replace(&mut self.fails_open, fails_open) != fails_open;
        let affected = if turned {
            0..cx.pool.len() as MemberId
        } else {
            member..member + 1
        };
        affected
            .filter(|&target| {
                let healthy = cx.pool.is_eligible(target);
                if cx.pool.is_present(target) && (healthy || fails_open) {
                    self.serving.insert(target)
                } else {
                    self.serving.remove(&target)
                }
            })
            .collect()
    }
}
