//! Takes servers in turn, in proportion to weight, with the turns of each spread evenly; weights
//! may change at any time. This is HAProxy's `balance roundrobin`.
//!
//! A server that has `maxconn` requests is passed over; where all have, requests wait in the
//! backend's queue, and new ones wait behind them. A server that comes back begins with a sixteenth
//! of its weight where `slowstart` is set. Backups serve where no other server can.
//!
//! **Sees:** weights, its own requests in flight, `maxconn`, backups, what was tried.
//! **Cost of a pick:** log n, and as much again for each server passed over because it is full.
//! **Fails when:** requests are unlike, as any round robin.
//! **Source:** HAProxy 2.6.12, src/lb_fwrr.c, src/queue.c.
//! **Differs:** from weighted round robin by another order of turns (weights 3, 2, 1 give s1 s2 s1
//! s3 s1 s2), by queues, and by slow start. Priorities of requests are left out.
//! **Verified:** picks equal to recordings, also those of weights changed at run time, drains, slow
//! start, `maxconn` with its queue, and of a real run.

use super::backend::{Algorithm, Backend, Config};
use super::fwrr::Group;
use super::servers::{Servers, Shared};
use crate::strategy::{Context, MemberId, Pick, Request};

/// `balance roundrobin`.
pub type HaproxyRoundRobin = Backend<TreesInTurn>;

/// Turns in two trees.
#[derive(Clone, Debug)]
pub struct TreesInTurn {
    active: Group,
    backup: Group,
}

impl TreesInTurn {
    fn group(&mut self, member: MemberId, cx: &Context<'_>) -> &mut Group {
        if cx.pool.members()[member as usize].backup {
            &mut self.backup
        } else {
            &mut self.active
        }
    }
}

impl Algorithm for TreesInTurn {
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

    fn new(_: &Config, servers: &Servers, cx: &mut Context<'_>) -> Self {
        let count = cx.pool.len();
        let mut rule = TreesInTurn {
            active: Group::new(count),
            backup: Group::new(count),
        };
        for member in 0..count as MemberId {
            let configured = &cx.pool.members()[member as usize];
            if configured.weight > 0 && !configured.down {
                let weight = servers.weight(member, cx);
                rule.group(member, cx).begin_with(member, weight);
            }
        }
        rule
    }

    fn changed(&mut self, member: MemberId, servers: &Servers, cx: &Context<'_>) {
        let usable = Servers::is_usable(member, cx);
        let weight = servers.weight(member, cx);
        let group = self.group(member, cx);
        match (group.contains(member), usable) {
            (true, true) => group.reweigh(member, weight),
            (true, false) => group.down(member),
            (false, true) => group.up(member, weight),
            (false, false) => {}
        }
    }

    fn pick(&mut self, request: &Request<'_>, servers: &Servers, cx: &Context<'_>) -> Pick {
        if cx.pool.waiting() > 0 {
            return Pick::Wait;
        }
        let full = |member| servers.is_saturated(member, cx);
        let avoided = |member| request.tried.contains(&member);
        if self.active.is_empty() && !servers.all_backups_serve() {
            // Of the backups the first alone.
            return match servers.in_charge(cx).first() {
                Some(&member) if full(member) => Pick::Wait,
                Some(&member) => Pick::Member(member),
                None => Pick::Nobody,
            };
        }
        let group = if self.active.is_empty() {
            &mut self.backup
        } else {
            &mut self.active
        };
        match group.pick(full, avoided) {
            Some(member) => Pick::Member(member),
            None if group.is_empty() => Pick::Nobody,
            None => Pick::Wait,
        }
    }
}
