//! Active health checks: a probe at a fixed interval, and how many in a row change a balancer's
//! mind.
//!
//! Names and semantics as HAProxy's `inter`, `timeout check`, `fall`, `rise`, except that a member
//! starts as fully up where `cautious-start` does not say otherwise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use lbsim_engine::time::Span;

/// How a balancer checks its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthCheck {
    /// Time between two checks of one member by one balancer; each begins at a random phase.
    #[schemars(extend("x-least" = "1ms"))]
    pub interval: Span,
    /// How long a check waits for an answer of a server that hangs; at most the interval, and by
    /// default all of it.
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
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
            interval: Span::from_secs(2),
            timeout: None,
            fall: 3,
            rise: 2,
            cautious_start: false,
        }
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
            timeout: None,
            fall: None,
            rise: None,
            cautious_start: None,
        }
    }
}

impl HealthCheck {
    /// The checks of servers to which `own` applies; none where they are not checked.
    pub fn with(&self, own: &OwnChecks) -> Option<HealthCheck> {
        own.enabled.then(|| HealthCheck {
            interval: own.interval.unwrap_or(self.interval),
            timeout: own.timeout.or(self.timeout),
            fall: own.fall.unwrap_or(self.fall),
            rise: own.rise.unwrap_or(self.rise),
            cautious_start: own.cautious_start.unwrap_or(self.cautious_start),
        })
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

    /// Whether one more check with the result `passed` could not change anything: the member is
    /// thought to be what it shows, and no streak is under way.
    pub fn is_settled(&self, passed: bool) -> bool {
        self.up == passed && self.against == 0
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
