//! As HAProxy lets traffic speak for its health checks (`observe`, `error-limit`, `on-error`; 2.6,
//! src/check.c, `__health_adjust`), for any strategy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Against, Change, EjectionKind, Moment, Refuse, Watch, check_against};
use crate::balancer::preset::presets;
use crate::strategy::Answer;

/// Settings of `error-limit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-presets" = ErrorLimitPreset::all()))]
pub struct ErrorLimit {
    /// Settings as a product has them by default; what is written beside goes before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<ErrorLimitPreset>,
    /// Errors in a row after which something is done; then they are counted anew (HAProxy:
    /// `error-limit`).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub errors: u32,
    /// What is done (HAProxy: `on-error`).
    pub on_error: OnError,
    /// What counts as an error (HAProxy: `observe layer4` for `connection`, `observe layer7` for
    /// all four).
    #[schemars(length(min = 1))]
    pub against: Vec<Against>,
}

/// What is done after too many errors in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The next health check comes within the `fast-interval` of the health checks, where they have
    /// one (HAProxy: `fastinter`). That is done in all other cases too.
    FastInterval,
    /// It is as if a health check had failed.
    #[default]
    FailCheck,
    /// The next failed health check marks the member as down.
    SuddenDeath,
    /// The member is down, until its health checks pass.
    MarkDown,
}

impl Default for ErrorLimit {
    fn default() -> ErrorLimit {
        ErrorLimit {
            preset: None,
            errors: 10,
            on_error: OnError::FailCheck,
            against: Against::ALL.to_vec(),
        }
    }
}

presets! {
    /// Whose limit of errors it is.
    ErrorLimitPreset of ErrorLimit {
        /// HAProxy's `observe layer4`: connections alone count.
        "haproxy-layer4" HaproxyLayer4 {
            against: vec![Against::Connection],
        }
        /// HAProxy's `observe layer7`: answers count too, and those that do not come.
        "haproxy-layer7" HaproxyLayer7 {
            against: Against::ALL.to_vec(),
        }
    }
}

impl EjectionKind for ErrorLimit {
    type Watch = Errors;

    fn watch(&self, members: usize, _: f64) -> Errors {
        Errors {
            settings: self.clone(),
            rows: vec![0; members],
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        check_against(&self.against, refuse);
    }
}

/// Errors in a row of the members of one balancer.
#[derive(Clone, Debug)]
pub(super) struct Errors {
    settings: ErrorLimit,
    rows: Vec<u32>,
}

impl Watch for Errors {
    fn answered(&mut self, answer: &Answer, moment: &mut Moment<'_>) {
        let row = &mut self.rows[answer.member as usize];
        match Against::judges(&self.settings.against, answer.outcome) {
            Some(true) => *row += 1,
            Some(false) => *row = 0,
            None => {}
        }
        if *row >= self.settings.errors {
            *row = 0;
            moment.changes.push(match self.settings.on_error {
                OnError::FastInterval => Change::CheckSoon(answer.member),
                OnError::FailCheck => Change::FailedCheck(answer.member),
                OnError::SuddenDeath => Change::LastChance(answer.member),
                OnError::MarkDown => Change::Down(answer.member),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ejection;
    use super::super::testing::Driven;
    use super::*;
    use crate::strategy::Outcome;

    #[test]
    fn errors_in_a_row_count_as_one_failed_check() {
        let mut driven = Driven::new(&Ejection::ErrorLimit(ErrorLimit::default()), 1);
        let mut after = |outcomes: &[Outcome]| {
            let end = |&outcome: &Outcome| driven.ends(0, outcome, (0, 0));
            outcomes.iter().flat_map(end).collect::<Vec<Change>>()
        };
        assert_eq!(after(&[Outcome::Error; 9]), []);
        assert_eq!(after(&[Outcome::Success]), []);
        assert_eq!(after(&[Outcome::Rejected; 19]), [Change::FailedCheck(0)]);
        assert_eq!(after(&[Outcome::Timeout]), [Change::FailedCheck(0)]);
    }
}
