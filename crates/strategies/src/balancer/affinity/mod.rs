//! Affinity: how a client comes back to the member that answered it, beside any strategy, which
//! places those who are new.

pub mod connection;
pub mod dns;
mod jar;
mod several;
mod table;

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Reason, Refuse};
use crate::strategy::{MemberId, Origin, Pick};
pub use connection::ConnectionConfig;
use dns::{DnsConfig, KeptAnswers};
use jar::Jar;
use lbsim_engine::time::{Span, Time};
use table::Tables;

/// How clients are bound to members.
///
/// A retry goes by `retry.on` first: with `another` the bond is passed over once its member has
/// been tried; with `same` the member tried last is tried again as long as it is eligible, bound or
/// not; with `any` it goes back to the bound member. Whoever answers in the end binds the client.
/// Where an answer of a name server names several members, `another` and `any` are the next of them
/// after one that could not be reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Sticky {
    /// Not at all: each request is balanced.
    #[default]
    No,
    /// By a cookie that the answer sets and the client sends back, unless it drops cookies. Nothing
    /// is kept at balancers: all know the same, and one that dies forgets nothing.
    Cookie(CookieConfig),
    /// By a table that the balancer keeps (HAProxy: `stick-table`).
    Table(TableConfig),
    /// By the answer of a name server, which is kept for its time to live: the balancer is the name
    /// server, and its members are what names stand for (regions, addresses of balancers). Whoever
    /// has an answer goes there, whatever has become of that member.
    Dns(DnsConfig),
    /// By the connection, as balancers of layer 4 do it: they pick a member when one is opened, see
    /// no more of it than where it comes from, and all its requests go there. What the strategy
    /// counts are connections. A balancer's `retry` is for the request that opens one; what fails
    /// on an open connection has failed for its client, which may ask again.
    ///
    /// Connections are what such a balancer limits, too: `limit` says how many it has in all
    /// (HAProxy: `maxconn`), `client-limit` how many each client has (nginx: `limit_conn`), and
    /// `server-limit` how many it has to each server (HAProxy: `maxconn` of a server; Envoy:
    /// `max_connections` of `circuit_breakers`). One keeps its place until it is closed, idle or
    /// not. A request that finds no place for a new one is refused, or waits, as `when-full` says,
    /// and goes on one that its caller has if that is free sooner.
    Connection(Box<ConnectionConfig>),
}

/// A cookie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CookieConfig {
    /// It holds no longer than this after the last answer (HAProxy: `maxidle`; ALB: the duration of
    /// its cookie); as long as may be where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub max_idle: Option<Span>,
    /// It holds no longer than this after the answer that bound the client (HAProxy: `maxlife`;
    /// nginx: `expires`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub max_life: Option<Span>,
    /// What becomes of a client whose member does not take it.
    #[serde(skip_serializing_if = "Breaking::is_default")]
    pub when: Breaking,
}

/// A table of who is bound to whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TableConfig {
    /// What tells clients from each other.
    pub by: By,
    /// How many entries it has; a new one takes the place of that which has not been used for
    /// longest. Any number where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub size: Option<u32>,
    /// How long an entry stays that is not used; for ever where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-least" = "1ms"))]
    pub expire: Option<Span>,
    /// Whether all balancers of the service have one table, as peers have that tell each other at
    /// once. It outlives each of them. Otherwise each has its own, which is lost with it.
    pub shared: bool,
    /// What becomes of a client whose member does not take it.
    #[serde(skip_serializing_if = "Breaking::is_default")]
    pub when: Breaking,
}

/// What tells clients from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Where they connect from: all behind a proxy are one.
    #[default]
    Address,
    /// The session, or the client where none is held: an identifier that it sends.
    Client,
}

/// What becomes of a client whose member does not take it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaking {
    /// Its member is thought to be down, or has been ejected. One that has left the pool binds
    /// nobody.
    pub down: WhenDown,
    /// Its member is at its `server-limit`.
    pub full: WhenAtLimit,
    /// Its member is being drained.
    pub draining: WhenDraining,
}

impl Breaking {
    fn is_default(&self) -> bool {
        *self == Breaking::default()
    }
}

/// What becomes of a client whose member is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenDown {
    /// The bond is broken: the strategy picks another.
    #[default]
    Rebalance,
    /// It goes there all the same (HAProxy: `option persist`).
    Send,
    /// It waits at the balancer until its member is back, or `queue-timeout` is over.
    Wait,
    /// It is refused.
    Refuse,
}

/// What becomes of a client whose member is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenAtLimit {
    /// It goes there all the same.
    #[default]
    Send,
    /// It waits at the balancer until its member has room, or `queue-timeout` is over.
    Wait,
    /// The bond is broken: the strategy picks another.
    Rebalance,
    /// It is refused.
    Refuse,
}

