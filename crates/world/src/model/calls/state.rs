//! What the steps of servers have to do with the state of sessions.

use super::Calls;
use crate::model::World;
use crate::model::state::Access;
use crate::model::step::{StepKind, StepPlan};
use lbsim_engine::time::Span;

/// A call that reads or changes the state of a session.
pub(in crate::model) struct StateCall<'c> {
    /// The server that made it.
    pub(in crate::model) server: u32,
    /// Whether it may be refused.
    pub(in crate::model) compares: bool,
    /// Whether it was.
    pub(in crate::model) is_refused: &'c mut bool,
    /// The version that the caller has read, if any; `None` where it does not wait for this any
    /// more.
    pub(in crate::model) version: Option<&'c mut Option<u32>>,
}

/// What an attempt asked of a store that did not answer, and went on without.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::model) struct WentWithout {
    /// The state: its client was a visitor who is not known.
    pub(in crate::model) state: bool,
    /// The change, which nobody keeps.
    pub(in crate::model) change: bool,
}

impl Calls {
    /// The work for the request itself comes later, and something else first, which takes no time
    /// of its own: says so.
    fn put_off(&mut self, attempt: u32, work: Span) -> Span {
        self.progress[attempt as usize].own = work;
        Span::ZERO
    }

    /// What the call of a server does with the state of its session.
    pub(in crate::model) fn access(&self, request: u32) -> Option<Access> {
        self.callers[request as usize].access
    }

    /// What an attempt went on without.
    pub(in crate::model) fn went_without(&self, attempt: u32) -> WentWithout {
        self.progress[attempt as usize].went_without
    }

    /// What an attempt asked of a store is there, or not, and it goes on all the same.
    pub(super) fn goes_on(&mut self, attempt: u32, access: Option<Access>, is_met: bool) {
        let went_without = &mut self.progress[attempt as usize].went_without;
        match access {
            Some(Access::Read) => went_without.state = !is_met,
            Some(Access::Write) => went_without.change = !is_met,
            _ => {}
        }
    }

    /// The call of a server that reads or changes the state of a session in a store; `None` for
    /// other requests.
    pub(in crate::model) fn state_call(&mut self, request: u32) -> Option<StateCall<'_>> {
        let caller = &mut self.callers[request as usize];
        caller.access?;
        Some(StateCall {
            server: caller.server,
            compares: caller.compares,
            is_refused: &mut caller.is_refused,
            version: Some(&mut self.progress[caller.attempt as usize])
                .filter(|progress| progress.serial == caller.serial)
                .map(|progress| &mut progress.version),
        })
    }
}

impl World<'_> {
    /// The work of an attempt that its server begins with, where this is for the request itself, or
    /// nothing, where that comes later.
    #[inline(always)]
    pub(in crate::model) fn first_piece(&mut self, id: u32, work: Span) -> Span {
        let steps = self.steps(self.attempts[id].server);
        let is_own = |step: &StepPlan| matches!(step.kind, StepKind::Own);
        match &mut self.calls {
            Some(calls) if steps.iter().any(is_own) => calls.put_off(id, work),
            _ => work,
        }
    }
}
