//! Servers whose answers are not all alike: which attempts are answered with errors, or otherwise
//! than usual, and after how much work.

use super::World;
use super::fault::Effect;
use super::held::Held;
use super::request::{Attempt, NOBODY};
use lbsim_engine::rng::{Luck, uniform};
use lbsim_engine::status::Status;
use lbsim_engine::time::Span;

/// The purpose of a request's luck that decides whether it is answered with an error; the number of
/// the attempt is added.
const ERROR: u64 = 0x800;

impl World<'_> {
    /// What the answer of a server to an attempt of a request says, where a fault has it: after so
    /// much work, where the fault says so, else after all that any request takes.
    #[cold]
    #[inline(never)]
    pub(super) fn err(&self, attempt: u32) -> Option<(Option<Span>, Status)> {
        let Attempt {
            request, server, ..
        } = self.attempts[attempt];
        if request == NOBODY {
            return None;
        }
        let request = &self.requests[request];
        let number = u64::from(request.attempts);
        let mut luck = Luck::new(request.draft.luck, ERROR + number);
        let mut other = None;
        let errs = |held: &Held| match held.effect {
            Effect::Answers {
                share,
                takes,
                status,
                key,
            } if key.is_none_or(|key| u64::from(key) == request.draft.key) => {
                (uniform(&mut luck) < share).then_some((takes, status))
            }
            _ => None,
        };
        let held = self.effects.get(server as usize)?;
        // An error is one, whatever else holds.
        for (takes, status) in held.iter().filter_map(errs) {
            if status.is_error() {
                return Some((takes, status));
            }
            other.get_or_insert((takes, status));
        }
        other
    }

    /// How much work an attempt is at a server whose answers are not all alike, and what its answer
    /// says as soon as that is done.
    #[cold]
    #[inline(never)]
    pub(super) fn work_with_errors(&mut self, attempt: u32, work: Span) -> (Span, Status) {
        let server = self.attempts[attempt].server;
        let (work, status) = match (self.err(attempt), &mut self.calls) {
            (None, _) => (work, Status::OK),
            (Some((Some(takes), status)), _) => (takes, status),
            (Some((None, status)), None) => (work, status),
            // As long as any other: with all its steps.
            (Some((None, status)), Some(calls)) => {
                calls.will_say(attempt, status);
                (work, Status::OK)
            }
        };
        (self.work_under_load(server, work), status)
    }
}
