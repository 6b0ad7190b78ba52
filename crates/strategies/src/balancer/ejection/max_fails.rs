//! As nginx leaves a server alone that has failed (`max_fails`, `fail_timeout`; 1.22,
//! src/http/ngx_http_upstream_round_robin.c), for any strategy, with exact times in place of whole
//! seconds. Its own rules have the same among their settings, to the second.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Against, Change, EjectionKind, Moment, Refuse, Watch, check_against};
use crate::balancer::preset::presets;
use crate::strategy::{Answer, MemberId, Outcome};
use lbsim_engine::time::{Span, Time};

/// Settings of `max-fails`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-presets" = MaxFailsPreset::all()))]
pub struct MaxFails {
    /// Settings as a product has them by default; what is written beside goes before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<MaxFailsPreset>,
    /// Failures after which a member is left alone; it begins anew when, longer than
    /// `fail-timeout` after the last, an attempt ends well (nginx: `max_fails`).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_fails: u32,
    /// How long it is left alone; then it is tried with one attempt (nginx: `fail_timeout`).
    #[schemars(extend("x-least" = "1ms"))]
    pub fail_timeout: Span,
    /// What counts as a failure (nginx: `proxy_next_upstream`, with `error` and `http_500` for
    /// `error`, `http_503` for `refusal`).
    #[schemars(length(min = 1))]
    pub against: Vec<Against>,
}

impl Default for MaxFails {
    fn default() -> MaxFails {
        MaxFails {
            preset: None,
            max_fails: 1,
            fail_timeout: Span::from_secs(10),
            against: vec![Against::Timeout, Against::Connection],
        }
    }
}

presets! {
    /// Whose limit of failures it is.
    MaxFailsPreset of MaxFails {
        /// nginx, where nothing is written: `max_fails=1`, `fail_timeout=10s`, and
        /// `proxy_next_upstream error timeout`.
        "nginx" Nginx {
            max_fails: 1,
            fail_timeout: Span::from_secs(10),
        }
    }
}

impl EjectionKind for MaxFails {
    type Watch = Fails;

    fn watch(&self, members: usize, _: f64) -> Fails {
        Fails {
            settings: self.clone(),
            members: vec![Failing::default(); members],
            out: Vec::new(),
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        check_against(&self.against, refuse);
    }
}

/// Failures of the members of one balancer.
#[derive(Clone, Debug)]
pub(super) struct Fails {
    settings: MaxFails,
    members: Vec<Failing>,
    /// Those that are left alone or tried.
    out: Vec<MemberId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failing {
    fails: u32,
    /// When it failed last.
    failed: Time,
    /// When the attempt was sent that tries it; zero where none is under way.
    tried: Option<Time>,
}

impl Watch for Fails {
    fn sent(&mut self, member: MemberId, moment: &mut Moment<'_>) {
        let failing = &mut self.members[member as usize];
        if failing.fails >= self.settings.max_fails && failing.tried.is_none() {
            failing.tried = Some(moment.now);
            moment.changes.push(Change::Out(member));
        }
    }

    fn answered(&mut self, answer: &Answer, moment: &mut Moment<'_>) {
        let member = answer.member;
        // The only one there is is never left alone.
        let is_alone = moment.present() == 1;
        let (max, timeout) = (self.settings.max_fails, self.settings.fail_timeout);
        // Whatever is not counted as a failure is an answer like any other.
        let judged = match answer.outcome {
            Outcome::Cancelled => None,
            outcome => Some(Against::judges(&self.settings.against, outcome) == Some(true)),
        };
        let failing = &mut self.members[member as usize];
        let sent = Time::from_nanos(moment.now.nanos() - answer.response_time.nanos());
        let is_trial = failing.tried.is_some_and(|tried| sent >= tried);
        match judged {
            None if is_trial => {
                failing.tried = None;
                moment.changes.push(Change::Try(member));
            }
            Some(true) if !is_alone => {
                failing.fails += 1;
                failing.failed = moment.now;
                if is_trial {
                    failing.tried = None;
                }
                if failing.fails >= max {
                    if !self.out.contains(&member) {
                        self.out.push(member);
                    }
                    moment.changes.push(Change::Out(member));
                }
            }
            // Whoever has become the only one meanwhile is not left alone any longer.
            Some(true) if self.out.contains(&member) || is_trial => {
                *failing = Failing::default();
                self.out.retain(|&other| other != member);
                moment.changes.push(Change::In(member));
            }
            Some(false) if is_trial || (failing.fails < max && sent > failing.failed + timeout) => {
                *failing = Failing::default();
                self.out.retain(|&other| other != member);
                if is_trial {
                    moment.changes.push(Change::In(member));
                }
            }
            _ => {}
        }
    }

    fn next_look(&self) -> Time {
        let due = |&member: &MemberId| {
            let failing = &self.members[member as usize];
            match failing.tried {
                Some(_) => Time::NEVER,
                None => failing.failed + self.settings.fail_timeout,
            }
        };
        self.out.iter().map(due).min().unwrap_or(Time::NEVER)
    }

    fn look(&mut self, moment: &mut Moment<'_>) {
        let timeout = self.settings.fail_timeout;
        let mut due = Vec::new();
        for &member in &self.out {
            let failing = &self.members[member as usize];
            if failing.tried.is_none() && failing.failed + timeout <= moment.now {
                due.push(member);
            }
        }
        // The next attempt tries it; until then there is nothing more to look for.
        self.out.retain(|member| !due.contains(member));
        moment.changes.extend(due.into_iter().map(Change::Try));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ejection;
    use super::super::testing::{Driven, at};
    use super::*;

    #[test]
    fn it_is_left_alone_and_then_tried_with_one() {
        let settings = MaxFails {
            max_fails: 2,
            ..MaxFails::default()
        };
        let mut driven = Driven::new(&Ejection::MaxFails(settings.clone()), 2);
        assert_eq!(driven.ends(0, Outcome::Failure, (0, 0)), []);
        // An answer so soon does not make good for it.
        assert_eq!(driven.ends(0, Outcome::Success, (500, 10)), []);
        assert_eq!(
            driven.ends(0, Outcome::Error, (600, 10)),
            [],
            "does not count"
        );
        assert_eq!(
            driven.ends(0, Outcome::Timeout, (1000, 10)),
            [Change::Out(0)]
        );
        assert_eq!(driven.next_look(), at(11_000));
        assert_eq!(driven.look(11_000), [Change::Try(0)]);
        assert_eq!(driven.sent(0, 12_000), [Change::Out(0)]);
        assert_eq!(
            driven.ends(0, Outcome::Failure, (12_100, 100)),
            [Change::Out(0)]
        );
        assert_eq!(driven.look(22_100), [Change::Try(0)]);
        assert_eq!(driven.sent(0, 23_000), [Change::Out(0)]);
        assert_eq!(
            driven.ends(0, Outcome::Success, (23_100, 100)),
            [Change::In(0)]
        );
        assert_eq!(driven.sent(0, 24_000), []);
        let mut alone = Driven::new(&Ejection::MaxFails(settings), 1);
        let all: Vec<Change> = (0..9)
            .flat_map(|millis| alone.ends(0, Outcome::Failure, (millis, 0)))
            .collect();
        assert_eq!(all, []);
    }
}
