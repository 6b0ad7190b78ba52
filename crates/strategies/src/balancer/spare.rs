//! Members that are spared: at their limits, or not to have their full share yet. A strategy that
//! picks one is asked again, until it picks another.

use super::Balancer;
use super::limit::Among;
use crate::strategy::{Answer, Candidates, MemberId, Pick, Request, Truth};
use lbsim_engine::time::Time;

impl Balancer {
    /// Picks anew where a member was picked that is not to have its full share yet, or that is at
    /// its limit, until another is.
    #[cold]
    pub(super) fn spare(
        &mut self,
        pick: Pick,
        request: &Request<'_>,
        truth: Truth<'_>,
        now: Time,
    ) -> Pick {
        if self.limit.is_some() && self.pool.waiting() > 0 && pick != Pick::Nobody {
            return self.full();
        }
        self.pass_over(pick, request, truth, now)
    }

    /// As [`Balancer::spare`], whoever waits.
    pub(super) fn pass_over(
        &mut self,
        mut pick: Pick,
        request: &Request<'_>,
        truth: Truth<'_>,
        now: Time,
    ) -> Pick {
        let mut passed_over = request.tried.to_vec();
        while let Pick::Member(member) = pick {
            let is_full = self.is_full(member, now);
            let warming = self.warming.as_mut();
            if !is_full && !warming.is_some_and(|warming| warming.passes_over(member)) {
                break;
            }
            passed_over.push(member);
            // Where all are left out, so is nobody.
            if Candidates::new(&self.pool, &passed_over).contains(member) {
                if is_full {
                    return self.full();
                }
                break;
            }
            let others = Request {
                tried: &passed_over,
                ..*request
            };
            pick = self.ask(now, |strategy, cx| strategy.pick(&others, truth, cx));
            // Some products name again whom they have named.
            if matches!(pick, Pick::Member(again) if passed_over.contains(&again)) {
                return self.any_other(&passed_over, now);
            }
        }
        // A rule does not know what becomes of those who find all full.
        if pick == Pick::Wait && self.picks_for_waiting && self.limit.is_some() {
            return self.full();
        }
        pick
    }

    /// Any member that has not been passed over and is not full, for a rule that names none.
    fn any_other(&mut self, passed_over: &[MemberId], now: Time) -> Pick {
        let mut others: Vec<MemberId> = Candidates::new(&self.pool, passed_over).iter().collect();
        others.sort_unstable();
        let free = others
            .into_iter()
            .find(|&member| !self.is_full(member, now));
        free.map_or_else(|| self.full(), Pick::Member)
    }

    /// All members are at their limits.
    fn full(&self) -> Pick {
        match &self.limit {
            Some(limit) if limit.lets_wait(self.pool.waiting()) => Pick::Wait,
            _ => Pick::Refused,
        }
    }

    pub(super) fn is_full(&mut self, member: MemberId, now: Time) -> bool {
        let limiter = self.limiters.get_mut(member as usize);
        limiter.is_some_and(|limiter| !limiter.may_enter(0, now))
    }

    /// Whether its members have limits.
    #[inline]
    pub fn limits(&self) -> bool {
        self.limit.is_some()
    }

    /// Counts a request sent to `member` against its limit; what it says is handed back with
    /// [`Balancer::leave_limit`].
    pub fn enter_limit(&mut self, member: MemberId, now: Time) -> Among {
        let limiter = self.limiters.get_mut(member as usize);
        limiter.map_or(0, |limiter| limiter.enter(now))
    }

    /// Counts the end of an attempt that came in among so many.
    pub fn leave_limit(&mut self, answer: &Answer, among: Among) {
        if let Some(limiter) = self.limiters.get_mut(answer.member as usize) {
            limiter.leave((answer.outcome, answer.status), answer.response_time, among);
        }
    }
}
