//! `utilization.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::VariantOutcome;
use crate::model::blueprint::GroupPlan;
use crate::scenario::Variant;

/// `utilization.csv`: one server (or a band of neighbours, where there are very many) in one
/// stretch of time under one strategy, mean over replications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UtilizationRow {
    /// The strategy.
    pub strategy: String,
    /// The row of the heat map, from 0; servers in the order of the scenario.
    pub band: u32,
    /// The server as `service/name`, or `first … last` of a band.
    pub server: String,
    /// Where the stretch begins.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// Share of slot time in use.
    pub utilization: f64,
    /// Attempts sent to the server, mean over replications (and over the servers of a band).
    #[serde(default)]
    pub attempts: f64,
    /// Requests that wait at the server for a slot, mean over the stretch (and over the servers of
    /// a band).
    #[serde(default)]
    pub waiting: f64,
    /// Share of the stretch in which the server was not there: it had not joined yet, or had left,
    /// by plan or as an autoscaler has it.
    #[serde(default)]
    pub away_share: f64,
    /// Share of the stretch in which the server was dead.
    #[serde(default)]
    pub dead_share: f64,
}

/// A row a band of servers and stretch of time.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome) -> Vec<UtilizationRow> {
    let names: Vec<String> = variant.blueprint.server_names().collect();
    let groups: Vec<&GroupPlan> = variant.blueprint.server_groups().collect();
    let all = measured.load.bands();
    let bands: Vec<String> = (all.iter())
        .map(|&(first, last)| {
            if first == last {
                names[first].clone()
            } else {
                format!("{} … {}", names[first], names[last])
            }
        })
        .collect();
    let length = measured.timeline.length();
    // For how long they are away by plan; what an autoscaler does comes on top: no group has both.
    let planned = |band: usize, from: f64, to: f64| {
        let (first, last) = all[band];
        let own = groups[first..=last].iter();
        let away = own.map(|group| {
            let since = group.joins.seconds().clamp(from, to);
            let until = group.leaves.seconds().clamp(since, to);
            1.0 - (until - since) / (to - from)
        });
        away.sum::<f64>() / (last + 1 - first) as f64
    };
    let at_s = |stretch: usize| (length.nanos() * stretch as u64) as f64 / 1e9;
    let mut found = Vec::new();
    for (at, row) in measured.load.over_time().into_iter().enumerate() {
        for (band, one) in row.into_iter().enumerate() {
            let (from_s, to_s) = (at_s(at), at_s(at + 1));
            found.push(UtilizationRow {
                strategy: variant.name.clone(),
                band: band as u32,
                server: bands[band].clone(),
                from_s,
                to_s,
                utilization: one.utilization,
                attempts: one.sent,
                waiting: one.waiting,
                away_share: (1.0 - one.there + planned(band, from_s, to_s)).min(1.0),
                dead_share: one.dead,
            });
        }
    }
    found
}
