//! What goes wrong, and what is done on purpose: one list of kinds. Each kind has a file with its
//! settings and what they come to: faults that hold for servers, for balancers, or for the ways
//! between places.

mod balancer_crash;
mod crash;
mod cut;
mod drain;
mod errors;
mod hang;
mod lossy_link;
mod pause;
mod rolling;
mod schedule;
mod slow_answers;
mod slow_link;
mod slowdown;
mod target;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

pub use balancer_crash::BalancerCrash;
pub use crash::{Crash, InFlight, RandomCrashes, WhileDown};
pub use cut::Cut;
pub use drain::Drain;
pub use errors::Errors;
pub use hang::Hang;
pub use lossy_link::LossyLink;
pub use pause::{Capacity, Pause};
pub use rolling::{Order, Release, Rolling};
pub use schedule::{Again, Length, Schedule, Stage, Turn};
pub use slow_answers::SlowAnswers;
pub use slow_link::SlowLink;
pub use slowdown::{NoisyNeighbours, Slowdown};
pub use target::{Find, Place, Ways};

/// A setting that may not be so: the key, and why.
pub type Refuse<'a> = dyn FnMut(&str, &str) + 'a;

/// What a kind of fault can do.
trait Kind {
    /// Says which settings may not be so.
    fn check(&self, _refuse: &mut Refuse<'_>) {}

    /// The faults that it consists of; none where its target is not found.
    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault>;
}

/// Declares a kind that holds from one time to another, or again and again: its settings, in front
/// of which stand those that all such kinds have.
macro_rules! planned {
    ($(#[$doc:meta])* $name:ident of servers, $(#[$at:meta])* at { $($own:tt)* }) => {
        planned! { @ [$(#[$doc])*] $name [$(#[$at])*] {
            /// Which servers.
            pub servers: String,
            /// What part of them is struck: so many, rounded, but one at least, drawn anew in each
            /// replication, whichever strategy runs. All where it is left out.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub part: Option<lbsim_engine::units::Share>,
        } { $($own)* } }

        impl $name {
            /// The fault that does this to its servers, if any are found.
            fn on_servers(
                &self,
                what: &str,
                effect: $crate::model::fault::Effect,
                find: &mut dyn $crate::model::fault::Find,
            ) -> Vec<$crate::model::fault::Fault> {
                let said = (self.name.as_deref(), what, self.servers.as_str());
                let servers = find.servers(&self.servers);
                let mut faults = $crate::model::fault::on_servers(said, servers, self.schedule(), effect);
                for fault in &mut faults {
                    fault.only = self.part.map(|part| $crate::model::fault::part_of(part, fault.servers()));
                }
                faults
            }

            /// Says which settings of its schedule and of its target may not be so.
            fn check_planned(&self, refuse: &mut $crate::model::fault::Refuse<'_>) {
                self.check_schedule(refuse);
                if let Some(part) = self.part && !(part.value() > 0.0 && part.value() <= 1.0) {
                    refuse("part", &format!("`part` is {part}; it must be more than 0%, and 100% at most"));
                }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident of balancers, $(#[$at:meta])* at { $($own:tt)* }) => {
        planned! { @ [$(#[$doc])*] $name [$(#[$at])*] {
            /// Which balancers: `"web"` for all of a service, `"web/2"` for its second.
            pub balancers: String,
        } { $($own)* } }
    };
    ($(#[$doc:meta])* $name:ident of ways, $(#[$at:meta])* at { $($own:tt)* }) => {
        planned! { @ [$(#[$doc])*] $name [$(#[$at])*] {
            /// One end of the ways: servers as elsewhere, or `"balancers:web/2"`,
            /// `"clients:mobile"`, `"zone:eu"`.
            pub from: String,
            /// The other end.
            pub to: String,
            /// Whether only what goes from `from` to `to` is concerned, and not what comes back.
            #[serde(default)]
            pub one_way: bool,
        } { $($own)* } }
    };
    (@ [$($doc:tt)*] $name:ident [$($at:tt)*] { $($target:tt)* } { $($own:tt)* }) => {
        $($doc)*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// What it is called in charts and by `--set`. Without a name charts say its kind and
            /// its servers, and `--set` its number.
            #[serde(default)]
            #[schemars(length(min = 1, max = 60))]
            pub name: Option<String>,
            $($target)*
            $($at)*
            pub at: lbsim_engine::time::Span,
            /// For how long; to the end of the run where it is left out.
            #[serde(default)]
            #[schemars(extend("x-least" = "1us"))]
            pub lasts: Option<lbsim_engine::time::Span>,
            /// Where it comes again and again.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub again: Option<$crate::model::fault::Again>,
            $($own)*
        }

        impl $name {
            /// When it holds.
            fn schedule(&self) -> $crate::model::fault::Schedule {
                $crate::model::fault::Schedule::planned(self.at, self.lasts, self.again.as_ref())
            }

            /// Says which settings of its schedule may not be so.
            fn check_schedule(&self, refuse: &mut $crate::model::fault::Refuse<'_>) {
                if let Some(again) = &self.again {
                    again.check(self.lasts, refuse);
                }
            }
        }
    };
}
use planned;

/// Makes the enum of kinds from the list.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// What happens to servers, to balancers, or to the ways between places, as a scenario says
        /// it.
        ///
        /// `servers` names servers: `"web/fast-3"`, a whole group `"web/fast"`, a whole service
        /// `"web"`, all that stand in a zone `"zone:eu"`, or a pattern with `*`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum FaultConfig {
            $($(#[$doc])* $kind($kind),)*
        }

        impl FaultConfig {
            fn kind(&self) -> &dyn Kind {
                match self {
                    $(FaultConfig::$kind(kind) => kind,)*
                }
            }

            /// What it is called, where it has a name.
            pub fn name(&self) -> Option<&str> {
                match self {
                    $(FaultConfig::$kind(kind) => kind.name.as_deref(),)*
                }
            }
        }
    };
}

kinds! {
    /// The server dies and comes back empty: sessions that lived on it are lost, even where it
    /// finishes what it has. Until health checks find out, requests still go there, and fail.
    /// Faults may overlap: a server is up again when the last of its crashes has ended, and one
    /// that hangs and refuses at once hangs.
    Crash,
    /// Servers die and come back at random times, each on its own.
    RandomCrashes,
    /// The server works more slowly for a while, and says nothing about it: from one moment to
    /// another, or little by little.
    Slowdown,
    /// Servers work more slowly now and then, at random times, each on its own: others on the same
    /// machine take the processor.
    NoisyNeighbours,
    /// The server does nothing for a while and says nothing about it, as in a collection of
    /// garbage: what it has stands still and goes on after it, what comes waits. Health checks
    /// pass.
    Pause,
    /// The server works on fewer requests at once for a while, and says nothing about it.
    Capacity,
    /// The balancers send no new clients to the server; those bound to it by a cookie still come.
    Drain,
    /// The server lives and answers, but some of its answers are errors, as with status 500. Health
    /// checks pass. Whether such a request is tried again, `retry` says with `error-answers`.
    Errors,
    /// The server lives, but some of its answers take another time than usual: those to requests
    /// whose work begins meanwhile, and no others, however long the fault lasts. (A `slowdown`
    /// slows what is being worked on, too, and has it at its usual speed again when it ends.)
    SlowAnswers,
    /// The server takes requests and does not answer: a thread waits for a lock, say. Health checks
    /// pass. What hangs keeps its slot (at a server that shares itself, it takes none of it), until
    /// its balancer gives it up and `abandoned = "cancel"` stops it, or the server dies; when the
    /// fault has ended it is worked on at last.
    Hang,
    /// A rolling restart or deployment: servers are drained, go down and come back, a few at a
    /// time, until all have had their turn. It stands for the drains and crashes of each; `lbsim
    /// check` lists them.
    Rolling,
    /// A balancer dies: what it has fails, and so does what comes. It comes back empty: counts,
    /// opinions of health checks and what its strategy knew are as at the start. Servers go on with
    /// what it had sent them.
    BalancerCrash,
    /// Nothing comes through between two places: requests, answers, health checks, probes, reports.
    /// Whoever waits for what was sent waits until its timeout, or for ever.
    Cut,
    /// Some of what is sent between two places is lost on the way.
    LossyLink,
    /// Everything that is sent between two places takes longer.
    SlowLink,
}

impl FaultConfig {
    /// Says which settings may not be so, each with its key.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        self.kind().check(refuse);
    }

    /// The faults that it consists of, fault `number` of a scenario, its target found: one, or
    /// those of each turn; none where the target is not found.
    pub fn resolve(&self, number: usize, find: &mut dyn Find) -> Vec<Fault> {
        let mut faults = self.kind().resolve(find);
        for fault in &mut faults {
            fault.number = number;
        }
        faults
    }
}

/// One fault, resolved.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What a chart calls it.
    pub label: String,
    /// Which of the scenario's faults it is, or is a turn of, counted from 0.
    pub number: usize,
    /// When.
    pub schedule: Schedule,
    /// What, and to whom.
    pub strikes: Strikes,
    /// How many of the servers it strikes, drawn anew in each replication; `None` for all.
    pub only: Option<u32>,
}

/// What a fault does while it holds, and to whom.
#[derive(Clone, Debug)]
pub enum Strikes {
    /// To servers, counted among all servers of the world.
    Servers(Vec<u32>, Effect),
    /// To balancers, each by its service and its number within that, counted from 0: they are dead.
    Balancers(Vec<(u16, u16)>, WhileDown),
    /// To what is sent between places.
    Ways(Ways, OnTheWay),
}

/// What a fault does to a server while it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// The server is dead.
    Crash(InFlight, WhileDown),
    /// The server works at this share of its speed, once the slowdown has come.
    Slowdown {
        /// Speed over usual speed.
        speed: f64,
        /// How long it takes to come, evenly; no time for at once.
        comes: Span,
        /// How it goes when it has ended.
        goes: Fade,
    },
    /// The server stands still.
    Pause,
    /// The server has so many slots at most.
    Slots(u32),
    /// The balancers send it no new clients.
    Drain,
    /// Some answers are not as usual.
    Answers {
        /// The share of attempts that end so, 0 to 1.
        share: f64,
        /// After this much work, or the usual.
        takes: Option<Span>,
        /// What the answer says.
        status: Status,
        /// The key that has to be asked for, where only one is answered so.
        key: Option<u32>,
    },
    /// This share of attempts, 0 to 1, is not answered.
    Hang(f64),
}

impl Effect {
    /// Whether a server is the worse for it: not where it is only to be left alone.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Effect::Drain)
    }

    /// This share of answers are errors, after the usual work.
    fn errors(share: Share) -> Effect {
        Effect::Answers {
            share: share.value(),
            takes: None,
            status: Status::ERROR,
            key: None,
        }
    }

    /// The server works at this share of its speed from one moment to another.
    fn slowdown(speed: Share) -> Effect {
        Effect::Slowdown {
            speed: speed.value(),
            comes: Span::ZERO,
            goes: Fade::AtOnce,
        }
    }
}

/// How a slowdown goes that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fade {
    /// From one moment to another.
    AtOnce,
    /// Evenly in the course of so much time, where it is whole when it ends.
    Over(Span),
    /// Evenly with each of so many requests that the server serves.
    Requests(u32),
}

/// What a fault does to messages while it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OnTheWay {
    /// None comes through.
    Cut,
    /// This share, 0 to 1, is lost; a lost one is sent again after this time, doubled each time, or
    /// never.
    Lossy(f64, Option<Span>),
    /// Each takes so much longer.
    Slow(Span),
}

impl Fault {
    /// The servers that it strikes, or may strike.
    pub fn servers(&self) -> &[u32] {
        match &self.strikes {
            Strikes::Servers(servers, _) => servers,
            _ => &[],
        }
    }

