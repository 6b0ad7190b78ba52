//! A sweep: the scenario with each of several values in one place.

use std::path::Path as FilePath;

use super::super::conform::conform;
use super::super::diagnostic::{Diagnostic, any_error};
use super::super::file;
use super::super::text::{Document, Path};
use super::super::{Point, Scenario, Sweep, schema};
use super::data::Data;
use super::scenario;
use crate::prose::counted;
use crate::spelling::nearest;
use crate::time::Span;
use crate::units::{Rate, Share, UnitError};

/// Cells of one sweep at most.
const MOST_CELLS: u64 = 1_000_000;

/// One value that is swept: where it stands in the file, and its values as they are written.
struct Swept<'a> {
    at: Path,
    path: &'a str,
    values: Vec<String>,
    places: Vec<f64>,
    /// In what the places are counted, where that is known.
    unit: String,
    label: String,
}

impl<'a> Swept<'a> {
    fn new(
        at: Path,
        (path, label): (&'a str, Option<&String>),
        count: usize,
        given: Option<&Vec<f64>>,
        base: &Scenario,
        document: &Document,
    ) -> Result<Swept<'a>, Vec<Diagnostic>> {
        let values: Vec<String> = (0..count)
            .map(|index| {
                let place = at.key("values").index(index);
                document.text(&document.span(&place)).trim().to_owned()
            })
            .collect();
        let (places, unit) = places(given, &values, &at)?;
        let services = &base.variants[0].blueprint.services;
        Ok(Swept {
            places,
            label: match label {
                Some(own) => own.clone(),
                None if path == LOAD && services.len() > 1 => {
                    format!("load of {}", services[0].name)
                }
                None => path.to_owned(),
            },
            // Who names an axis says what is on it, but for the sign of a share.
            unit: match unit.as_str() {
                "%" => unit,
                _ if label.is_none() => unit,
                _ => String::new(),
            },
            at,
            path,
            values,
        })
    }

    /// Where a value stands in the file.
    fn here(&self, index: usize) -> Path {
        self.at.key("values").index(index)
    }

    /// What is set for a value: paths and what stands there.
    fn sets(&self, index: usize, base: &Scenario) -> Result<Vec<String>, Vec<Diagnostic>> {
        let value = &self.values[index];
        if !is_load(self.path) {
            return Ok(vec![format!("{}={value}", self.path)]);
        }
        load_sets(self.path, value, base)
            .map_err(|message| vec![Diagnostic::error("no-load", self.here(index), message)])
    }
}

/// The path that stands for the load of the first service; `load.NAME` is that of a service.
const LOAD: &str = "load";

