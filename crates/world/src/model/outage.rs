//! Balancers that die. What one has fails, and so does what comes; it comes back empty.

use super::fault::WhileDown;
use super::request::Whereabouts;
use super::service::balancer;
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::events::Calendar;
use lbsim_strategies::balancer::budget::Purse;

/// The crashes of one balancer.
#[derive(Clone, Debug, Default)]
pub(super) struct Outage {
    /// Those that hold at present.
    holding: Vec<WhileDown>,
    /// How often it has come back.
    returns: u16,
}

impl Outage {
    /// Whether the balancer is dead, and what it does then to those that come.
    pub(super) fn answers(&self) -> Option<WhileDown> {
        match self.holding.as_slice() {
            [] => None,
            all if all.contains(&WhileDown::Hang) => Some(WhileDown::Hang),
            _ => Some(WhileDown::Refuse),
        }
    }
}

impl World<'_> {
    /// A crash of a balancer begins, or ends. Crashes may overlap.
    pub(super) fn strike_balancer(
        &mut self,
        (index, number): (u16, u16),
        answers: WhileDown,
        holds: bool,
        calendar: &mut Calendar<Event>,
    ) {
        let service = &mut self.services[usize::from(index)];
        let count = service.balancers.len();
        service.outages.resize(count, Outage::default());
        let outage = &mut service.outages[usize::from(number)];
        let before = outage.answers();
        if holds {
            outage.holding.push(answers);
        } else if let Some(at) = outage.holding.iter().position(|&other| other == answers) {
            outage.holding.remove(at);
        }
        match (before, outage.answers()) {
            (None, Some(_)) => self.lose_balancer((index, number), calendar),
            (Some(_), None) => self.restart_balancer((index, number), calendar),
            _ => {}
        }
        // Whoever hangs on it learns that it knows nothing of them.
        let answers = self.services[usize::from(index)].outages[usize::from(number)].answers();
        if answers != Some(WhileDown::Hang) {
            self.fail_all((index, number), calendar);
        }
    }

    /// A balancer is gone: whatever comes back to it finds nobody.
    fn lose_balancer(&mut self, (index, number): (u16, u16), calendar: &mut Calendar<Event>) {
        if let Some(bonds) = &mut self.services[usize::from(index)].bonds {
            bonds.lose(number);
        }
        self.break_flows_through((index, number), calendar);
        let asked = self.of_balancer((index, number));
        for &id in &asked {
            self.detach(id, calendar);
        }
        let service = &mut self.services[usize::from(index)];
        for &id in &asked {
            service.balancers[usize::from(number)].give_up(id);
        }
    }

    /// All requests that a balancer has fail.
    fn fail_all(&mut self, balancer: (u16, u16), calendar: &mut Calendar<Event>) {
        for id in self.of_balancer(balancer) {
            self.fail(id, Cause::Crash, calendar);
        }
    }

    /// The requests that a balancer has, in the order of their places: not those that are still on
    /// their way to it.
    fn of_balancer(&self, (index, number): (u16, u16)) -> Vec<u32> {
        let all = self.requests.all();
        all.filter(|(_, request)| {
            (request.service, request.balancer) == (index, number)
                && matches!(
                    request.whereabouts,
                    Whereabouts::Here | Whereabouts::Pausing
                )
        })
        .map(|(id, _)| id)
        .collect()
    }

    /// A balancer is back: as at the start, but for who is drained or not in the pool.
    fn restart_balancer(&mut self, (index, number): (u16, u16), calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let at = usize::from(index);
        let service = &mut self.services[at];
        let outage = &mut service.outages[usize::from(number)];
        outage.returns = outage.returns.wrapping_add(1);
        let fresh = balancer(
            service.plan,
            at,
            (number, outage.returns),
            (self.seeds, &self.plan.ways),
        );
        let old = std::mem::replace(&mut service.balancers[usize::from(number)], fresh);
        service.balancers[usize::from(number)].take_over(&old, now);
        let budget = service.plan.balancer.retry.budget;
        if let (Some(budget), Some(purse)) = (budget, service.purses.get_mut(usize::from(number))) {
            *purse = Purse::new(budget);
        }
        self.restart_checks((at, number), calendar);
        self.restart_gate((at, usize::from(number)));
        if self.has_opinions {
            self.note_opinions((at, usize::from(number)), now);
            self.plan_look((at, usize::from(number)), calendar);
        }
    }

    /// Whoever works on an attempt of a request does so for nobody from now on. That is not its
    /// member's doing: whoever sent it is gone.
    pub(super) fn detach(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let taken = self.take_live(id);
        self.waits_no_more(id, calendar);
        for &attempt in &taken {
            self.disown(attempt);
        }
        for attempt in taken {
            self.abandon_if_there(attempt, calendar);
        }
    }
}
