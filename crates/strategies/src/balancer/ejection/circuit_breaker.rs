//! Circuit breakers: Nygard, "Release It!", 2007. Names and values by default as Hystrix has them
//! where it has a name (`errorThresholdPercentage`, `requestVolumeThreshold`, `sleepWindow`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Against, Change, EjectionKind, Moment, Refuse, Watch, check_against, grown, too_few};
use crate::balancer::preset::presets;
use crate::strategy::{Answer, MemberId, Outcome};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

/// Settings of circuit breakers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-presets" = BreakerPreset::all()))]
pub struct CircuitBreaker {
    /// Settings as a product has them by default; what is written beside goes before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<BreakerPreset>,
    /// The share of failed attempts at which a breaker opens.
    pub failures: Share,
    /// Attempts that must have ended in the window for that.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests: u32,
    /// The window: attempts that have ended in the last so long, in tenths of it.
    #[schemars(extend("x-least" = "1ms"))]
    pub window: Span,
    /// Failed attempts in a row at which it opens whatever the share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub consecutive: Option<u32>,
    /// Answers that take longer than this count as failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub slow: Option<Span>,
    /// What counts as a failure.
    #[schemars(length(min = 1))]
    pub against: Vec<Against>,
    /// How long a breaker is open.
    #[schemars(extend("x-least" = "1ms"))]
    pub open: Span,
    /// How many times as long it is open each further time in a row.
    #[schemars(range(min = 1.0, max = 10.0))]
    pub growth: f64,
    /// How long it is open at most.
    #[schemars(extend("x-least" = "1ms"))]
    pub open_max: Span,
    /// Attempts that are let through while it is half open: if all end well it closes, if one fails
    /// it opens again.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub trials: u32,
    /// The share of the pool whose breakers may be open at once.
    pub most: Share,
}

impl Default for CircuitBreaker {
    fn default() -> CircuitBreaker {
        CircuitBreaker {
            preset: None,
            failures: Share::fraction(0.5),
            requests: 20,
            window: Span::from_secs(10),
            consecutive: None,
            slow: None,
            against: Against::ALL.to_vec(),
            open: Span::from_secs(5),
            growth: 1.0,
            open_max: Span::from_secs(300),
            trials: 1,
            most: Share::ONE,
        }
    }
}

presets! {
    /// Whose circuit breakers they are.
    BreakerPreset of CircuitBreaker {
        /// Hystrix, with its names in brackets: 50% of 20 requests in 10 s, and 5 s open.
        "hystrix" Hystrix {
            failures: Share::fraction(0.5),
            requests: 20,
            window: Span::from_secs(10),
            open: Span::from_secs(5),
        }
        /// Linkerd's failure accrual (`consecutive`): seven failures in a row, whatever the share,
        /// and from 1 s to 60 s open. Linkerd varies that by chance, which is left out.
        "linkerd" Linkerd {
            failures: Share::ONE,
            requests: 1_000_000,
            consecutive: Some(7),
            open: Span::from_secs(1),
            growth: 2.0,
            open_max: Span::from_secs(60),
        }
    }
}

impl EjectionKind for CircuitBreaker {
    type Watch = Breakers;

