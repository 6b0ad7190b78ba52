//! Clients that do not wait for ever: they give up, and may ask again.

use super::answer::ending;
use super::arrive::{CLIENT, NO_STRETCH};
use super::blueprint::Patience;
use super::enter::Asker;
use super::fault::Place;
use super::link::TO_BALANCER;
use super::request::{NOBODY, Phase, Request, Whereabouts};
use super::{Event, World};
use crate::observe::Cause;
use lbsim_engine::distribution::Sampler;
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Luck, mix};
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::budget::Purse;
use lbsim_strategies::strategy::Outcome;

/// Purposes of a request's luck: how long its client waits, and how long before it asks again; to
/// the second the number of times that it has asked is added.
const PATIENCE: u64 = 0xe00;
const PAUSE: u64 = 0xf00;

/// What is kept where clients give up or ask again.
#[derive(Debug)]
pub(super) struct Clients {
    by_request: Vec<Waits>,
    /// By source: what is left of the budget of retries.
    purses: Vec<Option<Purse>>,
}

/// How long the client of one request waits; an event that says otherwise is stale.
#[derive(Clone, Copy, Debug)]
struct Waits {
    /// Until then whatever happens.
    timeout: Time,
    /// Until then while nobody works on it.
    patience: Time,
    /// How often it has asked.
    asked: u8,
}

const FOR_EVER: Waits = Waits {
    timeout: Time::NEVER,
    patience: Time::NEVER,
    asked: 1,
};

impl Clients {
    /// Nobody waits yet, of these sources.
    pub(super) fn new<'p>(sources: impl Iterator<Item = &'p Patience>) -> Clients {
        let purse = |patience: &Patience| Some(Purse::new(patience.retry.as_ref()?.budget?));
        Clients {
            by_request: Vec::new(),
            purses: sources.map(purse).collect(),
        }
    }

    /// How often the client of a request has asked for it.
    pub(super) fn asked(&mut self, request: u32) -> u8 {
        self.of(request).asked
    }

    fn of(&mut self, request: u32) -> &mut Waits {
        let at = request as usize;
        if self.by_request.len() <= at {
            self.by_request.resize(at + 1, FOR_EVER);
        }
        &mut self.by_request[at]
    }

    /// A request has ended.
    pub(super) fn forget(&mut self, request: u32) {
        if let Some(waits) = self.by_request.get_mut(request as usize) {
            *waits = FOR_EVER;
        }
    }
}

