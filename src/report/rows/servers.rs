//! `servers.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{VariantOutcome, milliseconds};
use crate::scenario::Variant;
use crate::stats::Estimate;

/// `servers.csv`: one server under one strategy, means over replications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerRow {
    /// The strategy.
    pub strategy: String,
    /// The server as `service/name`.
    pub server: String,
    /// Its weight.
    pub weight: f64,
    /// Its share of its service's capacity (slots × speed over mean service time), 0 where it
    /// stands by while all are well; empty where service takes no time.
    pub capacity_share: Option<f64>,
    /// Its share of the attempts that its service's balancers sent.
    pub request_share: Option<f64>,
    /// Half the width of the 95% confidence interval of that share.
    pub request_share_half_width_95: Option<f64>,
    /// Share of its slot time in use in the measured window, the work of requests that arrived
    /// before included. The whole window counts, whether the server is there or not: one that joins
    /// in the middle and is busy from then on has 0.5. Where an autoscaler orders and removes
    /// servers, of each the time counts that it was there, and it is empty for one that never was.
    pub utilization: Option<f64>,
    /// Half the width of the 95% confidence interval of that share.
    pub utilization_half_width_95: Option<f64>,
    /// Mean time that the requests waited in its queue that arrived in the measured window and that
    /// it answered well, whenever that was; empty where it answered none, or shares itself among
    /// all.
    pub wait_ms: Option<f64>,
    /// Attempts that failed on it, of requests that arrived in the measured window, a replication:
    /// each once, when its balancer learned of it.
    pub failures: f64,
}

/// A row a server.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome) -> Vec<ServerRow> {
    let plan = &variant.blueprint;
    let replications = measured.runs.len() as f64;
    let utilization = measured.load.utilization();
    let mut found = Vec::new();
    let mut first = 0;
    for (index, service) in plan.services.iter().enumerate() {
        let size = plan.mean_size(index);
        let in_charge = service.in_charge();
        let mut capacities = service.capacities(size);
        for (capacity, serves) in capacities.iter_mut().zip(in_charge) {
            *capacity *= f64::from(u8::from(serves));
        }
        let capacity: f64 = capacities.iter().sum();
        let loads = &measured.load.servers[first..first + service.servers.len()];
        let sent: u64 = loads.iter().map(|load| load.sent).sum();
        for (at, server) in service.servers.iter().enumerate() {
            let place = first + at;
            let over_runs = |values: &[Vec<f64>]| {
                values
                    .get(place)
                    .and_then(|values| Estimate::of(values)?.half_width)
            };
            let load = &loads[at];
            found.push(ServerRow {
                strategy: variant.name.clone(),
                server: service.full_name(&server.name),
                weight: f64::from(service.group(at).weight),
                // Where service takes no time, there is no end to what a server can do, and no
                // share of it.
                capacity_share: Some(capacities[at] / capacity).filter(|share| share.is_finite()),
                request_share: (sent > 0).then(|| load.sent as f64 / sent as f64),
                request_share_half_width_95: over_runs(&measured.shares),
                utilization: (measured.load)
                    .was_there(place)
                    .then_some(utilization[place]),
                utilization_half_width_95: over_runs(&measured.utilization),
                wait_ms: (load.answered > 0)
                    .then(|| milliseconds(load.waited.seconds() / load.answered as f64)),
                failures: load.failed as f64 / replications,
            });
        }
        first += service.servers.len();
    }
    found
}
