//! Rolling restarts and deployments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

use super::crash::check_crash;
use super::slowdown::check_speed;
use super::{
    Effect, Fault, Find, InFlight, Kind, Refuse, Schedule, Stage, Strikes, Turn, WhileDown,
};

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
    /// In place of `drain`: how long each is drained at most. It goes down as soon as it has
    /// nothing left to do, which may be at once, and the next have their turn as much sooner. What
    /// is still on its way to it finds it down. Clients bound to it by a cookie come while it is
    /// drained, and are bound to another one when it is known to be down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub grace: Option<Span>,
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
    /// What servers are like that have had their turn, where what is released is bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
}

/// A bad release: what servers are like that have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// The share of attempts that end in errors; 0% to 100%.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Share>,
    /// Speed, as a share of the usual one; more than 0%.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<Share>,
    /// When it is taken back, at all servers at once: from then on all are as they were, and who
    /// has had no turn by then has none. Never where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<Span>,
}

impl Release {
    /// What it does, each with its name in charts.
    fn effects(&self) -> Vec<(&'static str, Effect)> {
        let errors = |share: Share| ("errors", Effect::errors(share));
        let speed = |speed: Share| ("slowdown", Effect::slowdown(speed));
        let both = self.errors.map(errors).into_iter();
        both.chain(self.speed.map(speed)).collect()
    }

    fn check(&self, at: Span, refuse: &mut Refuse<'_>) {
        if self.errors.or(self.speed).is_none() {
            refuse(
                "release",
                "nothing says what is bad about it; give `errors`, `speed`, or both",
            );
        }
        let mut refuse = |key: &str, message: &str| refuse(&format!("release.{key}"), message);
        if self.errors.is_some_and(|share| share.value() > 1.0) {
            refuse("errors", "`errors` must be at most 100%");
        }
        if let Some(speed) = self.speed {
            check_speed(speed, &mut refuse);
        }
        if let Some(back) = self.rolled_back
            && back <= at
        {
            let message = format!("`rolled-back` is {back}, which is not after `at`, {at}");
            refuse("rolled-back", &message);
        }
    }
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

impl Kind for Rolling {
    fn check(&self, refuse: &mut Refuse<'_>) {
        if let Some(grace) = self.grace {
            if self.drain.is_some() {
                let message =
                    "how long servers are drained is said twice; leave out `drain` or `grace`";
                refuse("grace", message);
            }
            if self.down.is_none() {
                let message = format!(
                    "servers are drained for {grace} at most, and then do not go down; give `down`"
                );
                refuse("grace", &message);
            }
        } else if self.drain.or(self.down).is_none() && self.release.is_none() {
            let message = "nothing is done to the servers; give `drain`, `down`, or both";
            refuse("servers", message);
        }
        if let Some(release) = &self.release {
            release.check(self.at, refuse);
        }
        check_crash(self.in_flight, self.answers, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let servers = find.servers(&self.servers);
        match (self.grace, self.down) {
            (Some(grace), Some(down)) => self.turns_with_grace(servers, grace, down),
            _ => self.turns(servers),
        }
    }
}

impl Rolling {
    /// The servers in the order in which they have their turn.
    fn in_order(&self, mut servers: Vec<u32>) -> Vec<u32> {
        if self.order == Order::Reversed {
            servers.reverse();
        }
        servers
    }

    /// What charts call it.
    fn label(&self) -> String {
        let own = || format!("rolling of {}", self.servers);
        self.name.clone().unwrap_or_else(own)
    }

