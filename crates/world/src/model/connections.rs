//! Connections from balancers to servers, where there are only so many: whoever has been sent to a
//! server waits at its balancer for one, first come, first served.

use std::collections::{BTreeMap, VecDeque};

use super::request::{Attempt, NOBODY, Phase};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::limit::{Among, Limiter};
use lbsim_strategies::strategy::{Answer, Outcome};

/// Between whom connections are: the service and the number of the balancer, the server, and what
/// is asked for, where each key has connections of its own.
type Ends = (u16, u16, u32, u64);

/// All connections of a world.
#[derive(Debug, Default)]
pub(super) struct Bundles {
    bundles: BTreeMap<Ends, Bundle>,
    /// By attempt: the connection that it has, since when, and among how many.
    held: Vec<Option<(Ends, Time, Among)>>,
    /// By attempt: how long it waited for its connection.
    waits: Vec<Span>,
    /// Tickets given out.
    tickets: u64,
}

/// The connections between two ends.
#[derive(Debug)]
struct Bundle {
    limiter: Limiter,
    /// Who waits, with their tickets; some may have gone by now.
    waiting: VecDeque<(u64, u32)>,
}

impl Bundles {
    /// A balancer has none any more.
    pub(super) fn restart(&mut self, balancer: (u16, u16)) {
        self.bundles.retain(|ends, _| (ends.0, ends.1) != balancer);
    }

    /// How long an attempt waited for its connection.
    pub(super) fn waited(&self, attempt: u32) -> Span {
        (self.waits.get(attempt as usize).copied()).unwrap_or(Span::ZERO)
    }

    fn note(&mut self, attempt: u32, held: Option<(Ends, Time, Among)>, waited: Span) {
        let at = attempt as usize;
        if self.held.len() <= at {
            self.held.resize(at + 1, None);
            self.waits.resize(at + 1, Span::ZERO);
        }
        self.held[at] = held;
        self.waits[at] = waited;
    }
}

impl World<'_> {
    /// Whether an attempt, number `number` of its request, has a connection to its server now that
    /// it has been sent there; else it waits for one.
    #[cold]
    #[inline(never)]
    pub(super) fn connects(&mut self, id: u32, number: u8, work: Span, now: Time) -> bool {
        let attempt = &self.attempts[id];
        let request = &self.requests[attempt.request];
        let plan = self.services[usize::from(request.service)].plan;
        let (Some(connections), Some(limits)) = (&plan.balancer.connections, &mut self.limits)
        else {
            return true;
        };
        let key = if connections.per_key {
            request.draft.key
        } else {
            0
        };
        let ends = (request.service, request.balancer, attempt.server, key);
        let own = &mut limits.connections;
        let bundle = own.bundles.entry(ends).or_insert_with(|| Bundle {
            limiter: Limiter::by(&connections.by),
            waiting: VecDeque::new(),
        });
        // Those at the head who have gone stand in nobody's way.
        while let Some(&(ticket, first)) = bundle.waiting.front()
            && (self.attempts[first].request == NOBODY
                || !waits(&self.attempts[first].phase, ticket))
        {
            bundle.waiting.pop_front();
        }
        if bundle.waiting.is_empty() && bundle.limiter.may_enter(0, now) {
            let among = bundle.limiter.enter(now);
            own.note(id, Some((ends, now, among)), Span::ZERO);
            return true;
        }
        own.tickets += 1;
        let ticket = own.tickets;
        bundle.waiting.push_back((ticket, id));
        own.note(id, None, Span::ZERO);
        self.attempts[id].phase = Phase::Lining {
            ticket,
            work,
            number,
        };
        false
    }

    /// An attempt has ended, and gives back its connection, if it has one: the next who wait have
    /// theirs.
    pub(super) fn leave_connection(
        &mut self,
        id: u32,
        answer: &Answer,
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let Some(limits) = &mut self.limits else {
            return;
        };
        let held = limits
            .connections
            .held
            .get_mut(id as usize)
            .and_then(Option::take);
        let Some((ends, since, among)) = held else {
            return;
        };
        let answered = self.attempts[id].request;
        if let Some(bundle) = limits.connections.bundles.get_mut(&ends) {
            // Copies of a request that has been answered are about to be called off.
            if answer.outcome == Outcome::Success && self.hedges.is_some() {
                let attempts = &self.attempts;
                (bundle.waiting).retain(|&(_, other)| attempts[other].request != answered);
            }
            let ended = (answer.outcome, answer.status);
            bundle.limiter.leave(ended, now - since, among);
        }
        while let Some(limits) = &mut self.limits
            && let Some(bundle) = limits.connections.bundles.get_mut(&ends)
            && let Some(&(ticket, next)) = bundle.waiting.front()
        {
            let Attempt {
                phase,
                request,
                sent,
                ..
            } = self.attempts[next];
            // Nobody waits for it any more, or it has gone.
            if request == NOBODY || !waits(&phase, ticket) {
                bundle.waiting.pop_front();
                continue;
            }
            if !bundle.limiter.may_enter(0, now) {
                break;
            }
            bundle.waiting.pop_front();
            let among = bundle.limiter.enter(now);
            limits
                .connections
                .note(next, Some((ends, now, among)), now - sent);
            if let Phase::Lining { work, number, .. } = phase {
                self.attempts[next].phase = Phase::Travelling { work };
                self.depart(next, (u64::from(number), work), calendar);
            }
        }
    }
}

/// Whether an attempt waits with this ticket.
fn waits(phase: &Phase, ticket: u64) -> bool {
    matches!(phase, Phase::Lining { ticket: own, .. } if *own == ticket)
}
