//! Sends each request to the server with the fewest requests for its weight; idle servers take
//! turns, whatever their weight. This is HAProxy's `balance leastconn`.
//!
//! The rank of a server is 0 while it is idle, else its requests in flight and waiting for it, and
//! one more, over its weight. Of equals the one that has stood there longest is picked: idle
//! servers are used in the order in which they became idle.
//!
//! **Sees:** its own requests in flight, weights, `maxconn`, backups, what was tried.
//! **Cost of a pick:** log n, and as much again for each server passed over because it is full.
//! **Fails when:** a server fails fast: it is always the least loaded; or after a server comes back
//! empty, which draws all new requests unless `slowstart` is set.
//! **Source:** HAProxy 2.6.12, src/lb_fwlc.c.
//! **Differs:** from least connections by the turns of idle servers, which ignore weights, by the
//! one added, and by queues.
//! **Verified:** picks equal to recordings, and of a real run the distribution.

use std::collections::BTreeSet;

use super::backend::{Algorithm, Backend, Config};
use super::servers::{Servers, Shared};
use crate::strategy::{Context, MemberId, Pick, Request};

/// `balance leastconn`.
pub type HaproxyLeastConn = Backend<LeastRank>;

/// The fewest requests for the weight.
#[derive(Clone, Debug)]
pub struct LeastRank {
    /// Servers by rank and by how long they have had it: the active ones, and the backups.
    trees: [BTreeSet<(u64, u64, MemberId)>; 2],
    /// Where each stands in its tree.
    places: Vec<Option<(u64, u64)>>,
    inserted: u64,
}

/// The scale of ranks.
const SCALE: u64 = 4096;

impl LeastRank {
    /// Puts a server where it belongs; it keeps its place among equals where nothing has changed.
    fn rank(&mut self, member: MemberId, more: u32, servers: &Servers, cx: &Context<'_>) {
        let at = member as usize;
        let tree = &mut self.trees[usize::from(cx.pool.members()[at].backup)];
        let key = Servers::is_usable(member, cx).then(|| {
            let load = cx.pool.in_flight(member) + cx.pool.waiting_for(member) + more;
            let weight = u64::from(servers.weight(member, cx)).max(1);
            if load == 0 {
                0
            } else {
                (u64::from(load) + 1) * SCALE / weight
            }
        });
        let before = self.places[at];
        if before.map(|(key, _)| key) == key {
            return;
        }
        if let Some((key, order)) = before {
            tree.remove(&(key, order, member));
        }
        self.inserted += 1;
        self.places[at] = key.map(|key| (key, self.inserted));
        if let Some((key, order)) = self.places[at] {
            tree.insert((key, order, member));
        }
    }
}

impl LeastRank {
    /// Where requests go while only backups can serve, and only the first of them is to.
    fn first_backup(&mut self, servers: &Servers, cx: &Context<'_>) -> Pick {
        let Some(&member) = servers.in_charge(cx).first() else {
            return Pick::Nobody;
        };
        let pick = servers.insist(member, cx);
        if matches!(pick, Pick::WaitFor(_)) {
            self.rank(member, 1, servers, cx);
        }
        pick
    }
}

impl Algorithm for LeastRank {
    type Config = Config;

    fn shared(config: &Config) -> Shared {
        config.shared()
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(_: &Config, servers: &Servers, cx: &mut Context<'_>) -> Self {
        let mut rule = LeastRank {
            trees: [BTreeSet::new(), BTreeSet::new()],
            places: vec![None; cx.pool.len()],
            inserted: 0,
        };
        for member in 0..cx.pool.len() as MemberId {
            rule.rank(member, 0, servers, cx);
        }
        rule
    }

    fn load_changed(&mut self, member: MemberId, servers: &Servers, cx: &Context<'_>) {
        self.rank(member, 0, servers, cx);
    }

    fn changed(&mut self, member: MemberId, servers: &Servers, cx: &Context<'_>) {
        self.rank(member, 0, servers, cx);
    }

    fn pick(&mut self, request: &Request<'_>, servers: &Servers, cx: &Context<'_>) -> Pick {
        let tree = usize::from(self.trees[0].is_empty());
        if tree == 1 && !servers.all_backups_serve() {
            // Of the backups the first alone, however much it has (`fwlc_get_next_server`: `fbck`).
            return self.first_backup(servers, cx);
        }
        let mut fallback = None;
        for &(.., member) in &self.trees[tree] {
            let load = cx.pool.in_flight(member) + cx.pool.waiting_for(member);
            let room = servers
                .maxconn(member, cx)
                .map(|limit| limit + cx.pool.members()[member as usize].max_queue);
            if room.is_some_and(|room| load >= room) {
                continue;
            }
            if !request.tried.contains(&member) {
                fallback = Some(member);
                break;
            }
            fallback = fallback.or(Some(member));
        }
        let Some(member) = fallback else {
            return if self.trees[tree].is_empty() {
                Pick::Nobody
            } else {
                Pick::Wait
            };
        };
        let pick = servers.insist(member, cx);
        if matches!(pick, Pick::WaitFor(_)) {
            self.rank(member, 1, servers, cx);
        }
        pick
    }
}
