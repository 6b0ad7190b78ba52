//! gRPC: the load-balancing part of a service configuration, and what servers reported of their
//! load.

use serde_json::{Value, json};

use super::program::{Program, Setup};
use super::recording::{Recording, Server};
use crate::strategy::grpc::weighted_round_robin::{Stride, weight};
use crate::strategy::{Report, StrategyConfig};

/// Reads recordings of gRPC.
pub(super) struct Grpc;

/// The counter of the stride scheduler comes round after so many passes over the servers.
const PASSES: u32 = 65_535;

/// So many picks tell one start of the counter from all others that matter.
const TELLING: usize = 60;

impl Program for Grpc {
    fn setup(&self, recording: &Recording) -> Result<Setup, String> {
        let config = recording
            .config_json()
            .ok_or("the configuration is not JSON")?;
        let policy = config
            .pointer("/loadBalancingConfig/0")
            .and_then(Value::as_object)
            .and_then(|policies| policies.iter().next())
            .ok_or("the configuration has no loadBalancingConfig")?;
        let (name, settings) = policy;
        let mut strategy = json!({ "kind": format!("grpc-{}", name.replace('_', "-")) });
        for (key, value) in settings.as_object().into_iter().flatten() {
            strategy[kebab(key)] = value.clone();
        }
        let servers = recording.servers.len() as u32;
        let starts: Vec<u32> = match name.as_str() {
            "round_robin" => (0..servers).collect(),
            "weighted_round_robin" => (0..PASSES * servers).collect(),
            _ => Vec::new(),
        };
        let read = |strategy: &Value| {
            serde_json::from_value::<StrategyConfig>(strategy.clone())
                .map_err(|error| error.to_string())
        };
        let mut setup = Setup::new(recording, read(&strategy)?);
        for (at, server) in (0..).zip(&recording.servers) {
            if let Some(report) = report(server)? {
                setup.reports.push((at, report));
            }
        }
        if !starts.is_empty() {
            let fits = fitting(recording, &setup, starts);
            setup.starts = Vec::new();
            for start in fits {
                strategy["start"] = json!(start);
                setup.starts.push(read(&strategy)?);
            }
        }
        Ok(setup)
    }
}

/// Of many starts of the counter those that agree with the first picks: the replay tries them in
/// full. Where none does, the first one.
fn fitting(recording: &Recording, setup: &Setup, starts: Vec<u32>) -> Vec<u32> {
    let recorded: Vec<Option<u32>> = recording
        .picks
        .iter()
        .take(TELLING)
        .map(|pick| recording.position(pick.as_str()?))
        .collect();
    let mut weights = vec![0.0; recording.servers.len()];
    for (member, report) in &setup.reports {
        weights[*member as usize] = weight(report, 1.0);
    }
    let stride = Stride::new(&weights);
    let agrees = |&start: &u32| {
        let mut counter = start;
        recorded.iter().all(|&pick| {
            let place = match &stride {
                Some(stride) => stride.pick(&mut counter),
                None => {
                    counter += 1;
                    (counter - 1) as usize % weights.len()
                }
            };
            pick == Some(place as u32)
        })
    };
    let fit: Vec<u32> = starts.iter().copied().filter(agrees).take(8).collect();
    if fit.is_empty() {
        starts.into_iter().take(1).collect()
    } else {
        fit
    }
}

/// What a server reported, where it did.
fn report(server: &Server) -> Result<Option<Report>, String> {
    let Some(report) = server
        .further
        .get("report")
        .filter(|value| !value.is_null())
    else {
        return Ok(None);
    };
    let number = |key: &str| report.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    // What the application says of its utilization goes before the processor's.
    let utilization = if number("app") > 0.0 {
        number("app")
    } else {
        number("util")
    };
    Ok(Some(Report {
        cpu: utilization,
        memory: 0.0,
        in_flight: 0,
        rate: number("rps"),
        errors: number("eps"),
    }))
}

/// `weightUpdatePeriod` as `weight-update-period`.
fn kebab(key: &str) -> String {
    key.chars()
        .flat_map(|c| {
            let dash = c.is_ascii_uppercase().then_some('-');
            dash.into_iter().chain(c.to_lowercase())
        })
        .collect()
}
