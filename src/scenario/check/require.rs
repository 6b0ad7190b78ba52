//! What must hold: each line understood by itself, of what has those names.

use std::collections::BTreeSet;

use super::super::Scenario;
use super::super::diagnostic::Diagnostic;
use super::super::file;
use super::super::text::{Document, Path};
use super::super::warning::Warning;
use crate::figures::span;
use crate::prose::quoted;
use crate::requirement::{AskedAt, Requirement, RequirementNames};
use crate::spelling::did_you_mean;
use crate::strategy::CATALOGUE;
use crate::time::Span;

/// The names of what is compared, of services of which figures are kept, and of groups of clients;
/// of those that are the same, in the same order, in all that is compared.
pub(super) struct KnownNames<'a> {
    strategies: Vec<&'a str>,
    services: Vec<&'a str>,
    clients: Vec<&'a str>,
    pub(super) servers: Vec<String>,
}

/// Reads requirements, and gives each scenario that is run its own: of a sweep each point, where it
/// is asked there.
pub(super) fn requirements(
    file: &[file::Require],
    scenario: &mut Scenario,
    document: &Document,
) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    let mut found = Vec::new();
    let known = KnownNames::of(scenario);
    let servers: Vec<&str> = known.servers.iter().map(String::as_str).collect();
    let names = known.names(&servers);
    for (index, line) in file.iter().enumerate() {
        let at = Path::root().key("require").index(index);
        for (key, count) in line.lists() {
            faults.extend(unswept(scenario, document, &at.key(key), (key, count)));
        }
        let read = read(&line.that, &names, scenario);
        let not_asked = match &read {
            Ok(requirement) => without_other(requirement, &known.strategies),
            Err(_) => absent(&line.that, &known.strategies)
                .map(|name| format!("`{name}` is not compared here")),
        };
        if let Some(why) = not_asked {
            let text = format!("`{}` is not asked: {why}", line.that);
            warnings.push(Warning::new("not-asked", text));
            continue;
        }
        match read {
            Ok(requirement) => found.push((requirement, index)),
            Err((message, help)) => faults
                .push(Diagnostic::error("bad-requirement", at.key("that"), message).help(help)),
        }
    }
    let at = |index: usize, key: &str| {
        let count = file[index].lists().find(|own| own.0 == key)?.1;
        Some(written(
            document,
            &Path::root().key("require").index(index).key(key),
            count,
        ))
    };
    let mut twice: Vec<(usize, String)> = Vec::new();
    let mut meet = |own: &[&(Requirement, usize)]| {
        for (place, (requirement, index)) in own.iter().enumerate() {
            if own[..place].iter().any(|before| before.0 == *requirement) {
                twice.push((*index, requirement.to_string()));
            }
        }
    };
    match &mut scenario.sweep {
        None => meet(&found.iter().collect::<Vec<_>>()),
        Some(sweep) => {
            for point in &mut sweep.points {
                let second = point.and.as_ref().map(|and| and.0.as_str());
                let is_meant = |index: usize| {
                    let first =
                        at(index, "values").is_none_or(|own| own.contains(&point.value.as_str()));
                    let and = at(index, "values-2");
                    first && and.is_none_or(|own| second.is_some_and(|value| own.contains(&value)))
                };
                let own = found.iter().filter(|(_, index)| is_meant(*index));
                let own: Vec<_> = own.collect();
                meet(&own);
                point.scenario.requirements = own.iter().map(|(own, _)| own.clone()).collect();
            }
        }
    }
    twice.sort();
    twice.dedup();
    for (index, text) in twice {
        let at = Path::root().key("require").index(index).key("that");
        let fault = Diagnostic::error("repeated", &at, format!("`{text}` is required twice"));
        faults.push(fault.help("leave one out, or give them `values` of a sweep that differ"));
    }
    scenario.warnings.extend(warnings);
    scenario.requirements = found.into_iter().map(|(own, _)| own).collect();
    faults
}