/// Whether a path stands for the load of a service.
pub(super) fn is_load(path: &str) -> bool {
    path.strip_prefix(LOAD)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Why there cannot be two loads.
pub(super) const TWO_LOADS: &str =
    "two loads cannot be set at once: each scales the rates of all clients";

/// What is set so that the load that `path` stands for is `value`, a share of the service's
/// capacity: the rates of all clients.
pub(super) fn load_sets(path: &str, value: &str, base: &Scenario) -> Result<Vec<String>, String> {
    let share: Share = bare(value)
        .parse()
        .map_err(|error: UnitError| error.to_string())?;
    let plan = &base.variants[0].blueprint;
    let names = || plan.services.iter().map(|service| service.name.as_str());
    let service = match path.strip_prefix("load.") {
        None => 0,
        Some(name) => names().position(|own| own == name).ok_or_else(|| {
            let near = nearest(name, names()).map_or(String::new(), |near| {
                format!("; did you mean `{LOAD}.{near}`?")
            });
            format!("the load cannot be set: there is no service `{name}`{near}")
        })?,
    };
    let now = plan
        .utilization(service)
        .ok_or("the load cannot be set: it is not known how much is asked for")?;
    if now == 0.0 {
        let name = &plan.services[service].name;
        return Err(format!("the load cannot be set: nobody asks `{name}`"));
    }
    let clients = base.resolved["clients"].as_array();
    let scaled = |(at, client): (usize, &serde_json::Value)| {
        let rate = client["arrivals"]["rate"]
            .as_str()
            .and_then(|rate| rate.parse::<Rate>().ok());
        let rate = rate.ok_or_else(|| {
            format!("the load cannot be set: the arrivals of `clients[{at}]` have no `rate`")
        })?;
        let rate = rate.value() * share.value() / now;
        Ok(format!("clients[{at}].arrivals.rate=\"{rate}/s\""))
    };
    clients
        .into_iter()
        .flatten()
        .enumerate()
        .map(scaled)
        .collect()
}

/// The points of a sweep over `base`.
pub(super) fn sweep(
    plan: &file::Sweep,
    base: &Scenario,
    path: &FilePath,
    document: &Document,
    data: &mut Data,
) -> Result<Sweep, Vec<Diagnostic>> {
    let at = Path::root().key("sweep");
    let names = (plan.path.as_str(), plan.label.as_ref());
    let first = Swept::new(
        at.clone(),
        names,
        plan.values.len(),
        plan.at.as_ref(),
        base,
        document,
    )?;
    let second = match &plan.and {
        None => None,
        Some(axis) => {
            let names = (axis.path.as_str(), axis.label.as_ref());
            let at = at.key("and");
            Some(Swept::new(
                at,
                names,
                axis.values.len(),
                axis.at.as_ref(),
                base,
                document,
            )?)
        }
    };
    if second.as_ref().is_some_and(|and| is_load(and.path)) && is_load(first.path) {
        let at = at.key("and").key("path");
        return Err(vec![Diagnostic::error("two-loads", at, TWO_LOADS)]);
    }
    let places: Vec<(usize, Option<usize>)> = match &second {
        None => (0..first.values.len()).map(|one| (one, None)).collect(),
        Some(second) => (0..first.values.len())
            .flat_map(|one| (0..second.values.len()).map(move |two| (one, Some(two))))
            .collect(),
    };
    let runs = places.len() as u64 * base.variants.len() as u64;
    let cells = runs.saturating_mul(u64::from(base.replications));
    if cells > MOST_CELLS {
        let message = format!("the sweep has {cells} cells; at most {MOST_CELLS} are allowed");
        return Err(vec![Diagnostic::error("too-large", &at, message)]);
    }
    let mut points = Vec::new();
    let mut faults = Vec::new();
    let mut same_everywhere: Option<Vec<Diagnostic>> = None;
    for (index, &(one, two)) in places.iter().enumerate() {
        let both = second.as_ref().zip(two);
        let value = match both {
            None => first.values[one].clone(),
            Some((second, two)) => format!("{} and {}", first.values[one], second.values[two]),
        };
        let swept: Vec<(&Swept<'_>, usize)> =
            [Some((&first, one)), both].into_iter().flatten().collect();
        let made = sets(&swept, base, |sets| point(sets, path, document, data))
            .and_then(|sets| point(&sets, path, document, data));
        let here = first.here(one);
        match made {
            Ok(scenario) if !alike(&scenario, base) => {
                let message = format!(
                    "with {value} other things are compared, or more often; a sweep compares the same at each value"
                );
                faults.push(Diagnostic::error("unlike", here, message));
            }
            Ok(mut scenario) => {
                let is_skipped =
                    plan.overloaded == file::Overloaded::Skip && is_overloaded(&scenario);
                if is_skipped {
                    scenario.replications = 0;
                    scenario.goal = None;
                }
                points.push(Point {
                    value: bare(&first.values[one]).to_owned(),
                    at: first.places[one],
                    and: both.map(|(second, two)| {
                        (bare(&second.values[two]).to_owned(), second.places[two])
                    }),
                    is_skipped,
                    scenario,
                });
            }
            Err(own) => {
                let prefix = format!("with {value}: ");
                faults.extend(own.iter().map(|other| blamed(other, &here, &prefix)));
                if index == 0 {
                    same_everywhere = Some(own);
                } else {
                    same_everywhere = same_everywhere.filter(|first| says(first) == says(&own));
                }
            }
        }
    }
    // A path that leads nowhere does so for each value: that is one fault, and it is the path's.
    if let Some(own) = same_everywhere.filter(|_| points.is_empty()) {
        faults = own
            .iter()
            .map(|other| blamed(other, &at.key("path"), ""))
            .collect();
    }
    if faults.is_empty() && points.iter().all(|point| point.is_skipped) {
        let message = "more is asked for than the servers can do at every value: there is nothing to run; \
            `overloaded = \"run\"` runs them nevertheless";
        faults.push(Diagnostic::error("overloaded", at.key("values"), message));
    }
    if faults.is_empty() {
        Ok(Sweep {
            label: first.label,
            unit: first.unit,
            and: second.map(|second| second.label),
            points,
        })
    } else {
        Err(faults)
    }
}

/// What is set at a point. Where a load is among it, it is one of the capacity that the other value
/// leaves.
fn sets(
    swept: &[(&Swept<'_>, usize)],
    base: &Scenario,
    mut made: impl FnMut(&[String]) -> Result<Scenario, Vec<Diagnostic>>,
) -> Result<Vec<String>, Vec<Diagnostic>> {
    let (loads, others): (Vec<_>, Vec<_>) = swept.iter().partition(|(axis, _)| is_load(axis.path));
    let mut sets = Vec::new();
    for &(axis, index) in &others {
        sets.extend(axis.sets(index, base)?);
    }
    if !loads.is_empty() {
        let changed = if sets.is_empty() {
            base.clone()
        } else {
            made(&sets)?
        };
        for &(axis, index) in &loads {
            sets.extend(axis.sets(index, &changed)?);
        }
    }
    Ok(sets)
}

/// Whether queues grow without end under every strategy: more is asked for than the servers can do,
/// and nothing bounds what waits.
pub(in crate::scenario) fn is_overloaded(scenario: &Scenario) -> bool {
    scenario.variants.iter().all(|variant| {
        let plan = &variant.blueprint;
        (0..plan.services.len())
            .any(|at| !plan.is_bounded(at) && plan.utilization(at).is_some_and(|load| load >= 1.0))
    })
}

/// A value without the quotes around it.
fn bare(value: &str) -> &str {
    value.trim_matches(['"', '\''])
}

/// A fault that shows elsewhere, where it comes from.
pub(super) fn blamed(fault: &Diagnostic, at: &Path, prefix: &str) -> Diagnostic {
    let error = Diagnostic::error(fault.code, at, format!("{prefix}{}", fault.message));
    match &fault.help {
        Some(help) => error.help(help.clone()),
        None => error,
    }
}

/// The scenario with some values set.
pub(in crate::scenario) fn point(
    sets: &[String],
    path: &FilePath,
    document: &Document,
    data: &mut Data,
) -> Result<Scenario, Vec<Diagnostic>> {
    let mut changed = document.clone();
    for set in sets {
        changed.set(set).map_err(|fault| vec![*fault])?;
    }
    let (value, faults) = conform(&changed, schema());
    if any_error(&faults) {
        return Err(faults);
    }
    scenario(path, &changed, value, data).map(|(scenario, ..)| scenario)
}

fn says(faults: &[Diagnostic]) -> Vec<&str> {
    faults.iter().map(|fault| fault.message.as_str()).collect()
}

/// Whether the same is compared, as often.
pub(super) fn alike(one: &Scenario, other: &Scenario) -> bool {
    let names = |scenario: &Scenario| -> Vec<String> {
        scenario
            .variants
            .iter()
            .map(|variant| variant.name.clone())
            .collect()
    };
    names(one) == names(other) && one.replications == other.replications
}

/// Where the values stand on an axis, and in what that is counted: as the scenario says, or spans
/// in milliseconds, or in seconds where none is shorter, or the numbers with which they begin, in
/// what all of them have behind it.
fn places(
    given: Option<&Vec<f64>>,
    values: &[String],
    at: &Path,
) -> Result<(Vec<f64>, String), Vec<Diagnostic>> {
    if let Some(given) = given {
        if given.len() != values.len() {
            let message = format!(
                "`at` has {} for {}",
                counted(given.len(), "place"),
                counted(values.len(), "value")
            );
            return Err(vec![Diagnostic::error("bad-length", at.key("at"), message)]);
        }
        return Ok((given.clone(), String::new()));
    }
    let spans: Option<Vec<f64>> = values
        .iter()
        .map(|value| bare(value).parse::<Span>().ok())
        .map(|span| span.map(|span| span.seconds()))
        .collect();
    if let Some(mut spans) = spans {
        if spans.iter().all(|&seconds| seconds >= 1.0) {
            return Ok((spans, "s".to_owned()));
        }
        spans.iter_mut().for_each(|seconds| *seconds *= 1e3);
        return Ok((spans, "ms".to_owned()));
    }
    let numbers: Option<Vec<(f64, &str)>> = values
        .iter()
        .map(|value| leading_number(bare(value)))
        .collect();
    numbers.map(in_one_unit).ok_or_else(|| {
        let message =
            "not every value begins with a number; say with `at` where each stands on an axis";
        vec![Diagnostic::error("no-place", at.key("values"), message)]
    })
}

/// Numbers, and what stands behind all of them.
fn in_one_unit(numbers: Vec<(f64, &str)>) -> (Vec<f64>, String) {
    let unit = numbers.first().map_or("", |&(_, unit)| unit);
    let same = numbers.iter().all(|&(_, own)| own == unit);
    let unit = if same { unit.to_owned() } else { String::new() };
    let places = numbers.into_iter().map(|(number, _)| number);
    (places.collect(), unit)
}

/// The number with which a text begins, and what stands behind it.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '_'))
        .unwrap_or(text.len());
    let number = text[..end].replace('_', "").parse().ok()?;
    Some((number, text[end..].trim()))
}
