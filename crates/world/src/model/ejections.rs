//! Balancers that judge their members by how they answer: what comes of it for health checks and
//! for those who wait, and when they look at their members again.

use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::ejection::Change;
use lbsim_strategies::strategy::Answer;

impl World<'_> {
    /// A balancer judges the end of an attempt, which it has counted.
    #[cold]
    #[inline(never)]
    pub(super) fn judge(
        &mut self,
        (service, balancer): (usize, usize),
        answer: &Answer,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let place = &mut self.services[service].balancers[balancer];
        let changes = place.judge(answer, now);
        // Who waits is served by whoever counts the end.
        self.heed_changes((service, balancer), &changes, calendar);
    }

    /// A balancer's strategy may think otherwise of some members, by its own rule.
    #[cold]
    #[inline(never)]
    pub(super) fn heed_rule(&mut self, (service, balancer): (usize, usize), now: Time) {
        let place = &mut self.services[service].balancers[balancer];
        for member in place.ask_whom_it_leaves_out() {
            self.note_opinion((service, balancer), member, now);
        }
    }

    /// A balancer looks at its members, if it is still to do so now.
    pub(super) fn look(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let (service, balancer) = ((number >> 16) as usize, (number & 0xffff) as usize);
        let place = &mut self.services[service];
        if place.looks[balancer] != now {
            return;
        }
        place.looks[balancer] = Time::NEVER;
        let changes = place.balancers[balancer].look(now);
        self.heed_changes((service, balancer), &changes, calendar);
        for change in changes {
            if let Change::In(member) | Change::Try(member) = change {
                self.serve_waiting(service, balancer, member, calendar);
            }
        }
    }

    /// What a balancer made of its members is heeded by its health checks, and it looks again when
    /// it wants to.
    fn heed_changes(
        &mut self,
        (service, balancer): (usize, usize),
        changes: &[Change],
        calendar: &mut Calendar<Event>,
    ) {
        for &change in changes {
            match change {
                Change::Out(member) | Change::Try(member) | Change::In(member) => {
                    self.note_opinion((service, balancer), member, calendar.now());
                }
                Change::CheckSoon(member)
                | Change::FailedCheck(member)
                | Change::LastChance(member)
                | Change::Down(member) => {
                    self.speak_against((service, balancer), member, change, calendar);
                }
            }
        }
        self.plan_look((service, balancer), calendar);
    }

    /// A balancer looks at its members when it next wants to.
    pub(super) fn plan_look(
        &mut self,
        (service, balancer): (usize, usize),
        calendar: &mut Calendar<Event>,
    ) {
        let place = &mut self.services[service];
        let next = place.balancers[balancer].next_look();
        let due = if next == Time::NEVER {
            next
        } else {
            next.max(calendar.now())
        };
        if std::mem::replace(&mut place.looks[balancer], due) != due && due != Time::NEVER {
            let number = (service as u32) << 16 | balancer as u32;
            calendar.at(due, Event::Look(number));
        }
    }

    /// All balancers look at their members when they want to for the first time.
    pub(super) fn schedule_looks(&mut self, calendar: &mut Calendar<Event>) {
        for service in 0..self.services.len() {
            for balancer in 0..self.services[service].balancers.len() {
                self.plan_look((service, balancer), calendar);
            }
        }
    }
}
