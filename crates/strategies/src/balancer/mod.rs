//! What one balancer knows and does: its counts, who is eligible and why not, affinity, health
//! checks, retries. It asks its strategy only where somebody is eligible.

pub mod affinity;
pub mod budget;
pub mod connections;
pub mod ejection;
pub mod health;
pub mod hedge;
pub mod limit;
mod opinion;
mod others;
mod panic;
pub(crate) mod preset;
pub mod queue;
pub mod retry;
pub mod scope;
mod shadow;
pub mod slow_start;
mod spare;
mod watch;

use ejection::{Ejection, Ejector};
use limit::{Limit, Limiter};
use panic::Panic;
use queue::Queue;
use scope::{OwnZone, Preferring, Scope, Spill};
use shadow::Shadow;
use slow_start::{GradualReturn, Returning, STEPS};

use crate::strategy::{
    Answer, Candidates, Context, MemberId, Pick, Pool, Probe, Report, Request, Sight, Strategy,
    StrategyConfig, Truth,
};
use lbsim_engine::rng::Rng;
use lbsim_engine::time::Time;
use lbsim_engine::units::Share;

/// A setting that may not be so: the key, and why.
pub type Refuse<'a> = dyn FnMut(&str, &str) + 'a;

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
    /// By how it has answered it is left out for a while.
    Ejected = 32,
    /// It has been left out so, and is being tried again: that is no reason to send it nothing, but
    /// nobody takes it to be well yet.
    OnTrial = 64,
    /// It is not one of those to whom this balancer sends: it is in another zone, or in the subset
    /// of others, or serves other places.
    Outside = 128,
}

impl Reason {
    /// Reasons that are opinions of a balancer, and may be wrong.
    const OPINIONS: u8 = Reason::Down as u8 | Reason::Ejected as u8 | Reason::OnTrial as u8;
}