    /// The drains and crashes of each turn, where servers go down as soon as they can.
    fn turns_with_grace(&self, servers: Vec<u32>, grace: Span, down: Span) -> Vec<Fault> {
        let (own, servers) = (self.label(), self.in_order(servers));
        let turns = servers.chunks(self.at_once as usize);
        let of = turns.len();
        let rolled_back = (self.release.as_ref()).and_then(|release| release.rolled_back);
        let before = rolled_back.map_or(Time::NEVER, |at| Time::ZERO + at);
        let mut faults = Vec::new();
        let mut begins = Time::ZERO + self.at;
        for (number, turn) in (0u32..).zip(turns) {
            if before <= begins {
                break;
            }
            let mut add = |what: &str, earliest: Time, stage: Stage, effect: Effect| {
                faults.push(Fault {
                    label: format!("{own}: {what} {} of {of}", number + 1),
                    number: 0,
                    schedule: Schedule::Turn(Turn {
                        number,
                        earliest,
                        stage,
                    }),
                    strikes: Strikes::Servers(turn.to_vec(), effect),
                    only: None,
                });
            };
            add("drain", begins, Stage::Drain(grace), Effect::Drain);
            let crash = Effect::Crash(self.in_flight, self.answers);
            let stage = Stage::Down {
                lasts: down,
                pause: self.pause,
                before,
            };
            add("restart", begins, stage, crash);
            let back = begins + down;
            if let Some(release) = &self.release
                && back < before
            {
                for (what, effect) in release.effects() {
                    add(what, back, Stage::Released(before), effect);
                }
            }
            begins = back + self.pause;
        }
        faults
    }

    /// The drains and crashes of each turn.
    fn turns(&self, servers: Vec<u32>) -> Vec<Fault> {
        let (own, servers) = (self.label(), self.in_order(servers));
        let [drain, down] = [self.drain, self.down].map(|span| span.unwrap_or(Span::ZERO));
        let turns = servers.chunks(self.at_once as usize);
        let of = turns.len();
        let rolled_back = (self.release.as_ref()).and_then(|release| release.rolled_back);
        let mut faults = Vec::new();
        let mut begins = self.at;
        for (number, turn) in turns.enumerate() {
            if rolled_back.is_some_and(|back| back <= begins) {
                break;
            }
            let mut add = |what: &str, at: Span, lasts: Option<Span>, effect: Effect| {
                faults.push(Fault {
                    label: format!("{own}: {what} {} of {of}", number + 1),
                    number: 0,
                    schedule: Schedule::planned(at, lasts, None),
                    strikes: Strikes::Servers(turn.to_vec(), effect),
                    only: None,
                });
            };
            if self.drain.is_some() {
                add("drain", begins, Some(drain + down), Effect::Drain);
            }
            if self.down.is_some() {
                let effect = Effect::Crash(self.in_flight, self.answers);
                add("restart", begins + drain, Some(down), effect);
            }
            let back = begins + drain + down;
            if let Some(release) = &self.release
                && rolled_back.is_none_or(|rolled_back| back < rolled_back)
            {
                let lasts = rolled_back.map(|rolled_back| rolled_back - back);
                for (what, effect) in release.effects() {
                    add(what, back, lasts, effect);
                }
            }
            begins = back + self.pause;
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
            grace: None,
            release: None,
        };
        let faults = rolling.turns(vec![0, 1, 2]);
        let at = |seconds: u64| Time::ZERO + Span::from_secs(seconds);
        let said: Vec<_> = faults
            .iter()
            .map(|fault| {
                let Schedule::Once(from, to) = fault.schedule else {
                    panic!("{fault:?}")
                };
                (fault.label.as_str(), fault.servers(), from, to)
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

    /// Of four turns the third is under way when the release is taken back, and the fourth is none.
    #[test]
    fn a_release_is_taken_back() {
        let rolling: Rolling = serde_json::from_value(serde_json::json!({
            "servers": "web", "at": "10s", "down": "4s", "pause": "1s",
            "release": { "errors": "5%", "speed": "70%", "rolled-back": "21s" },
        }))
        .unwrap();
        let at = |seconds: u64| Time::ZERO + Span::from_secs(seconds);
        let faults = rolling.turns(vec![7, 8, 9, 10]);
        let said: Vec<_> = (faults.iter())
            .filter(|fault| !matches!(fault.effect(), Some(Effect::Crash(..))))
            .map(|fault| {
                (
                    fault.servers(),
                    fault.effect().unwrap(),
                    fault.schedule.known_times(at(99)),
                )
            })
            .collect();
        let errors = Effect::errors(Share::fraction(0.05));
        let slower = Effect::slowdown(rolling.release.unwrap().speed.unwrap());
        assert_eq!(
            said,
            [
                (&[7][..], errors, vec![(at(14), at(21))]),
                (&[7][..], slower, vec![(at(14), at(21))]),
                (&[8][..], errors, vec![(at(19), at(21))]),
                (&[8][..], slower, vec![(at(19), at(21))]),
            ]
        );
        assert_eq!(faults.len(), 7);
    }
}
