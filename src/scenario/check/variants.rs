//! What a scenario compares: strategies in the world as it stands, and worlds with other settings.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::Variant;
use super::super::conform::conform;
use super::super::diagnostic::{Diagnostic, any_error};
use super::super::file::{self, File};
use super::super::schema;
use super::super::text::{Document, Path};
use super::by_place::by_place;
use super::data::Data;
use super::sweep::blamed;
use super::{Check, blueprint, compared_service, read};
use crate::model::balancer::BalancerPlan;
use crate::model::blueprint::Blueprint;
use crate::model::fault::FaultConfig;
use crate::prose::quoted;
use crate::strategy::{Sight, StrategyConfig, short_names};

/// What a variant is made of besides its strategy: equal worlds behave alike.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::scenario) struct VariantWorld {
    clients: Vec<file::Clients>,
    services: Vec<file::Service>,
    network: file::Network,
    faults: Vec<FaultConfig>,
}

impl VariantWorld {
    fn of(file: &File, compared: usize) -> VariantWorld {
        let mut services = file.services.clone();
        services[compared].balancer.strategy = BalancerPlan::default().strategy;
        VariantWorld {
            clients: file.clients.clone(),
            services,
            network: file.network.clone(),
            faults: file.faults.clone(),
        }
    }
}

/// All that the file compares: the strategies of `compare` in the world as it stands, then the
/// variants, each in a world of its own. With each, its world as the file says it.
pub(super) fn variants(
    file: &File,
    document: &Document,
    data: &mut Data,
    faults: &mut Vec<Diagnostic>,
) -> (Vec<Variant>, Vec<Arc<VariantWorld>>) {
    let mut variants = Vec::new();
    let mut worlds = Vec::new();
    let mut check = Check {
        data,
        faults: std::mem::take(faults),
    };
    let compared = compared_service(file, &mut check);
    let plain = blueprint(file, &mut check);
    *faults = check.faults;
    // The others are no part of a variant, and would be read once for each.
    let alone = document.without(&["variants", "sweep", "tune", "measured"]);
    let as_it_stands = Arc::new(VariantWorld::of(file, compared));
    if any_error(faults) {
        // What is wrong with the scenario is wrong with each variant of it.
        return (variants, worlds);
    }
    if let Some(plain) = &plain {
        let names = short_names(&file.run.compare);
        for (strategy, mut name) in file.run.compare.iter().zip(names) {
            // A variant that is called like the short name keeps what it was given.
            if file.variants.iter().any(|given| given.name == name) {
                name = strategy.label();
            }
            variants.push(variant(name, strategy.clone(), plain, compared));
            worlds.push(Arc::clone(&as_it_stands));
        }
    }
    let mut blamed = Blamed::default();
    for (index, changed) in file.variants.iter().enumerate() {
        let at = Path::root().key("variants").index(index);
        let read = match &plain {
            Some(plain) if changed.set.is_empty() => {
                let strategy = strategy_of((changed, &at), (file, compared), &alone, data);
                strategy.map(|own| (own, Arc::clone(&as_it_stands), plain.clone()))
            }
            _ => world_of(changed, &at, (document, &alone), data).and_then(
                |(document, world, blueprint)| {
                    let strategy =
                        strategy_of((changed, &at), (&world, compared), &document, data)?;
                    Ok((
                        strategy,
                        Arc::new(VariantWorld::of(&world, compared)),
                        blueprint,
                    ))
                },
            ),
        };
        match read {
            Ok((strategy, world, blueprint)) => {
                let oracle =
                    strategy.sight() == Sight::Oracle && !changed.name.ends_with("(oracle)");
                let name = if oracle {
                    format!("{} (oracle)", changed.name)
                } else {
                    changed.name.clone()
                };
                variants.push(variant(name, strategy, &blueprint, compared));
                worlds.push(world);
            }
            Err(more) => blamed.add(&changed.name, more),
        }
    }
    faults.extend(blamed.said());
    if let Some(first) = variants.first() {
        let same = |v: &Variant| {
            v.blueprint.end == first.blueprint.end && v.blueprint.warmup == first.blueprint.warmup
        };
        if let Some(odd) = variants.iter().find(|v| !same(v)) {
            let message = format!(
                "`{}` runs for another time than `{}`; what is compared must run alike",
                odd.name, first.name
            );
            faults.push(Diagnostic::error(
                "unlike-runs",
                Path::root().key("variants"),
                message,
            ));
        }
    }
    (variants, worlds)
}

