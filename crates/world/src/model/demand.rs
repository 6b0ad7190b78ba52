//! How much is asked of services, and how much they can do: by clients, and by servers in the
//! course of their requests.

use std::sync::Arc;

use super::blueprint::{Blueprint, GroupPlan, ServicePlan, SourcePlan, When};
use super::network::{Delay, Zone};
use super::step::StepKind;
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::affinity::Sticky;
use lbsim_strategies::strategy::{Member, Pool, shares};

impl Blueprint {
    /// Requests that one of those of source number `source` brings to each service on average, by
    /// service: itself, and what servers call in its course. Where servers of a service do
    /// different things, each counts for its share of what the service can do.
    pub fn visits(&self, source: usize) -> Vec<f64> {
        let plan = &self.sources[source];
        let mut visits = vec![0.0; self.services.len()];
        visits[plan.service] = 1.0;
        for &caller in &self.callers_first(plan.service) {
            for (callee, calls) in self.calls(&self.services[caller], source) {
                visits[callee] += visits[caller] * calls;
            }
        }
        visits
    }

    /// The services that requests to `first` reach, each before those that it calls.
    fn callers_first(&self, first: usize) -> Vec<usize> {
        let (mut order, mut seen) = (Vec::new(), vec![false; self.services.len()]);
        // The way to the service at hand: each with those of its callees that are still to be seen.
        let mut way = vec![(first, self.services[first].callees())];
        seen[first] = true;
        while let Some((at, open)) = way.last_mut() {
            match open.pop() {
                Some(next) if seen[next] => {}
                Some(next) => {
                    seen[next] = true;
                    way.push((next, self.services[next].callees()));
                }
                None => {
                    order.push(*at);
                    way.pop();
                }
            }
        }
        order.reverse();
        order
    }

    /// How often a request of this source to a service calls which, on average.
    pub fn calls(&self, service: &ServicePlan, source: usize) -> Vec<(usize, f64)> {
        let size = self.sources[source].mean_size();
        let mut capacities = service.capacities(size);
        // Where requests take no time, all who are so quick share alike.
        if capacities.contains(&f64::INFINITY) {
            for capacity in &mut capacities {
                *capacity = f64::from(u8::from(capacity.is_infinite()));
            }
        }
        // Who goes by place sends all of a group of clients to those of the least rank there.
        let plan = &self.sources[source];
        let is_first = std::ptr::eq(service, &self.services[plan.service]);
        if is_first
            && service.balancer.strategy.goes_by_place()
            && let Some(ranks) = self.ranks_from(service, source)
        {
            let in_charge = service.in_charge();
            let serving = ranks.iter().zip(&in_charge).filter(|(_, serves)| **serves);
            let least = serving.filter_map(|(rank, _)| *rank).min();
            for (capacity, rank) in capacities.iter_mut().zip(&ranks) {
                *capacity *= f64::from(u8::from(rank.is_some() && *rank <= least));
            }
        }
        let each = service.over_those_in_charge(self.end - Time::ZERO, &capacities);
        let all: f64 = each.iter().sum();
        let mut calls = Vec::new();
        for (index, group) in service.groups.iter().enumerate() {
            let own =
                (service.servers.iter().zip(&each)).filter(|(server, _)| server.group == index);
            let own: f64 = own.map(|(_, capacity)| capacity).sum();
            // Where one group is all there is, its share is a whole, though nobody may be there.
            let share = if service.groups.len() == 1 {
                1.0
            } else {
                own / all
            };
            for step in &group.steps {
                if let StepKind::Call(call) = &step.kind {
                    let times = share * step.times_of(source);
                    calls.extend(call.services.iter().map(|&callee| (callee, times)));
                }
            }
        }
        calls
    }

    /// The ranks of the members of a service for the clients of a source, each of which has its own
    /// balancer there; `None` where it has none.
    fn ranks_from(&self, service: &ServicePlan, source: usize) -> Option<Vec<Option<u64>>> {
        let callers = service.callers.as_ref()?;
        let from = self.sources[source].zone;
        let way = |server: usize| {
            let group = service.group(server);
            let said = self.ways.between(from, group.zone);
            Span::from_seconds(said.unwrap_or(&group.to_server).mean())
        };
        let ways = (0..service.servers.len()).map(way).collect();
        let own = callers.of_source.get(source).map(|&own| usize::from(own));
        let zone = own.and_then(|own| service.balancer.zones.get(own));
        let pool = Pool::new(Arc::clone(&service.members)).reached_by(ways);
        let pool = pool.standing_in(zone.map_or("", String::as_str));
        Some(service.balancer.strategy.ranks(&pool))
    }