    /// The servers that it strikes or may strike, or to or from which it strikes what is sent.
    pub fn concerns(&self) -> Vec<u32> {
        match &self.strikes {
            Strikes::Servers(servers, _) => servers.clone(),
            Strikes::Balancers(..) => Vec::new(),
            Strikes::Ways(ways, _) => {
                let server = |place: &Place| match place {
                    Place::Server(server) => Some(*server),
                    _ => None,
                };
                ways.from
                    .iter()
                    .chain(&ways.to)
                    .filter_map(server)
                    .collect()
            }
        }
    }

    /// How many targets it strikes, each on its own; `None` where it strikes all at the same times.
    pub fn each(&self) -> Option<u32> {
        let together = matches!(self.schedule, Schedule::Again { together: true, .. });
        match &self.strikes {
            _ if together => None,
            Strikes::Servers(servers, _) => {
                let all = servers.len() as u32;
                Some(self.only.map_or(all, |only| only.min(all)))
            }
            Strikes::Balancers(balancers, _) => Some(balancers.len() as u32),
            Strikes::Ways(..) => None,
        }
    }

    /// What it does to servers.
    pub fn effect(&self) -> Option<Effect> {
        match self.strikes {
            Strikes::Servers(_, effect) => Some(effect),
            _ => None,
        }
    }

