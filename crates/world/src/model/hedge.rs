//! Several live attempts of one request: where an answer does not come soon, another attempt is
//! made beside it, and the first answer counts.

use super::answer::{Doing, ending};
use super::request::{Attempt, NOBODY, Phase};
use super::{Event, World};
use crate::observe::Latency;
use lbsim_engine::events::Calendar;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::hedge::Hedge;
use lbsim_strategies::balancer::retry::On;
use lbsim_strategies::strategy::{Outcome, Pick};

/// What is kept where requests are hedged.
#[derive(Debug, Default)]
pub(super) struct Hedges {
    by_request: Vec<Hedged>,
    /// By service and balancer.
    answers: Vec<Vec<Answers>>,
}

/// What is kept of one request.
#[derive(Clone, Debug)]
struct Hedged {
    /// Attempts whose answers are awaited besides the latest.
    others: Vec<u32>,
    /// When another attempt is made; an event that says otherwise is stale.
    due: Time,
    /// Attempts made beside others.
    made: u8,
    /// When the first of those was sent whose answers are awaited.
    since: Time,
}

const NONE: Hedged = Hedged {
    others: Vec::new(),
    due: Time::NEVER,
    made: 0,
    since: Time::ZERO,
};

/// How long the answers took that one balancer has had.
#[derive(Clone, Debug, Default)]
struct Answers {
    latency: Latency,
    /// The quantile asked for, as it was when last looked up.
    quantile: Option<Span>,
}

/// Answers from which on their quantile is known, and after so many more it is looked up again.
const ENOUGH: u64 = 100;

impl Hedges {
    /// None so far, in a world of so many balancers by service.
    pub(super) fn new(balancers: impl Iterator<Item = u16>) -> Hedges {
        let none = |count: u16| vec![Answers::default(); usize::from(count)];
        Hedges {
            by_request: Vec::new(),
            answers: balancers.map(none).collect(),
        }
    }

    fn of(&mut self, request: u32) -> &mut Hedged {
        let at = request as usize;
        if self.by_request.len() <= at {
            self.by_request.resize(at + 1, NONE);
        }
        &mut self.by_request[at]
    }

    /// Attempts of a request that were made beside others.
    pub(super) fn made(&self, request: u32) -> u8 {
        let of = self.by_request.get(request as usize);
        of.map_or(0, |hedged| hedged.made)
    }

    /// A request has ended.
    pub(super) fn forget(&mut self, request: u32) {
        if let Some(hedged) = self.by_request.get_mut(request as usize) {
            *hedged = NONE;
        }
    }

    /// How long an answer is awaited at a balancer before another attempt is made.
    fn delay(&self, hedge: &Hedge, (service, balancer): (u16, u16)) -> Span {
        let answers = &self.answers[usize::from(service)][usize::from(balancer)];
        match hedge.quantile {
            Some(_) => answers.quantile.unwrap_or(hedge.after),
            None => hedge.after,
        }
    }

    /// A request has been answered, so long after its first attempt was sent.
    fn note(&mut self, hedge: &Hedge, (service, balancer): (u16, u16), took: Span) {
        let Some(share) = hedge.quantile else { return };
        let answers = &mut self.answers[usize::from(service)][usize::from(balancer)];
        answers.latency.record(took);
        if answers.latency.count().is_multiple_of(ENOUGH) {
            let quantile = answers.latency.quantile(share.value());
            answers.quantile = quantile.map(Span::from_seconds);
        }
    }
}

