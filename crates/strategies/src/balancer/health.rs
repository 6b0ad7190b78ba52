//! Active health checks: a probe at a fixed interval, and how many in a row change a balancer's
//! mind.
//!
//! Names and semantics as HAProxy's `inter`, `timeout check`, `fall`, `rise`, except that a member
//! starts as fully up where `cautious-start` does not say otherwise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::preset::presets;
use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

/// How a balancer checks its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-presets" = CheckPreset::all()))]
pub struct HealthCheck {
    /// Settings as a product has them by default; what is written beside goes before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<CheckPreset>,
    /// Time between two checks of one member by one balancer; each begins at a random phase.
    #[schemars(extend("x-least" = "1ms"))]
    pub interval: Span,
    /// The same while the outcomes speak against what is thought of the member, until that is
    /// settled (HAProxy: `fastinter`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub fast_interval: Option<Span>,
    /// The same while the member is thought to be down (HAProxy: `downinter`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub down_interval: Option<Span>,
    /// By what share of it each interval is longer or shorter at random, so that the checks of many
    /// balancers do not come together; at most 50% (HAProxy: `spread-checks`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Share>,
    /// How long a check waits for an answer; at most the shortest interval, and by default all of
    /// it.
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
    /// Who answers at the server.
    #[serde(skip_serializing_if = "AnsweredBy::is_own_worker")]
    pub answered_by: AnsweredBy,
    /// How long the server works on a check, at its configured speed.
    #[serde(skip_serializing_if = "is_nothing")]
    pub work: Span,
    /// Failed checks in a row after which a member is down.
    #[schemars(range(min = 1, max = 100))]
    pub fall: u8,
    /// Passed checks in a row after which a member is up again.
    #[schemars(range(min = 1, max = 100))]
    pub rise: u8,
    /// Whether one failed check is enough while a member has not passed any (HAProxy: a server
    /// starts as `UP 1/3`).
    pub cautious_start: bool,
}

impl Default for HealthCheck {
    fn default() -> HealthCheck {
        HealthCheck {
            preset: None,
            interval: Span::from_secs(2),
            fast_interval: None,
            down_interval: None,
            jitter: None,
            timeout: None,
            answered_by: AnsweredBy::OwnWorker,
            work: Span::ZERO,
            fall: 3,
            rise: 2,
            cautious_start: false,
        }
    }
}

presets! {
    /// Whose checks they are. Envoy is not among them: it has no such values by default, and wants
    /// each to be written.
    CheckPreset of HealthCheck {
        /// HAProxy's `check` (2.6, configuration manual, section 5.2: `inter`, `fall`, `rise`).
        "haproxy" Haproxy {
            interval: Span::from_secs(2),
            fall: 3,
            rise: 2,
            cautious_start: true,
        }
        /// An AWS Application Load Balancer (Elastic Load Balancing user guide, "Health checks for
        /// your target groups"); where no target is well it sends to all, which is a
        /// `panic-threshold` of 1%.
        "alb" Alb {
            interval: Span::from_secs(30),
            timeout: Some(Span::from_secs(5)),
            fall: 2,
            rise: 5,
        }
        /// `health_check` of NGINX Plus (ngx_http_upstream_hc_module); nginx itself has none.
        "nginx-plus" NginxPlus {
            interval: Span::from_secs(5),
            fall: 1,
            rise: 1,
        }
        /// A readiness probe of Kubernetes (`periodSeconds`, `timeoutSeconds`, `failureThreshold`,
        /// `successThreshold`).
        "kubernetes" Kubernetes {
            interval: Span::from_secs(10),
            timeout: Some(Span::from_secs(1)),
            fall: 3,
            rise: 1,
        }
    }
}

fn is_nothing(work: &Span) -> bool {
    work.is_zero()
}

/// Who answers a health check at the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// A worker that has nothing else to do: however busy the server is, or if it stands still, a
    /// check is answered.
    #[default]
    OwnWorker,
    /// A slot, like any request: a check waits in the queue, is refused where that is full, and
    /// takes a slot for as long as it is worked on. A server that is too busy fails its checks.
    Slot,
}

impl AnsweredBy {
    fn is_own_worker(&self) -> bool {
        *self == AnsweredBy::OwnWorker
    }
}

/// What is different in the checks of some servers; what is left out is as the balancer's checks
/// are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnChecks {
    /// Whether they are checked at all (HAProxy checks only servers with `check`).
    pub enabled: bool,
    /// Time between two checks.
    #[schemars(extend("x-least" = "1ms"))]
    pub interval: Option<Span>,
    /// The same while the outcomes speak against what is thought of the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub fast_interval: Option<Span>,
    /// The same while the member is thought to be down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub down_interval: Option<Span>,
    /// How long a check waits for an answer.
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
    /// Failed checks in a row after which a member is down.
    #[schemars(range(min = 1, max = 100))]
    pub fall: Option<u8>,
    /// Passed checks in a row after which a member is up again.
    #[schemars(range(min = 1, max = 100))]
    pub rise: Option<u8>,
    /// Whether one failed check is enough while a member has not passed any.
    pub cautious_start: Option<bool>,
}

impl Default for OwnChecks {
    fn default() -> OwnChecks {
        OwnChecks {
            enabled: true,
            interval: None,
            fast_interval: None,
            down_interval: None,
            timeout: None,
            fall: None,
            rise: None,
            cautious_start: None,
        }
    }
}

impl OwnChecks {
    /// Whether something is said of checks that are not made.
    pub fn speaks_of_none(&self) -> bool {
        let enabled = false;
        !self.enabled
            && *self
                != OwnChecks {
                    enabled,
                    ..OwnChecks::default()
                }
    }
}

