//! Where the state of sessions lives, as it is planned.

use lbsim_engine::distribution::Sampler;
use lbsim_engine::time::Span;

/// The sessions that a group of clients holds, and their state.
#[derive(Clone, Debug)]
pub struct SessionPlan {
    /// Without a request for this long a session ends.
    pub idle: Span,
    /// How long a session lasts at most, in seconds; `None` where only idleness ends it.
    pub length: Option<Sampler>,
    /// How many each client holds at most; each request is of one of them.
    pub per_client: u32,
    /// The share of requests that change the state, 0 to 1; others only read it.
    pub writes: f64,
    /// How large a state is, in bytes; `None` where nobody asks.
    pub size: Option<Sampler>,
    /// The share of sessions that are revoked, and how long after they began, in seconds.
    pub revoked: Option<(f64, Sampler)>,
    /// Where the state lives.
    pub home: Home,
    /// The service whose servers use it: an index into
    /// [`Blueprint::services`](super::blueprint::Blueprint::services).
    pub used_by: usize,
}

/// Where the state of a session lives.
#[derive(Clone, Debug)]
pub enum Home {
    /// On servers of this service: an index into
    /// [`Blueprint::services`](super::blueprint::Blueprint::services). It is the service that
    /// clients ask, or a store that its servers call.
    Servers(usize),
    /// With the client. Servers of the service that it asks have what they were told of it last,
    /// and are told again where they have nothing.
    Client,
    /// In each request: a token that says all.
    Token(TokenPlan),
}

/// A signed token.
#[derive(Clone, Debug)]
pub struct TokenPlan {
    /// How long it holds.
    pub lifetime: Span,
    /// Whether a client whose token is too old gets another, without logging in again.
    pub renews: bool,
    /// How often the key changes that signs tokens, and for how long the one before still holds.
    pub rotation: Option<(Span, Span)>,
    /// Whether servers look up who has been revoked.
    pub looked_up: bool,
}

/// How the servers of a service keep the states that live there.
#[derive(Clone, Debug, Default)]
pub struct KeepPlan {
    /// Whether it is said at all where states live.
    pub is_said: bool,
    /// Bytes for states on each server; `None` for any number.
    pub memory: Option<u64>,
    /// Without a request for this long a server forgets a state.
    pub ttl: Option<Span>,
    /// For how long a server believes what it has read in a store.
    pub cache: Option<Span>,
    /// Copies on other servers.
    pub copies: Option<CopyPlan>,
}

/// Copies of each state on other servers.
#[derive(Clone, Debug)]
pub struct CopyPlan {
    /// How many, besides the one that counts.
    pub others: u32,
    /// On which servers.
    pub placement: Placement,
    /// When a change is there.
    pub shipping: Shipping,
    /// Whether requests that only read are content with the copy of their server, however old.
    pub read: bool,
}

/// On which servers copies are.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// On the next ones, in the order of the scenario, and from the front again.
    #[default]
    Next,
    /// On any, drawn for each state.
    Random,
    /// On the next ones in its zone.
    SameZone,
    /// On the next ones in other zones.
    OtherZone,
}

/// When a change is at the copies.
#[derive(Clone, Debug)]
pub enum Shipping {
    /// Before it is acknowledged.
    Synchronous,
    /// So many seconds later, drawn for each change and copy.
    Lag(Sampler),
    /// At the end of the interval, which all servers count from time zero.
    Interval(Span),
}

/// What a request does with the state of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads it.
    Read,
    /// It changes it, or makes it where there is none.
    Write,
    /// It reads it, and makes it where there is none.
    Look,
    /// It reads it, and changes it.
    Change,
}

impl Access {
    /// Whether it reads.
    pub fn reads(self) -> bool {
        self != Access::Write
    }

    /// Whether it changes.
    pub fn changes(self) -> bool {
        matches!(self, Access::Write | Access::Change)
    }

    /// Whether there is a state when it is done.
    pub fn makes(self) -> bool {
        self != Access::Read
    }
}
