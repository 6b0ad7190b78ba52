//! What is read back from a results folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Report;
use super::about::About;
use super::csv::{self, CsvError};
use super::folder::MANIFEST;
use super::manifest::SCHEMA;
use super::rows::{SweepTables, Tables};

/// Why a results folder could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file system said no.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no results folder of a run, or one of another version.
    #[error("`{}` is no results folder that can be read: {why}", path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file does not hold its rows.
    #[error("cannot read results: {0}")]
    Rows(#[from] CsvError),
}

/// A results folder, of any kind.
pub(super) struct ResultsFolder<'f> {
    folder: &'f Path,
    /// What its manifest says.
    pub(super) manifest: Value,
}

impl ResultsFolder<'_> {
    /// Opens a folder.
    ///
    /// # Errors
    /// Where it has no manifest, or one of another version.
    pub(super) fn open(folder: &Path) -> Result<ResultsFolder<'_>, ReadError> {
        let path = folder.join(MANIFEST);
        let text = fs::read(&path).map_err(|source| ReadError::Io { path, source })?;
        let foreign = |why: String| ReadError::Foreign {
            path: folder.to_owned(),
            why,
        };
        let manifest: Value = serde_json::from_slice(&text)
            .map_err(|fault| foreign(format!("its manifest cannot be read: {fault}")))?;
        if manifest["schema"] != SCHEMA {
            return Err(foreign(format!(
                "its files have schema {}, and this lbsim reads {SCHEMA}",
                manifest["schema"]
            )));
        }
        Ok(ResultsFolder { folder, manifest })
    }

    /// A file of rows, as it was written: one that has been cut has fewer rows than the manifest
    /// says, and would be figures of something else.
    ///
    /// # Errors
    /// Where it cannot be read, or has other rows than were written.
    pub(super) fn rows(&self, name: &str) -> Result<Vec<u8>, ReadError> {
        let path = self.folder.join(name);
        let bytes = fs::read(&path).map_err(|source| ReadError::Io { path, source })?;
        match self.manifest["rows"][name].as_u64() {
            Some(due) if due != csv::rows(&bytes) => Err(ReadError::Foreign {
                path: self.folder.to_owned(),
                why: format!(
                    "`{name}` has {} rows, and {due} were written",
                    csv::rows(&bytes)
                ),
            }),
            _ => Ok(bytes),
        }
    }
}

/// Reads the report that stands in a results folder of a run, whole.
///
/// # Errors
/// Where it is no such folder, or one of another version.
pub(super) fn report(folder: &Path) -> Result<Report, ReadError> {
    let kept = ResultsFolder::open(folder)?;
    let about: About =
        serde_json::from_value(kept.manifest.clone()).map_err(|fault| ReadError::Foreign {
            path: folder.to_owned(),
            why: format!("it does not hold the results of a run: {fault}"),
        })?;
    let (mut tables, mut sweep) = (Tables::default(), SweepTables::default());
    match &about.sweep {
        None => tables = Tables::read(|name| kept.rows(name))?,
        Some(_) => sweep = SweepTables::read(|name| kept.rows(name))?,
    }
    Ok(Report {
        about,
        tables,
        sweep,
    })
}
