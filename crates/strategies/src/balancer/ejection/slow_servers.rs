//! Members whose answers take far longer than those of the others: what health checks and errors do
//! not show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, EjectionKind, Moment, Refuse, Watch, grown, too_few};
use crate::strategy::{Answer, MemberId, Outcome};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

/// Settings of `slow-servers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SlowServers {
    /// How many times the median of all members' mean response times in an interval that of one
    /// must be for it to be ejected. An attempt that ran into its timeout counts with the time that
    /// it was waited for.
    #[schemars(range(min = 1.0, max = 1e6))]
    pub factor: f64,
    /// Answers in an interval that are enough to judge a member by.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests: u32,
    /// Time between two looks.
    #[schemars(extend("x-least" = "1ms"))]
    pub interval: Span,
    /// How long a member is ejected the first time.
    #[schemars(extend("x-least" = "1ms"))]
    pub base: Span,
    /// How many times as long each further time in a row: one is in a row where it comes within an
    /// interval of its return.
    #[schemars(range(min = 1.0, max = 10.0))]
    pub growth: f64,
    /// How long at most.
    #[schemars(extend("x-least" = "1ms"))]
    pub base_max: Span,
    /// The share of the pool that may be ejected at once.
    pub most: Share,
}

impl Default for SlowServers {
    fn default() -> SlowServers {
        SlowServers {
            factor: 3.0,
            requests: 20,
            interval: Span::from_secs(10),
            base: Span::from_secs(30),
            growth: 2.0,
            base_max: Span::from_secs(300),
            most: Share::fraction(0.34),
        }
    }
}

impl EjectionKind for SlowServers {
    type Watch = Slow;

    fn watch(&self, members: usize, phase: f64) -> Slow {
        Slow {
            settings: self.clone(),
            members: vec![Answers::default(); members],
            next_look: Time::ZERO + Span::from_seconds(self.interval.seconds() * (1.0 - phase)),
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        if !(self.most.value() > 0.0 && self.most.value() <= 1.0) {
            let most = self.most;
            refuse(
                "most",
                &format!("`most` is {most}; it must be more than 0% and at most 100%"),
            );
        }
        for (key, span) in [("interval", self.interval), ("base", self.base)] {
            if span.is_zero() {
                refuse(key, &format!("`{key}` is no time at all; it must be more"));
            }
        }
        if self.base_max < self.base {
            let (most, base) = (self.base_max, self.base);
            let message = format!("`base-max` is {most}, which is less than `base`, {base}");
            refuse("base-max", &message);
        }
    }

    fn leaves_out_nobody(&self, members: usize) -> Option<String> {
        too_few(self.most, members)
    }
}

/// How long the answers of the members of one balancer take.
#[derive(Clone, Debug)]
pub(super) struct Slow {
    settings: SlowServers,
    members: Vec<Answers>,
    next_look: Time,
}

#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    count: u32,
    took: Span,
    /// Until when it is ejected.
    until: Option<Time>,
    /// How often in a row.
    times: u32,
    /// Whether it came back at the last look.
    returned: bool,
}

impl Watch for Slow {
    fn answered(&mut self, answer: &Answer, _: &mut Moment<'_>) {
        if matches!(answer.outcome, Outcome::Success | Outcome::Timeout) {
            let answers = &mut self.members[answer.member as usize];
            answers.count += 1;
            answers.took += answer.response_time;
        }
    }

    fn next_look(&self) -> Time {
        self.next_look
    }

    fn look(&mut self, moment: &mut Moment<'_>) {
        let settings = &self.settings;
        self.next_look = moment.now + settings.interval;
        let mut means: Vec<(MemberId, f64)> = (0..)
            .zip(&self.members)
            .filter(|(_, answers)| answers.until.is_none() && answers.count >= settings.requests)
            .map(|(member, answers)| (member, answers.took.seconds() / f64::from(answers.count)))
            .collect();
        means.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let median = means
            .get(means.len().saturating_sub(1) / 2)
            .map_or(0.0, |&(_, mean)| mean);
        let mut out = 0;
        for (member, answers) in (0..).zip(&mut self.members) {
            (answers.count, answers.took) = (0, Span::ZERO);
            let comes_back = answers.until.is_some_and(|until| until <= moment.now);
            if comes_back {
                answers.until = None;
                moment.changes.push(Change::In(member));
            } else if answers.until.is_none() && !answers.returned {
                answers.times = 0;
            }
            answers.returned = comes_back;
            out += usize::from(answers.until.is_some());
        }
        // The slowest first, as far as so many may be out.
        for &(member, mean) in means.iter().rev() {
            if mean <= settings.factor * median || !moment.may_leave_out(out, settings.most) {
                break;
            }
            out += 1;
            let answers = &mut self.members[member as usize];
            answers.times += 1;
            let lasts = grown(
                settings.base,
                answers.times,
                settings.growth,
                settings.base_max,
            );
            answers.until = Some(moment.now + lasts);
            moment.changes.push(Change::Out(member));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ejection;
    use super::super::testing::Driven;
    use super::*;

    #[test]
    fn who_is_far_slower_than_the_median_is_left_out() {
        let mut driven = Driven::new(&Ejection::SlowServers(SlowServers::default()), 4);
        let interval = |begins: u64, slow: u64, driven: &mut Driven| {
            for number in 0..20 {
                for (member, took) in [(0, 10), (1, 12), (2, slow), (3, 9)] {
                    driven.ends(member, Outcome::Success, (begins + number, took));
                }
            }
            driven.look(begins + 10_000)
        };
        assert_eq!(interval(0, 29, &mut driven), []);
        assert_eq!(interval(10_000, 31, &mut driven), [Change::Out(2)]);
        assert_eq!(driven.look(30_000), []);
        assert_eq!(driven.look(40_000), []);
        assert_eq!(driven.look(50_000), [Change::In(2)]);
        // As slow as before: twice as long.
        assert_eq!(interval(50_000, 31, &mut driven), [Change::Out(2)]);
        for look in 7..12 {
            assert_eq!(driven.look(10_000 * look), []);
        }
        assert_eq!(driven.look(120_000), [Change::In(2)]);
    }
}
