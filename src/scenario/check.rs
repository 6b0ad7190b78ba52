//! What a scenario file means: names resolved, rules that span several keys held, data read. Each
//! fault is reported where it stands.

use std::collections::HashSet;
use std::path::Path as FilePath;

use super::diagnostic::Diagnostic;
use super::file::{self, File};
use super::text::{Document, Path};
use super::warning;
use super::{Goal, Measurement, Scenario, Target};
use crate::model::blueprint::{Blueprint, ServicePlan, When};
use crate::model::cost::Prices;
use crate::model::network::Distances;
use crate::prose::quoted;
use crate::spelling;
use crate::time::{Span, Time};
use crate::units::{Percentile, Precision, WarmUp};

mod by_place;
mod clients;
pub(super) mod data;
mod faults;
mod names;
mod places;
mod require;
mod services;
pub(super) mod size;
mod standing;
mod state;
mod steps;
mod strategies;
mod sweep;
mod tune;
pub(super) mod variants;

use data::Data;
pub(super) use sweep::point;

/// Requests of one cell at most: more would take weeks.
const MOST_REQUESTS: f64 = 1e11;
/// Stretches of the timeline.
const STRETCHES: usize = 120;

/// Collects what is wrong while the parts of a file are checked.
struct Check<'a> {
    data: &'a mut Data,
    faults: Vec<Diagnostic>,
}

impl Check<'_> {
    fn fault(&mut self, at: &Path, code: &'static str, message: impl Into<String>) {
        self.faults
            .push(Diagnostic::error(code, at, message.into()));
    }

    /// Notes why a distribution or process cannot be, where it stands.
    fn parameter(&mut self, at: &Path, error: &crate::distribution::DistError) {
        self.fault(
            &descend(at, &error.field),
            "bad-parameter",
            error.to_string(),
        );
    }

    /// Finds the zone of this name; where the network says nothing of zones, any name is one.
    fn find_zone(&mut self, file: &File, at: &Path, name: &str) -> Option<()> {
        let zones = &file.network.zones;
        if zones.is_empty() {
            return Some(());
        }
        let known = zones.keys().map(String::as_str);
        self.find(at, "zone", name, known).map(|_| ())
    }

    /// A name that must be one of `known`.
    fn find<'n>(
        &mut self,
        at: &Path,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Option<usize> {
        let known: Vec<&str> = known.into_iter().collect();
        let found = known.iter().position(|&other| other == name);
        if found.is_none() {
            let near = spelling::did_you_mean(name, known.iter().copied())
                .map_or(String::new(), |question| question + " ");
            let fault =
                Diagnostic::error("unknown-name", at, format!("there is no {what} `{name}`")).help(
                    format!(
                        "{near}there is {}",
                        if known.is_empty() {
                            "none".to_owned()
                        } else {
                            quoted(&known)
                        }
                    ),
                );
            self.faults.push(fault);
        }
        found
    }
}

pub(super) use sweep::is_overloaded;

/// The path of a field that an error names as `parts[1].dist.mean`.
fn descend(at: &Path, field: &str) -> Path {
    let mut path = at.clone();
    for part in field.split('.') {
        let (key, indexes) = part.split_once('[').unwrap_or((part, ""));
        path = path.key(key);
        for index in indexes
            .split(['[', ']'])
            .filter_map(|index| index.parse().ok())
        {
            path = path.index(index);
        }
    }
    path
}