impl World<'_> {
    /// An attempt of a request has just been sent: another one may be made beside it.
    #[cold]
    #[inline(never)]
    pub(super) fn plan_hedge(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let request = &self.requests[id];
        let from = (request.service, request.balancer);
        let plan = self.services[usize::from(request.service)].plan;
        let (Some(hedge), Some(hedges)) = (&plan.balancer.hedge, &mut self.hedges) else {
            return;
        };
        let now = calendar.now();
        let delay = hedges.delay(hedge, from);
        let hedged = hedges.of(id);
        if hedged.others.is_empty() {
            hedged.since = now;
        }
        if hedged.made < hedge.max {
            let due = now + delay;
            hedged.due = due;
            calendar.at(due, Event::Hedge(id));
        }
    }

    /// The answer of a request has not come soon.
    pub(super) fn hedge(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(hedges) = &mut self.hedges else {
            return;
        };
        let hedged = hedges.of(id);
        if hedged.due != now {
            return;
        }
        hedged.due = Time::NEVER;
        let live = std::mem::replace(&mut self.requests[id].live, NOBODY);
        if live == NOBODY {
            return;
        }
        hedged.others.push(live);
        hedged.made += 1;
        if let Pick::Member(member) = self.pick(id, On::Another, now) {
            self.send(id, member, calendar);
        } else if let Some(hedges) = &mut self.hedges {
            let hedged = hedges.of(id);
            hedged.made -= 1;
            self.requests[id].live = hedged.others.pop().unwrap_or(NOBODY);
        }
    }

    /// An attempt of a request has ended without a good answer, and is awaited no more. Says
    /// whether others are.
    #[inline(always)]
    pub(super) fn remove_live(&mut self, request: u32, ended: u32) -> bool {
        if self.hedges.is_none() {
            self.requests[request].live = NOBODY;
            return false;
        }
        self.remove_one_of_several(request, ended)
    }

    #[cold]
    fn remove_one_of_several(&mut self, request: u32, ended: u32) -> bool {
        let live = &mut self.requests[request].live;
        if let Some(hedges) = &mut self.hedges {
            let others = &mut hedges.of(request).others;
            if *live == ended {
                *live = others.pop().unwrap_or(NOBODY);
            } else {
                others.retain(|&other| other != ended);
            }
        }
        *live != NOBODY
    }

    /// The attempts of a request whose answers are awaited, which are thereby taken.
    pub(super) fn take_live(&mut self, request: u32) -> Vec<u32> {
        let live = std::mem::replace(&mut self.requests[request].live, NOBODY);
        let mut all = Vec::new();
        if let Some(hedges) = &mut self.hedges {
            let hedged = hedges.of(request);
            hedged.due = Time::NEVER;
            all = std::mem::take(&mut hedged.others);
        }
        all.extend((live != NOBODY).then_some(live));
        all
    }

    /// An attempt has been answered: nobody waits for the others of its request any more.
    #[cold]
    #[inline(never)]
    pub(super) fn win(&mut self, winner: u32, attempt: &Attempt, calendar: &mut Calendar<Event>) {
        let request = &self.requests[attempt.request];
        let from = (request.service, request.balancer);
        let plan = self.services[usize::from(request.service)].plan;
        if let (Some(hedge), Some(hedges)) = (&plan.balancer.hedge, &mut self.hedges) {
            let since = hedges.of(attempt.request).since;
            hedges.note(hedge, from, calendar.now() - since);
        }
        let mut others = self.take_live(attempt.request);
        others.retain(|&other| other != winner);
        // A later one that is called off would have been at any member.
        self.call_off(&others, attempt.sent, calendar);
    }

    /// Whoever waited for these attempts of a request does so no longer, and its balancer counts
    /// them no more. Those that were sent before `overdue` have been waited for in vain.
    pub(super) fn call_off(
        &mut self,
        attempts: &[u32],
        overdue: Time,
        calendar: &mut Calendar<Event>,
    ) {
        let Some(&first) = attempts.first() else {
            return;
        };
        let request = self.requests[self.attempts[first].request];
        // All before any: a slot that one gives back may be the end of another, who waited for it.
        let called_off: Vec<Attempt> = attempts.iter().map(|&id| self.attempts[id]).collect();
        for &id in attempts {
            self.disown(id);
        }
        let members: Vec<_> = (called_off.iter())
            .zip(attempts)
            .map(|(attempt, &id)| {
                let (outcome, status) = ending(Outcome::Cancelled);
                let doing = match attempt.sent < overdue {
                    true => Doing::Member,
                    false => Doing::Nobody,
                };
                let how = (outcome, status, doing);
                self.count_end(&request, (id, attempt), how, calendar)
            })
            .collect();
        for &id in attempts {
            self.abandon_if_there(id, calendar);
        }
        let (service, balancer) = (usize::from(request.service), usize::from(request.balancer));
        for member in members {
            self.serve_waiting(service, balancer, member, calendar);
        }
    }

    /// Nobody waits for an attempt any more, and no timeout strikes it.
    pub(super) fn disown(&mut self, id: u32) {
        let attempt = &mut self.attempts[id];
        (attempt.request, attempt.deadline) = (NOBODY, Time::NEVER);
    }

    /// Abandons an attempt that nobody waits for, if it has not left the world by now.
    pub(super) fn abandon_if_there(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let attempt = &self.attempts[id];
        if attempt.request == NOBODY && attempt.phase != Phase::Gone {
            self.abandon(id, calendar);
        }
    }
}
