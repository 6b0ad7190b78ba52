//! `lbsim export`: the weights of a scenario in a configuration, with nothing else changed there,
//! or in a product's own words.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use similar::TextDiff;

use super::ScenarioArgs;
use super::import::{ProductRead, choose, read};
use super::output::{Failure, Output};
use crate::config::rounding::{Rounded, round};
use crate::config::{Pool, Product, patch, scenario_name};
use crate::experiment::{self, Progress};
use crate::export::{Plan, Target, snippet};
use crate::figures::{change_with, percent};
use crate::model::blueprint::ServicePlan;
use crate::prose::{listed, quoted};
use crate::report::whole::whole;
use crate::scenario::{Scenario, Template};

/// A product as an argument.
#[derive(Clone, Copy, Debug)]
struct Named(Product);

impl Named {
    const ALL: [Named; Product::ALL.len()] = {
        let mut all = [Named(Product::Nginx); Product::ALL.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = Named(Product::ALL[at]);
            at += 1;
        }
        all
    };
}

impl ValueEnum for Named {
    fn value_variants<'a>() -> &'a [Named] {
        &Named::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()).help(self.0.title()))
    }
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    scenarios: ScenarioArgs,
    /// The product; with `--into` by default that of the file: HAProxy where its name ends in
    /// `.cfg`, Envoy for YAML and JSON, and nginx otherwise.
    #[arg(
        long = "for",
        value_enum,
        value_name = "PRODUCT",
        required_unless_present = "into"
    )]
    product: Option<Named>,
    /// A configuration whose weights are replaced; without it a snippet is printed.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Which pool of it, where there are several.
    #[arg(long, value_name = "NAME", requires = "into")]
    pool: Option<String>,
    /// Which service of the scenario; by default the one that is called as the pool, or whose
    /// strategy is compared.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Write the weights into the file; without it the difference is only shown.
    #[arg(long, requires = "into")]
    write: bool,
    /// Write them even where a server of the scenario is not in the configuration, or one of the
    /// configuration not in the scenario; such servers keep the weights that they have.
    #[arg(long, requires = "write")]
    partial: bool,
}

pub(super) fn export(args: &ExportArgs, output: &Output) -> Result<(), Failure> {
    let [path] = &args.scenarios.files[..] else {
        return Err(Failure::Usage("`export` takes one scenario".to_owned()));
    };
    let text = super::read_text(path)?;
    let (template, scenario) =
        Template::parse(path, &text, &args.scenarios.changes()).map_err(Failure::Rejected)?;
    match &args.into {
        Some(file) => into(args, file, &template, &scenario, output),
        None => print(args, &template, &scenario, output),
    }
}

/// The service of a name; where none is given, one of `likely`, or the only one.
fn service<'s>(
    scenario: &'s Scenario,
    name: Option<&str>,
    likely: Option<&str>,
) -> Result<(usize, &'s ServicePlan), Failure> {
    let services = &scenario.variants[scenario.baseline].blueprint.services;
    let called = |name: &str| services.iter().position(|own| own.name == name);
    let at = match name {
        Some(name) => called(name),
        None => likely
            .and_then(called)
            .or((services.len() == 1).then_some(0)),
    };
    let at = at.ok_or_else(|| {
        let names = services.iter().map(|own| &own.name);
        Failure::Usage(format!(
            "choose a service of the scenario with `--service`: it has {}",
            quoted(names)
        ))
    })?;
    Ok((at, &services[at]))
}