/// Turns a file that conforms to the schema into what it means.
///
/// # Errors
/// All that is wrong with it.
pub fn check(
    path: &FilePath,
    document: &Document,
    value: serde_json::Value,
) -> Result<Scenario, Vec<Diagnostic>> {
    let mut data = Data::new(path, document);
    let (mut scenario, asked) = scenario(path, document, value, &mut data)?;
    let Asked {
        sweep: plan,
        tune,
        size,
        require,
    } = asked;
    let mut faults = Vec::new();
    if let Some(plan) = plan {
        match sweep::sweep(&plan, &scenario, path, document, &mut data) {
            Ok(sweep) => scenario.sweep = Some(sweep),
            Err(own) => faults.extend(own),
        }
    }
    let plain = file::Tune::default();
    match tune::tuning(
        tune.as_ref().unwrap_or(&plain),
        &scenario,
        path,
        document,
        &mut data,
    ) {
        Ok(tuning) => scenario.tuning = Ok(tuning),
        Err(own) if tune.is_some() => faults.extend(own),
        Err(own) => {
            let why: Vec<&str> = own.iter().map(|fault| fault.message.as_str()).collect();
            scenario.tuning = Err(why.join("; "));
        }
    }
    if let Some(plan) = size {
        match size::sizing(&plan, &scenario, path, document, &mut data) {
            Ok(sizing) => scenario.sizing = Some(sizing),
            Err(own) => faults.extend(own),
        }
    }
    faults.extend(require::requirements(&require, &mut scenario, document));
    scenario.files = data.files();
    if faults.is_empty() {
        Ok(scenario)
    } else {
        Err(faults)
    }
}

/// What a file asks for beside a run.
struct Asked {
    sweep: Option<file::Sweep>,
    tune: Option<file::Tune>,
    size: Option<file::Size>,
    require: Vec<file::Require>,
}

/// The scenario as it stands, and what it asks for beside a run.
fn scenario(
    path: &FilePath,
    document: &Document,
    value: serde_json::Value,
    data: &mut Data,
) -> Result<(Scenario, Asked), Vec<Diagnostic>> {
    let resolved = read(document, value)?;
    let mut faults = Vec::new();

    let (variants, worlds) = variants::variants(&resolved, document, data, &mut faults);
    let names: Vec<&str> = variants
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    // A variant that was not looked at, since something else is wrong, may be the one that asks.
    let are_all_seen =
        faults.is_empty() || (resolved.variants.iter()).all(|variant| variant.set.is_empty());
    let idle = std::mem::take(&mut data.idle);
    let asked = &data.asked;
    faults.extend(
        (idle.into_iter())
            .filter(|(name, _)| are_all_seen && !asked.contains(name))
            .map(|(_, idle)| idle),
    );
    let mut check = Check { data, faults };
    let mut seen = HashSet::new();
    for name in &names {
        if !seen.insert(*name) {
            let path = Path::root().key("run").key("compare");
            check.fault(
                &path,
                "repeated",
                format!("`{name}` is compared twice; give one of them another name"),
            );
        }
    }
    if names.is_empty() && check.faults.is_empty() {
        let path = Path::root().key("run");
        check.fault(
            &path,
            "nothing-to-compare",
            "there is nothing to run: name at least one strategy in `compare`, or a `[[variants]]`",
        );
    }
    let measured = measured(&resolved, &names, &mut check);
    let baseline = match &resolved.run.baseline {
        None => 0,
        Some(name) if check.faults.is_empty() => {
            // The name with all its settings does as well, whatever it is compared with.
            let whole = || {
                variants
                    .iter()
                    .position(|own| own.strategy.label() == *name)
            };
            let known = names.iter().position(|own| own == name).or_else(whole);
            known.unwrap_or_else(|| {
                let at = Path::root().key("run").key("baseline");
                check
                    .find(&at, "strategy or variant", name, names)
                    .unwrap_or(0)
            })
        }
        Some(_) => 0,
    };
    let goal = goal(&resolved.run, &mut check);
    if !check.faults.is_empty() {
        return Err(check.faults);
    }
    let mut resolved_json = serde_json::to_value(&resolved).unwrap_or_default();
    strip_nulls(&mut resolved_json);
    let file_name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut warnings = warning::of(&variants, resolved.run.replications, resolved.run.judge_by);
    warnings.extend(warning::of_equals(&variants, baseline, &worlds));
    let asked = Asked {
        sweep: resolved.sweep,
        tune: resolved.tune,
        size: resolved.size,
        require: resolved.require,
    };
    let scenario = Scenario {
        name,
        file_name,
        question: resolved.question,
        expect: resolved.expect,
        seed: resolved.run.seed,
        replications: resolved.run.replications,
        goal,
        finds_warmup: resolved.run.warmup == Some(WarmUp::Auto),
        settling: Vec::new(),
        requirements: Vec::new(),
        judge_by: resolved.run.judge_by,
        percentiles: percentiles(&resolved.run),
        shown_percentiles: (resolved.run.percentiles.iter())
            .filter_map(|&percent| Percentile::of_hundred(percent))
            .collect(),
        by_clients: resolved.run.by_clients,
        variants,
        baseline,
        measured,
        sweep: None,
        tuning: Err("it has not been looked for".to_owned()),
        sizing: None,
        changes: document.changes(),
        resolved: resolved_json,
        files: Default::default(),
        warnings,
    };
    Ok((scenario, asked))
}

