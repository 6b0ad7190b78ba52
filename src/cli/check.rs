//! `lbsim check`: reads and checks scenarios, and says what they mean. Runs nothing.

use clap::Args;
use serde_json::json;

use super::loads::{by_server, capacities, loads};
use super::meaning::meaning;
use super::output::{Failure, Output};
use super::{Format, ScenarioArgs};
use crate::experiment::{Exact, METRICS};
use crate::scenario::Scenario;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    scenarios: ScenarioArgs,
    /// Print all of it, and the scenario with every value that it leaves to its default.
    #[arg(long)]
    resolved: bool,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn check(args: &CheckArgs, output: &Output) -> Result<(), Failure> {
    let scenarios = super::read(&args.scenarios, output)?;
    for scenario in &scenarios {
        for warning in &scenario.warnings {
            output.say(&format!("warning: {}: {warning}", scenario.file_name));
        }
    }
    match args.format {
        Format::Text => output.print(
            &(scenarios.iter())
                .map(|scenario| text(scenario, args.resolved, output))
                .collect::<String>(),
        ),
        Format::Json => {
            let findings: Vec<_> = scenarios.iter().map(findings).collect();
            output.print(&format!(
                "{}\n",
                serde_json::to_string_pretty(&findings).unwrap_or_default()
            ))
        }
    }
}

fn findings(scenario: &Scenario) -> serde_json::Value {
    let variants: Vec<_> = scenario
        .variants
        .iter()
        .map(|variant| {
            let loads: serde_json::Map<_, _> = loads(&variant.blueprint)
                .into_iter()
                .map(|(name, load)| (name, load.map_or(serde_json::Value::Null, |load| json!(load))))
                .collect();
            let parts = variant.blueprint.parts();
            let parts = json!({ "servers": parts.servers, "balancers": parts.balancers, "single_points_of_failure": parts.single });
            json!({ "parts": parts, "name": variant.name, "strategy": variant.strategy.label(), "utilization": loads, "capacity_per_s": capacities(&variant.blueprint), "utilization_by_server": by_server(&variant.blueprint), "theory_mean_ms": Exact::of(variant).map(|exact| exact.mean() * 1e3) })
        })
        .collect();
    json!({
        "scenario": scenario.name,
        "question": scenario.question,
        "resolved": scenario.resolved,
        "variants": variants,
        "warnings": scenario.warnings,
        "metrics": METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>(),
    })
}

fn text(scenario: &Scenario, resolved: bool, output: &Output) -> String {
    let mut text = meaning(scenario, resolved, output);
    text.push('\n');
    if resolved {
        text += "resolved scenario:\n";
        text += &toml::to_string_pretty(&scenario.resolved)
            .unwrap_or_else(|_| scenario.resolved.to_string());
        text.push('\n');
    }
    text
}
