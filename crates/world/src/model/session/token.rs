//! States that travel in each request, as signed tokens (RFC 7519): no server has them, and none
//! can take them back before they end.

use super::{REVOKED, Sessions, WITH_CLIENT};
use crate::model::state::TokenPlan;
use crate::observe::{Loss, Tally};
use lbsim_engine::rng::uniform;
use lbsim_engine::time::{Span, Time};

/// What a server makes of a token.
pub(super) enum Verdict {
    /// It is good.
    Holds,
    /// There is none.
    Missing,
    /// It is too old, and its client gets another.
    Renewed,
    /// It is not good any more.
    Lost(Loss),
}

impl TokenPlan {
    /// When a token is good no longer that ends then by its lifetime.
    pub(super) fn holds_until(&self, ends: Time) -> Time {
        ends.min(self.key_ends(self.issued(ends)))
    }

    /// When a token was issued that ends then.
    fn issued(&self, ends: Time) -> Time {
        Time::ZERO + ends.since(Time::ZERO + self.lifetime)
    }

    /// When a token is good no longer whose key has changed: the end of the grace after the change
    /// that follows its issue.
    fn key_ends(&self, issued: Time) -> Time {
        let Some((every, grace)) = self.rotation else {
            return Time::NEVER;
        };
        let changes = issued.nanos() / every.nanos().max(1) + 1;
        Time::ZERO + Span::from_nanos(changes.saturating_mul(every.nanos())) + grace
    }
}

impl Sessions<'_> {
    /// What a server makes of the token of a session.
    pub(super) fn show(&self, id: u32, plan: &TokenPlan, now: Time) -> Verdict {
        let session = &self.table[id as usize];
        if session.server != WITH_CLIENT {
            return Verdict::Missing;
        }
        let is_old = now > session.state_ends;
        // The key ends what would hold without it, or be renewed.
        if is_old && !(plan.renews && now < session.revoked) {
            Verdict::Lost(Loss::Expired)
        } else if now > plan.key_ends(plan.issued(session.state_ends)) {
            Verdict::Lost(Loss::KeyRotated)
        } else if is_old {
            Verdict::Renewed
        } else {
            Verdict::Holds
        }
    }

    /// A client that has none gets a token.
    pub(super) fn issue(&mut self, id: u32, plan: &TokenPlan, now: Time, tally: &mut Tally) {
        self.begin_state(id, now, tally);
        self.table[id as usize].server = WITH_CLIENT;
        self.renew(id, plan, now, tally);
    }

    /// A client gets another token.
    pub(super) fn renew(&mut self, id: u32, plan: &TokenPlan, now: Time, tally: &mut Tally) {
        self.table[id as usize].state_ends = now + plan.lifetime;
        self.send(id, now, tally);
    }

    /// How long after its beginning the session of this number is revoked, if it is.
    pub(super) fn revoked_after(&self, id: u32, number: u32) -> Option<Span> {
        let (share, after) = self.plan(id)?.revoked.as_ref()?;
        let mut luck = self.luck(id, REVOKED | u64::from(number));
        (uniform(&mut luck) < *share).then(|| Span::from_seconds(after.sample(&mut luck)))
    }
}
