//! What a validation leaves behind: a page, a chart, and the values as CSV.

use std::fmt::Write as _;
#[cfg(feature = "files")]
use std::path::{Path, PathBuf};

use super::markdown::plain;
#[cfg(feature = "files")]
use super::write::{self, WriteError};
#[cfg(feature = "files")]
use super::{chart, csv, folder, html, manifest};
use crate::figures::{change, percent};
use crate::validation::{Coverage, Finding};

/// The name of the folder that a validation writes.
pub const FOLDER: &str = "validation";

/// Whether everything agrees.
pub fn agrees(findings: &[Finding], coverage: &[Coverage]) -> bool {
    findings.iter().all(|finding| finding.agrees) && coverage.iter().all(|row| row.agrees)
}

/// `validation.md`.
pub fn page(findings: &[Finding], coverage: &[Coverage]) -> String {
    let verdict = |agrees: bool| {
        if agrees {
            "agrees"
        } else {
            "**does not agree**"
        }
    };
    let agree = findings.iter().filter(|finding| finding.agrees).count();
    let mut page = format!(
        "# Validation\n\n{agree} of {} simulated values agree with queueing theory. An estimate may be off by its tolerance, about \
         three standard errors of a simulation of that length. Times are in mean service times.\n\n\
         ![Distance from the exact values](charts/validation.svg)\n\n## Intervals\n\n\
         How often the 95% interval of small experiments held the exact value.\n\n\
         | world | of | experiments | held the truth | accepted | mean half-width | verdict |\n|---|---|--:|--:|--:|--:|---|\n",
        findings.len()
    );
    for row in coverage {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} to {} | ±{} | {} |",
            plain(&row.world),
            plain(&row.metric),
            row.experiments,
            percent(row.share),
            percent(row.least),
            percent(row.most),
            percent(row.half_width),
            verdict(row.agrees)
        );
    }
    page += "\n## Values\n\n| world | of | exact | simulated | off by | may be off by | verdict | source |\n|---|---|--:|--:|--:|--:|---|---|\n";
    for finding in findings {
        let _ = writeln!(
            page,
            "| {} | {} | {:.5} | {:.5} ±{:.5} | {} | {} | {} | {} |",
            plain(&finding.world),
            plain(&finding.metric),
            finding.exact,
            finding.estimate,
            finding.half_width_95,
            change(finding.estimate / finding.exact - 1.0),
            percent(finding.tolerance),
            verdict(finding.agrees),
            plain(&finding.source)
        );
    }
    page
}

/// Writes page, chart and values into `folder/validation`, in place of what an earlier validation
/// left there, and returns that path.
///
/// # Errors
/// Where the file system says no; nothing has changed then.
#[cfg(feature = "files")]
pub fn write(
    folder: &Path,
    findings: &[Finding],
    coverage: &[Coverage],
) -> Result<PathBuf, WriteError> {
    let agree = findings.iter().filter(|finding| finding.agrees).count();
    let held = coverage.iter().filter(|row| row.agrees).count();
    let mut about = manifest::head("validate");
    about["question"] = "Does the simulation agree with theory?".into();
    about["caption"] = "Times are in mean service times.".into();
    about["findings"] = serde_json::json!([
        format!(
            "{agree} of {} simulated values agree with queueing theory; an estimate may be off by about three standard errors of a simulation of that length.",
            findings.len()
        ),
        format!(
            "{held} of {} kinds of intervals hold the exact value as often as they should.",
            coverage.len()
        ),
    ]);
    folder::replace(folder, FOLDER, about.clone(), |place| {
        write::file(place, "theory.csv", &csv::write("theory.csv", findings)?)?;
        write::file(
            place,
            "coverage.csv",
            &csv::write("coverage.csv", coverage)?,
        )?;
        write::file(place, "validation.md", page(findings, coverage).as_bytes())?;
        let charts = [chart::validation::draw(findings)];
        let tables = serde_json::json!({ "theory": findings, "coverage": coverage });
        let page = html::page_of(&about, tables);
        write::file(place, "report.html", page.as_bytes())?;
        write::charts(place, &charts)
    })
}
