//! What one balancer knows and does: its counts, who is eligible and why not, affinity, health
//! checks, retries. It asks its strategy only where somebody is eligible.

pub mod affinity;
pub mod budget;
pub mod health;
pub mod hedge;
pub mod queue;
pub mod retry;

use queue::Queue;

use crate::strategy::{
    Answer, Candidates, Context, MemberId, Pick, Pool, Probe, Report, Request, Sight, Strategy,
    StrategyConfig, Truth,
};
use lbsim_engine::rng::Rng;
use lbsim_engine::time::Time;

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
    /// It is marked as down in the configuration.
    Disabled = 16,
}

/// One balancer over the pool of one service.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// Which of the balancers of its service this is, counted from 0.
    index: u16,
    pool: Pool,
    strategy: Strategy,
    rng: Rng,
    /// The [`Reason`]s that hold for each member.
    reasons: Vec<u8>,
    /// Whether the strategy is a product's, which is asked even where nobody is eligible.
    is_product: bool,
    queue: Queue,
    /// Members that the strategy wants to be probed.
    probes: Vec<MemberId>,
}

impl Balancer {
    /// The balancer of this number, counted from 0, over this pool, all of whose members are
    /// healthy and idle.
    pub fn new(index: u16, strategy: &StrategyConfig, pool: Pool, mut rng: Rng) -> Balancer {
        let reasons = vec![0; pool.len()];
        let mut probes = Vec::new();
        let is_product = strategy.sight() == Sight::Product;
        let strategy = strategy.build(&mut Context {
            now: Time::ZERO,
            pool: &pool,
            balancer: index,
            rng: &mut rng,
            probes: &mut probes,
        });
        let mut balancer = Balancer {
            index,
            pool,
            strategy,
            rng,
            reasons,
            is_product,
            queue: Queue::default(),
            probes,
        };
        for position in 0..balancer.pool.len() {
            let member = &balancer.pool.members()[position];
            let (down, weightless) = (member.down, member.weight == 0);
            let position = position as MemberId;
            if down {
                balancer.set(position, Reason::Disabled, true, Time::ZERO);
            }
            if weightless {
                balancer.set(position, Reason::Weightless, true, Time::ZERO);
            }
        }
        balancer
    }

    /// The members by this balancer's counting.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The strategy as it stands.
    pub fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// Whether the strategy has drawn from its stream, which was `fresh` when the balancer was
    /// made.
    pub fn has_drawn(&self, fresh: &Rng) -> bool {
        self.rng != *fresh
    }

