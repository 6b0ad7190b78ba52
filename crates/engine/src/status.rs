//! Statuses of HTTP: what an answer says of itself, and sets of them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::units::UnitError;

/// The status of an answer (RFC 9110, section 15), or what a proxy would say where none came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Status(u16);

impl Status {
    /// A good answer.
    pub const OK: Status = Status(200);
    /// Who asks does so too often.
    pub const TOO_MANY_REQUESTS: Status = Status(429);
    /// The server failed.
    pub const ERROR: Status = Status(500);
    /// Whom the server asked did not answer in time.
    pub const GATEWAY_TIMEOUT: Status = Status(504);

    /// This status, 100 to 599.
    pub const fn new(status: u16) -> Status {
        Status(status)
    }

    /// The status as a number.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// Whether such an answer is no good to whoever asked.
    pub const fn is_error(self) -> bool {
        self.0 >= 400
    }

    /// Whether it is the server that has failed, and not whoever asked.
    pub const fn is_server_error(self) -> bool {
        self.0 >= 500
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl JsonSchema for Status {
    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "uint16", "minimum": 100, "maximum": 599 })
    }
}

/// One status, `"429"`, or all of a class, `"5xx"`.
///
/// ```
/// use lbsim_engine::status::{Status, Statuses};
/// let errors: Statuses = "5xx".parse().unwrap();
/// assert!(errors.contains(Status::new(503)) && !errors.contains(Status::new(429)));
/// assert!("6xx".parse::<Statuses>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    first: u16,
    last: u16,
}

impl Statuses {
    /// Whether it is one of them.
    pub const fn contains(self, status: Status) -> bool {
        self.first <= status.0 && status.0 <= self.last
    }
}

impl FromStr for Statuses {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Statuses, UnitError> {
        let refuse = || {
            UnitError::new(format!(
                "`{text}` is no status of HTTP; write e.g. \"503\" or \"5xx\""
            ))
        };
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(refuse());
        }
        let (first, last) = match text.strip_suffix("xx") {
            Some(class) => {
                let class: u16 = class.parse().map_err(|_| refuse())?;
                (
                    class.saturating_mul(100),
                    class.saturating_mul(100).saturating_add(99),
                )
            }
            None => {
                let status: u16 = text.parse().map_err(|_| refuse())?;
                (status, status)
            }
        };
        if (100..=599).contains(&first) {
            Ok(Statuses { first, last })
        } else {
            Err(refuse())
        }
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}xx", self.first / 100)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_may_be_a_number() {
        let read = |text: &str| serde_json::from_str::<Vec<Statuses>>(text);
        let both = read("[503, \"503\"]").unwrap();
        assert_eq!(both[0], both[1]);
        assert!(read("[5]").is_err() && read("[1.5]").is_err());
        assert_eq!(serde_json::to_string(&both).unwrap(), "[\"503\",\"503\"]");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["429", "5xx", "100", "599"] {
            let statuses: Statuses = text.parse().expect("a status");
            assert_eq!(statuses.to_string(), text);
        }
        for text in [
            "", "xx", "0xx", "6xx", "99", "600", "5x", "teapot", "65536", "999xx", "+429",
        ] {
            let refused = text.parse::<Statuses>().expect_err(text);
            assert!(refused.to_string().contains("5xx"), "{refused}");
        }
    }
}