/// The weights of the groups of a service in the range of a product; what rounding does is measured
/// and said.
fn fitted(
    template: &Template,
    scenario: &Scenario,
    (at, service): (usize, &ServicePlan),
    product: Product,
    output: &Output,
) -> Result<Vec<u32>, Failure> {
    let own: Vec<u32> = service.groups.iter().map(|group| group.weight).collect();
    let Rounded {
        weights,
        largest_error,
    } = round(&own, &product.weights());
    if weights == own {
        return Ok(weights);
    }
    let changed = own
        .iter()
        .zip(&weights)
        .map(|(own, new)| format!("{own} to {new}"));
    output.say(&format!(
        "{} takes weights from {} to {}: {}; no share changes by more than {} of itself",
        product.title(),
        product.weights().start(),
        product.weights().end(),
        listed(changed),
        percent(largest_error)
    ));
    let sets: Vec<String> = weights
        .iter()
        .enumerate()
        .map(|(group, weight)| format!("services[{at}].servers[{group}].weight={weight}"))
        .collect();
    let mut rounded = template.with(&sets).map_err(|faults| {
        let why: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        Failure::Run(format!(
            "the scenario cannot be run with these weights: {}",
            why.join("; ")
        ))
    })?;
    let mut exact = scenario.clone();
    for one in [&mut exact, &mut rounded] {
        one.variants = vec![one.variants.swap_remove(one.baseline)];
        (one.baseline, one.goal, one.sweep) = (0, None, None);
    }
    let outcomes = experiment::run(&[(&exact, None), (&rounded, None)], &Progress::default())?;
    let metric = experiment::metric(scenario.judge_by);
    let effect = experiment::difference(&outcomes[1].variants[0], &outcomes[0].variants[0], metric);
    if let Some(effect) = effect {
        output.say(&format!(
            "what rounding does to {}: {} (95%), on the same requests",
            metric.name,
            change_with(effect.relative.unwrap_or(0.0), effect.relative_half_width)
        ));
    }
    Ok(weights)
}

/// Prints a snippet.
fn print(
    args: &ExportArgs,
    template: &Template,
    scenario: &Scenario,
    output: &Output,
) -> Result<(), Failure> {
    let Some(Named(product)) = args.product else {
        return Err(Failure::Usage("say for what product: `--for`".to_owned()));
    };
    let compared = scenario.resolved["run"]["service"].as_str();
    let (at, own) = service(scenario, args.service.as_deref(), compared)?;
    let weights = fitted(template, scenario, (at, own), product, output)?;
    let targets = own.servers.iter().zip(own.members.iter());
    let plan = Plan {
        name: own.name.clone(),
        strategy: own.balancer.strategy.name().to_owned(),
        settings: own.balancer.strategy.said().into_iter().collect(),
        targets: targets
            .map(|(server, member)| Target {
                name: server.name.clone(),
                address: member.address.clone(),
                weight: weights[server.group],
                backup: member.backup,
                down: member.down,
                max_connections: member.max_connections,
            })
            .collect(),
    };
    let written = snippet(product, &plan).map_err(|why| {
        let product = product.title();
        Failure::Usage(format!("this cannot be written for {product}: {why}"))
    })?;
    for remark in &written.remarks {
        output.say(&format!("note: {remark}"));
    }
    output.print(&written.text)
}

