//! Probes that a strategy sends to servers, and what these answer: the requests they have, and how
//! long requests that found about as many took of late, as in Wydrowski et al., "Load is not what
//! you should balance: introducing Prequal", NSDI 2024, section 4. Probes cost no slot.

use super::message::{Between, News, Question};
use super::request::{Attempt, NOBODY};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::time::Span;
use lbsim_strategies::strategy::Probe;

/// The purpose of a request's luck from which the probes sent with it have theirs; the number of
/// the probe is added.
const PROBE: u64 = 0x600;

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
            let between = Between {
                service,
                balancer,
                member,
                luck,
            };
            self.ask_server(between, Question::Probe, calendar);
        }
    }

    /// A probe is at its server. One that is down says nothing.
    pub(super) fn probed(&mut self, between: Between, calendar: &mut Calendar<Event>) {
        let first = self.services[usize::from(between.service)].first;
        let server = (first + between.member) as usize;
        if !self.servers[server].is_up() {
            return;
        }
        let in_flight = self.servers[server].present();
        let probe = Probe {
            in_flight,
            latency: self.latencies[server].estimate(in_flight),
        };
        self.tell_balancer(between, News::Probed(probe), calendar);
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
        self.warm(attempt.server, calendar);
        self.may_go_down(attempt.server, calendar);
        let is_idle = self.servers[index].present() == 0;
        if self.hears_idle && is_idle && attempt.request != NOBODY {
            let luck = self.requests[attempt.request].draft.luck;
            self.tell_idle(attempt.server, luck, calendar);
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
