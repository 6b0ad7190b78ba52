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

use super::backend::Config;
use super::fwrr::Group;
use super::servers::{self, Servers};
use crate::strategy::{Answer, Context, Member, MemberId, News, Pick, Product, Request};

/// `balance roundrobin`.
#[derive(Clone, Debug)]
pub struct HaproxyRoundRobin {
    servers: Servers,
    allbackups: bool,
    active: Group,
    backup: Group,
}

impl HaproxyRoundRobin {
    fn group(&mut self, member: MemberId, cx: &Context<'_>) -> &mut Group {
        if cx.pool.members()[member as usize].backup {
            &mut self.backup
        } else {
            &mut self.active
        }
    }

    /// A server may have come, gone, or changed its weight.
    fn update(&mut self, member: MemberId, cx: &Context<'_>) {
        let usable = Servers::is_usable(member, cx);
        let weight = self.servers.weight(member, cx);
        let group = self.group(member, cx);
        match (group.contains(member), usable) {
            (true, true) => group.reweigh(member, weight),
            (true, false) => group.down(member),
            (false, true) => group.up(member, weight),
            (false, false) => {}
        }
    }
}

impl News for HaproxyRoundRobin {
    type Config = Config;

    fn in_charge(config: &Config, members: &[Member]) -> Vec<bool> {
        servers::in_charge(config.allbackups, members)
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let count = cx.pool.len();
        let mut rule = HaproxyRoundRobin {
            servers: Servers::new(config.shared()),
            allbackups: config.allbackups,
            active: Group::new(count),
            backup: Group::new(count),
        };
        for member in 0..count as MemberId {
            let configured = &cx.pool.members()[member as usize];
            if configured.weight > 0 && !configured.down {
                let weight = rule.servers.weight(member, cx);
                rule.group(member, cx).begin_with(member, weight);
            }
        }
        rule
    }

    fn sent(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.servers.sent();
    }

    fn answered(&mut self, _: &Answer, _: &mut Context<'_>) {
        self.servers.answered();
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.servers.eligibility_changed(member, cx);
        self.update(member, cx);
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        self.update(member, cx);
    }
}

impl Product for HaproxyRoundRobin {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        for member in self.servers.grown(cx.now) {
            self.update(member, cx);
        }
        if cx.pool.waiting() > 0 {
            return Pick::Wait;
        }
        let servers = &self.servers;
        let full = |member| servers.is_saturated(member, cx);
        let avoided = |member| request.tried.contains(&member);
        if self.active.is_empty() && !self.allbackups {
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

    fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
        self.servers.takes_waiting(member, cx)
    }
}
