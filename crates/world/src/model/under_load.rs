//! What becomes of a server's answers when many requests are at it at once: they take longer, or
//! are errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::World;
use super::fault::Refuse;
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Rate;

/// What becomes of a server's answers when many requests are at it at once, beyond their waiting
/// for a slot: threads that share memory, locks or a disk slow each other down, and a server that
/// protects itself says no after it has looked at a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct UnderLoad {
    /// How many times as long its own work on a request takes that is one of so many at the server
    /// when the work begins, waiting ones included: a line from once as long at none through these
    /// points; beyond the last it is as there. What has begun is not slowed by those who come
    /// later, and steps are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub slows: Vec<Point>,
    /// An answer is an error where more requests than this are at the server when it is ready, its
    /// own among them: the work has been done then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub errs_above: Option<u32>,
    /// An answer is an error, too, where it is ready while the server has given good ones at this
    /// rate or a higher one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errs_above_rate: Option<RateLimit>,
    /// The status of these errors; 429 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// A rate of good answers, as a meter has it: an exponentially weighted mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateLimit {
    /// The rate.
    pub rate: Rate,
    /// Over how much time the mean is taken: that is its time constant.
    #[serde(default = "minute")]
    #[schemars(extend("x-least" = "1ms"))]
    pub mean_over: Span,
    /// How often the meter is brought up to date; what has come since does not count yet.
    #[serde(default = "five_seconds")]
    #[schemars(extend("x-least" = "1ms"))]
    pub step: Span,
}

fn minute() -> Span {
    Span::from_secs(60)
}

fn five_seconds() -> Span {
    Span::from_secs(5)
}

/// A meter at work, as `EWMA` of Dropwizard's metrics has it: the mean of the UNIX load average.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    /// Steps that have passed.
    steps: u64,
    /// Good answers in the step at hand.
    count: u64,
    /// A second.
    rate: f64,
}

impl Meter {
    fn update(&mut self, limit: &RateLimit, now: Time) {
        let step = limit.step.nanos().max(1);
        let steps = (now - Time::ZERO).nanos() / step;
        if steps == self.steps {
            return;
        }
        let keeps = libm::exp(-limit.step.seconds() / limit.mean_over.seconds());
        let found = self.count as f64 / limit.step.seconds();
        // The first step of all sets the mean.
        self.rate = if self.steps == 0 {
            found
        } else {
            found + (self.rate - found) * keeps
        };
        let more = i32::try_from(steps - self.steps - 1).unwrap_or(i32::MAX);
        self.rate *= libm::pow(keeps, f64::from(more));
        (self.steps, self.count) = (steps, 0);
    }

    /// Whether a good answer at this time is one too many; counts it where it is not.
    fn is_reached(&mut self, limit: &RateLimit, now: Time) -> bool {
        self.update(limit, now);
        let is_reached = self.rate >= limit.rate.value();
        self.count += u64::from(!is_reached);
        is_reached
    }
}

/// A point of the line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Point {
    /// Requests at the server, the one whose work begins among them.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests: u32,
    /// How many times as long it takes.
    #[schemars(range(min = 0.001, max = 1_000_000.0))]
    pub times: f64,
}

impl UnderLoad {
    /// Whether some answers are errors by it.
    pub fn errs(&self) -> bool {
        self.errs_above.is_some() || self.errs_above_rate.is_some()
    }

