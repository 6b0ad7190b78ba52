//! The files of a results folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::folder::{self, UNFINISHED};
use super::requests::{self, Packing, Shape};
use super::sweep::SweepTables;
use super::tables::Tables;
use super::{chart, csv, manifest, summary};
use crate::experiment::Outcome;
use crate::scenario::Scenario;

/// Why results could not be written.
#[derive(Debug, thiserror::Error)]
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
    /// A row could not be written as CSV.
    #[error(transparent)]
    Csv(#[from] csv::CsvError),
    /// A chart could not be drawn.
    #[cfg(feature = "png")]
    #[error("cannot draw chart `{name}`: {source}")]
    Chart {
        /// Which.
        name: &'static str,
        /// Why.
        source: chart::ChartError,
    },
}

/// Where the journal of a scenario's run stands until the run is complete.
pub fn journal(folder: &Path, scenario: &Scenario) -> PathBuf {
    folder.join(format!("{UNFINISHED}{}.journal", scenario.name))
}

/// Writes the results of a scenario, one outcome for each of its [`Scenario::runs`], into
/// `folder/<scenario>`, in place of what an earlier run left there, and returns that path. With
/// `rows` there is also a row for each request of a scenario without a sweep.
///
/// # Errors
/// Where the file system says no, or what stands there is not lbsim's; nothing has changed then.
pub fn write(
    folder: &Path,
    scenario: &Scenario,
    outcomes: &[Outcome],
    rows: Option<(Shape, Packing)>,
) -> Result<PathBuf, WriteError> {
    let manifest = manifest::manifest(scenario, outcomes);
    folder::replace(folder, &scenario.name, manifest, |place| {
        fill(place, scenario, outcomes)?;
        match rows {
            Some(rows) => requests::write(place, scenario, &outcomes[0], rows),
            None => Ok(()),
        }
    })
}

fn fill(folder: &Path, scenario: &Scenario, outcomes: &[Outcome]) -> Result<(), WriteError> {
    let (files, charts) = if scenario.sweep.is_some() {
        let tables = SweepTables::new(scenario, outcomes);
        let charts = super::sweep_charts(scenario, outcomes, &tables);
        (csv::of_sweep(&tables)?, charts)
    } else {
        let tables = Tables::new(scenario, &outcomes[0]);
        let charts = super::charts(scenario, outcomes, &tables);
        (csv::of_run(&tables)?, charts)
    };
    for (name, bytes) in files {
        file(folder, name, &bytes)?;
    }
    file(
        folder,
        "summary.md",
        summary::markdown(scenario, outcomes, &charts).as_bytes(),
    )?;
    self::charts(folder, &charts)
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

/// Writes rows with their header; the header alone where there are none.
pub(super) fn csv<R: Serialize + Default>(
    folder: &Path,
    name: &'static str,
    rows: &[R],
) -> Result<(), WriteError> {
    let (name, bytes) = csv::rows(name, rows)?;
    file(folder, name, &bytes)
}
