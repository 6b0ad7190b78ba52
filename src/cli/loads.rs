//! How much is asked of services and servers, and how much they can do, before anything is run.

use serde_json::json;

use crate::model::blueprint::Blueprint;
use crate::time::Time;

/// The share of each service's capacity that is asked for.
pub(super) fn loads(blueprint: &Blueprint) -> Vec<(String, Option<f64>)> {
    (0..blueprint.services.len())
        .map(|i| (blueprint.services[i].name.clone(), blueprint.utilization(i)))
        .collect()
}

/// What the servers of each service that get requests can do, in requests a second.
pub(super) fn capacities(plan: &Blueprint) -> Vec<f64> {
    let services = plan.services.iter().enumerate();
    services
        .map(|(index, service)| service.capacity(plan.mean_size(index), plan.end - Time::ZERO))
        .collect()
}

/// The share of its capacity that is asked of each server, by service, where the strategy is blind
/// and it is known beforehand.
pub(super) fn by_server(plan: &Blueprint) -> serde_json::Map<String, serde_json::Value> {
    let services = plan.services.iter().enumerate();
    services
        .map(|(index, service)| (service.name.clone(), json!(plan.blind_utilization(index))))
        .collect()
}
