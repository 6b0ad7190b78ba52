//! What `lbsim tune` leaves behind: rows, charts, a page, and the scenario with the values that
//! were found.

mod page;
pub mod rows;
mod tables;

pub use page::{caption, sentences, text};
pub use tables::TuneTables;

use std::path::{Path, PathBuf};

use super::write::{self, WriteError};
use super::{chart, folder, html, manifest};
use crate::scenario::Scenario;
use crate::tune::{Answer, Space};

/// The scenario with what was found put in place, nothing else of its text changed; and the paths
/// that could not be written there, each with its value.
pub fn rewritten(
    space: &Space<'_>,
    document: &crate::scenario::text::Document,
    candidate: &crate::tune::Candidate,
) -> (String, Vec<(String, String)>) {
    let mut changes = space.changes(candidate);
    if candidate.variant != space.base.baseline {
        let name = &space.base.variants[candidate.variant].name;
        changes.push(("run.baseline".to_owned(), format!("{name:?}")));
    }
    let (text, left) = document.rewritten(&changes);
    changes.retain(|(path, _)| left.contains(path));
    (text, changes)
}

/// The name of the folder that tuning a scenario writes.
pub fn folder_name(scenario: &Scenario) -> String {
    format!("{}-tuned", scenario.name)
}

/// Where the journal of a search stands until it is complete.
pub fn journal(folder: &Path, scenario: &Scenario) -> PathBuf {
    folder.join(format!(
        "{}{}.tune.journal",
        folder::UNFINISHED,
        scenario.name
    ))
}

/// Writes an answer into `folder/<scenario>-tuned`, in place of what an earlier search left there,
/// and returns that path. `tuned` gives the text of the scenario with what was found, for the
/// folder in which it will stand.
///
/// # Errors
/// Where the file system says no; nothing has changed then.
pub fn write(
    folder: &Path,
    space: &Space<'_>,
    (answer, tables): (&Answer, &TuneTables),
    tuned: impl FnOnce(&Path) -> String,
) -> Result<PathBuf, WriteError> {
    let mut manifest = manifest::tuning(space, answer);
    manifest["caption"] = page::caption(space, answer).into();
    manifest["findings"] = page::sentences(space, answer, tables).into();
    let about = manifest.clone();
    let name = folder_name(space.base);
    folder::replace(folder, &name, manifest, |place| {
        for (name, bytes) in tables.files()? {
            write::file(place, name, &bytes)?;
        }
        let file_name = format!("{}.toml", space.base.name);
        let tuned = tuned(&folder.join(&name));
        write::file(place, &file_name, tuned.as_bytes())?;
        let charts = chart::tuning::draw(space, tables);
        write::file(
            place,
            "summary.md",
            page::markdown(space, answer, tables, &charts).as_bytes(),
        )?;
        let page = html::page_of(&about, serde_json::to_value(tables).unwrap_or_default());
        write::file(place, "report.html", page.as_bytes())?;
        write::charts(place, &charts)
    })
}