/// The strategy of a variant: its own; where it has none, that which is written for the service, or
/// the only one that is compared.
fn strategy_of(
    (variant, at): (&file::Variant, &Path),
    (world, compared): (&File, usize),
    document: &Document,
    data: &mut Data,
) -> Result<StrategyConfig, Vec<Diagnostic>> {
    if let Some(strategy) = &variant.strategy {
        let faults = Vec::new();
        let mut check = Check { data, faults };
        by_place(strategy, (world, compared), &at.key("strategy"), &mut check);
        return match check.faults {
            none if none.is_empty() => Ok(strategy.clone()),
            some => Err(some),
        };
    }
    let own = format!("services[{compared}].balancer.strategy");
    if document.written(&own).is_some() {
        return Ok(world.services[compared].balancer.strategy.clone());
    }
    match &world.run.compare[..] {
        [] => Ok(world.services[compared].balancer.strategy.clone()),
        [only] => Ok(only.clone()),
        several => {
            let message = format!(
                "there is no `strategy`, and {} are compared: which of them is run is not said",
                several.len()
            );
            let help = format!(
                "add e.g. `strategy = {:?}` to it, or `strategy` to the balancer of `{}`",
                several[0].name(),
                world.services[compared].name
            );
            Err(vec![
                Diagnostic::error("no-strategy", at, message).help(help),
            ])
        }
    }
}

fn variant(
    name: String,
    strategy: StrategyConfig,
    blueprint: &Blueprint,
    compared: usize,
) -> Variant {
    let mut blueprint = blueprint.clone();
    blueprint.services[compared].balancer.strategy = strategy.clone();
    Variant {
        name,
        strategy,
        service: compared,
        blueprint,
    }
}

/// The world of a variant: the document with other settings, read anew. Values are as the whole
/// document has them; those that are set go into what of it the variant is made of.
fn world_of(
    variant: &file::Variant,
    at: &Path,
    (document, alone): (&Document, &Document),
    data: &mut Data,
) -> Result<(Document, File, Blueprint), Vec<Diagnostic>> {
    let mut changed = alone.clone();
    let mut faults = Vec::new();
    for (key, value) in &variant.set {
        let place = at.key("set").key(key);
        let text = match value {
            // Tables may stand under headers of their own.
            serde_json::Value::Object(_) => inline(value),
            serde_json::Value::Array(values) if values.iter().any(|own| own.is_object()) => {
                inline(value)
            }
            _ => document.text(&document.span(&place)).to_owned(),
        };
        if let Err(fault) = changed.set(&format!("{key}={text}")) {
            faults.push(Diagnostic::error(fault.code, &place, fault.message.clone()));
        }
    }
    let (value, more) = conform(&changed, schema());
    // Who sets a table may have meant to set what is in it.
    let replaced = variant.set.iter().find_map(|(key, value)| {
        let first = value.as_object()?.keys().next()?;
        alone.written(key)?;
        Some(format!(
            "`{key}` is replaced by the table that is set, whole; to change a value of it and leave the rest, set `\"{key}.{first}\"`"
        ))
    });
    let explained = |fault: Diagnostic| match &replaced {
        Some(help) if fault.code == "missing-key" => fault.help(help.clone()),
        _ => fault,
    };
    // Faults are shown at the line of the variant that makes them.
    let more = more.into_iter().map(explained);
    faults.extend(more.map(|fault| blame(fault, at)));
    if any_error(&faults) {
        return Err(faults);
    }
    let file = read(&changed, value)?;
    let mut check = Check { data, faults };
    let blueprint = blueprint(&file, &mut check);
    match blueprint {
        Some(blueprint) if check.faults.is_empty() => Ok((changed, file, blueprint)),
        _ => Err(check
            .faults
            .into_iter()
            .map(|fault| blame(fault, at))
            .collect()),
    }
}

/// A value as TOML on one line.
fn inline(value: &serde_json::Value) -> String {
    use serde_json::Value;
    let listed = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let entries = entries
                .map(|(key, value)| format!("{} = {}", Value::from(key.as_str()), inline(value)));
            format!("{{ {} }}", listed(entries.collect()))
        }
        Value::Array(values) => format!("[{}]", listed(values.iter().map(inline).collect())),
        plain => plain.to_string(),
    }
}

/// A fault of a variant's world, where it comes from.
fn blame(fault: Diagnostic, at: &Path) -> Diagnostic {
    blamed(&fault, &at.key("set"), "")
}

/// What is wrong with variants. What is wrong with several in the same way is said once, where the
/// first of them has it.
#[derive(Default)]
struct Blamed<'a> {
    faults: Vec<(Diagnostic, Vec<&'a str>)>,
    /// The place in `faults` of what is wrong in one way.
    ways: HashMap<(&'static str, String), usize>,
}

impl<'a> Blamed<'a> {
    fn add(&mut self, variant: &'a str, faults: Vec<Diagnostic>) {
        for fault in faults {
            let way = (fault.code, fault.message.clone());
            let at = *self.ways.entry(way).or_insert(self.faults.len());
            match self.faults.get_mut(at) {
                // Two that are said alike of one variant are two.
                Some((_, names)) if names.last() != Some(&variant) => names.push(variant),
                _ => self.faults.push((fault, vec![variant])),
            }
        }
    }

    fn said(self) -> impl Iterator<Item = Diagnostic> {
        self.faults.into_iter().map(|(fault, names)| {
            let which = match names.len() {
                1 => "variant",
                _ => "variants",
            };
            let message = format!("in {which} {}: {}", quoted(names), fault.message);
            Diagnostic { message, ..fault }
        })
    }
}
