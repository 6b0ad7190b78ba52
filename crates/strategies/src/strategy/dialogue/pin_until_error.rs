//! Sends all requests to one member until that fails, and then to the next of a list in an order of
//! its own, so that caches stay warm and a member that is well is never left. This is the node
//! selection `PIN_UNTIL_ERROR` of Palantir's dialogue, a client library that balances by itself.
//! Where the member is at its limit (`server-limit`), requests wait for it and go to no other.
//!
//! **Sees:** how its own attempts ended.
//! **Cost of a pick:** constant.
//! **Fails when:** there are few clients: each loads one server, and the others idle; or when the
//! member is slow rather than broken: nobody leaves it.
//! **Source:** palantir/dialogue 6291a1d8, PinUntilErrorNodeSelectionStrategyChannel.
//! **Differs:** nothing is known to.
//! **Verified:** thirteen scenarios of dialogue's own simulation come to its figures, but for two
//! means that rest on its order of events of one instant (scenarios/dialogue).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::draw::shuffle;
use crate::strategy::{Answer, Context, MemberId, News, Outcome, Pick, Product, Request};
use lbsim_engine::rng::below;
use lbsim_engine::time::{Span, Time};

/// Settings of `dialogue-pin-until-error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// After how long the order is drawn anew, so that load spreads again over members that have
    /// come back; each balancer adds or takes off up to 5%. Never where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub reshuffle: Option<Span>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            reshuffle: Some(Span::from_secs(600)),
        }
    }
}

/// One member, and who comes after it.
#[derive(Clone, Debug)]
pub struct DialoguePinUntilError {
    order: Vec<MemberId>,
    /// The place of the pinned member in the order.
    current: usize,
    reshuffle: Option<Span>,
    due: Time,
}

impl DialoguePinUntilError {
    fn go_on(&mut self) {
        self.current = (self.current + 1) % self.order.len();
    }
}

impl News for DialoguePinUntilError {
    const PICKS_FOR_WAITING: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = DialoguePinUntilError {
            order: (0..cx.pool.len() as MemberId).collect(),
            current: 0,
            reshuffle: None,
            due: Time::NEVER,
        };
        shuffle(cx.rng, &mut rule.order);
        if let Some(every) = config.reshuffle {
            // Of 600 s up to 30 more or less, in whole parts of 60.
            let part = every.nanos() / 20;
            let less = every.nanos() - part;
            let every = Span::from_nanos(less + part * below(cx.rng, 60) as u64 / 30);
            rule.reshuffle = Some(every);
            rule.due = cx.now + every;
        }
        rule
    }

    fn answered(&mut self, answer: &Answer, _: &mut Context<'_>) {
        let is_pinned = self.order.get(self.current) == Some(&answer.member);
        if is_pinned && !matches!(answer.outcome, Outcome::Success | Outcome::Cancelled) {
            self.go_on();
        }
    }
}

impl Product for DialoguePinUntilError {
    /// Where the pinned member stands in `request.tried`, it is full: the request waits for it. One
    /// that has nothing in flight has been tried, and is passed over.
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if cx.now >= self.due {
            shuffle(cx.rng, &mut self.order);
            self.due = self.reshuffle.map_or(Time::NEVER, |every| cx.now + every);
        }
        let (before, from) = self.order.split_at(self.current);
        let mut round = from.iter().chain(before).copied();
        let Some(pinned) = round.find(|&member| cx.pool.is_eligible(member)) else {
            return Pick::Nobody;
        };
        if !request.tried.contains(&pinned) {
            return Pick::Member(pinned);
        }
        if cx.pool.in_flight(pinned) > 0 {
            return Pick::Wait;
        }
        let is_other =
            |member: &MemberId| cx.pool.is_eligible(*member) && !request.tried.contains(member);
        Pick::Member(round.find(is_other).unwrap_or(pinned))
    }

    fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
        cx.pool.is_eligible(member)
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::Outcome;
    use crate::strategy::contract::Bench;
    use lbsim_engine::time::Span;

    #[test]
    fn it_stays_until_an_error_and_goes_round() {
        let mut bench = Bench::new("dialogue-pin-until-error", &[1, 1, 1]);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let pinned = bench.pick(0);
            for _ in 0..5 {
                assert_eq!(bench.pick(0), pinned);
                bench.send(pinned);
                bench.answer(pinned, Outcome::Success, Span::from_millis(1));
            }
            seen.push(pinned);
            bench.send(pinned);
            bench.send(pinned);
            bench.answer(pinned, Outcome::Error, Span::from_millis(1));
            // It has been left by then.
            bench.answer(pinned, Outcome::Error, Span::from_millis(1));
        }
        assert_eq!(bench.pick(0), seen[0]);
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2]);
    }
}
