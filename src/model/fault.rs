//! What goes wrong, and what is done on purpose: one list of kinds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};
use crate::units::Share;

/// What happens to servers, as a scenario says it. `servers` names them: `"web/fast-3"`, a whole group
/// `"web/fast"`, a whole service `"web"`, or a pattern with `*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultConfig {
    /// The server dies and comes back empty. Until health checks find out, requests still go there, and fail.
    Crash(Crash),
    /// Servers die and come back at random times, each on its own.
    RandomCrashes(RandomCrashes),
    /// The server works more slowly for a while, and says nothing about it.
    Slowdown(Slowdown),
    /// Servers work more slowly now and then, at random times, each on its own: others on the same machine take the processor.
    NoisyNeighbours(NoisyNeighbours),
    /// The balancers send no new clients to the server; those bound to it by a cookie still come.
    Drain(Drain),
    /// The server lives and answers, but some of its answers are errors, as with status 500. Health checks pass. Whether
    /// such a request is tried again, `retry` says with `error-answers`.
    Errors(Errors),
}

/// Answers that are errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Errors {
    /// Which servers.
    pub servers: String,
    /// From when on.
    #[serde(default)]
    pub at: Span,
    /// For how long; to the end of the run where it is left out.
    #[serde(default)]
    pub lasts: Option<Span>,
    /// The share of attempts that end so; 0% to 100%. Several such faults act one after the other.
    #[serde(default = "all")]
    pub share: Share,
    /// How long such an attempt takes at the server's configured speed once it has a slot; as long as any other where it is
    /// left out.
    #[serde(default)]
    pub takes: Option<Span>,
}

fn all() -> Share {
    Share::ONE
}

/// A crash at a given time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Crash {
    /// Which servers.
    pub servers: String,
    /// When.
    pub at: Span,
    /// For how long; to the end of the run where it is left out.
    #[serde(default)]
    #[schemars(extend("x-least" = "1us"))]
    pub lasts: Option<Span>,
    /// What becomes of the requests that it has.
    #[serde(default)]
    pub in_flight: InFlight,
    /// What it does to those that come.
    #[serde(default)]
    pub answers: WhileDown,
}

/// Crashes at random times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RandomCrashes {
    /// Which servers.
    pub servers: String,
    /// Mean time from a repair to the next crash; exponential.
    #[schemars(extend("x-least" = "1ms"))]
    pub mtbf: Span,
    /// Mean time from a crash to the repair; exponential.
    #[schemars(extend("x-least" = "1ms"))]
    pub mttr: Span,
    /// What becomes of the requests that it has.
    #[serde(default)]
    pub in_flight: InFlight,
    /// What it does to those that come.
    #[serde(default)]
    pub answers: WhileDown,
}

/// A slow stretch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Slowdown {
    /// Which servers.
    pub servers: String,
    /// When.
    pub at: Span,
    /// For how long; to the end of the run where it is left out.
    #[serde(default)]
    #[schemars(extend("x-least" = "1us"))]
    pub lasts: Option<Span>,
    /// Speed in the meantime, as a share of the usual one; more than 0%.
    pub speed: Share,
}

/// Slow stretches at random times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NoisyNeighbours {
    /// Which servers.
    pub servers: String,
    /// Mean time from the end of a slow stretch to the next; exponential.
    #[schemars(extend("x-least" = "1ms"))]
    pub every: Span,
    /// Mean length of a slow stretch; exponential.
    #[schemars(extend("x-least" = "1ms"))]
    pub lasts: Span,
    /// Speed in the meantime, as a share of the usual one; more than 0%. Several such faults together make it vary: their
    /// speeds multiply.
    pub speed: Share,
}

/// A drain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Drain {
    /// Which servers.
    pub servers: String,
    /// When.
    pub at: Span,
    /// For how long; to the end of the run where it is left out.
    #[serde(default)]
    #[schemars(extend("x-least" = "1us"))]
    pub lasts: Option<Span>,
}

/// What becomes of the requests that a crashing server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InFlight {
    /// They are lost: their connections break.
    #[default]
    Lost,
    /// They are finished; only new ones fail.
    Finish,
}

/// What a dead server does to the requests that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhileDown {
    /// It refuses them at once: the process is dead, the machine lives.
    #[default]
    Refuse,
    /// It says nothing: the machine is dead. They hang until their timeout, or until it is back and
    /// knows nothing of them.
    Hang,
}

/// One fault, resolved.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What a chart calls it.
    pub label: String,
    /// The servers, among all servers of the world.
    pub servers: Vec<u32>,
    /// When.
    pub schedule: Schedule,
    /// What.
    pub effect: Effect,
}

/// When a fault holds.
#[derive(Clone, Copy, Debug)]
pub enum Schedule {
    /// From one time to another, which may be [`Time::NEVER`].
    Once(Time, Time),
    /// Again and again, each server on its own: mean seconds up and down.
    Random(f64, f64),
}

/// What a fault does while it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// The server is dead.
    Crash(InFlight, WhileDown),
    /// The server works at this share of its speed.
    Slowdown(f64),
    /// The balancers send it no new clients.
    Drain,
    /// This share of attempts, 0 to 1, ends in an error answer, after this much work or the usual.
    Errors(f64, Option<Span>),
}

impl FaultConfig {
    /// Which servers it concerns.
    pub fn servers(&self) -> &str {
        match self {
            FaultConfig::Crash(fault) => &fault.servers,
            FaultConfig::RandomCrashes(fault) => &fault.servers,
            FaultConfig::Slowdown(fault) => &fault.servers,
            FaultConfig::NoisyNeighbours(fault) => &fault.servers,
            FaultConfig::Drain(fault) => &fault.servers,
            FaultConfig::Errors(fault) => &fault.servers,
        }
    }

    /// The fault for these servers.
    pub fn resolve(&self, servers: Vec<u32>) -> Fault {
        let once = |at: Span, lasts: Option<Span>| {
            let begins = Time::ZERO + at;
            Schedule::Once(begins, lasts.map_or(Time::NEVER, |lasts| begins + lasts))
        };
        let (what, schedule, effect) = match self {
            FaultConfig::Crash(f) => (
                "crash",
                once(f.at, f.lasts),
                Effect::Crash(f.in_flight, f.answers),
            ),
            FaultConfig::RandomCrashes(f) => (
                "random crashes",
                Schedule::Random(f.mtbf.seconds(), f.mttr.seconds()),
                Effect::Crash(f.in_flight, f.answers),
            ),
            FaultConfig::Slowdown(f) => (
                "slowdown",
                once(f.at, f.lasts),
                Effect::Slowdown(f.speed.value()),
            ),
            FaultConfig::NoisyNeighbours(f) => (
                "noisy neighbours",
                Schedule::Random(f.every.seconds(), f.lasts.seconds()),
                Effect::Slowdown(f.speed.value()),
            ),
            FaultConfig::Drain(f) => ("drain", once(f.at, f.lasts), Effect::Drain),
            FaultConfig::Errors(f) => (
                "errors",
                once(f.at, f.lasts),
                Effect::Errors(f.share.value(), f.takes),
            ),
        };
        Fault {
            label: format!("{what} of {}", self.servers()),
            servers,
            schedule,
            effect,
        }
    }
}
