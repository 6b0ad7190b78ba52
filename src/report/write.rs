//! The files of a results folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::folder::{self, UNFINISHED};
use super::requests::{self, Packing, Shape};
use super::sweep::SweepTables;
use super::tables::Tables;
use super::{chart, manifest, summary};
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
    /// A chart could not be drawn.
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
        (of_sweep(&tables)?, charts)
    } else {
        let tables = Tables::new(scenario, &outcomes[0]);
        let charts = super::charts(scenario, outcomes, &tables);
        (of_run(&tables)?, charts)
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

/// Files by name.
type Files = Vec<(&'static str, Vec<u8>)>;

/// The CSV files of a scenario's results, by name, byte for byte as they are written.
///
/// # Errors
/// Where a row cannot be written as CSV.
pub fn csv_files(scenario: &Scenario, outcomes: &[Outcome]) -> Result<Files, WriteError> {
    if scenario.sweep.is_some() {
        of_sweep(&SweepTables::new(scenario, outcomes))
    } else {
        of_run(&Tables::new(scenario, &outcomes[0]))
    }
}

fn of_sweep(tables: &SweepTables) -> Result<Files, WriteError> {
    Ok(vec![
        rows("runs.csv", &tables.runs)?,
        rows("sweep.csv", &tables.estimates)?,
        rows("paired.csv", &tables.paired)?,
    ])
}

fn of_run(tables: &Tables) -> Result<Files, WriteError> {
    Ok(vec![
        rows("runs.csv", &tables.runs)?,
        rows("summary.csv", &tables.summary)?,
        rows("paired.csv", &tables.paired)?,
        rows("ranking.csv", &tables.ranking)?,
        rows("theory.csv", &tables.theory)?,
        rows("settling.csv", &tables.settling)?,
        rows("latency.csv", &tables.latency)?,
        rows("servers.csv", &tables.servers)?,
        rows("services.csv", &tables.services)?,
        rows("timeline.csv", &tables.timeline)?,
        rows("utilization.csv", &tables.utilization)?,
        rows("sessions.csv", &tables.sessions)?,
        rows("clients.csv", &tables.clients)?,
    ])
}

/// Writes charts, each as SVG and PNG, into `folder/charts`.
pub(super) fn charts(folder: &Path, charts: &[chart::Chart]) -> Result<(), WriteError> {
    let place = folder.join("charts");
    fs::create_dir(&place).map_err(|source| WriteError::Io {
        path: place.clone(),
        source,
    })?;
    for chart in charts {
        file(&place, &format!("{}.svg", chart.name), chart.svg.as_bytes())?;
        let png = chart::png(&chart.svg).map_err(|source| WriteError::Chart {
            name: chart.name,
            source,
        })?;
        file(&place, &format!("{}.png", chart.name), &png)?;
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
    let (name, bytes) = self::rows(name, rows)?;
    file(folder, name, &bytes)
}

/// Rows with their header, as a file; the header alone where there are none.
fn rows<R: Serialize + Default>(
    name: &'static str,
    rows: &[R],
) -> Result<(&'static str, Vec<u8>), WriteError> {
    let error = |source| WriteError::Io {
        path: PathBuf::from(name),
        source,
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    // The header comes with the first row: where there is none one is made up, and taken away.
    let sample = [R::default()];
    for row in if rows.is_empty() { &sample } else { rows } {
        writer.serialize(row).map_err(|fault| error(fault.into()))?;
    }
    let mut bytes = writer
        .into_inner()
        .map_err(|fault| error(fault.into_error()))?;
    if rows.is_empty() {
        let header = bytes.iter().position(|&byte| byte == b'\n');
        bytes.truncate(header.map_or(0, |at| at + 1));
    }
    Ok((name, bytes))
}
