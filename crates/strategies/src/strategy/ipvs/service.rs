//! A virtual service of IPVS: its list of servers, their connections and thresholds, and the
//! scheduler that it asks.
//!
//! What the kernel keeps in `struct ip_vs_service` and `struct ip_vs_dest` (Linux 6.1,
//! `net/netfilter/ipvs/ip_vs_ctl.c`, `ip_vs_conn.c`, `include/net/ip_vs.h`). A request is a
//! connection. IPVS itself knows no health: a member that is not eligible has weight 0 here, as
//! keepalived gives it with `inhibit_on_failure`; one that is not part of the pool has been
//! deleted. Nothing is retried.

use std::collections::VecDeque;
use std::fmt::Debug;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::strategy::{
    Answer, Context, Member, MemberId, News, Origin, Outcome, Pick, Product, Request, standby,
};
use lbsim_engine::time::{Span, Time};

/// The head of the list: before every server.
pub(super) const HEAD: u64 = 0;

/// How long a connection that was reset is remembered: `IP_VS_TCP_S_CLOSE`.
const CLOSE: Span = Span::from_secs(10);

/// Settings of the schedulers that have none of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long a closed connection counts as inactive.
    pub time_wait: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            time_wait: TIME_WAIT,
        }
    }
}

/// How long the kernel remembers a closed connection: `IP_VS_TCP_S_TIME_WAIT`.
pub(super) const TIME_WAIT: Span = Span::from_secs(120);

/// A real server.
#[derive(Clone, Debug, Default)]
pub struct Dest {
    /// Where it stands in the list: the lower, the nearer to the head. A new server comes to the
    /// head.
    pub(super) place: u64,
    /// Its weight; with 0 it gets no new connections.
    pub(super) weight: u32,
    /// The last weight that was not 0.
    pub(super) last_weight: u32,
    /// Connections that are open.
    pub(super) active: u32,
    /// Connections that are closed, and remembered.
    pub(super) inactive: u32,
    /// Whether it stands in the list: `IP_VS_DEST_F_AVAILABLE`.
    pub(super) listed: bool,
    /// Whether it has reached its upper threshold, and not yet come below the lower:
    /// `IP_VS_DEST_F_OVERLOAD`.
    overloaded: bool,
}

impl Dest {
    /// Whether it takes new connections.
    #[inline]
    pub(super) fn is_available(&self) -> bool {
        self.listed && self.weight > 0 && !self.overloaded
    }

    /// Its weight where it takes new connections, else 0.
    #[inline]
    pub(super) fn open_weight(&self) -> u32 {
        if self.is_available() { self.weight } else { 0 }
    }

    /// Its connections, an active one as heavy as 256 inactive ones: `ip_vs_dest_conn_overhead`.
    #[inline]
    pub(super) fn overhead(&self) -> u64 {
        (u64::from(self.active) << 8) + u64::from(self.inactive)
    }

    /// Sets or clears the mark of overload: `ip_vs_bind_dest`, `ip_vs_unbind_dest`.
    fn judge(&mut self, configured: &Member, grown: bool) {
        let (upper, lower) = (configured.max_connections, configured.min_connections);
        let total = u64::from(self.active) + u64::from(self.inactive);
        if grown {
            self.overloaded |= upper != 0 && total >= u64::from(upper);
        } else if lower != 0 {
            self.overloaded &= total >= u64::from(lower);
        } else {
            self.overloaded &= upper != 0 && total * 4 >= u64::from(upper) * 3;
        }
    }
}

/// The servers of a virtual service.
#[derive(Clone, Debug)]
pub struct Service {
    dests: Vec<Dest>,
    /// Where the next new server stands.
    next_place: u64,
}

impl Service {
    /// A server, listed or not.
    #[inline]
    pub(super) fn dest(&self, member: MemberId) -> &Dest {
        &self.dests[member as usize]
    }

    /// How many servers there are, listed or not.
    pub(super) fn len(&self) -> usize {
        self.dests.len()
    }

    /// The servers in the list, in no particular order.
    pub(super) fn listed(&self) -> impl Iterator<Item = MemberId> {
        (0..self.dests.len() as MemberId).filter(|&member| self.dest(member).listed)
    }

    /// The list, from its head: the newest server first.
    pub(super) fn list(&self) -> Vec<MemberId> {
        let mut list: Vec<MemberId> = self.listed().collect();
        list.sort_unstable_by_key(|&member| self.dest(member).place);
        list
    }

    fn add(&mut self, member: MemberId, weight: u32) {
        let dest = &mut self.dests[member as usize];
        dest.listed = true;
        dest.place = self.next_place;
        dest.weight = weight;
        dest.last_weight = weight;
        self.next_place -= 1;
    }
}

/// A scheduler: `struct ip_vs_scheduler`.
pub trait Scheduler: Clone + Debug {
    /// Its settings, which are also those of the connections.
    type Config: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned;

    /// A scheduler for these servers, of which none is listed yet.
    fn new(config: &Self::Config, members: &[Member]) -> Self;

    /// How long a closed connection counts as inactive.
    fn time_wait(config: &Self::Config) -> Span;

    /// What it looks at of where a request comes from.
    fn origin(_config: &Self::Config) -> Origin {
        Origin::Nothing
    }

    /// See [`News::heeds_key`].
    fn heeds_key() -> bool {
        false
    }

    /// See [`News::heeds_requests`].
    fn heeds_requests() -> bool {
        true
    }

