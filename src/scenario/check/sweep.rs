//! A sweep: the scenario with each of several values in one place.

use std::path::Path as FilePath;

use super::super::conform::conform;
use super::super::diagnostic::{Diagnostic, any_error};
use super::super::file;
use super::super::text::{Document, Path};
use super::super::{Point, Scenario, Sweep, schema};
use super::data::Data;
use super::scenario;
use crate::time::Span;

/// Cells of one sweep at most.
const MOST_CELLS: u64 = 1_000_000;

/// The points of a sweep over `base`.
pub(super) fn sweep(
    plan: &file::Sweep,
    base: &Scenario,
    path: &FilePath,
    document: &Document,
    data: &mut Data,
) -> Result<Sweep, Vec<Diagnostic>> {
    let at = Path::root().key("sweep");
    let fault = |at: Path, code, message: String| vec![Diagnostic::error(code, &at, message)];
    let cells = plan.values.len() * base.variants.len() * base.replications as usize;
    if cells as u64 > MOST_CELLS {
        let message = format!("the sweep has {cells} cells; at most {MOST_CELLS} are allowed");
        return Err(fault(at, "too-large", message));
    }
    let values: Vec<String> = (0..plan.values.len())
        .map(|index| {
            let place = at.key("values").index(index);
            document.text(&document.span(&place)).trim().to_owned()
        })
        .collect();
    let places = places(plan, &values, &at)?;
    let mut points = Vec::new();
    let mut faults = Vec::new();
    let mut same_everywhere: Option<Vec<Diagnostic>> = None;
    for (index, (value, place)) in values.iter().zip(places).enumerate() {
        let here = at.key("values").index(index);
        match point(plan, value, path, document, data) {
            Ok(scenario) if !alike(&scenario, base) => faults.extend(fault(
                here,
                "unlike",
                format!(
                    "with {value} other things are compared, or more often; a sweep compares the same at each value"
                ),
            )),
            Ok(scenario) => points.push(Point {
                value: value.trim_matches(['"', '\'']).to_owned(),
                at: place,
                scenario,
            }),
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
    if faults.is_empty() {
        let label = plan.label.clone().unwrap_or_else(|| plan.path.clone());
        Ok(Sweep { label, points })
    } else {
        Err(faults)
    }
}

/// A fault that shows elsewhere, where it comes from.
fn blamed(fault: &Diagnostic, at: &Path, prefix: &str) -> Diagnostic {
    let error = Diagnostic::error(fault.code, at, format!("{prefix}{}", fault.message));
    match &fault.help {
        Some(help) => error.help(help.clone()),
        None => error,
    }
}

/// The scenario with `value` in the place that is swept.
fn point(
    plan: &file::Sweep,
    value: &str,
    path: &FilePath,
    document: &Document,
    data: &mut Data,
) -> Result<Scenario, Vec<Diagnostic>> {
    let mut changed = document.clone();
    changed
        .set(&format!("{}={value}", plan.path))
        .map_err(|fault| vec![*fault])?;
    let (value, faults) = conform(&changed, &schema());
    if any_error(&faults) {
        return Err(faults);
    }
    scenario(path, &changed, value, data).map(|(scenario, _)| scenario)
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

/// Where the values stand on an axis: as the scenario says, or spans in milliseconds, or the numbers with which they begin.
fn places(plan: &file::Sweep, values: &[String], at: &Path) -> Result<Vec<f64>, Vec<Diagnostic>> {
    if let Some(given) = &plan.at {
        if given.len() != values.len() {
            let message = format!(
                "`at` has {} places for {} values",
                given.len(),
                values.len()
            );
            return Err(vec![Diagnostic::error("bad-length", at.key("at"), message)]);
        }
        return Ok(given.clone());
    }
    let bare = |value: &String| value.trim_matches(['"', '\'']).to_owned();
    let spans: Option<Vec<f64>> = values
        .iter()
        .map(|value| bare(value).parse::<Span>().ok())
        .map(|span| span.map(|span| span.seconds() * 1e3))
        .collect();
    let numbers = || -> Option<Vec<f64>> {
        values
            .iter()
            .map(|value| leading_number(&bare(value)))
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
