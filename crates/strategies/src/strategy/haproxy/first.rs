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

use super::backend::{Algorithm, Backend, Config};
use super::servers::{Servers, Shared};
use crate::strategy::{Context, Member, MemberId, Pick, Request, standby};

/// `balance first`.
pub type HaproxyFirst = Backend<FirstWithRoom>;

/// The first that has room.
#[derive(Clone, Debug)]
pub struct FirstWithRoom {
    /// The servers in charge, in the order of their numbers.
    order: Vec<MemberId>,
    outdated: bool,
}

impl Algorithm for FirstWithRoom {
    type Config = Config;

    fn shared(config: &Config) -> Shared {
        config.shared()
    }

    fn in_charge(serve: Vec<bool>, members: &[Member]) -> Vec<bool> {
        standby::one_by_one(serve, members, |at| members[at].id)
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, _: &Servers, _: &mut Context<'_>) -> Self {
        FirstWithRoom {
            order: Vec::new(),
            outdated: true,
        }
    }

    fn changed(&mut self, _: MemberId, _: &Servers, _: &Context<'_>) {
        self.outdated = true;
    }

    fn pick(&mut self, request: &Request<'_>, servers: &Servers, cx: &Context<'_>) -> Pick {
        if std::mem::take(&mut self.outdated) {
            self.order = servers.in_charge(cx);
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
            .filter(|&member| !servers.is_saturated(member, cx));
        let first = free.clone().next();
        free.find(|member| !request.tried.contains(member))
            .or(first)
            .map_or(Pick::Wait, Pick::Member)
    }
}
