//! What becomes of the work that servers do: whose answer somebody had, and what was done for
//! nobody or in vain.

use super::World;
use super::request::Phase;
use lbsim_engine::time::{Span, Time};

impl World<'_> {
    /// Work of an attempt that was answered well.
    #[inline(always)]
    pub(super) fn count_useful(&mut self, worked: Span) {
        if let Some(work) = &mut self.tally.work {
            work.useful += worked.nanos();
        }
    }

    /// Work that was taken to be for somebody, and of which nobody has the answer after all.
    #[cold]
    pub(super) fn count_for_nobody(&mut self, worked: Span) {
        if let Some(work) = &mut self.tally.work {
            work.useful -= worked.nanos();
            work.wasted += worked.nanos();
        }
    }

    /// Work that nobody has an answer of.
    #[inline(always)]
    pub(super) fn count_wasted(&mut self, worked: Span) {
        if let Some(work) = &mut self.tally.work {
            work.wasted += worked.nanos();
        }
    }

    /// An attempt leaves its server without a good answer: what it was worked on before its present
    /// step was in vain.
    #[inline(always)]
    pub(super) fn count_in_vain(&mut self, attempt: u32) {
        if self.calls.is_some() && self.tally.work.is_some() {
            let worked = self.worked_before(attempt);
            self.count_wasted(worked);
        }
    }

    /// How long an attempt was worked on in the steps that it has done.
    fn worked_before(&self, attempt: u32) -> Span {
        match &self.calls {
            Some(calls) if !self.is_inspection(attempt) => calls.spent(attempt).worked,
            _ => Span::ZERO,
        }
    }

    /// The run is over: what has not ended is inside.
    pub(super) fn close_work(&mut self, reached: Time) {
        let Some(mut work) = self.tally.work.take() else {
            return;
        };
        work.done = self.servers.iter().map(|server| server.worked).sum();
        let mut inside = Span::ZERO;
        for (id, attempt) in self.attempts.all() {
            inside += match attempt.phase {
                Phase::Serving { begun, .. } => {
                    work.done += (reached - begun).nanos();
                    (reached - begun) + self.worked_before(id)
                }
                Phase::Calling { .. } | Phase::Waiting { .. } => self.worked_before(id),
                Phase::Returning { worked, .. } => worked,
                _ => Span::ZERO,
            };
        }
        work.inside = inside.nanos();
        self.tally.work = Some(work);
    }
}