impl HealthCheck {
    /// The checks of servers to which `own` applies; none where they are not checked.
    pub fn with(&self, own: &OwnChecks) -> Option<HealthCheck> {
        own.enabled.then(|| HealthCheck {
            interval: own.interval.unwrap_or(self.interval),
            fast_interval: own.fast_interval.or(self.fast_interval),
            down_interval: own.down_interval.or(self.down_interval),
            timeout: own.timeout.or(self.timeout),
            fall: own.fall.unwrap_or(self.fall),
            rise: own.rise.unwrap_or(self.rise),
            cautious_start: own.cautious_start.unwrap_or(self.cautious_start),
            ..self.clone()
        })
    }

    /// The shortest time between two checks.
    pub fn shortest_interval(&self) -> Span {
        let others = [self.fast_interval, self.down_interval];
        let shortest = (others.into_iter().flatten()).fold(self.interval, Span::min);
        match self.jitter {
            Some(share) => Span::from_seconds(shortest.seconds() * (1.0 - share.value())),
            None => shortest,
        }
    }

    /// How long an answer is waited for.
    pub fn patience(&self) -> Span {
        self.timeout.unwrap_or(self.shortest_interval())
    }

    /// Whether a check can change an opinion though its server neither dies nor returns: none may
    /// be left out.
    pub fn never_rests(&self) -> bool {
        self.jitter.is_some() || !self.answered_by.is_own_worker() || !self.work.is_zero()
    }
}

/// What one balancer thinks of one member's health.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    up: bool,
    /// Checks in a row that spoke against the present opinion.
    against: u8,
}

impl Health {
    /// What is thought of a member before its first check.
    pub fn new(config: &HealthCheck) -> Health {
        Health {
            up: true,
            against: if config.cautious_start {
                config.fall - 1
            } else {
                0
            },
        }
    }

    /// A check has confirmed what is thought of the member.
    pub fn confirm(&mut self) {
        self.against = 0;
    }

    /// Whether the member is thought to be up.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// The time to the next check.
    pub fn interval(&self, config: &HealthCheck) -> Span {
        let wavers = self.against > 0;
        match (self.up, config.fast_interval, config.down_interval) {
            (_, Some(fast), _) if wavers => fast,
            (false, _, Some(down)) => down,
            _ => config.interval,
        }
    }

    /// Whether one more check with the result `passed` could not change anything: the member is
    /// thought to be what it shows, and no streak is under way.
    pub fn is_settled(&self, passed: bool) -> bool {
        self.up == passed && self.against == 0
    }

    /// One failed check more, and a member that is up is down.
    pub fn doubt(&mut self, config: &HealthCheck) {
        if self.up {
            self.against = self.against.max(config.fall - 1);
        }
    }

    /// Takes the result of a check; says whether the opinion changed.
    pub fn check(&mut self, passed: bool, config: &HealthCheck) -> bool {
        if passed == self.up {
            self.against = 0;
            return false;
        }
        self.against += 1;
        let enough = if self.up { config.fall } else { config.rise };
        let turns = self.against >= enough;
        if turns {
            *self = Health {
                up: passed,
                against: 0,
            };
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_does_not_say_is_as_for_all() {
        let all = HealthCheck {
            timeout: Some(Span::from_millis(500)),
            ..HealthCheck::default()
        };
        let own = OwnChecks {
            interval: Some(Span::from_secs(9)),
            rise: Some(5),
            ..OwnChecks::default()
        };
        let expected = HealthCheck {
            interval: Span::from_secs(9),
            rise: 5,
            ..all.clone()
        };
        assert_eq!(all.with(&own), Some(expected));
        assert_eq!(all.with(&OwnChecks::default()), Some(all.clone()));
        let enabled = false;
        assert_eq!(all.with(&OwnChecks { enabled, ..own }), None);
    }

    #[test]
    fn checks_come_sooner_while_an_opinion_wavers_and_as_often_as_is_said_while_down() {
        let config = HealthCheck {
            interval: Span::from_secs(10),
            fast_interval: Some(Span::from_secs(1)),
            down_interval: Some(Span::from_secs(30)),
            fall: 2,
            rise: 2,
            ..HealthCheck::default()
        };
        let mut health = Health::new(&config);
        let intervals = [true, false, false, false, true, true].map(|passed| {
            health.check(passed, &config);
            health.interval(&config).seconds()
        });
        assert_eq!(intervals, [10.0, 1.0, 30.0, 30.0, 1.0, 10.0]);
        assert_eq!(config.patience(), Span::from_secs(1));
    }

    #[test]
    fn only_checks_in_a_row_change_the_mind() {
        let config = HealthCheck {
            fall: 3,
            rise: 2,
            ..HealthCheck::default()
        };
        let mut health = Health::new(&config);
        let checks = [
            false, false, true, false, false, false, true, false, true, true,
        ];
        let turned: Vec<bool> = checks
            .iter()
            .map(|&passed| health.check(passed, &config))
            .collect();
        assert_eq!(
            turned,
            [
                false, false, false, false, false, true, false, false, false, true
            ]
        );
        assert!(health.is_up() && health.is_settled(true) && !health.is_settled(false));
    }

    #[test]
    fn after_a_cautious_start_one_failed_check_is_enough_until_one_has_passed() {
        let config = HealthCheck {
            cautious_start: true,
            ..HealthCheck::default()
        };
        assert!(Health::new(&config).check(false, &config));
        let mut health = Health::new(&config);
        let turned = [true, false, false, false].map(|passed| health.check(passed, &config));
        assert_eq!(turned, [false, false, false, true]);
    }
}
