//! `[[clients]]`: where requests come from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::balancer::retry::Retry;
use crate::distribution::{Amount, Dist};
use crate::model::arrivals::Arrivals;
use crate::model::popularity::Skew;
use crate::time::Span;
use crate::units::{Bytes, Share};

/// A group of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clients {
    /// What the group is called.
    #[serde(default = "clients")]
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
    /// The service that it asks; by default the first.
    #[serde(default)]
    pub service: Option<String>,
    /// Where the group is: one of `network.zones`, or, where those are left out, any name, and no
    /// zone has delays of its own.
    #[serde(default)]
    pub zone: Option<String>,
    /// When it asks.
    pub arrivals: Arrivals,
    /// Who is in it; a trace or a closed loop says that itself.
    #[serde(default)]
    pub population: Option<Population>,
    /// Proxies, and routers that translate addresses: many clients come from the few addresses of
    /// one. The others have addresses of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub proxies: Vec<Proxy>,
    /// What is asked for; by default each client asks for its own.
    #[serde(default)]
    pub keys: Option<Keys>,
    /// How large requests are: see `per-size` of servers. By default 1, or what the trace says.
    #[serde(default)]
    pub size: Option<Dist<Amount>>,
    /// What its requests are labelled with, for the subsets of Envoy's rules (Envoy: metadata
    /// match).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The class of its requests, for servers whose discipline looks at it (`priority`): those of 0
    /// come first. What servers call in the course of a request is of its class.
    #[serde(default)]
    #[schemars(range(min = 0, max = 254))]
    pub priority: u8,
    /// How long a client waits for its answer before it gives up, retries at balancers included;
    /// for ever where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
    /// Whether the end of its `timeout` travels with a request, and with what servers call in its
    /// course: nobody begins or tries again what would come too late (as gRPC's deadlines).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deadline_travels: bool,
    /// How long a client waits while nobody works on its request, drawn for each: in a queue, on
    /// the way, at a balancer. Who is being served stays, also by a server that only passes it on
    /// (`routes`) or waits for what it calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<Dist<Span>>,
    /// What a client does whose request has failed, or who has given it up: it asks again, through
    /// the balancer that `spread` gives it then. `on` means nothing here; a budget is that of each
    /// group of clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The sessions that clients hold; none where it is left out.
    #[serde(default)]
    pub sessions: Option<Sessions>,
    /// Whether they mean harm. What they send is work for balancers and servers, and no part of
    /// what is measured of requests: that is of the others. Of theirs the share is told that was
    /// answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hostile: bool,
    /// The share of its clients that keep no cookies, drawn in each replication. Of tokens they
    /// drop none.
    #[serde(default = "none_of_all", skip_serializing_if = "is_none_of_all")]
    pub drops_cookies: Share,
}

fn none_of_all() -> Share {
    Share::ZERO
}

fn is_none_of_all(share: &Share) -> bool {
    *share == Share::ZERO
}

fn clients() -> String {
    "clients".to_owned()
}

/// Who is in a group of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Population {
    /// Made-up clients.
    Generated(Generated),
    /// Clients from a file, each as often as it stands there.
    File(FromFile),
}

/// Made-up clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Generated {
    /// How many.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub count: u32,
    /// How unlike they are in how often they ask.
    pub popularity: Skew,
    /// Where their addresses lie, IPv4 or IPv6.
    pub network: String,
    /// Length of the prefix that neighbours share.
    #[schemars(range(min = 0, max = 128))]
    pub subnet: u8,
    /// Clients behind one such prefix; the prefixes are drawn from the network.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub per_subnet: u32,
}

impl Default for Generated {
    fn default() -> Generated {
        Generated {
            count: 1000,
            popularity: Skew::Uniform,
            network: "10.0.0.0/8".to_owned(),
            subnet: 24,
            per_subnet: 1,
        }
    }
}

/// Clients behind a proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Proxy {
    /// The share of the group's clients that are behind it; which they are is drawn in each
    /// replication.
    pub share: Share,
    /// How many addresses it has, next to each other. A client keeps the one that it is given.
    #[serde(default = "one_address")]
    #[schemars(range(min = 1, max = 65_536))]
    pub addresses: u32,
}

fn one_address() -> u32 {
    1
}

/// Clients from a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FromFile {
    /// A file with a header line, in any shape that a trace may have; relative to the scenario.
    pub file: String,
    /// The column with the addresses.
    pub column: String,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// How many keys there are.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub count: u32,
    /// How unlike they are in how often they are asked for.
    #[serde(default)]
    pub popularity: Skew,
}

/// The sessions that clients hold. Where their state lives, `state` of the service says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sessions {
    /// The service whose servers use the state of these sessions, where it stands behind the one
    /// that the clients ask: web servers behind a balancer that is a service itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// A session ends when its client has not asked for this long.
    #[schemars(extend("x-least" = "1ms"))]
    pub idle: Span,
    /// How long a session lasts at most (a log-out); without it only idleness ends it.
    pub length: Option<Dist<Span>>,
    /// How many a client holds, on several devices say: each request is of one of them, drawn.
    #[serde(skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 100))]
    pub per_client: u32,
    /// The share of requests that change the state; the others only read it. All change it where
    /// that is left out.
    #[serde(skip_serializing_if = "is_all")]
    pub writes: Share,
    /// How large a state is; without it nobody counts bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Dist<Bytes>>,
    /// Sessions that are revoked: a token was stolen, a user thrown out. Who holds it goes on
    /// asking as before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions {
            at: None,
            idle: Span::from_secs(30 * 60),
            length: None,
            per_client: 1,
            writes: Share::ONE,
            size: None,
            revoked: None,
        }
    }
}

fn is_one(count: &u32) -> bool {
    *count == 1
}

fn is_all(share: &Share) -> bool {
    *share == Share::ONE
}

/// Sessions that are revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Revoked {
    /// The share of all sessions.
    pub share: Share,
    /// How long after the beginning of one.
    pub after: Dist<Span>,
}
