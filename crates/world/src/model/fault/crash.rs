//! Servers that die.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::Span;

use super::{Effect, Fault, Find, Kind, Refuse, Schedule, on_servers, planned};

planned! {
    /// A crash.
    Crash of servers, #[doc = "When."] at {
        /// What becomes of the requests that it has.
        #[serde(default)]
        pub in_flight: InFlight,
        /// What it does to those that come.
        #[serde(default)]
        pub answers: WhileDown,
    }
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

/// What one that is dead does to the requests that come.
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

impl Kind for Crash {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
        check_crash(self.in_flight, self.answers, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        self.on_servers("crash", Effect::Crash(self.in_flight, self.answers), find)
    }
}

impl Kind for RandomCrashes {
    fn check(&self, refuse: &mut Refuse<'_>) {
        check_crash(self.in_flight, self.answers, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let schedule = Schedule::exponential(self.mtbf, self.mttr);
        let effect = Effect::Crash(self.in_flight, self.answers);
        let said = (
            self.name.as_deref(),
            "random crashes",
            self.servers.as_str(),
        );
        on_servers(said, find.servers(&self.servers), schedule, effect)
    }
}

/// A machine that hangs finishes nothing.
pub(super) fn check_crash(in_flight: InFlight, answers: WhileDown, refuse: &mut Refuse<'_>) {
    if (in_flight, answers) == (InFlight::Finish, WhileDown::Hang) {
        refuse(
            "in-flight",
            "a machine that hangs cannot finish what it has; use `answers = \"refuse\"`, or `in-flight = \"lost\"`",
        );
    }
}
