//! Takes servers in turn, in proportion to weight, from a map that is dealt out once: weights
//! cannot change while it runs. This is HAProxy's `balance static-rr`.
//!
//! A server that comes back has its full weight at once. Full servers are passed over; where all
//! are full, requests wait in the backend's queue.
//!
//! **Sees:** configured weights, its own requests in flight, `maxconn`, backups, what was tried.
//! **Cost of a pick:** constant, and as much again for each server passed over because it is full.
//! **Fails when:** requests are unlike, as any round robin.
//! **Source:** HAProxy 2.6.12, src/lb_map.c.
//! **Differs:** from weighted round robin by another order of turns (weights 3, 2, 1 give s1 s1 s2
//! s1 s2 s3), and by queues.
//! **Verified:** picks equal to recordings, also of servers that go and come back.

use super::backend::Config;
use super::map::Map;
use super::servers::{self, Servers};
use crate::strategy::{Answer, Context, Member, MemberId, News, Pick, Product, Request};

/// `balance static-rr`.
#[derive(Clone, Debug)]
pub struct HaproxyStaticRr {
    servers: Servers,
    map: Map,
    outdated: bool,
}

impl News for HaproxyStaticRr {
    type Config = Config;

    fn in_charge(config: &Config, members: &[Member]) -> Vec<bool> {
        servers::in_charge(config.allbackups, members)
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, _: &mut Context<'_>) -> Self {
        HaproxyStaticRr {
            servers: Servers::new(config.shared()),
            map: Map::default(),
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

impl Product for HaproxyStaticRr {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.servers.grown(cx.now);
        if std::mem::take(&mut self.outdated) {
            self.map.deal(&self.servers, cx);
        }
        if self.map.is_empty() {
            return Pick::Nobody;
        }
        if cx.pool.waiting() > 0 {
            return Pick::Wait;
        }
        let full = |member| self.servers.is_saturated(member, cx);
        let avoided = |member| request.tried.contains(&member);
        match self.map.next(full, avoided) {
            Some(member) => Pick::Member(member),
            None => Pick::Wait,
        }
    }

    fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
        self.servers.takes_waiting(member, cx)
    }
}
