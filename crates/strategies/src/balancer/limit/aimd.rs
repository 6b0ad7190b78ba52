//! Additive increase, multiplicative decrease: Chiu and Jain, "Analysis of the increase and
//! decrease algorithms for congestion avoidance in computer networks", Computer Networks 17, 1989.
//! Names as Netflix's concurrency-limits has them (`AIMDLimit`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::ejection::Against;
use super::{Left, Limiting, Meter, Refuse, check_bounds, check_start};
use crate::strategy::Outcome;
use lbsim_engine::status::Statuses;
use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

/// Settings of AIMD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Aimd {
    /// How many at once at the start (Netflix: `initialLimit`), between `least` and `most`; where
    /// the default is not, the nearer of them.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub start: u32,
    /// How many at least.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub least: u32,
    /// How many at most.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub most: u32,
    /// What is left of the limit after a request that failed: one that was refused, met with an
    /// error or ran into its timeout (Netflix: `backoffRatio`).
    pub backoff: Share,
    /// What counts as failed: all that may where it is left out. What does not says nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Against>,
    /// Which answers count so by what they say, besides; where any are given, an error answer of
    /// another status says nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub statuses: Vec<Statuses>,
    /// Requests that take longer count as failed (Netflix: `timeout`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub slow: Option<Span>,
    /// The limit grows by this much for each answer, in parts of itself: with 1 by one for each
    /// answer, as Netflix's; with `per-round` by one for as many answers as it is high.
    pub grows: Growth,
    /// The limit grows only where so much of it was in use when the request was let in (Netflix:
    /// half).
    pub in_use: Share,
}

/// How fast a limit grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Growth {
    /// By one for as many answers as it is high.
    #[default]
    PerRound,
    /// By one for each answer.
    PerAnswer,
}

impl Default for Aimd {
    fn default() -> Aimd {
        Aimd {
            start: 20,
            least: 1,
            most: 1000,
            backoff: Share::fraction(0.9),
            against: Vec::new(),
            statuses: Vec::new(),
            slow: None,
            grows: Growth::PerRound,
            in_use: Share::fraction(0.9),
        }
    }
}

impl Limiting for Aimd {
    type Meter = Window;

    fn meter(&self) -> Window {
        Window {
            limit: f64::from(self.start.clamp(self.least, self.most.max(self.least))),
            settings: self.clone(),
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        check_bounds(self.least, (self.most, Aimd::default().most), refuse);
        let start = (self.start, Aimd::default().start);
        check_start(start, (self.least, self.most), refuse);
        if !(self.backoff.value() > 0.0 && self.backoff.value() < 1.0) {
            let backoff = self.backoff;
            refuse(
                "backoff",
                &format!("`backoff` is {backoff}; it must be more than 0% and less than 100%"),
            );
        }
        if self.in_use.value() > 1.0 {
            let in_use = self.in_use;
            refuse(
                "in-use",
                &format!("`in-use` is {in_use}; it must be at most 100%"),
            );
        }
    }
}

impl Aimd {
    /// Whether one that ended so failed; `None` where it says nothing.
    fn judges(&self, left: &Left) -> Option<bool> {
        if self
            .statuses
            .iter()
            .any(|statuses| statuses.contains(left.status))
        {
            return Some(true);
        }
        if left.outcome == Outcome::Error && !self.statuses.is_empty() {
            return None;
        }
        let against: &[Against] = match self.against.as_slice() {
            [] => &Against::ALL,
            some => some,
        };
        Against::judges(against, left.outcome)
    }
}

/// A limit that grows and shrinks.
#[derive(Clone, Debug)]
pub(super) struct Window {
    settings: Aimd,
    limit: f64,
}

impl Meter for Window {
    fn most(&self) -> u32 {
        self.limit as u32
    }

