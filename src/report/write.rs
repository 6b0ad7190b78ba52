//! The files of a results folder, and what is read back from them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::about::About;
use super::csv::CsvError;
use super::folder::{self, UNFINISHED};
use super::manifest::SCHEMA;
use super::rows::{SweepTables, Tables};
use super::{Report, chart, page};
use crate::scenario::Scenario;

/// Why results could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file system said no.
    #[error("cannot write results to `{}`: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What stands there is not lbsim's.
    #[error(
        "`{}` cannot be replaced by results: {why}; move it away, or choose another place with `--out`",
        path.display()
    )]
    Foreign {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A chart could not be drawn.
    #[cfg(feature = "png")]
    #[error("cannot draw chart `{name}`: {source}")]
    Chart {
        /// Which.
        name: &'static str,
        /// Why.
        source: chart::ChartError,
    },
    /// A row cannot be written.
    #[error("cannot write results: {0}")]
    Rows(#[from] CsvError),
}

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

/// Where the journal of a scenario's run stands until the run is complete.
pub fn journal(folder: &Path, scenario: &Scenario) -> PathBuf {
    folder.join(format!("{UNFINISHED}{}.journal", scenario.name))
}

/// Writes a report into a folder of its name in `folder`, in place of what an earlier run left
/// there, and returns its path. `more` puts what is not part of the report beside it.
///
/// # Errors
/// Where the file system says no, or what stands there is not lbsim's; nothing has changed then.
pub fn write(
    folder: &Path,
    report: &Report,
    more: impl FnOnce(&Path) -> Result<(), WriteError>,
) -> Result<PathBuf, WriteError> {
    fs::create_dir_all(folder).map_err(|source| WriteError::Io {
        path: folder.to_owned(),
        source,
    })?;
    let manifest = serde_json::to_value(&report.about).unwrap_or_default();
    folder::replace(folder, &report.about.name, manifest, |place| {
        for (name, bytes) in report.csv()? {
            file(place, name, &bytes)?;
        }
        let charts = report.charts();
        let page = page::markdown(report, &charts);
        file(place, "summary.md", page.as_bytes())?;
        file(place, "report.html", report.html().as_bytes())?;
        self::charts(place, &charts)?;
        more(place)
    })
}

/// What the manifest of a results folder says.
///
/// # Errors
/// Where there is none, or one of another version.
pub fn manifest(folder: &Path) -> Result<Value, ReadError> {
    let path = folder.join(folder::MANIFEST);
    let text = fs::read(&path).map_err(|source| ReadError::Io { path, source })?;
    let foreign = |why: String| ReadError::Foreign {
        path: folder.to_owned(),
        why,
    };
    let head: Value = serde_json::from_slice(&text)
        .map_err(|fault| foreign(format!("its manifest cannot be read: {fault}")))?;
    if head["schema"] != SCHEMA {
        return Err(foreign(format!(
            "its files have schema {}, and this lbsim reads {SCHEMA}",
            head["schema"]
        )));
    }
    Ok(head)
}

/// Reads the report that stands in a results folder of a run: what [`write()`] wrote there, whole.
///
/// # Errors
/// Where it is no such folder, or one of another version.
pub fn read(folder: &Path) -> Result<Report, ReadError> {
    let open = |name: &str| -> Result<Vec<u8>, ReadError> {
        let path = folder.join(name);
        fs::read(&path).map_err(|source| ReadError::Io { path, source })
    };
    let foreign = |why: String| ReadError::Foreign {
        path: folder.to_owned(),
        why,
    };
    let head = manifest(folder)?;
    let about: About = serde_json::from_value(head)
        .map_err(|fault| foreign(format!("it does not hold the results of a run: {fault}")))?;
    let (mut tables, mut sweep) = (Tables::default(), SweepTables::default());
    match &about.sweep {
        None => tables = Tables::read(open)?,
        Some(_) => sweep = SweepTables::read(open)?,
    }
    Ok(Report {
        about,
        tables,
        sweep,
    })
}

/// Writes charts, each as SVG and, where that is built, as PNG, into `folder/charts`.
pub(super) fn charts(folder: &Path, charts: &[chart::Chart]) -> Result<(), WriteError> {
    let place = folder.join("charts");
    fs::create_dir(&place).map_err(|source| WriteError::Io {
        path: place.clone(),
        source,
    })?;
    for chart in charts {
        file(&place, &format!("{}.svg", chart.name), chart.svg.as_bytes())?;
        #[cfg(feature = "png")]
        {
            let png = chart::png(&chart.svg).map_err(|source| WriteError::Chart {
                name: chart.name,
                source,
            })?;
            file(&place, &format!("{}.png", chart.name), &png)?;
        }
    }
    Ok(())
}

pub(super) fn file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
    let path = folder.join(name);
    fs::write(&path, bytes).map_err(|source| WriteError::Io { path, source })
}
