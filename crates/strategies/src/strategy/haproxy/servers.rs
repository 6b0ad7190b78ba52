//! What all algorithms of HAProxy share: weights and their slow start, connection limits, which
//! servers are usable, and backups. (2.6, src/server.c, src/queue.c, src/backend.c)

use crate::strategy::{Context, MemberId, Pick};
use lbsim_engine::time::{Span, Time};

/// A weight of 1 in the trees: slow start moves in sixteenths of it.
const SCALE: u32 = 16;

/// Settings of a backend that all algorithms share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shared {
    /// How long a server that has come back takes to reach its full weight, where it does not say
    /// itself.
    pub(super) slowstart: Span,
    /// Whether all backups serve where no other server can, instead of the first.
    pub(super) allbackups: bool,
    /// Connections of the backend at which servers get their whole `maxconn`, where they have a
    /// `minconn`.
    pub(super) fullconn: u32,
}

/// The servers of a backend.
#[derive(Clone, Debug)]
pub struct Servers {
    shared: Shared,
    /// Servers that have come back not long ago.
    ramping: Vec<Ramp>,
    /// Requests at servers, all together.
    served: u32,
}

/// A server on its way to its full weight.
#[derive(Clone, Copy, Debug)]
struct Ramp {
    member: MemberId,
    /// When it came back.
    since: Time,
    /// How long it takes.
    slowstart: Span,
    /// The sixteenths that it has reached.
    reached: u32,
}

impl Servers {
    pub(super) fn new(shared: Shared) -> Servers {
        Servers {
            shared,
            ramping: Vec::new(),
            served: 0,
        }
    }

    pub(super) fn sent(&mut self) {
        self.served += 1;
    }

    pub(super) fn answered(&mut self) {
        self.served = self.served.saturating_sub(1);
    }

    /// Whether all backups serve where no other server can.
    pub(super) fn all_backups_serve(&self) -> bool {
        self.shared.allbackups
    }

    /// Requests at servers, all together.
    pub(super) fn served(&self) -> u32 {
        self.served
    }

    /// Notes that a server has come back or gone. One that comes back starts slowly, where that is
    /// set.
    pub(super) fn eligibility_changed(&mut self, member: MemberId, cx: &Context<'_>) {
        self.ramping.retain(|ramp| ramp.member != member);
        let own = cx.pool.members()[member as usize].slow_start;
        let slowstart = own.unwrap_or(self.shared.slowstart);
        if cx.pool.is_eligible(member) && !slowstart.is_zero() && cx.now > Time::ZERO {
            self.ramping.push(Ramp {
                member,
                since: cx.now,
                slowstart,
                reached: 1,
            });
        }
    }

    /// The servers whose weight has grown since the last call.
    pub(super) fn grown(&mut self, now: Time) -> Vec<MemberId> {
        let mut grown = Vec::new();
        if self.ramping.is_empty() {
            return grown;
        }
        for ramp in &mut self.ramping {
            let step = sixteenths(now - ramp.since, ramp.slowstart);
            if step != ramp.reached {
                ramp.reached = step;
                grown.push(ramp.member);
            }
        }
        self.ramping.retain(|ramp| ramp.reached < SCALE);
        grown
    }

    fn ramp(&self, member: MemberId) -> Option<&Ramp> {
        self.ramping.iter().find(|ramp| ramp.member == member)
    }

    /// The weight of a server in the trees, as it is at present.
    pub(super) fn weight(&self, member: MemberId, cx: &Context<'_>) -> u32 {
        cx.pool.weight(member) * self.ramp(member).map_or(SCALE, |ramp| ramp.reached)
    }

    /// Whether a server takes requests at all, apart from being a backup.
    pub(super) fn is_usable(member: MemberId, cx: &Context<'_>) -> bool {
        cx.pool.is_eligible(member) && cx.pool.weight(member) > 0
    }

    /// The servers that requests are balanced over: those that are not backups; where none of these
    /// is usable, the first backup, or all of them.
    pub(super) fn in_charge(&self, cx: &Context<'_>) -> Vec<MemberId> {
        let members = cx.pool.members();
        let usable = |backup: bool| {
            (0..members.len() as MemberId).filter(move |&member| {
                members[member as usize].backup == backup && Servers::is_usable(member, cx)
            })
        };
        let active: Vec<MemberId> = usable(false).collect();
        if !active.is_empty() {
            return active;
        }
        let backups = if self.shared.allbackups {
            usize::MAX
        } else {
            1
        };
        usable(true).take(backups).collect()
    }

    /// How many requests a server may have at once: `None` for any number. (`srv_dynamic_maxconn`)
    pub(super) fn maxconn(&self, member: MemberId, cx: &Context<'_>) -> Option<u32> {
        let configured = &cx.pool.members()[member as usize];
        let most = Some(configured.max_connections).filter(|&most| most > 0)?;
        let connections = u64::from(self.served) + u64::from(cx.pool.waiting());
        let mut limit = most;
        if configured.min_connections > 0 && connections < u64::from(self.shared.fullconn) {
            let share = u64::from(most) * connections / u64::from(self.shared.fullconn);
            limit = configured.min_connections.max(share as u32);
        }
        if let Some(ramp) = self.ramp(member) {
            let seconds = (cx.now - ramp.since).nanos() / 1_000_000_000;
            let slowstart = (ramp.slowstart.nanos() / 1_000_000_000).max(1);
            let percent = (100 * seconds / slowstart).min(100);
            limit = (u64::from(limit) * percent / 100).max(1) as u32;
        }
        Some(limit)
    }

