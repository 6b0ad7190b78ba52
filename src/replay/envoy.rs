//! Envoy: the part of a cluster's configuration that says how hosts are picked.

use serde_json::{Map, Value, json};

use super::program::{Compared, MemberChange, Program, Setup};
use super::recording::Recording;
use crate::strategy::StrategyConfig;

/// Reads recordings of Envoy.
pub(super) struct Envoy;

/// The random number with which deadlines begin is far up, where they are rounded.
const FAR: u32 = 300_000_000;

/// Moments in an interval at which the outlier detection may have begun.
const PHASES: u32 = 500;

impl Program for Envoy {
    fn setup(&self, recording: &Recording) -> Result<Setup, String> {
        let config = recording
            .config_json()
            .ok_or("the configuration is not JSON")?;
        let cluster = config
            .get("cluster")
            .and_then(Value::as_object)
            .ok_or("the configuration has no cluster")?;
        let mut strategy = json!({});
        for (key, value) in cluster {
            read(key, value, &mut strategy)?;
        }
        if strategy.get("kind").is_none() {
            strategy["kind"] = json!("envoy-round-robin");
        }
        let mut starts = Vec::new();
        for start in possible_starts(recording, &strategy) {
            starts.push(
                serde_json::from_value::<StrategyConfig>(start)
                    .map_err(|error| error.to_string())?,
            );
        }
        let first = starts.first().cloned().ok_or("there is nowhere to start")?;
        let mut setup = Setup::new(recording, first);
        setup.starts = starts;
        if recording.statistical {
            setup.comparison = Compared::Shares;
        } else if recording.random_ties {
            setup.comparison = Compared::LeastLoaded;
        }
        setup.before = unhealthy(cluster)
            .into_iter()
            .map(|at| MemberChange::Down(at, true))
            .collect();
        Ok(setup)
    }
}

/// One member of the cluster's configuration.
fn read(key: &str, value: &Value, strategy: &mut Value) -> Result<(), String> {
    let unknown = || format!("nothing is known of `{key}`: {value}");
    match (key, value.as_str()) {
        ("name" | "type" | "connect_timeout" | "load_assignment", _) => {}
        ("ignore_health_on_host_removal", _) => {}
        ("lb_policy", Some(policy)) => {
            strategy["kind"] = match policy {
                "ROUND_ROBIN" => json!("envoy-round-robin"),
                "LEAST_REQUEST" => json!("envoy-least-request"),
                "RANDOM" => json!("envoy-random"),
                "RING_HASH" => json!("envoy-ring-hash"),
                "MAGLEV" => json!("envoy-maglev"),
                _ => return Err(unknown()),
            };
        }
        ("load_balancing_policy", _) => {
            let typed = value
                .pointer("/policies/0/typed_extension_config/typed_config")
                .and_then(Value::as_object)
                .ok_or_else(unknown)?;
            for (key, value) in typed {
                match (key.as_str(), value.as_str()) {
                    ("@type", Some(name)) if name.ends_with(".LeastRequest") => {
                        strategy["kind"] = json!("envoy-least-request");
                    }
                    ("selection_method", Some("FULL_SCAN")) => {
                        strategy["selection-method"] = json!("full-scan");
                    }
                    _ => return Err(format!("nothing is known of `{key}`: {value}")),
                }
            }
        }
        ("ring_hash_lb_config" | "maglev_lb_config", _) => {
            for (key, value) in value.as_object().ok_or_else(unknown)? {
                strategy[key.replace('_', "-")] = match value.as_str() {
                    Some(name) => json!(name.to_lowercase().replace('_', "-")),
                    None => value.clone(),
                };
            }
        }
        ("outlier_detection", _) => {
            let settings = value.as_object().ok_or_else(unknown)?;
            let renamed = settings
                .iter()
                .map(|(key, value)| (key.replace('_', "-"), value.clone()));
            strategy["cluster"]["outlier-detection"] = Value::Object(renamed.collect());
        }
        ("common_lb_config", _) => {
            for (key, value) in value.as_object().ok_or_else(unknown)? {
                match key.as_str() {
                    "update_merge_window" => {
                        strategy["cluster"]["update-merge-window"] = value.clone();
                    }
                    _ => return Err(format!("nothing is known of `{key}`: {value}")),
                }
            }
        }
        _ => return Err(unknown()),
    }
    Ok(())
}

/// The strategies that begin at each place where Envoy may have begun.
fn possible_starts(recording: &Recording, strategy: &Value) -> Vec<Value> {
    if !recording.random_start {
        return vec![strategy.clone()];
    }
    let weights = recording.servers.iter().map(|server| server.weight);
    let total: u32 = weights.clone().sum();
    let even = weights.clone().min() == weights.clone().max();
    // However many of the hosts are in use, after so many turns it is the first one's again.
    let round =
        (1..=weights.len() as u32).fold(1, |round, hosts| round / gcd(round, hosts) * hosts);
    let seeds = if even { 0..round } else { FAR..FAR + total };
    let detects = strategy["cluster"].get("outlier-detection").is_some();
    let phases = if detects { PHASES } else { 1 };
    seeds
        .flat_map(|seed| (0..phases).map(move |phase| (seed, phase)))
        .map(|(seed, phase)| {
            let mut start = strategy.clone();
            start["seed"] = json!(seed);
            if detects {
                let millis = 1000 * phase / PHASES;
                start["cluster"]["outlier-detection"]["interval-offset"] =
                    json!(format!("{millis}ms"));
            }
            start
        })
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The hosts that the configuration says are unhealthy, by position.
fn unhealthy(cluster: &Map<String, Value>) -> Vec<u32> {
    let hosts = cluster
        .get("load_assignment")
        .and_then(|assignment| assignment.pointer("/endpoints/0/lb_endpoints"))
        .and_then(Value::as_array);
    (0..)
        .zip(hosts.into_iter().flatten())
        .filter(|(_, host)| host["health_status"] == "UNHEALTHY")
        .map(|(at, _)| at)
        .collect()
}