    fn left(&mut self, left: &Left) {
        let settings = &self.settings;
        let is_slow = settings.slow.is_some_and(|slow| left.took > slow);
        let failed = match settings.judges(left) {
            None => return,
            Some(failed) => failed || is_slow,
        };
        match failed {
            false => {
                let in_use = (self.limit * settings.in_use.value() + 1e-9).floor();
                if f64::from(left.among) >= in_use {
                    self.limit += match settings.grows {
                        Growth::PerRound => 1.0 / self.limit,
                        Growth::PerAnswer => 1.0,
                    };
                }
            }
            true => self.limit = (self.limit * settings.backoff.value() + 1e-9).floor(),
        }
        let (least, most) = (f64::from(settings.least), f64::from(settings.most));
        self.limit = self.limit.clamp(least, most);
    }
}

#[cfg(test)]
mod tests {
    use super::super::LimitKind;
    use super::super::testing::{at, leave, limiter, room};
    use super::*;
    use lbsim_engine::status::Status;

    #[test]
    fn it_grows_by_one_a_round_and_shrinks_by_a_tenth() {
        let mut limiter = limiter(LimitKind::Aimd(Aimd::default()));
        assert_eq!(room(&limiter), 20);
        // Two of twenty are too few to tell.
        leave(&mut limiter, Outcome::Success, (0, 2));
        assert_eq!(room(&limiter), 20);
        // 20 and 1/20, and 1/20.05 ...: 21 after twenty of them and one.
        let mut rounds = 0;
        while room(&limiter) < 21 {
            limiter.enter(at(0));
            leave(&mut limiter, Outcome::Success, (0, 19));
            rounds += 1;
        }
        assert_eq!(rounds, 21);
        leave(&mut limiter, Outcome::Timeout, (0, 3));
        assert_eq!(room(&limiter), 18, "nine tenths of 21.0");
        for _ in 0..40 {
            leave(&mut limiter, Outcome::Error, (0, 3));
        }
        assert_eq!(room(&limiter), 1);
        leave(&mut limiter, Outcome::Cancelled, (0, 3));
        assert_eq!(room(&limiter), 1);
    }

    /// A start that is written is not moved in silence; one that is not follows the bounds.
    #[test]
    fn it_starts_between_its_bounds() {
        let refused = |start: u32, least: u32, most: u32| {
            let mut keys = Vec::new();
            let own = Aimd {
                start,
                least,
                most,
                ..Aimd::default()
            };
            own.check(&mut |key, message| keys.push(format!("{key}: {message}")));
            keys
        };
        assert_eq!(
            refused(30, 1, 10),
            ["start: `start` is 30; it must be between `least`, 1, and `most`, 10"]
        );
        assert_eq!(refused(4, 5, 10).len(), 1);
        assert_eq!(refused(5, 5, 10), [""; 0]);
        assert_eq!(refused(20, 1, 10), [""; 0], "20 is the default");
        assert_eq!(refused(30, 20, 10).len(), 1, "the bounds are at fault");
    }

    #[test]
    fn what_counts_may_be_said() {
        let at_host = Aimd {
            against: vec![Against::Timeout, Against::Connection],
            statuses: vec!["503".parse().expect("a status")],
            ..Aimd::default()
        };
        let mut limiter = limiter(LimitKind::Aimd(at_host));
        let mut after = |status: u16| {
            let status = Status::new(status);
            limiter.leave((Outcome::of(status), status), Span::ZERO, 20);
            room(&limiter)
        };
        assert_eq!([after(500), after(429), after(503)], [20, 20, 18]);
        leave(&mut limiter, Outcome::Rejected, (0, 20));
        assert_eq!(room(&limiter), 16, "a refusal is a 503");
        leave(&mut limiter, Outcome::Failure, (0, 20));
        assert_eq!(room(&limiter), 14);
        for status in [400; 15] {
            let status = Status::new(status);
            limiter.leave((Outcome::of(status), status), Span::ZERO, 20);
        }
        assert_eq!(room(&limiter), 15, "the server was well");
    }
}
