//! What all methods of nginx share: the peers of an upstream, which of them may be picked, what
//! becomes of one that fails, and the group of backups. (nginx 1.22,
//! src/http/ngx_http_upstream_round_robin.c)

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::smooth::{Smooth, in_turn};
use crate::strategy::index::Cumulative;
use crate::strategy::{Answer, Context, MemberId, Outcome, Pick, Pool, Request};
use lbsim_engine::time::{Span, Time};

/// Unfit peers that the hashing and random methods pass over before the round robin decides.
pub(super) const PASSED_OVER: usize = 20;

/// What nginx has to say of the servers of an upstream, whatever the method. A server's own
/// `max-fails` and `fail-timeout` go before these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Failures after which a server is left alone for `fail-timeout`; 0: never.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_fails: u32,
    /// How long a server that failed too often is left alone; fractions of a second are dropped.
    pub fail_timeout: Span,
    /// How far into a second of the wall clock the run begins: failures are counted in whole
    /// seconds.
    pub clock_offset: Span,
    /// What counts as a failure besides errors and timeouts, which always do.
    pub next_upstream: Vec<Condition>,
}

/// What `proxy_next_upstream` may list besides `error` and `timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Condition {
    /// The server answers that it is full.
    #[serde(rename = "http_503")]
    Http503,
    /// The server answers with an error.
    #[serde(rename = "http_500")]
    Http500,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            max_fails: 1,
            fail_timeout: Span::from_secs(10),
            clock_offset: Span::ZERO,
            next_upstream: Vec::new(),
        }
    }
}

/// The peers of an upstream.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Of servers that have no settings of their own.
    max_fails: u32,
    fail_timeout: Span,
    clock_offset: Span,
    http_503: bool,
    http_500: bool,
    /// Whether the configuration has changed since it was read.
    outdated: bool,
    peers: Vec<Peer>,
    smooth: Smooth,
    /// The servers in the order of the configuration: first those that are not backups.
    groups: [Arc<[MemberId]>; 2],
    /// The weights of those that are not backups, in a row.
    weights: Cumulative,
    /// Room for those who may be picked.
    candidates: Vec<MemberId>,
    /// How often a peer has failed too often, or has been forgiven.
    changes_of_mind: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    max_conns: u32,
    max_fails: u32,
    /// In whole seconds, as all times here.
    fail_timeout: u64,
    fails: u32,
    /// When it failed last.
    accessed: u64,
    /// When it failed last, or was given a request after a time at least `fail_timeout` long.
    checked: u64,
}

impl Peers {
    pub(super) fn new(config: &Config, cx: &Context<'_>) -> Peers {
        let mut peers = Peers {
            max_fails: config.max_fails,
            fail_timeout: config.fail_timeout,
            clock_offset: config.clock_offset,
            http_503: config.next_upstream.contains(&Condition::Http503),
            http_500: config.next_upstream.contains(&Condition::Http500),
            outdated: true,
            peers: Vec::new(),
            smooth: Smooth::new(cx.pool),
            groups: [Arc::default(), Arc::default()],
            weights: Cumulative::new(0),
            candidates: Vec::new(),
            changes_of_mind: 0,
        };
        peers.refresh(cx);
        peers
    }

    /// The clock by which nginx counts failures has whole seconds.
    fn seconds(&self, now: Time) -> u64 {
        (now + self.clock_offset).nanos() / 1_000_000_000
    }

    /// Notes that the configuration has changed.
    pub(super) fn reload(&mut self) {
        self.outdated = true;
    }

    /// Reads the configuration if it has changed, and says whether it has. A new one reaches nginx
    /// by a reload: new workers, who know of no failures.
    pub(super) fn refresh(&mut self, cx: &Context<'_>) -> bool {
        if !std::mem::take(&mut self.outdated) {
            return false;
        }
        let members = cx.pool.members();
        let group = |backup: bool| -> Arc<[MemberId]> {
            (0..)
                .zip(members)
                .filter(|&(at, member)| member.backup == backup && cx.pool.is_present(at))
                .map(|(at, _)| at)
                .collect()
        };
        self.groups = [group(false), group(true)];
        self.weights = Cumulative::new(members.len());
        for &member in self.groups[0].iter() {
            let weight = u64::from(cx.pool.weight(member));
            self.weights.set(member, weight);
        }
        let fresh = members.iter().map(|member| Peer {
            max_conns: member.max_connections,
            max_fails: member.max_fails.unwrap_or(self.max_fails),
            fail_timeout: whole_seconds(member.fail_timeout.unwrap_or(self.fail_timeout)),
            ..Peer::default()
        });
        self.peers = fresh.collect();
        self.changes_of_mind += 1;
        self.smooth = Smooth::new(cx.pool);
        true
    }

    /// The servers that are not backups, in the order of the configuration.
    pub(super) fn primaries(&self) -> &[MemberId] {
        &self.groups[0]
    }

    /// Whether there is one server only, backups included: it is never given up.
    pub(super) fn is_single(&self) -> bool {
        self.groups[0].len() == 1 && self.groups[1].is_empty()
    }

