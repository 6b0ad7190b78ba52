//! Watches what balancers think of their members against what these are like. It never changes the
//! world.

use super::World;
use super::blueprint::{Blueprint, ServicePlan};
use super::fault::{Place, Ways};
use super::request::{Attempt, NOBODY, Phase, Request};
use crate::observe::LeftOutBy;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;
use lbsim_strategies::strategy::MemberId;

/// What is kept of each member, by service and, within it, by balancer and member.
#[derive(Debug)]
pub(super) struct Detections {
    by_service: Vec<Vec<Observed>>,
}

/// One member as one balancer has it.
#[derive(Clone, Copy, Debug, Default)]
struct Observed {
    /// Faults that hold at it, or between it and the balancer.
    faults: u32,
    /// Since when it has been ill, or well.
    since: Time,
    /// Why it is left out, and since when.
    out: Option<(LeftOutBy, Time)>,
    /// From when to when it was left out before.
    was_out: Option<(Time, Time)>,
    /// Whether its present illness, or the last one, was noticed while it lasted.
    noticed: bool,
}

impl Observed {
    /// Whether an attempt that was sent then, and has come to nothing, was hurt: it met with an
    /// illness while it was under way, and its member had not been left out when it was sent.
    /// Whoever is sent there all the same, to find out or for want of others, is no victim of slow
    /// notice.
    fn hurts(&self, sent: Time) -> bool {
        // A fault that is over may have cost it its answer before.
        let met_illness = self.faults > 0 || self.since > sent;
        let is_out = self.out.is_some_and(|(_, since)| since <= sent);
        let was_out = (self.was_out).is_some_and(|(from, to)| from <= sent && sent < to);
        met_illness && !is_out && !was_out
    }
}

impl Detections {
    /// Where balancers have opinions of members that can be ill or busy; `None` elsewhere.
    pub(super) fn of(plan: &Blueprint) -> Option<Box<Detections>> {
        plan.features().detections().then(|| {
            let count = |service: &ServicePlan| {
                usize::from(service.balancer.instances) * service.servers.len()
            };
            let all = plan.services.iter();
            let by_service = all.map(|service| vec![Observed::default(); count(service)]);
            Box::new(Detections {
                by_service: by_service.collect(),
            })
        })
    }
}

