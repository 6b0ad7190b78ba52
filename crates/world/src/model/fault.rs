//! What goes wrong, and what is done on purpose: one list of kinds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

/// What happens to servers, as a scenario says it. `servers` names them: `"web/fast-3"`, a whole
/// group `"web/fast"`, a whole service `"web"`, or a pattern with `*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultConfig {
    /// The server dies and comes back empty: sessions that lived on it are lost, even where it
    /// finishes what it has. Until health checks find out, requests still go there, and fail.
    /// Faults may overlap: a server is up again when the last of its crashes has ended, and one
    /// that hangs and refuses at once hangs.
    Crash(Crash),
    /// Servers die and come back at random times, each on its own.
    RandomCrashes(RandomCrashes),
    /// The server works more slowly for a while, and says nothing about it.
    Slowdown(Slowdown),
    /// Servers work more slowly now and then, at random times, each on its own: others on the same
    /// machine take the processor.
    NoisyNeighbours(NoisyNeighbours),
    /// The balancers send no new clients to the server; those bound to it by a cookie still come.
    Drain(Drain),
    /// The server lives and answers, but some of its answers are errors, as with status 500. Health
    /// checks pass. Whether such a request is tried again, `retry` says with `error-answers`.
    Errors(Errors),
    /// A rolling restart or deployment: servers are drained, go down and come back, a few at a
    /// time, until all have had their turn. It stands for the drains and crashes of each; `lbsim
    /// check` lists them.
    Rolling(Rolling),
}

/// Answers that are errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Errors {
    /// What it is called in charts and by `--set`. Without a name charts say its kind and its
    /// servers, and `--set` its number.
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
    /// Which servers.
    pub servers: String,
    /// From when on.
    #[serde(default)]
    pub at: Span,
    /// For how long; to the end of the run where it is left out.
    #[serde(default)]
    #[schemars(extend("x-least" = "1us"))]
    pub lasts: Option<Span>,
    /// The share of attempts that end so; 0% to 100%. Several such faults act one after the other.
    #[serde(default = "all")]
    pub share: Share,
    /// How long such an attempt takes at the server's configured speed once it has a slot; as long
    /// as any other where it is left out.
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
    /// What it is called in charts and by `--set`. Without a name charts say its kind and its
    /// servers, and `--set` its number.
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
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
    /// What it is called in charts and by `--set`. Without a name charts say its kind and its
    /// servers, and `--set` its number.
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
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
    /// What it is called in charts and by `--set`. Without a name charts say its kind and its
    /// servers, and `--set` its number.
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
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
    /// What it is called in charts and by `--set`. Without a name charts say its kind and its
    /// servers, and `--set` its number.
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
    /// Which servers.
    pub servers: String,
    /// Mean time from the end of a slow stretch to the next; exponential.
    #[schemars(extend("x-least" = "1ms"))]
    pub every: Span,
    /// Mean length of a slow stretch; exponential.
    #[schemars(extend("x-least" = "1ms"))]
    pub lasts: Span,
    /// Speed in the meantime, as a share of the usual one; more than 0%. Several such faults
    /// together make it vary: their speeds multiply.
    pub speed: Share,
}

/// A drain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Drain {
    /// What it is called in charts and by `--set`. Without a name charts say its kind and its
    /// servers, and `--set` its number.
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
    /// Which servers.
    pub servers: String,
    /// When.
    pub at: Span,
    /// For how long; to the end of the run where it is left out.
    #[serde(default)]
    #[schemars(extend("x-least" = "1us"))]
    pub lasts: Option<Span>,
}

/// Drains and restarts of one server after another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rolling {
    /// What it is called in charts and by `--set`. Without a name charts say its kind and its
    /// servers, and `--set` its number.
    #[serde(default)]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
    /// Which servers.
    pub servers: String,
    /// When the first have their turn.
    pub at: Span,
    /// How many have their turn at once.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub at_once: u32,
    /// How long each is drained before it goes down, and on until it is back; without it none is
    /// drained.
    #[serde(default)]
    #[schemars(extend("x-least" = "1us"))]
    pub drain: Option<Span>,
    /// How long each is down; without it none goes down, and there are only drains.
    #[serde(default)]
    #[schemars(extend("x-least" = "1us"))]
    pub down: Option<Span>,
    /// From the return of some to the turn of the next.
    #[serde(default)]
    pub pause: Span,
    /// Who comes first.
    #[serde(default)]
    pub order: Order,
    /// What becomes of the requests that a server has when it goes down.
    #[serde(default)]
    pub in_flight: InFlight,
    /// What it does to those that come while it is down.
    #[serde(default)]
    pub answers: WhileDown,
}

