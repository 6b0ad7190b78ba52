//! Connections from a balancer to each server, where it has only so many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refuse;
use super::limit::LimitKind;

/// How many requests a balancer may have under way at a server at once. Unlike `server-limit`,
/// which passes over a server that is full, this is looked at when the server has been picked:
/// whoever finds no connection free waits at the balancer for one to that server, first come, first
/// served, and counts as sent there meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Connections {
    /// How many.
    pub by: LimitKind,
    /// Whether requests for each key have so many of their own.
    #[serde(default)]
    pub per_key: bool,
}

impl Connections {
    /// Says which settings may not be so, each with its key.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        self.by
            .check(&mut |key, message| refuse(&format!("by.{key}"), message));
        if matches!(self.by, LimitKind::TokenBucket(_)) {
            refuse(
                "by",
                "a connection is not had by time alone; use another kind here, or a `limit` of the balancer",
            );
        }
    }
}