/// What a balancer does about members that fail, besides health checks.
#[derive(Clone, Debug, Default)]
pub struct Care<'a> {
    /// Whom it leaves out by how they answer, and how far it is into an interval of its looks, 0 to
    /// 1.
    pub ejection: Option<(&'a Ejection, f64)>,
    /// Where fewer of its members than this share are thought to be well, it sends to all.
    pub panic_threshold: Option<Share>,
    /// How those that come back get their share, and the stream for that.
    pub slow_start: Option<(&'a GradualReturn, Rng)>,
    /// How many requests each member may have at once from this balancer.
    pub server_limit: Option<&'a Limit>,
    /// Whether clients wait for the member that they are bound to.
    pub waits_for_bound: bool,
    /// In which order it takes members into its subset, and how many, where there are subsets.
    pub subset: Option<(Vec<MemberId>, u32)>,
    /// Whether each member is in its zone, where those come first; the stream for who leaves it.
    pub own_zone: Option<(Vec<bool>, &'a OwnZone, Rng)>,
    /// Where it is kept in mind whom the strategy would pick, were nobody bound: the stream for
    /// that.
    pub shadow: Option<Rng>,
}

/// One balancer over the pool of one service.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// Which of the balancers of its service this is, counted from 0.
    index: u16,
    pool: Pool,
    strategy: Strategy,
    /// The strategy as it is for other zones, where requests leave its own in proportion.
    elsewhere: Option<Box<Strategy>>,
    rng: Rng,
    shadow: Option<Box<Shadow>>,
    /// The [`Reason`]s that hold for each member.
    reasons: Vec<u8>,
    /// How often the strategy had changed its mind when it was last asked whom it leaves out by
    /// itself, and whom it did.
    left_out: (u64, Vec<MemberId>),
    /// Whether the strategy is a product's, which is asked even where nobody is eligible.
    is_product: bool,
    queue: Queue,
    /// Members that the strategy wants to be probed.
    probes: Vec<MemberId>,
    ejector: Option<Box<Ejector>>,
    panic: Option<Panic>,
    preferring: Option<Box<Preferring>>,
    scope: Option<Box<Scope>>,
    warming: Option<Box<Returning>>,
    /// By member; empty where they have none.
    limiters: Vec<Limiter>,
    limit: Option<Limit>,
    /// Whether its strategy is asked anew for whoever waits, whenever an attempt has ended.
    picks_for_waiting: bool,
    /// Whether clients wait for the member that they are bound to.
    waits_for_bound: bool,
    /// What a weight of the configuration counts here: more than one where weights grow in steps.
    weight_unit: u32,
}

impl Balancer {
    /// The balancer of this number, counted from 0, over this pool, all of whose members are
    /// healthy and idle.
    pub fn new(index: u16, strategy: &StrategyConfig, pool: Pool, rng: Rng) -> Balancer {
        Balancer::with_care(index, strategy, pool, (rng, Care::default()))
    }

    /// As [`Balancer::new`], with what it does about members that fail.
    pub fn with_care(
        index: u16,
        strategy: &StrategyConfig,
        mut pool: Pool,
        (mut rng, care): (Rng, Care<'_>),
    ) -> Balancer {
        let by_weight = strategy.heeds_weights();
        let weight_unit = if by_weight && care.slow_start.is_some() {
            STEPS
        } else {
            1
        };
        if weight_unit > 1 {
            for member in 0..pool.len() as MemberId {
                pool.set_weight(member, pool.weight(member) * weight_unit);
            }
        }
        let ejector = care
            .ejection
            .map(|(ejection, phase)| Ejector::new(ejection, pool.len(), phase));
        let limiters =
            (care.server_limit).map_or(Vec::new(), |limit| vec![Limiter::new(limit); pool.len()]);
        let warming = care.slow_start;
        let warming = warming.map(|(plan, rng)| Returning::new(plan, by_weight, rng));
        let panic = care.panic_threshold.map(|threshold| Panic {
            threshold: threshold.value(),
            all: pool.len() as u32,
            well: pool.len() as u32,
            holds: false,
        });
        let reasons = vec![0; pool.len()];
        let mut probes = Vec::new();
        let is_product = strategy.sight() == Sight::Product;
        let picks_for_waiting = strategy.picks_for_waiting();
        let ranks = (strategy.goes_by_place()).then(|| strategy.ranks(&pool));
        let strategy = strategy.build(&mut Context {
            now: Time::ZERO,
            pool: &pool,
            balancer: index,
            rng: &mut rng,
            probes: &mut probes,
        });
        let shadow = care.shadow;
        let shadow = shadow.map(|rng| Box::new(Shadow::of(&strategy, rng)));
        let in_proportion = |(_, plan, _): &(_, &OwnZone, _)| plan.spill == Spill::InProportion;
        let has_elsewhere = care.own_zone.as_ref().is_some_and(in_proportion);
        let mut balancer = Balancer {
            index,
            pool,
            elsewhere: has_elsewhere.then(|| Box::new(strategy.clone())),
            strategy,
            rng,
            shadow,
            reasons,
            left_out: (0, Vec::new()),
            is_product,
            queue: Queue::default(),
            probes,
            ejector: ejector.map(Box::new),
            panic,
            scope: (care.subset).map(|(order, size)| Box::new(Scope::new(order, size))),
            preferring: care
                .own_zone
                .map(|(own, plan, draws)| Box::new(Preferring::new(own, plan, draws))),
            warming: warming.map(Box::new),
            limiters,
            limit: care.server_limit.cloned(),
            picks_for_waiting,
            waits_for_bound: care.waits_for_bound,
            weight_unit,
        };
        for (member, rank) in (0..).zip(ranks.iter().flatten()) {
            if rank.is_none() {
                balancer.set(member, Reason::Outside, true, Time::ZERO);
            }
        }
        balancer.deal_out(Time::ZERO);
        balancer.send_where_due(Time::ZERO);
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

    /// Tells the strategy something, and whoever is told all that it is.
    #[inline(always)]
    fn tell(&mut self, now: Time, news: impl Fn(&mut Strategy, &mut Context<'_>)) {
        if let Some(shadow) = &mut self.shadow {
            shadow.tell((now, &self.pool, self.index), &news);
        }
        self.ask(now, &news);
        if let Some(elsewhere) = &mut self.elsewhere {
            let mut cx = Context {
                now,
                pool: &self.pool,
                balancer: self.index,
                rng: &mut self.rng,
                probes: &mut self.probes,
            };
            news(elsewhere, &mut cx);
        }
    }

    /// Asks the strategy something.
    #[inline(always)]
    fn ask<T>(
        &mut self,
        now: Time,
        question: impl FnOnce(&mut Strategy, &mut Context<'_>) -> T,
    ) -> T {
        let mut cx = Context {
            now,
            pool: &self.pool,
            balancer: self.index,
            rng: &mut self.rng,
            probes: &mut self.probes,
        };
        question(&mut self.strategy, &mut cx)
    }

    /// Picks where a request goes: to a member that has not been tried, where there is one. A
    /// product sees to that by itself.
    #[inline]
    pub fn pick(&mut self, request: &Request<'_>, truth: Truth<'_>, now: Time) -> Pick {
        if self.preferring.is_some() {
            return self.pick_by_zone(request, truth, now);
        }
        self.pick_any(request, truth, now)
    }

    /// As [`Balancer::pick`], whatever zone.
    #[inline]
    fn pick_any(&mut self, request: &Request<'_>, truth: Truth<'_>, now: Time) -> Pick {
        if self.pool.eligible().is_empty() && !self.is_product {
            return Pick::Nobody;
        }
        let mut pick = self.ask(now, |strategy, cx| strategy.pick(request, truth, cx));
        if self.warming.is_some() || self.limit.is_some() {
            pick = self.spare(pick, request, truth, now);
        }
        debug_assert!(
            self.is_product
                || self.limit.is_some()
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
        self.ask(now, |strategy, cx| {
            strategy.pick(request, Truth::default(), cx)
        })
    }

    /// An answer of `member` comes soon.
    #[inline]
    pub fn foresee(&self, member: MemberId) {
        self.pool.foresee(member);
        self.strategy.foresee(member);
    }

    /// Counts a request sent to `member`.
    #[inline]
    pub fn sent(&mut self, member: MemberId, now: Time) {
        self.pool.sent(member);
        self.tell(now, |strategy, cx| strategy.sent(member, cx));
        if self.ejector.is_some() {
            self.watch_sent(member, now);
        }
    }

    /// Counts the end of an attempt.
    #[inline]
    pub fn answered(&mut self, answer: &Answer, now: Time) {
        self.pool.ended(answer.member);
        self.tell(now, |strategy, cx| strategy.answered(answer, cx));
    }

    /// Whether it leaves out members by how they answer.
    #[inline]
    pub fn ejects(&self) -> bool {
        self.ejector.is_some()
    }

    /// Lets a request wait for `member`, or for any.
    pub fn enqueue(&mut self, request: u32, member: Option<MemberId>) {
        self.queue.join(request, member);
        self.pool.count_waiting(member, 1);
    }

    /// The next of those who wait who has somewhere to go now that an attempt at `member` has
    /// ended, and where: to `member`, unless the strategy picks for whoever waits.
    #[inline]
    pub fn dequeue(&mut self, mut member: MemberId, now: Time) -> Option<(u32, MemberId)> {
        if self.queue.is_empty_for(member) {
            return None;
        }
        if self.picks_for_waiting {
            let (unseen, truth) = (Request::UNSEEN, Truth::default());
            let pick = self.ask(now, |strategy, cx| strategy.pick(unseen, truth, cx));
            let Pick::Member(picked) = self.pass_over(pick, unseen, truth, now) else {
                return None;
            };
            member = picked;
        }
        let takes = match self.limit {
            _ if self.waits_for_bound && !self.pool.is_eligible(member) => {
                return self.dequeue_bound(member, now);
            }
            Some(_) => self.pool.is_eligible(member) && !self.is_full(member, now),
            None if self.waits_for_bound => true,
            None => self.ask(now, |strategy, cx| strategy.takes_waiting(member, cx)),
        };
        if !takes {
            return None;
        }
        let (request, waited_for_it) = self.queue.leave_for(member)?;
        self.pool.count_waiting(waited_for_it.then_some(member), -1);
        Some((request, member))
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

    /// Whether a reason holds for a member.
    pub fn holds(&self, member: MemberId, reason: Reason) -> bool {
        self.reasons[member as usize] & reason as u8 != 0
    }

    /// Lets a reason hold for a member, or no longer.
    pub fn set(&mut self, member: MemberId, reason: Reason, holds: bool, now: Time) {
        let reasons = &mut self.reasons[member as usize];
        let before = *reasons;
        if holds {
            *reasons |= reason as u8;
        } else {
            *reasons &= !(reason as u8);
        }
        let after = *reasons;
        let present = after & Reason::Absent as u8 == 0;
        let was_out = before & (Reason::OPINIONS | Reason::Absent as u8) != 0;
        let is_out = after & (Reason::OPINIONS | Reason::Absent as u8) != 0;
        if let (true, false, Some(warming)) = (was_out, is_out, &mut self.warming) {
            warming.begin(member, now);
            self.weigh(member, now);
        }
        if self.pool.is_present(member) != present {
            self.pool.set_present(member, present);
            self.tell(now, |strategy, cx| strategy.membership_changed(member, cx));
        }
        if self.preferring.is_some() && reason != Reason::Outside {
            self.prefer_own_zone(member, before, now);
        }
        if self.panic.is_some() && self.changes_panic(before, after) {
            for member in 0..self.pool.len() as MemberId {
                self.update_eligibility(member, now);
            }
        } else {
            self.update_eligibility(member, now);
        }
        if self.scope.is_some() && reason == Reason::Absent {
            self.deal_out(now);
        }
    }

    /// Counts who is well, where a member's reasons have changed; says whether all get requests
    /// from now on, or no longer.
    fn changes_panic(&mut self, before: u8, after: u8) -> bool {
        let Some(panic) = &mut self.panic else {
            return false;
        };
        let counts = |reasons: u8| u32::from(reasons & !Reason::OPINIONS == 0);
        let well = |reasons: u8| u32::from(reasons == 0);
        panic.all = panic.all + counts(after) - counts(before);
        panic.well = panic.well + well(after) - well(before);
        let is_due = panic.is_due();
        std::mem::replace(&mut panic.holds, is_due) != is_due
    }

    /// A member gets requests or not, as its reasons have it.
    fn update_eligibility(&mut self, member: MemberId, now: Time) {
        let mut reasons = self.reasons[member as usize] & !(Reason::OnTrial as u8);
        if self.panic.is_some_and(|panic| panic.holds) {
            reasons &= !Reason::OPINIONS;
        }
        if self.pool.set_eligible(member, reasons == 0) {
            self.tell(now, |strategy, cx| strategy.eligibility_changed(member, cx));
        }
    }

    /// Whether so few members are thought to be well that all get requests.
    pub fn panics(&self) -> bool {
        self.panic.is_some_and(|panic| panic.holds)
    }

    /// Gives a member the weight that it has by now, where weights grow in steps.
    fn weigh(&mut self, member: MemberId, now: Time) {
        if self.weight_unit == 1 {
            return;
        }
        let steps = (self.warming.as_ref()).and_then(|warming| warming.steps_of(member));
        let configured = self.pool.members()[member as usize].weight;
        self.change_weight(member, configured * steps.unwrap_or(STEPS), now);
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
        if self.change_weight(member, weight * self.weight_unit, now) {
            self.set(member, Reason::Weightless, weight == 0, now);
        }
    }

    /// Says whether that is another weight.
    fn change_weight(&mut self, member: MemberId, weight: u32, now: Time) -> bool {
        let before = self.pool.weight(member);
        if before == weight {
            return false;
        }
        self.pool.set_weight(member, weight);
        self.tell(now, |strategy, cx| {
            strategy.weight_changed(member, before, cx)
        });
        true
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