/// The percentiles that are asked for beside those that every run has: of the table, and those that
/// decide.
fn percentiles(run: &file::RunSettings) -> Vec<Percentile> {
    let mut asked: Vec<Percentile> = (run.percentiles.iter())
        .filter_map(|&percent| Percentile::of_hundred(percent))
        .collect();
    if let file::Criterion::Percentile(own) = run.judge_by {
        asked.push(own);
    }
    if let Some(Precision::Of { metric, .. }) = &run.precision {
        asked.extend(metric.parse::<Percentile>().ok());
    }
    asked.sort();
    asked.dedup();
    asked
}

/// How sure the figures are to be.
fn goal(run: &file::RunSettings, check: &mut Check<'_>) -> Option<Goal> {
    let at = Path::root().key("run").key("precision");
    let target = match run.precision.as_ref()? {
        Precision::Best => Target::Best(run.indifference.value()),
        Precision::Of {
            share,
            metric,
            difference,
        } => {
            let metric = match file::Criterion::named(metric) {
                Some(metric) => metric,
                None => {
                    let names = file::Criterion::ALL.map(file::Criterion::name);
                    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                    file::Criterion::ALL[check.find(&at, "metric", metric, names)?]
                }
            };
            if *difference {
                Target::Difference(metric, share.value())
            } else {
                Target::Metric(metric, share.value())
            }
        }
    };
    if run.replications < 2 {
        let message = "a pilot of one replication says nothing of its error; give `replications` of at least 2";
        check.fault(&at, "contradiction", message);
    }
    Some(Goal {
        target,
        max_replications: run.max_replications,
        max_requests: run.max_requests,
    })
}

/// The response times measured at the real system. Their names must not be those of what is
/// compared.
fn measured(file: &File, names: &[&str], check: &mut Check<'_>) -> Vec<Measurement> {
    let mut read: Vec<Measurement> = Vec::new();
    for (index, measured) in file.measured.iter().enumerate() {
        let at = Path::root().key("measured").index(index);
        let name = measured.name.as_str();
        if names.contains(&name) || read.iter().any(|other| other.name == name) {
            let message =
                format!("there is another `{name}`; what is measured needs a name of its own");
            check.fault(&at.key("name"), "repeated", message);
        }
        match check.data.response_times(measured) {
            Ok(sorted_ms) => read.push(Measurement {
                name: name.to_owned(),
                sorted_ms,
            }),
            Err(why) => check.fault(&at.key("file"), "bad-data", why),
        }
    }
    read
}

/// The file as it is understood, with what is compared beside its text.
fn read(document: &Document, value: serde_json::Value) -> Result<File, Vec<Diagnostic>> {
    let mut file: File = serde_json::from_value(value).map_err(|error| {
        vec![Diagnostic::error(
            "not-understood",
            Path::root(),
            format!("the file cannot be understood: {error}"),
        )]
    })?;
    file.run.compare.extend_from_slice(&document.outside);
    Ok(file)
}

/// Keys that say nothing are left out of the resolved scenario.
pub(super) fn strip_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(strip_nulls);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

fn compared_service(file: &File, check: &mut Check<'_>) -> usize {
    let known = file.services.iter().map(|service| service.name.as_str());
    match &file.run.service {
        None => 0,
        Some(name) => check
            .find(
                &Path::root().key("run").key("service"),
                "service",
                name,
                known,
            )
            .unwrap_or(0),
    }
}