    /// Whether it can begin before `end`.
    pub fn happens_before(&self, end: Time) -> bool {
        self.schedule.begins() < end
    }
}

/// The fault of a kind that holds for servers, if any are found.
fn on_servers(
    (name, what, whose): (Option<&str>, &str, &str),
    servers: Vec<u32>,
    schedule: Schedule,
    effect: Effect,
) -> Vec<Fault> {
    if servers.is_empty() {
        return Vec::new();
    }
    let label = name.map_or_else(|| format!("{what} of {whose}"), str::to_owned);
    vec![Fault {
        label,
        number: 0,
        schedule,
        strikes: Strikes::Servers(servers, effect),
        only: None,
    }]
}

/// How many servers are this part of these.
fn part_of(part: Share, servers: &[u32]) -> u32 {
    ((part.value() * servers.len() as f64).round() as u32).max(1)
}

/// The fault of a kind that holds for ways, if any are found.
fn on_ways(
    (name, what): (Option<&str>, &str),
    (from, to, one_way): (&str, &str, bool),
    schedule: Schedule,
    effect: OnTheWay,
    find: &mut dyn Find,
) -> Vec<Fault> {
    let Some(ways) = find.ways(from, to, one_way) else {
        return Vec::new();
    };
    let label = || match one_way {
        true => format!("{what} from {from} to {to}"),
        false => format!("{what} between {from} and {to}"),
    };
    vec![Fault {
        label: name.map_or_else(label, str::to_owned),
        number: 0,
        schedule,
        strikes: Strikes::Ways(ways, effect),
        only: None,
    }]
}
