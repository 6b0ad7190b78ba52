//! Servers that are cold when they have started, and get warm by and by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::{Effect, Fade, Refuse};
use super::held::{Held, START};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

/// How cold servers are when they have started, as their caches are empty then, or their code is
/// still to be compiled: after each crash, and when they join the pool. Those that are there from
/// the start of the run are warm. Give `lasts` or `requests`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cold {
    /// Speed at the start, as a share of the usual one; more than 0%, and 100% at most.
    pub speed: Share,
    /// How long it takes to the usual speed; it rises evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub lasts: Option<Span>,
    /// After how many requests that it has served a server has its usual speed; it rises evenly
    /// with each of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub requests: Option<u32>,
}

impl Cold {
    /// Says which settings may not be so.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        if !(1e-6..=1.0).contains(&self.speed.value()) {
            let message = format!("`speed` is {}; it must be 0.0001% to 100%", self.speed);
            refuse("speed", &message);
        }
        match (self.lasts, self.requests) {
            (None, None) => refuse(
                "lasts",
                "nothing says when a server is warm; give `lasts` or `requests`",
            ),
            (Some(_), Some(_)) => refuse(
                "requests",
                "when a server is warm is said twice; leave out `lasts` or `requests`",
            ),
            _ => {}
        }
    }

    /// It is a slowdown that is there when a server starts, and goes.
    fn effect(&self) -> Effect {
        let goes = match (self.lasts, self.requests) {
            (Some(lasts), _) => Fade::Over(lasts),
            (None, Some(requests)) => Fade::Requests(requests),
            (None, None) => Fade::AtOnce,
        };
        Effect::Slowdown {
            speed: self.speed.value(),
            comes: Span::ZERO,
            goes,
        }
    }
}

impl World<'_> {
    /// A server has started: it is cold, where its group is so.
    pub(super) fn start_cold(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let Some(cold) = &self.servers[server as usize].group_in(self.plan).cold else {
            return;
        };
        let now = calendar.now();
        let mut fresh = Held::new(cold.effect(), START, now);
        let held = &mut self.effects[server as usize];
        held.retain(|held| held.strike != START);
        if fresh.go(now) {
            held.push(fresh);
        }
        self.change_pace(server, calendar);
    }

    /// A server has served a request: where it gets warm by that, it is a little warmer.
    pub(super) fn warm(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let Some(held) = self.effects.get_mut(server as usize) else {
            return;
        };
        let Some(at) = held.iter().position(|held| held.strike == START) else {
            return;
        };
        if held[at].served() {
            if !held[at].pass() {
                held.remove(at);
            }
            self.change_pace(server, calendar);
        }
    }
}
