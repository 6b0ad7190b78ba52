//! Servers that answer with errors: which attempts, and after how much work.

use super::World;
use super::fault::Effect;
use super::held::Held;
use super::request::{Attempt, NOBODY};
use lbsim_engine::rng::{Luck, uniform};
use lbsim_engine::time::Span;

/// The purpose of a request's luck that decides whether it is answered with an error; the number of
/// the attempt is added.
const ERROR: u64 = 0x800;

impl World<'_> {
    /// Whether a server answers an attempt of a request with an error: after so much work, where
    /// the fault says so, else after all that any request takes.
    #[cold]
    #[inline(never)]
    pub(super) fn err(&self, attempt: u32) -> Option<Option<Span>> {
        let Attempt {
            request, server, ..
        } = self.attempts[attempt];
        if request == NOBODY {
            return None;
        }
        let request = &self.requests[request];
        let number = u64::from(request.attempts);
        let mut luck = Luck::new(request.draft.luck, ERROR + number);
        let errs = |held: &Held| match held.effect {
            Effect::Errors(share, takes) => (uniform(&mut luck) < share).then_some(takes),
            _ => None,
        };
        self.effects[server as usize].iter().find_map(errs)
    }

    /// How much work an attempt is at a server that errs, and whether its answer is an error as
    /// soon as that is done.
    #[cold]
    #[inline(never)]
    pub(super) fn work_with_errors(&mut self, attempt: u32, work: Span) -> (Span, bool) {
        match (self.err(attempt), &mut self.calls) {
            (None, _) => (work, false),
            (Some(Some(takes)), _) => (takes, true),
            (Some(None), None) => (work, true),
            // As long as any other: with all its steps.
            (Some(None), Some(calls)) => {
                calls.will_err(attempt);
                (work, false)
            }
        }
    }
}