/// What becomes of a client whose member is being drained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenDraining {
    /// It goes there as long as its session lasts (for ever, where clients hold no sessions).
    #[default]
    Keep,
    /// The bond is broken: the strategy picks another.
    Rebalance,
    /// It is refused.
    Refuse,
}

impl Sticky {
    /// Whether clients are bound at all.
    pub fn binds(&self) -> bool {
        *self != Sticky::No
    }

    /// What becomes of those whose member does not take them.
    pub fn breaking(&self) -> Breaking {
        match self {
            Sticky::No => Breaking::default(),
            Sticky::Cookie(cookie) => cookie.when,
            Sticky::Table(table) => table.when,
            Sticky::Dns(_) | Sticky::Connection(_) => Breaking {
                down: WhenDown::Send,
                ..Breaking::default()
            },
        }
    }

    /// Whether clients may be told several members, and go on to the next when one fails.
    pub fn names_several(&self) -> bool {
        matches!(self, Sticky::Dns(dns) if dns.answers > 1)
    }

    /// What there is to say of connections, where they bind.
    pub fn connection(&self) -> Option<&ConnectionConfig> {
        match self {
            Sticky::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    /// Whether a client is bound by being sent to a member, and not by its answer.
    pub fn binds_at_once(&self) -> bool {
        matches!(self, Sticky::Dns(_) | Sticky::Connection(_))
    }

    /// Whether anybody may have to wait for the member it is bound to.
    pub fn waits(&self) -> bool {
        let Breaking { down, full, .. } = self.breaking();
        down == WhenDown::Wait || full == WhenAtLimit::Wait
    }

    /// What it looks at of where a request comes from.
    pub fn origin(&self) -> Origin {
        match self {
            Sticky::Table(table) if table.by == By::Address => Origin::Address,
            _ => Origin::Nothing,
        }
    }

    /// Whether what clients drop makes a difference.
    pub fn needs_cookies(&self) -> bool {
        matches!(self, Sticky::Cookie(_))
    }

    /// Says which settings may not be so, each with its key.
    pub fn check(&self, limited: bool, refuse: &mut Refuse<'_>) {
        if let Sticky::Dns(dns) = self {
            dns.check(refuse);
        }
        if let Sticky::Connection(connection) = self {
            connection.check(refuse);
        }
        if self.breaking().full != WhenAtLimit::Send && !limited {
            refuse(
                "when.full",
                "no server is ever full for this balancer; give it a `server-limit`",
            );
        }
    }
}

/// Who asks, as affinity tells clients from each other.
#[derive(Clone, Copy, Debug)]
pub struct Who {
    /// The number of its session among those of all clients; of its client where it holds none.
    pub session: u32,
    /// Where it connects from.
    pub address: IpAddr,
    /// Its number among all callers: see [`Callers`].
    pub caller: u32,
}

/// Who asks services: clients, in groups, and servers.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    /// How many clients there are in each group. Callers are numbered through all groups, and then
    /// through all servers.
    pub clients: Vec<u32>,
    /// How many servers there are.
    pub servers: u32,
}

impl Callers {
    /// How many clients there are in all.
    pub fn clients(&self) -> u32 {
        self.clients.iter().sum()
    }

    /// How many callers there are in all.
    pub fn count(&self) -> usize {
        self.clients() as usize + self.servers as usize
    }
}

/// What is known of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// It is bound to this member.
    To(MemberId),
    /// It was bound, and that is too long ago.
    Expired,
    /// Nothing: it is new, or what was known has been lost.
    None,
}

/// Who is bound to whom at a service.
#[derive(Clone, Debug)]
pub enum Bonds {
    /// Clients know it themselves.
    Cookies(Jar),
    /// Balancers do.
    Tables(Tables),
    /// Resolvers do, or clients themselves, who have asked a name server.
    Answers(KeptAnswers),
}

impl Bonds {
    /// Nobody is bound yet, of so many sessions and these callers, at so many balancers; `None`
    /// where nobody ever is. `word` is a random word of the run that belongs to the service.
    pub fn new(
        sticky: &Sticky,
        (sessions, callers): (usize, &Callers),
        balancers: usize,
        word: u64,
    ) -> Option<Bonds> {
        match sticky {
            // Connections are kept by who opens them.
            Sticky::No | Sticky::Connection(_) => None,
            Sticky::Cookie(cookie) => Some(Bonds::Cookies(Jar::new(cookie, sessions))),
            Sticky::Table(table) => Some(Bonds::Tables(Tables::new(table, balancers))),
            Sticky::Dns(dns) => Some(Bonds::Answers(KeptAnswers::new(dns, callers, word))),
        }
    }

