//! Sends each request to the first server that has room, so that the last ones may sleep. This is
//! HAProxy's `balance first`.
//!
//! Servers are taken in the order of their numbers; one has room while it has fewer than `maxconn`
//! requests and nobody waits for it. Without a `maxconn` everything goes to the first.
//!
//! **Sees:** its own requests in flight, `maxconn`, backups, what was tried.
//! **Cost of a pick:** linear in the number of full servers, as in HAProxy.
//! **Fails when:** short response times matter: servers work at their limit.
//! **Source:** HAProxy 2.6.12, src/lb_fas.c.
//! **Differs:** from all others by its aim: as few servers as possible. Weights are not looked at.
//! **Verified:** picks equal to recordings.

use super::backend::Config;
use super::servers::{self, Servers};
use crate::strategy::{Answer, Context, Member, MemberId, News, Pick, Product, Request, standby};

/// `balance first`.
#[derive(Clone, Debug)]
pub struct HaproxyFirst {
    servers: Servers,
    /// The servers in charge, in the order of their numbers.
    order: Vec<MemberId>,
    outdated: bool,
}

impl News for HaproxyFirst {
    type Config = Config;

    fn in_charge(config: &Config, members: &[Member]) -> Vec<bool> {
        let serve = servers::in_charge(config.allbackups, members);
        standby::one_by_one(serve, members, |at| members[at].id)
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, _: &mut Context<'_>) -> Self {
        HaproxyFirst {
            servers: Servers::new(config.shared()),
            order: Vec::new(),
            outdated: true,
        }
    }

    fn sent(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.servers.sent();
    }

    fn answered(&mut self, _: &Answer, _: &mut Context<'_>) {
        self.servers.answered();
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.servers.eligibility_changed(member, cx);
        self.outdated = true;
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, _: &mut Context<'_>) {
        self.outdated = true;
    }
}

impl Product for HaproxyFirst {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.servers.grown(cx.now);
        if std::mem::take(&mut self.outdated) {
            self.order = self.servers.in_charge(cx);
            self.order
                .sort_by_key(|&member| cx.pool.members()[member as usize].id);
        }
        if self.order.is_empty() {
            return Pick::Nobody;
        }
        if cx.pool.waiting() > 0 {
            return Pick::Wait;
        }
        let mut free = self
            .order
            .iter()
            .copied()
            .filter(|&member| !self.servers.is_saturated(member, cx));
        let first = free.clone().next();
        free.find(|member| !request.tried.contains(member))
            .or(first)
            .map_or(Pick::Wait, Pick::Member)
    }

    fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
        self.servers.takes_waiting(member, cx)
    }
}
