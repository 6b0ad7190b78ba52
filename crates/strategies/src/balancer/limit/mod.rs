//! Limits of what is let in: how many requests may be under way at once, or how many may come. One
//! list of kinds; each has a file with its settings and what it keeps.

mod aimd;
mod fixed;
mod gradient;
mod token_bucket;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refuse;
use super::affinity::By;
use crate::strategy::{Origin, Outcome};
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

pub use aimd::Aimd;
pub use fixed::Fixed;
pub use gradient::Gradient;
pub use token_bucket::TokenBucket;

/// A kind of limit, as a scenario says it.
trait Limiting {
    /// What it keeps.
    type Meter: Meter;

    /// Nobody let in yet.
    fn meter(&self) -> Self::Meter;

    /// Says which settings may not be so.
    fn check(&self, _refuse: &mut Refuse<'_>) {}
}

/// An adaptive limit moves between two others. The upper one need not be written: then the lower
/// one is at fault.
fn check_bounds(least: u32, (most, by_default): (u32, u32), refuse: &mut Refuse<'_>) {
    if most < least && most == by_default {
        let message = format!("`least` is {least}, which is more than `most`, {most} by default");
        refuse("least", &message);
    } else if most < least {
        let message = format!("`most` is {most}, which is less than `least`, {least}");
        refuse("most", &message);
    }
}

/// An adaptive limit starts between its bounds. Where the start need not be written, it is as near
/// to that by default as the bounds let it be.
fn check_start(start: (u32, u32), (least, most): (u32, u32), refuse: &mut Refuse<'_>) {
    let (start, by_default) = start;
    if least <= most && !(least..=most).contains(&start) && start != by_default {
        let message =
            format!("`start` is {start}; it must be between `least`, {least}, and `most`, {most}");
        refuse("start", &message);
    }
}

/// The end of one that was let in.
#[derive(Clone, Copy, Debug)]
struct Left {
    outcome: Outcome,
    status: Status,
    took: Span,
    /// How many there were when it was let in, itself among them.
    among: u32,
}

/// What a kind of limit keeps.
trait Meter {
    /// How many may be under way at once by now; `u32::MAX` where it is not their number that
    /// counts.
    fn most(&self) -> u32 {
        u32::MAX
    }

    /// Whether one more may come, as far as their number at once does not say it.
    fn may_come(&mut self, _now: Time) -> bool {
        true
    }

    /// One has come.
    fn came(&mut self, _now: Time) {}

    /// One has ended.
    fn left(&mut self, _left: &Left) {}

    /// When one more may come, as far as their number at once does not say it, where that is not
    /// now.
    fn next(&self, now: Time) -> Time {
        now
    }
}

/// Makes the enums of kinds from the list.
macro_rules! limits {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// How many are let in.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum LimitKind {
            $($(#[$doc])* $kind($kind),)*
        }

        impl LimitKind {
            /// Says which settings may not be so, each with its key.
            pub fn check(&self, refuse: &mut Refuse<'_>) {
                match self {
                    $(LimitKind::$kind(kind) => kind.check(refuse),)*
                }
            }

            fn at_work(&self) -> Metering {
                match self {
                    $(LimitKind::$kind(kind) => Metering::$kind(kind.meter()),)*
                }
            }
        }

        #[derive(Clone, Debug)]
        enum Metering {
            $($kind(<$kind as Limiting>::Meter),)*
        }

        impl Metering {
            fn meter(&self) -> &dyn Meter {
                match self {
                    $(Metering::$kind(meter) => meter,)*
                }
            }

            fn meter_mut(&mut self) -> &mut dyn Meter {
                match self {
                    $(Metering::$kind(meter) => meter,)*
                }
            }
        }
    };
}

limits! {
    /// So many at once: a bulkhead (Envoy: `max_requests` of `circuit_breakers`).
    Fixed,
    /// So many a second, and so many more in a burst (Envoy: `local_ratelimit`; nginx:
    /// `limit_req`).
    TokenBucket,
    /// As many at once as go well: one more for each round of answers, a share fewer for each that
    /// fails (additive increase, multiplicative decrease; Netflix: `AIMDLimit`).
    Aimd,
    /// As many at once as do not make response times grow (Netflix: `Gradient2Limit`).
    Gradient,
}

/// A limit of what is let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// How many.
    pub by: LimitKind,
    /// For each class of requests (`priority` of clients, from 0) the share of the limit up to
    /// which it is let in; the last holds for all further ones, and without any all are let in
    /// alike. With `["100%", "80%"]` a fifth is kept for those of class 0. Who waits (`when-full`)
    /// does so in one line, whatever the class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 255))]
    pub shares: Vec<Share>,
    /// What becomes of those who find it full.
    #[serde(default)]
    pub when_full: WhenFull,
    /// How many may wait at once at one balancer; more are refused. Any number where it is left
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_limit: Option<u32>,
}

/// A limit for each client by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientLimit {
    /// How many of each client are let in; others are refused.
    pub by: LimitKind,
    /// What tells clients from each other.
    #[serde(default)]
    pub per: By,
}

impl ClientLimit {
    /// What it looks at of where a request comes from.
    pub fn origin(&self) -> Origin {
        match self.per {
            By::Address => Origin::Address,
            By::Client => Origin::Nothing,
        }
    }
}