fn one() -> u32 {
    1
}

/// In which order servers have their turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As the scenario lists them.
    #[default]
    Listed,
    /// The last comes first.
    Reversed,
}

/// What becomes of the requests that a crashing server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InFlight {
    /// They are lost. With `answers = "refuse"` their connections break, and balancers learn of it
    /// at once; with `answers = "hang"` nothing tells them: they hang like those that come.
    #[default]
    Lost,
    /// They are finished, those in its queue and those that nobody waits for any more included;
    /// only new ones fail. A machine that hangs finishes nothing: not together with `answers =
    /// "hang"`.
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
            FaultConfig::Rolling(fault) => &fault.servers,
        }
    }

    /// What it is called, where it has a name.
    pub fn name(&self) -> Option<&str> {
        let name = match self {
            FaultConfig::Crash(fault) => &fault.name,
            FaultConfig::RandomCrashes(fault) => &fault.name,
            FaultConfig::Slowdown(fault) => &fault.name,
            FaultConfig::NoisyNeighbours(fault) => &fault.name,
            FaultConfig::Drain(fault) => &fault.name,
            FaultConfig::Errors(fault) => &fault.name,
            FaultConfig::Rolling(fault) => &fault.name,
        };
        name.as_deref()
    }

    /// The faults that it consists of, for these servers: one, or those of each turn.
    pub fn resolve(&self, servers: Vec<u32>) -> Vec<Fault> {
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
            FaultConfig::Rolling(f) => return f.turns(servers),
        };
        let label = format!("{what} of {}", self.servers());
        vec![Fault {
            label: self.name().map_or(label, str::to_owned),
            servers,
            schedule,
            effect,
        }]
    }
}

fn once(at: Span, lasts: Option<Span>) -> Schedule {
    let begins = Time::ZERO + at;
    Schedule::Once(begins, lasts.map_or(Time::NEVER, |lasts| begins + lasts))
}

impl Rolling {
    /// The drains and crashes of each turn.
    fn turns(&self, mut servers: Vec<u32>) -> Vec<Fault> {
        if self.order == Order::Reversed {
            servers.reverse();
        }
        let own = format!("rolling of {}", self.servers);
        let own = self.name.as_ref().unwrap_or(&own);
        let [drain, down] = [self.drain, self.down].map(|span| span.unwrap_or(Span::ZERO));
        let turns = servers.chunks(self.at_once as usize);
        let of = turns.len();
        let mut faults = Vec::new();
        let mut begins = self.at;
        for (number, turn) in turns.enumerate() {
            let mut add = |what: &str, at: Span, lasts: Span, effect: Effect| {
                faults.push(Fault {
                    label: format!("{own}: {what} {} of {of}", number + 1),
                    servers: turn.to_vec(),
                    schedule: once(at, Some(lasts)),
                    effect,
                });
            };
            if self.drain.is_some() {
                add("drain", begins, drain + down, Effect::Drain);
            }
            if self.down.is_some() {
                let effect = Effect::Crash(self.in_flight, self.answers);
                add("restart", begins + drain, down, effect);
            }
            begins = begins + drain + down + self.pause;
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_each_other() {
        let rolling = Rolling {
            name: Some("release".to_owned()),
            servers: "web".to_owned(),
            at: Span::from_secs(100),
            at_once: 2,
            drain: Some(Span::from_secs(30)),
            down: Some(Span::from_secs(10)),
            pause: Span::from_secs(5),
            order: Order::Reversed,
            in_flight: InFlight::Lost,
            answers: WhileDown::Refuse,
        };
        let faults = FaultConfig::Rolling(rolling).resolve(vec![0, 1, 2]);
        let at = |seconds: u64| Time::ZERO + Span::from_secs(seconds);
        let said: Vec<_> = faults
            .iter()
            .map(|fault| {
                let Schedule::Once(from, to) = fault.schedule else {
                    panic!("{fault:?}")
                };
                (fault.label.as_str(), &fault.servers[..], from, to)
            })
            .collect();
        assert_eq!(
            said,
            [
                ("release: drain 1 of 2", &[2, 1][..], at(100), at(140)),
                ("release: restart 1 of 2", &[2, 1][..], at(130), at(140)),
                ("release: drain 2 of 2", &[0][..], at(145), at(185)),
                ("release: restart 2 of 2", &[0][..], at(175), at(185)),
            ]
        );
    }
}