    /// The share of a service's capacity that is asked for over the run, where all servers are well
    /// and each call is made once; `None` where nobody asks, or a closed loop does, whose rate
    /// depends on the answers. Where slots are kept for calls, they count for the least time that
    /// these can take: it may be more.
    pub fn utilization(&self, service: usize) -> Option<f64> {
        let end = self.end - Time::ZERO;
        self.asked(service, |source| source.rate(end))
    }

    /// The share of its capacity that is asked of each server of a service over the run, by server,
    /// where that is known beforehand: by the [`shares`] of its strategy, where nothing else
    /// decides where requests go. Under conditions as for
    /// [`utilization`](Blueprint::utilization).
    pub fn blind_utilization(&self, service: usize) -> Option<Vec<f64>> {
        let plan = &self.services[service];
        let (balancer, end) = (&plan.balancer, self.end - Time::ZERO);
        let is_there = |group: &GroupPlan| {
            let stays = group.joins == Time::ZERO && group.leaves >= self.end;
            group.autoscale.is_none()
                && stays
                && group.limit.is_none()
                && group.queue_limit == u32::MAX
                && group.under_load.is_none()
        };
        let is_free = |member: &Member| member.max_connections == 0;
        let is_pick_all = balancer.sticky == Sticky::No
            && balancer.subset.is_none()
            && balancer.own_zone.is_none()
            && balancer.server_limit.is_none()
            && balancer.limit.is_none()
            && balancer.client_limit.is_none()
            && balancer.connections.is_none()
            && balancer.hedge.is_none()
            && plan.members.iter().all(is_free)
            && plan.groups.iter().all(is_there);
        if !is_pick_all {
            return None;
        }
        let turns = shares(&balancer.strategy, &plan.members)?;
        let mut load = vec![0.0; turns.len()];
        for (source, visits) in self.sources_of(service) {
            let rate = source.rate(end)? * visits;
            let recorded = (source.service == service).then(|| source.recorded_service());
            let capacities = match recorded.flatten() {
                Some(seconds) => (0..turns.len())
                    .map(|server| plan.group(server).capacity_for(seconds, balancer.at_once()))
                    .collect(),
                None => plan.capacities(source.mean_size()),
            };
            for ((load, turns), capacity) in load.iter_mut().zip(&turns).zip(capacities) {
                *load += rate * turns / capacity;
            }
        }
        Some(load)
    }

    /// The sum over all sources of how much of a service's capacity each asks for, at these rates.
    pub fn asked(&self, service: usize, rate: impl Fn(&SourcePlan) -> Option<f64>) -> Option<f64> {
        let plan = &self.services[service];
        let end = self.end - Time::ZERO;
        let mut load = 0.0;
        for (source, visits) in self.sources_of(service) {
            let rate = rate(source)? * visits;
            let recorded = (source.service == service)
                .then(|| source.recorded_service())
                .flatten();
            let capacity = match recorded {
                Some(seconds) => plan.capacity_for(seconds, end),
                None => plan.capacity(source.mean_size(), end),
            };
            load += rate / capacity;
        }
        (load > 0.0).then_some(load)
    }

    /// The sources whose requests reach a service, each with how many requests there one of its own
    /// becomes on average.
    pub fn sources_of(&self, service: usize) -> impl Iterator<Item = (&SourcePlan, f64)> {
        let reaches = move |source: usize| {
            let visits = self.visits(source)[service];
            (visits > 0.0).then_some((&self.sources[source], visits))
        };
        (0..self.sources.len()).filter_map(reaches)
    }

    /// Works out which share of the requests to each service takes the steps that are only for some
    /// groups of clients, as far as their rates are known beforehand: users of a closed loop count
    /// as if all groups of them asked equally often.
    fn work_out_shares(&mut self) {
        let has_routes = |group: &GroupPlan| group.steps.iter().any(|step| step.sources.is_some());
        let mut groups = self.services.iter().flat_map(|service| &service.groups);
        if !groups.any(has_routes) {
            return;
        }
        let end = self.end - Time::ZERO;
        let rates = (0..self.sources.len()).map(|source| {
            let rate = self.sources[source].rate(end).unwrap_or(1.0);
            let visits = self.visits(source).into_iter();
            visits.map(|visits| rate * visits).collect()
        });
        let rates: Vec<Vec<f64>> = rates.collect();
        for (index, service) in self.services.iter_mut().enumerate() {
            let all: f64 = rates.iter().map(|rates| rates[index]).sum();
            let steps = service.groups.iter_mut().flat_map(|group| &mut group.steps);
            for step in steps {
                if let (Some(sources), true) = (&step.sources, all > 0.0) {
                    let own = rates.iter().zip(sources.iter()).filter(|(_, own)| **own);
                    step.share = own.map(|(rates, _)| rates[index]).sum::<f64>() / all;
                }
            }
        }
    }