/// Puts the weights into a configuration.
fn into(
    args: &ExportArgs,
    file: &Path,
    template: &Template,
    scenario: &Scenario,
    output: &Output,
) -> Result<(), Failure> {
    let source = match args.product {
        None => ProductRead::of(file),
        Some(Named(product)) => ProductRead::reads(product).ok_or_else(|| {
            Failure::Usage(format!(
                "configurations of {} are not read; without `--into` a snippet is printed",
                product.title()
            ))
        })?,
    };
    let configuration = read(file, source, output)?;
    let pool = choose(&configuration, args.pool.as_deref())?;
    let likely = scenario_name(&pool.name);
    let (at, own) = service(scenario, args.service.as_deref(), Some(&likely))?;
    let weights = fitted(template, scenario, (at, own), source.product(), output)?;
    let placed = placed(pool, own, &weights)?;
    let lonely = lonely(&placed, pool, own);
    for sentence in &lonely {
        output.say(sentence);
    }
    if args.write && !args.partial && !lonely.is_empty() {
        return Err(Failure::Usage(
            "nothing is written, since scenario and configuration do not have the same servers: import the configuration again, or \
             say `--partial` to write the weights of the others"
                .to_owned(),
        ));
    }
    let weights: Vec<Vec<Option<u32>>> = configuration
        .pools
        .iter()
        .map(|one| match std::ptr::eq(one, pool) {
            true => placed.weights.clone(),
            false => vec![None; one.servers.len()],
        })
        .collect();
    let patched = patch(&configuration, &weights);
    if let Some((pool, server)) = patched.left.first() {
        return Err(Failure::Run(format!(
            "the weight of `{server}` in `{pool}` cannot be written without touching anything else"
        )));
    }
    if patched.files.is_empty() {
        output.say("the configuration has these weights already");
        return Ok(());
    }
    let mut shown = String::new();
    for (file, new) in &patched.files {
        let old = &configuration.files[*file];
        let name = old.path.display().to_string();
        let diff = TextDiff::from_lines(&old.text, new);
        shown += &diff
            .unified_diff()
            .context_radius(2)
            .header(&name, &name)
            .to_string();
    }
    if !shown.ends_with('\n') {
        shown.push('\n');
    }
    output.print(&shown)?;
    if !args.write {
        output.say("nothing is written; `--write` does");
        return Ok(());
    }
    for (file, new) in &patched.files {
        whole(&configuration.files[*file].path, new.as_bytes())?;
    }
    Ok(())
}

/// What a scenario says of the servers of a configuration.
struct Placed {
    /// The weight of each server of the pool; `None` where the scenario has no such server.
    weights: Vec<Option<u32>>,
    /// Which groups of the service were found in the pool.
    found: Vec<bool>,
}

/// Finds the servers of a pool in a scenario: a group is known by what `import` calls it, a server
/// of a group by its own name.
fn placed(pool: &Pool, service: &ServicePlan, weights: &[u32]) -> Result<Placed, Failure> {
    let refused = |why: String| Err(Failure::Usage(why));
    let Some(rows) = pool.groups() else {
        return refused(format!(
            "the pool `{}` has more unlike servers than a scenario has groups",
            pool.name
        ));
    };
    let mut placed = Placed {
        weights: vec![None; pool.servers.len()],
        found: vec![false; service.groups.len()],
    };
    let groups: HashMap<&str, usize> = (0..)
        .zip(&service.groups)
        .map(|(at, group)| (group.name.as_str(), at))
        .collect();
    let servers: HashMap<&str, usize> = service
        .servers
        .iter()
        .map(|server| (server.name.as_str(), server.group))
        .collect();
    for row in &rows {
        let name = row.name.as_str();
        if let Some(&group) = groups.get(name).or_else(|| servers.get(name)) {
            placed.found[group] = true;
            placed.weights[row.servers.clone()].fill(Some(weights[group]));
        }
    }
    match placed.found.contains(&true) {
        true => Ok(placed),
        false => refused(format!(
            "no server of the service `{}` is called as one of the pool: {}",
            service.name,
            listed(rows.iter().map(|row| row.name.as_str()))
        )),
    }
}

/// What has no counterpart: servers of the scenario, and servers of the configuration.
fn lonely(placed: &Placed, pool: &Pool, service: &ServicePlan) -> Vec<String> {
    let mut sentences = Vec::new();
    let groups = service.groups.iter().zip(&placed.found);
    let missing: Vec<&str> = groups
        .filter(|(_, found)| !**found)
        .map(|(group, _)| group.name.as_str())
        .collect();
    if !missing.is_empty() {
        let names = listed(missing);
        sentences.push(format!(
            "in the scenario, but not in the configuration: {names}"
        ));
    }
    let servers = pool.servers.iter().zip(&placed.weights);
    let kept: Vec<String> = servers
        .filter(|(_, weight)| weight.is_none())
        .map(|(server, _)| format!("{} (weight {})", server.name, server.weight))
        .collect();
    if !kept.is_empty() {
        let names = listed(kept.iter().map(String::as_str));
        sentences.push(format!(
            "in the configuration, but not in the scenario, so that the weight stays: {names}"
        ));
    }
    sentences
}
