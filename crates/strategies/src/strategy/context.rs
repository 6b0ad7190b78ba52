//! What a rule may see: its own balancer's counts, weights, eligible members, answers and reports.
//! Nothing here tells a server's queue, speed or state; only [`Truth`] does, and only oracles get
//! it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::pool::Pool;
use lbsim_engine::rng::{Rng, mix};
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};

use super::pool::MemberId;

/// A setting that a rule cannot be configured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// Which, as a scenario spells it: `cutoffs`.
    pub setting: &'static str,
    /// What is wrong with it, to be read after its name: "must rise (2 comes after 8)".
    pub message: String,
}

/// What is known of a request when a member is picked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The client: its number among all, or its name where a trace has one.
    pub client: Key<'a>,
    /// The client's address. It is there for rules that say so: see [`Origin`].
    pub address: &'a IpAddr,
    /// The port that the client's connection comes from: another one for each request.
    pub port: u16,
    /// What is asked for.
    pub key: Key<'a>,
    /// What it is labelled with: where the scenario says so, its group of clients does it.
    pub labels: &'a Labels,
    /// How large it is, in the scenario's unit; 1 where the scenario does not say.
    pub size: f32,
    /// The members tried for it and failed, the last one first; at most three are remembered. Only
    /// products look: other rules are handed [`Candidates`](super::Candidates), among whom they are
    /// not.
    pub tried: &'a [MemberId],
}

/// Names and values that requests and servers are labelled with (Envoy: metadata).
pub type Labels = BTreeMap<String, String>;

/// The labels of what has none.
pub const UNLABELLED: &Labels = &Labels::new();

/// What a rule looks at of where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nothing.
    Nothing,
    /// The address.
    Address,
    /// The address and the port.
    Port,
}

/// What is asked for, or who asks: equal keys are equal content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// The key of a request that is made up. Where a rule hashes text, it is the number in decimal
    /// digits.
    Number(u64),
    /// The text of a recorded request, as it stands in the trace: a path, a parameter, an address.
    Text(&'a str),
}

impl Key<'_> {
    /// The key as one word: the number, or a hash of the text.
    #[inline]
    pub fn word(&self) -> u64 {
        match self {
            Key::Number(number) => *number,
            Key::Text(text) => text
                .bytes()
                .fold(0, |hash, byte| mix(hash ^ u64::from(byte))),
        }
    }

    /// Calls `hash` with the bytes of the text.
    ///
    /// ```
    /// use lbsim_strategies::strategy::Key;
    /// assert_eq!(Key::Number(2048).bytes(<[u8]>::to_vec), b"2048");
    /// assert_eq!(Key::Text("/index").bytes(<[u8]>::len), 6);
    /// ```
    #[inline]
    pub fn bytes<T>(&self, hash: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Key::Number(number) => hash(itoa::Buffer::new().format(*number).as_bytes()),
            Key::Text(text) => hash(text.as_bytes()),
        }
    }
}

impl Request<'static> {
    /// What a rule sees of a request of which it sees nothing.
    pub const UNSEEN: &'static Request<'static> = &Request {
        client: Key::Number(0),
        address: &IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        port: 0,
        key: Key::Number(0),
        labels: UNLABELLED,
        size: 1.0,
        tried: &[],
    };
}

/// Where a product's rule sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// To this member.
    Member(MemberId),
    /// Nowhere yet: all are full, and it waits at the balancer for any of them.
    Wait,
    /// Nowhere yet: it waits at the balancer for this member.
    WaitFor(MemberId),
    /// Nowhere: it fails.
    Nobody,
    /// Nowhere: all are at their limits at this balancer, and it is refused. No rule says so
    /// itself.
    Refused,
}

/// The end of one attempt, as the balancer saw it.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Who answered, or failed to.
    pub member: MemberId,
    /// How it ended.
    pub outcome: Outcome,
    /// What the answer said; what a proxy would say where none came ([`Outcome::status`]).
    pub status: Status,
    /// From sending to the end.
    pub response_time: Span,
    /// What the server says of itself in a good answer; only rules that declare to read it
    /// ([`News::READS_FEEDBACK`](super::News::READS_FEEDBACK)) are told.
    pub feedback: Option<Feedback>,
}

/// What a server says of itself in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Requests at the server, waiting ones included, when this one left it.
    pub in_flight: u32,
    /// How long it was worked on.
    pub service_time: Span,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A full answer came, and it was none that speaks against the server.
    Success,
    /// The connection was refused or broke.
    Failure,
    /// The server said that it is full, as with status 503.
    Rejected,
    /// No answer came in time.
    Timeout,
    /// The server answered with an error, as with status 500.
    Error,
    /// Whoever waited for the answer does so no longer: another attempt was answered, or the client
    /// has gone. It says nothing of the server.
    Cancelled,
}

impl Outcome {
    /// What a proxy tells who asked where an attempt ended so: 499 is nginx's for those who have
    /// gone.
    pub const fn status(self) -> Status {
        Status::new(match self {
            Outcome::Success => 200,
            Outcome::Cancelled => 499,
            Outcome::Error => 500,
            Outcome::Failure => 502,
            Outcome::Rejected => 503,
            Outcome::Timeout => 504,
        })
    }

    /// How an attempt has ended that was answered so. Who asks for nonsense, or too often, is told
    /// so (4xx) by a server that is well: no product holds that against it unless it is told to.
    pub const fn of(status: Status) -> Outcome {
        if status.is_server_error() {
            Outcome::Error
        } else {
            Outcome::Success
        }
    }
}

/// What a server's monitoring agent said last: true when it was measured, stale since.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Share of slot time in use since the report before, 0 to 1.
    pub cpu: f64,
    /// Share of memory in use at the time of the report, 0 to 1.
    pub memory: f64,
    /// Requests at the server, waiting ones included.
    pub in_flight: u32,
    /// Requests answered a second since the report before.
    pub rate: f64,
    /// Of these, errors a second.
    pub errors: f64,
}

/// What a server answers to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Requests at the server, waiting ones included, when the probe was there.
    pub in_flight: u32,
    /// How long requests that found about as many took of late: their median.
    pub latency: Span,
}

/// What a rule is handed with each question and each piece of news.
#[derive(Debug)]
pub struct Context<'a> {
    /// The present.
    pub now: Time,
    /// The members, by this balancer's own counting.
    pub pool: &'a Pool,
    /// Which of the balancers of its service this is, counted from 0.
    pub balancer: u16,
    /// This balancer's own stream.
    pub rng: &'a mut Rng,
    /// Members to be probed now: a rule adds those it wants to hear from. See
    /// [`News::PROBES`](super::News::PROBES).
    pub probes: &'a mut Vec<MemberId>,
}

/// The state that no balancer can see; slices are indexed by [`MemberId`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Truth<'a> {
    /// Requests sent to each server by anyone and not yet ended there, abandoned ones included.
    pub in_system: &'a [u32],
    /// When each server would have worked off all that it has, were nothing added. A server of
    /// several slots is taken to use them all.
    pub free_at: &'a [Time],
    /// When each server would give a slot to one request more, were nothing else added: first come,
    /// first served. Empty where the rule does not [foresee](super::News::FORESEES).
    pub starts_at: &'a [Time],
    /// How long the request at hand takes at each server, once it has a slot, at the speed that the
    /// server has now. Empty where the rule does not foresee, and in news.
    pub takes: &'a [Span],
}