    /// How long the way to a balancer of a service takes at least from who is in this zone, on
    /// average; `usual` is what is said of who makes it.
    fn least_way(&self, (from, usual): (Zone, &Delay), service: &ServicePlan) -> f64 {
        if service.callers.is_some() {
            return 0.0;
        }
        let zones = service.zones.iter();
        let said = zones.map(|&zone| self.ways.between(from, zone).unwrap_or(usual).mean());
        let least = said.fold(f64::INFINITY, f64::min);
        if least.is_finite() {
            least
        } else {
            usual.mean()
        }
    }

    /// How long the way to the servers of a group takes at least from a balancer of their service,
    /// on average.
    fn least_way_out(&self, service: &ServicePlan, group: &GroupPlan) -> f64 {
        let zones = service.zones.iter();
        let said = zones.map(|&zone| {
            let said = self.ways.between(zone, group.zone);
            said.unwrap_or(&group.to_server).mean()
        });
        let least = said.fold(f64::INFINITY, f64::min);
        if least.is_finite() {
            least
        } else {
            group.to_server.mean()
        }
    }

    /// Requests a second that the users of a closed loop make at most: what they would if nobody
    /// waited, and no more than the services that they reach can do (the asymptotic bounds of
    /// Muntz and Wong, 1974). `None` of all other sources.
    pub fn most_asked(&self, source: usize) -> Option<f64> {
        let own = &self.sources[source];
        let When::Closed(think) = &own.when else {
            return None;
        };
        let groups = self.services[own.service].groups.iter();
        let alone = groups
            .map(|group| group.mean_work(own.mean_size()) + group.least_called)
            .fold(f64::INFINITY, f64::min);
        let users = f64::from(own.population.popularity.count());
        let end = self.end - Time::ZERO;
        let services = self.services.iter().zip(self.visits(source));
        let each = services
            .filter(|(_, visits)| *visits > 0.0)
            .map(|(service, visits)| service.capacity(own.mean_size(), end) / visits);
        Some(each.fold(users / (think.mean() + alone), f64::min))
    }

    /// Requests a second that a service is asked over the run, calls included; `None` where a
    /// closed loop asks.
    pub fn rate(&self, service: usize) -> Option<f64> {
        let end = self.end - Time::ZERO;
        self.sources_of(service)
            .map(|(source, visits)| Some(source.rate(end)? * visits))
            .sum()
    }

    /// Mean size of the requests that reach a service, each source by how much it asks; where that
    /// is not known beforehand, of the first of them. 1 where none does.
    pub fn mean_size(&self, service: usize) -> f64 {
        let end = self.end - Time::ZERO;
        let sources: Vec<(&SourcePlan, f64)> = self.sources_of(service).collect();
        let rates: Option<Vec<f64>> = (sources.iter())
            .map(|(source, visits)| Some(source.rate(end)? * visits))
            .collect();
        let sizes = || sources.iter().map(|(source, _)| source.mean_size());
        let first = sizes().next().unwrap_or(1.0);
        match rates {
            // In other orders of operations the last digit would be another.
            Some(rates) if sizes().any(|size| size != first) => {
                let all: f64 = rates.iter().sum();
                let sum: f64 = rates
                    .iter()
                    .zip(sizes())
                    .map(|(rate, size)| rate * size)
                    .sum();
                if all > 0.0 { sum / all } else { first }
            }
            _ => first,
        }
    }

    /// Works out the least that calls take, for all services; none of them may reach itself.
    pub fn work_out_calls(&mut self) {
        let (mut order, mut known) = (Vec::new(), vec![false; self.services.len()]);
        for first in 0..self.services.len() {
            for at in self.callers_first(first).into_iter().rev() {
                if !std::mem::replace(&mut known[at], true) {
                    order.push(at);
                }
            }
        }
        self.work_out_shares();
        let mut alone = vec![0.0; self.services.len()];
        for at in order {
            let least: Vec<(f64, f64)> = (self.services[at].groups.iter())
                .map(|group| self.least_in_calls(group, &alone))
                .collect();
            for (group, least) in self.services[at].groups.iter_mut().zip(least) {
                (group.least_called, group.least_held) = least;
            }
            let service = &self.services[at];
            let least = |group: &GroupPlan| {
                let way = self.least_way_out(service, group);
                2.0 * way + group.mean_work(0.0) + group.least_called
            };
            alone[at] = service
                .groups
                .iter()
                .map(least)
                .fold(f64::INFINITY, f64::min);
        }
    }

