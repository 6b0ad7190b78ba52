//! What a server does for a request after its own work on it: more work, and calls to other
//! services.
//!
//! A server that works on a request is a caller like a client: its calls pass the balancers of the
//! service that is called, with all that these do (strategy, timeout, retries). This is the one
//! mechanism behind tiers, fan-out, quorums and stores.

use std::sync::Arc;

use lbsim_engine::distribution::Sampler;
use lbsim_engine::time::Span;

use super::network::Delay;
use super::state::Access;

/// One step of a server's work, done in turn with the others.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// What is done.
    pub kind: StepKind,
    /// How often it is done, one after the other; at least 1.
    pub repeat: u32,
    /// Who takes it.
    pub only: Only,
    /// Of the groups of clients those whose requests take it, by source; all where it is `None`.
    pub sources: Option<Arc<[bool]>>,
    /// The share of requests that come from these, as far as is known beforehand; 1 where all do.
    pub share: f64,
    /// The share of these that take it, 0 to 1. It is drawn once, for all repetitions. Where
    /// `only` says who takes it, nothing is drawn: it is the least that is to be expected.
    pub probability: f64,
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Those that are drawn.
    Drawn,
    /// Requests that change the state of their session, and those whose session has none.
    ChangingOrNew,
    /// Requests whose session has no state that this server has or can get at.
    New,
    /// Requests whose session has its state at another server that this one can ask.
    Elsewhere,
    /// Requests of whose session this server does not believe to know the state.
    Unknown,
}

/// What a step is.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Work on a slot, in seconds at speed 1.
    Work(Sampler),
    /// Calls to services, all at the same time.
    Call(CallPlan),
    /// Waiting, in seconds, for a way to another server and back.
    Pause(Pause),
    /// The work for the request itself, where other steps come before it; else it comes first.
    Own,
}

/// Waiting in which nothing is done.
#[derive(Clone, Debug)]
pub struct Pause {
    /// How long, in seconds.
    pub takes: Sampler,
    /// Whether the request keeps its slot meanwhile.
    pub blocking: bool,
}

/// Calls that a step makes together.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// The service that each call asks: an index into
    /// [`Blueprint::services`](super::blueprint::Blueprint::services). One that is called several
    /// times stands here as often.
    pub services: Vec<usize>,
    /// Good answers that the step waits for: 1 to as many as there are calls.
    pub wait_for: u32,
    /// Whether the request goes on where fewer good answers than that come; otherwise it is
    /// answered with an error.
    pub optional: bool,
    /// Whether the request keeps its slot meanwhile.
    pub blocking: bool,
    /// Rounds of these calls that one server has under way at once at most; further ones fail.
    pub at_once: Option<u32>,
    /// How long the server waits for the answers; to the end where it is left out.
    pub timeout: Option<Span>,
    /// One way, server to the balancer of the service that is called.
    pub to_balancer: Delay,
    /// What the call does with the state of the session in whose course it is made.
    pub access: Option<Access>,
    /// Whether a change is made only where nobody else has changed the state since it was read;
    /// otherwise all is done again from the first step on.
    pub compares: bool,
}

impl StepPlan {
    /// Whether it calls more than it waits for.
    pub fn leaves_some(&self) -> bool {
        matches!(&self.kind, StepKind::Call(call) if (call.wait_for as usize) < call.services.len())
    }

    /// Seconds of work at speed 1 that it adds to a request, on average.
    pub fn mean_work(&self) -> f64 {
        match &self.kind {
            StepKind::Work(work) => self.times() * work.mean(),
            StepKind::Call(_) | StepKind::Pause(_) | StepKind::Own => 0.0,
        }
    }

    /// How often a request takes it, on average.
    pub fn times(&self) -> f64 {
        self.share * self.probability * f64::from(self.repeat)
    }

    /// Whether requests of a source take it.
    #[inline]
    pub fn is_of(&self, source: usize) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources[source])
    }

    /// How often a request of a source takes it, on average.
    pub fn times_of(&self, source: usize) -> f64 {
        if self.is_of(source) {
            self.probability * f64::from(self.repeat)
        } else {
            0.0
        }
    }
}
