//! What one balancer knows and does: its counts, who is eligible and why not, affinity, health checks,
//! retries. It asks its strategy only where somebody is eligible.

pub mod affinity;
pub mod health;
pub mod retry;

use crate::rng::Rng;
use crate::strategy::{
    Answer, Context, MemberId, Pool, Report, Request, Strategy, StrategyConfig, Truth,
};
use crate::time::Time;

/// Why a member takes no new requests. Several reasons may hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// Health checks say that it is down.
    Down = 1,
    /// It is being drained: it serves the sessions it has, and takes no new ones.
    Draining = 2,
    /// It is not part of the pool: not yet, or no longer.
    Absent = 4,
    /// Its weight is zero.
    Weightless = 8,
    /// It has been tried for the request at hand.
    Tried = 16,
}

/// One balancer over the pool of one service.
#[derive(Clone, Debug)]
pub struct Balancer {
    pool: Pool,
    strategy: Strategy,
    rng: Rng,
    /// The [`Reason`]s that hold for each member.
    reasons: Vec<u8>,
}

impl Balancer {
    /// A balancer over members with these weights, all of them healthy and idle.
    pub fn new(strategy: &StrategyConfig, weights: Vec<u32>, mut rng: Rng) -> Balancer {
        let weightless: Vec<MemberId> = (0..weights.len() as MemberId)
            .filter(|&m| weights[m as usize] == 0)
            .collect();
        let reasons = vec![0; weights.len()];
        let pool = Pool::new(weights);
        let strategy = strategy.build(&mut Context {
            now: Time::ZERO,
            pool: &pool,
            rng: &mut rng,
        });
        let mut balancer = Balancer {
            pool,
            strategy,
            rng,
            reasons,
        };
        for member in weightless {
            balancer.set(member, Reason::Weightless, true, Time::ZERO);
        }
        balancer
    }

    /// The members by this balancer's counting.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Picks a member that is not among `tried`; one that is, where there is no other; `None` where nobody
    /// is eligible.
    #[inline]
    pub fn pick(
        &mut self,
        request: &Request<'_>,
        tried: &[MemberId],
        truth: Truth<'_>,
        now: Time,
    ) -> Option<MemberId> {
        if tried.is_empty() {
            return self.ask(request, truth, now);
        }
        for &member in tried {
            self.set(member, Reason::Tried, true, now);
        }
        let another = self.ask(request, truth, now);
        for &member in tried {
            self.set(member, Reason::Tried, false, now);
        }
        another.or_else(|| self.ask(request, truth, now))
    }

    #[inline]
    fn ask(&mut self, request: &Request<'_>, truth: Truth<'_>, now: Time) -> Option<MemberId> {
        if self.pool.eligible().is_empty() {
            return None;
        }
        let mut cx = Context {
            now,
            pool: &self.pool,
            rng: &mut self.rng,
        };
        let member = self.strategy.pick(request, truth, &mut cx);
        debug_assert!(
            self.pool.is_eligible(member),
            "{:?} picked {member}",
            self.strategy
        );
        Some(member)
    }

    /// An answer of `member` comes soon.
    #[inline]
    pub fn foresee(&self, member: MemberId) {
        self.pool.foresee(member);
        self.strategy.foresee(member);
    }

    /// Whether a client that is bound to `member` may still be sent there: a draining member keeps the
    /// clients it has.
    pub fn takes_bound(&self, member: MemberId) -> bool {
        self.reasons[member as usize] & !(Reason::Draining as u8 | Reason::Weightless as u8) == 0
    }

    /// Counts a request sent to `member`.
    #[inline]
    pub fn sent(&mut self, member: MemberId, now: Time) {
        self.pool.sent(member);
        self.strategy.sent(
            member,
            &mut Context {
                now,
                pool: &self.pool,
                rng: &mut self.rng,
            },
        );
    }

    /// Counts the end of an attempt.
    #[inline]
    pub fn answered(&mut self, answer: &Answer, now: Time) {
        self.pool.ended(answer.member);
        self.strategy.answered(
            answer,
            &mut Context {
                now,
                pool: &self.pool,
                rng: &mut self.rng,
            },
        );
    }

    /// Lets a reason hold for a member, or no longer.
    pub fn set(&mut self, member: MemberId, reason: Reason, holds: bool, now: Time) {
        let reasons = &mut self.reasons[member as usize];
        if holds {
            *reasons |= reason as u8;
        } else {
            *reasons &= !(reason as u8);
        }
        if self.pool.set_eligible(member, *reasons == 0) {
            let mut cx = Context {
                now,
                pool: &self.pool,
                rng: &mut self.rng,
            };
            self.strategy.eligibility_changed(member, &mut cx);
        }
    }

    /// Hands on the report of a monitoring agent.
    pub fn reported(&mut self, member: MemberId, report: &Report, now: Time) {
        self.strategy.reported(
            member,
            report,
            &mut Context {
                now,
                pool: &self.pool,
                rng: &mut self.rng,
            },
        );
    }

    /// Hands on a change of the truth, which only oracles hear.
    #[inline]
    pub fn truth_changed(&mut self, member: MemberId, truth: Truth<'_>, now: Time) {
        self.strategy.truth_changed(
            member,
            truth,
            &mut Context {
                now,
                pool: &self.pool,
                rng: &mut self.rng,
            },
        );
    }
}
