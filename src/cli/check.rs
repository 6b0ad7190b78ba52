//! `lbsim check`: reads and checks scenarios, and says what they mean. Runs nothing.

use clap::Args;
use serde_json::json;

use super::output::{Failure, Output};
use super::{Format, ScenarioArgs};
use crate::experiment::{Exact, METRICS};
use crate::model::blueprint::{Blueprint, When};
use crate::scenario::Scenario;
use crate::time::Time;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    scenarios: ScenarioArgs,
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
        Format::Text => output.print(&scenarios.iter().map(text).collect::<String>()),
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
            json!({ "name": variant.name, "utilization": loads, "theory_mean_ms": Exact::of(variant).map(|exact| exact.mean() * 1e3) })
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

/// The share of each service's capacity that is asked for.
fn loads(blueprint: &Blueprint) -> Vec<(String, Option<f64>)> {
    (0..blueprint.services.len())
        .map(|i| (blueprint.services[i].name.clone(), blueprint.utilization(i)))
        .collect()
}

fn text(scenario: &Scenario) -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = format!(
        "{bold}{}{bold:#}\n{}\n\n",
        scenario.question,
        scenario.caption(scenario.replications())
    );
    let first = &scenario.variants[0].blueprint;
    text += &format!("warm-up        {}\n", scenario.warmup());
    text += &format!(
        "judged by      {}\n",
        crate::experiment::metric(scenario.judge_by).name
    );
    for source in &first.sources {
        let rate = match (&source.when, source.rate(first.end - Time::ZERO)) {
            (When::Closed(think), _) => format!(
                "closed loop of {} users, thinking {:.3} s on average",
                source.population.popularity.count(),
                think.mean()
            ),
            (_, Some(rate)) => format!("{rate:.3} requests/s on average"),
            (_, None) => "unknown".to_owned(),
        };
        text += &format!("offered load   {}: {rate}\n", source.name);
    }
    for (index, service) in first.services.iter().enumerate() {
        let size = first
            .sources
            .iter()
            .find(|s| s.service == index)
            .map_or(1.0, |s| s.mean_size());
        let capacity: f64 = service.capacities(size).iter().sum();
        text += &format!(
            "service        {}: {} servers, {capacity:.1} requests/s at most\n",
            service.name,
            service.servers.len()
        );
    }
    text.push('\n');
    let width = scenario
        .variants
        .iter()
        .map(|v| v.name.chars().count())
        .max()
        .unwrap_or(0);
    for variant in &scenario.variants {
        let loads: Vec<String> = loads(&variant.blueprint)
            .into_iter()
            .map(|(name, load)| {
                load.map_or(format!("{name} –"), |load| {
                    format!("{name} {:.1}%", load * 100.0)
                })
            })
            .collect();
        let theory = Exact::of(variant).map_or(String::new(), |exact| {
            format!(
                "; in theory {}, mean response time {:.3} ms",
                exact.model,
                exact.mean() * 1e3
            )
        });
        text += &format!(
            "{:width$}  utilization {}{theory}\n",
            variant.name,
            loads.join(", ")
        );
    }
    text += "\nresolved scenario:\n";
    text += &toml::to_string_pretty(&scenario.resolved)
        .unwrap_or_else(|_| scenario.resolved.to_string());
    text.push('\n');
    text
}
