//! `lbsim check`: reads and checks scenarios, and says what they mean. Runs nothing.

use clap::Args;
use serde_json::json;

use super::output::{Failure, Output};
use super::{Format, ScenarioArgs};
use crate::experiment::{Exact, METRICS};
use crate::model::blueprint::{Blueprint, ServicePlan, When};
use crate::model::fault::{Fault, Schedule, Stage, Strikes};
use crate::prose::counted;
use crate::scenario::{Scenario, Variant};
use crate::time::{Span, Time};

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
            json!({ "name": variant.name, "strategy": variant.strategy.label(), "utilization": loads, "capacity_per_s": capacities(&variant.blueprint), "theory_mean_ms": Exact::of(variant).map(|exact| exact.mean() * 1e3) })
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
                "closed loop of {}, thinking {:.3} s on average",
                counted(source.population.popularity.count(), "user"),
                think.mean()
            ),
            (_, Some(rate)) => format!("{rate:.3} requests/s on average"),
            (_, None) => "unknown".to_owned(),
        };
        text += &format!("offered load   {}: {rate}\n", source.name);
    }
    for (index, service) in first.services.iter().enumerate() {
        text += &format!(
            "service        {}: {}\n",
            service.name,
            servers(scenario, index)
        );
    }
    for fault in &first.faults {
        let when = match &fault.schedule {
            Schedule::Once(begins, ends) if *ends == Time::NEVER => {
                format!("from {} on", *begins - Time::ZERO)
            }
            Schedule::Once(begins, ends) => {
                format!("{} to {}", *begins - Time::ZERO, *ends - Time::ZERO)
            }
            Schedule::Turn(turn) => {
                let when = turn.earliest - Time::ZERO;
                match turn.stage {
                    Stage::Drain(at_most) => format!(
                        "from {when} at the earliest, for {at_most} at most before it goes down"
                    ),
                    Stage::Down { lasts, .. } => {
                        format!("from {when} at the earliest, for {lasts}")
                    }
                    Stage::Released(Time::NEVER) => format!("from {when} at the earliest"),
                    Stage::Released(until) => {
                        format!("from {when} at the earliest to {}", until - Time::ZERO)
                    }
                }
            }
            Schedule::Again {
                well,
                ill,
                together,
                ..
            } => format!(
                "{} {}, again {} after each end, for {}{}{}",
                if well.is_random() { "from" } else { "first at" },
                fault.schedule.begins() - Time::ZERO,
                Span::from_seconds(well.mean()),
                Span::from_seconds(ill.mean()),
                if fault.schedule.is_random() {
                    ", on average"
                } else {
                    ""
                },
                if *together { ", all together" } else { "" }
            ),
        };
        let whom = struck(first, fault);
        text += &format!("fault          {}: {when}, {whom}\n", fault.label);
    }
    text.push('\n');
    let width = |name: fn(&Variant) -> String| {
        let widths = scenario
            .variants
            .iter()
            .map(|one| name(one).chars().count());
        widths.max().unwrap_or(0)
    };
    let own_name = |variant: &Variant| variant.name.clone();
    let (wide, wider) = (width(own_name), width(strategy));
    for variant in &scenario.variants {
        let plan = &variant.blueprint;
        let loads: Vec<String> = loads(plan)
            .into_iter()
            .zip(capacities(plan))
            .map(|((name, load), capacity)| match load {
                None => format!("{name} –"),
                Some(load) if capacity.is_infinite() => format!("{name} {:.1}%", load * 100.0),
                Some(load) => format!("{name} {:.1}% of {capacity:.1}/s", load * 100.0),
            })
            .collect();
        let theory = Exact::of(variant).map_or(String::new(), |exact| {
            format!(
                "; in theory {}, mean response time {:.3} ms",
                exact.model,
                exact.mean() * 1e3
            )
        });
        text += &format!("{:wide$}  ", variant.name);
        if wider > 0 {
            text += &format!("{:wider$}  ", strategy(variant));
        }
        text += &format!("utilization {}{theory}\n", loads.join(", "));
    }
    if scenario.variants.iter().any(|one| one.blueprint.rebuilds()) {
        text += "\nUtilization is without `rebuild`: how often a state is not there depends on the run.\n";
    }
    text += "\nresolved scenario:\n";
    text += &toml::to_string_pretty(&scenario.resolved)
        .unwrap_or_else(|_| scenario.resolved.to_string());
    text.push('\n');
    text
}

