//! Rolling restarts and deployments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::Span;

use super::crash::check_crash;
use super::{Effect, Fault, Find, InFlight, Kind, Refuse, Schedule, Strikes, WhileDown};

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

impl Kind for Rolling {
    fn check(&self, refuse: &mut Refuse<'_>) {
        if self.drain.or(self.down).is_none() {
            let message = "nothing is done to the servers; give `drain`, `down`, or both";
            refuse("servers", message);
        }
        check_crash(self.in_flight, self.answers, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        self.turns(find.servers(&self.servers))
    }
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
                    number: 0,
                    schedule: Schedule::planned(at, Some(lasts), None),
                    strikes: Strikes::Servers(turn.to_vec(), effect),
                    only: None,
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
    use lbsim_engine::time::Time;

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
}
