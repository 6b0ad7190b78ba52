//! The page of a results folder, made again from the files that stand there.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::comparing::CompareReport;
use super::folder::MANIFEST;
use super::read::{ReadError, ResultsFolder};
use super::sizing::SizeTables;
use super::tuning::TuneTables;
use super::whole::whole;
use super::write::WriteError;
use super::{Report, csv, html};
use crate::validation::{Coverage, Finding};

/// The name of the page.
pub const PAGE: &str = "report.html";

/// The page of a folder.
///
/// # Errors
/// Where it is no results folder, or one of another version.
pub fn page(folder: &Path) -> Result<String, ReadError> {
    let kept = ResultsFolder::open(folder)?;
    let manifest = &kept.manifest;
    if manifest["kind"] == "run" {
        return Report::read(folder).map(|report| report.html());
    }
    if manifest["kind"] == "compare" {
        return CompareReport::read(folder).map(|compared| compared.html());
    }
    let open = |name: &str| kept.rows(name);
    let tables = match manifest["kind"].as_str().unwrap_or_default() {
        "tune" => json!(TuneTables::read(open)?),
        "size" => json!(SizeTables::read(open)?),
        "validate" => json!({
            "theory": csv::read::<Finding>("theory.csv", &open("theory.csv")?)?,
            "coverage": csv::read::<Coverage>("coverage.csv", &open("coverage.csv")?)?,
        }),
        other => {
            return Err(ReadError::Foreign {
                path: folder.to_owned(),
                why: format!("its manifest says that it is of kind `{other}`"),
            });
        }
    };
    Ok(html::page_of(manifest, tables))
}

/// Puts the page among the files that the manifest lists, where it is not.
///
/// # Errors
/// Where the file system says no.
pub fn listed(folder: &Path) -> Result<(), WriteError> {
    let path = folder.join(MANIFEST);
    let error = |source| WriteError::Io {
        path: path.clone(),
        source,
    };
    let text = fs::read(&path).map_err(error)?;
    let mut manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
    let Some(files) = manifest["files"].as_array_mut() else {
        return Ok(());
    };
    if files.iter().any(|name| name == PAGE) {
        return Ok(());
    }
    files.push(json!(PAGE));
    files.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    whole(&path, text.as_bytes())
}
