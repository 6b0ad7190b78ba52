//! First stage of a request's life: it arrives from its source, and is on its way to a balancer.

use super::draft::Draft;
use super::enter::Asker;
use super::fault::Place;
use super::link::TO_BALANCER;
use super::request::{NOBODY, Request, Whereabouts};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::Luck;
use lbsim_engine::time::{Span, Time};

/// The purpose of a request's luck that delays it on the way to the balancer.
pub(super) const CLIENT: u64 = 0x300;

/// The stretch of the timeline of requests that stand in none.
pub(super) const NO_STRETCH: u16 = u16::MAX;

impl World<'_> {
    /// A client sends a request.
    #[inline(always)]
    pub(super) fn arrive(
        &mut self,
        source: usize,
        (draft, visit): (Draft, u32),
        calendar: &mut Calendar<Event>,
    ) {
        let now = calendar.now();
        let plan = &self.plan.sources[source];
        let measured = self.tally.measures(now) && !plan.hostile;
        if plan.hostile && self.tally.measures(now) {
            self.tally.hostile.requests += 1;
        }
        self.tally.simulated += 1;
        if measured {
            self.tally.requests += 1;
            self.tally.tries += 1;
            self.tally.presence.enter(now);
            if let Some(part) = self.tally.part(source as u16) {
                part.requests += 1;
            }
        }
        let session = self.sources[source].session(&draft);
        if let Some(sessions) = &mut self.sessions {
            sessions.ask(session, now, &mut self.tally);
        }
        let client = self.sources[source].client(&draft);
        let asker = Asker::Client(source as u16, client);
        let balancer = self.services[plan.service].instance(&draft, asker);
        let (to_balancer, from_balancer) = self.ways_to_balancer(
            (plan.zone, &plan.to_balancer),
            (plan.service, balancer),
            Luck::new(draft.luck, CLIENT),
        );
        let stretch = if plan.hostile {
            NO_STRETCH
        } else {
            self.tally.timeline.stretch(now)
        };
        let ends = (
            Place::Clients(source as u16),
            Place::Balancer(plan.service as u16, balancer),
        );
        let longer = self.passage(ends.0, ends.1, (draft.luck, TO_BALANCER));
        let request = self.requests.insert(Request {
            draft,
            arrived: now,
            client,
            session,
            visit,
            source: source as u16,
            service: plan.service as u16,
            balancer,
            attempts: 0,
            whereabouts: Whereabouts::Here,
            live: NOBODY,
            tried_count: 0,
            measured,
            stretch,
            tried: [0; 3],
            queued: Time::NEVER,
            from_balancer,
        });
        if let Some(calls) = &mut self.calls {
            calls.of_client(request);
            self.tally.services[plan.service].requests += u64::from(measured);
        }
        if self.clients.is_some() {
            self.begin_to_wait(request, 1, calendar);
        }
        self.set_out(request, to_balancer, longer, calendar);
    }

    /// A request sets out for its balancer, and takes so long and so much longer, or is lost.
    #[inline(always)]
    pub(super) fn set_out(
        &mut self,
        id: u32,
        takes: Span,
        longer: Option<Span>,
        calendar: &mut Calendar<Event>,
    ) {
        if self.parcels.is_some() {
            self.count_request(id, longer.is_some());
        }
        match longer {
            None => self.requests[id].whereabouts = Whereabouts::Lost,
            Some(longer) if (takes + longer).is_zero() => self.dispatch(id, calendar),
            Some(longer) => {
                self.requests[id].whereabouts = Whereabouts::Coming;
                calendar.after(takes + longer, Event::AtBalancer(id));
            }
        }
    }

    /// A user of a closed loop asks.
    pub(super) fn ask(&mut self, user: u32, calendar: &mut Calendar<Event>) {
        let (source, draft) = self.sources.ask(user);
        self.arrive(source, (draft, NOBODY), calendar);
    }

    /// A visitor has thought enough, and asks again.
    pub(super) fn go_on_with_visit(&mut self, visit: u32, calendar: &mut Calendar<Event>) {
        let (source, draft) = self.sources.go_on(visit);
        self.arrive(source, (draft, visit), calendar);
    }
}