    /// Whether a request may be sent to a peer.
    pub(super) fn is_free(
        &self,
        member: MemberId,
        request: &Request<'_>,
        cx: &Context<'_>,
    ) -> bool {
        let peer = &self.peers[member as usize];
        let since = self.seconds(cx.now).saturating_sub(peer.checked);
        let left_alone = peer.has_failed() && since <= peer.fail_timeout;
        cx.pool.is_eligible(member)
            && !left_alone
            && !peer.is_full(cx.pool.in_flight(member))
            && !request.tried.contains(&member)
    }

    /// Whether a peer has failed too often, and no trial of it has gone well since.
    pub(super) fn has_failed(&self, member: MemberId) -> bool {
        !self.is_single() && self.peers[member as usize].has_failed()
    }

    /// How often that has changed.
    pub(super) fn changes_of_mind(&self) -> u64 {
        self.changes_of_mind
    }

    /// Notes that a peer has been picked: one that had failed gets this request as a trial, and no
    /// other until it ends.
    pub(super) fn take(&mut self, member: MemberId, now: Time) -> Pick {
        let now = self.seconds(now);
        let peer = &mut self.peers[member as usize];
        if now.saturating_sub(peer.checked) > peer.fail_timeout {
            peer.checked = now;
        }
        Pick::Member(member)
    }

    /// Picks by `method` among those of `members` who may be picked.
    pub(super) fn pick_among(
        &mut self,
        members: &[MemberId],
        request: &Request<'_>,
        cx: &Context<'_>,
        method: impl Fn(&mut Smooth, &[MemberId], &Pool) -> Option<MemberId>,
    ) -> Option<Pick> {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        let members = members.iter().copied();
        candidates.extend(members.filter(|&member| self.is_free(member, request, cx)));
        let picked = method(&mut self.smooth, &candidates, cx.pool);
        self.candidates = candidates;
        picked.map(|member| self.take(member, cx.now))
    }

    /// Picks by `method`, among the backups where nobody else is left.
    pub(super) fn pick(
        &mut self,
        request: &Request<'_>,
        cx: &Context<'_>,
        method: impl Fn(&mut Smooth, &[MemberId], &Pool) -> Option<MemberId>,
    ) -> Pick {
        if self.is_single() {
            let only = self.groups[0][0];
            let full = self.peers[only as usize].is_full(cx.pool.in_flight(only));
            let fits = cx.pool.is_eligible(only) && !full;
            return if fits {
                Pick::Member(only)
            } else {
                Pick::Nobody
            };
        }
        // A request that has come to the backups stays with them.
        let is_backup = |&member: &MemberId| cx.pool.members()[member as usize].backup;
        let first = usize::from(request.tried.iter().any(is_backup));
        for group in first..self.groups.len() {
            let group = Arc::clone(&self.groups[group]);
            if let Some(pick) = self.pick_among(&group, request, cx, &method) {
                return pick;
            }
        }
        Pick::Nobody
    }

    /// Picks by smooth weighted round robin.
    pub(super) fn round_robin(&mut self, request: &Request<'_>, cx: &Context<'_>) -> Pick {
        self.pick(request, cx, in_turn)
    }

    /// The sum of all weights, of servers that are down as well, where numbers can decide: not with
    /// a single server.
    pub(super) fn total_weight(&self) -> Option<u64> {
        let total = self.weights.total();
        (total > 0 && !self.is_single()).then_some(total)
    }

    /// The server whose stretch of the total weight covers `number`, round the end.
    pub(super) fn at(&self, number: u64) -> MemberId {
        self.weights.find(number % self.weights.total())
    }

    /// Follows `next` from number to number until one stands for a peer who may be picked.
    pub(super) fn seek(
        &mut self,
        request: &Request<'_>,
        cx: &mut Context<'_>,
        passed_over: usize,
        mut next: impl FnMut(&mut Context<'_>) -> u64,
    ) -> Pick {
        if self.total_weight().is_some() {
            for _ in 0..=passed_over {
                let member = self.at(next(cx));
                if self.is_free(member, request, cx) {
                    return self.take(member, cx.now);
                }
            }
        }
        self.round_robin(request, cx)
    }

    /// Counts a failure, or forgives after a trial that went well in a later second than the last
    /// failure.
    pub(super) fn answered(&mut self, answer: &Answer, cx: &Context<'_>) {
        if self.is_single() {
            return;
        }
        let failed = match answer.outcome {
            Outcome::Failure | Outcome::Timeout => true,
            Outcome::Rejected => self.http_503,
            Outcome::Error => self.http_500,
            Outcome::Success | Outcome::Cancelled => false,
        };
        let member = answer.member;
        let now = self.seconds(cx.now);
        let peer = &mut self.peers[member as usize];
        let had_failed = peer.has_failed();
        if failed {
            peer.fails += 1;
            peer.accessed = now;
            peer.checked = peer.accessed;
            if peer.max_fails > 0 {
                let weight = cx.pool.weight(member);
                self.smooth.failed(member, weight, peer.max_fails);
            }
        } else if peer.accessed < peer.checked {
            peer.fails = 0;
        }
        self.changes_of_mind += u64::from(peer.has_failed() != had_failed);
    }
}

fn whole_seconds(span: Span) -> u64 {
    span.nanos() / 1_000_000_000
}

impl Peer {
    fn has_failed(&self) -> bool {
        self.max_fails > 0 && self.fails >= self.max_fails
    }

    fn is_full(&self, conns: u32) -> bool {
        self.max_conns > 0 && conns >= self.max_conns
    }
}

#[cfg(test)]
pub(super) mod tests;