    /// The least that a request waits on average at a server of a group for what is called in its
    /// course, and the part of it during which it keeps its slot; `alone` has how long a request to
    /// each service takes at least.
    fn least_in_calls(&self, group: &GroupPlan, alone: &[f64]) -> (f64, f64) {
        let (mut called, mut held) = (0.0, 0.0);
        for step in &group.steps {
            if let StepKind::Pause(pause) = &step.kind {
                let least = step.times() * pause.takes.mean();
                called += least;
                held += if pause.blocking { least } else { 0.0 };
            }
            let StepKind::Call(call) = &step.kind else {
                continue;
            };
            let way = |&callee: &usize| {
                let from = (group.zone, &call.to_balancer);
                2.0 * self.least_way(from, &self.services[callee])
            };
            // Of all calls the last is waited for, and its mean is no less than the longest mean;
            // of the first k, the k-th in the order of the means stands for it. That a call may
            // fail changes nothing while all are well.
            let calls = call.services.iter();
            let mut each: Vec<f64> = calls.map(|callee| way(callee) + alone[*callee]).collect();
            each.sort_by(f64::total_cmp);
            let last = each.get(call.wait_for as usize - 1).copied().unwrap_or(0.0);
            let least = step.times() * last;
            called += least;
            if call.blocking {
                held += least;
            }
        }
        (called, held)
    }
}

impl GroupPlan {
    /// How long a server works on a request of mean size `size`, steps included, in seconds.
    pub fn mean_work(&self, size: f64) -> f64 {
        let steps: f64 = self.steps.iter().map(|step| step.mean_work()).sum();
        (self.service.mean() + self.per_size * size + steps) / self.speed
    }

    /// How many requests a second a server can do that each take so many seconds on a slot at
    /// speed 1, besides its steps, where its balancers send it so many at once.
    fn capacity_for(&self, seconds: f64, at_once: u32) -> f64 {
        // In this order of operations, whose last digit figures of worlds without steps rest on.
        let slots = self.slots.min(at_once);
        let slots = match &self.under_load {
            None => f64::from(slots),
            Some(under_load) => under_load.slots_in_effect(slots),
        };
        if self.steps.is_empty() {
            return slots * self.speed / seconds;
        }
        let steps: f64 = self.steps.iter().map(|step| step.mean_work()).sum();
        slots / ((seconds + steps) / self.speed + self.least_held)
    }
}

impl ServicePlan {
    /// What each server can do, in requests of mean size `size` a second, whether it gets any or
    /// stands by; at most, where it keeps slots for calls.
    pub fn capacities(&self, size: f64) -> Vec<f64> {
        let groups = self.servers.iter().map(|server| &self.groups[server.group]);
        groups
            .map(|group| {
                let seconds = group.service.mean() + group.per_size * size;
                group.capacity_for(seconds, self.balancer.at_once())
            })
            .collect()
    }

    /// What those in charge can do in a run of this length, in requests of mean size `size` a
    /// second: each counts for the part of the run that it is in the pool.
    pub fn capacity(&self, size: f64, run: Span) -> f64 {
        self.over_those_in_charge(run, &self.capacities(size))
            .iter()
            .sum()
    }

    /// As [`capacity`](ServicePlan::capacity), where each request takes so many seconds at speed 1.
    fn capacity_for(&self, seconds: f64, run: Span) -> f64 {
        let at_once = self.balancer.at_once();
        if self.groups.iter().all(|group| group.steps.is_empty()) {
            let speeds =
                (0..self.servers.len()).map(|server| self.group(server).capacity_for(1.0, at_once));
            let slots: f64 = self
                .over_those_in_charge(run, &speeds.collect::<Vec<f64>>())
                .iter()
                .sum();
            return slots / seconds;
        }
        let each =
            (0..self.servers.len()).map(|server| self.group(server).capacity_for(seconds, at_once));
        self.over_those_in_charge(run, &each.collect::<Vec<f64>>())
            .iter()
            .sum()
    }

    /// What those in charge have of `each`, by server, for the part of the run that they are in the
    /// pool; 0 for the others.
    fn over_those_in_charge(&self, run: Span, each: &[f64]) -> Vec<f64> {
        let end = Time::ZERO + run;
        let there = |server: usize| {
            let group = self.group(server);
            let time = group.leaves.min(end).since(group.joins.min(end));
            time.seconds() / run.seconds()
        };
        let in_charge = self.in_charge();
        (0..each.len())
            .map(|server| {
                if in_charge[server] {
                    each[server] * there(server)
                } else {
                    0.0
                }
            })
            .collect()
    }
}
