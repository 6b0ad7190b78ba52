//! Second stage: which of several balancers a request goes through, and how long its way there is.

use std::ops::Range;

use super::World;
use super::balancer::Spread;
use super::draft::Draft;
use super::network::{Delay, NOWHERE, Zone};
use super::service::Service;
use lbsim_engine::rng::{Luck, below, mix};
use lbsim_engine::time::Span;
use rand::Rng as _;

/// The purpose of a request's luck that picks its balancer.
const ROUTE: u64 = 0x500;

/// Who makes a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    /// A client: its group, and its number among all clients.
    Client(u16, u32),
    /// A server, among all of the world.
    Server(u32),
}

impl Service<'_> {
    /// The balancer that a request goes through.
    #[inline]
    pub(super) fn instance(&self, draft: &Draft, asker: Asker) -> u16 {
        let count = self.balancers.len();
        if count == 1 {
            return 0;
        }
        self.own_instance(asker).unwrap_or_else(|| {
            let word = Luck::new(draft.luck, ROUTE).next_u64();
            below(&mut Luck::new(word, 0), count) as u16
        })
    }

    /// The balancer that all requests of one go through; `None` where each goes through any.
    fn own_instance(&self, asker: Asker) -> Option<u16> {
        match (self.plan.balancer.spread, &self.plan.callers) {
            (Spread::Caller, Some(callers)) => Some(match asker {
                Asker::Client(source, _) => callers.of_source[usize::from(source)],
                Asker::Server(server) => callers.of_server[server as usize],
            }),
            (Spread::Client, _) => {
                // To the balancers of a service the clients are those who call: servers, numbered
                // from the far end.
                let client = match asker {
                    Asker::Client(_, client) => client,
                    Asker::Server(server) => u32::MAX - server,
                };
                let word = mix(self.route ^ mix(u64::from(client)));
                Some(below(&mut Luck::new(word, 0), self.balancers.len()) as u16)
            }
            _ => None,
        }
    }

    /// The balancers that requests of one may go through.
    pub(super) fn instances(&self, asker: Asker) -> Range<u16> {
        let count = self.balancers.len() as u16;
        match self.own_instance(asker) {
            Some(own) => own..own.saturating_add(1).min(count),
            None => 0..count,
        }
    }

    /// Where a balancer is.
    #[inline]
    pub(super) fn zone(&self, balancer: u16) -> Zone {
        (self.plan.zones.get(usize::from(balancer))).map_or(NOWHERE, |&zone| zone)
    }
}

impl World<'_> {
    /// How long a request takes from who is in a zone to a balancer, and its answer back, where
    /// nothing is wrong; `usual` is what is said of who makes it. Where both ways are alike they
    /// take as long.
    #[inline(always)]
    pub(super) fn ways_to_balancer(
        &self,
        (from, usual): (Zone, &Delay),
        (service, balancer): (usize, u16),
        luck: Luck,
    ) -> (Span, Span) {
        if self.plan.ways.is_empty() {
            let way = usual.draw(luck);
            return (way, way);
        }
        let service = &self.services[service];
        if service.plan.callers.is_some() {
            return (Span::ZERO, Span::ZERO);
        }
        let to = service.zone(balancer);
        let draw = |said: Option<&Delay>| said.unwrap_or(usual).draw(luck);
        let ways = &self.plan.ways;
        (draw(ways.between(from, to)), draw(ways.between(to, from)))
    }

    /// The same for what a server calls.
    pub(super) fn ways_from_server(
        &self,
        (server, usual): (u32, &Delay),
        (service, balancer): (usize, u16),
        luck: Luck,
    ) -> (Span, Span) {
        if self.services[service].plan.callers.is_some() {
            return (Span::ZERO, Span::ZERO);
        }
        let zone = self.servers[server as usize].group_in(self.plan).zone;
        self.ways_to_balancer((zone, usual), (service, balancer), luck)
    }
}
