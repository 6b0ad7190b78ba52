//! The settings that every algorithm of HAProxy has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::servers::Shared;
use lbsim_engine::time::Span;

/// Settings of a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long a server that has come back takes to reach its full weight and its `maxconn`; 0: at
    /// once.
    pub slowstart: Span,
    /// Whether all backups serve where no other server can, instead of the first of them.
    pub allbackups: bool,
    /// Requests at the backend from which a server gets its whole `maxconn`, where it has a
    /// `minconn`.
    #[schemars(range(min = 1))]
    pub fullconn: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            slowstart: Span::ZERO,
            allbackups: false,
            fullconn: 1000,
        }
    }
}

impl Config {
    pub(super) fn shared(&self) -> Shared {
        Shared {
            slowstart: self.slowstart,
            allbackups: self.allbackups,
            fullconn: self.fullconn,
        }
    }
}
