//! What servers cost: by the hour, and by the requests that they are sent.

use super::blueprint::{Blueprint, ServicePlan};

/// Nanoseconds of an hour.
const HOUR: f64 = 3.6e12;

impl Blueprint {
    /// What the servers cost an hour in the measured window, each for the part of it that it is in
    /// the pool; one that an autoscaler orders and removes for the nanoseconds that `paid` has by
    /// server. `None` where no server has a cost.
    ///
    /// To that comes what requests cost: `sent` has how many each server was sent in the window.
    /// Services that nobody asks cost nothing.
    pub fn cost_per_hour(&self, paid: Option<&[u64]>, sent: &[u64]) -> Option<f64> {
        let window = self.end.since(self.warmup).nanos().max(1) as f64;
        let groups = |(index, service): (usize, &ServicePlan)| -> f64 {
            let places = self.servers_of(index);
            let each = service.servers.iter().zip(places).map(|(server, place)| {
                let group = &service.groups[server.group];
                let planned = group
                    .leaves
                    .min(self.end)
                    .since(group.joins.max(self.warmup));
                let there = match (paid, &group.autoscale) {
                    (Some(paid), Some(_)) => paid[place],
                    _ => planned.nanos(),
                };
                let requests = match group.cost_per_million {
                    0.0 => 0.0,
                    price => price * sent[place] as f64 / 1e6 * HOUR / window,
                };
                group.cost * there as f64 / window + requests
            });
            each.sum()
        };
        let has_cost = |service: &ServicePlan| {
            (service.groups.iter()).any(|group| group.cost > 0.0 || group.cost_per_million > 0.0)
        };
        if !self.services.iter().any(has_cost) {
            return None;
        }
        let visits = (0..self.sources.len()).map(|source| self.visits(source));
        let visits: Vec<Vec<f64>> = visits.collect();
        let is_asked = |index: usize| visits.iter().any(|visits| visits[index] > 0.0);
        let asked = (self.services.iter().enumerate()).filter(|&(index, _)| is_asked(index));
        Some(asked.map(groups).sum())
    }
}
