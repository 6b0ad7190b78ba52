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
    label: String,
}

impl<'a> Swept<'a> {
    fn new(
        at: Path,
        (path, label): (&'a str, Option<&String>),
        count: usize,
        given: Option<&Vec<f64>>,
        document: &Document,
    ) -> Result<Swept<'a>, Vec<Diagnostic>> {
        let values: Vec<String> = (0..count)
            .map(|index| {
                let place = at.key("values").index(index);
                document.text(&document.span(&place)).trim().to_owned()
            })
            .collect();
        Ok(Swept {
            places: places(given, &values, &at)?,
            label: label.map_or_else(|| path.to_owned(), Clone::clone),
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
        if self.path != LOAD {
            return Ok(vec![format!("{}={value}", self.path)]);
        }
        load_sets(value, base)
            .map_err(|message| vec![Diagnostic::error("no-load", self.here(index), message)])
    }
}

/// The path that stands for the load of the first service.
pub(super) const LOAD: &str = "load";

/// What is set so that the load of the first service is `value`, a share of its capacity: the rates
/// of all clients.
pub(super) fn load_sets(value: &str, base: &Scenario) -> Result<Vec<String>, String> {
    let share: Share = bare(value)
        .parse()
        .map_err(|error: UnitError| error.to_string())?;
    let now = base.variants[0]
        .blueprint
        .utilization(0)
        .ok_or("the load cannot be set: it is not known how much is asked for")?;
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
                document,
            )?)
        }
    };
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
    let (loads, others): (Vec<_>, Vec<_>) = swept.iter().partition(|(axis, _)| axis.path == LOAD);
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
fn is_overloaded(scenario: &Scenario) -> bool {
    scenario.variants.iter().all(|variant| {
        let plan = &variant.blueprint;
        plan.services.iter().enumerate().any(|(at, service)| {
            let bounded = service.balancer.timeout.is_some()
                || service.balancer.queue_timeout.is_some()
                || service
                    .groups
                    .iter()
                    .any(|group| group.queue_limit < u32::MAX);
            !bounded && plan.utilization(at).is_some_and(|load| load >= 1.0)
        })
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
fn alike(one: &Scenario, other: &Scenario) -> bool {
    let names = |scenario: &Scenario| -> Vec<String> {
        scenario
            .variants
            .iter()
            .map(|variant| variant.name.clone())
            .collect()
    };
    names(one) == names(other) && one.replications == other.replications
}

/// Where the values stand on an axis: as the scenario says, or spans in milliseconds, or the
/// numbers with which they begin.
fn places(
    given: Option<&Vec<f64>>,
    values: &[String],
    at: &Path,
) -> Result<Vec<f64>, Vec<Diagnostic>> {
    if let Some(given) = given {
        if given.len() != values.len() {
            let message = format!(
                "`at` has {} for {}",
                counted(given.len(), "place"),
                counted(values.len(), "value")
            );
            return Err(vec![Diagnostic::error("bad-length", at.key("at"), message)]);
        }
        return Ok(given.clone());
    }
    let spans: Option<Vec<f64>> = values
        .iter()
        .map(|value| bare(value).parse::<Span>().ok())
        .map(|span| span.map(|span| span.seconds() * 1e3))
        .collect();
    let numbers = || -> Option<Vec<f64>> {
        values
            .iter()
            .map(|value| leading_number(bare(value)))
            .collect()
    };
    spans.or_else(numbers).ok_or_else(|| {
        let message =
            "not every value begins with a number; say with `at` where each stands on an axis";
        vec![Diagnostic::error("no-place", at.key("values"), message)]
    })
}

fn leading_number(text: &str) -> Option<f64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '_'))
        .unwrap_or(text.len());
    text[..end].replace('_', "").parse().ok()
}
