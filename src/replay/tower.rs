//! Recordings of tower's `PeakEwma`, the load by which Linkerd picks: not picks are compared, but
//! loads, bit for bit.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::recording::{RecordedStep, Recording};
use super::{Difference, Verdict};
use crate::strategy::load::PeakEwma;
use crate::time::{Span, Time};

/// The settings of the recorded load.
#[derive(Deserialize)]
struct Config {
    default_rtt_us: u64,
    decay_us: u64,
}

/// Compares each recorded load of a server with the one that comes of the same requests here.
///
/// # Errors
/// What in the recording is not understood, in a sentence.
pub(super) fn compare(recording: &Recording) -> Result<Verdict, String> {
    let config = recording.config_json().unwrap_or_default();
    let config: Config =
        serde_json::from_value(config).map_err(|error| format!("the configuration: {error}"))?;
    let costs = recording.further.get("costs_ns").cloned();
    let costs: Vec<f64> = serde_json::from_value(costs.unwrap_or_default())
        .map_err(|error| format!("`costs_ns`: {error}"))?;
    let decay = micros(config.decay_us);
    let mut load = PeakEwma::new(micros(config.default_rtt_us), Time::ZERO);
    let mut open: BTreeMap<u64, Time> = BTreeMap::new();
    let mut compared = 0;
    for step in &recording.events {
        let now = time(step)?;
        let id = || step.id.ok_or_else(|| format!("`{}` has no id", step.op));
        match step.op.as_str() {
            "start" => {
                open.insert(id()?, now);
            }
            "finish" => {
                let id = id()?;
                let start = open
                    .remove(&id)
                    .ok_or_else(|| format!("request {id} ends, but has not begun"))?;
                load.observe(now.since(start), now, decay);
            }
            "load" => {
                let before = load;
                let here = load.tower_cost(open.len() as u32, now, decay);
                let recorded = costs
                    .get(compared)
                    .ok_or_else(|| format!("load {} has no cost", compared + 1))?;
                if here.to_bits() != recorded.to_bits() {
                    return Ok(Verdict::Differs {
                        strategy: "linkerd-peak-ewma".to_owned(),
                        starts: 1,
                        difference: Box::new(Difference {
                            request: compared,
                            at: now,
                            recorded: format!("a load of {recorded} ns"),
                            here: format!("a load of {here} ns"),
                            state: format!("{} in flight, {before:?}\n", open.len()),
                        }),
                    });
                }
                compared += 1;
            }
            other => return Err(format!("nothing is known of a step `{other}`")),
        }
    }
    if compared != costs.len() {
        return Err(format!(
            "{compared} loads are asked for, but there are {} costs",
            costs.len()
        ));
    }
    Ok(Verdict::Agrees {
        strategy: "linkerd-peak-ewma".to_owned(),
        compared,
    })
}

fn micros(micros: u64) -> Span {
    Span::from_nanos(micros * 1000)
}

/// When a step happens, to the microsecond.
fn time(step: &RecordedStep) -> Result<Time, String> {
    let at = step.further.get("t_us").and_then(|at| at.as_u64());
    at.map(|at| Time::ZERO + micros(at))
        .ok_or_else(|| format!("`{}` has no time `t_us`", step.op))
}
