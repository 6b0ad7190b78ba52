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

use super::backend::{Algorithm, Backend, Config};
use super::map::Map;
use super::servers::{Servers, Shared};
use crate::strategy::{Context, MemberId, Pick, Request};

/// `balance static-rr`.
pub type HaproxyStaticRr = Backend<MapInTurn>;

/// The map in turn.
#[derive(Clone, Debug)]
pub struct MapInTurn {
    map: Map,
    outdated: bool,
}

impl Algorithm for MapInTurn {
    type Config = Config;

    fn shared(config: &Config) -> Shared {
        config.shared()
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, _: &Servers, _: &mut Context<'_>) -> Self {
        MapInTurn {
            map: Map::default(),
            outdated: true,
        }
    }

    fn changed(&mut self, _: MemberId, _: &Servers, _: &Context<'_>) {
        self.outdated = true;
    }

    fn pick(&mut self, request: &Request<'_>, servers: &Servers, cx: &Context<'_>) -> Pick {
        if std::mem::take(&mut self.outdated) {
            self.map.deal(servers, cx);
        }
        if self.map.is_empty() {
            return Pick::Nobody;
        }
        if cx.pool.waiting() > 0 {
            return Pick::Wait;
        }
        let full = |member| servers.is_saturated(member, cx);
        let avoided = |member| request.tried.contains(&member);
        match self.map.next(full, avoided) {
            Some(member) => Pick::Member(member),
            None => Pick::Wait,
        }
    }
}
