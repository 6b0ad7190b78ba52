//! `[services.state]`: where the state of sessions lives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::Dist;
use crate::model::state::Placement;
use crate::time::Span;
use crate::units::Bytes;

/// Where the state of sessions lives whose clients ask the service; or, of a store that other
/// services call, how it keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum State {
    /// In the memory of the server that began it. Another server knows nothing of it, and it dies
    /// with its server.
    Server(ServerState),
    /// As before, with copies on other servers. Where the server dies, the newest copy takes its
    /// place, which may be old; a server that has none fetches the state from where it is. What a
    /// cut link swallows is not sent again: the next change brings it along. A server that does not
    /// hear from where the state is goes on with the newest copy that it hears of.
    Replicated(Box<ReplicatedState>),
    /// In a store: a service that each server calls, before its work to read the state and after it
    /// to write it. The store says itself, by its own `state`, how it keeps them: what that takes
    /// (`delay`, `work`, `fetch`, `rebuild`) it takes in the course of these calls.
    Store(StoreState),
    /// In a signed token that comes with each request. No server has anything, and nothing can be
    /// taken back before it ends, unless there is a list of what is denied.
    Token(TokenState),
    /// With the client. A server that does not have it is told by the client, at a cost, and keeps
    /// it while it has room.
    Client(ClientState),
}

/// States in the memory of servers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerState {
    /// Room for states on each server, apart from `memory.base`: where it is full, the one that has
    /// not been used for longest is lost. Any number where it is left out. Sessions say their
    /// `size`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// How long a server keeps a state that nobody uses. Shorter than the `idle` time of sessions
    /// it forgets users who are still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub ttl: Option<Span>,
    /// Work, at speed 100%, for a state that is not there: at the first request of a session (a
    /// log-in), and again where it was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Dist<Span>>,
}

/// States in the memory of servers, with copies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReplicatedState {
    /// How many there are of each state in all.
    #[schemars(range(min = 2, max = 10))]
    pub copies: u32,
    /// On which servers the others are. Those that are down, or have left, are passed over when a
    /// change is sent.
    pub placement: Placement,
    /// When a change is there.
    pub shipping: Shipping,
    /// How long the way to the other copies and back takes: a change that is synchronous waits for
    /// it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Dist<Span>>,
    /// Work, at speed 100%, that each change takes the server for its copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<Dist<Span>>,
    /// How long it takes to fetch a state from another server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Dist<Span>>,
    /// Whether requests that only read (see `writes` of sessions) are content with the copy at
    /// their server, however old. Otherwise the state is fetched there. Of a store that is said of
    /// its calls that read.
    pub read_copies: bool,
    /// As of `server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// As of `server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub ttl: Option<Span>,
    /// As of `server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Dist<Span>>,
}

impl Default for ReplicatedState {
    fn default() -> ReplicatedState {
        ReplicatedState {
            copies: 2,
            placement: Placement::Next,
            shipping: Shipping::Synchronous,
            delay: None,
            work: None,
            fetch: None,
            read_copies: false,
            memory: None,
            ttl: None,
            rebuild: None,
        }
    }
}

/// When a change is at the copies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Shipping {
    /// Before it is acknowledged: an answer waits for it.
    Synchronous,
    /// Later: the answer does not wait.
    Asynchronous(Lag),
    /// At the end of each interval, all changes of it together. Whether a link is cut is looked at
    /// when they are made.
    Interval(Every),
}

/// How much later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lag {
    /// So long, drawn for each change and copy.
    pub lag: Dist<Span>,
}

/// How often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Every {
    /// From one to the next, counted from the start of the run.
    #[schemars(extend("x-least" = "1ms"))]
    pub every: Span,
}

/// States in a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreState {
    /// The service that is the store.
    pub service: String,
    /// For how long a server believes what it has read or written, without asking the store; it
    /// asks each time where that is left out. Others may have changed it meanwhile, the store may
    /// have lost it, and the session may have been revoked: the server knows nothing of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub cache: Option<Span>,
    /// What becomes of a change where another request has changed the same state since it was read.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Whether a request goes on where the store does not answer, as one of a visitor who is not
    /// known (`store-away` in `sessions.csv`), whose change is lost that is not stored. Otherwise
    /// it is answered with an error.
    #[serde(default)]
    pub optional: bool,
    /// How long a server waits for the store each time: see `timeout` of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1us"))]
    pub timeout: Option<Span>,
    /// Whether the request keeps its slot while it waits for the store: see `blocking` of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocking: Option<bool>,
    /// As of `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Dist<Span>>,
}

/// What becomes of a change that is based on an old state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// It is made: what the other has changed is lost.
    #[default]
    Overwrite,
    /// The store refuses it (compare and set), and the request reads, works and writes again.
    Repeat,
}

/// States in signed tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenState {
    /// How long a token holds.
    #[schemars(extend("x-least" = "1ms"))]
    pub lifetime: Span,
    /// Whether a client whose token is too old gets another one without logging in, unless its
    /// session has been revoked, or the key that signed the token holds no longer (`rotation`).
    #[serde(default = "yes")]
    pub renews: bool,
    /// Work, at speed 100%, to verify it, at each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Dist<Span>>,
    /// How the key changes that signs tokens; never where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    /// The service that is asked at each request whether the token has been revoked; nobody is
    /// where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny_list: Option<String>,
    /// As of `server`: a log-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Dist<Span>>,
}

fn yes() -> bool {
    true
}

/// How the key changes that signs tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rotation {
    /// From one change to the next, counted from the start of the run.
    #[schemars(extend("x-least" = "1ms"))]
    pub every: Span,
    /// How long tokens still hold after a change that the key before it has signed, and can be
    /// renewed.
    #[serde(default)]
    pub grace: Span,
}

/// States with clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientState {
    /// Work, at speed 100%, where a server has to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Dist<Span>>,
    /// Room for what it has been told on each server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
}