    fn watch(&self, members: usize, _: f64) -> Breakers {
        Breakers {
            settings: self.clone(),
            members: vec![Breaker::default(); members],
            open: Vec::new(),
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        check_against(&self.against, refuse);
        for (key, share) in [("failures", self.failures), ("most", self.most)] {
            if !(share.value() > 0.0 && share.value() <= 1.0) {
                refuse(
                    key,
                    &format!("`{key}` is {share}; it must be more than 0% and at most 100%"),
                );
            }
        }
        if self.growth > 1.0 && self.open_max < self.open {
            let (most, open) = (self.open_max, self.open);
            let message = format!("`open-max` is {most}, which is less than `open`, {open}");
            refuse("open-max", &message);
        }
    }

    fn leaves_out_nobody(&self, members: usize) -> Option<String> {
        too_few(self.most, members)
    }
}

/// Parts of a window.
const SLICES: usize = 10;

/// The breakers of one balancer.
#[derive(Clone, Debug)]
pub(super) struct Breakers {
    settings: CircuitBreaker,
    members: Vec<Breaker>,
    /// Those that are open or half open.
    open: Vec<MemberId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    state: Circuit,
    /// Attempts that ended in each part of the window, and those of them that failed.
    slices: [(u32, u32); SLICES],
    /// The number of the present part, which is the first.
    slice: u64,
    /// Failures in a row.
    row: u32,
    /// How often it has opened since it was last closed.
    times: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Circuit {
    #[default]
    Closed,
    OpenUntil(Time),
    HalfOpen {
        since: Time,
        sent: u32,
        good: u32,
    },
}

impl Breaker {
    /// Attempts and failures of the window, this attempt included.
    fn count(&mut self, failed: bool, window: Span, now: Time) -> (u32, u32) {
        let slice = now.nanos() / (window.nanos() / SLICES as u64).max(1);
        let passed = (slice - self.slice).min(SLICES as u64) as usize;
        self.slices.rotate_right(passed);
        self.slices[..passed].fill((0, 0));
        self.slice = slice;
        self.slices[0].0 += 1;
        self.slices[0].1 += u32::from(failed);
        self.row = if failed { self.row + 1 } else { 0 };
        let add = |(all, bad): (u32, u32), slice: &(u32, u32)| (all + slice.0, bad + slice.1);
        self.slices.iter().fold((0, 0), add)
    }
}

impl Breakers {
    fn open(&mut self, member: MemberId, moment: &mut Moment<'_>) {
        let settings = &self.settings;
        let breaker = &mut self.members[member as usize];
        breaker.times += 1;
        let lasts = grown(
            settings.open,
            breaker.times,
            settings.growth,
            settings.open_max,
        );
        breaker.state = Circuit::OpenUntil(moment.now + lasts);
        moment.changes.push(Change::Out(member));
    }

    fn close(&mut self, member: MemberId, moment: &mut Moment<'_>) {
        self.members[member as usize] = Breaker::default();
        self.open.retain(|&other| other != member);
        moment.changes.push(Change::In(member));
    }
}

impl Watch for Breakers {
    fn sent(&mut self, member: MemberId, moment: &mut Moment<'_>) {
        if let Circuit::HalfOpen { sent, .. } = &mut self.members[member as usize].state {
            *sent += 1;
            if *sent >= self.settings.trials {
                moment.changes.push(Change::Out(member));
            }
        }
    }

    fn answered(&mut self, answer: &Answer, moment: &mut Moment<'_>) {
        let member = answer.member;
        let settings = &self.settings;
        let is_slow = settings
            .slow
            .is_some_and(|slow| answer.response_time > slow);
        let judged = Against::judges(&settings.against, answer.outcome);
        let failed = judged.map(|failed| failed || (is_slow && answer.outcome == Outcome::Success));
        let (trials, window) = (settings.trials, settings.window);
        let enough = |(all, bad): (u32, u32), row: u32| {
            settings.consecutive.is_some_and(|most| row >= most)
                || (all >= settings.requests
                    // 55 of 100 are 55%, whatever the last digit.
                    && f64::from(bad) + 1e-9 >= settings.failures.value() * f64::from(all))
        };
        let breaker = &mut self.members[member as usize];
        let now = moment.now;
        match &mut breaker.state {
            Circuit::Closed => {
                let Some(failed) = failed else { return };
                let counts = breaker.count(failed, window, now);
                if failed
                    && enough(counts, breaker.row)
                    && moment.may_leave_out(self.open.len(), settings.most)
                {
                    self.open.push(member);
                    self.open(member, moment);
                }
            }
            // Sent before it opened.
            Circuit::OpenUntil(_) => {}
            Circuit::HalfOpen { since, .. } if answer.response_time > now - *since => {}
            Circuit::HalfOpen { sent, good, .. } => match failed {
                // It says nothing: another one is tried.
                None => {
                    *sent = sent.saturating_sub(1);
                    moment.changes.push(Change::Try(member));
                }
                Some(true) => self.open(member, moment),
                Some(false) => {
                    *good += 1;
                    if *good >= trials {
                        self.close(member, moment);
                    }
                }
            },
        }
    }