impl World<'_> {
    /// A fault begins at a server, or ends.
    pub(super) fn note_illness(&mut self, server: u32, begins: bool, now: Time) {
        if self.detections.is_none() {
            return;
        }
        let service = usize::from(self.servers[server as usize].service);
        let member = server - self.services[service].first;
        for balancer in 0..self.services[service].balancers.len() {
            self.note_illness_for((service, balancer), member, begins, now);
        }
    }

    /// A fault begins on some ways, or ends: balancers and members at their ends.
    pub(super) fn note_ways(&mut self, ways: &Ways, begins: bool, now: Time) {
        if self.detections.is_none() {
            return;
        }
        for service in 0..self.services.len() {
            let place = &self.services[service];
            let (first, members) = (place.first, place.plan.servers.len() as u32);
            for balancer in 0..place.balancers.len() {
                for member in 0..members {
                    let at = Place::Balancer(service as u16, balancer as u16);
                    let server = Place::Server(first + member);
                    if ways.lead(at, server) || ways.lead(server, at) {
                        self.note_illness_for((service, balancer), member, begins, now);
                    }
                }
            }
        }
    }

    fn note_illness_for(
        &mut self,
        (service, balancer): (usize, usize),
        member: MemberId,
        begins: bool,
        now: Time,
    ) {
        let place = &self.services[service];
        let members = place.plan.servers.len();
        // Who is drained, or not in the pool, gets no requests either.
        let is_left_alone = !place.balancers[balancer].pool().is_eligible(member);
        // Who is dead thinks nothing of anybody.
        let thinks = !place.is_dead(balancer as u16);
        let (Some(detections), Some(tally)) =
            (&mut self.detections, self.tally.detections.get_mut(service))
        else {
            return;
        };
        let at = balancer * members + member as usize;
        let one = &mut detections.by_service[service][at];
        let was_ill = one.faults > 0;
        one.faults = if begins {
            one.faults + 1
        } else {
            one.faults.saturating_sub(1)
        };
        let is_ill = one.faults > 0;
        if was_ill == is_ill {
            return;
        }
        let (from, to) = (self.tally.from, self.tally.to);
        let measured = now >= from && now < to;
        if is_ill {
            // Whoever is left out already is thereby rightly so.
            if let Some((by, since)) = one.out
                && !one.noticed
            {
                tally.wrong_time[by as usize] += now.min(to).since(since.max(from));
            }
            (one.since, one.noticed) = (now, one.out.is_some() || is_left_alone || !thinks);
            if measured && thinks {
                tally.failures += 1;
                if one.noticed {
                    tally.detected.record(Span::ZERO);
                }
            }
        } else {
            if !one.noticed && one.since >= from && one.since < to {
                tally.missed += 1;
            }
            one.since = now;
            // Whoever has come back meanwhile may be left out wrongly from now on.
            one.noticed &= one.out.is_some();
        }
    }

    /// What a balancer thinks of a member may have changed.
    pub(super) fn note_opinion(
        &mut self,
        (service, balancer): (usize, usize),
        member: MemberId,
        now: Time,
    ) {
        let place = &self.services[service];
        let members = place.plan.servers.len();
        let (Some(detections), Some(tally)) =
            (&mut self.detections, self.tally.detections.get_mut(service))
        else {
            return;
        };
        let by = (place.balancers[balancer].thinks_ill_of(member)).map(|reason| match reason {
            Reason::Down => LeftOutBy::Checks,
            _ => LeftOutBy::Ejection,
        });
        let one = &mut detections.by_service[service][balancer * members + member as usize];
        if one.out.is_some() == by.is_some() {
            return;
        }
        let (from, to) = (self.tally.from, self.tally.to);
        let is_in = |time: Time| time >= from && time < to;
        let is_ill = one.faults > 0;
        let was_out = one.out.map(|(_, since)| (since, now));
        one.was_out = was_out.or(one.was_out);
        match (one.out.take(), by) {
            (None, Some(by)) => {
                one.out = Some((by, now));
                if is_ill {
                    if !one.noticed && is_in(one.since) {
                        tally.detected.record(now - one.since);
                    }
                    one.noticed = true;
                } else {
                    one.noticed = false;
                    tally.wrong[by as usize] += u64::from(is_in(now));
                }
            }
            (Some((by, since)), _) if !is_ill => {
                if one.noticed {
                    if is_in(now) {
                        tally.returned.record(now - one.since);
                    }
                } else {
                    tally.wrong_time[by as usize] += now.min(to).since(since.max(from));
                }
                one.noticed = false;
            }
            _ => {}
        }
    }

    /// What a balancer thinks of any of its members may have changed.
    pub(super) fn note_opinions(&mut self, (service, balancer): (usize, usize), now: Time) {
        for member in 0..self.services[service].plan.servers.len() as MemberId {
            self.note_opinion((service, balancer), member, now);
        }
    }

    /// An attempt of a measured request, which a balancer had sent, has come to nothing at its
    /// member.
    #[cold]
    pub(super) fn note_hurt(&mut self, request: &Request, attempt: &Attempt) {
        let (service, balancer) = (usize::from(request.service), usize::from(request.balancer));
        let place = &self.services[service];
        let at = balancer * place.plan.servers.len() + (attempt.server - place.first) as usize;
        if let (Some(detections), Some(tally)) =
            (&self.detections, self.tally.detections.get_mut(service))
        {
            let one = &detections.by_service[service][at];
            tally.hurt += u64::from(one.hurts(attempt.sent));
        }
    }

    /// Counts the attempts that have no end when the run is over, and none because of an illness:
    /// lost, or at a server that says nothing, and nobody gives them up.
    fn note_stranded(&mut self) {
        let awaited = self.attempts.all().map(|(_, attempt)| *attempt);
        let awaited: Vec<Attempt> = awaited
            .filter(|attempt| attempt.request != NOBODY && attempt.phase != Phase::Gone)
            .collect();
        for attempt in awaited {
            let request = self.requests[attempt.request];
            if request.measured {
                self.note_hurt(&request, &attempt);
            }
        }
    }

    /// The measured window is over: who is left out wrongly has been so until now.
    pub(super) fn close_detections(&mut self) {
        if self.detections.is_some() {
            self.note_stranded();
        }
        let Some(detections) = self.detections.take() else {
            return;
        };
        let (from, to) = (self.tally.from, self.tally.to);
        for (all, tally) in detections.by_service.iter().zip(&mut self.tally.detections) {
            for one in all {
                if let (Some((by, since)), 0, false) = (one.out, one.faults, one.noticed) {
                    tally.wrong_time[by as usize] += to.since(since.max(from).min(to));
                }
            }
        }
    }
}