impl file::Require {
    /// The lists of values that it names: their keys and lengths.
    fn lists(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let lists = [("values", &self.values), ("values-2", &self.values_2)];
        lists
            .into_iter()
            .filter_map(|(key, list)| Some((key, list.as_ref()?.len())))
    }
}

/// So many values of a list as they are written.
fn written<'d>(document: &'d Document, list: &Path, count: usize) -> Vec<&'d str> {
    let bare = |own: usize| {
        let text = document.text(&document.span(&list.index(own)));
        text.trim().trim_matches(['"', '\''])
    };
    (0..count).map(bare).collect()
}

/// Values that are not swept.
fn unswept(
    scenario: &Scenario,
    document: &Document,
    list: &Path,
    (key, count): (&str, usize),
) -> Vec<Diagnostic> {
    let Some(sweep) = &scenario.sweep else {
        let message = format!("`{key}` is of a sweep, and nothing is swept here");
        let fault = Diagnostic::error("contradiction", list, message);
        return vec![fault.help("leave it out, or add a `[sweep]`")];
    };
    let mut known: Vec<&str> = Vec::new();
    for point in &sweep.points {
        let value = match (key, &point.and) {
            ("values", _) => Some(point.value.as_str()),
            (_, and) => and.as_ref().map(|and| and.0.as_str()),
        };
        known.extend(value.filter(|value| !known.contains(value)));
    }
    let given = written(document, list, count).into_iter().enumerate();
    given
        .filter(|(_, value)| !known.contains(value))
        .map(|(place, value)| {
            let near = did_you_mean(value, known.iter().copied());
            let near = near.map_or(String::new(), |question| question + " ");
            let message = format!("`{value}` is no value of the sweep");
            let fault = Diagnostic::error("unknown-name", list.index(place), message);
            fault.help(format!("{near}there is {}", quoted(&known)))
        })
        .collect()
}

impl<'a> KnownNames<'a> {
    pub(super) fn of(scenario: &'a Scenario) -> KnownNames<'a> {
        let first = &scenario.variants[0].blueprint;
        let others = || scenario.variants.iter().map(|variant| &variant.blueprint);
        // What is told apart by services is taken down where servers have steps.
        let are_kept = others().all(|plan| plan.features().steps);
        let services = first.services.iter().enumerate().take_while(|(at, own)| {
            others().all(|plan| {
                plan.services
                    .get(*at)
                    .is_some_and(|other| other.name == own.name)
            })
        });
        let sources = first.sources.iter().enumerate().take_while(|(at, own)| {
            others().all(|plan| {
                plan.sources
                    .get(*at)
                    .is_some_and(|other| other.name == own.name)
            })
        });
        let (services, sources): (Vec<&str>, Vec<&str>) = (
            services.map(|(_, own)| own.name.as_str()).collect(),
            sources.map(|(_, own)| own.name.as_str()).collect(),
        );
        KnownNames {
            strategies: (scenario.variants.iter())
                .map(|variant| variant.name.as_str())
                .collect(),
            services: if are_kept { services } else { Vec::new() },
            clients: if first.sources.len() > 1 {
                sources
            } else {
                Vec::new()
            },
            servers: servers(scenario),
        }
    }

    /// These names, with those of `servers`.
    pub(super) fn names<'n>(&'n self, servers: &'n [&'n str]) -> RequirementNames<'n> {
        RequirementNames {
            strategies: &self.strategies,
            services: &self.services,
            clients: &self.clients,
            servers,
        }
    }
}

/// Why nobody is left to be compared with, where nobody is.
fn without_other(requirement: &Requirement, strategies: &[&str]) -> Option<String> {
    let all = strategies.iter().enumerate();
    let mut asked = all.filter(|(_, name)| requirement.concerns(name));
    asked
        .all(|(at, _)| requirement.opponents(at, strategies).is_empty())
        .then(|| "there is nothing else to compare it with".to_owned())
}