impl World<'_> {
    /// A client has asked, so many times by now, and waits.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_to_wait(&mut self, id: u32, asked: u8, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let request = &self.requests[id];
        let source = usize::from(request.source);
        let patience = &self.plan.sources[source].patience;
        let Some(clients) = &mut self.clients else {
            return;
        };
        let timeout = (patience.timeout).map_or(Time::NEVER, |timeout| now + timeout);
        let drawn = |law: &Sampler| {
            let luck = &mut Luck::new(request.draft.luck, PATIENCE);
            now + Span::from_seconds(law.sample(luck))
        };
        let patience = patience.waits.as_ref().map_or(Time::NEVER, drawn);
        *clients.of(id) = Waits {
            timeout,
            patience,
            asked,
        };
        if let Some(deadlines) = &mut self.deadlines {
            let travels = self.plan.sources[source].patience.deadline_travels;
            deadlines.set(id, if travels { timeout } else { Time::NEVER });
        }
        if let Some(purse) = &mut clients.purses[source] {
            if asked == 1 {
                purse.asked(now);
            }
            purse.sent();
        }
        for due in [timeout, patience] {
            if due != Time::NEVER {
                calendar.at(due, Event::GiveUp(id));
            }
        }
    }

    /// The client of a request may have waited long enough.
    pub(super) fn may_give_up(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(clients) = &mut self.clients else {
            return;
        };
        let waits = *clients.of(id);
        if waits.timeout == now || (waits.patience == now && !self.is_served(id)) {
            self.give_up(id, calendar);
        }
    }

    /// Until when the client of a request waits whatever happens.
    pub(super) fn waits_until(&self, id: u32) -> Time {
        let clients = self.clients.as_ref();
        let waits = clients.and_then(|clients| clients.by_request.get(id as usize));
        waits.map_or(Time::NEVER, |waits| waits.timeout)
    }

    /// The client of a request has its answer; says how often it has asked.
    pub(super) fn has_answer(&mut self, id: u32, request: &Request) -> u8 {
        let Some(clients) = &mut self.clients else {
            return 1;
        };
        let asked = clients.of(id).asked;
        if let Some(purse) = &mut clients.purses[usize::from(request.source)] {
            purse.ended(Outcome::Success, asked > 1);
        }
        asked
    }

    /// Whether somebody works on a request, or has done so and its answer is under way.
    fn is_served(&self, id: u32) -> bool {
        let live = self.requests[id].live;
        live != NOBODY
            && matches!(
                self.attempts[live].phase,
                Phase::Serving { .. }
                    | Phase::Sharing { .. }
                    | Phase::Calling { .. }
                    | Phase::Returning { .. }
            )
    }

    /// A client gives up: whoever works on its request is told, or works on for nobody.
    fn give_up(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let request = self.requests[id];
        let taken = self.take_live(id);
        if self.has_bonds && self.waits_until(id) == calendar.now() {
            for &attempt in &taken {
                self.turn_to_next_name(id, self.attempts[attempt].server, calendar.now());
            }
        }
        self.call_off(&taken, Time::NEVER, calendar);
        if self.limits.is_some() {
            self.leave_gate(id, ending(Outcome::Cancelled), calendar);
        }
        let service = &mut self.services[usize::from(request.service)];
        let waited = service.balancers[usize::from(request.balancer)].give_up(id);
        if (request.whereabouts == Whereabouts::Pausing || (waited && request.attempts > 0))
            && let Some(purse) = service.purses.get_mut(usize::from(request.balancer))
        {
            purse.forgo();
        }
        if self.calls.is_some() {
            self.settle_call(id, (&request, Span::ZERO), Err(Cause::GaveUp), calendar);
        }
        let told = (Cause::GaveUp, Outcome::Cancelled.status());
        self.has_failed((id, &request), told, Span::ZERO, calendar);
    }

    /// A client whose request has failed, and who hears so after some time, asks again, where it
    /// does so. Says whether it does.
    #[cold]
    #[inline(never)]
    pub(super) fn ask_again(
        &mut self,
        (id, request): (u32, &Request),
        (cause, status): (Cause, Status),
        way: Span,
        calendar: &mut Calendar<Event>,
    ) -> bool {
        let now = calendar.now();
        let source = usize::from(request.source);
        let plan = &self.plan.sources[source];
        let (Some(retry), Some(clients)) = (&plan.patience.retry, &mut self.clients) else {
            return false;
        };
        let asked = clients.of(id).asked;
        if let Some(purse) = &mut clients.purses[source] {
            purse.ended(Outcome::Failure, asked > 1);
        }
        let hopeless = cause == Cause::Error && !retry.repeats(status);
        if asked > retry.max
            || hopeless
            || !(clients.purses[source].as_mut()).is_none_or(|purse| purse.allows(now))
        {
            return false;
        }
        let luck = Luck::new(request.draft.luck, PAUSE + u64::from(asked));
        let pause = way + retry.pause(asked, luck);
        let mut again = Request {
            attempts: 0,
            tried_count: 0,
            queued: Time::NEVER,
            whereabouts: Whereabouts::Coming,
            live: NOBODY,
            ..*request
        };
        // Another time, another luck: a server that was slow need not be so again.
        again.draft.luck = mix(request.draft.luck ^ mix(u64::from(asked)));
        self.release(id);
        let id = self.requests.insert(again);
        if let Some(clients) = &mut self.clients {
            *clients.of(id) = Waits { asked, ..FOR_EVER };
        }
        if let Some(calls) = &mut self.calls {
            calls.of_client(id);
        }
        if pause.is_zero() {
            self.set_out_again(id, calendar);
        } else {
            calendar.after(pause, Event::AskAgain(id));
        }
        true
    }

    /// A client asks again, through any of the balancers.
    pub(super) fn set_out_again(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let request = &self.requests[id];
        let (service, source) = (request.service, request.source);
        let asker = Asker::Client(source, request.client);
        let balancer = self.services[usize::from(service)].instance(&request.draft, asker);
        let (draft, measured) = (request.draft, request.measured);
        let plan = &self.plan.sources[usize::from(source)];
        let (takes, back) = self.ways_to_balancer(
            (plan.zone, &plan.to_balancer),
            (usize::from(service), balancer),
            Luck::new(draft.luck, CLIENT),
        );
        let request = &mut self.requests[id];
        (request.balancer, request.from_balancer) = (balancer, back);
        if request.stretch != NO_STRETCH {
            self.tally.timeline.repeated(calendar.now());
        }
        if measured {
            self.tally.tries += 1;
            if let Some(count) = self.tally.services.get_mut(usize::from(service)) {
                count.requests += 1;
            }
        }
        let asked = match &mut self.clients {
            Some(clients) => clients.of(id).asked.saturating_add(1),
            None => 1,
        };
        self.begin_to_wait(id, asked, calendar);
        let ends = (Place::Clients(source), Place::Balancer(service, balancer));
        let longer = self.passage(ends.0, ends.1, (draft.luck, TO_BALANCER));
        self.requests[id].whereabouts = Whereabouts::Here;
        self.set_out(id, takes, longer, calendar);
    }
}
