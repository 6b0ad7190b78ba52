//! What `lbsim size` leaves behind: rows, charts and a page.

mod page;
pub mod rows;
mod tables;

pub use page::{caption, sentences, text};
pub use tables::SizeTables;

use std::path::{Path, PathBuf};

use super::write::{self, WriteError};
use super::{chart, folder, html, manifest};
use crate::scenario::Scenario;
use crate::scenario::sizing::Sizing;
use crate::size::Sizes;

/// The name of the folder that a search for a size writes.
pub fn folder_name(scenario: &Scenario) -> String {
    format!("{}-sized", scenario.name)
}

/// Where the journal of a search stands until it is complete.
pub fn journal(folder: &Path, scenario: &Scenario) -> PathBuf {
    folder.join(format!(
        "{}{}.size.journal",
        folder::UNFINISHED,
        scenario.name
    ))
}

/// Writes an answer into `folder/<scenario>-sized`, in place of what an earlier search left there,
/// and returns that path.
///
/// # Errors
/// Where the file system says no; nothing has changed then.
pub fn write(
    folder: &Path,
    (base, sizing): (&Scenario, &Sizing),
    (sizes, tables): (&Sizes, &SizeTables),
) -> Result<PathBuf, WriteError> {
    let mut manifest = manifest::sizing(base, sizes, tables);
    manifest["caption"] = page::caption(base, sizing, sizes).into();
    manifest["findings"] = page::sentences(base, sizing, sizes).into();
    let about = manifest.clone();
    folder::replace(folder, &folder_name(base), manifest, |place| {
        for (name, bytes) in tables.files()? {
            write::file(place, name, &bytes)?;
        }
        let charts = chart::sizing::draw(base, sizing, tables);
        let page = page::markdown((base, sizing), (sizes, tables), &charts);
        write::file(place, "summary.md", page.as_bytes())?;
        let page = html::page_of(&about, serde_json::to_value(tables).unwrap_or_default());
        write::file(place, "report.html", page.as_bytes())?;
        write::charts(place, &charts)
    })
}
