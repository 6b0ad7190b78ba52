//! Deadlines that travel: until when an answer is of use goes with a request and with what is
//! called in its course, so that nobody begins what comes too late (gRPC, "Deadlines").

use super::World;
use super::blueprint::Blueprint;
use lbsim_engine::time::Time;

/// Until when answers are of use.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    by_request: Vec<Time>,
    /// As the request had it when the attempt was sent: that may have ended since.
    by_attempt: Vec<Time>,
}

fn set(all: &mut Vec<Time>, at: u32, deadline: Time) {
    let at = at as usize;
    if all.len() <= at {
        all.resize(at + 1, Time::NEVER);
    }
    all[at] = deadline;
}

impl Deadlines {
    /// None yet; `None` where no client's travels.
    pub(super) fn new(plan: &Blueprint) -> Option<Box<Deadlines>> {
        plan.features().deadlines.then(Box::default)
    }

    /// The deadline of a request.
    pub(super) fn set(&mut self, request: u32, deadline: Time) {
        set(&mut self.by_request, request, deadline);
    }

    /// A server calls a service in the course of an attempt.
    pub(super) fn called(&mut self, request: u32, attempt: u32) {
        self.set(request, self.of_attempt(attempt));
    }

    /// An attempt of a request is sent.
    pub(super) fn sent(&mut self, attempt: u32, request: u32) {
        let deadline = self.of_request(request);
        set(&mut self.by_attempt, attempt, deadline);
    }

    fn of_request(&self, request: u32) -> Time {
        let known = self.by_request.get(request as usize);
        known.copied().unwrap_or(Time::NEVER)
    }

    fn of_attempt(&self, attempt: u32) -> Time {
        let known = self.by_attempt.get(attempt as usize);
        known.copied().unwrap_or(Time::NEVER)
    }
}

impl World<'_> {
    /// Whether whatever an attempt comes to is too late.
    #[inline(always)]
    pub(super) fn is_too_late(&self, attempt: u32, now: Time) -> bool {
        let late = |deadlines: &Deadlines| deadlines.of_attempt(attempt) <= now;
        self.deadlines.as_deref().is_some_and(late) && !self.is_inspection(attempt)
    }

    /// Whether a request need not be tried again: whatever came of it would be too late.
    #[inline]
    pub(super) fn is_of_no_use(&self, request: u32, now: Time) -> bool {
        let late = |deadlines: &Deadlines| deadlines.of_request(request) <= now;
        self.deadlines.as_deref().is_some_and(late)
    }
}