    /// Tells the strategy something.
    #[inline(always)]
    fn tell<T>(&mut self, now: Time, news: impl FnOnce(&mut Strategy, &mut Context<'_>) -> T) -> T {
        let mut cx = Context {
            now,
            pool: &self.pool,
            balancer: self.index,
            rng: &mut self.rng,
            probes: &mut self.probes,
        };
        news(&mut self.strategy, &mut cx)
    }

    /// Picks where a request goes: to a member that has not been tried, where there is one. A
    /// product sees to that by itself.
    #[inline]
    pub fn pick(&mut self, request: &Request<'_>, truth: Truth<'_>, now: Time) -> Pick {
        if self.pool.eligible().is_empty() && !self.is_product {
            return Pick::Nobody;
        }
        let pick = self.tell(now, |strategy, cx| strategy.pick(request, truth, cx));
        debug_assert!(
            self.is_product
                || matches!(pick, Pick::Member(member) if Candidates::new(&self.pool, request.tried).contains(member)),
            "{:?} picked {pick:?}",
            self.strategy
        );
        pick
    }

    /// Picks where a request goes without counting it, for a strategy that heeds no answers: what
    /// becomes of the request it is not told.
    #[inline(always)]
    pub fn pick_and_forget(&mut self, request: &Request<'_>, now: Time) -> Pick {
        if self.pool.eligible().is_empty() && !self.is_product {
            return Pick::Nobody;
        }
        self.tell(now, |strategy, cx| {
            strategy.pick(request, Truth::default(), cx)
        })
    }

    /// An answer of `member` comes soon.
    #[inline]
    pub fn foresee(&self, member: MemberId) {
        self.pool.foresee(member);
        self.strategy.foresee(member);
    }

    /// Whether a client that is bound to `member` may still be sent there: a draining member keeps
    /// the clients it has.
    pub fn takes_bound(&self, member: MemberId) -> bool {
        self.reasons[member as usize] & !(Reason::Draining as u8 | Reason::Weightless as u8) == 0
    }

    /// Counts a request sent to `member`.
    #[inline]
    pub fn sent(&mut self, member: MemberId, now: Time) {
        self.pool.sent(member);
        self.tell(now, |strategy, cx| strategy.sent(member, cx));
    }

    /// Counts the end of an attempt.
    #[inline]
    pub fn answered(&mut self, answer: &Answer, now: Time) {
        self.pool.ended(answer.member);
        self.tell(now, |strategy, cx| strategy.answered(answer, cx));
    }

    /// Lets a request wait for `member`, or for any.
    pub fn enqueue(&mut self, request: u32, member: Option<MemberId>) {
        self.queue.join(request, member);
        self.pool.count_waiting(member, 1);
    }

    /// The next of those who wait whom `member` takes now.
    #[inline]
    pub fn dequeue(&mut self, member: MemberId, now: Time) -> Option<u32> {
        if self.queue.is_empty_for(member)
            || !self.tell(now, |strategy, cx| strategy.takes_waiting(member, cx))
        {
            return None;
        }
        let (request, waited_for_it) = self.queue.leave_for(member)?;
        self.pool.count_waiting(waited_for_it.then_some(member), -1);
        Some(request)
    }

    /// Takes out a request that has waited long enough; says whether it did wait.
    pub fn give_up(&mut self, request: u32) -> bool {
        let waited = self.queue.give_up(request);
        if let Some(member) = waited {
            self.pool.count_waiting(member, -1);
        }
        waited.is_some()
    }

    /// Takes out all who wait for `member` and no other.
    pub fn release(&mut self, member: MemberId) -> Vec<u32> {
        let released = self.queue.leave_all(member);
        if !released.is_empty() {
            self.pool
                .count_waiting(Some(member), -(released.len() as i32));
        }
        released
    }

    /// The members that the strategy wants to be probed, which are thereby taken.
    pub fn take_probes(&mut self) -> Vec<MemberId> {
        std::mem::take(&mut self.probes)
    }

    /// Lets a reason hold for a member, or no longer.
    pub fn set(&mut self, member: MemberId, reason: Reason, holds: bool, now: Time) {
        let reasons = &mut self.reasons[member as usize];
        if holds {
            *reasons |= reason as u8;
        } else {
            *reasons &= !(reason as u8);
        }
        let eligible = *reasons == 0;
        let present = *reasons & Reason::Absent as u8 == 0;
        let membership_changes = self.pool.is_present(member) != present;
        let eligibility_changes = self.pool.set_eligible(member, eligible);
        if membership_changes {
            self.pool.set_present(member, present);
            self.tell(now, |strategy, cx| strategy.membership_changed(member, cx));
        }
        if eligibility_changes {
            self.tell(now, |strategy, cx| strategy.eligibility_changed(member, cx));
        }
    }

    /// Begins where `old` has left off, as far as an operator says it: who is drained and who is
    /// not in the pool. What was learnt is gone.
    pub fn take_over(&mut self, old: &Balancer, now: Time) {
        for member in 0..old.pool.len() as MemberId {
            for reason in [Reason::Draining, Reason::Absent] {
                if old.reasons[member as usize] & reason as u8 != 0 {
                    self.set(member, reason, true, now);
                }
            }
        }
    }

    /// Gives a member another weight, as its operator does at run time.
    pub fn set_weight(&mut self, member: MemberId, weight: u32, now: Time) {
        let before = self.pool.weight(member);
        if before == weight {
            return;
        }
        self.pool.set_weight(member, weight);
        self.tell(now, |strategy, cx| {
            strategy.weight_changed(member, before, cx)
        });
        self.set(member, Reason::Weightless, weight == 0, now);
    }

    /// Hands on the report of a monitoring agent.
    pub fn reported(&mut self, member: MemberId, report: &Report, now: Time) {
        self.tell(now, |strategy, cx| strategy.reported(member, report, cx));
    }

    /// Hands on the answer to a probe.
    pub fn probed(&mut self, member: MemberId, probe: &Probe, now: Time) {
        self.tell(now, |strategy, cx| strategy.probed(member, probe, cx));
    }

    /// Hands on that a member has become idle.
    pub fn idle(&mut self, member: MemberId, now: Time) {
        self.tell(now, |strategy, cx| strategy.idle(member, cx));
    }

    /// Hands on a change of the truth, which only oracles hear.
    #[inline]
    pub fn truth_changed(&mut self, member: MemberId, truth: Truth<'_>, now: Time) {
        self.tell(now, |strategy, cx| {
            strategy.truth_changed(member, truth, cx)
        });
    }
}
