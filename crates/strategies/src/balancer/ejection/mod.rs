//! Passive ejection: a balancer leaves out for a while whoever answers badly, by the requests that
//! it sends anyway. One list of kinds; each has a file with its settings and what it keeps.

mod circuit_breaker;
mod error_limit;
mod max_fails;
mod outlier_detection;
mod slow_servers;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refuse;
use crate::strategy::{Answer, MemberId, Outcome, Pool};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

pub use crate::strategy::envoy::outlier::OutlierDetection;
pub use circuit_breaker::CircuitBreaker;
pub use error_limit::{ErrorLimit, OnError};
pub use max_fails::MaxFails;
pub use slow_servers::SlowServers;

/// What may speak against a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// It answers with an error, as with status 500.
    Error,
    /// It says that it is full, as with status 503: the refusals of a server that protects itself.
    Refusal,
    /// Its answer does not come in time.
    Timeout,
    /// It refuses the connection, or breaks it.
    Connection,
}

impl Against {
    /// All that may.
    pub(super) const ALL: [Against; 4] = [
        Against::Error,
        Against::Refusal,
        Against::Timeout,
        Against::Connection,
    ];

    /// Whether an attempt that ended so speaks against its member; `None` where it says nothing.
    pub(super) fn judges(all: &[Against], outcome: Outcome) -> Option<bool> {
        let what = match outcome {
            Outcome::Success => return Some(false),
            Outcome::Cancelled => return None,
            Outcome::Error => Against::Error,
            Outcome::Rejected => Against::Refusal,
            Outcome::Timeout => Against::Timeout,
            Outcome::Failure => Against::Connection,
        };
        all.contains(&what).then_some(true)
    }
}

/// What a kind of ejection comes to at a balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The member is left out.
    Out(MemberId),
    /// It is tried again.
    Try(MemberId),
    /// It is left out no longer.
    In(MemberId),
    /// Its next health check comes soon.
    CheckSoon(MemberId),
    /// It is as if a health check of it had failed.
    FailedCheck(MemberId),
    /// One failed health check more, and it is down.
    LastChance(MemberId),
    /// It is down, until its health checks pass.
    Down(MemberId),
}

/// What is at hand when a kind is told something.
struct Moment<'a> {
    now: Time,
    pool: &'a Pool,
    changes: &'a mut Vec<Change>,
}

impl Moment<'_> {
    /// Members that are part of the pool at present.
    fn present(&self) -> usize {
        let all = 0..self.pool.len() as MemberId;
        all.filter(|&member| self.pool.is_present(member)).count()
    }

    /// Whether one more may be left out where `out` are, and this share of the pool may be.
    fn may_leave_out(&self, out: usize, most: Share) -> bool {
        includes(most, self.present(), out + 1)
    }
}

/// Whether a share of so many members is so many.
fn includes(most: Share, members: usize, count: usize) -> bool {
    // A third of six is two, whatever the last digit of a third.
    count as f64 <= most.value() * members as f64 + 1e-9
}

/// Why of so many members nobody may be left out, where `most` says how many may be.
fn too_few(most: Share, members: usize) -> Option<String> {
    (!includes(most, members, 1)).then(|| format!("`most` is {most}"))
}

/// Says where something stands twice among what speaks against a member.
fn check_against(against: &[Against], refuse: &mut Refuse<'_>) {
    let again = |(at, what): (usize, &Against)| against[..at].contains(what);
    if against.iter().enumerate().any(again) {
        refuse("against", "`against` has something twice; once is enough");
    }
}

/// A kind of ejection, as a scenario says it.
trait EjectionKind {
    /// What it keeps at one balancer.
    type Watch: Watch;

    /// Nothing held against any of so many members yet. Where it looks at them at intervals, it is
    /// so far into one, 0 to 1.
    fn watch(&self, members: usize, phase: f64) -> Self::Watch;

