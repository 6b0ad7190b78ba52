//! `topology.csv`.

use serde::{Deserialize, Serialize};

use crate::model::blueprint::Blueprint;
use crate::scenario::Scenario;

/// `topology.csv`: who asks whom, in the baseline; no rows where there is one service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TopologyRow {
    /// The strategy: the baseline.
    pub strategy: String,
    /// Who asks: a group of clients, or a service.
    pub from: String,
    /// Whether that is a group of clients.
    pub from_clients: bool,
    /// The service that is asked.
    pub to: String,
    /// How often a second that is to be, each call made once; empty where a closed loop asks, whose
    /// rate depends on the answers.
    pub rate_rps: Option<f64>,
    /// The zones in which the servers of the asked service stand, with commas between them.
    pub zones: String,
    /// How many servers it has.
    pub servers: u32,
}

/// A row for each pair of whom one asks the other, clients first.
pub(super) fn rows(scenario: &Scenario) -> Vec<TopologyRow> {
    let baseline = &scenario.variants[scenario.baseline];
    let plan = &baseline.blueprint;
    if plan.services.len() < 2 {
        return Vec::new();
    }
    let end = plan.end - crate::time::Time::ZERO;
    let row = |from: &str, from_clients: bool, to: usize, rate_rps: Option<f64>| {
        let service = &plan.services[to];
        let mut zones: Vec<&str> = (service.members.iter())
            .filter_map(|member| member.zone.as_deref())
            .collect();
        zones.sort_unstable();
        zones.dedup();
        TopologyRow {
            strategy: baseline.name.clone(),
            from: from.to_owned(),
            from_clients,
            to: service.name.clone(),
            rate_rps,
            zones: zones.join(", "),
            servers: service.servers.len() as u32,
        }
    };
    let mut found = Vec::new();
    for source in &plan.sources {
        found.push(row(&source.name, true, source.service, source.rate(end)));
    }
    for (caller, service) in plan.services.iter().enumerate() {
        for callee in service.callees() {
            let rate = call_rate(plan, caller, callee);
            found.push(row(&service.name, false, callee, rate));
        }
    }
    found
}

/// How often a second one service calls another, each call made once.
fn call_rate(plan: &Blueprint, caller: usize, callee: usize) -> Option<f64> {
    let end = plan.end - crate::time::Time::ZERO;
    let mut all = 0.0;
    for (number, source) in plan.sources.iter().enumerate() {
        let visits = plan.visits(number)[caller];
        if visits == 0.0 {
            continue;
        }
        let calls = plan.calls(&plan.services[caller], number).into_iter();
        let own = calls.filter(|&(at, _)| at == callee);
        all += source.rate(end)? * visits * own.map(|(_, times)| times).sum::<f64>();
    }
    Some(all)
}