    /// What a balancer knows of a client.
    #[inline]
    pub fn find(&self, who: Who, balancer: u16, now: Time) -> Bond {
        match self {
            Bonds::Cookies(jar) => jar.find(who.session, now),
            Bonds::Tables(tables) => tables.find(who, balancer, now),
            Bonds::Answers(answers) => answers.find(who.caller, now),
        }
    }

    /// A client is bound to a member, through a balancer: which has answered it, or, where that
    /// [binds at once](Sticky::binds_at_once), to which it is sent.
    #[inline]
    pub fn bind(&mut self, who: Who, balancer: u16, member: MemberId, now: Time) {
        match self {
            Bonds::Cookies(jar) => jar.set(who.session, member, now),
            Bonds::Tables(tables) => tables.set(who, balancer, member, now),
            Bonds::Answers(answers) => answers.set(who.caller, member, now),
        }
    }

    /// For how many members there is room in what a client is about to be told, besides the one
    /// that it is sent to: none where it has been told, or is told one only.
    pub fn room(&self, who: Who, now: Time) -> usize {
        match self {
            Bonds::Answers(answers) => answers.room(who.caller, now),
            Bonds::Cookies(_) | Bonds::Tables(_) => 0,
        }
    }

    /// A client that has just been bound has been told these members, too.
    pub fn name_others(&mut self, who: Who, others: &[MemberId]) {
        if let Bonds::Answers(answers) = self {
            answers.name_others(who.caller, others);
        }
    }

    /// A member could not be reached by a client, or did not answer it in time.
    pub fn failed(&mut self, who: Who, member: MemberId, now: Time) {
        if let Bonds::Answers(answers) = self {
            answers.failed(who.caller, member, now);
        }
    }

    /// Where a bound client goes for a request that has been tried on these members, as far as it
    /// has been told; `None` where it has been told one only.
    pub fn instead(&self, who: Who, tried: &[MemberId]) -> Option<MemberId> {
        match self {
            Bonds::Answers(answers) => answers.instead(who.caller, tried),
            Bonds::Cookies(_) | Bonds::Tables(_) => None,
        }
    }

    /// A balancer has died: what it alone knew is lost.
    pub fn lose(&mut self, balancer: u16) {
        if let Bonds::Tables(tables) = self {
            tables.lose(balancer);
        }
    }

    /// Whether a client that is not found has been forgotten: no balancer's table knows it, where
    /// there are any.
    pub fn was_lost(&self, who: Who) -> bool {
        matches!(self, Bonds::Tables(tables) if !tables.knows(who))
    }
}

/// Reasons for which a member gets no new clients, and keeps those it has.
const DRAINED: u8 = Reason::Draining as u8 | Reason::Weightless as u8;

impl Balancer {
    /// The next of those who wait for a member that gets no new clients, where it takes those it
    /// has.
    #[cold]
    pub(super) fn dequeue_bound(&mut self, member: MemberId, now: Time) -> Option<(u32, MemberId)> {
        let reasons = self.reasons[member as usize];
        if reasons & !(DRAINED | Reason::OnTrial as u8) != 0 || self.is_full(member, now) {
            return None;
        }
        let request = self.queue.leave_own(member)?;
        self.pool.count_waiting(Some(member), -1);
        Some((request, member))
    }

    /// Where a request goes whose client is bound to `member`; `None` where its strategy is to
    /// pick. `over` says whether the client's session has ended.
    #[inline]
    pub fn follow(
        &mut self,
        member: MemberId,
        breaking: Breaking,
        over: bool,
        now: Time,
    ) -> Option<Pick> {
        let reasons = self.reasons[member as usize];
        if reasons & !(DRAINED | Reason::OnTrial as u8) != 0 {
            return match breaking.down {
                _ if reasons & Reason::Absent as u8 != 0 => None,
                WhenDown::Send => Some(Pick::Member(member)),
                WhenDown::Rebalance => None,
                WhenDown::Wait => Some(Pick::WaitFor(member)),
                WhenDown::Refuse => Some(Pick::Nobody),
            };
        }
        if reasons & DRAINED != 0 {
            match breaking.draining {
                // A draining member keeps its clients until their sessions end, or it would never
                // be empty.
                _ if over && !self.pool.is_eligible(member) => return None,
                WhenDraining::Keep => {}
                WhenDraining::Rebalance => return None,
                WhenDraining::Refuse => return Some(Pick::Nobody),
            }
        }
        if breaking.full != WhenAtLimit::Send && self.is_full(member, now) {
            return match breaking.full {
                WhenAtLimit::Wait => Some(Pick::WaitFor(member)),
                WhenAtLimit::Refuse => Some(Pick::Refused),
                WhenAtLimit::Send | WhenAtLimit::Rebalance => None,
            };
        }
        Some(Pick::Member(member))
    }
}