/// The world as the file says it; `None` where something is wrong that leaves nothing to build on.
fn blueprint(file: &File, check: &mut Check<'_>) -> Option<Blueprint> {
    strategies::strategies(file, check);
    let mut services = services::services(file, check);
    let mut sources = clients::sources(file, check);
    let is_whole =
        |(plan, said): (&ServicePlan, &file::Service)| plan.groups.len() == said.servers.len();
    let are_whole =
        services.len() == file.services.len() && services.iter().zip(&file.services).all(is_whole);
    let (ways, prices) = match are_whole {
        true => places::places(file, &mut services, &mut sources, check),
        false => (Distances::default(), Prices::default()),
    };
    if services.len() == file.services.len() {
        steps::reach(file, &services, &sources, check);
    }
    let faults = faults::faults(file, &services, check);
    let (end, warmup) = length(file, &sources, check)?;
    let sources: Vec<_> = sources.into_iter().flatten().collect();
    let requests: f64 = sources
        .iter()
        .filter_map(|source| source.rate(end))
        .sum::<f64>()
        * end.seconds();
    if requests > MOST_REQUESTS {
        let at = Path::root().key("run").key("duration");
        check.fault(&at, "too-large", format!(
            "one replication would simulate {requests:.1e} requests; at most {MOST_REQUESTS:.0e} are allowed: shorten the run or lower the rate"
        ));
    }
    let mut blueprint = Blueprint {
        warmup: Time::ZERO + warmup,
        end: Time::ZERO + end,
        stretches: STRETCHES,
        sources,
        services,
        faults,
        ways,
        prices,
    };
    if check.faults.is_empty() {
        steps::routed(file, &blueprint, check);
        blueprint.work_out_calls();
        standing::check(&blueprint, check);
        places::ahead(&blueprint, check);
    }
    Some(blueprint)
}

/// How long the run is, and its warm-up.
fn length(
    file: &File,
    sources: &[Option<crate::model::blueprint::SourcePlan>],
    check: &mut Check<'_>,
) -> Option<(Span, Span)> {
    let run = Path::root().key("run");
    // The last arrival is part of the trace.
    let traced = sources
        .iter()
        .flatten()
        .filter_map(|source| match &source.when {
            When::Trace(rows) => Some(rows.length + Span::from_nanos(1)),
            _ => None,
        })
        .max();
    let Some(end) = file.run.duration.or(traced) else {
        // A trace that could not be read has been reported already.
        if sources.iter().all(Option::is_some) {
            check.fault(
                &run,
                "missing-key",
                "`duration` is missing: add e.g. duration = \"10min\"",
            );
        }
        return None;
    };
    let least = Span::from_nanos(STRETCHES as u64 * 1000);
    if end < least && file.run.duration.is_none() {
        let requests = sources.iter().flatten().map(|source| match &source.when {
            When::Trace(rows) => rows.rows.len(),
            _ => 0,
        });
        let what = match requests.sum::<usize>() {
            1 => "one request of the trace tells no rate".to_owned(),
            all => format!("all {all} requests of the traces come within {end}"),
        };
        check.fault(
            &run,
            "missing-key",
            format!("{what}: say how long the run is, e.g. duration = \"10min\""),
        );
        return None;
    }
    if end < least {
        check.fault(
            &run.key("duration"),
            "out-of-range",
            format!("`duration` is {end}; it must be at least {least}"),
        );
        return None;
    }
    let warmup = match (file.run.warmup, file.run.duration) {
        (Some(WarmUp::Lasts(warmup)), _) => warmup,
        // Until it has been found out.
        (Some(WarmUp::Auto), _) => Span::ZERO,
        (None, Some(duration)) => Span::from_nanos(duration.nanos() / 10),
        (None, None) => Span::ZERO,
    };
    if warmup >= end {
        let message =
            format!("`warmup` is {warmup}; it must be shorter than the run, which is {end}");
        let fault = Diagnostic::error("out-of-range", run.key("warmup"), message);
        let tenth = Span::from_nanos(end.nanos() / 10);
        check.faults.push(fault.help(format!(
            "make the run longer, or the warm-up shorter, as with `--set run.warmup={tenth}`"
        )));
    }
    Some((end, warmup))
}