    /// Says which settings may not be so.
    fn check(&self, _refuse: &mut Refuse<'_>) {}

    /// By what of so many members nobody can be left out, in words; by default somebody can be.
    fn leaves_out_nobody(&self, _members: usize) -> Option<String> {
        None
    }
}

/// What a kind of ejection keeps at one balancer.
trait Watch {
    /// An attempt is sent to a member.
    fn sent(&mut self, _member: MemberId, _moment: &mut Moment<'_>) {}

    /// An attempt has ended.
    fn answered(&mut self, answer: &Answer, moment: &mut Moment<'_>);

    /// When it wants to look next, whatever comes.
    fn next_look(&self) -> Time {
        Time::NEVER
    }

    /// It looks.
    fn look(&mut self, _moment: &mut Moment<'_>) {}
}

/// Makes the enums of kinds from the list.
macro_rules! ejections {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// How a balancer leaves out members that answer badly.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Ejection {
            $($(#[$doc])* $kind($kind),)*
        }

        impl Ejection {
            /// Says which settings may not be so, each with its key.
            pub fn check(&self, refuse: &mut Refuse<'_>) {
                match self {
                    $(Ejection::$kind(kind) => kind.check(refuse),)*
                }
            }

            /// By what of so many members nobody can be left out, in words: "`most` is 10%". `None`
            /// where somebody can be.
            pub fn leaves_out_nobody(&self, members: usize) -> Option<String> {
                match self {
                    $(Ejection::$kind(kind) => kind.leaves_out_nobody(members),)*
                }
            }

            fn at_work(&self, members: usize, phase: f64) -> AtWork {
                match self {
                    $(Ejection::$kind(kind) => AtWork::$kind(kind.watch(members, phase)),)*
                }
            }
        }

        #[derive(Clone, Debug)]
        enum AtWork {
            $($kind(<$kind as EjectionKind>::Watch),)*
        }

        impl AtWork {
            fn watch(&self) -> &dyn Watch {
                match self {
                    $(AtWork::$kind(watch) => watch,)*
                }
            }

            fn watch_mut(&mut self) -> &mut dyn Watch {
                match self {
                    $(AtWork::$kind(watch) => watch,)*
                }
            }
        }
    };
}

ejections! {
    /// A circuit breaker for each member: closed, open for a while, then half open: a few attempts
    /// are let through, and how they end decides (Nygard, "Release It!", 2007). The values by
    /// default are those of Hystrix.
    CircuitBreaker,
    /// Outlier detection as Envoy has it, with its values by default: of fewer than ten members it
    /// ejects nobody.
    OutlierDetection,
    /// As nginx: after so many failures a member is left alone for a while, and then tried with one
    /// request.
    MaxFails,
    /// Members whose answers take far longer than those of the others.
    SlowServers,
    /// As HAProxy's `observe`: errors in a row count as failed health checks.
    ErrorLimit,
}

/// The ejection of one balancer at work.
#[derive(Clone, Debug)]
pub struct Ejector {
    at_work: AtWork,
    changes: Vec<Change>,
}

impl Ejector {
    /// Nothing held against any of so many members yet; so far into an interval of its looks, 0 to
    /// 1.
    pub fn new(ejection: &Ejection, members: usize, phase: f64) -> Ejector {
        Ejector {
            at_work: ejection.at_work(members, phase),
            changes: Vec::new(),
        }
    }

    fn at(
        &mut self,
        pool: &Pool,
        now: Time,
        tell: impl FnOnce(&mut dyn Watch, &mut Moment<'_>),
    ) -> Vec<Change> {
        let mut moment = Moment {
            now,
            pool,
            changes: &mut self.changes,
        };
        tell(self.at_work.watch_mut(), &mut moment);
        std::mem::take(&mut self.changes)
    }

    /// An attempt is sent to a member: what comes of it.
    pub fn sent(&mut self, member: MemberId, pool: &Pool, now: Time) -> Vec<Change> {
        self.at(pool, now, |watch, moment| watch.sent(member, moment))
    }

    /// An attempt has ended: what comes of it.
    pub fn answered(&mut self, answer: &Answer, pool: &Pool, now: Time) -> Vec<Change> {
        self.at(pool, now, |watch, moment| watch.answered(answer, moment))
    }

    /// When it wants to look next, whatever comes.
    pub fn next_look(&self) -> Time {
        self.at_work.watch().next_look()
    }

    /// It looks, if it is time: what comes of it.
    pub fn look(&mut self, pool: &Pool, now: Time) -> Vec<Change> {
        if self.next_look() > now {
            return Vec::new();
        }
        self.at(pool, now, |watch, moment| watch.look(moment))
    }
}

/// How long one is left out that has been left out so many times in a row, this one included.
fn grown(base: Span, times: u32, growth: f64, most: Span) -> Span {
    let factor = growth.powi(times.saturating_sub(1).min(1000) as i32);
    Span::from_seconds((base.seconds() * factor).min(most.max(base).seconds()))
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::strategy::Member;
    use Span;

    /// A pool of so many like members under one ejection, driven by hand.
    pub(super) struct Driven {
        ejector: Ejector,
        pool: Pool,
    }

    pub(super) fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    impl Driven {
        pub(super) fn new(ejection: &Ejection, members: u32) -> Driven {
            let all = (0..members).map(|position| Member::new(position, 1));
            Driven {
                ejector: Ejector::new(ejection, members as usize, 0.0),
                pool: Pool::new(all.collect()),
            }
        }

        /// An attempt that took so many milliseconds ends at a member.
        pub(super) fn ends(
            &mut self,
            member: MemberId,
            outcome: Outcome,
            (millis, took): (u64, u64),
        ) -> Vec<Change> {
            let answer = Answer {
                member,
                outcome,
                status: outcome.status(),
                response_time: Span::from_millis(took),
                feedback: None,
            };
            self.ejector.answered(&answer, &self.pool, at(millis))
        }

        pub(super) fn sent(&mut self, member: MemberId, millis: u64) -> Vec<Change> {
            self.ejector.sent(member, &self.pool, at(millis))
        }

        pub(super) fn next_look(&self) -> Time {
            self.ejector.next_look()
        }

        pub(super) fn look(&mut self, millis: u64) -> Vec<Change> {
            self.ejector.look(&self.pool, at(millis))
        }
    }
}