    /// Whether a server has as many requests as it may, or others wait for it already.
    pub(super) fn is_saturated(&self, member: MemberId, cx: &Context<'_>) -> bool {
        self.maxconn(member, cx).is_some_and(|limit| {
            cx.pool.waiting_for(member) > 0 || cx.pool.in_flight(member) >= limit
        })
    }

    /// Whether a server takes a request that waits: of those that wait for any a backup takes none
    /// unless requests are balanced over it. (`pendconn_process_next_strm`)
    pub(super) fn takes_waiting(&self, member: MemberId, cx: &Context<'_>) -> bool {
        let is_backup = cx.pool.members()[member as usize].backup;
        let serves =
            !is_backup || cx.pool.waiting_for(member) > 0 || self.in_charge(cx).contains(&member);
        serves
            && Servers::is_usable(member, cx)
            && self
                .maxconn(member, cx)
                .is_none_or(|limit| cx.pool.in_flight(member) < limit)
    }

    /// Sends a request to this server and no other: where it is full the request waits in its
    /// queue, unless that is full as well.
    pub(super) fn insist(&self, member: MemberId, cx: &Context<'_>) -> Pick {
        let most = cx.pool.members()[member as usize].max_queue;
        if !self.is_saturated(member, cx) {
            Pick::Member(member)
        } else if most > 0 && cx.pool.waiting_for(member) >= most {
            Pick::Nobody
        } else {
            Pick::WaitFor(member)
        }
    }
}

/// The task that raises weights sleeps for a second and wakes when that is over, by a clock of
/// whole milliseconds.
const TICK: u64 = 1_001_000_000;

/// How many sixteenths of its weight a server has reached: one more for each sixteenth of
/// `slowstart`, by whole seconds.
fn sixteenths(since: Span, slowstart: Span) -> u32 {
    let seconds = since.nanos() / TICK;
    let ramp = (slowstart.nanos() / 1_000_000_000).max(1);
    (u64::from(SCALE) * seconds / ramp + 1).min(u64::from(SCALE)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::{Member, Pool};
    use lbsim_engine::rng::{Domain, Seeds};

    #[test]
    fn what_a_server_says_of_its_slow_start_goes_before_what_the_backend_says() {
        let own = [None, Some(Span::from_secs(8)), Some(Span::ZERO)];
        let members = (0..).zip(own).map(|(at, slow_start)| Member {
            slow_start,
            ..Member::new(at, 1)
        });
        let pool = Pool::new(members.collect());
        let mut servers = Servers::new(Shared {
            slowstart: Span::from_secs(16),
            allbackups: false,
            fullconn: 1000,
        });
        let mut rng = Seeds::new(1, 0).stream(Domain::Strategy, 0);
        let cx = Context {
            now: Time::ZERO + Span::from_secs(1),
            pool: &pool,
            balancer: 0,
            rng: &mut rng,
            probes: &mut Vec::new(),
        };
        for member in 0..3 {
            servers.eligibility_changed(member, &cx);
        }
        let weights = |servers: &Servers| [0, 1, 2].map(|member| servers.weight(member, &cx));
        assert_eq!(weights(&servers), [1, 1, 16]);
        // After four seconds and a little: four sixteenths and one more, eight and one more.
        assert_eq!(servers.grown(cx.now + Span::from_millis(4100)), [0, 1]);
        assert_eq!(weights(&servers), [5, 9, 16]);
    }

    #[test]
    fn a_backup_takes_none_that_wait_for_any_while_others_serve() {
        let members = (0..3).map(|at| Member {
            backup: at > 0,
            ..Member::new(at, 1)
        });
        let mut pool = Pool::new(members.collect());
        let mut rng = Seeds::new(1, 0).stream(Domain::Strategy, 0);
        let mut takes = |pool: &Pool, allbackups| {
            let servers = Servers::new(Shared {
                slowstart: Span::ZERO,
                allbackups,
                fullconn: 1000,
            });
            let cx = Context {
                now: Time::ZERO,
                pool,
                balancer: 0,
                rng: &mut rng,
                probes: &mut Vec::new(),
            };
            [0, 1, 2].map(|member| servers.takes_waiting(member, &cx))
        };
        assert_eq!(takes(&pool, false), [true, false, false]);
        pool.set_eligible(0, false);
        assert_eq!(takes(&pool, false), [false, true, false]);
        assert_eq!(takes(&pool, true), [false, true, true]);
        // Whoever waits for a backup itself is served there.
        pool.set_eligible(0, true);
        pool.count_waiting(Some(2), 1);
        assert_eq!(takes(&pool, false), [true, false, true]);
    }

    #[test]
    fn a_server_that_comes_back_grows_by_whole_seconds() {
        let at = |millis| sixteenths(Span::from_millis(millis), Span::from_secs(10));
        assert_eq!(
            [0, 1000, 1001, 2500, 9999, 20_000].map(at),
            [1, 1, 2, 4, 15, 16]
        );
    }
}