/// The strategy of a variant where its name is another.
fn strategy(variant: &Variant) -> String {
    let brief = variant.strategy.brief();
    if brief == variant.name || variant.strategy.label() == variant.name {
        String::new()
    } else {
        brief
    }
}

/// How many servers a service has, and what they can do: under each strategy that is compared, for
/// some let servers stand by.
fn servers(scenario: &Scenario, service: usize) -> String {
    let plans = || scenario.variants.iter().map(|one| &one.blueprint);
    let range = |values: Vec<f64>, digits: usize| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        if least == most {
            format!("{most:.digits$}")
        } else {
            format!("{least:.digits$} to {most:.digits$}")
        }
    };
    let counts = |of: fn(&ServicePlan) -> usize| -> Vec<f64> {
        plans()
            .map(|plan| of(&plan.services[service]) as f64)
            .collect()
    };
    let idle = counts(|own| own.in_charge().iter().filter(|serves| !**serves).count());
    let stand_by = if idle.iter().all(|count| *count == 0.0) {
        String::new()
    } else {
        format!(
            ", of which {} {} nothing while all are well",
            range(idle.clone(), 0),
            if idle.iter().all(|count| *count == 1.0) {
                "gets"
            } else {
                "get"
            }
        )
    };
    let all = range(counts(|own| own.servers.len()), 0);
    let scaled = |own: &ServicePlan| own.groups.iter().any(|group| group.autoscale.is_some());
    let bounds = match plans().any(|plan| scaled(&plan.services[service])) {
        true => {
            let start = |own: &ServicePlan| -> usize {
                let groups = own
                    .groups
                    .iter()
                    .filter_map(|group| group.autoscale.as_ref());
                let away = groups.map(|scale| (scale.settings.most - scale.start) as usize);
                own.servers.len() - away.sum::<usize>()
            };
            format!(" at most, {} at the start", range(counts(start), 0))
        }
        false => String::new(),
    };
    let noun = if all == "1" { "server" } else { "servers" };
    let most: Vec<f64> = plans().map(|plan| capacities(plan)[service]).collect();
    // Work that takes no time has no end.
    let most = if most.iter().all(|rate| rate.is_finite()) {
        format!("{} requests/s at most", range(most, 1))
    } else {
        "any number of requests/s, for they take no time".to_owned()
    };
    format!("{all} {noun}{bounds}{stand_by}; {most}")
}

/// What the servers of each service that get requests can do, in requests a second.
fn capacities(plan: &Blueprint) -> Vec<f64> {
    let services = plan.services.iter().enumerate();
    services
        .map(|(index, service)| service.capacity(plan.mean_size(index), plan.end - Time::ZERO))
        .collect()
}

/// Whom a fault strikes.
fn struck(plan: &Blueprint, fault: &Fault) -> String {
    let name_of = |server: u32| plan.server_names().nth(server as usize).unwrap_or_default();
    let some = match fault.only {
        Some(only) if (only as usize) < fault.servers().len() => format!("{only} of "),
        _ => String::new(),
    };
    match &fault.strikes {
        Strikes::Servers(servers, _) => match servers.as_slice() {
            [] => "nobody".to_owned(),
            [one] => name_of(*one),
            [one, .., last] => format!(
                "{some}{} servers, {} to {}",
                servers.len(),
                name_of(*one),
                name_of(*last)
            ),
        },
        Strikes::Balancers(balancers, _) => {
            let name = |&(service, number): &(u16, u16)| {
                let service = &plan.services[usize::from(service)];
                service.full_name(&(number + 1).to_string())
            };
            let names: Vec<String> = balancers.iter().map(name).collect();
            format!(
                "{} {}",
                counted(names.len() as u64, "balancer"),
                names.join(", ")
            )
        }
        Strikes::Ways(ways, _) => {
            let (from, to) = (ways.from.len() as u64, ways.to.len() as u64);
            let way = if ways.one_way { "one way" } else { "both ways" };
            format!(
                "{} and {}, {way}",
                counted(from, "place"),
                counted(to, "place")
            )
        }
    }
}
