//! Connections that carry several requests, all to the member that was picked when each was opened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::balancer::Refuse;
use lbsim_engine::distribution::Dist;
use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

/// Connections of callers through a balancer. A caller uses one that it has, that which it opened
/// last first, or opens another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectionConfig {
    /// Requests that one carries at once: 1 as in HTTP/1.1, more where they are multiplexed (RFC
    /// 9113 has 100 or more in HTTP/2).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub at_once: u32,
    /// Connections that each caller opens ahead and keeps open through each of its balancers, from
    /// its start on: none of its requests waits until one is open. Those that close are opened
    /// anew, and none of these is closed for being idle (HikariCP: `minimumIdle`; Envoy:
    /// `preconnect_policy`). Where it is left out they are opened when requests want them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub preconnect: Option<u32>,
    /// Connections that each caller has at once at most through each of its balancers: who finds
    /// none free waits for one, first come, first served, for `queue-timeout` at most, where it is
    /// given (HikariCP: `maximumPoolSize`; Go: `MaxConnsPerHost`). Any number where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: Option<u32>,
    /// Requests that one carries in all, after which it is closed (nginx: `keepalive_requests`);
    /// any number where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub requests: Option<u32>,
    /// It is closed when it has not been used for so long (nginx: `keepalive_timeout`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub idle: Option<Span>,
    /// From this age on it takes no more requests, and is closed when those that it has are
    /// answered (gRPC: `MAX_CONNECTION_AGE`; Envoy: `max_connection_duration`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub max_age: Option<Span>,
    /// By how much of `max-age` each is older or younger than that, drawn for each, so that not all
    /// are closed at once (gRPC: 10%).
    pub jitter: Share,
    /// How long its caller wants it, drawn for each; for ever where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Dist<Span>>,
    /// How long it takes to open one, before the first request can leave: the round trips of TCP
    /// and TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening: Option<Dist<Span>>,
    /// What the server has to work for a new one at speed 100%, before the first request: a
    /// handshake of TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Dist<Span>>,
    /// The share of new ones that go on where an earlier one was (resumption), and need no such
    /// work.
    pub resumed: Share,
    /// Where a request that is given up has waited for so long, its caller takes the connection to
    /// be dead, and closes it (gRPC: `KEEPALIVE_TIME`). Where it is left out, a connection of one
    /// request at once is closed when that is given up, and one of several is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub keepalive: Option<Span>,
    /// Whether a member that is drained has its connections closed, as soon as what they carry has
    /// been answered (HTTP/2: GOAWAY); otherwise they go on.
    pub close_drained: bool,
}

impl Default for ConnectionConfig {
    fn default() -> ConnectionConfig {
        ConnectionConfig {
            at_once: 1,
            preconnect: None,
            max_connections: None,
            requests: None,
            idle: None,
            max_age: None,
            jitter: Share::fraction(0.1),
            lifetime: None,
            opening: None,
            handshake: None,
            resumed: Share::ZERO,
            keepalive: None,
            close_drained: false,
        }
    }
}

impl ConnectionConfig {
    /// Says which settings may not be so, each with its key.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        let mut part = |key: &str, share: Share, most: f64| {
            if !(0.0..=most).contains(&share.value()) {
                let most = most * 100.0;
                refuse(key, &format!("it is {share}; it must be 0% to {most:.0}%"));
            }
        };
        part("jitter", self.jitter, 0.9);
        part("resumed", self.resumed, 1.0);
        if self.resumed != Share::ZERO && self.handshake.is_none() {
            refuse("resumed", "there is no `handshake` that could be saved");
        }
        if let (Some(ahead), Some(most)) = (self.preconnect, self.max_connections)
            && ahead > most
        {
            let message = format!("{ahead} are more than `max-connections`, {most}");
            refuse("preconnect", &message);
        }
        for (key, span) in [("idle", self.idle), ("max-age", self.max_age)] {
            if span.is_some_and(Span::is_zero) {
                refuse(key, "it is no time at all; it must be more");
            }
        }
    }
}
