//! The files of a results folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::csv::CsvError;
use super::folder::{self, UNFINISHED};
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
