//! Probes that a strategy sends to servers, and what these answer: the requests they have, and how
//! long requests that found about as many took of late, as in Wydrowski et al., "Load is not what
//! you should balance: introducing Prequal", NSDI 2024, section 4. Probes cost no slot.

use super::request::{Attempt, NOBODY};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::Luck;
use lbsim_engine::time::Span;
use lbsim_strategies::strategy::{MemberId, Probe};

/// The purpose of a request's luck that delays the probes sent with it; the number of the probe is
/// added.
const PROBE: u64 = 0x600;

/// A probe on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trip {
    service: u16,
    balancer: u16,
    member: MemberId,
    /// What the server said, on the way back.
    answer: Option<Probe>,
    luck: u64,
}

/// Response times of late at one server, by the number of requests that each found there.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    by_load: Vec<Recent>,
}

/// The last few of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    spans: [Span; KEPT],
    count: usize,
}

const KEPT: usize = 8;

/// Servers that hold more requests than this are told apart no further.
const MOST: usize = 256;

impl Latencies {
    /// Takes the response time of a request that found `load` others.
    pub(super) fn record(&mut self, load: u32, span: Span) {
        let load = (load as usize).min(MOST);
        if self.by_load.len() <= load {
            self.by_load.resize(load + 1, Recent::default());
        }
        let recent = &mut self.by_load[load];
        recent.spans[recent.count % KEPT] = span;
        recent.count += 1;
    }

    /// The median at the number nearest to `load` of which anything is known; zero where nothing
    /// is.
    pub(super) fn estimate(&self, load: u32) -> Span {
        let load = (load as usize).min(MOST);
        let known = |at: usize| self.by_load.get(at).filter(|recent| recent.count > 0);
        let nearest = (0..=self.by_load.len().max(load))
            .find_map(|off| known(load + off).or_else(|| known(load.checked_sub(off)?)));
        nearest.map_or(Span::ZERO, |recent| {
            let mut spans = recent.spans;
            let spans = &mut spans[..recent.count.min(KEPT)];
            spans.sort_unstable();
            spans[spans.len() / 2]
        })
    }
}

impl World<'_> {
    /// Sends the probes that the balancer of a request asks for.
    #[cold]
    #[inline(never)]
    pub(super) fn send_probes(
        &mut self,
        (service, balancer, luck): (u16, u16, u64),
        calendar: &mut Calendar<Event>,
    ) {
        let place = &mut self.services[usize::from(service)];
        let members = place.balancers[usize::from(balancer)].take_probes();
        for (number, member) in members.into_iter().enumerate() {
            let luck = luck ^ (PROBE + 2 * number as u64);
            let trip = self.trips.insert(Trip {
                service,
                balancer,
                member,
                answer: None,
                luck,
            });
            self.send_probe_on(trip, PROBE, Event::ProbeAtServer(trip), calendar);
        }
    }

    /// A probe is at its server. One that is down says nothing.
    pub(super) fn probe(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let trip = self.trips[id];
        let server = (self.services[usize::from(trip.service)].first + trip.member) as usize;
        if !self.servers[server].is_up() {
            self.trips.remove(id);
            return;
        }
        let in_flight = self.servers[server].present();
        self.trips[id].answer = Some(Probe {
            in_flight,
            latency: self.latencies[server].estimate(in_flight),
        });
        self.send_probe_on(id, PROBE + 1, Event::ProbeAnswer(id), calendar);
    }

    /// The answer to a probe is at its balancer.
    pub(super) fn probe_answered(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let trip = self.trips[id];
        self.trips.remove(id);
        if let Some(answer) = trip.answer {
            self.services[usize::from(trip.service)].balancers[usize::from(trip.balancer)].probed(
                trip.member,
                &answer,
                calendar.now(),
            );
        }
    }

    fn send_probe_on(
        &mut self,
        id: u32,
        purpose: u64,
        event: Event,
        calendar: &mut Calendar<Event>,
    ) {
        let trip = self.trips[id];
        let service = &self.services[usize::from(trip.service)];
        let server = &self.servers[(service.first + trip.member) as usize];
        let delay = &service.plan.groups[usize::from(server.group)].to_server;
        let delay = delay.draw(Luck::new(trip.luck, purpose));
        if !delay.is_zero() {
            calendar.after(delay, event);
        } else if event == Event::ProbeAtServer(id) {
            self.probe(id, calendar);
        } else {
            self.probe_answered(id, calendar);
        }
    }

    /// A server has done the work of an attempt that found so many there and stayed so long, and
    /// those who want to know of it are told.
    #[cold]
    #[inline(never)]
    pub(super) fn note_served(
        &mut self,
        attempt: &Attempt,
        found: u16,
        stayed: Span,
        calendar: &mut Calendar<Event>,
    ) {
        let index = attempt.server as usize;
        if let Some(reported) = self.reported.get_mut(index) {
            reported.answered += 1;
        }
        if self.has_probes {
            self.latencies[index].record(u32::from(found), stayed);
        }
        let is_idle = self.servers[index].present() == 0;
        if self.hears_idle && is_idle && attempt.request != NOBODY {
            let luck = self.requests[attempt.request].draft.luck;
            self.tell_idle(attempt.server, luck, calendar.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_the_median_at_the_nearest_load() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.estimate(3), Span::ZERO);
        for millis in [5, 90, 7] {
            latencies.record(2, Span::from_millis(millis));
        }
        latencies.record(6, Span::from_millis(40));
        let estimates = [0, 2, 3, 5, 900].map(|load| latencies.estimate(load));
        assert_eq!(
            estimates.map(|span| span.nanos() / 1_000_000),
            [7, 7, 7, 40, 40]
        );
        for _ in 0..KEPT {
            latencies.record(2, Span::from_millis(1));
        }
        assert_eq!(latencies.estimate(2), Span::from_millis(1));
    }
}