/// What becomes of those who find a limit full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// They are refused.
    #[default]
    Refuse,
    /// They wait, first come, first served: for `queue-timeout` at most, where it is given.
    Wait,
}

impl Limit {
    /// Whether one waits who finds it full, where so many do already.
    pub fn lets_wait(&self, waiting: u32) -> bool {
        self.when_full == WhenFull::Wait && self.queue_limit.is_none_or(|most| waiting < most)
    }

    /// Says which settings may not be so, each with its key.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        self.by
            .check(&mut |key, message| refuse(&format!("by.{key}"), message));
        if matches!(self.by, LimitKind::TokenBucket(_)) && !self.shares.is_empty() {
            let message = "tokens are for whoever comes first; use another kind, or leave this out";
            refuse("shares", message);
        }
        if let LimitKind::Fixed(Fixed { requests }) = self.by {
            let none = |share: &&Share| share.value() * f64::from(requests) + 1e-9 < 1.0;
            if let Some(share) = self.shares.iter().find(none) {
                refuse(
                    "shares",
                    &format!("{share} of {requests} is no place at all"),
                );
            }
        }
        let bad = |share: &&Share| !(share.value() > 0.0 && share.value() <= 1.0);
        if let Some(share) = self.shares.iter().find(bad) {
            let message = format!("a share is {share}; it must be more than 0% and at most 100%");
            refuse("shares", &message);
        }
    }
}

/// A limit at work.
#[derive(Clone, Debug)]
pub struct Limiter {
    metering: Metering,
    shares: Vec<f64>,
    under_way: u32,
}

/// How many there were when one was let in.
pub type Among = u32;

impl Limiter {
    /// Nobody let in yet; all classes are alike.
    pub fn by(kind: &LimitKind) -> Limiter {
        Limiter {
            metering: kind.at_work(),
            shares: Vec::new(),
            under_way: 0,
        }
    }

    /// Nobody let in yet.
    pub fn new(limit: &Limit) -> Limiter {
        Limiter {
            metering: limit.by.at_work(),
            shares: limit.shares.iter().map(|share| share.value()).collect(),
            under_way: 0,
        }
    }

    /// Whether one of this class may come in.
    pub fn may_enter(&mut self, class: u8, now: Time) -> bool {
        let most = self.metering.meter().most();
        let share = self.shares.get(usize::from(class)).or(self.shares.last());
        let most = match share {
            Some(share) if most < u32::MAX => (f64::from(most) * share + 1e-9) as u32,
            _ => most,
        };
        self.under_way < most && self.metering.meter_mut().may_come(now)
    }

    /// One comes in; it hands back what it is told when it leaves.
    pub fn enter(&mut self, now: Time) -> Among {
        self.under_way += 1;
        self.metering.meter_mut().came(now);
        self.under_way
    }

    /// One that came in among so many leaves: so it ended, with this status, and so long it took.
    pub fn leave(&mut self, (outcome, status): (Outcome, Status), took: Span, among: Among) {
        self.under_way = self.under_way.saturating_sub(1);
        let left = Left {
            outcome,
            status,
            took,
            among,
        };
        self.metering.meter_mut().left(&left);
    }

    /// When one more may come in that now may not, whoever leaves; `None` where somebody has to
    /// leave first.
    pub fn next(&self, now: Time) -> Option<Time> {
        let next = self.metering.meter().next(now);
        (next > now).then_some(next)
    }
}

#[cfg(test)]
mod testing {
    use super::*;

    pub(super) fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    pub(super) fn limiter(by: LimitKind) -> Limiter {
        Limiter::new(&Limit {
            by,
            shares: Vec::new(),
            when_full: WhenFull::Refuse,
            queue_limit: None,
        })
    }

    /// One that took so many milliseconds, and came in among so many, leaves.
    pub(super) fn leave(limiter: &mut Limiter, outcome: Outcome, (took, among): (u64, u32)) {
        limiter.leave((outcome, outcome.status()), Span::from_millis(took), among);
    }

    /// How many may be let in at once from now on.
    pub(super) fn room(limiter: &Limiter) -> u32 {
        limiter.metering.meter().most()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::at;
    use super::*;

    #[test]
    fn a_part_is_kept_for_the_first_class() {
        let mut limiter = Limiter::new(&Limit {
            by: LimitKind::Fixed(Fixed { requests: 10 }),
            shares: vec![Share::ONE, Share::fraction(0.8)],
            when_full: WhenFull::Refuse,
            queue_limit: None,
        });
        let let_in = |class: u8, limiter: &mut Limiter| {
            let mut count = 0;
            while limiter.may_enter(class, at(0)) {
                limiter.enter(at(0));
                count += 1;
            }
            count
        };
        assert_eq!(let_in(1, &mut limiter), 8);
        assert_eq!(let_in(7, &mut limiter), 0);
        assert_eq!(let_in(0, &mut limiter), 2);
        limiter.leave((Outcome::Success, Status::OK), Span::ZERO, 1);
        assert_eq!(let_in(1, &mut limiter), 0);
        assert_eq!(let_in(0, &mut limiter), 1);
    }
}