    fn next_look(&self) -> Time {
        let until = |&member: &MemberId| match self.members[member as usize].state {
            Circuit::OpenUntil(until) => until,
            _ => Time::NEVER,
        };
        self.open.iter().map(until).min().unwrap_or(Time::NEVER)
    }

    fn look(&mut self, moment: &mut Moment<'_>) {
        for &member in &self.open {
            let state = &mut self.members[member as usize].state;
            if matches!(state, Circuit::OpenUntil(until) if *until <= moment.now) {
                *state = Circuit::HalfOpen {
                    since: moment.now,
                    sent: 0,
                    good: 0,
                };
                moment.changes.push(Change::Try(member));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ejection;
    use super::super::testing::{Driven, at};
    use super::*;

    #[test]
    fn it_opens_lets_one_through_and_closes() {
        let mut breaker = Driven::new(&Ejection::CircuitBreaker(CircuitBreaker::default()), 3);
        for number in 0..19 {
            let outcome = [Outcome::Success, Outcome::Timeout][number % 2];
            assert_eq!(breaker.ends(1, outcome, (100 * number as u64, 10)), []);
        }
        // The twentieth: ten of twenty have failed.
        assert_eq!(
            breaker.ends(1, Outcome::Error, (1900, 10)),
            [Change::Out(1)]
        );
        assert_eq!(breaker.next_look(), at(6900));
        assert_eq!(breaker.look(6900), [Change::Try(1)]);
        assert_eq!(breaker.sent(1, 7000), [Change::Out(1)]);
        // What was sent before says nothing of it now.
        assert_eq!(breaker.ends(1, Outcome::Success, (7100, 6000)), []);
        assert_eq!(
            breaker.ends(1, Outcome::Failure, (7200, 200)),
            [Change::Out(1)]
        );
        assert_eq!(breaker.look(12_200), [Change::Try(1)]);
        assert_eq!(breaker.sent(1, 12_300), [Change::Out(1)]);
        assert_eq!(
            breaker.ends(1, Outcome::Success, (12_400, 100)),
            [Change::In(1)]
        );
        assert_eq!(breaker.next_look(), Time::NEVER);
    }

    #[test]
    fn what_does_not_count_does_not_open_it_and_neither_do_too_many() {
        let settings = CircuitBreaker {
            consecutive: Some(3),
            against: vec![Against::Error, Against::Timeout],
            most: Share::fraction(1.0 / 3.0),
            slow: Some(Span::from_millis(500)),
            growth: 2.0,
            ..CircuitBreaker::default()
        };
        let mut breaker = Driven::new(&Ejection::CircuitBreaker(settings), 3);
        for millis in 0..30 {
            assert_eq!(breaker.ends(0, Outcome::Rejected, (millis, 1)), []);
        }
        let mut fails = |member, millis| {
            let slow = |time| breaker.ends(member, Outcome::Success, (time, 501));
            [millis, millis + 1, millis + 2].map(slow).concat()
        };
        assert_eq!(fails(0, 1000), [Change::Out(0)]);
        assert_eq!(fails(1, 2000), [], "one of three is a third");
        assert_eq!(breaker.look(6002), [Change::Try(0)]);
        breaker.sent(0, 6100);
        breaker.ends(0, Outcome::Timeout, (6200, 100));
        assert_eq!(breaker.next_look(), at(16_200), "twice as long");
    }
}