/// What servers and groups of them are called, of whatever is compared, each name once.
fn servers(scenario: &Scenario) -> Vec<String> {
    let points = scenario.sweep.iter().flat_map(|sweep| &sweep.points);
    let all = [scenario]
        .into_iter()
        .chain(points.map(|point| &point.scenario));
    let variants = all.flat_map(|scenario| &scenario.variants);
    let plans = variants.map(|variant| &variant.blueprint);
    let services = plans.flat_map(|plan| &plan.services);
    let names = services.flat_map(|service| {
        let groups = service.groups.iter().map(|group| group.name.as_str());
        let servers = service.servers.iter().map(|server| server.name.as_str());
        groups.chain(servers).map(|own| service.full_name(own))
    });
    names.collect::<BTreeSet<String>>().into_iter().collect()
}

/// The strategy that a line asks something of and that is not compared, though there is one of its
/// kind: what is compared may be changed from outside the file.
fn absent(text: &str, compared: &[&str]) -> Option<String> {
    let line: Requirement = text.parse().ok()?;
    let is_known = |name: &str| {
        let kind = name.split(" (").next().unwrap_or(name);
        CATALOGUE.iter().any(|entry| entry.name == kind)
    };
    let names = line.subjects().filter_map(|own| own.of.clone());
    let mut others = names.filter(|name| !compared.contains(&name.as_str()));
    others.find(|name| is_known(name))
}

/// A line, and whether it can be decided here.
fn read(
    text: &str,
    names: &RequirementNames<'_>,
    scenario: &Scenario,
) -> Result<Requirement, (String, String)> {
    let requirement =
        Requirement::read(text, names).map_err(|fault| (fault.message, fault.help))?;
    let sources = &scenario.variants[0].blueprint.sources;
    let hostile = requirement.subjects().find_map(|own| match own.place {
        AskedAt::Clients(ref name, number) => sources[number].hostile.then_some(name),
        _ => None,
    });
    if let Some(name) = hostile {
        return Err((
            format!(
                "clients `{name}` are hostile: what becomes of their requests is counted apart"
            ),
            "ask for `hostile-answered`, the share of them that is answered".to_owned(),
        ));
    }
    let within = requirement.within;
    if within.is_all() {
        return Ok(requirement);
    }
    if let Some(after) = within
        .after
        .filter(|&after| !scenario.finds_warmup && after < scenario.warmup())
    {
        return Err((
            format!(
                "what arrives {after} after the beginning is not measured: the warm-up lasts {}",
                scenario.warmup()
            ),
            "leave out `after`, or give a later time".to_owned(),
        ));
    }
    if requirement
        .subjects()
        .any(|own| own.place != AskedAt::Everywhere)
    {
        return Err((
            "what is asked of a service, a group of clients or servers is known of the whole run alone"
                .to_owned(),
            "leave out `after` and `before`, or ask it of all requests".to_owned(),
        ));
    }
    if let Some(before) = within
        .before
        .filter(|&before| !scenario.finds_warmup && before <= scenario.warmup())
    {
        return Err((
            format!(
                "what arrives before {before} is not measured: the warm-up lasts {}",
                scenario.warmup()
            ),
            "leave out `before`, or give a later time".to_owned(),
        ));
    }
    let end = scenario.duration();
    let late = [within.after, within.before]
        .into_iter()
        .flatten()
        .find(|&time| time > end);
    if let Some(time) = late {
        return Err((
            format!("the run lasts {end}: nothing arrives at {time}"),
            "times are of the run, from its beginning on".to_owned(),
        ));
    }
    let from = within.after.unwrap_or_else(|| scenario.warmup());
    let length = within
        .before
        .unwrap_or(end)
        .nanos()
        .saturating_sub(from.nanos());
    let stretch = end.nanos().div_ceil(super::STRETCHES as u64);
    if length < 2 * stretch {
        return Err((
            "so short a stretch of time is not told apart".to_owned(),
            format!(
                "a run is cut into {} stretches, of {} here: name two of them at least",
                super::STRETCHES,
                span(Span::from_nanos(stretch))
            ),
        ));
    }
    Ok(requirement)
}
