//! Servers that work more slowly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

use super::{Effect, Fault, Find, Kind, Refuse, Schedule, on_servers, planned};

planned! {
    /// A slow stretch.
    Slowdown of servers, #[doc = "When."] at {
        /// Speed in the meantime, as a share of the usual one; more than 0%.
        pub speed: Share,
    }
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

impl Kind for Slowdown {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_schedule(refuse);
        check_speed(self.speed, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let effect = Effect::Slowdown(self.speed.value());
        let said = (self.name.as_deref(), "slowdown", self.servers.as_str());
        on_servers(said, find.servers(&self.servers), self.schedule(), effect)
    }
}

impl Kind for NoisyNeighbours {
    fn check(&self, refuse: &mut Refuse<'_>) {
        check_speed(self.speed, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let schedule = Schedule::exponential(self.every, self.lasts);
        let effect = Effect::Slowdown(self.speed.value());
        let said = (
            self.name.as_deref(),
            "noisy neighbours",
            self.servers.as_str(),
        );
        on_servers(said, find.servers(&self.servers), schedule, effect)
    }
}

fn check_speed(speed: Share, refuse: &mut Refuse<'_>) {
    if !(1e-6..=1e6).contains(&speed.value()) {
        let message = format!("`speed` is {speed}; it must be 0.0001% to 100000000%");
        refuse("speed", &message);
    }
}