    /// Says which settings may not be so.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        let errs = self.errs();
        if self.slows.is_empty() && !errs {
            refuse(
                "slows",
                "nothing says what becomes of answers; give `slows`, `errs-above` or `errs-above-rate`",
            );
        }
        if (self.errs_above_rate).is_some_and(|limit| limit.rate.value() <= 0.0) {
            refuse(
                "errs-above-rate",
                "`rate` is 0/s; it must be more, or all answers are errors",
            );
        }
        if (self.errs_above_rate).is_some_and(|limit| limit.step > limit.mean_over) {
            refuse(
                "errs-above-rate",
                "`step` is longer than `mean-over`; it must not be",
            );
        }
        if let Some(two) = (self.slows.windows(2)).find(|two| two[1].requests <= two[0].requests) {
            let message = format!(
                "a point at {} requests follows one at {}; they must rise",
                two[1].requests, two[0].requests
            );
            refuse("slows", &message);
        }
        match (errs, self.status) {
            (false, Some(_)) => refuse(
                "status",
                "no answer is an error by the load; give `errs-above` or `errs-above-rate`, or leave this out",
            ),
            (true, Some(status)) if !status.is_error() => refuse(
                "status",
                &format!("`status` is {status}, which is no error; it must be 400 to 599"),
            ),
            _ => {}
        }
    }

    /// How many slots at the usual pace do as much as so many do at the number of requests at which
    /// they do most.
    pub(super) fn slots_in_effect(&self, slots: u32) -> f64 {
        // Between two points of the line it rises or falls all the way.
        let points = self.slows.iter().map(|point| point.requests);
        points
            .filter(|&requests| requests < slots)
            .chain([slots])
            .map(|requests| f64::from(requests) / self.times(requests))
            .fold(0.0, f64::max)
    }

    /// How many times as long work takes that is one of so many.
    fn times(&self, requests: u32) -> f64 {
        let mut before = Point {
            requests: 0,
            times: 1.0,
        };
        for &point in &self.slows {
            if requests <= point.requests {
                let part = f64::from(requests - before.requests)
                    / f64::from(point.requests - before.requests);
                return before.times + (point.times - before.times) * part;
            }
            before = point;
        }
        before.times
    }
}

impl World<'_> {
    /// How long work takes that begins at a server now, where it would take so long at one that is
    /// alone with it.
    pub(super) fn work_under_load(&self, server: u32, work: Span) -> Span {
        let place = &self.servers[server as usize];
        match &place.group_in(self.plan).under_load {
            Some(under_load) if !under_load.slows.is_empty() => {
                let times = under_load.times(place.present() + 1);
                Span::from_seconds(work.seconds() * times)
            }
            _ => work,
        }
    }

    /// What the answer to an attempt says that has just been worked on: `own` is 1 where
    /// it is still counted among those at its server, else 0.
    #[cold]
    #[inline(never)]
    pub(super) fn status_under_load(&mut self, attempt: u32, own: u32, now: Time) -> Status {
        let server = self.attempts[attempt].server;
        let place = &self.servers[server as usize];
        let others = place.present() - own;
        let Some(under_load) = &place.group_in(self.plan).under_load else {
            return Status::OK;
        };
        if self.is_inspection(attempt) {
            return Status::OK;
        }
        let too_many = under_load.errs_above.is_some_and(|most| others >= most)
            || under_load.errs_above_rate.as_ref().is_some_and(|limit| {
                let meter = self.meters.entry(server).or_default();
                meter.is_reached(limit, now)
            });
        if too_many {
            under_load.status.unwrap_or(Status::TOO_MANY_REQUESTS)
        } else {
            Status::OK
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_the_points() {
        let point = |requests, times| Point { requests, times };
        let under_load = UnderLoad {
            slows: vec![point(30, 2.0), point(31, 5.0)],
            ..UnderLoad::default()
        };
        let times = [1, 15, 30, 31, 99].map(|requests| under_load.times(requests));
        assert_eq!(times, [1.0 + 1.0 / 30.0, 1.5, 2.0, 5.0, 5.0]);
        assert_eq!(UnderLoad::default().times(7), 1.0);
        // 30 at half the pace, or 99 at a fifth.
        assert_eq!(under_load.slots_in_effect(99), 19.8);
        assert_eq!(under_load.slots_in_effect(50), 15.0);
    }

    /// Worked out by hand: a step keeps exp(-1/12) of the mean.
    #[test]
    fn a_meter_forgets_step_by_step() {
        let limit = RateLimit {
            rate: Rate::per_second(0.025),
            mean_over: minute(),
            step: five_seconds(),
        };
        let at = |seconds| Time::ZERO + Span::from_secs(seconds);
        let mut meter = Meter::default();
        assert!(!meter.is_reached(&limit, at(200)) && !meter.is_reached(&limit, at(204)));
        // Two answers in five seconds raise the mean by 0.4 (1 - exp(-1/12)).
        let a = 1.0 - (-5.0f64 / 60.0).exp();
        assert!(meter.is_reached(&limit, at(206)));
        assert!((meter.rate - 0.4 * a).abs() < 1e-12, "{}", meter.rate);
        // 0.0320 falls below 0.025 after three steps more.
        assert!(meter.is_reached(&limit, at(215)));
        assert!(!meter.is_reached(&limit, at(221)));
    }
}
