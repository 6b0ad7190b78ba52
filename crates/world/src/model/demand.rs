//! How much is asked of services, and how much they can do: by clients, and by servers in the
//! course of their requests.

use super::blueprint::{Blueprint, GroupPlan, ServicePlan, SourcePlan};
use super::step::StepKind;
use lbsim_engine::time::{Span, Time};

impl Blueprint {
    /// Requests that one of a source's brings to each service on average, by service: itself, and
    /// what servers call in its course. Where servers of a service do different things, each counts
    /// for its share of what the service can do.
    pub fn visits(&self, source: &SourcePlan) -> Vec<f64> {
        let size = source.mean_size();
        let mut visits = vec![0.0; self.services.len()];
        visits[source.service] = 1.0;
        for &caller in &self.callers_first(source.service) {
            for (callee, calls) in self.calls(&self.services[caller], size) {
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

    /// How often a request of this mean size to a service calls which, on average.
    fn calls(&self, service: &ServicePlan, size: f64) -> Vec<(usize, f64)> {
        let each = service.over_those_in_charge(self.end - Time::ZERO, &service.capacities(size));
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
                    calls.extend(
                        (call.services.iter()).map(|&callee| (callee, share * step.times())),
                    );
                }
            }
        }
        calls
    }

    /// The share of a service's capacity that is asked for over the run, where all servers are well
    /// and each call is made once; `None` where nobody asks, or a closed loop does, whose rate
    /// depends on the answers. Where slots are kept for calls, they count for the least time that
    /// these can take: it may be more.
    pub fn utilization(&self, service: usize) -> Option<f64> {
        let end = self.end - Time::ZERO;
        self.asked(service, |source| source.rate(end))
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
        let reaches = move |source| {
            let visits = self.visits(source)[service];
            (visits > 0.0).then_some((source, visits))
        };
        self.sources.iter().filter_map(reaches)
    }

    /// Requests a second that a service is asked over the run, calls included; `None` where a
    /// closed loop asks.
    pub fn rate(&self, service: usize) -> Option<f64> {
        let end = self.end - Time::ZERO;
        self.sources_of(service)
            .map(|(source, visits)| Some(source.rate(end)? * visits))
            .sum()
    }

    /// Mean size of the requests of the first source that reaches a service; 1 where none does.
    pub fn mean_size(&self, service: usize) -> f64 {
        self.sources_of(service)
            .next()
            .map_or(1.0, |(source, _)| source.mean_size())
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
        let mut alone = vec![0.0; self.services.len()];
        for at in order {
            for group in &mut self.services[at].groups {
                (group.least_called, group.least_held) = (0.0, 0.0);
                for step in &group.steps {
                    if let StepKind::Pause(pause) = &step.kind {
                        let least = step.times() * pause.takes.mean();
                        group.least_called += least;
                        group.least_held += if pause.blocking { least } else { 0.0 };
                    }
                    let StepKind::Call(call) = &step.kind else {
                        continue;
                    };
                    let way = 2.0 * call.to_balancer.mean();
                    // Of all calls the last is waited for, and its mean is no less than the longest
                    // mean; of the first k, the k-th in the order of the means stands for it. That
                    // a call may fail changes nothing while all are well.
                    let mut each: Vec<f64> =
                        call.services.iter().map(|&callee| alone[callee]).collect();
                    each.sort_by(f64::total_cmp);
                    let last = each.get(call.wait_for as usize - 1).copied().unwrap_or(0.0);
                    let least = step.times() * (way + last);
                    group.least_called += least;
                    if call.blocking {
                        group.least_held += least;
                    }
                }
            }
            let least = |group: &GroupPlan| {
                2.0 * group.to_server.mean() + group.mean_work(0.0) + group.least_called
            };
            alone[at] = self.services[at]
                .groups
                .iter()
                .map(least)
                .fold(f64::INFINITY, f64::min);
        }
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
