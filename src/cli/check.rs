//! `lbsim check`: reads and checks scenarios, and says what they mean. Runs nothing.

use clap::Args;
use serde_json::json;

use super::output::{Failure, Output};
use super::{Format, ScenarioArgs};
use crate::experiment::METRICS;
use crate::model::blueprint::{Blueprint, Discipline, When};
use crate::scenario::{Scenario, Variant};
use crate::strategy::StrategyConfig;
use crate::theory::{Gim1, Mm1, Mmk, PowerOfD, Ps};
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
            json!({ "name": variant.name, "utilization": loads, "theory_mean_ms": theory(variant).map(|t| t.1 * 1e3) })
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
        scenario.caption()
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
        let theory = theory(variant).map_or(String::new(), |(model, mean)| {
            format!(
                "; in theory {model}, mean response time {:.3} ms",
                mean * 1e3
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

/// The exact mean response time in seconds and the model that gives it, where one applies: Poisson arrivals, like
/// servers with exponential service, nothing that fails, nothing on the way.
fn theory(variant: &Variant) -> Option<(&'static str, f64)> {
    let plan = &variant.blueprint;
    let ([source], [service], []) = (&plan.sources[..], &plan.services[..], &plan.faults[..])
    else {
        return None;
    };
    let [group] = &service.groups[..] else {
        return None;
    };
    let When::Process(process) = &source.when else {
        return None;
    };
    let balancer = &service.balancer;
    let plain = matches!(source.to_balancer, crate::model::network::Delay::None)
        && matches!(group.to_server, crate::model::network::Delay::None)
        && group.queue_limit == u32::MAX
        && group.per_size == 0.0
        && balancer.timeout.is_none()
        && balancer.sticky == crate::balancer::affinity::Sticky::No
        && group.joins == Time::ZERO
        && group.leaves == Time::NEVER
        && process.is_poisson();
    if !plain || !group.service.is_exponential() {
        return None;
    }
    let n = service.servers.len() as u32;
    let rate = source.rate(plan.end - Time::ZERO)?;
    let service_rate = group.speed / group.service.mean();
    let each = rate / f64::from(n);
    let load = each / (service_rate * f64::from(group.slots));
    let finite = |model, mean: f64| mean.is_finite().then_some((model, mean));
    if group.discipline == Discipline::ProcessorSharing {
        let random = matches!(variant.strategy, StrategyConfig::Random(_)) || n == 1;
        let ps = Ps {
            arrival_rate: each,
            mean_service: 1.0 / service_rate,
        };
        return if random && group.slots == 1 {
            finite("M/M/1-PS", ps.mean_response())
        } else {
            None
        };
    }
    if n == 1
        || matches!(
            variant.strategy,
            StrategyConfig::Random(_) | StrategyConfig::WeightedRandom(_)
        )
    {
        return if group.slots == 1 {
            finite(
                "M/M/1",
                Mm1 {
                    arrival_rate: each,
                    service_rate,
                }
                .mean_response(),
            )
        } else {
            finite(
                "M/M/k",
                Mmk {
                    arrival_rate: each,
                    service_rate,
                    slots: group.slots,
                }
                .mean_response(),
            )
        };
    }
    if group.slots > 1 || balancer.instances > 1 {
        return None;
    }
    match &variant.strategy {
        StrategyConfig::RoundRobin(_) => finite(
            "E_k/M/1",
            Gim1::round_robin(rate, n, service_rate).mean_response(),
        ),
        StrategyConfig::LeastWorkLeft(_) => finite(
            "M/M/k",
            Mmk {
                arrival_rate: rate,
                service_rate,
                slots: n,
            }
            .mean_response(),
        ),
        StrategyConfig::PowerOfD(config) if n >= 1000 => finite(
            "the limit of many servers",
            PowerOfD {
                load,
                choices: u32::from(config.d),
                service_rate,
            }
            .mean_response(),
        ),
        _ => None,
    }
}
