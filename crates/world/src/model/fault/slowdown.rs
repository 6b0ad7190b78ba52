//! Servers that work more slowly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

use super::{Effect, Fade, Fault, Find, Kind, Refuse, Schedule, on_servers, planned};

planned! {
    /// A slow stretch.
    Slowdown of servers, #[doc = "When."] at {
        /// Speed in the meantime, as a share of the usual one; more than 0%.
        pub speed: Share,
        /// How long it takes the speed to fall from the usual one to `speed`, evenly; at once where
        /// it is left out. Where it `lasts` less long, it does not fall so far.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-least" = "1us"))]
        pub over: Option<Span>,
        /// How long it takes the speed to rise again, evenly, from its end on; at once where it is
        /// left out. From halfway down it takes half as long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-least" = "1us"))]
        pub recovers_over: Option<Span>,
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
        self.check_planned(refuse);
        check_speed(self.speed, refuse);
        if self.recovers_over.is_some() && self.lasts.is_none() && self.again.is_none() {
            refuse(
                "recovers-over",
                "a slowdown that never ends does not recover; give `lasts`, or leave out `recovers-over`",
            );
        }
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let effect = Effect::Slowdown {
            speed: self.speed.value(),
            comes: self.over.unwrap_or(Span::ZERO),
            goes: self.recovers_over.map_or(Fade::AtOnce, Fade::Over),
        };
        self.on_servers("slowdown", effect, find)
    }
}

impl Kind for NoisyNeighbours {
    fn check(&self, refuse: &mut Refuse<'_>) {
        check_speed(self.speed, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let schedule = Schedule::exponential(self.every, self.lasts);
        let effect = Effect::slowdown(self.speed);
        let said = (
            self.name.as_deref(),
            "noisy neighbours",
            self.servers.as_str(),
        );
        on_servers(said, find.servers(&self.servers), schedule, effect)
    }
}

/// What is so slow, or so quick, is a mistake.
pub(super) fn check_speed(speed: Share, refuse: &mut Refuse<'_>) {
    if !(1e-6..=1e6).contains(&speed.value()) {
        let message = format!("`speed` is {speed}; it must be 0.0001% to 100000000%");
        refuse("speed", &message);
    }
}
