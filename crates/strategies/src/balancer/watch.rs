//! A balancer looks at its members: who is left out for how it answers, who comes back, whose
//! weight grows.

use super::ejection::Change;
use super::{Balancer, Reason};
use crate::strategy::{Answer, MemberId};
use lbsim_engine::time::Time;

impl Balancer {
    #[cold]
    #[inline(never)]
    pub(super) fn watch_sent(&mut self, member: MemberId, now: Time) {
        if let Some(ejector) = &mut self.ejector {
            let changes = ejector.sent(member, &self.pool, now);
            self.apply(&changes, now);
        }
    }

    /// Judges the end of an attempt that has been counted; says what comes of it, which has
    /// happened as far as it is the balancer's own affair.
    pub fn judge(&mut self, answer: &Answer, now: Time) -> Vec<Change> {
        let Some(ejector) = &mut self.ejector else {
            return Vec::new();
        };
        let changes = ejector.answered(answer, &self.pool, now);
        self.apply(&changes, now);
        changes
    }

    /// When it wants to look at its members next, whatever comes.
    pub fn next_look(&self) -> Time {
        let ejector = (self.ejector.as_ref()).map_or(Time::NEVER, |ejector| ejector.next_look());
        let warming = (self.warming.as_ref()).map_or(Time::NEVER, |warming| warming.next_step());
        ejector.min(warming)
    }

    /// Looks at its members: who comes back, who is ejected, whose weight grows. Says what comes of
    /// it, as [`Balancer::judge`].
    pub fn look(&mut self, now: Time) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(ejector) = &mut self.ejector {
            changes = ejector.look(&self.pool, now);
            self.apply(&changes, now);
        }
        let stepped = (self.warming.as_mut()).map_or(Vec::new(), |warming| warming.step(now));
        for member in stepped {
            self.weigh(member, now);
        }
        changes
    }

    fn apply(&mut self, changes: &[Change], now: Time) {
        for &change in changes {
            match change {
                Change::Out(member) => self.set(member, Reason::Ejected, true, now),
                Change::Try(member) => {
                    self.set(member, Reason::OnTrial, true, now);
                    self.set(member, Reason::Ejected, false, now);
                }
                Change::In(member) => {
                    self.set(member, Reason::Ejected, false, now);
                    self.set(member, Reason::OnTrial, false, now);
                }
                Change::CheckSoon(_)
                | Change::FailedCheck(_)
                | Change::LastChance(_)
                | Change::Down(_) => {}
            }
        }
    }
}