    /// See [`News::heeds_answers`].
    fn heeds_answers() -> bool {
        true
    }

    /// See [`News::in_charge`].
    fn in_charge(members: &[Member]) -> Vec<bool> {
        standby::nobody(members)
    }

    /// A server has come to the head of the list.
    fn dest_added(&mut self, member: MemberId, service: &Service) {
        self.dest_changed(member, service);
    }

    /// A server has left the list, or has another weight.
    fn dest_changed(&mut self, member: MemberId, service: &Service);

    /// A server has more or fewer connections, and may have become overloaded, or no longer be.
    fn conns_changed(&mut self, _member: MemberId, _service: &Service) {}

    /// Picks a server for a new connection.
    fn schedule(&mut self, request: &Request<'_>, service: &Service, now: Time)
    -> Option<MemberId>;
}

/// A virtual service with its scheduler.
#[derive(Clone, Debug)]
pub struct VirtualService<S> {
    scheduler: S,
    service: Service,
    /// Closed connections, and when each is forgotten.
    time_wait: Remembered,
    /// The same of those that were reset.
    close: Remembered,
}

/// Closed connections that are remembered for the same time.
#[derive(Clone, Debug)]
struct Remembered {
    timeout: Span,
    until: VecDeque<(Time, MemberId)>,
}

impl Remembered {
    fn new(timeout: Span) -> Remembered {
        Remembered {
            timeout,
            until: VecDeque::new(),
        }
    }

    fn add(&mut self, member: MemberId, now: Time) {
        self.until.push_back((now + self.timeout, member));
    }

    /// The next connection whose time is over.
    fn forget(&mut self, now: Time) -> Option<MemberId> {
        let &(until, member) = self.until.front()?;
        if until > now {
            return None;
        }
        self.until.pop_front();
        Some(member)
    }
}

impl<S: Scheduler> VirtualService<S> {
    /// Forgets the connections whose time is over.
    fn expire(&mut self, cx: &Context<'_>) {
        while let Some(member) = self
            .time_wait
            .forget(cx.now)
            .or_else(|| self.close.forget(cx.now))
        {
            let dest = &mut self.service.dests[member as usize];
            dest.inactive -= 1;
            dest.judge(&cx.pool.members()[member as usize], false);
            self.scheduler.conns_changed(member, &self.service);
        }
    }

    /// `ipvsadm -e`: gives a server the weight that it has now.
    fn weigh(&mut self, member: MemberId, cx: &Context<'_>) {
        let weight = weight(member, cx);
        let dest = &mut self.service.dests[member as usize];
        if !dest.listed || dest.weight == weight {
            return;
        }
        dest.weight = weight;
        if weight > 0 {
            dest.last_weight = weight;
        }
        self.scheduler.dest_changed(member, &self.service);
    }
}

/// The greatest common divisor; that of 0 and a number is the number.
pub(super) fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn weight(member: MemberId, cx: &Context<'_>) -> u32 {
    if cx.pool.is_eligible(member) {
        cx.pool.weight(member)
    } else {
        0
    }
}

impl<S: Scheduler> News for VirtualService<S> {
    type Config = S::Config;

    fn origin(config: &S::Config) -> Origin {
        S::origin(config)
    }

    fn in_charge(_: &S::Config, members: &[Member]) -> Vec<bool> {
        S::in_charge(members)
    }

    fn heeds_requests(_: &S::Config) -> bool {
        S::heeds_requests()
    }

    fn heeds_answers(_: &S::Config) -> bool {
        S::heeds_answers()
    }

    fn heeds_key(_: &S::Config) -> bool {
        S::heeds_key()
    }

    fn new(config: &S::Config, cx: &mut Context<'_>) -> Self {
        let mut service = Service {
            dests: vec![Dest::default(); cx.pool.len()],
            next_place: u64::MAX,
        };
        let mut scheduler = S::new(config, cx.pool.members());
        for member in 0..cx.pool.len() as MemberId {
            service.add(member, weight(member, cx));
            scheduler.dest_added(member, &service);
        }
        VirtualService {
            scheduler,
            service,
            time_wait: Remembered::new(S::time_wait(config)),
            close: Remembered::new(CLOSE),
        }
    }

    fn sent(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.expire(cx);
        let dest = &mut self.service.dests[member as usize];
        dest.active += 1;
        dest.judge(&cx.pool.members()[member as usize], true);
        self.scheduler.conns_changed(member, &self.service);
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        let dest = &mut self.service.dests[answer.member as usize];
        dest.active -= 1;
        dest.inactive += 1;
        self.scheduler.conns_changed(answer.member, &self.service);
        match answer.outcome {
            Outcome::Failure => self.close.add(answer.member, cx.now),
            _ => self.time_wait.add(answer.member, cx.now),
        }
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.weigh(member, cx);
    }

    fn weight_changed(&mut self, member: MemberId, _before: u32, cx: &mut Context<'_>) {
        self.weigh(member, cx);
    }

    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        if cx.pool.is_present(member) {
            self.service.add(member, weight(member, cx));
            self.scheduler.dest_added(member, &self.service);
        } else {
            self.service.dests[member as usize].listed = false;
            self.scheduler.dest_changed(member, &self.service);
        }
    }
}

impl<S: Scheduler> Product for VirtualService<S> {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.expire(cx);
        let picked = self.scheduler.schedule(request, &self.service, cx.now);
        picked.map_or(Pick::Nobody, Pick::Member)
    }
}

#[cfg(test)]
mod tests;
